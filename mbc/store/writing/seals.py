"""What seals an entry: digests of everything it wrote, kind by kind, so that nothing can be altered unseen.

A leaf is the digest of one row, keyed with the client's secret. An entry's seal holds one digest per kind: over
its administrations' leaves in order of number, and over the leaves of everything else in order of the leaf itself.
After a legal erasure the leaves stay in place of the rows, and the secret is gone: the seal holds, and says
nothing.

Revision 0002 seals what it finds with this module too, on tables it reads from the database.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Table, null, select

from mbc.store.schema import digests
from mbc.store.schema.administration_numbers import FIRST_OF_SAFETY
from mbc.store.schema.kinds import KINDS, Kind

ADMINISTRATIONS = "administration"
ACKNOWLEDGEMENTS = "acknowledgement"
EARLIER = "earlier"
DEFINITIONS = "definition"
ENTRY = "entry"
_AT_ONCE = 5000

Tables = Mapping[str, Table]


class Seal:
    """The digests of one entry, while it is written or walked."""

    def __init__(self) -> None:
        self._administrations = hashlib.sha256()
        self._any = False
        self._safety: list[bytes] = []  # few; their numbers come after those of all others
        self._rows: dict[str, list[bytes]] = defaultdict(list)

    def add_administrations(self, leaves: bytes, numbers: Sequence[int]) -> None:
        """Add administrations, one leaf after the other; those of each channel come in order of number."""
        size = len(leaves) // len(numbers)
        if max(numbers) >= FIRST_OF_SAFETY:
            parts = [leaves[at : at + size] for at in range(0, len(leaves), size)]
            apart = [number >= FIRST_OF_SAFETY for number in numbers]
            self._safety += [leaf for leaf, safety in zip(parts, apart, strict=True) if safety]
            leaves = b"".join(leaf for leaf, safety in zip(parts, apart, strict=True) if not safety)
        self._administrations.update(leaves)
        self._any = True

    def add(self, kind: str, leaf: bytes) -> None:
        """Add any other row, in any order."""
        self._rows[kind].append(leaf)

    def digests(self, entry_digest: str | None) -> dict[str, str]:
        """Give one digest per kind."""
        digests = {} if entry_digest is None else {ENTRY: entry_digest}
        if self._any:
            every = self._administrations.copy()
            every.update(b"".join(self._safety))
            digests[ADMINISTRATIONS] = every.hexdigest()
        for kind, leaves in sorted(self._rows.items()):
            digests[kind] = hashlib.sha256(b"".join(sorted(leaves))).hexdigest()
        return digests


@dataclass(frozen=True, slots=True)
class Taken:
    """One administration as it is on record, with its parts and its leaf."""

    head: dict[str, Any]
    answers: list[tuple[int, float | None]]
    totals: list[tuple[str, float]]
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Leaf:
    """One row's part of a seal."""

    entry_id: int | None  # None: nobody is known to have written it
    kind: str
    leaf: bytes
    client_id: str | None = None
    administration_id: int | None = None


def keys(connection: Connection, tables: Tables, client_id: str | None = None) -> dict[str, bytes]:
    """Fetch the clients' secrets."""
    c = tables["client"].c
    query = select(c.client_id, c.secret)
    query = query if client_id is None else query.where(c.client_id == client_id)
    return {row.client_id: digests.key_of(row.secret) for row in connection.execute(query)}


def administrations(
    connection: Connection, tables: Tables, keyed: Mapping[str, bytes], client_id: str | None = None
) -> Iterator[Taken]:
    """Walk administrations in order, a few thousand at a time: memory does not grow with the record."""
    table = tables["administration"]
    c = table.c
    whose = [] if client_id is None else [c.client_id == client_id]
    last = 0
    while True:
        query = select(table).where(c.administration_id > last, *whose)
        rows = connection.execute(query.order_by(c.administration_id).limit(_AT_ONCE)).mappings().all()
        if not rows:
            return
        first, last = rows[0]["administration_id"], rows[-1]["administration_id"]
        within = select(c.administration_id).where(c.administration_id.between(first, last), *whose)
        answers = _parts(connection, tables["answer"], "item value", within)
        totals = _parts(connection, tables["total"], "scale score", within)
        flags = _parts(connection, tables["safety_flag"], "item kind client_id instrument raised_on", within)
        for row in rows:
            number, head = row["administration_id"], dict(row)
            leaf = _administration_leaf(head, flags.get(number, []), keyed.get(head["client_id"], b""))
            yield Taken(head, answers.get(number, []), totals.get(number, []), leaf)


def other_rows(
    connection: Connection, tables: Tables, keyed: Mapping[str, bytes], client_id: str | None = None
) -> Iterator[Leaf]:
    """Walk everything else that entries wrote."""
    for kind in KINDS.values():
        if kind.table.name not in tables:  # a record of an earlier revision, on its way up
            continue
        yield from _entity_leaves(connection, tables, kind, keyed, client_id)
    yield from _earlier_leaves(connection, tables, keyed, client_id)
    yield from _acknowledgements(connection, tables, keyed, client_id)
    if client_id is None and DEFINITIONS in tables:  # nobody's; a record of an earlier revision has none
        yield from _definitions(connection, tables)


def earlier_leaf(
    key: bytes, *, kind: str, named: str, content: str, reason: str, withdrawn: bool | None = None
) -> bytes:
    """Digest a row of what was said before."""
    row = {"kind": kind, "key": named, "content": content, "reason": reason, "withdrawn": withdrawn or None}
    return digests.row_leaf(key, EARLIER, row)


def acknowledgement_leaf(key: bytes, administration_id: int, item: str, by: str, at: Any) -> bytes:
    """Digest who saw a safety flag, and when."""
    moment = digests.utc(at).isoformat(timespec="microseconds")
    row = {"administration_id": administration_id, "item": item, "by": by, "at": moment}
    return digests.row_leaf(key, ACKNOWLEDGEMENTS, row)


def seals(
    on_record: Iterable[Taken],
    others: Iterable[Leaf],
    heads: Mapping[int, str],
    *,
    gone: Iterable[Leaf] = (),
    look: Callable[[Taken], None] = lambda _: None,
) -> dict[int, dict[str, str]]:
    """Work out every entry's seal.

    Parameters
    ----------
    on_record, others : iterable of Taken, of Leaf
        What is on record.
    heads : mapping
        Each entry's own digest.
    gone : iterable of Leaf
        What stands in place of rows that were erased.
    look : callable
        Called with each administration on the way.
    """
    made: dict[int, Seal] = defaultdict(Seal)
    waiting: dict[int, list[Leaf]] = defaultdict(list)
    for leaf in gone:
        if leaf.administration_id is None:
            made[leaf.entry_id or 0].add(leaf.kind, leaf.leaf)
        else:
            waiting[leaf.entry_id or 0].append(leaf)
    for leaves in waiting.values():
        leaves.sort(key=lambda leaf: leaf.administration_id or 0, reverse=True)
    for taken in on_record:
        look(taken)
        entry_id, number = taken.head["entry_id"], taken.head["administration_id"]
        before = waiting.get(entry_id, [])
        while before and (before[-1].administration_id or 0) < number:
            leaf = before.pop()
            made[entry_id].add_administrations(leaf.leaf, [leaf.administration_id or 0])
        made[entry_id].add_administrations(taken.leaf, [number])
    for entry_id, leaves in waiting.items():
        for leaf in reversed(leaves):
            made[entry_id].add_administrations(leaf.leaf, [leaf.administration_id or 0])
    for leaf in others:
        made[leaf.entry_id or 0].add(leaf.kind, leaf.leaf)
    return {entry_id: made[entry_id].digests(heads.get(entry_id)) for entry_id in made.keys() | heads.keys()}


def entry_heads(connection: Connection, tables: Tables) -> dict[int, str]:
    """Digest who wrote each entry, and when."""
    c = tables["entry"].c
    rows = connection.execute(select(c.entry_id, c.recorded_at, c.recorded_by))
    return {row.entry_id: digests.entry_digest(row.entry_id, row.recorded_at, row.recorded_by) for row in rows}


def _parts(connection: Connection, table: Table, names: str, within: Any) -> dict[int, list[Any]]:
    number = table.c.administration_id
    columns = [table.c[name] for name in names.split()]
    query = select(number, *columns).where(number.in_(within)).order_by(number, columns[0])
    rows = connection.execute(query).all()
    return {key: [tuple(row[1:]) for row in group] for key, group in groupby(rows, key=itemgetter(0))}


def _administration_leaf(head: Mapping[str, Any], flags: list[Any], key: bytes) -> bytes:
    return digests.administration_leaf(
        key,
        administration_id=head["administration_id"],
        content=head["content"],
        version=head["version"],
        channel=head["channel"],
        episode_id=head["episode_id"],
        revision=head["revision"],
        supersedes=head["supersedes"],
        reason=head["reason"],
        source_line=head["source_line"],
        flags=flags,
    )


def _entity_leaves(
    connection: Connection, tables: Tables, kind: Kind, keyed: Mapping[str, bytes], client_id: str | None
) -> Iterator[Leaf]:
    table = tables[kind.table.name]
    names = [f.name for f in fields(kind.record) if f.name in table.c]
    owner, source = owner_of(tables, table)
    if owner is None and client_id is not None:
        return  # a clinician is nobody's
    columns = [table.c[name] for name in names]
    query = select(*columns, table.c.entry_id.label("_entry")).select_from(source)
    if owner is not None:
        query = query.add_columns(owner.label("_owner"))
        query = query if client_id is None else query.where(owner == client_id)
    for row in connection.execute(query.execution_options(yield_per=_AT_ONCE)).mappings():
        whose = row["_owner"] if owner is not None else None
        content = {name: row[name] for name in names}
        leaf = digests.row_leaf(keyed.get(whose or "", b""), table.name, content)
        yield Leaf(row["_entry"], table.name, leaf, whose)


def owner_of(tables: Tables, table: Table) -> tuple[ColumnElement[str] | None, FromClause]:
    """Say which column names whose a row is, and where it is read from; None where it is nobody's."""
    if "client_id" in table.c:
        return table.c.client_id, table
    if "goal_id" in table.c:
        goal = tables["goal"]
        return goal.c.client_id, table.join(goal, goal.c.goal_id == table.c.goal_id)
    return None, table


def _earlier_leaves(
    connection: Connection, tables: Tables, keyed: Mapping[str, bytes], client_id: str | None
) -> Iterator[Leaf]:
    c = tables["earlier"].c
    withdrawn = c.withdrawn if "withdrawn" in c else null().label("withdrawn")
    query = select(c.kind, c.key, c.content, c.reason, c.client_id, c.replaced_entry_id, c.entry_id, withdrawn)
    query = query if client_id is None else query.where(c.client_id == client_id)
    for row in connection.execute(query.execution_options(yield_per=_AT_ONCE)):
        key = keyed.get(row.client_id or "", b"")
        leaf = earlier_leaf(
            key,
            kind=row.kind,
            named=row.key,
            content=row.content,
            reason=row.reason,
            withdrawn=bool(row.withdrawn),
        )
        yield Leaf(row.entry_id, EARLIER, leaf, row.client_id)
        if row.replaced_entry_id is not None:  # what it said is also what that entry had written
            leaf = digests.row_leaf(key, row.kind, json.loads(row.content))
            yield Leaf(row.replaced_entry_id, row.kind, leaf, row.client_id)


def _acknowledgements(
    connection: Connection, tables: Tables, keyed: Mapping[str, bytes], client_id: str | None
) -> Iterator[Leaf]:
    c = tables["safety_flag"].c
    query = select(
        c.administration_id, c.item, c.client_id, c.acknowledged_by, c.acknowledged_at, c.acknowledged_entry_id
    ).where(c.acknowledged_at.is_not(None))
    query = query if client_id is None else query.where(c.client_id == client_id)
    for row in connection.execute(query.execution_options(yield_per=_AT_ONCE)):
        key = keyed.get(row.client_id, b"")
        leaf = acknowledgement_leaf(
            key, row.administration_id, row.item, row.acknowledged_by or "", row.acknowledged_at
        )
        yield Leaf(row.acknowledged_entry_id, ACKNOWLEDGEMENTS, leaf, row.client_id)


def _definitions(connection: Connection, tables: Tables) -> Iterator[Leaf]:
    for row in connection.execute(select(tables[DEFINITIONS])).mappings():
        content = {name: value for name, value in row.items() if name != "entry_id"}
        yield Leaf(row["entry_id"], DEFINITIONS, digests.row_leaf(b"", DEFINITIONS, content))
