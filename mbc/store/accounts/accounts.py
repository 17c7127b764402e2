"""Who may sign in: accounts, argon2 hashes, and patience with somebody who guesses."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import polars as pl
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, insert, select, update

from mbc.errors import AccessDenied, Conflict, NotInRecord, SettingsError
from mbc.store.access.password_rules import LONGEST, normal, require_good
from mbc.store.access.roles import ACCESS, GRANTABLE, ROLES, Role, Scope, User
from mbc.store.audit.hash_chain import Line
from mbc.store.audit.log import Audit
from mbc.store.audit.recent_events import fingerprint
from mbc.store.database import engine as engines
from mbc.store.database.frames import fetch
from mbc.store.schema import tables as t
from mbc.store.schema.validation import quote

if TYPE_CHECKING:
    from mbc.store.view import SharedState

MOST_FAILURES = 5
LOCKED_FOR = timedelta(minutes=15)
NOBODY = "not signed in"  # who did it, in the trail, as long as nobody knows
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
_HASHER = PasswordHasher()  # argon2id with the library's current recommendation
_CLINICAL: frozenset[str] = frozenset({"clinician", "supervisor"})


class Accounts:
    """The accounts of one record."""

    def __init__(
        self, shared: SharedState, scope: Scope, log: Callable[[Line], None], *, origin: str = "command line"
    ) -> None:
        self._engine = shared.engine
        self._recent = shared.recent
        self._log = log
        self._audit = Audit(shared.engine, scope, origin=origin, log=log)

    def add(
        self,
        username: str,
        password: str,
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
        password : str
            At least 12 characters, and not among the first that would be tried. Only an argon2 hash is kept.
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
        name = _username(username)
        _require_role(role, clinician_id, permissions, supervises)
        hashed = _HASHER.hash(require_good(password, username=name))
        now = datetime.now(UTC)
        with engines.writing(self._engine) as connection:
            _require_clinicians(connection, {clinician_id, *supervises} - {None})
            if connection.execute(select(t.account.c.username).where(t.account.c.username == name)).first():
                raise Conflict(f"There is an account '{name}' already. To change it: mbc user password {name}")
            row = {"username": name, "password_hash": hashed, "role": role, "clinician_id": clinician_id}
            row |= {"active": True, "created_at": now, "changed_at": now, "failures": 0}
            connection.execute(insert(t.account), row)
            _add_each(connection, t.account_permission, name, "permission", permissions)
            _add_each(connection, t.supervision, name, "clinician_id", supervises)
        granted, named = sorted(permissions), sorted(supervises)
        self._note("account added", name, role=role, clinician=clinician_id, permissions=granted, supervises=named)
        return self.active(name)

    def verify(self, username: str, password: str) -> User | None:
        """Check a sign-in. Unknown, disabled, locked and mistaken all look and last the same.

        After 5 mistakes in a row the account is locked for 15 minutes.
        """
        name = username.strip().casefold()
        account = self._row(name)
        hashed = account["password_hash"] if account else _nobody()
        matches = _matches(hashed, normal(password[: LONGEST + 1]))
        now = datetime.now(UTC)
        if account is None:  # what was typed may be a password in the wrong field: it is not written down
            self._note("sign-in refused", None, who=NOBODY, why="unknown account")
            return None
        if account["locked_until"] is not None and now < account["locked_until"]:
            self._note("sign-in refused", name, who=NOBODY, why="locked")
            return None
        if not (matches and account["active"]):
            self._count_failure(name, now)
            why = "password" if account["active"] else "disabled"
            self._note("sign-in refused", name, who=NOBODY, why=why)
            return None
        self._note_success(name, hashed, password)
        self._note("sign-in", name, who=name)
        return self.active(name)

    def active(self, username: str) -> User:
        """Find an active account.

        Raises
        ------
        AccessDenied
            If there is none of that name.
        """
        account = self._row(username.strip().casefold())
        if account is None or not account["active"]:
            raise AccessDenied(f"There is no active account {quote(username)}.")
        return self._user(account)

    def end_sign_in(self, username: str, token: str) -> None:
        """Write down that a sign-in was handed back, for every worker of a server and after a restart.

        Parameters
        ----------
        username : str
            Whose it was.
        token : str
            What the server knows it by; only a digest of it is kept.
        """
        self._note("sign-out", username, who=username, sign_in=fingerprint(token))

    def has_ended(self, token: str) -> bool:
        """Say whether a sign-in was handed back within the last two days, on whichever worker."""
        return self._recent.has_ended(token)

    def note_ended(self, username: str, token: str) -> None:
        """Write down that a sign-in was used after its end: left alone, handed back, or its account was changed.

        Once for each, however often somebody comes back with it.
        """
        if self._recent.is_news(token):
            subject = username if _USERNAME.fullmatch(username) else None
            self._note("sign-in ended", subject, who=NOBODY, sign_in=fingerprint(token))

    def table(self) -> pl.DataFrame:
        """List the accounts: username, role, clinician_id, active, created_at, locked_until."""
        c = t.account.c
        query = select(c.username, c.role, c.clinician_id, c.active, c.created_at, c.locked_until)
        with engines.reading(self._engine) as connection:
            return fetch(connection, query).sort("username")

    def set_password(self, username: str, password: str) -> None:
        """Give an account another password; it is unlocked, and older sign-ins end."""
        name = self.require(username)
        hashed = _HASHER.hash(require_good(password, username=name))
        self._change(name, password_hash=hashed, failures=0, locked_until=None)
        self._note("password changed", name)

    def set_active(self, username: str, *, active: bool) -> None:
        """Disable an account, or let it sign in again. It is never deleted: the audit trail names it."""
        name = self.require(username)
        self._change(name, active=active, failures=0, locked_until=None)
        self._note("account enabled" if active else "account disabled", name)

    def require(self, username: str) -> str:
        """Find an account, active or not, and give its exact name.

        Raises
        ------
        NotInRecord
            If there is none of that name.
        """
        name = username.strip().casefold()
        if self._row(name) is None:
            raise NotInRecord(f"There is no account {quote(username)}. 'mbc user list' names them all.")
        return name

    def _note(self, action: str, subject: str | None, *, who: str | None = None, **detail: Any) -> None:
        line = self._audit.line(action, subject=subject, **detail)
        self._log(line if who is None else replace(line, who=who))

    def _row(self, name: str) -> dict[str, Any] | None:
        if not _USERNAME.fullmatch(name):
            return None
        with engines.reading(self._engine) as connection:
            row = connection.execute(select(t.account).where(t.account.c.username == name)).mappings().first()
        return None if row is None else dict(row)

    def _user(self, account: dict[str, Any]) -> User:
        name, role = account["username"], account["role"]
        granted, named = t.account_permission.c, t.supervision.c
        with engines.reading(self._engine) as connection:
            permissions = connection.execute(select(granted.permission).where(granted.username == name)).scalars()
            supervises = connection.execute(select(named.clinician_id).where(named.username == name)).scalars()
            return User(
                username=name,
                role=role,
                clinician_id=account["clinician_id"],
                permissions=frozenset(permissions) | ACCESS[role].permissions,
                supervises=frozenset(supervises),
                changed_at=account["changed_at"],
            )

    def _change(self, name: str, **values: Any) -> None:
        with engines.writing(self._engine) as connection:
            query = update(t.account).where(t.account.c.username == name)
            connection.execute(query.values(**values, changed_at=datetime.now(UTC)))

    def _count_failure(self, name: str, now: datetime) -> None:
        c = t.account.c
        with engines.writing(self._engine) as connection:
            count = (
                update(t.account).where(c.username == name).values(failures=c.failures + 1).returning(c.failures)
            )
            if connection.execute(count).scalar_one() >= MOST_FAILURES:
                lock = update(t.account).where(c.username == name)
                connection.execute(lock.values(failures=0, locked_until=now + LOCKED_FOR))

    def _note_success(self, name: str, hashed: str, password: str) -> None:
        values: dict[str, Any] = {"failures": 0, "locked_until": None}
        if _HASHER.check_needs_rehash(hashed):  # the recommendation has become stricter since
            values["password_hash"] = _HASHER.hash(normal(password))
        with engines.writing(self._engine) as connection:
            connection.execute(update(t.account).where(t.account.c.username == name).values(**values))


def _username(username: str) -> str:
    name = username.strip().casefold()
    if not _USERNAME.fullmatch(name):
        raise SettingsError(
            f"A username is 1 to 64 of a-z 0-9 . _ @ - beginning with a letter or digit; got {username[:80]!r}."
        )
    return name


def _require_role(
    role: str, clinician_id: str | None, permissions: Collection[str], supervises: Collection[str]
) -> None:
    if role not in ROLES:
        raise SettingsError(f"There is no role '{role}'; accepted are {', '.join(ROLES)}.")
    if role == "clinician" and clinician_id is None:
        raise SettingsError("A clinician's account needs the clinician it belongs to: --clinician ID")
    if clinician_id is not None and role not in _CLINICAL:
        raise SettingsError(f"An account of role '{role}' has no caseload; leave the clinician out.")
    if supervises and role != "supervisor":
        raise SettingsError("Only a supervisor's account names clinicians to supervise.")
    for permission in permissions:
        if permission not in GRANTABLE:
            raise SettingsError(f"'{permission}' cannot be granted; accepted: {', '.join(GRANTABLE)}.")
        if role not in _CLINICAL:
            raise SettingsError(f"'{permission}' is granted to clinicians and supervisors, not to role '{role}'.")


def _require_clinicians(connection: Connection, named: Collection[str | None]) -> None:
    column = t.clinician.c.clinician_id
    known = set(connection.execute(select(column).where(column.in_(sorted(filter(None, named))))).scalars())
    for clinician_id in sorted(set(filter(None, named)) - known):
        raise NotInRecord(f"There is no clinician '{clinician_id}' on record. Add or import the clinician first.")


def _add_each(connection: Connection, table: t.Table, name: str, column: str, values: Collection[str]) -> None:
    if values:
        connection.execute(insert(table), [{"username": name, column: value} for value in sorted(set(values))])


@cache
def _nobody() -> str:
    # an unknown name is checked against a hash too, so that it takes as long as a known one
    return _HASHER.hash("nobody signs in with this")


def _matches(hashed: str, password: str) -> bool:
    try:
        return _HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
