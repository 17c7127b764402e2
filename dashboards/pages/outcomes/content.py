"""The content of the outcomes page: whose clients, which periods can be chosen, and each rate in words."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from mbc.care.client.trajectory import short_name
from mbc.care.clinic.outcomes import CATEGORIES, ClinicOutcomes, OutcomeRow, Rate
from mbc.store import User

LATEST = "latest"
HEADINGS = (
    "Measure",
    "Judged",
    *(category.capitalize() for category in CATEGORIES),
    "Recovered, of those who began beyond the cutoff",
    "Effect size (d)",
    "Complete",
)
_HIDDEN, _NO_CUTOFF, _NO_NORM = "not shown", "no cutoff", "not judged"
_QUARTER = re.compile(r"(\d{4})-Q([1-4])")

_WHOSE = {
    "clinician": "Your own clients.",
    "supervisor": "Clients of the clinicians you supervise.",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A period that may be asked for."""

    value: str
    label: str


def whose(user: User) -> str:
    """Name whose clients are counted for a user."""
    return _WHOSE.get(user.role, "All clients of the clinic.")


def choices(last: dt.date | None, *, full_only: bool = False) -> tuple[Choice, ...]:
    """Give the periods that may be asked for: the latest year on record, then calendar years and their quarters.

    Full quarters and years only: with any two days to choose from, two periods that differ by one client would
    reveal what is suppressed about that client. With ``full_only`` also none that is not over on the last day.

    Examples
    --------
    >>> [choice.value for choice in choices(dt.date(2026, 5, 1))]
    ['latest', '2026', '2026-Q2', '2026-Q1', '2025', '2025-Q4', '2025-Q3', '2025-Q2', '2025-Q1']
    >>> [choice.value for choice in choices(dt.date(2026, 6, 30), full_only=True)]
    ['latest', '2026-Q2', '2026-Q1', '2025', '2025-Q4', '2025-Q3', '2025-Q2', '2025-Q1']
    """
    options = [Choice(LATEST, "Latest quarter on record" if full_only else "Latest twelve months on record")]
    if last is None:
        return tuple(options)
    for year in (last.year, last.year - 1):
        if not full_only or dt.date(year, 12, 31) <= last:
            options.append(Choice(f"{year}", f"{year}"))
        quarters = [quarter for quarter in (4, 3, 2, 1) if _quarter(year, quarter)[full_only] <= last]
        options += [Choice(f"{year}-Q{quarter}", f"{year}, {_ORDINALS[quarter]} quarter") for quarter in quarters]
    return tuple(options)


_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth"}


def days_of(value: object) -> tuple[dt.date | None, dt.date | None]:
    """Read a choice that comes back from a browser; anything else means the latest year on record.

    Examples
    --------
    >>> days_of("2026-Q1")
    (datetime.date(2026, 1, 1), datetime.date(2026, 3, 31))
    >>> days_of("2026")[1], days_of("2026-02-30"), days_of(None)
    (datetime.date(2026, 12, 31), (None, None), (None, None))
    """
    text = str(value)
    if match := _QUARTER.fullmatch(text):
        return _quarter(int(match[1]), int(match[2]))
    if re.fullmatch(r"[12]\d{3}", text):
        return dt.date(int(text), 1, 1), dt.date(int(text), 12, 31)
    return None, None


def _quarter(year: int, quarter: int) -> tuple[dt.date, dt.date]:
    start = dt.date(year, 3 * quarter - 2, 1)
    after = dt.date(year + quarter // 4, 3 * (quarter % 4) + 1, 1)
    return start, after - dt.timedelta(days=1)


def table_rows(outcomes: ClinicOutcomes) -> list[list[str]]:
    """Give one row of words per scale; what is suppressed is marked as such, never shown as zero."""
    return [_row(row) for row in outcomes.rows]


def _row(row: OutcomeRow) -> list[str]:
    rates = {category: row.rate(category) for category in CATEGORIES}
    return [
        f"{row.title}: {short_name(row.instrument)}",
        _HIDDEN if row.paired is None else f"{row.paired}",
        *(_missing(category) if rate is None else _words(rate) for category, rate in rates.items()),
        _NO_CUTOFF if row.recovery is None else _words(row.recovery),
        _effect(row),
        _HIDDEN if row.completeness is None else f"about {row.completeness}\u00a0%",
    ]


def _missing(category: str) -> str:
    return _NO_CUTOFF if category == "recovered" else _NO_NORM


def _words(rate: Rate) -> str:
    if rate.count is None or rate.estimate is None or rate.lower is None or rate.upper is None:
        return _HIDDEN
    low, high = f"{100 * rate.lower:.0f}", f"{100 * rate.upper:.0f}"
    return f"{rate.count}: {100 * rate.estimate:.0f}\u00a0% ({low} to {high}\u00a0%)"


def _effect(row: OutcomeRow) -> str:
    if row.effect is None or row.effect_lower is None or row.effect_upper is None:
        return _HIDDEN
    return f"{row.effect:.2f} ({row.effect_lower:.2f} to {row.effect_upper:.2f})"


def origins(outcomes: ClinicOutcomes) -> tuple[tuple[str, str, bool], ...]:
    """Give for each scale what counts, its source and its tipping point: measure, words, whether verified."""
    return tuple(
        (
            f"{row.title}: {short_name(row.instrument)}",
            f"Clear change: {row.rule}. "
            + (f"Cutoff: {row.cutoff}." if row.cutoff else "No cutoff is published.")
            + (f" {row.tipping_point_words}" if row.tipping_point_words else ""),
            row.verified,
        )
        for row in outcomes.rows
    )
