"""Who did what, when and from where: a chain in which no line can be changed, removed or moved unseen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, Engine, func, insert, select

from mbc.store import engine as engines
from mbc.store import tables as t
from mbc.store.access import Scope
from mbc.store.fetching import fetch

_GENESIS = "0" * 64
_LOCK = 7_265_623_001  # any number of our own: writers to PostgreSQL line up for the chain's end


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was done."""

    at: datetime  # UTC
    who: str
    action: str
    subject: str | None
    detail: str  # JSON
    origin: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What checking the chain found; ``head`` can be noted elsewhere and compared later."""

    lines: int
    head: str
    faults: tuple[str, ...]

    @property
    def intact(self) -> bool:
        """Say whether every line follows from the one before."""
        return not self.faults


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
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    sequence, previous = _head(connection)
    rows: list[dict[str, Any]] = []
    for line in lines:
        sequence += 1
        digest = _digest(sequence, line, previous)
        rows.append(
            {
                "sequence": sequence,
                "at": line.at,
                "who": line.who,
                "action": line.action,
                "subject": line.subject,
                "detail": line.detail,
                "origin": line.origin,
                "previous": previous,
                "digest": digest,
            }
        )
        previous = digest
    if rows:
        connection.execute(insert(t.audit), rows)


def verify_chain(connection: Connection) -> ChainReport:
    """Recompute every digest in order."""
    faults: list[str] = []
    expected, previous = 0, _GENESIS
    for sequence, line, stored_previous, digest in _stored(connection):
        expected += 1
        if sequence != expected:
            faults.append(f"Lines {expected} to {sequence - 1} are missing.")
            expected = sequence
        elif stored_previous != previous:
            faults.append(
                f"Line {sequence} does not follow line {sequence - 1}: one of them was replaced or moved."
            )
        if _digest(sequence, line, stored_previous) != digest:
            faults.append(f"Line {sequence} was changed after it was written.")
        previous = digest
    return ChainReport(lines=expected, head=previous, faults=tuple(faults))


def _head(connection: Connection) -> tuple[int, str]:
    c = t.audit.c
    last = connection.execute(select(c.sequence, c.digest).order_by(c.sequence.desc()).limit(1)).first()
    return (0, _GENESIS) if last is None else (last.sequence, last.digest)


def _stored(connection: Connection) -> Iterator[tuple[int, Line, str, str]]:
    rows = connection.execute(select(t.audit).order_by(t.audit.c.sequence).execution_options(yield_per=10_000))
    for row in rows:
        line = Line(row.at, row.who, row.action, row.subject, row.detail, row.origin)
        yield row.sequence, line, row.previous, row.digest


def _digest(sequence: int, line: Line, previous: str) -> str:
    moment = line.at.astimezone(UTC).isoformat(timespec="microseconds")
    parts = [previous, sequence, moment, line.who, line.action, line.subject, line.detail, line.origin]
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()
