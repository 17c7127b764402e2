"""How every client of a caseload stands: one pass over the record, not one query per client."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from mbc.care.charted import charted, construct_rank, construct_title, in_reading_order
from mbc.care.course import Change, Segment, Verdict
from mbc.care.noise import Noise, noise_of
from mbc.care.record import INFORMANT
from mbc.care.reviewing import Caseload, CaseloadCell, CaseloadRow
from mbc.care.scores import scored
from mbc.care.segments import read_occasions, split
from mbc.care.timeline import Timeline, timelines
from mbc.care.trajectory import chart_title
from mbc.care.words import count, number, span
from mbc.instruments import Instrument, Scale
from mbc.store import Store

STALE_DAYS = 28  # without a session or a questionnaire, while in care
_SAY: dict[Verdict, str] = {
    "reliably better": "better, beyond noise",
    "reliably worse": "worse, beyond noise",
    "inside noise": "inside noise",
    "not known": "noise not known",
}


def caseload(store: Store, *, clinician_id: str | None = None, as_of: dt.date | None = None) -> Caseload:
    """Sum up every client.

    Parameters
    ----------
    store : Store
        The record, or the part of it that one user may see.
    clinician_id : str, optional
        One clinician's clients; everybody this store may show when not given.
    as_of : date, optional
        The day that staleness is judged on; today when not given.

    Returns
    -------
    Caseload
        One row per client, those in care first, then by id.
    """
    today = as_of or dt.date.today()  # noqa: DTZ011 - the clinician's calendar day
    clients = store.clients()
    if clinician_id is not None:
        clients = clients.filter(pl.col("clinician_id") == clinician_id)
    everybody = _read(store, today)
    rows = [_row(everybody, person) for person in clients.iter_rows(named=True)]
    rows.sort(key=lambda row: (row.status != "active", row.client_id))
    found = {cell.construct for row in rows for cell in row.cells}
    constructs = tuple((key, construct_title(key)) for key in sorted(found, key=construct_rank))
    stale = sum(bool(row.flags) for row in rows)
    caption = f"{count(len(rows), 'client')}" + (f"; {stale} to look at for silence" if stale else "") + "."
    return Caseload(as_of=today, rows=tuple(rows), constructs=constructs, caption=caption)


@dataclass(frozen=True, slots=True)
class _Everybody:
    """The record of all clients, each kind of thing read once."""

    today: dt.date
    scores: Mapping[str, pl.DataFrame]  # by client
    timelines: Mapping[str, Timeline]
    sessions: Mapping[str, pl.DataFrame]  # attended
    closed: Mapping[str, bool]  # whether every episode of care has ended
    scales: Sequence[tuple[Instrument, Scale, Noise | None]]  # that anybody was measured on, in reading order


def _read(store: Store, today: dt.date) -> _Everybody:
    scores = scored(store, invalid="null").filter(pl.col("informant") == INFORMANT)
    closed = store.episodes().group_by("client_id").agg(pl.col("ended_on").is_not_null().all())
    return _Everybody(
        today=today,
        scores=_by_client(scores),
        timelines=timelines(store.statuses(), store.relationships()),
        sessions=_by_client(store.sessions().filter("attended")),
        closed=dict(closed.iter_rows()),
        scales=[
            (one, scale, noise_of(one, scale))
            for one in in_reading_order(scores["instrument"].unique())
            for scale in charted(one)
        ],
    )


def _row(everybody: _Everybody, person: Mapping[str, Any]) -> CaseloadRow:
    client_id = person["client_id"]
    line = everybody.timelines.get(client_id, Timeline())
    scores = everybody.scores.get(client_id)
    sessions = everybody.sessions.get(client_id)
    days = [] if scores is None else scores["taken_on"].to_list()
    days += [] if sessions is None else sessions["held_on"].to_list()
    last = max(days, default=None)
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
        sessions=0 if sessions is None else sessions.height,
        cells=() if scores is None else tuple(_cells(everybody, scores, line)),
        flags=_flags(scores, waited) if in_care else (),
    )


def _flags(scores: pl.DataFrame | None, waited: int | None) -> tuple[str, ...]:
    found = ["no questionnaire yet"] if scores is None else []
    if waited is not None and waited > STALE_DAYS:
        found.append(f"no contact for {span(waited)}")
    return tuple(found)


def _cells(everybody: _Everybody, scores: pl.DataFrame, line: Timeline) -> list[CaseloadCell]:
    found: list[CaseloadCell] = []
    frames = scores.partition_by("instrument", "scale", as_dict=True)
    for instrument, scale, noise in everybody.scales:
        frame = frames.get((instrument.key, scale.key))
        if frame is None:
            continue
        occasions = read_occasions(frame.iter_rows(named=True))
        segments, _ = split(occasions, instrument, scale, line, noise)
        away = line.not_applicable(instrument, everybody.today, None)
        found.append(_cell(instrument, scale, segments, away[0].reason if away else ""))
    return found


def _cell(instrument: Instrument, scale: Scale, segments: Sequence[Segment], away: str) -> CaseloadCell:
    live = [one for one in segments if one.ended_on is None and one.latest is not None and not away]
    current = max(live, key=lambda one: one.occasions[-1].taken_on, default=None)
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


def _by_client(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return {str(key): part for (key,), part in frame.partition_by("client_id", as_dict=True).items()}
