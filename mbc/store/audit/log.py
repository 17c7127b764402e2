"""Who did what, when and from where: a chain in which no line can be changed, removed or moved unseen."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, Engine, func, insert, select

from mbc.errors import AccessDenied, StoreError
from mbc.store.access.roles import Permission, Scope
from mbc.store.audit import query as trail
from mbc.store.audit.hash_chain import GENESIS, ChainReport, Line, chain_lines, verify_chain
from mbc.store.audit.tombstones import erased_among
from mbc.store.database import engine as engines
from mbc.store.schema import tables as t

WRITE_SAFETY = "write safety"  # what was written in the safety channel: a line of its own
# What the store itself writes down: nobody else can claim that it happened, or what a seal should be.
RESERVED = frozenset(
    {
        "write", WRITE_SAFETY, "read", "read safety", "aggregate",
        "sign-in", "sign-in refused", "sign-in ended", "sign-out",
        "account added", "account enabled", "account disabled", "account restored", "password changed",
        "permission granted", "permission withdrawn", "supervision added", "supervision ended", "access reviewed",
        "link made", "change requested", "change confirmed", "change declined",
        "release made", "setting changed", "second factor added", "second factor removed", "password accepted",
        "passkey added", "passkey removed", "provider account added", "provider account removed",
        "signed out everywhere", "signed out by provider",
        "break glass", "glass closed",
        "erase", "upgrade", "rescore", "model kept",
        "backup", "restore", "encrypt", "change key",
        "asking made", "asking made safety", "asking withdrawn", "asking withdrawn safety",
    }
)  # fmt: skip
_LONGEST_NAME = 64
_LOCK = 7_265_623_001  # any number of our own: writers to PostgreSQL line up for the chain's end


class Audit:
    """The audit trail as one user meets it: everybody's deeds are added, few may read them."""

    def __init__(self, engine: Engine, scope: Scope, *, origin: str, log: Callable[[Line], None]) -> None:
        self._engine = engine
        self._scope = scope
        self._origin = origin
        self._log = log

    def line(self, action: str, *, subject: str | None = None, **detail: Any) -> Line:
        """Make a line of now, by whoever's view this is."""
        text = json.dumps(detail, sort_keys=True, default=str)
        return Line(datetime.now(UTC), self._scope.who, action, subject, text, self._origin)

    def record(self, action: str, *, subject: str | None = None, **detail: Any) -> None:
        """Add a line: an export, a refusal. What only few may read goes under the key ``safety``.

        Raises
        ------
        StoreError
            If the action is one that the store writes down itself.
        """
        if action in RESERVED:
            raise StoreError(f"'{action}' is logged by the record itself when it happens.")
        self._log(self.line(action, subject=subject, **detail))

    def entries(
        self,
        *,
        last: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        who: str | None = None,
        action: str | None = None,
        subject: str | None = None,
        include_safety: bool = False,
    ) -> pl.DataFrame:
        """Read the trail, oldest first: sequence, at, who, action, subject, detail, origin.

        ``sequence`` is null without the permission ``safety:read``.

        Parameters
        ----------
        last : int, optional
            Only so many of the newest lines.
        since, until : datetime, optional
            Only lines from the first moment on, and before the second; both with their time zone.
        who, action, subject : str, optional
            Only lines of this account, of this action, about this client or account.
        include_safety : bool
            Also what tells of the safety channel; needs the permission ``safety:read`` as well.

        Raises
        ------
        AccessDenied
            Without the permission ``audit:read``.
        """
        self._require("audit:read", "audit trail")
        if include_safety:
            self._require("safety:read", "audit trail")
        query = trail.query_of(since=since, until=until, who=who, action=action, subject=subject)
        with engines.reading(self._engine) as connection:
            lines = trail.newest(connection, query, last, include_safety=include_safety)
        if not self._scope.has_permission("safety:read"):  # a number that is missing would tell of a line left out
            lines = lines.with_columns(pl.lit(None, pl.Int64).alias("sequence"))
        if self._scope.user is not None:  # of what was shown: how many were left out tells of the safety channel
            self._log(self.line("audit read", lines=lines.height))
        return lines

    def verify(self) -> ChainReport:
        """Walk the whole chain and name each line that does not follow from the one before.

        Raises
        ------
        AccessDenied
            Without the permission ``audit:read``.
        """
        self._require("audit:read", "verification")
        with engines.reading(self._engine) as connection:
            return verify_chain(connection)

    def _require(self, permission: Permission, asked: str) -> None:
        try:
            self._scope.require(permission)
        except AccessDenied as fault:
            if self._scope.user is not None:
                self._log(self.line("refused", asked=asked, fault=type(fault).__name__))
            raise


def operator() -> str:
    """Name whoever runs the command."""
    try:
        return f"operator {getpass.getuser()}"[:_LONGEST_NAME]
    except (KeyError, OSError):  # a container's user may have no name
        return "operator"


def operators_line(action: str, subject: str | None = None, **detail: Any) -> Line:
    """Make a line of now about what the operator does to the record as a whole."""
    text = json.dumps(detail, sort_keys=True)
    return Line(datetime.now(UTC), operator(), action, subject, text, "command line")


def append(connection: Connection, lines: Sequence[Line]) -> None:
    """Add lines to the chain inside a transaction that writes."""
    lock_log(connection)
    sequence, previous = _head(connection)
    rows = list(chain_lines(nobody_erased(connection, lines), sequence, previous))
    if rows:
        connection.execute(insert(t.audit), rows)


def lock_log(connection: Connection) -> None:
    """Wait for the chain's end: until this transaction is over nobody else adds a line."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def nobody_erased(connection: Connection, lines: Sequence[Line]) -> list[Line]:
    """Put the tombstone's name where a line would name somebody who was erased: one who asks for them, say."""
    named = {line.subject for line in lines if line.subject is not None}
    erased_clients = erased_among(connection, named)
    return [
        replace(line, subject=erased_clients[line.subject].tombstone_id)
        if line.subject in erased_clients
        else line
        for line in lines
    ]


def _head(connection: Connection) -> tuple[int, str]:
    c = t.audit.c
    last = connection.execute(select(c.sequence, c.digest).order_by(c.sequence.desc()).limit(1)).first()
    return (0, GENESIS) if last is None else (last.sequence, last.digest)
