"""The rows of the accounts; each change of them is written with its line in the audit log, or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, insert, select, update

from mbc.errors import AccessDenied, NotInRecord, SettingsError
from mbc.store.access.roles import ACCESS, GRANTABLE, ROLES, Scope, User
from mbc.store.accounts.account_state import STATE, read_states
from mbc.store.audit.hash_chain import Line
from mbc.store.audit.log import Audit, append
from mbc.store.database import engine as engines
from mbc.store.schema import tables as t
from mbc.store.schema.validation import quote

if TYPE_CHECKING:
    from mbc.store.view import SharedState

NOBODY = "not signed in"  # who did it, in the log, as long as nobody knows
USERNAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
CLINICAL: frozenset[str] = frozenset({"clinician", "supervisor"})


class AccountRows:
    """The accounts of one record, as far as they are read and changed."""

    def __init__(
        self, shared: SharedState, scope: Scope, log: Callable[[Line], None], *, origin: str = "command line"
    ) -> None:
        self._engine = shared.engine
        self._recent = shared.recent
        self._clock = shared.clock
        self._scope = scope
        self._log = log
        self._audit = Audit(shared.engine, scope, origin=origin, log=log)

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

    def require(self, username: str) -> str:
        """Find an account, active or not, and give its exact name.

        Raises
        ------
        NotInRecord
            If there is none of that name.
        """
        name = username.strip().casefold()
        if self._row(name) is None:
            raise NotInRecord(f"There is no account {quote(username)}. 'mbc user list' lists all accounts.")
        return name

    def _require_own(self, username: str) -> None:
        if username != self._scope.who:
            raise AccessDenied("That is not your account.")

    def _note(self, action: str, subject: str | None, *, who: str | None = None, **detail: Any) -> None:
        line = self._audit.line(action, subject=subject, **detail)
        self._log(line if who is None else replace(line, who=who))

    def _row(self, name: str) -> dict[str, Any] | None:
        if not USERNAME.fullmatch(name):
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

    def _change(self, connection: Connection, name: str, **values: Any) -> None:
        """Change the row of an account; sign-ins from before end."""
        query = update(t.account).where(t.account.c.username == name)
        connection.execute(query.values(**values, changed_at=datetime.now(UTC)))

    def _write(
        self, connection: Connection, action: str, name: str, *, who: str | None = None, **detail: Any
    ) -> None:
        """Add the line of a change, with what the account may do from now on, in the change's own transaction."""
        state = read_states(connection, name)[name].logged()
        line = self._audit.line(action, subject=name, **detail, **{STATE: state})
        append(connection, [line if who is None else replace(line, who=who)])


def account_name(username: str) -> str:
    """Write a user name as it is kept, or refuse it."""
    name = username.strip().casefold()
    if not USERNAME.fullmatch(name):
        raise SettingsError(
            f"A username is 1 to 64 of a-z 0-9 . _ @ - beginning with a letter or digit; got {username[:80]!r}."
        )
    return name


def require_role(
    role: str, clinician_id: str | None, permissions: Collection[str], supervises: Collection[str]
) -> None:
    """Refuse an account that makes no sense."""
    if role not in ROLES:
        raise SettingsError(f"There is no role '{role}'; accepted are {', '.join(ROLES)}.")
    if role == "clinician" and clinician_id is None:
        raise SettingsError("A clinician's account needs the clinician it belongs to: --clinician ID")
    if clinician_id is not None and role not in CLINICAL:
        raise SettingsError(f"An account of role '{role}' has no caseload; leave the clinician out.")
    if supervises and role != "supervisor":
        raise SettingsError("Only a supervisor's account names clinicians to supervise.")
    for permission in permissions:
        require_grantable(permission, role)


def require_grantable(permission: str, role: str) -> None:
    """Refuse a permission that cannot be granted, or not to this role."""
    if permission not in GRANTABLE:
        raise SettingsError(f"'{permission}' cannot be granted; accepted: {', '.join(GRANTABLE)}.")
    if role not in CLINICAL:
        raise SettingsError(f"'{permission}' is granted to clinicians and supervisors, not to role '{role}'.")


def require_clinicians(connection: Connection, named: Collection[str | None]) -> None:
    """Refuse clinicians who are not on record."""
    column = t.clinician.c.clinician_id
    known = set(connection.execute(select(column).where(column.in_(sorted(filter(None, named))))).scalars())
    for clinician_id in sorted(set(filter(None, named)) - known):
        raise NotInRecord(f"There is no clinician '{clinician_id}' on record. Add or import the clinician first.")


def add_each(connection: Connection, table: t.Table, name: str, column: str, values: Collection[str]) -> None:
    """Add a row for each value; those that are there already stay."""
    there = set(connection.execute(select(table.c[column]).where(table.c.username == name)).scalars())
    if new := sorted(set(values) - there):
        connection.execute(insert(table), [{"username": name, column: value} for value in new])


def remove_each(connection: Connection, table: t.Table, name: str, column: str, values: Collection[str]) -> int:
    """Remove the row of each value; returns how many there were."""
    query = delete(table).where(table.c.username == name, table.c[column].in_(sorted(values)))
    return connection.execute(query).rowcount
