"""The record as the rest of mbc meets it: open it, read from it, write to it, narrow it to one user."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import TracebackType
from typing import Any, Self, get_args

import polars as pl
from sqlalchemy import Engine

from mbc.errors import AccessDenied, Conflict, IdentifierTaken, MbcError, NotInRecord, StoreError
from mbc.store import migrations
from mbc.store.access.roles import Permission, Scope, User, counting_scope_of, scope_of
from mbc.store.accounts.accounts import Accounts
from mbc.store.audit.hash_chain import Line
from mbc.store.audit.log import Audit, append, operator
from mbc.store.audit.recent_events import Recent
from mbc.store.database import engine as engines
from mbc.store.database.encryption_keys import given
from mbc.store.reading.last_session import LastHeld
from mbc.store.schema.records import Administration, ImportSource
from mbc.store.schema.validation import check_text, is_id, shown
from mbc.store.upkeep import Upkeep
from mbc.store.writing import administrations
from mbc.store.writing import ownership as belonging
from mbc.store.writing.administration_batch import in_batches
from mbc.store.writing.result import Outcome, Preview
from mbc.store.writing.transaction import Writing

_Subject = str | Callable[[], str | None] | None
_READ_WINDOW = timedelta(minutes=15)  # one line says that a client was read, not one per chart on the page
_LONGEST_NAME = 64
_MOST_TOLD = 10_000  # a server that runs for months forgets, and tells once more


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Shared:
    """What all views of one open record share."""

    engine: Engine
    clock: Callable[[], datetime] = _now  # tests turn it
    recent: Recent = field(init=False)
    busy: threading.local = field(default_factory=threading.local)  # .queue: lines for the open transaction
    told: dict[tuple[str, str, bool, str | None], datetime] = field(default_factory=dict)  # reads in the trail
    held: LastHeld = field(default_factory=LastHeld)

    def __post_init__(self) -> None:
        self.recent = Recent(self.engine)


class Store(Upkeep):
    """A longitudinal record, whole (for the operator at the command line) or narrowed to one user.

    Examples
    --------
    >>> from datetime import date
    >>> from mbc.store import Administration, Client
    >>> with Store.create("sqlite://") as store:
    ...     with store.writing(by="ann") as record:
    ...         _ = record.add(Client("C001"))
    ...         answers = (3, 2, 2, 1, 0, 2, 3, 1, 2, 2)
    ...         outcome = record.add(Administration("C001", "rses", date(2026, 1, 5), answers))
    ...     outcome, store.answers("rses").height
    ('stored', 10)
    """

    def __init__(self, shared: Shared, scope: Scope, *, origin: str = "command line") -> None:
        self._shared = shared
        self._engine = shared.engine
        self._scope = scope
        self._origin = origin

    @classmethod
    def open(cls, url: str, *, create: bool = False, key: str | None = None) -> Store:
        """Open a record; an older one is brought up to date first.

        Parameters
        ----------
        url : str
            ``sqlite:///clinic.db`` (a file beside you), ``sqlite:////srv/clinic.db`` (an absolute path),
            ``sqlcipher:///clinic.db`` (an encrypted file) or ``postgresql://user@host/database``.
        create : bool
            Make a new record when there is none.
        key : str, optional
            Opens an encrypted record. Else it is taken from ``MBC_STORE_KEY``, the file that
            ``MBC_STORE_KEY_FILE`` names, the system's keyring, or asked for at the terminal.

        Raises
        ------
        StoreNotFound
            If there is no record yet.
        StoreNewer
            If a newer mbc wrote it.
        StoreError
            If it cannot be opened.
        WrongKey
            If it is encrypted with another key.
        SettingsError
            If ``url`` is not the address of a record, or there is no key to be had.
        """
        return cls._opened(url, create=create, must_be_new=False, key=key)

    @classmethod
    def create(cls, url: str, *, key: str | None = None) -> Store:
        """Make a new record; see `open` for its address and key.

        Raises
        ------
        Conflict
            If there is one already.
        StoreError
            If it cannot be made there.
        """
        return cls._opened(url, create=True, must_be_new=True, key=key)

    @classmethod
    def _opened(cls, url: str, *, create: bool, must_be_new: bool, key: str | None) -> Store:
        place = engines.address(url)
        engine = migrations.prepare(place, create=create, must_be_new=must_be_new, key=given(key))
        return cls(Shared(engine), Scope(who=operator()))

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({self.url!r}, as {self._scope.who!r})"

    @property
    def url(self) -> str:
        """Where the record is, without its password."""
        return engines.shown(self._engine.url)

    @property
    def user(self) -> User | None:
        """Whose view this is; nobody's for the operator."""
        return self._scope.user

    @property
    def open_until(self) -> datetime | None:
        """Until when this view lasts (UTC), if it is of a record that was opened out of turn."""
        return self._scope.until

    def can(self, permission: Permission) -> bool:
        """Say whether this view holds a permission, so that a page can leave out what is not to be had."""
        return self._scope.can(permission)

    def has_reader(self, reader: str) -> bool:
        """Say whether this view has a reader, by its name."""
        return self._scope.may_read(reader)

    def from_origin(self, origin: str) -> Store:
        """Give the whole record again; its lines in the audit trail name another place: a network address.

        Raises
        ------
        AccessDenied
            If this view is somebody's: nobody says of themselves where they come from.
        """
        if self._scope.user is not None or self._scope.masked:
            raise AccessDenied(f"{self._scope.who} cannot say where they come from.")
        return Store(self._shared, self._scope, origin=check_text("origin", origin))

    def as_user(self, user: str | User, *, origin: str | None = None) -> Store:
        """Narrow the record to what one user may meet; everything else does not exist for them.

        Parameters
        ----------
        user : str or User
            An active account, by its name. What it may do is read anew from the record, whatever a `User` says.
        origin : str, optional
            Where they come from, for the audit trail: a network address. Otherwise the trail names whoever looks
            through their eyes.

        Raises
        ------
        AccessDenied
            If there is no active account of that name, or this view is narrowed already.
        """
        if self._scope.user is not None or self._scope.masked:
            raise AccessDenied(f"{self._scope.who} cannot look through the eyes of another user.")
        name = user.username if isinstance(user, User) else user
        active = Accounts(self._shared, Scope(who="mbc"), self._tell).active(name)
        return Store(self._shared, scope_of(active), origin=origin or f"{self._origin} ({self._scope.who})")

    def _counting(self, permission: Permission, purpose: str) -> Store:
        # no method of a user's view: see mbc.store.aggregate_view
        with self._asking(purpose, None, told=False):
            scope = counting_scope_of(self._scope, permission)
        self._tell(self.audit.line("aggregate", purpose=purpose))
        return self._view(scope)

    def _view(self, scope: Scope) -> Store:
        return Store(self._shared, scope, origin=self._origin)

    def _line(self, action: str, client_id: str, **detail: Any) -> None:
        self._tell(self.audit.line(action, subject=client_id, **detail))

    @contextmanager
    def writing(self, *, by: str | None = None, source: ImportSource | None = None) -> Iterator[Writing]:
        """Open one transaction: everything added inside is kept when the block ends well, and nothing otherwise.

        Parameters
        ----------
        by : str, optional
            Who writes; the user of this view, or whoever runs the command.
        source : ImportSource, optional
            The file that the rows come from.

        Yields
        ------
        Writing
            Its ``add`` and ``add_all`` write records.
        """
        who, record = self._writer(by), None
        named = lambda: None if record is None else record.only_named  # noqa: E731 - read when something is refused
        with self._asking("writing", named, told=False), self._queued() as queue:
            with engines.writing(self._engine) as connection:
                record = Writing(connection, self._scope, by=who, now=datetime.now(UTC), source=source)
                yield record
                line = self.audit.line("write", subject=record.only_client, by=who, **record.summary())
                append(connection, [*queue, line])
            queue.clear()

    def preview(
        self,
        questionnaires: Iterable[Administration] | pl.DataFrame,
        *,
        supersede: bool = False,
        new_clients: Collection[str] = (),
    ) -> list[Preview]:
        """Say what adding administrations would do, one by one, and why one would be refused. Writes nothing.

        Parameters
        ----------
        questionnaires : iterable of Administration, or polars.DataFrame
            In the order in which they would be added; a frame as `Writing.add_frame` takes it.
        supersede : bool
            Whether other content for an occasion would be a correction.
        new_clients : collection of str
            Clients that would be added before them.
        """
        occasions, known = administrations.Occasions(), belonging.Known(self._scope)
        found: list[Preview] = []
        refused: set[str] = set()
        with self._asking("preview", None, told=False), engines.reading(self._engine) as connection:
            self._scope.require_writer(Administration)
            known.expect(connection, new_clients)
            for batch in in_batches(questionnaires):
                known.load(connection, batch.client_id)
                keyed = administrations.Keyed.of(batch)
                occasions.load(connection, keyed.occasions)
                for place, client_id in enumerate(batch.client_id):
                    try:
                        belonging.require_administration(known, batch, place)
                        known.require_channel(connection, batch.instrument[place], batch.channel[place])
                        found.append(_PREVIEWS[occasions.place(keyed, place, 0, supersede=supersede).outcome])
                    except MbcError as fault:
                        found.append(Preview("refused", str(fault)))
                        if isinstance(fault, (AccessDenied, NotInRecord)):
                            refused.add(client_id)
        if refused and self._scope.user is not None:  # nothing was written, but what is there was asked for
            subject = refused.pop() if len(refused) == 1 else None
            self._tell(self.audit.line("refused", subject=subject, asked="preview"))
        return found

    def last_held_on(self) -> date | None:
        """Give the last day on which a session was held with anybody whom this view reaches.

        Raises
        ------
        AccessDenied
            If this user may not read sessions.
        """
        with self._asking("sessions", None, told=False):
            self._scope.require_reader("sessions")
            with engines.reading(self._engine) as connection:
                return self._shared.held.on(connection, self._scope)

    @property
    def accounts(self) -> Accounts:
        """Who may sign in. Needs the permission ``accounts:manage``."""
        with self._asking("accounts", None, told=False):
            self._scope.require("accounts:manage")
        return Accounts(self._shared, self._scope, self._tell, origin=self._origin)

    @property
    def audit(self) -> Audit:
        """Who did what: everybody may add, reading needs ``audit:read``."""
        return Audit(self._engine, self._scope, origin=self._origin, tell=self._tell)

    def _writer(self, by: str | None) -> str:
        if by is None or by == self._scope.who:
            return self._scope.who
        if self._scope.user is not None:
            with self._asking("writing in the name of another", None, told=False):
                raise AccessDenied(f"{self._scope.who} cannot write in the name of {by}.")
        if len(check_text("by", by)) > _LONGEST_NAME:
            raise StoreError(f"by is {shown(by)}; at most {_LONGEST_NAME} characters name who writes.")
        return by

    def _tell(self, *lines: Line) -> None:
        """Add lines to the audit trail: at once, or with the transaction that this thread has open."""
        queue: list[Line] | None = getattr(self._shared.busy, "queue", None)
        if queue is not None:
            queue.extend(lines)
            return
        with engines.writing(self._engine) as connection:
            append(connection, lines)

    @contextmanager
    def _queued(self) -> Iterator[list[Line]]:
        # while this thread holds the write lock, a line written on another connection would wait for it for ever
        if getattr(self._shared.busy, "queue", None) is not None:
            raise Conflict("A writing is open already. End it before the next one begins.")
        queue: list[Line] = []
        self._shared.busy.queue = queue
        try:
            yield queue
        finally:
            self._shared.busy.queue = None
            if queue:  # rolled back, but what was read was read
                self._tell(*queue)

    @contextmanager
    def _asking(self, what: str, client_id: _Subject, *, told: bool = True) -> Iterator[None]:
        """Keep the audit trail of what is asked for: refusals always, reads of persons once in a while."""
        try:
            self._require_open()
            yield
        except (AccessDenied, NotInRecord, IdentifierTaken) as fault:
            if self._scope.user is not None:
                named = client_id() if callable(client_id) else client_id or self._scope.only
                subject = named if is_id(named) else None
                self._tell(self.audit.line("refused", subject=subject, asked=what, fault=type(fault).__name__))
            raise
        if told and not self._scope.masked and not callable(client_id):
            self._tell_of_read(what, client_id)

    def _require_open(self) -> None:
        until = self._scope.until
        if until is not None and self._shared.clock() >= until:
            raise AccessDenied(f"This record was open until {until:%H:%M} UTC. Open it again, with a reason.")

    def _tell_of_read(self, what: str, client_id: str | None) -> None:
        # a client is named also when everybody was read a moment ago: a list is not yet their record
        safety, client_id = what.startswith("safety"), client_id or self._scope.only
        now, key = datetime.now(UTC), (self._scope.who, self._origin, safety, client_id)
        before = self._shared.told.get(key)
        if before is not None and now - before < _READ_WINDOW:
            return
        if len(self._shared.told) > _MOST_TOLD:
            self._shared.told.clear()
        action = "read safety" if safety else "read"
        self._tell(self.audit.line(action, subject=client_id, asked=what))
        self._shared.told[key] = now


_PREVIEWS = {outcome: Preview(outcome) for outcome in get_args(Outcome)}
