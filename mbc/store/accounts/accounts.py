"""Who may sign in: accounts, argon2 hashes, and patience with somebody who guesses."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl
from sqlalchemy import Connection, delete, func, insert, select

from mbc.errors import AccessDenied, Conflict
from mbc.store.access.roles import ACCESS, Role, User
from mbc.store.accounts import account_state as states
from mbc.store.accounts import passwords
from mbc.store.accounts.account_rows import (
    account_name,
    add_each,
    require_clinicians,
    require_role,
)
from mbc.store.accounts.confirmations import Confirmations
from mbc.store.accounts.grants import AccessRequest
from mbc.store.accounts.passkeys import Passkeys
from mbc.store.audit.log import append
from mbc.store.database import engine as engines
from mbc.store.database.frames import fetch
from mbc.store.schema import tables as t

ASKED_ROLES = frozenset({"administrator", "safety_lead"})  # a second person lets such an account sign in


class Accounts(Passkeys, Confirmations):
    """The accounts of one record."""

    def add(
        self,
        username: str,
        password: str | None,
        role: Role,
        clinician_id: str | None = None,
        *,
        permissions: Collection[str] = (),
        supervises: Collection[str] = (),
    ) -> User:
        """Make an account.

        Parameters
        ----------
        username : str
            ``a-z 0-9 . _ @ -``; capitals are taken for small letters.
        password : str or None
            At least 12 characters, and not among the first that would be tried. Only an argon2 hash is kept. None:
            its owner chooses one, by a link (`make_link`).
        role : Role
            See `mbc.store.access.roles.ACCESS`.
        clinician_id : str, optional
            Whose caseload; a clinician's account needs it.
        permissions : collection of str
            Granted on top of the role: ``"safety:read"`` for a clinician or supervisor.
        supervises : collection of str
            For a supervisor: clinicians whose clients they see.

        Raises
        ------
        SettingsError
            If one of these is not acceptable.
        Conflict
            If the account exists.
        NotInRecord
            If a clinician does not.
        """
        name = account_name(username)
        require_role(role, clinician_id, permissions, supervises)
        hashed = passwords.NO_PASSWORD if password is None else passwords.hash_of(password, username=name)
        now, asks = datetime.now(UTC), self._asks
        granted = () if asks else permissions
        active = not (asks and role in ASKED_ROLES)
        with engines.writing(self._engine) as connection:
            require_clinicians(connection, {clinician_id, *supervises} - {None})
            if connection.execute(select(t.account.c.username).where(t.account.c.username == name)).first():
                raise Conflict(
                    f"Account '{name}' already exists. To change its password: mbc user password {name}"
                )
            row = {"username": name, "password_hash": hashed, "role": role, "clinician_id": clinician_id}
            row |= {"active": active, "created_at": now, "changed_at": now, "failures": 0}
            connection.execute(insert(t.account), row)
            add_each(connection, t.account_permission, name, "permission", granted)
            add_each(connection, t.supervision, name, "clinician_id", supervises)
            self._write(
                connection, states.ADDED, name, role=role, clinician=clinician_id,
                permissions=sorted(granted), supervises=sorted(supervises),
            )  # fmt: skip
        if not active:
            self._request("enable", name)
        for permission in sorted(set(permissions) - set(granted)):
            self._request("permission", name, (permission,))
        account = self._row(name)
        return self._user(account or {})

    def table(self) -> pl.DataFrame:
        """List the accounts and what each may do.

        username, role, clinician_id, active, created_at, locked_until, permissions (granted on top of the role),
        supervises, last_sign_in, reviewed_at, reviewed_by (the last access review).
        """
        c = t.account.c
        query = select(c.username, c.role, c.clinician_id, c.active, c.created_at, c.locked_until)
        with engines.reading(self._engine) as connection:
            accounts = fetch(connection, query).sort("username")
            granted = states.read_states(connection)
            seen = _latest(connection, "sign-in")
            reviewed = _latest(connection, states.REVIEWED)
        names = accounts["username"].to_list()
        moment = pl.Datetime("us", "UTC")
        return accounts.with_columns(
            pl.Series("permissions", [sorted(granted[name].permissions) for name in names], pl.List(pl.String)),
            pl.Series("supervises", [sorted(granted[name].supervises) for name in names], pl.List(pl.String)),
            pl.Series("last_sign_in", [seen[name][0] if name in seen else None for name in names], moment),
            pl.Series("reviewed_at", [reviewed[name][0] if name in reviewed else None for name in names], moment),
            pl.Series(
                "reviewed_by", [reviewed[name][1] if name in reviewed else None for name in names], pl.String
            ),
        )

    def describe(self, username: str) -> AccountReport:
        """Say what one account may do, since when, and by whom it was given.

        Raises
        ------
        NotInRecord
            If there is no such account.
        """
        name = self.require(username)
        row = self.table().filter(pl.col("username") == name).row(0, named=True)
        c = t.audit.c
        query = select(c.at, c.who, c.action, c.detail).where(c.subject == name, c.action.in_(_CHANGES))
        with engines.reading(self._engine) as connection:
            lines = connection.execute(query.order_by(c.sequence)).all()
        changes = tuple(Change(line.at, line.who, line.action, states.summary(line.detail)) for line in lines)
        return AccountReport(
            username=name,
            role=row["role"],
            clinician_id=row["clinician_id"],
            active=row["active"],
            role_permissions=tuple(sorted(ACCESS[row["role"]].permissions)),
            permissions=tuple(row["permissions"]),
            supervises=tuple(row["supervises"]),
            last_sign_in=row["last_sign_in"],
            reviewed_at=row["reviewed_at"],
            reviewed_by=row["reviewed_by"],
            changes=changes,
        )

    def set_password(self, username: str, password: str) -> None:
        """Give an account another password; it is unlocked, older sign-ins end, and passkeys are removed.

        Raises
        ------
        AccessDenied
            To an administrator: a password is chosen by whoever uses it, through a one-time link.
        """
        name = self.require(username)
        if self._asks:
            raise AccessDenied(f"{self._scope.who} cannot choose the password of another user. Give them a link.")
        self._set_password(name, password, keep_passkeys=False)

    def has_password(self, username: str) -> bool:
        """Say whether a password was chosen for an account."""
        return self._state(self.require(username)).password_hash != passwords.NO_PASSWORD

    def choose_password(self, username: str, password: str) -> None:
        """Give an account the password that its owner chose, signed in; every sign-in of it ends."""
        self._require_own(username)
        self._set_password(username, password)

    def end_all_sign_ins(self, username: str) -> None:
        """End every sign-in of an account, at its owner's wish."""
        self._require_own(username)
        with engines.writing(self._engine) as connection:
            self._change(connection, username)
            append(connection, [self._audit.line("signed out everywhere", subject=username)])

    def drop_factor(self, username: str) -> None:
        """Remove the second factor at its owner's wish."""
        self._require_own(username)
        self._remove_factor(username)

    def _set_password(self, name: str, password: str, *, keep_passkeys: bool = True) -> None:
        hashed = passwords.hash_of(password, username=name)
        with engines.writing(self._engine) as connection:
            if not keep_passkeys:
                connection.execute(delete(t.passkey).where(t.passkey.c.username == name))
            self._change(connection, name, password_hash=hashed, failures=0, locked_until=None)
            self._write(connection, states.PASSWORD, name)

    def set_active(self, username: str, *, active: bool) -> AccessRequest | None:
        """Disable an account, or let it sign in again. It is never deleted: the audit log names it.

        An administrator cannot disable their own account; to enable one that reaches the safety channel or other
        accounts is a request.

        Returns
        -------
        AccessRequest or None
            What somebody else has to confirm; None when it is done.
        """
        name = self.require(username)
        if self._asks and not active and name == self._scope.who:
            raise AccessDenied("You cannot disable your own account. Ask another administrator, or the operator.")
        if self._asks and active and not self._state(name).active and self._is_guarded(name):
            return self._request("enable", name)
        self._activate(name, active=active)
        return None


@dataclass(frozen=True, slots=True)
class Change:
    """A change of what an account may do, as the audit log has it."""

    at: datetime  # UTC
    who: str
    action: str
    about: str  # the permission, the clinicians


@dataclass(frozen=True, slots=True)
class AccountReport:
    """What one account may do, and since when."""

    username: str
    role: Role
    clinician_id: str | None
    active: bool
    role_permissions: tuple[str, ...]
    permissions: tuple[str, ...]  # granted on top of the role
    supervises: tuple[str, ...]
    last_sign_in: datetime | None
    reviewed_at: datetime | None
    reviewed_by: str | None
    changes: tuple[Change, ...]  # oldest first


_CHANGES = (*states.ACTIONS, states.REVIEWED)


def ways_in_words(accounts: Accounts, username: str) -> str:
    """Say by which ways an account can be signed in to, as pages and commands write it."""
    passkeys = len(accounts.passkeys(username))
    parts = [
        "password" if accounts.has_password(username) else "",
        "code of an app" if accounts.has_factor(username) else "",
        f"{passkeys} passkey{'' if passkeys == 1 else 's'}" if passkeys else "",
        *(f"{subject} at {issuer}" for issuer, subject in accounts.provider_accounts(username)),
    ]
    return ", ".join(filter(None, parts)) or "none"


def _latest(connection: Connection, action: str) -> dict[str, tuple[datetime, str]]:
    """Give when, and by whom, something was last done to each account."""
    c = t.audit.c
    last = select(func.max(c.sequence)).where(c.action == action, c.subject.is_not(None)).group_by(c.subject)
    rows = connection.execute(select(c.subject, c.at, c.who).where(c.sequence.in_(last)))
    return {row.subject: (row.at, row.who) for row in rows}
