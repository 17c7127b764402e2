"""What every reader of the record shares: which rows are within its scope, its channel, and its client."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import polars as pl
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    String,
    and_,
    bindparam,
    cast,
    exists,
    null,
    select,
)

from mbc.errors import NotInRecord, StoreError, nearest
from mbc.store.access.roles import Scope
from mbc.store.database.frames import fetch
from mbc.store.schema import tables as t
from mbc.store.schema.kinds import ENTRIES
from mbc.store.schema.records import WITHDRAWN, Channel
from mbc.store.schema.validation import is_id, quote
from mbc.store.view import RecordView

_MASKED = frozenset({"alias", "label", "display_name", "retired_reason", "ending", "modality", "reason"}).union(
    *(kind.texts for kind in ENTRIES)
)

_CLIENT, _INSTRUMENT = "clientasked_for", "instrumentasked_for"  # parameters of prepared queries
_MOST_QUERIES = 2000

# made once: each new alias would describe the whole table anew
LATER = t.administration.alias("later")
CURRENT = and_(
    ~exists().where(LATER.c.supersedes == t.administration.c.administration_id),
    t.administration.c.version != WITHDRAWN,
)


class QueryView(RecordView):
    """Conditions that hold for every reader."""

    def _owned_by(self, owner: ColumnElement[str], *, of_one: bool) -> list[ColumnElement[bool]]:
        # the scope's condition stays also for a single client: it is what makes the scope hold
        return [*self._scope.reaches(owner), *([owner == bindparam(_CLIENT, type_=String())] if of_one else [])]

    def _visible_columns(self, columns: Sequence[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
        if not self._scope.masked:
            return list(columns)
        return [
            cast(null(), String()).label(column.name) if column.name in _MASKED else column for column in columns
        ]

    def _which(
        self, instrument: str | None, client_id: str | None, channel: Channel, *, history: bool = False
    ) -> list[ColumnElement[bool]]:
        """Choose questionnaires; the values of `asked_for` go with the query."""
        c = t.administration.c
        where = [c.channel == channel, *self._owned_by(c.client_id, of_one=client_id is not None)]
        if instrument is not None:
            where.append(c.instrument == bindparam(_INSTRUMENT, type_=String()))
        return where if history else [*where, CURRENT]

    def _read(
        self,
        reader: str,
        columns: Sequence[ColumnElement[Any]],
        source: FromClause,
        owner: ColumnElement[str],
        client_id: str | None,
        *where: ColumnElement[bool],
        order: Sequence[str] = (),
        channel: Channel = "care",
    ) -> pl.DataFrame:
        """Read the rows of one reader; conditions in ``where`` follow from the reader and the scope alone."""
        key = (reader, channel, self._scope)
        with self._audited(asked_words(reader, channel), client_id):
            self._scope.require_reader(reader)
            with self._reading() as connection:
                self._require_client(connection, client_id)

                def frame() -> pl.DataFrame:
                    query = self._prepared(
                        (reader, channel, client_id is None),
                        lambda: (
                            select(*self._visible_columns(columns))
                            .select_from(source)
                            .where(*where, *self._owned_by(owner, of_one=client_id is not None))
                        ),
                    )
                    rows = fetch(connection, query, asked_for(client_id))
                    return rows if rows.height < 2 else rows.sort(*(order or rows.columns[:1]))

                return self._once((*key, client_id), frame)

    def _prepared(
        self, key: tuple[Hashable, ...], make: Callable[[], Select[*tuple[Any, ...]]]
    ) -> Select[*tuple[Any, ...]]:
        """Give a query of this scope, written once: it follows from the key alone, and names nobody."""
        if self._scope.among is not None:  # part of a list that is worked through: it does not come again
            return make()
        queries, key = self._shared.queries, (self._scope, *key)
        query = queries.get(key)
        if query is None:
            if len(queries) >= _MOST_QUERIES:
                queries.clear()
            query = queries[key] = make()
        return query

    def _once(self, asked: tuple[Hashable, ...], read: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        """Give what this snapshot has read of one client before; ``asked`` ends with the client, or None."""
        snapshot = self._open_snapshot
        if snapshot is None or asked[-1] is None:
            return read()
        frame = snapshot.frames.get(asked)
        if frame is None:
            frame = snapshot.frames[asked] = read()
        return frame.clone()  # whoever adds a column to theirs adds it to nobody else's

    def _require_channel(self, reader: str, channel: Channel) -> None:
        if channel == "safety":
            self._scope.require("safety:read")
        elif channel == "care":
            self._scope.require_reader(reader)
        else:
            raise StoreError(f"channel is '{channel}'; accepted are 'care' and 'safety'.")

    def _require_client(self, connection: Connection, client_id: str | None) -> None:
        """Raise NotInRecord unless the client is within reach; within one snapshot the answer stays."""
        if client_id is None:
            return
        snapshot, key = self._open_snapshot, (self._scope, client_id)
        if snapshot is None or snapshot.connection is not connection:
            require_client(connection, self._scope, client_id)
        elif key not in snapshot.clients:
            require_client(connection, self._scope, client_id)
            snapshot.clients.add(key)


def asked_words(reader: str, channel: Channel) -> str:
    """Name what was asked for, as the audit log does."""
    return reader if channel == "care" else f"safety {reader}"


def asked_for(client_id: str | None, instrument: str | None = None) -> dict[str, str]:
    """Give the values of the parameters of a prepared query."""
    given = {_CLIENT: client_id, _INSTRUMENT: instrument}
    return {name: value for name, value in given.items() if value is not None}


def require_client(connection: Connection, scope: Scope, client_id: str) -> None:
    """Raise NotInRecord unless the client exists for this scope; names near it are offered from within it."""
    column = t.client.c.client_id
    known = select(column).where(*scope.reaches(column))
    if not is_id(client_id):
        raise NotInRecord(f"There is no client {quote(client_id)} on record.")
    if connection.execute(known.where(column == client_id)).first() is None:
        near = nearest(client_id, connection.execute(known.limit(2000)).scalars())
        hint = f" Nearest: {', '.join(near)}." if near else ""
        raise NotInRecord(f"There is no client '{client_id}' on record.{hint}")
