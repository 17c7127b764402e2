"""Who was the client with, and when: which relationship a questionnaire can be about on a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import cast

import polars as pl

from mbc.care.values.course import Span
from mbc.care.values.review import StatusPeriod
from mbc.care.words import day as write_day
from mbc.instruments import Instrument
from mbc.instruments.applicability import CURRENT

_FOREVER = dt.date.max


@dataclass(frozen=True, slots=True)
class Timeline:
    """One client's relationships and their statuses, in order of time."""

    periods: tuple[StatusPeriod, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()  # relationship_id, label

    def label(self, relationship_id: str) -> str:
        """Give a relationship's label; "" when it is not on record."""
        return dict(self.labels).get(relationship_id, "")

    def of(self, relationship_id: str | None) -> tuple[StatusPeriod, ...]:
        """Give the periods of one relationship, or of the person (None)."""
        return tuple(period for period in self.periods if period.relationship_id == relationship_id)

    def on(self, day: dt.date) -> tuple[StatusPeriod, ...]:
        """Give the periods that hold on a day."""
        return tuple(period for period in self.periods if period.since <= day < (period.until or _FOREVER))

    def status_on(self, day: dt.date) -> str:
        """Say how the person lives on a day: a current relationship's status first; "" when not on record."""
        held = self.on(day)
        current = [period for period in held if is_current(period)]
        own = [period for period in held if period.relationship_id is None]
        chosen = current or own or held
        return max(chosen, key=lambda period: period.since).status if chosen else ""

    def words_on(self, day: dt.date) -> str:
        """Say how the person lives on a day, and since when; "" when not on record."""
        status = self.status_on(day)
        if not status:
            return ""
        since = max(period.since for period in self.on(day) if period.status == status)
        return f"{status} since {write_day(since, year=since.year != day.year)}"

    def ended_on(self, relationship_id: str) -> dt.date | None:
        """Day from which a relationship is over, as far as is on record; None while it lasts."""
        periods = self.of(relationship_id)
        if not periods or is_current(periods[-1]):
            return None
        over = periods[-1].since
        for period in reversed(periods):
            if is_current(period):
                break
            over = period.since
        return over

    def target_on(self, instrument: Instrument, target: str, day: dt.date) -> str | None:
        """Which relationship an administration is about; None where the questionnaire does not apply that day.

        What is not on record does not forbid: a relationship without statuses, and days before the first
        status, count as applicable. Answers that name no relationship belong to the one that was current.
        """
        if not instrument.applicability.needs_relationship:
            return target
        if target == "self":
            return self._unnamed(day)
        held = [period for period in self.of(target) if period.since <= day < (period.until or _FOREVER)]
        return target if not held or is_current(held[-1]) else None

    def _unnamed(self, day: dt.date) -> str | None:
        held = self.on(day)
        current = {period.relationship_id for period in held if is_current(period)} - {None}
        if len(current) == 1:
            return current.pop()
        return None if held and not current and not any(is_current(period) for period in held) else "self"

    def not_applicable(self, instrument: Instrument, first: dt.date, last: dt.date | None) -> tuple[Span, ...]:
        """Stretches between two days in which the instrument applies to no relationship on record.

        Parameters
        ----------
        instrument : Instrument
        first : date
            Where the chart begins.
        last : date or None
            Where it ends; None asks up to now, and leaves the last stretch open.
        """
        if not instrument.applicability.needs_relationship or not self.periods:
            return ()
        days = {period.since for period in self.periods} | {
            period.until for period in self.periods if period.until
        }
        cuts = sorted({max(day, first) for day in days if last is None or day < last})
        spans: list[Span] = []
        for start, end in zip(cuts, [*cuts[1:], last], strict=True):
            held = self.on(start)
            if not held or any(is_current(period) for period in held):
                continue
            if spans and spans[-1].end == start:
                spans[-1] = replace(spans[-1], end=end)
            else:
                spans.append(Span(start, end, self.status_on(start)))
        return tuple(spans)


def is_current(period: StatusPeriod) -> bool:
    """Whether a status means that the relationship goes on; the rule is that of `mbc.applicable`.

    Separated counts as over, until the record says otherwise.
    """
    return period.status in CURRENT


def timelines(statuses: pl.DataFrame, relationships: pl.DataFrame) -> Mapping[str, Timeline]:
    """Read everybody's timeline from the record's frames; clients without any have no entry."""
    labels: dict[str, dict[str, str]] = {}
    for row in relationships.iter_rows(named=True):
        labels.setdefault(row["client_id"], {})[row["relationship_id"]] = row["label"] or row["relationship_id"]
    rows: dict[str, list[dict[str, object]]] = {}
    for row in statuses.sort("client_id", "since").iter_rows(named=True):
        rows.setdefault(row["client_id"], []).append(row)
    return {
        client_id: Timeline(
            _periods(rows.get(client_id, []), labels.get(client_id, {})),
            tuple(labels.get(client_id, {}).items()),
        )
        for client_id in {*labels, *rows}
    }


def _periods(rows: Iterable[Mapping[str, object]], labels: Mapping[str, str]) -> tuple[StatusPeriod, ...]:
    periods: list[StatusPeriod] = []
    for row in rows:
        whose = cast("str | None", row["relationship_id"])
        periods.append(
            StatusPeriod(
                relationship_id=whose,
                label="" if whose is None else labels.get(whose, whose),
                status=cast("str", row["status"]),
                since=cast("dt.date", row["since"]),
                until=None,
            )
        )
    return tuple(replace(period, until=_until(period, periods[i + 1 :])) for i, period in enumerate(periods))


def _until(period: StatusPeriod, later: Iterable[StatusPeriod]) -> dt.date | None:
    # A relationship's status holds until its next one. The person's own ("single") also ends when a relationship
    # begins: nobody is single and partnered.
    for other in later:
        if other.relationship_id == period.relationship_id:
            return other.since
        if period.relationship_id is None and is_current(other):
            return other.since
    return None
