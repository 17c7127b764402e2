"""Erasure on a legal request: one person out of every table, with a tombstone, and the record still verifiable.

The one exception to "nothing is ever changed". A row in ``erasing`` lifts the triggers for one client until the
transaction ends; nobody else can see it, and it cannot be committed. In place of each erased row its leaf stays,
so that the seals of entries that others share still hold; the client's secret is gone, so the leaves say nothing.
The audit trail keeps every line, without what named the client.
"""

from __future__ import annotations

import json
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Table, delete, insert, or_, select, update

from mbc.errors import StoreError
from mbc.store.audit.hash_chain import ERASE, UPGRADE, Line, shown_digest
from mbc.store.audit.log import append, lock_log
from mbc.store.audit.tombstones import digest, new_tombstone_id
from mbc.store.database.batches import batches
from mbc.store.maintenance.mentions import mentions
from mbc.store.maintenance.verification import leaves_digest, tombstone_digest
from mbc.store.reading.model_cache import forget
from mbc.store.schema import tables as t
from mbc.store.schema.kinds import ENTRIES
from mbc.store.writing import seals as sealing
from mbc.store.writing.seals import Leaf

_BY_CLIENT: tuple[Table, ...] = (  # what names the client itself, in an order that leaves no loose end
    *(kind.table for kind in reversed(ENTRIES)),
    t.safety_flag, t.administration, t.goal, t.event, t.therapy_session, t.relationship_status, t.relationship,
    t.episode, t.earlier, t.client,
)  # fmt: skip
_BY_ADMINISTRATION: tuple[Table, ...] = (t.score, t.answer, t.total)
_WITH_ENTRY: tuple[Table, ...] = (*_BY_CLIENT, t.goal_rating, t.clinician)
# what an audit line may go on saying when its subject was erased: nothing that anybody typed
_HARMLESS = frozenset(
    {"account", "asked", "by", "clients", "counts", "entry", "fault", "format", "rows", "sealed"}
)
_SHORTEST_ALIAS = 4  # a shorter one stands in too many words by chance
# nobody learns from a count that there were flags, or anything else of the safety channel
_NOT_COUNTED = frozenset(
    {
        "safety_flag",
        "score",
        "asking",
        "asked_sheet",
        *(kind.table.name for kind in ENTRIES if kind.channel == "safety"),
    }
)


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure did."""

    tombstone_id: str
    counts: dict[str, int]  # rows taken out, by table
    lines: int  # of the audit trail, that named the client
    mentions: tuple[
        str, ...
    ] = ()  # rows about others in which the client is named: erased nowhere, to be corrected
    clean: bool = True  # whether what was deleted has left the database's own files as well


def erase(
    connection: Connection, client_id: str, *, by: str, reason: str, now: datetime, line: Callable[..., Line],
    safety: bool = True,
) -> Erasure:  # fmt: skip
    """Take one client out of the record, inside the caller's transaction.

    Parameters
    ----------
    connection : Connection
        A transaction that writes.
    client_id : str
        A client on record.
    by, reason : str
        Who does it, and why: kept with the tombstone.
    now : datetime
        The moment, with its zone.
    line : callable
        Makes a line for the audit trail.
    safety : bool
        Whether rows of the safety channel about others may be named in what is returned.

    Raises
    ------
    StoreError
        If the reason names the client.
    """
    # first wait for whoever is writing about the client, then for the chain's end: the order that writers keep
    owner = t.client.c.client_id == client_id
    alias = connection.execute(select(t.client.c.alias).where(owner).with_for_update()).scalar_one()
    lock_log(connection)  # no line about the client can be added meanwhile
    names = _Names.of(client_id, alias)
    if names.within(reason):
        raise StoreError(
            "The reason names the client, and is kept. Rephrase without the name: 'request of 2026-03-02'."
        )
    tombstone_id = new_tombstone_id()
    connection.execute(insert(t.erasing), {"client_id": client_id, "until_commit": 0})
    _forget_models(connection, client_id)
    leaves = _leaves(connection, client_id)
    entries = {leaf.entry_id for leaf in leaves if leaf.entry_id is not None}
    counts = _delete(connection, client_id)
    named = tuple(mentions(connection, names.words, names.pattern, client_id, safety=safety))
    _forget_sources(connection, entries, names)
    shown = _redact(connection, names, tombstone_id, entries)
    tombstone = _tombstone(tombstone_id, client_id, by=by, reason=reason, now=now, counts=counts)
    connection.execute(insert(t.tombstone), tombstone)
    if leaves:
        connection.execute(insert(t.erased), [_erased(leaf, tombstone_id) for leaf in leaves])
    connection.execute(delete(t.erasing))
    detail = {
        "tombstone": tombstone_id,
        "by": by,
        "reason": reason,
        "counts": counts,
        "stone": tombstone_digest(tombstone),
        "leaves": leaves_digest(leaves),
        "lines": [number for number, _, _ in shown],
        "shown": shown_digest(shown),
    }
    append(connection, [line(ERASE, subject=tombstone_id, **detail)])
    return Erasure(tombstone_id, counts, len(shown), named)


@dataclass(frozen=True, slots=True)
class _Names:
    """What names the client in a text."""

    client_id: str
    words: tuple[str, ...]

    @classmethod
    def of(cls, client_id: str, alias: str | None) -> _Names:
        """Take the identifier, and an alias that is long enough to be told from other words."""
        also = (alias,) if alias and len(alias) >= _SHORTEST_ALIAS else ()
        return cls(client_id, (client_id, *also))

    @property
    def pattern(self) -> re.Pattern[str]:
        """Match any of them as a whole word: 'C1' in 'C1.csv' and 'C1_old', not in 'C10'."""
        words = "|".join(re.escape(word) for word in sorted(self.words, key=len, reverse=True))
        return re.compile(rf"(?<![^\W_])(?:{words})(?![^\W_])", re.IGNORECASE)

    def within(self, text: str | None) -> bool:
        """Say whether a text names the client."""
        return text is not None and self.pattern.search(text) is not None

    def without(self, content: Any, tombstone_id: str) -> Any:
        """Put the tombstone's name in place of the client's, in whatever somebody typed."""
        match content:
            case str():
                return self.pattern.sub(tombstone_id, content)
            case list():
                return [self.without(item, tombstone_id) for item in cast("list[object]", content)]
            case dict():
                return {
                    name: value if name in _HARMLESS else self.without(value, tombstone_id)
                    for name, value in cast("dict[str, object]", content).items()
                }
            case _:
                return content


def _leaves(connection: Connection, client_id: str) -> list[Leaf]:
    tables = t.metadata.tables
    keyed = sealing.keys(connection, tables, client_id)
    leaves = [
        Leaf(
            taken.head["entry_id"], sealing.ADMINISTRATIONS, taken.leaf, client_id, taken.head["administration_id"]
        )
        for taken in sealing.administrations(connection, tables, keyed, client_id)
    ]
    return leaves + list(sealing.other_rows(connection, tables, keyed, client_id))


def _forget_models(connection: Connection, client_id: str) -> None:
    """Forget what was learned from the client among others: it is fitted again without them."""
    c = t.administration.c
    answered = select(c.instrument).where(c.client_id == client_id, c.channel == "care").distinct()
    forget(connection, connection.execute(answered).scalars().all())


def _delete(connection: Connection, client_id: str) -> dict[str, int]:
    a, g = t.administration.c, t.goal.c
    client_administrations = select(a.administration_id).where(a.client_id == client_id)
    goals = select(g.goal_id).where(g.client_id == client_id)
    wanted = [(table, table.c.administration_id.in_(client_administrations)) for table in _BY_ADMINISTRATION]
    wanted.append((t.goal_rating, t.goal_rating.c.goal_id.in_(goals)))
    asked = select(t.asking.c.asking_id).where(t.asking.c.client_id == client_id)
    wanted.append((t.asked_sheet, t.asked_sheet.c.asking_id.in_(asked)))
    wanted += [(table, table.c.client_id == client_id) for table in (t.asking, *_BY_CLIENT)]
    gone = Counter(
        {table.name: connection.execute(delete(table).where(whose)).rowcount for table, whose in wanted}
    )
    return {name: count for name, count in sorted(gone.items()) if count and name not in _NOT_COUNTED}


def _forget_sources(connection: Connection, entries: set[int], names: _Names) -> None:
    """Take out the names of files that held nobody else, or that name the client."""
    c = t.entry.c
    for batch in batches(sorted(entries)):
        shared: set[int] = set()
        for table in _WITH_ENTRY:
            column = table.c.entry_id
            shared.update(connection.execute(select(column).where(column.in_(batch)).distinct()).scalars())
        rows = connection.execute(select(c.entry_id, c.source_name).where(c.entry_id.in_(batch))).all()
        alone = [row.entry_id for row in rows if row.entry_id not in shared or names.within(row.source_name)]
        change = update(t.entry).where(c.entry_id.in_(alone), c.source_name.is_not(None))
        connection.execute(change.values(source_kind=None, source_name=None, source_sha256=None))


def _redact(
    connection: Connection, names: _Names, tombstone_id: str, entries: set[int]
) -> list[tuple[int, str | None, str]]:
    """Take what names the client out of the audit trail; returns what is left of those lines."""
    c = t.audit.c
    lines = connection.execute(
        select(c.sequence, c.subject, c.detail)
        .where(c.salt.is_not(None), c.action.not_in((ERASE, UPGRADE)), or_(*_may_name(names)))
        .order_by(c.sequence)
    ).all()
    others = _others(connection, {subject for _, subject, _ in lines if subject is not None})
    changed: list[tuple[int, str | None, str]] = []
    for sequence, subject, detail in lines:
        details = json.loads(detail)
        left = names.without(_harmless(details, entries, only_harmless=subject == names.client_id), tombstone_id)
        other = subject if subject in others else names.without(subject, tombstone_id)
        if left != details or other != subject:
            changed.append((sequence, other, json.dumps(left, sort_keys=True)))
    for sequence, subject, detail in changed:
        row = update(t.audit).where(c.sequence == sequence)
        connection.execute(row.values(subject=subject, detail=detail, salt=None))
    return changed


def _may_name(names: _Names) -> Iterator[ColumnElement[bool]]:
    c = t.audit.c
    yield (c.action == "write") & c.detail.contains('"seal"')  # of revision 0001
    for word in names.words:
        yield c.subject.icontains(word, autoescape=True)
        yield c.detail.icontains(json.dumps(word)[1:-1], autoescape=True)


def _harmless(details: dict[str, Any], entries: set[int], *, only_harmless: bool) -> dict[str, Any]:
    if only_harmless:
        return {name: value for name, value in details.items() if name in _HARMLESS}
    if details.get("entry") in entries:  # the seals of 0001 had no key: one could try guesses on them
        return {name: value for name, value in details.items() if name != "seal"}
    return details


def _others(connection: Connection, subjects: set[str]) -> set[str]:
    """Find the subjects that are other clients, or accounts: 'wren' may be an alias and a user name."""
    names: set[str] = set()
    for column in (t.client.c.client_id, t.account.c.username):
        for batch in batches(sorted(subjects)):
            names.update(connection.execute(select(column).where(column.in_(batch))).scalars())
    return names


def _tombstone(
    tombstone_id: str, client_id: str, *, by: str, reason: str, now: datetime, counts: dict[str, int]
) -> dict[str, Any]:
    salt = secrets.token_hex(16)
    return {
        "tombstone_id": tombstone_id,
        "erased_at": now,
        "erased_by": by,
        "reason": reason,
        "counts": json.dumps(counts, sort_keys=True),
        "salt": salt,
        "client": digest(salt, client_id),
    }


def _erased(leaf: Leaf, tombstone_id: str) -> dict[str, Any]:
    return {
        "tombstone_id": tombstone_id,
        "kind": leaf.kind,
        "administration_id": leaf.administration_id,
        "leaf": leaf.leaf.hex(),
        "entry_id": leaf.entry_id,
    }
