"""Where a client's name stands in what was written about others: an erasure does not change it, and names it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, Table, or_, select

from mbc.store.schema import tables as t
from mbc.store.schema.kinds import KINDS, Kind, care_rows

_Place = tuple[Table, str, str | None, tuple[str, ...], str]


def _place(kind: Kind) -> _Place:
    named = next((column for column in kind.key if column != "client_id"), "client_id")
    owner = "client_id" if "client_id" in kind.table.c else None
    return kind.table, named, owner, kind.texts, kind.noun


# what people type, by table: with the name of the row's key, and whose it is
_TEXTS: tuple[_Place, ...] = (
    *(_place(kind) for kind in KINDS.values() if kind.texts),
    (t.administration, "administration_id", "client_id", ("reason",), "questionnaire"),
    (t.earlier, "earlier_id", "client_id", ("content", "reason"), "earlier version"),
    (t.entry, "entry_id", None, ("source_name",), "source of entry"),
)
_SAFETY_TABLES = frozenset(kind.table.name for kind in KINDS.values() if kind.channel == "safety") | {"earlier"}
_MOST = 200


def mentions(
    connection: Connection, words: tuple[str, ...], pattern: re.Pattern[str], client_id: str, *, safety: bool
) -> Iterator[str]:
    """Name the rows about others in which a client is named.

    Parameters
    ----------
    connection : Connection
        The record.
    words : tuple of str
        What names the client.
    pattern : re.Pattern
        Matches any of them as a word of its own.
    client_id : str
        Whose own rows are left out: they are erased.
    safety : bool
        Whether rows of the safety channel, and earlier versions, may be named.
    """
    for table, key, owner, texts, noun in _TEXTS:
        if not safety and table.name in _SAFETY_TABLES:
            continue
        columns = [table.c[name] for name in texts]
        where: list[ColumnElement[bool]] = [
            or_(*(column.icontains(word, autoescape=True) for column in columns for word in words))
        ]
        if owner is not None:
            where.append(or_(table.c[owner].is_(None), table.c[owner] != client_id))
        if not safety:
            where += care_rows(table)
        if not safety and table is t.administration:
            where.append(table.c.channel == "care")
        whose = [table.c[owner].label("whose")] if owner is not None and owner != key else []
        query = select(table.c[key].label("key"), *whose, *columns).where(*where).limit(_MOST)
        for row in connection.execute(query).mappings():
            if any(row[name] is not None and pattern.search(row[name]) for name in texts):
                yield f"{noun} {row['key']}" + (f" of {row['whose']}" if row.get("whose") else "")
