"""The worklist: the state of every client, why they need the clinician, and what is due."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from mbc.care.client.completeness import applies_on, rhythm_of
from mbc.care.client.goals import is_reached, known_scale
from mbc.care.client.review import spread_of
from mbc.care.client.state import ScaleCourse, client_state, goal_scales
from mbc.care.client.trajectory import Cohort, chart_title
from mbc.care.clinic.clinic_data import ClinicData, read_clinic
from mbc.care.clinic.worklist import Waiting, group_of, reasons_of
from mbc.care.course.charted_scales import (
    construct_rank,
    construct_title,
    shows_progress,
)
from mbc.care.course.noise import Noise
from mbc.care.course.relationships import Timeline
from mbc.care.course.segments import split
from mbc.care.course.verdicts import judged
from mbc.care.forecast.clinic_models import CohortModels
from mbc.care.forecast.signals import NoOutlook, outlooks
from mbc.care.values.course import Change, OnTrack, Segment, Verdict
from mbc.care.values.review import Caseload, CaseloadCell, CaseloadRow, Group
from mbc.care.words import count, number
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.instruments import Instrument, Scale
from mbc.instruments import instrument as load
from mbc.instruments.short_names import short_name
from mbc.store import Store

GROUPS: tuple[Group, ...] = ("needs you", "soon", "as expected", "closed")
_WEEK = dt.timedelta(days=7)


@with_definitions_of_record
def caseload(
    store: Store,
    *,
    clinician_id: str | None = None,
    as_of: dt.date | None = None,
    cohort: Cohort | None = None,
) -> Caseload:
    """Sum up every client.

    Parameters
    ----------
    store : Store
        The record, or the part of it that one user may see.
    clinician_id : str, optional
        One clinician's clients; everybody this store may show when not given.
    as_of : date, optional
        The day on which the worklist is read; today when not given.
    cohort : CohortModel or CohortModels, optional
        Forecasts, spreads, and noise on scales without a published reliability; see
        `mbc.care.client_trajectory`.

    Returns
    -------
    Caseload
        One row per client: those who need the clinician, those to watch or due within a week, those who go as
        expected, and closed cases; within a group the longest waiting first.
    """
    clients = store.clients()
    if clinician_id is not None:
        clients = clients.filter(pl.col("clinician_id") == clinician_id)
    data = read_clinic(store, as_of, cohort)
    chosen = [str(client) for client in clients["client_id"]]
    followed = [_followed(data, chosen, *scale, cohort) for scale in data.scales]
    rows = [_row(data, person, followed, cohort) for person in clients.iter_rows(named=True)]
    return caseload_of(rows, as_of=data.today, cohort=cohort)


def caseload_of(rows: Iterable[CaseloadRow], *, as_of: dt.date, cohort: Cohort | None = None) -> Caseload:
    """Put the lines of clients in order, whenever each was worked out.

    Parameters
    ----------
    rows : iterable of CaseloadRow
        From `caseload`, all of the same day.
    as_of : date
        That day.
    cohort : CohortModel or CohortModels, optional
        Says which models are still to be made.
    """
    listed = sorted(rows, key=lambda row: (GROUPS.index(row.group), -(row.days_since_contact or 0), row.client_id))
    constructs_seen = {cell.construct for row in listed for cell in row.cells}
    constructs = tuple((key, construct_title(key)) for key in sorted(constructs_seen, key=construct_rank))
    caption = " ".join(part for part in (_caption(listed), _not_yet(listed, cohort)) if part)
    return Caseload(as_of=as_of, rows=tuple(listed), constructs=constructs, caption=caption)


def _not_yet(rows: Sequence[CaseloadRow], cohort: Cohort | None) -> str:
    if not isinstance(cohort, CohortModels):
        return ""
    names = sorted({(cell.instrument, cell.scale) for row in rows for cell in row.cells})
    return cohort.not_yet((load(instrument), load(instrument).scale(scale)) for instrument, scale in names)


def _caption(rows: Sequence[CaseloadRow]) -> str:
    in_care = sum(row.closed is None for row in rows)
    closed = len(rows) - in_care
    parts = [f"{count(in_care, 'client')} in care"]
    needing, soon = (sum(row.group == group for row in rows) for group in ("needs you", "soon"))
    parts += [count(needing, "needs you", "need you")] if needing else []
    parts += [f"{soon} to watch or due within a week"] if soon else []
    parts += [f"{count(closed, 'closed case')}"] if closed else []
    return "; ".join(parts) + "."


@dataclass(frozen=True, slots=True)
class _Followed:
    """One scale of all clients: their segments, the current one judged, and its forecast."""

    instrument: Instrument
    scale: Scale
    segments: Mapping[str, Sequence[Segment]]
    current: Mapping[str, Segment]  # of those to whom the scale applies now
    away: Mapping[str, str]  # why it does not apply now
    forecasts: Mapping[str, OnTrack]


def _followed(
    data: ClinicData,
    clients: Sequence[str],
    instrument: Instrument,
    scale: Scale,
    noise: Noise | None,
    cohort: Cohort | None,
) -> _Followed:
    segments: dict[str, Sequence[Segment]] = {}
    current: dict[str, Segment] = {}
    away: dict[str, str] = {}
    for client_id in clients:
        known = data.present(client_id).get((instrument.key, scale.key))
        if known is None:
            continue
        line = data.timeline(client_id)
        segments[client_id] = split(known, instrument, scale, line, noise)[0]
        if spans := line.not_applicable(instrument, data.today, None):
            away[client_id] = spans[0].reason
        elif (live := _current(segments[client_id])) is not None:
            current[client_id] = live
    current = dict(zip(current, judged(list(current.values()), scale, noise), strict=True))
    return _Followed(
        instrument, scale, segments, current, away, _forecasts(data, current, instrument, scale, cohort)
    )


def _forecasts(
    data: ClinicData, current: Mapping[str, Segment], instrument: Instrument, scale: Scale, cohort: Cohort | None
) -> Mapping[str, OnTrack]:
    """Ask the model of a scale about all clients in care at once."""
    live = {client: segment for client, segment in current.items() if client not in data.closed}
    if not isinstance(cohort, CohortModels) or not live:
        return {}
    model = cohort.course(instrument, scale)
    if isinstance(model, NoOutlook):
        return {}
    return {
        client: signal.state for client, signal in zip(live, outlooks(model, list(live.values())), strict=True)
    }


def _row(
    data: ClinicData, person: Mapping[str, Any], followed: Sequence[_Followed], cohort: Cohort | None
) -> CaseloadRow:
    client_id = person["client_id"]
    line, days, since = data.timeline(client_id), data.days(client_id), data.since(client_id)
    last, closed = max(days, default=None), data.closed.get(client_id)
    goals = data.goals.get(client_id, ())
    on_goal = goal_scales(goals)
    courses = [
        ScaleCourse(
            scale=measured.scale,
            segment=measured.current[client_id],
            spread=spread_of(cohort, measured.instrument, measured.scale),
            forecast=measured.forecasts.get(client_id, "insufficient data"),
            on_goal=f"{measured.instrument.key}.{measured.scale.key}" in on_goal,
        )
        for measured in followed
        if client_id in measured.current and shows_progress(measured.instrument)
    ]
    state = client_state(courses)
    waiting = Waiting(
        state=state,
        closed=closed,
        days_since_contact=None if last is None else (data.today - last).days,
        asked=any(occasions for occasions in data.present(client_id).values()),
        due=_due(data, client_id, line) if closed is None else (),
        goals=len(goals),
        reached=tuple(row["label"] or "" for row in goals if is_reached(row, _latest(data, client_id, row))),
        better=tuple(course.name for course in courses if course.segment.verdict == "clearly better"),
        undefined=tuple(data.undefined.get(client_id, ())),
        today=data.today,
    )
    return CaseloadRow(
        client_id=client_id,
        alias=person["alias"],
        clinician_id=person["clinician_id"],
        status=person["status"],
        relationship=line.status_on(data.today),
        last_contact=last,
        days_since_contact=waiting.days_since_contact,
        sessions=sum(since is None or day >= since for day in data.sessions.get(client_id, ())),
        cells=tuple(_cell(measured, client_id) for measured in followed if client_id in measured.segments),
        state=state,
        group=group_of(waiting),
        reasons=reasons_of(waiting),
        due=waiting.due,
        closed=closed,
    )


def _due(data: ClinicData, client_id: str, line: Timeline) -> tuple[tuple[str, dt.date], ...]:
    """Name what is due within a week, by the plan or the client's own rhythm, the most overdue first."""
    if (plan := data.plans.get(client_id)) is not None:
        waiting = [(each.name, each.due_on) for each in plan.measures if each.is_due or each.state == "later"]
        within = [(name, on) for name, on in waiting if on is not None and on <= data.today + _WEEK]
        return tuple(sorted(within, key=lambda item: (item[1], item[0])))
    days: dict[str, set[dt.date]] = {}
    for (instrument, _), occasions in data.present(client_id).items():
        days.setdefault(instrument, set()).update(occasion.taken_on for occasion in occasions)
    due: list[tuple[str, dt.date]] = []
    for key, taken in days.items():
        rhythm = rhythm_of(sorted(taken))
        if rhythm is None or key not in {instrument.key for instrument, _, _ in data.scales}:
            continue
        day = max(taken) + dt.timedelta(days=rhythm)
        if day <= data.today + _WEEK and applies_on(line, load(key), data.today):
            due.append((short_name(key), day))
    return tuple(sorted(due, key=lambda item: (item[1], item[0])))


def _latest(data: ClinicData, client_id: str, goal: Mapping[str, Any]) -> float | None:
    """Give the latest rating of a goal, or the latest score on the scale it is set on."""
    name = known_scale(goal["scale"])
    if name is None:
        return data.ratings.get(goal["goal_id"])
    key, _, scale = name.partition(".")
    known = data.present(client_id).get((key, load(key).scale(scale or None).key), ())
    values = [o.score for o in known if o.score is not None and o.taken_on >= goal["set_on"]]
    return values[-1] if values else None


def _cell(measured: _Followed, client_id: str) -> CaseloadCell:
    scale, current = measured.scale, measured.current.get(client_id)
    latest = current.latest if current else None
    change = current.since_baseline if current else None
    verdict: Verdict = current.verdict if current else "not known"
    return CaseloadCell(
        construct=measured.instrument.construct,
        instrument=measured.instrument.key,
        scale=scale.key,
        title=chart_title(measured.instrument, scale),
        range=scale.range,
        higher_is_better=scale.higher_is_better,
        latest=latest.score if latest else None,
        latest_on=latest.taken_on if latest else None,
        change=change.points if change else None,
        verdict=verdict,
        words=_words(latest.score if latest else None, change, verdict, scale, measured.away.get(client_id, "")),
        points=_points(measured.segments[client_id]),
        sort_key=_sort_key(change, scale),
        answered=latest.answered if latest else None,
        items=latest.items if latest else None,
    )


def _current(segments: Sequence[Segment]) -> Segment | None:
    live = [segment for segment in segments if segment.ended_on is None and segment.latest is not None]
    return max(live, key=lambda segment: segment.occasions[-1].taken_on, default=None)


def _words(latest: float | None, change: Change | None, verdict: Verdict, scale: Scale, away: str) -> str:
    if away:
        return "not asked: relationship ended" if away == "ended" else f"not asked while {away}"
    if latest is None:
        return "no score"
    score = number(latest, scale.decimals)
    if change is None:
        return f"{score}, first score"
    if change.points == 0 and verdict == "no clear change":
        return f"{score}, no change"
    judged_as = "measurement error unknown" if verdict == "not known" else verdict
    return f"{score}, {number(change.points, scale.decimals, signed=True)}: {judged_as}"


def _points(segments: Sequence[Segment]) -> tuple[float | None, ...]:
    scores: list[float | None] = []
    for segment in segments:
        scores += [None] if scores else []
        scores += [occasion.score for occasion in segment.occasions]
    return tuple(scores)


def _sort_key(change: Change | None, scale: Scale) -> float:
    if change is None:
        return 0.0
    size = change.points / (change.threshold or (scale.range[1] - scale.range[0]))
    return size if scale.higher_is_better else -size
