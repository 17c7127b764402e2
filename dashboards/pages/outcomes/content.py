"""The content of the outcomes page: what can be chosen, whose clients are counted, and each figure in words."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Protocol

from mbc.outcomes import COHORTS
from mbc.outcomes.definitions.definition_file import definition, definitions
from mbc.outcomes.results import Figure, FlowStep
from mbc.store import User

LATEST = "latest"
DEFINITION = "jacobson-truax"
COHORT = "finished"
FIGURES = ("Figure", "Result", "Out of", "Bounds for missing outcomes")
FLOW = ("Step", "Clients", "Excluded, and why")
_ABSENT = "not assessed"
_QUARTER = re.compile(r"(\d{4})-Q([1-4])")
_COHORTS = {"finished": "Care ended", "in-care": "In care", "started": "Care began"}

_WHOSE = {
    "clinician": "Your own clients.",
    "supervisor": "Clients of the clinicians you supervise.",
}


class Report(Protocol):
    """What the tables need of a report, exact or released."""

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The figures."""
        ...


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that may be asked for."""

    value: str
    label: str


def whose(user: User) -> str:
    """Name whose clients are counted for a user."""
    return _WHOSE.get(user.role, "All clients of the clinic.")


def period_choices(last: dt.date | None) -> tuple[Choice, ...]:
    """Give the periods that may be asked for: the latest year on record, then calendar years and their quarters.

    Examples
    --------
    >>> [choice.value for choice in period_choices(dt.date(2026, 5, 1))]
    ['latest', '2026', '2026-Q2', '2026-Q1', '2025', '2025-Q4', '2025-Q3', '2025-Q2', '2025-Q1']
    """
    options = [Choice(LATEST, "Latest twelve months on record")]
    if last is None:
        return tuple(options)
    for year in (last.year, last.year - 1):
        options.append(Choice(f"{year}", f"{year}"))
        quarters = [quarter for quarter in (4, 3, 2, 1) if _quarter(year, quarter)[0] <= last]
        options += [Choice(f"{year}-Q{quarter}", f"{year}, {_ORDINALS[quarter]} quarter") for quarter in quarters]
    return tuple(options)


_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth"}


def definition_choices() -> tuple[Choice, ...]:
    """Give the definitions that may be asked for."""
    return tuple(Choice(name, definition(name).title) for name in definitions())


def cohort_choices() -> tuple[Choice, ...]:
    """Give the cohorts that may be asked for."""
    return tuple(Choice(cohort, f"{_COHORTS[cohort]} in the period") for cohort in COHORTS)


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


def is_by_measure(report: Report) -> bool:
    """Whether each measure is reported by itself: then the table has a row for each."""
    return any(figure.group for figure in report.figures)


def measure_headings(report: Report) -> tuple[str, ...]:
    """Give the headings of the table by measure: each figure has a column."""
    return ("Measure", *dict.fromkeys(figure.title for figure in report.figures))


def measure_rows(report: Report) -> list[list[str]]:
    """Give one row of words per measure; what is hidden is marked as such, never shown as zero."""
    titles = measure_headings(report)[1:]
    cells = {(figure.group, figure.title): figure.words for figure in report.figures}
    groups = dict.fromkeys(figure.group for figure in report.figures)
    return [[group, *(cells.get((group, title), _ABSENT) for title in titles)] for group in groups]


def figure_rows(report: Report) -> list[list[str]]:
    """Give one row of words per figure; bounds are given with exact figures only."""
    rows = [[figure.title, figure.words, figure.among, figure.bounds] for figure in report.figures]
    return rows if any(figure.bounds for figure in report.figures) else [row[:3] for row in rows]


def flow_rows(flow: tuple[FlowStep, ...]) -> list[list[str]]:
    """Give one row per step of the flow: how many came as far, and why the others did not."""
    return [
        [
            f"{step.group}: {step.title}" if step.group else step.title,
            f"{step.count}",
            f"{step.lost}: {step.why}" if step.lost and step.why else "",
        ]
        for step in flow
    ]
