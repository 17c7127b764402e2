"""What a clinician wants to know of one client two minutes before a session."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import groupby

import polars as pl

from mbc.care.client.completeness import completeness_of
from mbc.care.client.goals import goal_progress
from mbc.care.client.questions import suggest
from mbc.care.client.trajectory import Cohort, trajectory_of
from mbc.care.course.charted_scales import construct_title, in_reading_order, scales_to_chart
from mbc.care.course.client_record import ClientRecord, no_later_than_today, read_record
from mbc.care.scoring.recorded_definitions import undefined_instruments
from mbc.care.values.course import Trajectory
from mbc.care.values.review import ClientReview, ConstructReview
from mbc.care.words import count, join_list, sentence
from mbc.exchange.own_definitions import with_definitions_of_record
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
        For expected courses; see :func:`mbc.care.client_trajectory`.
    as_of : date, optional
        The day the review is for; when not given, as in :func:`mbc.care.caseload`.

    Raises
    ------
    NotInRecord
        If there is no such client for this user.
    """
    person = store.clients(client_id=client_id).row(0, named=True)
    record = read_record(store, client_id)
    today = as_of or _last_day(store, record)
    instruments = in_reading_order(record.asked)
    pairs = [
        (instrument.construct, trajectory_of(record, instrument, scale, cohort=cohort))
        for instrument in instruments
        for scale in scales_to_chart(instrument)
    ]
    trajectories = [course for _, course in pairs]
    goals = goal_progress(record)
    completeness = tuple(completeness_of(record, instrument, today) for instrument in instruments)
    held, missed, last, number = _sessions(record)
    return ClientReview(
        client_id=client_id,
        alias=person["alias"],
        clinician_id=person["clinician_id"],
        clinician=_clinician(store, person["clinician_id"]),
        status=person["status"],
        as_of=today,
        headline=headline(trajectories, undefined_instruments(store, client_id).get(client_id, ())),
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
        questions=suggest(trajectories, goals, completeness, today),
    )


def _last_day(store: Store, record: ClientRecord) -> dt.date:
    return no_later_than_today(store.last_session_date(), *(record.window or ()))


def headline(trajectories: list[Trajectory], undefined: Sequence[str] = ()) -> str:
    """Say in one sentence what has changed clearly since the start, on the scales that apply now.

    Examples
    --------
    >>> headline([])
    'No scores on record yet.'
    """
    sides: dict[str, list[str]] = {
        "clearly better": [],
        "clearly worse": [],
        "no clear change": [],
        "not known": [],
    }
    for course in trajectories:
        live = course.current
        if live is not None and live.since_baseline is not None:
            sides[live.since_baseline.verdict].append(course.title)
    parts = [
        f"{verdict} since the start: {join_list(sides[side])}"
        for side, verdict in (
            ("clearly better", "clearly better"),
            ("clearly worse", "clearly worse"),
        )
        if sides[side]
    ]
    if sides["no clear change"]:
        parts.append(f"no clear change on {count(len(sides['no clear change']), 'scale')}")
    if not parts:
        if undefined and not trajectories:
            return (
                f"No scores: answers to {join_list(undefined)} are on record, but the definition was not found. "
                "Name its folder: --instruments DIR."
            )
        return (
            "No scores on record yet." if not trajectories else "No change to judge yet on the scales that apply."
        )
    return sentence("; ".join(parts))


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
