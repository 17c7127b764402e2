"""What a clinician wants to know of one client two minutes before a session."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import groupby

import polars as pl

from mbc.care.client.completeness import completeness_of
from mbc.care.client.goals import goal_progress
from mbc.care.client.questions import suggest
from mbc.care.client.repair_limits import repair_band, repair_limits, repair_words
from mbc.care.client.state import ScaleCourse, client_state, goal_scales
from mbc.care.client.strips import read_repairs, strip_marks
from mbc.care.client.trajectory import Cohort, trajectory_of
from mbc.care.course.charted_scales import (
    ALLIANCE,
    construct_title,
    in_reading_order,
    scales_to_chart,
    shows_progress,
)
from mbc.care.course.client_record import ClientRecord, read_record
from mbc.care.course.noise import noise_of
from mbc.care.forecast.clinic_models import CohortModels
from mbc.care.plan.client_plan import client_plan
from mbc.care.scoring.recorded_definitions import undefined_instruments
from mbc.care.values.course import Trajectory, Verdict
from mbc.care.values.plan import ClientPlan
from mbc.care.values.review import ClientReview, ClientState, Completeness, ConstructReview
from mbc.care.words import join_list, sentence
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.instruments import Instrument, Scale
from mbc.store import Store


@with_definitions_of_record
def client_review(
    store: Store, client_id: str, *, cohort: Cohort | None = None, as_of: dt.date | None = None
) -> ClientReview:
    """Gather everything that is shown of one client; nothing of the safety channel.

    Parameters
    ----------
    store : Store
        The record, or the part of it that one user may see.
    client_id : str
    cohort : CohortModel or CohortModels, optional
        For expected courses and forecasts; without it there are none. See `mbc.care.client_trajectory`.
    as_of : date, optional
        The day the review is for; today when not given.

    Returns
    -------
    ClientReview
        ``state`` (on track, watch, not on track, no forecast, with reasons); ``headline``, what changed clearly;
        ``trajectories``, each with a ``caption`` and what `mbc.figures` draws; ``goals``; ``timeline``, the
        relationships; ``completeness``, what is due; ``questions``, what to ask and why.

    Raises
    ------
    NotInRecord
        If there is no such client for this user.

    Examples
    --------
    >>> from datetime import date
    >>> from mbc.store import Administration, Client, Store
    >>> with Store.create("sqlite://") as store:
    ...     with store.writing() as record:
    ...         _ = record.add(Client("C001"))
    ...         _ = record.add(Administration("C001", "rses", date(2026, 1, 5), (1, 2, 1, 2, 2, 2, 1, 3, 2, 1)))
    ...         _ = record.add(Administration("C001", "rses", date(2026, 2, 2), (3, 0, 3, 2, 0, 1, 3, 1, 0, 3)))
    ...     review = client_review(store, "C001", as_of=date(2026, 2, 3))
    >>> review.headline
    'Clearly better since the start: self-esteem. Since last time: self-esteem better.'
    >>> review.trajectories[0].caption.partition(":")[0]
    'From 10 on 5 January to 27 on 2 February'
    >>> review
    ClientReview('C001', 2026-02-03, 'no forecast', charts: Self-esteem: RSES)
    """
    person = store.clients(client_id=client_id).row(0, named=True)
    record = read_record(store, client_id)
    today = as_of or dt.date.today()  # noqa: DTZ011 - the calendar day where the clinic is
    instruments = in_reading_order(record.asked)
    charted = [(instrument, scale) for instrument in instruments for scale in scales_to_chart(instrument)]
    trajectories = [trajectory_of(record, instrument, scale, cohort=cohort) for instrument, scale in charted]
    pairs = zip((instrument.construct for instrument, _ in charted), trajectories, strict=True)
    goals = goal_progress(record)
    repairs = read_repairs(store, client_id, since=record.since, until=today)
    limits = repair_limits(repairs)
    plan = client_plan(store, client_id, as_of=today) if record.closed is None else None
    completeness = tuple(completeness_of(record, instrument, today, plan) for instrument in instruments)
    held, missed, last, number = _sessions(record)
    state = _state(record, charted, trajectories, cohort, today)
    closed = record.closed
    return ClientReview(
        client_id=client_id,
        alias=person["alias"],
        clinician_id=person["clinician_id"],
        clinician=_clinician(store, person["clinician_id"]),
        status=person["status"],
        as_of=today,
        state=state,
        headline=headline(trajectories, undefined_instruments(store, client_id).get(client_id, ())),
        relationship=record.timeline.words_on(today),
        closed=closed,
        due=_due(completeness, plan) if closed is None else (),
        constructs=tuple(
            ConstructReview(key, construct_title(key), tuple(course for _, course in group))
            for key, group in groupby(pairs, key=lambda pair: pair[0])
        ),
        goals=goals,
        timeline=record.timeline.periods,
        completeness=completeness,
        last_session=last,
        last_session_number=number,
        sessions_attended=held,
        sessions_missed=missed,
        questions=suggest(state, trajectories, goals, completeness, today) if closed is None else (),
        visits=tuple(record.sessions.select("held_on", "attended").iter_rows()),
        strips=strip_marks(store, client_id, since=record.since, until=today),
        repair_words=repair_words(repairs, limits),
        repair_band=repair_band(repairs, limits),
        plan=plan,
    )


def _due(completeness: Sequence[Completeness], plan: ClientPlan | None) -> tuple[str, ...]:
    if plan is not None:
        return tuple(measure.name for measure in plan.due)
    return tuple(asked.name for asked in completeness if asked.due)


def _state(
    record: ClientRecord,
    charted: Sequence[tuple[Instrument, Scale]],
    trajectories: Sequence[Trajectory],
    cohort: Cohort | None,
    today: dt.date,
) -> ClientState:
    """Give the client's state from the scales of their progress that apply now."""
    on_goal = goal_scales(record.goals.iter_rows(named=True))
    courses = [
        ScaleCourse(
            scale=scale,
            segment=course.current,
            spread=spread_of(cohort, instrument, scale),
            forecast=course.on_track,
            on_goal=f"{instrument.key}.{scale.key}" in on_goal,
        )
        for (instrument, scale), course in zip(charted, trajectories, strict=True)
        if shows_progress(instrument)
        and course.current is not None
        and not record.timeline.not_applicable(instrument, today, None)
    ]
    return client_state(courses)


def spread_of(cohort: Cohort | None, instrument: Instrument, scale: Scale) -> float | None:
    """Give the spread of first scores that progress is counted in: the clinic's own, else the published one."""
    own = cohort.spread(instrument, scale) if isinstance(cohort, CohortModels) else None
    if own is not None:
        return own
    published = noise_of(instrument, scale)
    return None if published is None else published.sd


_PARTS: tuple[tuple[Verdict, str], ...] = (
    ("clearly worse", "Clearly worse since the start: {}"),
    ("clearly better", "Clearly better since the start: {}"),
    ("worse once", "Worse once, not yet confirmed: {}"),
    ("better once", "Better once, not yet confirmed: {}"),
)


def headline(trajectories: Sequence[Trajectory], undefined: Sequence[str] = (), *, brief: bool = False) -> str:
    """Say what has changed clearly since the start, and since last time, on the scales that apply now.

    Parameters
    ----------
    trajectories : sequence of Trajectory
        The alliance is no change of the client's: it stands beside the goals.
    undefined : sequence of str
        Questionnaires that were answered and have no definition here.
    brief : bool
        Say less, where the page shows each measure's own verdict.

    Examples
    --------
    >>> headline([])
    'No scores on record yet.'
    """
    by_verdict: dict[Verdict, list[str]] = {}
    for course in trajectories:
        live = course.current
        if live is not None and live.since_baseline is not None and course.construct != ALLIANCE:
            by_verdict.setdefault(live.verdict, []).append(course.measure)
    if undefined and not trajectories:
        return (
            f"No scores: answers to {join_list(undefined)} are on record, but the definition was not found. "
            "Name its folder: --instruments DIR."
        )
    if not trajectories:
        return "No scores on record yet."
    if not by_verdict:
        return "No change to judge yet on the scales that apply."
    if brief and any(verdict.startswith("clearly") for verdict in by_verdict):
        by_verdict = {verdict: names for verdict, names in by_verdict.items() if verdict.startswith("clearly")}
    heads = {verdict: words.replace(" since the start", "") if brief else words for verdict, words in _PARTS}
    parts = [
        words.format(_listed(by_verdict[verdict])) for verdict, words in heads.items() if verdict in by_verdict
    ]
    still = by_verdict.get("no clear change", [])
    if still:
        parts.append(f"No clear change: {_listed(still)}" if parts else f"No clear change on {_measures(still)}")
    return " ".join(sentence(part) for part in (*parts, since_last(trajectories)) if part)


def since_last(trajectories: Sequence[Trajectory]) -> str:
    """Say what changed clearly from the previous questionnaire to the latest."""
    changed: list[str] = []
    compared = 0
    for course in trajectories:
        change = course.current.since_last if course.current else None
        if change is None or change.verdict == "not known" or course.construct == ALLIANCE:
            continue
        compared += 1
        if change.verdict != "no clear change":
            changed.append(f"{course.measure} {change.verdict.removeprefix('clearly ')}")
    if not compared:
        return ""
    return f"Since last time: {join_list(changed) if changed else 'no clear change'}"


def _listed(measures: Sequence[str]) -> str:
    return join_list(list(dict.fromkeys(measures)))


def _measures(measures: Sequence[str]) -> str:
    return f"any of the {len(measures)} measures" if len(measures) > 1 else measures[0]


def _sessions(record: ClientRecord) -> tuple[int, int, dt.date | None, int | None]:
    held = record.sessions.filter("attended")
    missed = record.sessions.height - held.height
    if held.is_empty():
        return 0, missed, None, None
    last = held.row(-1, named=True)
    return held.height, missed, last["held_on"], last["number"]


def _clinician(store: Store, clinician_id: str | None) -> str | None:
    if clinician_id is None:
        return None
    names = store.clinicians().filter(pl.col("clinician_id") == clinician_id)["display_name"]
    return names[0] if names.len() else clinician_id
