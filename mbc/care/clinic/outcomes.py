"""Outcome rates of a clinic, with the number of clients behind each and small numbers suppressed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from mbc import models, outcomes
from mbc.care.clinic.classify import Verdicts, judge
from mbc.care.clinic.eligible_clients import Counted, Period, count_clients
from mbc.care.clinic.record_frames import record_frames
from mbc.care.clinic.reporting_periods import latest_full_period, require_full_period
from mbc.care.words import day
from mbc.errors import AccessDenied, MbcError
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.instruments import instrument
from mbc.privacy import PublishedCounts, rounded_percent, suppress
from mbc.privacy.suppression import Preset, smallest_published
from mbc.store import Store
from mbc.store._aggregate_view import counting_view

CATEGORIES = ("recovered", "improved", "unchanged", "deteriorated")
NOT_JUDGED = (
    "no published measurement error for this scale, so change is not counted here; a client's page judges it by "
    "the scatter of this clinic's own records"
)
_YEAR = dt.timedelta(days=364)  # the first day counts too
LEAST_FOR_ANALYSTS = 5  # the smallest count that is shown to somebody who sees no persons
LEAST_FOR_EFFECT = 5  # pairs; below, a standardised mean change is noise, whatever may be published
MOST_SD = 3.0  # larger mean deviations do not occur, and rounded completeness could not distinguish them


@dataclass(frozen=True, slots=True)
class Rate:
    """Clients in one category, of those who could be judged; all ``None`` when suppressed."""

    category: str
    count: int | None
    estimate: float | None  # 0 to 1
    lower: float | None  # 95 % Wilson interval
    upper: float | None
    n: int | None = None  # those who could be in the category

    @property
    def suppressed(self) -> bool:
        """Whether the cell is too small to be shown, or would give away one that is."""
        return self.count is None


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """One scale of one instrument in the period."""

    instrument: str  # key
    scale: str
    name: str  # "Rosenberg Self-Esteem Scale"
    title: str  # "Self-esteem"
    construct: str
    higher_is_better: bool
    in_care: int | None  # clients in care to whom the scale applies; None: too few to show
    measured: int | None  # of these, with a first score
    paired: int | None  # of these, with a later one: n of every rate here
    completeness: int | None  # paired in percent of measured, rounded to 5
    coverage: int | None  # measured in percent of in care, rounded to 5
    rates: tuple[Rate, ...]  # recovered (where a cutoff exists), improved, unchanged, deteriorated; or none
    recovery: Rate | None  # recovered, of those who began on the distressed side; None: no cutoff
    effect: float | None  # d: mean improvement in SDs of the first scores
    effect_lower: float | None
    effect_upper: float | None
    cutoff: str | None  # "51.5 (funk2007)"
    rule: str  # what counts as reliable change, and where that is from
    verified: bool  # False: the change norm or cutoff is recalled, not read in a source

    def rate(self, category: str) -> Rate | None:
        """One category's rate; None where the category does not exist for this scale."""
        return next((rate for rate in self.rates if rate.category == category), None)

    @property
    def tipping_point(self) -> float | None:
        """Mean change of those without a later score at which the mean change of all would be zero.

        ``-d p / (1 - p)`` in SDs of the first scores, negative for worsening; p is the rounded completeness, so
        that no more can be recalculated than is shown with it. None where no mean change is shown or nobody is
        missing.
        """
        if self.effect is None or self.effect_lower is None or self.effect_upper is None:
            return None
        if (
            self.completeness is None
            or not 0 < self.completeness < 100
            or self.effect_lower <= 0 <= self.effect_upper
        ):
            return None
        return -self.effect * self.completeness / (100 - self.completeness)

    @property
    def tipping_point_words(self) -> str | None:
        """The same in a sentence."""
        if self.tipping_point is None:
            return None
        how = "worsened" if self.tipping_point < 0 else "improved"
        size = abs(self.tipping_point)
        much = f"about {size:.1f}" if size <= MOST_SD else f"more than {MOST_SD:g}"
        return (
            f"Only if the clients without a later score had {how} by {much} SD on average would the mean "
            f"{'gain' if self.tipping_point < 0 else 'loss'} vanish."
        )


@dataclass(frozen=True, slots=True)
class ClinicOutcomes:
    """Outcome rates of a clinic for a period."""

    start: dt.date | None  # None: nothing is on record
    end: dt.date | None
    rows: tuple[OutcomeRow, ...]
    smallest: int  # counts below this are not shown (k)

    @property
    def caption(self) -> str:
        """What the table counts, in words."""
        if self.start is None or self.end is None:
            return "There are no scores on record, so there are no outcomes to show yet."
        return (
            f"Clients in care between {day(self.start)} and {day(self.end)}. Each client's first score of that "
            "care is compared with their last score in the period; clients with one score only cannot be judged "
            "and are counted as not complete, never as unchanged. Improved and deteriorated mean a change larger "
            "than measurement error; recovered means improved and now on the other side of the "
            "cutoff. Relationship scales count while the relationship lasts. There is no comparison group: part "
            "of any change is what time and regression to the mean would have brought. Counts from 1 to "
            f"{self.smallest - 1}, and those that would give them away, are not shown."
        )

    def to_frame(self) -> pl.DataFrame:
        """One row per scale and category; suppressed cells are null with ``suppressed`` true.

        Returns
        -------
        pl.DataFrame
            instrument, scale, category, count, n, rate, lower, upper (0 to 1), suppressed, completeness and
            coverage (percent, rounded to 5), effect, effect_lower, effect_upper (standard deviations).
        """
        return pl.DataFrame(
            [
                (
                    row.instrument, row.scale, rate.category, rate.count, rate.n, rate.estimate, rate.lower,
                    rate.upper, rate.suppressed, row.completeness, row.coverage, row.effect, row.effect_lower,
                    row.effect_upper,
                )
                for row in self.rows
                for rate in (*row.rates, *((row.recovery,) if row.recovery else ()))
            ],
            schema=_TABLE,
            orient="row",
        )  # fmt: skip


_TABLE = {
    "instrument": pl.String,
    "scale": pl.String,
    "category": pl.String,
    "count": pl.Int64,
    "n": pl.Int64,
    "rate": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "suppressed": pl.Boolean,
    "completeness": pl.Int64,
    "coverage": pl.Int64,
    "effect": pl.Float64,
    "effect_lower": pl.Float64,
    "effect_upper": pl.Float64,
}


@with_definitions_of_record
def clinic_outcomes(
    store: Store, *, start: dt.date | None = None, end: dt.date | None = None, k: int | Preset = 5
) -> ClinicOutcomes:
    """Judge every client's change over a period and publish the rates.

    Parameters
    ----------
    store : Store
        The record; a user's own view of it must hold the permission ``aggregate:read``.
    start, end : date, optional
        First and last day of the period; by default the year that ends with the last day on record. A view that
        shows no persons (an analyst's) reports calendar quarters and years that are over, by default the latest
        quarter.
    k : int or preset
        Smallest count that is shown; at least 5 for such a view.

    Raises
    ------
    MbcError
        If the period ends before it starts.
    AccessDenied
        If the user may not see aggregates.
    """
    source = counting_view(store, "clinic outcomes")
    sees_persons, today = store.can_read("clients"), dt.date.today()  # noqa: DTZ011 - the clinic's own day
    smallest = smallest_published(k)
    if not sees_persons:
        require_full_period(store, start, end, today=today)
        smallest = max(smallest, LEAST_FOR_ANALYSTS)
    period = _period(source, start, end) if sees_persons or start else _latest_full_period(source, today)
    if period is None:
        return ClinicOutcomes(start, end, (), smallest)
    rows = tuple(_row(counted, smallest) for counted in count_clients(source, period))
    return ClinicOutcomes(period.start, period.end, rows, smallest)


def _latest_full_period(store: Store, today: dt.date) -> Period | None:
    days = store.administrations()["taken_on"].drop_nulls()
    if days.is_empty():
        return None
    first, last = days.sort()[[0, -1]].to_list()
    quarter = latest_full_period(min(last, today), today=today)
    return None if quarter.end < first else quarter


def _period(store: Store, start: dt.date | None, end: dt.date | None) -> Period | None:
    if start and end and end < start:
        raise MbcError(f"The period ends ({end}) before it starts ({start}). Are the two swapped?")
    if start and end:
        return Period(start, end)
    days = store.administrations()["taken_on"].drop_nulls()
    if days.is_empty():
        return None
    first, last = days.sort()[[0, -1]].to_list()
    until = end or last
    period = Period(start or max(first, until - _YEAR), until)
    if period.end < period.start:
        raise MbcError(f"The record runs from {first} to {last}; the period asked for lies outside it.")
    return period


def _row(counted: Counted, k: int) -> OutcomeRow:
    chosen = instrument(counted.instrument)
    scale = chosen.scale(counted.scale)
    pre, post = counted.pairs["pre"].to_numpy(), counted.pairs["post"].to_numpy()
    verdicts = judge(chosen, scale, pre, post)
    paired = len(counted.pairs)
    shown = _published(verdicts, paired, k)
    enough = shown.total is not None and paired >= LEAST_FOR_EFFECT
    effect = models.effect_size(pre, post, higher_is_better=scale.higher_is_better) if enough else None
    measured = _shown_part(counted.measured, counted.in_care, k)
    cutoff = scale.cutoff
    return OutcomeRow(
        instrument=chosen.key,
        scale=scale.key,
        name=chosen.name,
        title=scale.title,
        construct=chosen.construct,
        higher_is_better=scale.higher_is_better,
        in_care=counted.in_care if measured is not None else None,
        measured=measured if _shown_part(paired, counted.measured, k) is not None else None,
        paired=shown.total,
        completeness=_percent(paired, counted.measured, k),
        coverage=_percent(counted.measured, counted.in_care, k),
        rates=tuple(_rate(name, shown.counts[name], shown.total) for name in shown.counts) if verdicts else (),
        recovery=_recovery(verdicts, shown, k) if verdicts and cutoff else None,
        effect=effect.d if effect else None,
        effect_lower=effect.lower if effect else None,
        effect_upper=effect.upper if effect else None,
        cutoff=f"{cutoff.side} {cutoff.value:g} ({cutoff.source})" if cutoff else None,
        rule=verdicts.rule if verdicts else NOT_JUDGED,
        verified=verdicts is None or (verdicts.verified and (cutoff is None or cutoff.verified)),
    )


def _published(verdicts: Verdicts | None, paired: int, k: int) -> PublishedCounts:
    if verdicts is None:
        return suppress({"not judged": paired}, k=k)
    names = CATEGORIES if verdicts.recoverable else CATEGORIES[1:]
    counts = {name: sum(category == name for category in verdicts.categories) for name in names}
    # "unchanged" is given up first: the other three are what a report is read for
    return suppress(counts, k=k, hide_first=["unchanged", "improved"])


def _rate(category: str, count: int | None, n: int | None) -> Rate:
    if count is None or n is None:
        return Rate(category, None, None, None, None)
    interval = models.wilson_interval(count, n)
    return Rate(category, count, interval.estimate, interval.lower, interval.upper, n)


def _recovery(verdicts: Verdicts, shown: PublishedCounts, k: int) -> Rate:
    """Recovered, of those who began on the distressed side; the others could not recover."""
    began = int(np.count_nonzero(verdicts.began_distressed))
    others = len(verdicts.began_distressed) - began
    recovered = shown.counts["recovered"]
    hidden = recovered is None or began < k or 0 < began - recovered < k or 0 < others < k
    return _rate("recovered of those beyond the cutoff", None if hidden else recovered, None if hidden else began)


def _shown_part(part: int, total: int, k: int) -> int | None:
    """Show a count unless it, or its complement, is small."""
    return None if 0 < part < k or 0 < total - part < k else part


def _percent(part: int, total: int, k: int) -> int | None:
    return None if total < k else rounded_percent(part, total)


@with_definitions_of_record
def clinic_report(
    store: Store,
    *,
    start: dt.date,
    end: dt.date,
    definition: str | Path = "nhs",
    cohort: str = "finished",
    small_numbers: int | Preset = "nhs5",
) -> outcomes.OutcomeReport:
    """Report the outcomes on record by a published definition.

    Parameters
    ----------
    store : Store
        The record; a clinician's view counts their own clients.
    start, end : date
        First and last day of the period, both included.
    definition : str or Path
        A definition of `mbc.outcomes`, or a TOML file of the clinic's own.
    cohort : {"finished", "in-care", "started"}
        Whose care ended, was going on or began in the period.
    small_numbers : int or preset
        The rule for what is published of each figure.

    Raises
    ------
    AccessDenied
        If the user may not see aggregates, or sees no persons: the figures are exact.
    SettingsError
        If the definition or cohort does not exist.
    """
    source = counting_view(store, "clinic outcomes")
    if not store.can_read("clients"):
        store.audit.record("refused", asked="outcomes", fault="AccessDenied", start=start, end=end)
        raise AccessDenied("This report holds exact counts; your account may see published figures only.")
    return outcomes.report(
        record_frames(source, outcomes.Period(start, end)),
        definition,
        cohort,
        start=start,
        end=end,
        small_numbers=small_numbers,
    )
