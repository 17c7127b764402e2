"""Who did what, when and from where: a chain in which no line can be changed, removed or moved unseen."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, Engine, func, insert, select

from mbc.store import engine as engines
from mbc.store import tables as t
from mbc.store.access import Scope
from mbc.store.chain import GENESIS, ChainReport, Line, chained, verify_chain
from mbc.store.fetching import fetch
from mbc.store.tombstones import erased_among

_LOCK = 7_265_623_001  # any number of our own: writers to PostgreSQL line up for the chain's end


class Audit:
    """The audit trail as one user meets it: everybody's deeds are added, few may read them."""

    def __init__(self, engine: Engine, scope: Scope, *, origin: str, tell: Callable[[Line], None]) -> None:
        self._engine = engine
        self._scope = scope
        self._origin = origin
        self._tell = tell

    def line(self, action: str, *, subject: str | None = None, **detail: Any) -> Line:
        """Make a line of now."""
        text = json.dumps(detail, sort_keys=True, default=str)
        return Line(datetime.now(UTC), self._scope.who, action, subject, text, self._origin)

    def record(self, action: str, *, subject: str | None = None, **detail: Any) -> None:
        """Add a line: a sign-in, an export, a refusal, a read of a client."""
        self._tell(self.line(action, subject=subject, **detail))

    def entries(self, *, last: int | None = None) -> pl.DataFrame:
        """Read the trail, oldest first: sequence, at, who, action, subject, detail, origin.

        Raises
        ------
        AccessDenied
            Without the permission ``audit:read``.
        """
        self._scope.require("audit:read")
        c = t.audit.c
        query = select(c.sequence, c.at, c.who, c.action, c.subject, c.detail, c.origin)
        query = query.order_by(c.sequence.desc()).limit(last) if last is not None else query
        with engines.reading(self._engine) as connection:
            return fetch(connection, query).sort("sequence")

    def verify(self) -> ChainReport:
        """Walk the whole chain and name each line that does not follow from the one before."""
        with engines.reading(self._engine) as connection:
            return verify_chain(connection)


def append(connection: Connection, lines: Sequence[Line]) -> None:
    """Add lines to the chain inside a transaction that writes."""
    line_up(connection)
    sequence, previous = _head(connection)
    rows = list(chained(nobody_erased(connection, lines), sequence, previous))
    if rows:
        connection.execute(insert(t.audit), rows)


def line_up(connection: Connection) -> None:
    """Wait for the chain's end: until this transaction is over nobody else adds a line."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def nobody_erased(connection: Connection, lines: Sequence[Line]) -> list[Line]:
    """Put the tombstone's name where a line would name somebody who was erased: one who asks for them, say."""
    named = {line.subject for line in lines if line.subject is not None}
    stones = erased_among(connection, named)
    return [
        replace(line, subject=stones[line.subject].tombstone_id) if line.subject in stones else line
        for line in lines
    ]


def _head(connection: Connection) -> tuple[int, str]:
    c = t.audit.c
    last = connection.execute(select(c.sequence, c.digest).order_by(c.sequence.desc()).limit(1)).first()
    return (0, GENESIS) if last is None else (last.sequence, last.digest)
