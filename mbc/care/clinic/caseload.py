"""The state of every client of a caseload: one pass over the record, not one query per client."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from mbc.care.client.trajectory import Cohort, chart_title
from mbc.care.course.charted_scales import construct_rank, construct_title, in_reading_order, scales_to_chart
from mbc.care.course.client_record import INFORMANT, no_later_than_today
from mbc.care.course.current_episode import present_since, starts_of_care
from mbc.care.course.noise import Noise
from mbc.care.course.relationships import Timeline, timelines
from mbc.care.course.segments import as_occasion, in_order, split
from mbc.care.forecast.clinic_models import CohortModels, noise_for
from mbc.care.forecast.signals import NoOutlook, outlooks
from mbc.care.scoring.recorded_definitions import undefined_instruments
from mbc.care.scoring.scores import scores
from mbc.care.values.course import Change, Occasion, Segment, Verdict
from mbc.care.values.review import Caseload, CaseloadCell, CaseloadRow
from mbc.care.words import count, join_list, number, span
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.instruments import Instrument, Scale
from mbc.store import Store

Occasions = Mapping[tuple[str, str], Sequence[Occasion]]  # one client's, by instrument and scale

STALE_DAYS = 28  # without a session or a questionnaire, while in care
_VERDICT_WORDS: dict[Verdict, str] = {
    "clearly better": "clearly better",
    "clearly worse": "clearly worse",
    "no clear change": "no clear change",
    "not known": "measurement error unknown",
}


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
        Reference date for the time since last contact. When not given, the last day with a session or a
        questionnaire that this store shows, or today if that is earlier: a record kept up to date is judged as of
        now, a copy, an archive or a sample as of its last day.
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
    data = _read(store, as_of, cohort)
    rows = _with_signals([_row(data, person) for person in clients.iter_rows(named=True)], data, cohort)
    rows.sort(key=lambda row: (row.status != "active", row.client_id))
    constructs_seen = {cell.construct for row in rows for cell in row.cells}
    constructs = tuple((key, construct_title(key)) for key in sorted(constructs_seen, key=construct_rank))
    stale, off = sum(bool(row.flags) for row in rows), sum(bool(row.signals) for row in rows)
    caption = f"{count(len(rows), 'client')}" + (f"; {stale} without recent contact" if stale else "")
    caption += f"; {off} not on track on at least one scale." if off else "."
    return Caseload(as_of=data.today, rows=tuple(rows), constructs=constructs, caption=caption)


@dataclass(frozen=True, slots=True)
class _ClinicData:
    """The record of all clients, each kind of thing read once."""

    today: dt.date
    occasions: Mapping[str, Occasions]  # by client
    timelines: Mapping[str, Timeline]
    sessions: Mapping[str, Sequence[dt.date]]  # attended
    closed: Mapping[str, bool]  # whether every episode of care has ended
    starts: Mapping[str, Sequence[dt.date]]  # of their episodes of care
    scales: Sequence[tuple[Instrument, Scale, Noise | None]]  # that anybody was measured on, in reading order
    undefined: Mapping[str, Sequence[str]]  # questionnaires on record without a definition, by client

    def present(self, client_id: str) -> Occasions:
        """Give one client's occasions of their present care."""
        occasions = self.occasions.get(client_id, {})
        days = [*self.sessions.get(client_id, ()), *(o.taken_on for group in occasions.values() for o in group)]
        return _present(occasions, present_since(self.starts.get(client_id, ()), days))


def _read(store: Store, as_of: dt.date | None, cohort: Cohort | None) -> _ClinicData:
    table = scores(store, invalid="null").filter(pl.col("informant") == INFORMANT)
    episodes = store.episodes()
    closed = episodes.group_by("client_id").agg(pl.col("ended_on").is_not_null().all())
    sessions = store.sessions().filter("attended")
    held = sessions.group_by("client_id").agg("held_on")
    return _ClinicData(
        today=as_of or no_later_than_today(sessions["held_on"].max(), table["taken_on"].max()),
        occasions=_by_client(table),
        timelines=timelines(store.statuses(), store.relationships()),
        sessions=dict(held.iter_rows()),
        closed=dict(closed.iter_rows()),
        starts=starts_of_care(episodes),
        scales=[
            (instrument, scale, noise_for(cohort, instrument, scale))
            for instrument in in_reading_order(table["instrument"].unique())
            for scale in scales_to_chart(instrument)
        ],
        undefined=undefined_instruments(store),
    )


def _row(data: _ClinicData, person: Mapping[str, Any]) -> CaseloadRow:
    client_id = person["client_id"]
    line = data.timelines.get(client_id, Timeline())
    occasions = data.occasions.get(client_id, {})
    sessions = data.sessions.get(client_id, ())
    days = [*sessions, *(occasion.taken_on for group in occasions.values() for occasion in group)]
    last = max(days, default=None)
    since = present_since(data.starts.get(client_id, ()), days)
    waited = None if last is None else (data.today - last).days
    in_care = not data.closed.get(client_id, False)
    return CaseloadRow(
        client_id=client_id,
        alias=person["alias"],
        clinician_id=person["clinician_id"],
        status=person["status"],
        relationship=line.status_on(data.today),
        last_contact=last,
        days_since_contact=waited,
        sessions=sum(since is None or day >= since for day in sessions),
        cells=tuple(_cells(data, _present(occasions, since), line)),
        flags=_flags(waited, list(occasions), data.undefined.get(client_id, ())) if in_care else (),
    )


def _with_signals(rows: list[CaseloadRow], data: _ClinicData, cohort: Cohort | None) -> list[CaseloadRow]:
    """Say what is not on track, scale by scale for all clients at once."""
    if not isinstance(cohort, CohortModels):
        return rows
    signals: dict[str, list[str]] = {}
    for instrument, scale, noise in data.scales:
        live = _open_segments(data, rows, instrument, scale, noise)
        model = cohort.course(instrument, scale) if live else NoOutlook("No client in care has scores on it.")
        if isinstance(model, NoOutlook):
            continue
        for client_id, signal in zip(live, outlooks(model, list(live.values())), strict=True):
            if signal.state == "not on track":
                signals.setdefault(client_id, []).append(scale.title)
    return [replace(row, signals=tuple(signals.get(row.client_id, ()))) for row in rows]


def _open_segments(
    data: _ClinicData, rows: Sequence[CaseloadRow], instrument: Instrument, scale: Scale, noise: Noise | None
) -> dict[str, Segment]:
    """Segments that are still open, of clients who are in care, by client."""
    segments: dict[str, Segment] = {}
    for row in rows:
        cell = next((c for c in row.cells if (c.instrument, c.scale) == (instrument.key, scale.key)), None)
        if cell is None or cell.latest is None or data.closed.get(row.client_id, False):
            continue
        known = data.present(row.client_id)[instrument.key, scale.key]
        line = data.timelines.get(row.client_id, Timeline())
        current = _current(split(known, instrument, scale, line, noise)[0])
        if current is not None:
            segments[row.client_id] = current
    return segments


def _present(occasions: Occasions, since: dt.date | None) -> Occasions:
    if since is None:
        return occasions
    kept = {
        key: [occasion for occasion in group if occasion.taken_on >= since] for key, group in occasions.items()
    }
    return {key: group for key, group in kept.items() if group}


def _flags(waited: int | None, asked: Sequence[object], undefined: Sequence[str]) -> tuple[str, ...]:
    notes = [] if asked or undefined else ["no questionnaire yet"]
    if undefined:
        notes.append(f"no definition of {join_list(undefined)}")
    if waited is not None and waited > STALE_DAYS:
        notes.append(f"no contact for {span(waited)}")
    return tuple(notes)


def _cells(data: _ClinicData, occasions: Occasions, line: Timeline) -> list[CaseloadCell]:
    cells: list[CaseloadCell] = []
    for instrument, scale, noise in data.scales:
        known = occasions.get((instrument.key, scale.key))
        if known is None:
            continue
        segments, _ = split(known, instrument, scale, line, noise)
        away = line.not_applicable(instrument, data.today, None)
        cells.append(_cell(instrument, scale, segments, away[0].reason if away else ""))
    return cells


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
    live = [segment for segment in segments if segment.ended_on is None and segment.latest is not None]
    return max(live, key=lambda segment: segment.occasions[-1].taken_on, default=None)


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
    return f"{score}, {number(change.points, scale.decimals, signed=True)}: {_VERDICT_WORDS[change.verdict]}"


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


def _by_client(scores: pl.DataFrame) -> dict[str, dict[tuple[str, str], Sequence[Occasion]]]:
    by_client: dict[str, dict[tuple[str, str], list[Occasion]]] = {}
    for row in scores.iter_rows(named=True):
        scales = by_client.setdefault(row["client_id"], {})
        scales.setdefault((row["instrument"], row["scale"]), []).append(as_occasion(row))
    return {client: {key: in_order(rows) for key, rows in scales.items()} for client, scales in by_client.items()}
