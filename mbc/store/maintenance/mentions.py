"""Where a client's name stands in what was written about others: an erasure does not change it, and names it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, Table, or_, select

from mbc.store.schema import tables as t
from mbc.store.schema.safety_rules import SAFETY_EVENT

# what people type, by table: with the name of the row's key, and whose it is
_TEXTS: tuple[tuple[Table, str, str | None, tuple[str, ...], str], ...] = (
    (t.event, "event_id", "client_id", ("kind", "label"), "event"),
    (t.goal, "goal_id", "client_id", ("label", "retired_reason"), "goal"),
    (t.relationship, "relationship_id", "client_id", ("label", "kind"), "relationship"),
    (t.episode, "episode_id", "client_id", ("ending",), "episode"),
    (t.administration, "administration_id", "client_id", ("reason",), "questionnaire"),
    (t.client, "client_id", "client_id", ("alias",), "client"),
    (t.earlier, "earlier_id", "client_id", ("content", "reason"), "earlier version"),
    (t.clinician, "clinician_id", None, ("display_name",), "clinician"),
    (t.entry, "entry_id", None, ("source_name",), "source of entry"),
)
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
        if not safety and table is t.earlier:
            continue
        columns = [table.c[name] for name in texts]
        where: list[ColumnElement[bool]] = [
            or_(*(column.icontains(word, autoescape=True) for column in columns for word in words))
        ]
        if owner is not None:
            where.append(or_(table.c[owner].is_(None), table.c[owner] != client_id))
        if not safety and table is t.event:
            where.append(~table.c.kind.istartswith(SAFETY_EVENT))
        if not safety and table is t.administration:
            where.append(table.c.channel == "care")
        whose = [table.c[owner].label("whose")] if owner is not None and owner != key else []
        query = select(table.c[key].label("key"), *whose, *columns).where(*where).limit(_MOST)
        for row in connection.execute(query).mappings():
            if any(row[name] is not None and pattern.search(row[name]) for name in texts):
                yield f"{noun} {row['key']}" + (f" of {row['whose']}" if row.get("whose") else "")
