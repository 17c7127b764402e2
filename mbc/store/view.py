"""What every part of a store shares: one open record, seen within one scope, with its audit trail."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Hashable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import polars as pl
from sqlalchemy import Connection, Engine, Select

from mbc.errors import AccessDenied, Conflict, IdentifierTaken, NotInRecord, StoreError
from mbc.store.access.roles import Scope
from mbc.store.audit.hash_chain import Line
from mbc.store.audit.log import Audit, append
from mbc.store.audit.recent_events import Recent
from mbc.store.database import engine as engines
from mbc.store.database.score_key import ScoreKey
from mbc.store.schema.validation import check_text, is_id, quote

Subject = str | Callable[[], str | None] | None
_READ_WINDOW = timedelta(minutes=15)  # one line says that a client was read, not one per chart on the page
_LONGEST_NAME = 64
_MOST_LOGGED_READS = 10_000  # a server that runs for months forgets, and logs once more


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class OpenSnapshot:
    """One consistent view of the record, with what was read of single clients: it cannot change meanwhile."""

    connection: Connection
    clients: set[tuple[Scope, str]] = field(default_factory=set[tuple[Scope, str]])  # that each scope reaches
    frames: dict[Hashable, pl.DataFrame] = field(default_factory=dict[Hashable, pl.DataFrame])


@dataclass(slots=True)
class SharedState:
    """What all views of one open record share."""

    engine: Engine
    clock: Callable[[], datetime] = _now  # tests turn it
    recent: Recent = field(init=False)
    thread: threading.local = field(default_factory=threading.local)  # .queue: audit lines to write; .snapshot
    logged_reads: dict[tuple[str, str, bool, str | None], datetime] = field(
        default_factory=dict[tuple[str, str, bool, str | None], datetime]
    )
    queries: dict[Hashable, Select[*tuple[Any, ...]]] = field(  # of readers, by all that they depend on
        default_factory=dict[Hashable, Select[*tuple[Any, ...]]]
    )
    score_key: ScoreKey = field(init=False)

    def __post_init__(self) -> None:
        self.recent = Recent(self.engine)
        self.score_key = ScoreKey(self.engine)


class RecordView:
    """One open record within one scope: the base of every part of a store."""

    def __init__(self, shared: SharedState, scope: Scope, *, origin: str = "command line") -> None:
        self._shared = shared
        self._engine = shared.engine
        self._scope = scope
        self._origin = origin

    @property
    def audit(self) -> Audit:
        """Who did what: everybody may add, reading needs ``audit:read``."""
        return Audit(self._engine, self._scope, origin=self._origin, log=self._log)

    def _view(self, scope: Scope) -> Self:
        return type(self)(self._shared, scope, origin=self._origin)

    def _log_action(self, action: str, client_id: str, **detail: Any) -> None:
        self._log(self.audit.line(action, subject=client_id, **detail))

    def _log(self, *lines: Line) -> None:
        """Add lines to the audit trail: at once, or with the transaction that this thread has open."""
        queue: list[Line] | None = getattr(self._shared.thread, "queue", None)
        if queue is not None:
            queue.extend(lines)
            return
        with engines.writing(self._engine) as connection:
            append(connection, lines)

    @contextmanager
    def snapshot(self) -> Generator[None]:
        """Read everything inside the block from one moment, in one transaction of the database.

        A page is read this way: its parts cannot disagree, and the database is asked for a connection once. Lines
        of the audit trail are written when the block ends, before anybody is shown what was read.

        Examples
        --------
        >>> from mbc import Store
        >>> with Store.create("sqlite://") as store, store.snapshot():
        ...     store.clients().height, store.goals().height
        (0, 0)
        """
        thread = self._shared.thread
        if self._open_snapshot is not None:
            yield
            return
        queued = contextlib.nullcontext() if getattr(thread, "queue", None) is not None else self._queued()
        with queued, engines.reading(self._engine) as connection:
            thread.snapshot = OpenSnapshot(connection)
            try:
                yield
            finally:
                thread.snapshot = None

    @property
    def _open_snapshot(self) -> OpenSnapshot | None:
        """The snapshot that this thread has open."""
        return getattr(self._shared.thread, "snapshot", None)

    @contextmanager
    def _reading(self) -> Generator[Connection]:
        """Give the connection of the snapshot that this thread has open, or one for this question alone."""
        snapshot = self._open_snapshot
        if snapshot is not None:
            yield snapshot.connection
            return
        with engines.reading(self._engine) as connection:
            yield connection

    @contextmanager
    def _queued(self) -> Generator[list[Line]]:
        # while this thread holds the write lock, a line written on another connection would wait for it for ever
        if getattr(self._shared.thread, "queue", None) is not None:
            raise Conflict("A transaction or a snapshot is already open. End it before the next one begins.")
        queue: list[Line] = []
        self._shared.thread.queue = queue
        try:
            yield queue
        finally:
            self._shared.thread.queue = None
            if queue:  # rolled back, but what was read was read
                self._log(*queue)

    @contextmanager
    def _audited(self, what: str, client_id: Subject, *, logged: bool = True) -> Generator[None]:
        """Keep the audit trail of what is asked for: refusals always, reads of persons once in a while."""
        try:
            self._require_open()
            yield
        except (AccessDenied, NotInRecord, IdentifierTaken) as fault:
            if self._scope.user is not None:
                named = client_id() if callable(client_id) else client_id or self._scope.only
                subject = named if is_id(named) else None
                self._log(self.audit.line("refused", subject=subject, asked=what, fault=type(fault).__name__))
            raise
        if logged and not self._scope.masked and not callable(client_id):
            self._log_read(what, client_id)

    def _require_open(self) -> None:
        until = self._scope.until
        if until is not None and self._shared.clock() >= until:
            raise AccessDenied(f"This record was open until {until:%H:%M} UTC. Open it again, with a reason.")

    def _log_read(self, what: str, client_id: str | None) -> None:
        # a client is named also when everybody was read a moment ago: a list is not yet their record
        safety, client_id = what.startswith("safety"), client_id or self._scope.only
        now, key = datetime.now(UTC), (self._scope.who, self._origin, safety, client_id)
        before = self._shared.logged_reads.get(key)
        if before is not None and now - before < _READ_WINDOW:
            return
        if len(self._shared.logged_reads) > _MOST_LOGGED_READS:
            self._shared.logged_reads.clear()
        action = "read safety" if safety else "read"
        self._log(self.audit.line(action, subject=client_id, asked=what))
        self._shared.logged_reads[key] = now

    def _writer(self, by: str | None) -> str:
        if by is None or by == self._scope.who:
            return self._scope.who
        if self._scope.user is not None:
            with self._audited("writing in the name of another", None, logged=False):
                raise AccessDenied(f"{self._scope.who} cannot write in the name of {by}.")
        if len(check_text("by", by)) > _LONGEST_NAME:
            raise StoreError(f"by is {quote(by)}; at most {_LONGEST_NAME} characters name who writes.")
        return by
