"""How things that change over time are written: added once, met again, or superseded with a reason.

Everything but administrations: a client, an episode that ends, a goal that is retired. The row says what holds
now; what it said before is kept in ``earlier``, with who changed it, when and why.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, Table, and_, insert, select, update

from mbc.errors import Conflict
from mbc.store import records
from mbc.store import tables as t
from mbc.store.access import Scope
from mbc.store.belonging import require_same_owner
from mbc.store.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Kind:
    """Where a kind of record is kept, and what names one of them."""

    table: Table
    key: tuple[str, ...]
    noun: str


KINDS: dict[type, Kind] = {
    records.Clinician: Kind(t.clinician, ("clinician_id",), "clinician"),
    records.Client: Kind(t.client, ("client_id",), "client"),
    records.Episode: Kind(t.episode, ("episode_id",), "episode"),
    records.Relationship: Kind(t.relationship, ("relationship_id",), "relationship"),
    records.RelationshipStatus: Kind(t.relationship_status, ("client_id", "relationship_id", "since"), "status"),
    records.Session: Kind(t.therapy_session, ("episode_id", "number"), "session"),
    records.Goal: Kind(t.goal, ("goal_id",), "goal"),
    records.GoalRating: Kind(t.goal_rating, ("goal_id", "rated_on"), "goal rating"),
    records.Event: Kind(t.event, ("event_id",), "event"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """A row that is replaced: what it said, what it says now."""

    kind: Kind
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What adding some records of one kind would do."""

    outcomes: list[Outcome]
    new: list[dict[str, Any]]
    changes: list[Change]


def values(record: object) -> dict[str, Any]:
    """Write a record as a row."""
    return {f.name: getattr(record, f.name) for f in fields(record)}  # pyright: ignore[reportArgumentType]


def on_record(
    connection: Connection, kind: Kind, rows: Sequence[dict[str, Any]]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Fetch the rows already there, by key, with the columns of a record only."""
    if not rows:
        return {}
    first = kind.table.c[kind.key[0]]
    columns = [kind.table.c[name] for name in rows[0]]
    wanted = sorted({row[kind.key[0]] for row in rows})
    found = connection.execute(select(*columns).where(first.in_(wanted))).mappings()
    return {_key(kind, row): dict(row) for row in found}


def compare(
    connection: Connection, scope: Scope, kind: Kind, batch: Sequence[object], *, supersede: str | None
) -> Comparison:
    """Say for each record whether it is new, a duplicate or a correction.

    Raises
    ------
    Conflict
        If one is on record with other content and no reason to supersede it is given.
    """
    rows = [values(record) for record in batch]
    known = on_record(connection, kind, rows)
    result = Comparison([], [], [])
    fresh: set[tuple[Any, ...]] = set()
    for row in rows:
        key = _key(kind, row)
        before = known.get(key)
        if before is not None:
            require_same_owner(scope, before, row)
        if before is None:
            result.outcomes.append("stored")
            result.new.append(row)
            fresh.add(key)
        elif before == row:
            result.outcomes.append("duplicate")
        elif supersede is None or key in fresh:
            raise Conflict(_conflict(kind, before, row))
        else:
            result.outcomes.append("superseding")
            result.changes.append(Change(kind, before, row))
        known[key] = row
    return result


def store(connection: Connection, kind: Kind, found: Comparison, *, entry_id: int, reason: str | None) -> None:
    """Write what a comparison found to be new or changed."""
    if found.new:
        connection.execute(insert(kind.table), [{**row, "entry_id": entry_id} for row in found.new])
    for change in found.changes:
        _replace(connection, change, entry_id=entry_id, reason=str(reason))


def _replace(connection: Connection, change: Change, *, entry_id: int, reason: str) -> None:
    kind, key = change.kind, _key(change.kind, change.before)
    connection.execute(
        insert(t.earlier).values(
            kind=kind.table.name,
            key=json.dumps(key, default=str),
            content=json.dumps(change.before, default=str, sort_keys=True),
            reason=reason,
            entry_id=entry_id,
        )
    )
    named = and_(*(kind.table.c[name].is_not_distinct_from(change.before[name]) for name in kind.key))
    connection.execute(update(kind.table).where(named).values(**change.after, entry_id=entry_id))


def _key(kind: Kind, row: Any) -> tuple[Any, ...]:
    return tuple(row[name] for name in kind.key)


def _conflict(kind: Kind, before: dict[str, Any], after: dict[str, Any]) -> str:
    differing = [name for name in after if before[name] != after[name]]
    shown = ", ".join(f"{name} {_shown(before[name])} -> {_shown(after[name])}" for name in differing)
    named = ", ".join(str(part) for part in _key(kind, before) if part is not None)
    return (
        f"The {kind.noun} {named} is on record with other content ({shown}). "
        "To correct it, give a reason: supersede='...'."
    )


def _shown(value: object) -> str:
    return "(nothing)" if value is None else str(value)
