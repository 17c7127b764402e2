"""How things that change over time are written: added once, met again, or superseded with a reason.

Everything but administrations: a client, an episode that ends, a goal that is retired. The row says what holds
now; what it said before is kept in ``earlier``, with who changed it, when and why.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from sqlalchemy import Boolean, Connection, and_, insert, select, update

from mbc.errors import Conflict
from mbc.store.access.roles import Scope
from mbc.store.schema import tables as t
from mbc.store.schema.kinds import KINDS, Kind
from mbc.store.schema.records import ENTERED_IN_ERROR
from mbc.store.writing.ownership import require_same_owner
from mbc.store.writing.result import Outcome


@dataclass(frozen=True, slots=True)
class Change:
    """A row that is replaced: what it said, what it says now."""

    kind: Kind
    before: dict[str, Any]
    written_by: int | None  # the entry that wrote `before`; None: the one that is being written
    after: dict[str, Any]
    owner: str | None  # the client it is about

    @property
    def key(self) -> str:
        """What names it, as JSON."""
        return _key_text(self.kind, self.before)

    @property
    def content(self) -> str:
        """What it said before, as JSON."""
        return _content(self.before)


@dataclass(frozen=True, slots=True)
class New:
    """A row that is added."""

    row: dict[str, Any]
    owner: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What adding some records of one kind would do."""

    outcomes: list[Outcome]
    new: list[New]
    changes: list[Change]


def values(record: object) -> dict[str, Any]:
    """Write a record as a row: as the database will give it back, so that its digest is the same."""
    row = {f.name: getattr(record, f.name) for f in fields(record)}  # pyright: ignore[reportArgumentType]
    return row | {name: bool(row[name]) for name in _booleans(type(record)) if row[name] is not None}


@cache
def _booleans(kind: type) -> tuple[str, ...]:
    columns = KINDS[kind].table.c
    return tuple(f.name for f in fields(kind) if isinstance(columns[f.name].type, Boolean))


def on_record(
    connection: Connection, kind: Kind, rows: Sequence[dict[str, Any]], *, replacing: bool = False
) -> dict[tuple[Any, ...], tuple[dict[str, Any], int | None]]:
    """Fetch the rows already there, by key: the columns of a record, and the entry that wrote them.

    Rows that may be replaced are locked: of two who replace one at once, the second replaces what the first wrote.
    """
    if not rows:
        return {}
    first = kind.table.c[kind.key[0]]
    columns = [kind.table.c[name] for name in rows[0]]
    wanted = sorted({row[kind.key[0]] for row in rows})
    query = select(*columns, kind.table.c.entry_id).where(first.in_(wanted))
    query = query.order_by(first).with_for_update(key_share=True) if replacing else query
    stored = [dict(row) for row in connection.execute(query).mappings()]
    return {_key(kind, row): (row, row.pop("entry_id")) for row in stored}


def compare(
    connection: Connection,
    scope: Scope,
    kind: Kind,
    batch: Sequence[object],
    owners: Sequence[str | None],
    *,
    supersede: str | None,
    imported: bool = False,
) -> Comparison:
    """Say for each record whether it is new, a duplicate or a correction. ``owners`` are whose they are.

    What was withdrawn does not come back with an imported file that says the same; entered by hand, it does.

    Raises
    ------
    Conflict
        If one is on record with other content and no reason to supersede it is given.
    """
    rows = [values(record) for record in batch]
    known = on_record(connection, kind, rows, replacing=supersede is not None)
    result = Comparison([], [], [])
    gone = _withdrawn(connection, kind, rows) if imported and supersede is None else frozenset[tuple[str, str]]()
    fresh: set[tuple[Any, ...]] = set()
    for row, owner in zip(rows, owners, strict=True):
        key = _key(kind, row)
        before, written_by = known.get(key, (None, None))
        if before is not None:
            require_same_owner(scope, before, row)
        if before is None and (_key_text(kind, row), _content(row)) in gone:
            result.outcomes.append("duplicate")
            continue
        if before is None:
            result.outcomes.append("stored")
            result.new.append(New(row, owner))
            fresh.add(key)
        elif before == row:
            result.outcomes.append("duplicate")
        elif (supersede is None and before.get("status") != ENTERED_IN_ERROR) or key in fresh:
            raise Conflict(_conflict(kind, before, row))
        else:
            result.outcomes.append("superseding")
            result.changes.append(Change(kind, before, written_by, row, owner))
        known[key] = (row, None if before != row else written_by)
    return result


def store(
    connection: Connection,
    kind: Kind,
    comparison: Comparison,
    *,
    entry_id: int,
    reason: str | None,
    more: Callable[[New], dict[str, Any]],
) -> None:
    """Write what a comparison found to be new or changed; ``more`` is what a new row holds besides the record."""
    if comparison.new:
        rows = [{**new.row, **more(new), "entry_id": entry_id} for new in comparison.new]
        connection.execute(insert(kind.table), rows)
    for change in comparison.changes:
        _replace(connection, change, entry_id=entry_id, reason=str(reason))


def _replace(connection: Connection, change: Change, *, entry_id: int, reason: str) -> None:
    kind = change.kind
    connection.execute(
        insert(t.earlier).values(
            kind=kind.table.name,
            key=change.key,
            content=change.content,
            reason=reason,
            client_id=change.owner,
            replaced_entry_id=entry_id if change.written_by is None else change.written_by,
            entry_id=entry_id,
        )
    )
    named = and_(*(kind.table.c[name].is_not_distinct_from(change.before[name]) for name in kind.key))
    connection.execute(update(kind.table).where(named).values(**change.after, entry_id=entry_id))


def _withdrawn(connection: Connection, kind: Kind, rows: Sequence[dict[str, Any]]) -> frozenset[tuple[str, str]]:
    """Fetch what was withdrawn under the keys of some rows: key and content."""
    c = t.earlier.c
    wanted = sorted({_key_text(kind, row) for row in rows})
    query = select(c.key, c.content).where(c.kind == kind.table.name, c.withdrawn, c.key.in_(wanted))
    return frozenset((key, content) for key, content in connection.execute(query))


def _key_text(kind: Kind, row: Any) -> str:
    return json.dumps(_key(kind, row), default=str)


def _content(row: dict[str, Any]) -> str:
    return json.dumps(row, default=str, sort_keys=True)


def _key(kind: Kind, row: Any) -> tuple[Any, ...]:
    return tuple(row[name] for name in kind.key)


def _conflict(kind: Kind, before: dict[str, Any], after: dict[str, Any]) -> str:
    differing = [name for name in after if before[name] != after[name]]
    shown = ", ".join(f"{name} {_value_words(before[name])} -> {_value_words(after[name])}" for name in differing)
    named = ", ".join(str(part) for part in _key(kind, before) if part is not None)
    return (
        f"The {kind.noun} {named} is on record with other content ({shown}). "
        "To correct it, give a reason: supersede='...'."
    )


def _value_words(value: object) -> str:
    return "(nothing)" if value is None else str(value)
