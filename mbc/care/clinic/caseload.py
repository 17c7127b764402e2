"""How every client of a caseload stands: one pass over the record, not one query per client."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from mbc.care.client.trajectory import Cohort, chart_title
from mbc.care.course.charted_scales import charted, construct_rank, construct_title, in_reading_order
from mbc.care.course.client_record import INFORMANT, no_later_than_today
from mbc.care.course.current_episode import present_since, starts_of_care
from mbc.care.course.noise import Noise
from mbc.care.course.relationships import Timeline, timelines
from mbc.care.course.segments import as_occasion, in_order, split
from mbc.care.forecast.clinic_models import CohortModels, noise_for
from mbc.care.forecast.signals import NoOutlook, outlooks
from mbc.care.scoring.scores import scored
from mbc.care.values.course import Change, Occasion, Segment, Verdict
from mbc.care.values.review import Caseload, CaseloadCell, CaseloadRow
from mbc.care.words import count, number, span
from mbc.instruments import Instrument, Scale
from mbc.store import Store

Occasions = Mapping[tuple[str, str], Sequence[Occasion]]  # one client's, by instrument and scale

STALE_DAYS = 28  # without a session or a questionnaire, while in care
_SAY: dict[Verdict, str] = {
    "reliably better": "better, beyond noise",
    "reliably worse": "worse, beyond noise",
    "inside noise": "inside noise",
    "not known": "noise not known",
}


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
        The day that silence is judged on. When not given, the last day with a session or a questionnaire that this
        store shows, or today if that is earlier: a record kept up to date is judged as of now, and one that is
        a copy, an archive or a sample as of its end.
    cohort : CohortModel or CohortModels, optional
        For noise on scales without a published reliability; see :func:`mbc.care.client_trajectory`.

    Returns
    -------
    Caseload
        One row per client, those in care first, then by id.
    """
    clients = store.clients()
    if clinician_id is not None:
        clients = clients.filter(pl.col("clinician_id") == clinician_id)
    everybody = _read(store, as_of, cohort)
    rows = _with_signals([_row(everybody, person) for person in clients.iter_rows(named=True)], everybody, cohort)
    rows.sort(key=lambda row: (row.status != "active", row.client_id))
    found = {cell.construct for row in rows for cell in row.cells}
    constructs = tuple((key, construct_title(key)) for key in sorted(found, key=construct_rank))
    stale, off = sum(bool(row.flags) for row in rows), sum(bool(row.signals) for row in rows)
    caption = f"{count(len(rows), 'client')}" + (f"; {stale} to look at for silence" if stale else "")
    caption += f"; {off} not on track on some scale." if off else "."
    return Caseload(as_of=everybody.today, rows=tuple(rows), constructs=constructs, caption=caption)


@dataclass(frozen=True, slots=True)
class _Everybody:
    """The record of all clients, each kind of thing read once."""

    today: dt.date
    occasions: Mapping[str, Occasions]  # by client
    timelines: Mapping[str, Timeline]
    sessions: Mapping[str, Sequence[dt.date]]  # attended
    closed: Mapping[str, bool]  # whether every episode of care has ended
    starts: Mapping[str, Sequence[dt.date]]  # of their episodes of care
    scales: Sequence[tuple[Instrument, Scale, Noise | None]]  # that anybody was measured on, in reading order

    def present(self, client_id: str) -> Occasions:
        """Give one client's occasions of their present care."""
        occasions = self.occasions.get(client_id, {})
        days = [*self.sessions.get(client_id, ()), *(o.taken_on for found in occasions.values() for o in found)]
        return _present(occasions, present_since(self.starts.get(client_id, ()), days))


def _read(store: Store, as_of: dt.date | None, cohort: Cohort | None) -> _Everybody:
    scores = scored(store, invalid="null").filter(pl.col("informant") == INFORMANT)
    episodes = store.episodes()
    closed = episodes.group_by("client_id").agg(pl.col("ended_on").is_not_null().all())
    sessions = store.sessions().filter("attended")
    held = sessions.group_by("client_id").agg("held_on")
    return _Everybody(
        today=as_of or no_later_than_today(sessions["held_on"].max(), scores["taken_on"].max()),
        occasions=_by_client(scores),
        timelines=timelines(store.statuses(), store.relationships()),
        sessions=dict(held.iter_rows()),
        closed=dict(closed.iter_rows()),
        starts=starts_of_care(episodes),
        scales=[
            (one, scale, noise_for(cohort, one, scale))
            for one in in_reading_order(scores["instrument"].unique())
            for scale in charted(one)
        ],
    )


def _row(everybody: _Everybody, person: Mapping[str, Any]) -> CaseloadRow:
    client_id = person["client_id"]
    line = everybody.timelines.get(client_id, Timeline())
    occasions = everybody.occasions.get(client_id, {})
    sessions = everybody.sessions.get(client_id, ())
    days = [*sessions, *(one.taken_on for found in occasions.values() for one in found)]
    last = max(days, default=None)
    since = present_since(everybody.starts.get(client_id, ()), days)
    waited = None if last is None else (everybody.today - last).days
    in_care = not everybody.closed.get(client_id, False)
    return CaseloadRow(
        client_id=client_id,
        alias=person["alias"],
        clinician_id=person["clinician_id"],
        status=person["status"],
        relationship=line.status_on(everybody.today),
        last_contact=last,
        days_since_contact=waited,
        sessions=sum(since is None or day >= since for day in sessions),
        cells=tuple(_cells(everybody, _present(occasions, since), line)),
        flags=_flags(waited, asked=bool(occasions)) if in_care else (),
    )


def _with_signals(rows: list[CaseloadRow], everybody: _Everybody, cohort: Cohort | None) -> list[CaseloadRow]:
    """Say what is not on track, scale by scale for all clients at once."""
    if not isinstance(cohort, CohortModels):
        return rows
    found: dict[str, list[str]] = {}
    for instrument, scale, noise in everybody.scales:
        live = _live(everybody, rows, instrument, scale, noise)
        model = cohort.course(instrument, scale) if live else NoOutlook("Nobody is followed on it.")
        if isinstance(model, NoOutlook):
            continue
        for client_id, signal in zip(live, outlooks(model, list(live.values())), strict=True):
            if signal.state == "not on track":
                found.setdefault(client_id, []).append(scale.title)
    return [replace(row, signals=tuple(found.get(row.client_id, ()))) for row in rows]


def _live(
    everybody: _Everybody, rows: Sequence[CaseloadRow], instrument: Instrument, scale: Scale, noise: Noise | None
) -> dict[str, Segment]:
    """Segments that are still open, of clients who are in care, by client."""
    found: dict[str, Segment] = {}
    for row in rows:
        cell = next((one for one in row.cells if (one.instrument, one.scale) == (instrument.key, scale.key)), None)
        if cell is None or cell.latest is None or everybody.closed.get(row.client_id, False):
            continue
        known = everybody.present(row.client_id)[instrument.key, scale.key]
        line = everybody.timelines.get(row.client_id, Timeline())
        current = _current(split(known, instrument, scale, line, noise)[0])
        if current is not None:
            found[row.client_id] = current
    return found


def _present(occasions: Occasions, since: dt.date | None) -> Occasions:
    if since is None:
        return occasions
    kept = {key: [one for one in found if one.taken_on >= since] for key, found in occasions.items()}
    return {key: found for key, found in kept.items() if found}


def _flags(waited: int | None, *, asked: bool) -> tuple[str, ...]:
    found = [] if asked else ["no questionnaire yet"]
    if waited is not None and waited > STALE_DAYS:
        found.append(f"no contact for {span(waited)}")
    return tuple(found)


def _cells(everybody: _Everybody, occasions: Occasions, line: Timeline) -> list[CaseloadCell]:
    found: list[CaseloadCell] = []
    for instrument, scale, noise in everybody.scales:
        known = occasions.get((instrument.key, scale.key))
        if known is None:
            continue
        segments, _ = split(known, instrument, scale, line, noise)
        away = line.not_applicable(instrument, everybody.today, None)
        found.append(_cell(instrument, scale, segments, away[0].reason if away else ""))
    return found


def _cell(instrument: Instrument, scale: Scale, segments: Sequence[Segment], away: str) -> CaseloadCell:
    current = None if away else _current(segments)
    latest = current.latest if current else None
    change = current.since_baseline if current else None
    return CaseloadCell(
        construct=instrument.construct,
        instrument=instrument.key,
        scale=scale.key,
        title=chart_title(instrument, scale),
        range=scale.range,
        higher_is_better=scale.higher_is_better,
        latest=latest.score if latest else None,
        latest_on=latest.taken_on if latest else None,
        change=change.points if change else None,
        verdict=change.verdict if change else "not known",
        words=_words(latest.score if latest else None, change, scale, away),
        points=_points(segments),
        sort_key=_sort_key(change, scale),
        answered=latest.answered if latest else None,
        items=latest.items if latest else None,
    )


def _current(segments: Sequence[Segment]) -> Segment | None:
    live = [one for one in segments if one.ended_on is None and one.latest is not None]
    return max(live, key=lambda one: one.occasions[-1].taken_on, default=None)


def _words(latest: float | None, change: Change | None, scale: Scale, reason: str) -> str:
    if reason:
        return "not applicable: relationship ended" if reason == "ended" else f"not applicable: {reason}"
    if latest is None:
        return "no score"
    score = number(latest, scale.decimals)
    if change is None:
        return f"{score}, first score"
    if change.points == 0:
        return f"{score}, no change"
    return f"{score}, {number(change.points, scale.decimals, signed=True)}: {_SAY[change.verdict]}"


def _points(segments: Sequence[Segment]) -> tuple[float | None, ...]:
    found: list[float | None] = []
    for segment in segments:
        found += [None] if found else []
        found += [one.score for one in segment.occasions]
    return tuple(found)


def _sort_key(change: Change | None, scale: Scale) -> float:
    if change is None:
        return 0.0
    size = change.points / (change.threshold or (scale.range[1] - scale.range[0]))
    return size if scale.higher_is_better else -size


def _by_client(scores: pl.DataFrame) -> dict[str, dict[tuple[str, str], Sequence[Occasion]]]:
    found: dict[str, dict[tuple[str, str], list[Occasion]]] = {}
    for row in scores.iter_rows(named=True):
        scales = found.setdefault(row["client_id"], {})
        scales.setdefault((row["instrument"], row["scale"]), []).append(as_occasion(row))
    return {client: {key: in_order(rows) for key, rows in scales.items()} for client, scales in found.items()}
