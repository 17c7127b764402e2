"""Whom a report counts: those who finished in the period, were in care in it, or started in it."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal, get_args

import narwhals.stable.v2 as nw

from mbc.days import day_words
from mbc.errors import MbcError, SettingsError
from mbc.outcomes.source import day_number

Cohort = Literal["finished", "in-care", "started"]
COHORTS: tuple[Cohort, ...] = get_args(Cohort)
_QUARTER = re.compile(r"(\d{4})-Q([1-4])", re.ASCII)
_YEAR = re.compile(r"\d{4}", re.ASCII)

_HEADINGS: dict[Cohort, str] = {
    "finished": "Clients whose care ended between {start} and {end}",
    "in-care": "Clients in care between {start} and {end}, whether it has ended or not",
    "started": "Clients whose care began between {start} and {end}",
}
_FIRST_AND_LAST: dict[Cohort, str] = {
    "finished": "the last score of that care, whenever it was taken",
    "in-care": "the last score of that care up to {end}",
    "started": "the last score of that care on record",
}


@dataclass(frozen=True, slots=True)
class Period:
    """The days a report is about, both included."""

    start: dt.date
    end: dt.date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise MbcError(f"The period ends ({self.end}) before it starts ({self.start}). Are the two swapped?")

    @property
    def days(self) -> tuple[int, int]:
        """First and last day as numbers."""
        return day_number(self.start), day_number(self.end)


def period_of(name: str) -> Period:
    """Read a period from its name: a calendar quarter or year.

    Raises
    ------
    SettingsError
        If it is neither.

    Examples
    --------
    >>> period_of("2026-Q3").end
    datetime.date(2026, 9, 30)
    """
    if match := _QUARTER.fullmatch(name):
        year, last_month = int(match[1]), 3 * int(match[2])
        if year > 0:
            last_day = calendar.monthrange(year, last_month)[1]
            return Period(dt.date(year, last_month - 2, 1), dt.date(year, last_month, last_day))
    if _YEAR.fullmatch(name) and int(name) > 0:
        return Period(dt.date(int(name), 1, 1), dt.date(int(name), 12, 31))
    raise SettingsError(f"A period is a calendar quarter or year, such as 2026-Q3 or 2026; got '{name}'.")


def require_over(period: Period, what: str, today: dt.date | None = None) -> None:
    """Refuse to publish a period that is not over, since later entries would change its numbers.

    Parameters
    ----------
    period : Period
    what : str
        What is of that period: "The release 2026-Q3".
    today : date, optional
        The day on which it is asked.

    Raises
    ------
    SettingsError
        With the day on which it ends.
    """
    if period.end >= (today or dt.datetime.now(dt.UTC).date()):
        raise SettingsError(
            f"{what} is of a period that ends on {period.end} and is not over: later entries would change its "
            "numbers. Make it after that day."
        )


def require_cohort(cohort: str) -> Cohort:
    """Refuse a cohort that does not exist.

    Raises
    ------
    SettingsError
        Naming those that do.
    """
    for known in COHORTS:
        if cohort == known:
            return known
    raise SettingsError(f"There is no cohort {cohort!r}; there are {', '.join(COHORTS)}.")


def heading(cohort: Cohort, period: Period) -> str:
    """Name a cohort, as in the heading of a report.

    Examples
    --------
    >>> heading("finished", Period(dt.date(2026, 4, 1), dt.date(2026, 6, 30)))
    'Clients whose care ended between 1 Apr 2026 and 30 Jun 2026'
    """
    return _HEADINGS[cohort].format(start=day_words(period.start), end=day_words(period.end))


def last_score_rule(cohort: Cohort, period: Period) -> str:
    """Say which score counts as the last one."""
    return _FIRST_AND_LAST[cohort].format(end=day_words(period.end))


def in_cohort(cohort: Cohort, period: Period) -> nw.Expr:
    """Whether an episode is in a cohort: an expression over ``since``, ``ended`` and ``counted`` (day numbers)."""
    start, end = period.days
    since, ended = nw.col("since"), nw.col("ended")
    if cohort == "finished":
        chosen = (nw.col("counted") >= start) & (nw.col("counted") <= end)
    elif cohort == "started":
        chosen = (since >= start) & (since <= end)
    else:
        chosen = (since.is_null() | (since <= end)) & (ended.is_null() | (ended >= start))
    return chosen.fill_null(value=False)


def last_day_counted(cohort: Cohort, period: Period) -> int | None:
    """Last day whose scores and contacts count; None: all that is on record."""
    return None if cohort == "started" else period.days[1]
