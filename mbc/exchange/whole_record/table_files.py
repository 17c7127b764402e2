"""The tables of a record folder that are not questionnaires: clients, relationships, goals ... one CSV each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import date
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from mbc.errors import ImportRefused, StoreError, nearest
from mbc.exchange.files.messages import join_names, quote
from mbc.exchange.files.text_table import ROW, TextTable
from mbc.store import (
    Client,
    Clinician,
    Episode,
    Event,
    Goal,
    GoalRating,
    Record,
    Relationship,
    RelationshipStatus,
    Session,
)
from mbc.store.schema.kinds import ENTRIES

# In the order in which they can be written: what a record names comes before it.
Reader = Callable[[str, str], Any]
BEFORE: Mapping[str, type[Record]] = {
    "clinicians": Clinician,
    "clients": Client,
    "episodes": Episode,
    "relationships": Relationship,
    "statuses": RelationshipStatus,
    "sessions": Session,
}
AFTER: Mapping[str, type[Record]] = {
    "goals": Goal,
    "goal_ratings": GoalRating,
    "events": Event,
    **{kind.reader: kind.record for kind in ENTRIES if kind.portable},
}
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True)
class RecordTable:
    """One table of a record folder, read."""

    name: str
    file: TextTable
    records: tuple[Record, ...]
    faults: tuple[str, ...]
    """One line per row that cannot be a record."""
    unread: tuple[str, ...]
    """Columns that a record does not have."""


def read_tables(tables: Mapping[str, TextTable]) -> Iterator[RecordTable]:
    """Read the tables that are there.

    Raises
    ------
    ImportRefused
        When a table lacks a column.
    """
    for name, kind in {**BEFORE, **AFTER}.items():
        if name in tables:
            yield _read_table(name, kind, tables[name])


def _read_table(name: str, kind: type[Record], table: TextTable) -> RecordTable:
    known = [field.name for field in fields(kind)]
    needed = [
        field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING
    ]
    lacking = [column for column in needed if column not in table.columns]
    if lacking:
        near = [hit for column in lacking for hit in nearest(column, table.columns, most=1)]
        hint = f" Nearest: {join_names(near)}." if near else ""
        raise ImportRefused(f"'{name}.csv' lacks {join_names(lacking)}; it has {join_names(table.columns)}.{hint}")
    used = [column for column in known if column in table.columns]
    readers = {column: _reader(hint) for column, hint in get_type_hints(kind).items() if column in used}
    records: list[Record] = []
    faults: list[str] = []
    for row, *cells in table.frame.select(ROW, *used).iter_rows():
        given = {column: cell for column, cell in zip(used, cells, strict=True) if cell is not None}
        try:
            records.append(kind(**{column: readers[column](column, cell) for column, cell in given.items()}))
        except (ValueError, StoreError) as fault:
            faults.append(f"{name}.csv, row {row}: {fault}")
        except TypeError:
            blank = [column for column in needed if given.get(column) is None]
            faults.append(f"{name}.csv, row {row}: {join_names(blank)} is blank")
    # a rating's client follows from its goal; the record's reader names it all the same
    unread = tuple(column for column in table.columns if column not in {*known, "client_id"})
    return RecordTable(name, table, tuple(records), tuple(faults), unread)


def _reader(hint: Any) -> Reader:
    """Choose how a text becomes a field's value."""
    kinds = [kind for kind in get_args(hint) if kind is not NoneType] if NoneType in get_args(hint) else [hint]
    kind = str if get_origin(kinds[0]) is not None else kinds[0]  # a Literal is text; its record checks the choice
    return _READERS.get(kind, _text)


def _text(_: str, cell: str) -> str:
    return cell


def _date(column: str, cell: str) -> date:
    try:
        return date.fromisoformat(cell)
    except ValueError:
        raise ValueError(f"{column}: '{quote(cell)}' is not a date; write 2026-01-31") from None


def _int(column: str, cell: str) -> int:
    try:
        return int(float(cell)) if float(cell).is_integer() else int(cell)
    except ValueError:
        raise ValueError(f"{column}: '{quote(cell)}' is not a whole number") from None


def _float(column: str, cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise ValueError(f"{column}: '{quote(cell)}' is not a number") from None


def _bool(column: str, cell: str) -> bool:
    if cell.casefold() not in _TRUTH:
        raise ValueError(f"{column}: '{quote(cell)}' is neither true nor false")
    return _TRUTH[cell.casefold()]


_READERS: dict[type, Reader] = {date: _date, int: _int, float: _float, bool: _bool}
