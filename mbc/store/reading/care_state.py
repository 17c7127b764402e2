"""The state of the care channel: another one after every writing there, the same after any other.

Counts of rows and sums of entry numbers, digested. A new or replaced row has a higher number than all before, so
counts and sums are the same again only where every row is the same. What is written to the safety channel changes
none of them. What is worked out for people is kept by this state: then neither a date nor a delay shows those who
may not read the safety channel that something was written there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, func, literal, null, select, union_all

from mbc.store.access.roles import Scope
from mbc.store.schema import tables as t
from mbc.store.schema.kinds import CARE_READERS, KINDS, care_rows
from mbc.store.schema.records import Clinician, GoalRating

_DIGEST_BYTES = 12


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows of one table: whose they are, and a number that rises with every writing."""

    source: FromClause
    number: ColumnElement[Any]
    owner: ColumnElement[Any] | None = None  # None: nobody's
    where: list[ColumnElement[bool]] = field(default_factory=list[ColumnElement[bool]])


def _parts() -> Iterator[_Part]:
    a = t.administration.c
    yield _Part(t.administration, a.administration_id, a.client_id, [a.channel == "care"])
    for kind in KINDS.values():
        if kind.reader not in CARE_READERS:  # the safety channel, and demographics: no page of a client has them
            continue
        number = kind.table.c.entry_id
        if kind.record is Clinician:
            yield _Part(kind.table, number)
        elif kind.record is GoalRating:
            yield _Part(t.goal_rating.join(t.goal), number, t.goal.c.client_id)
        else:
            yield _Part(kind.table, number, kind.table.c.client_id, care_rows(kind.table))
    yield _Part(t.definition, t.definition.c.entry_id, where=[t.definition.c.channel == "care"])


_PARTS = tuple(_parts())
_OF_NOBODY = tuple(part for part in _PARTS if part.owner is None)
_OF_CLIENTS = tuple(part for part in _PARTS if part.owner is not None)


def care_state(connection: Connection, scope: Scope) -> str:
    """Name the state of everything within a scope, with the number of erasures after a full stop."""
    rows = _rows(connection, _counts(_PARTS, scope.reaches))
    erased = connection.execute(select(func.count()).select_from(t.tombstone)).scalar_one()
    return f"{_digest(sorted(rows))}.{erased}"


def care_states(connection: Connection, scope: Scope, client_id: str | None = None) -> dict[str, str]:
    """Name the state of each client within a scope; names of clinicians and definitions count for all."""

    def within(owner: ColumnElement[Any]) -> list[ColumnElement[bool]]:
        return scope.reaches(owner) + ([] if client_id is None else [owner == client_id])

    shared = sorted(_rows(connection, _counts(_OF_NOBODY, within)))
    by_client: dict[str, list[tuple[Any, ...]]] = {}
    for client, *counts in _rows(connection, _counts(_OF_CLIENTS, within, by_client=True)):
        by_client.setdefault(str(client), []).append(tuple(counts))
    return {client: _digest([*shared, *sorted(counts)]) for client, counts in by_client.items()}


def _rows(connection: Connection, counts: Iterator[Any]) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(union_all(*counts))]


def _counts(
    parts: tuple[_Part, ...],
    within: Callable[[ColumnElement[Any]], list[ColumnElement[bool]]],
    *,
    by_client: bool = False,
) -> Iterator[Any]:
    for place, part in enumerate(parts):
        owner = part.owner if part.owner is not None and by_client else null()
        numbers = (literal(place), func.count(), func.coalesce(func.sum(part.number), 0))
        query = select(*((owner, *numbers) if by_client else numbers)).select_from(part.source)
        query = query.where(*part.where, *([] if part.owner is None else within(part.owner)))
        yield query.group_by(part.owner) if by_client else query


def _digest(counts: list[tuple[Any, ...]]) -> str:
    text = ";".join(",".join(str(int(count)) for count in row) for row in counts)
    return hashlib.blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()
