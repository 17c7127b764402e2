"""The state of the care channel: another one after every writing there, the same after any other.

Counts of rows and sums of entry numbers, digested. A new or replaced row has a higher number than all before, so
counts and sums are the same again only where every row is the same. What is written to the safety channel changes
none of them. What is worked out for people is kept by this state: then neither a date nor a delay shows those who
may not read the safety channel that something was written there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    FromClause,
    Select,
    String,
    bindparam,
    func,
    literal,
    select,
    union_all,
)  # fmt: skip

from mbc.store.access.roles import Scope
from mbc.store.schema import tables as t
from mbc.store.schema.kinds import CARE_READERS, KINDS, care_rows
from mbc.store.schema.records import Clinician, GoalRating

_DIGEST_BYTES = 12
_CLIENT = "client_asked_for"


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


def care_state(connection: Connection, scope: Scope) -> str:
    """Name the state of everything within a scope, with the number of erasures after a full stop."""
    rows = _rows(connection, _within(scope))
    erased = connection.execute(select(func.count()).select_from(t.tombstone)).scalar_one()
    return f"{_digest(sorted(rows))}.{erased}"


def care_states(connection: Connection, scope: Scope, client_id: str | None = None) -> dict[str, str]:
    """Name the state of each client within a scope; names of clinicians and definitions count for all."""
    shared = sorted(_rows(connection, _OF_NOBODY))
    of_one = client_id is not None
    by_client: dict[str, list[tuple[Any, ...]]] = {}
    rows = _rows(connection, _by_client(scope, of_one=of_one), {_CLIENT: client_id} if of_one else {})
    for client, *counts in rows:
        by_client.setdefault(str(client), []).append(tuple(counts))
    return {client: _digest([*shared, *sorted(counts)]) for client, counts in by_client.items()}


def _rows(
    connection: Connection, query: CompoundSelect[Any], parameters: Mapping[str, object] | None = None
) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(query, parameters)]


# A query over twenty tables takes longer to write than to answer: each is written once for a scope.
@lru_cache(maxsize=1000)
def _within(scope: Scope) -> CompoundSelect[Any]:
    """Count everything within a scope, table by table."""
    return union_all(
        *(
            _count(place, part).where(*([] if part.owner is None else scope.reaches(part.owner)))
            for place, part in enumerate(_PARTS)
        )
    )


@lru_cache(maxsize=2000)
def _by_client(scope: Scope, *, of_one: bool) -> CompoundSelect[Any]:
    """Count what belongs to each client within a scope, or to the one that is asked for."""
    client = bindparam(_CLIENT, type_=String())
    owned = [(place, part, part.owner) for place, part in enumerate(_PARTS) if part.owner is not None]
    return union_all(
        *(
            _count(place, part, owner).where(*scope.reaches(owner), *([owner == client] if of_one else []))
            for place, part, owner in owned
        )
    )


def _count(place: int, part: _Part, by: ColumnElement[Any] | None = None) -> Select[*tuple[Any, ...]]:
    numbers = (literal(place), func.count(), func.coalesce(func.sum(part.number), 0))
    query = select(*numbers) if by is None else select(by, *numbers).group_by(by)
    return query.select_from(part.source).where(*part.where)


_OF_NOBODY = union_all(*(_count(place, part) for place, part in enumerate(_PARTS) if part.owner is None))


def _digest(counts: list[tuple[Any, ...]]) -> str:
    text = ";".join(",".join(str(int(count)) for count in row) for row in counts)
    return hashlib.blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()
