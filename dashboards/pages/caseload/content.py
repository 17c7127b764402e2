"""The content of the worklist: rows in groups of need, and the scores of the optional second view."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.components.sparklines import spark_mask
from dashboards.components.wording import Mood, ago_words, mood
from dashboards.routes import client_path
from mbc.care import words
from mbc.care.values.review import Caseload, CaseloadCell, CaseloadRow, Group, State

TITLES: dict[Group, str] = {
    "needs you": "Needs you",
    "soon": "Watch, or due this week",
    "as expected": "As expected",
    "closed": "Closed",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One client on the worklist, in words."""

    path: str
    name: str
    about: str  # how the client lives
    state: State | None  # None: care has ended
    reasons: str
    waiting: str  # "last seen 4 days ago; RSES due"
    find: str  # everything that a person would type to find the client, lower case


@dataclass(frozen=True, slots=True)
class Measure:
    """One scale of one client, in words with a sparkline."""

    key: str  # "attachment_anxiety": what is measured, with whichever questionnaire
    title: str  # "Attachment anxiety"
    by: str  # "ECR-S"
    words: str
    mood: Mood
    spark: str | None  # a data address
    sort: float | None  # larger = better than at the start


def name_of(row: CaseloadRow) -> str:
    """Give the label of a client: the clinic's own short one, else the pseudonym."""
    return row.alias or row.client_id


def line_of(row: CaseloadRow, today: dt.date) -> Line:
    """Put one client into words."""
    waiting = [f"last seen {ago_words(row.days_since_contact)}" if row.last_contact else "not seen yet"]
    if row.closed is None:
        waiting += _due_words(row.due, today)
    return Line(
        path=client_path(row.client_id),
        name=name_of(row),
        about=" · ".join(part for part in (row.client_id if row.alias else "", row.relationship) if part),
        state=None if row.closed else row.state.state,
        reasons=" ".join(row.reasons),
        waiting=" · ".join(waiting),
        find=_find_words(row),
    )


def _due_words(due: Sequence[tuple[str, dt.date]], today: dt.date) -> list[str]:
    """Say what is due: overdue and today's together, later ones by their day of the week."""
    now = [name for name, day in due if day <= today]
    later: dict[dt.date, list[str]] = {}
    for name, day in due:
        if day > today:
            later.setdefault(day, []).append(name)
    parts = [f"{', '.join(now)} due"] if now else []
    return parts + [f"{', '.join(names)} due {day:%a}" for day, names in sorted(later.items())]


def _find_words(row: CaseloadRow) -> str:
    """Everything a person would type: name, number, how they live, clinician, state, measures."""
    measured = [part for cell in row.cells for part in (cell.title, cell.instrument)]
    due = [name for name, _ in row.due]
    state = "closed" if row.closed else row.state.state
    parts = [row.client_id, row.alias, row.relationship, row.clinician_id, state, *measured, *due]
    return " ".join(dict.fromkeys(part for part in parts if part)).casefold()


def matching(rows: Iterable[CaseloadRow], find: str) -> list[CaseloadRow]:
    """Keep the clients whose text contains every search word."""
    wanted = find.casefold().split()
    return [row for row in rows if all(word in _find_words(row) for word in wanted)]


def measure(cell: CaseloadCell) -> Measure:
    """Word one cell."""
    known = cell.latest is not None
    title, _, by = cell.title.partition(": ")
    title = title.partition(" (")[0]  # "(mean)", "(sum)": another questionnaire for the same thing
    return Measure(
        key=title.casefold().replace(" ", "_").replace("-", "_"),
        title=title,
        by=by,
        words=cell.words,
        mood=mood(cell.verdict if known else None),
        spark=spark_mask(cell.points, cell.range),
        sort=cell.sort_key if known else None,
    )


def grid_rows(caseload: Caseload) -> list[dict[str, Any]]:
    """Give the rows of the view with scores; a measure's own field is what it is sorted by."""
    return [_grid_row(row) for row in caseload.rows]


def _grid_row(row: CaseloadRow) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": row.client_id,
        "path": client_path(row.client_id),
        "name": name_of(row),
        "about": row.relationship,
        "state": "closed" if row.closed else row.state.state,
        "clinician": row.clinician_id,
        "contact": ago_words(row.days_since_contact),
        "contact_days": row.days_since_contact,
        "sessions": words.count(row.sessions, "session"),
        "find": _find_words(row),
    }
    cells = _first_of_each(map(measure, row.cells))
    fields["cells"] = {key: _cell(item) for key, item in cells.items()}
    return fields | {key: item.sort for key, item in cells.items()}


def _cell(item: Measure) -> dict[str, Any]:
    return {"by": item.by, "words": item.words.split(": ", 1), "mood": item.mood, "spark": item.spark}


def _first_of_each(items: Iterable[Measure]) -> dict[str, Measure]:
    """Keep the first questionnaire with a score for each construct measured."""
    kept: dict[str, Measure] = {}
    for item in items:
        if item.key not in kept or (kept[item.key].sort is None and item.sort is not None):
            kept[item.key] = item
    return kept


def measures(caseload: Caseload) -> tuple[tuple[str, str], ...]:
    """Key and title of everything that is measured for anybody, construct by construct."""
    place = {construct: i for i, (construct, _) in enumerate(caseload.constructs)}
    cells = sorted((cell for row in caseload.rows for cell in row.cells), key=lambda cell: place[cell.construct])
    return tuple(dict.fromkeys((item.key, item.title) for item in map(measure, cells)))
