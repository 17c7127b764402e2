"""The record as the rest of mbc meets it: open it, read from it, write to it, narrow it to one user."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Self

from sqlalchemy import func, select

from mbc.errors import AccessDenied
from mbc.store import migrations
from mbc.store.access.roles import Permission, Scope, User, counting_scope_of, scope_of
from mbc.store.accounts.accounts import Accounts
from mbc.store.accounts.break_glass import BreakGlass
from mbc.store.accounts.own_account import OwnAccount
from mbc.store.askings import Askings
from mbc.store.audit.log import operator
from mbc.store.backup.store_methods import Backups
from mbc.store.caseloads import Caseloads
from mbc.store.clinic_models import ClinicModels
from mbc.store.clinic_settings import ClinicSettings
from mbc.store.database import addresses
from mbc.store.database import engine as engines
from mbc.store.database.encryption_keys import given
from mbc.store.reading.care_state import care_state, care_states
from mbc.store.reading.provenance import Provenance
from mbc.store.reading.readers import Readers
from mbc.store.releases import Releases
from mbc.store.retention import Retention
from mbc.store.schema import tables as t
from mbc.store.schema.validation import check_text
from mbc.store.upkeep import Maintenance
from mbc.store.view import SharedState
from mbc.store.writing.writable_view import WritableView


class Store(
    Readers, Provenance, BreakGlass, Backups, Maintenance, Caseloads, Retention, ClinicModels, ClinicSettings,
    Releases, Askings, WritableView,
):  # fmt: skip
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

    @classmethod
    def open(
        cls,
        url: str,
        *,
        create: bool = False,
        key: str | None = None,
        upgrade: bool = False,
        busy_seconds: float = engines.BUSY_SECONDS,
    ) -> Store:
        """Open a record.

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
        upgrade : bool
            Bring a record of an older mbc up to date, without a copy; the command ``mbc upgrade`` makes one.
        busy_seconds : float
            How long to wait, each time, for another program that is writing; a server waits less than a command.

        Returns
        -------
        Store
            The record, all of it; `as_user` narrows it to one account. Close it, or use it in a ``with`` block.

        Raises
        ------
        StoreNotFound
            If there is no record yet.
        StoreNewer
            If a newer mbc wrote it.
        StoreOlder
            If an older mbc wrote it, and it is not to be upgraded: nothing of it is changed.
        StoreError
            If it cannot be opened.
        WrongKey
            If it is encrypted with another key.
        SettingsError
            If ``url`` is not the address of a record, or there is no key to be had.

        Examples
        --------
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     address = f"sqlite:///{Path(folder, 'clinic.db').as_posix()}"
        ...     Store.create(address).close()
        ...     with Store.open(address) as store:
        ...         store.clients().shape
        (0, 5)
        """
        return cls._opened(
            url, create=create, must_be_new=False, key=key, upgrade=upgrade, busy_seconds=busy_seconds
        )

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
    def _opened(
        cls,
        url: str,
        *,
        create: bool,
        must_be_new: bool,
        key: str | None,
        upgrade: bool = False,
        busy_seconds: float = engines.BUSY_SECONDS,
    ) -> Store:
        place = addresses.address(url)
        engine = migrations.prepare(
            place,
            create=create,
            must_be_new=must_be_new,
            key=given(key),
            busy_seconds=busy_seconds,
            older="upgrade" if upgrade else "refuse",
        )
        return cls(SharedState(engine), Scope(who=operator()))

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
        return addresses.display_address(self._engine.url)

    @property
    def user(self) -> User | None:
        """Whose view this is; nobody's for the operator."""
        return self._scope.user

    @property
    def reach(self) -> Scope:
        """Everything that decides what this view may meet: views of equal reach meet the same."""
        return self._scope

    @property
    def open_until(self) -> datetime | None:
        """Until when this view lasts (UTC), if it is an emergency access."""
        return self._scope.until

    def has_permission(self, permission: Permission) -> bool:
        """Say whether this view holds a permission, so that a page can leave out what is not to be had."""
        return self._scope.has_permission(permission)

    def can_read(self, reader: str) -> bool:
        """Say whether this view has a reader, by its name."""
        return self._scope.may_read(reader)

    def can_write(self, kind: type) -> bool:
        """Say whether this view may write records of a kind, so that a page can leave its form out."""
        return self._scope.may_write(kind)

    def from_origin(self, origin: str) -> Store:
        """Give the whole record again; its lines in the audit trail name another place: a network address.

        Raises
        ------
        AccessDenied
            If this view is somebody's: nobody says of themselves where they come from.
        """
        if self._scope.user is not None or self._scope.masked:
            raise AccessDenied(f"{self._scope.who} cannot set their origin.")
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
            raise AccessDenied(f"{self._scope.who} cannot act as another user.")
        name = user.username if isinstance(user, User) else user
        active = Accounts(self._shared, Scope(who="mbc"), self._log).active(name)
        return Store(self._shared, scope_of(active), origin=origin or f"{self._origin} ({self._scope.who})")

    def narrowed_to(self, client_ids: Collection[str]) -> Store:
        """Narrow this view to some of the clients within its reach; the others do not exist for it."""
        return self._view(replace(self._scope, among=frozenset(client_ids)))

    def prepared_for(self, username: str) -> Store:
        """Give a view that reads what a user may read, in nobody's name: to prepare what they will be shown.

        Raises
        ------
        AccessDenied
            If there is no active account of that name, or this is one user's view.
        """
        if self._scope.user is not None or self._scope.masked:
            raise AccessDenied(f"{self._scope.who} cannot act as another user.")
        active = Accounts(self._shared, Scope(who="mbc"), self._log).active(username)
        return self._view(replace(scope_of(active), who=self._scope.who, writes=frozenset(), user=None))

    def _counting(self, permission: Permission, purpose: str) -> Store:
        # no method of a user's view: see mbc.store._aggregate_view
        with self._audited(purpose, None, logged=False):
            scope = counting_scope_of(self._scope, permission)
        self._log(self.audit.line("aggregate", purpose=purpose))
        return self._view(scope)

    def revision(self) -> str:
        """Name the present state of the record: another one after every writing and every erasure.

        What was worked out from the record may be kept for as long as this stays the same. The operator's view
        alone gives it: a user's view would tell that something was written which they may not see.

        Raises
        ------
        AccessDenied
            If this view is a user's.

        Examples
        --------
        >>> from mbc import Store
        >>> with Store.create("sqlite://") as store:
        ...     store.revision()
        '0.0'
        """
        with self._audited("revision", None, logged=False):
            if self._scope.user is not None:
                raise AccessDenied(f"{self._scope.who} may not read the revision of the record.")
        entries = select(func.coalesce(func.max(t.entry.c.entry_id), 0)).scalar_subquery()
        tombstones = select(func.count()).select_from(t.tombstone).scalar_subquery()
        with self._reading() as connection:
            written, erased = connection.execute(select(entries, tombstones)).one()
        return f"{written}.{erased}"

    def care_revision(self) -> str:
        """Name the present state of the care channel, as far as this view reaches.

        Another one after every writing of the care channel that is not taken back, and after every erasure; the
        same after a writing of the safety channel. What is worked out for people is kept as long as it is this.

        Raises
        ------
        AccessDenied
            If this view may not read questionnaires.

        Examples
        --------
        >>> from mbc import Store
        >>> from mbc.store import Client
        >>> with Store.create("sqlite://") as store:
        ...     before = store.care_revision()
        ...     with store.writing(by="ann") as record:
        ...         _ = record.add(Client("C001"))
        ...     store.care_revision() == before
        False
        """
        with self._audited("revision", None, logged=False):
            self._scope.require_reader("administrations")
            with self._reading() as connection:
                return care_state(connection, self._scope)

    def care_states(self, client_id: str | None = None) -> dict[str, str]:
        """Name the present state of each client in the care channel, by client.

        Parameters
        ----------
        client_id : str, optional
            One client only; nothing is given for a client whom this view does not reach.

        Raises
        ------
        AccessDenied
            If this view may not read questionnaires.
        """
        with self._audited("revision", None, logged=False):
            self._scope.require_reader("administrations")
            with self._reading() as connection:
                return care_states(connection, self._scope, client_id)

    @property
    def accounts(self) -> Accounts:
        """Who may sign in. Needs the permission ``accounts:manage``."""
        with self._audited("accounts", None, logged=False):
            self._scope.require("accounts:manage")
        return Accounts(self._shared, self._scope, self._log, origin=self._origin)

    @property
    def own_account(self) -> OwnAccount:
        """What this user may do about their own account.

        Raises
        ------
        AccessDenied
            If this view is nobody's: the operator has no account.
        """
        with self._audited("own account", None, logged=False):
            if self._scope.user is None or self._scope.masked or self._scope.only is not None:
                raise AccessDenied(f"{self._scope.who} has no account here.")
        accounts = Accounts(self._shared, self._scope, self._log, origin=self._origin)
        return OwnAccount(accounts, self._scope.user.username)
