"""The content of a caseload: rows of a grid on a wide screen, cards on a narrow one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dashboards.components.sparklines import spark_mask
from dashboards.components.wording import Mood, ago_words, mood
from dashboards.routes import client_path
from mbc.care import words
from mbc.care.values.review import Caseload, CaseloadCell, CaseloadRow

Order = Literal["contact", "name", "worst", "best"]

ORDERS: dict[Order, str] = {
    "contact": "Most recent contact",
    "worst": "Clearly worse first",
    "best": "Clearly better first",
    "name": "Name",
}


_MOST_NAMED = 2  # scales that are not on track, in one cell of the grid


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


_NAMED: dict[Mood, str] = {"worse": "Clearly worse", "better": "Clearly better"}


@dataclass(frozen=True, slots=True)
class Card:
    """One client."""

    path: str
    name: str
    about: str
    contact: str
    notes: tuple[str, ...]
    summary: tuple[tuple[Mood, str], ...]  # marks and words: what changed clearly, and how much did not


def name_of(row: CaseloadRow) -> str:
    """Give the label a client goes by: the clinic's own short one, else the pseudonym."""
    return row.alias or row.client_id


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


def cards(caseload: Caseload, order: Order = "contact", find: str = "") -> tuple[Card, ...]:
    """Give one card per client in the order asked for; with words to find, of those clients alone."""
    wanted = find.strip().casefold()
    rows = (row for row in caseload.rows if wanted in f"{name_of(row)} {_about(row)}".casefold())
    return tuple(_card(row) for row in sorted(rows, key=_KEYS[order]))


def _card(row: CaseloadRow) -> Card:
    return Card(
        path=client_path(row.client_id),
        name=name_of(row),
        about=_about(row),
        contact=ago_words(row.days_since_contact),
        notes=row.notes,
        summary=_summary([measure(cell) for cell in row.cells]),
    )


def _summary(measured: Sequence[Measure]) -> tuple[tuple[Mood, str], ...]:
    lines: list[tuple[Mood, str]] = []
    for kind, heading in _NAMED.items():
        if titles := [item.title for item in measured if item.mood == kind]:
            lines.append((kind, f"{heading}: {', '.join(titles)}"))
    if same := sum(item.mood == "same" for item in measured):
        lines.append(("same", f"No clear change on {words.count(same, 'measure')}"))
    return tuple(lines)


def _about(row: CaseloadRow) -> str:
    shown_id = [row.client_id] if row.alias else []
    return ", ".join([*shown_id, *([row.relationship] if row.relationship else [])])


def grid_rows(caseload: Caseload) -> list[dict[str, Any]]:
    """Give the rows of the grid; a measure's own field is what it is sorted by."""
    return [_grid_row(row) for row in sorted(caseload.rows, key=_KEYS["contact"])]


def _grid_row(row: CaseloadRow) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": row.client_id,
        "path": client_path(row.client_id),
        "name": name_of(row),
        "about": row.relationship,
        "clinician": row.clinician_id,
        "contact": ago_words(row.days_since_contact),
        "contact_days": row.days_since_contact,
        "sessions": words.count(row.sessions, "session"),
        "notes": "; ".join(_notes(row)),
    }
    cells = _first_of_each(map(measure, row.cells))
    fields["cells"] = {key: _cell(item) for key, item in cells.items()}
    return fields | {key: item.sort for key, item in cells.items()}


def _notes(row: CaseloadRow) -> tuple[str, ...]:
    """Shorten what a cell of the grid has no room for; the client's page names every scale."""
    if len(row.signals) <= _MOST_NAMED:
        return row.notes
    return (f"not on track on {words.count(len(row.signals), 'scale')}", *row.flags)


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


def _worst(row: CaseloadRow) -> float:
    return min((cell.sort_key for cell in row.cells if cell.latest is not None), default=0.0)


def _best(row: CaseloadRow) -> float:
    return max((cell.sort_key for cell in row.cells if cell.latest is not None), default=0.0)


_KEYS: dict[Order, Callable[[CaseloadRow], tuple[Any, ...]]] = {
    "contact": lambda row: (row.days_since_contact is None, row.days_since_contact or 0, name_of(row)),
    "name": lambda row: (name_of(row).casefold(),),
    "worst": lambda row: (_worst(row), name_of(row)),
    "best": lambda row: (-_best(row), name_of(row)),
}
