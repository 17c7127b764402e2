"""What accounts may do on top of their role: granted, withdrawn, reviewed, and asked for by administrators.

What would let an administrator reach the safety channel, read how others fare or take over another administrator's
account is not theirs alone to decide; every permission on top of a role is part of it. It becomes a request, and
a second administrator or the operator confirms it. Requests live in the audit log and nowhere else: what is not
in the log was not asked for.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, delete, select

from mbc.errors import AccessDenied, Conflict, NotInRecord, SettingsError
from mbc.store.access.roles import Permission
from mbc.store.accounts import account_state as states
from mbc.store.accounts.account_rows import (
    AccountRows,
    add_each,
    remove_each,
    require_clinicians,
    require_grantable,
)
from mbc.store.audit.hash_chain import parse_details
from mbc.store.audit.log import append, lock_log
from mbc.store.database import engine as engines
from mbc.store.schema import tables as t
from mbc.store.schema.validation import quote

REQUESTED, CONFIRMED, DECLINED = "change requested", "change confirmed", "change declined"
REQUEST_FOR = timedelta(days=14)
Kind = Literal[
    "permission", "supervision", "enable", "password link", "second factor removal", "second factor rule",
    "provider account",
]  # fmt: skip
_GUARDED_ROLES = frozenset({"administrator", "safety_lead"})


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """A change that an administrator asked for, and that somebody else has to confirm."""

    number: str
    kind: Kind
    username: str  # whose account; empty where it is about all of them
    values: tuple[str, ...]  # the permission, or the clinicians
    asked_by: str
    asked_at: datetime

    @property
    def about(self) -> str:
        """Name whose account it is about."""
        return self.username or "all accounts"

    @property
    def words(self) -> str:
        """Say what was asked for."""
        named = ", ".join(self.values)
        words: dict[Kind, str] = {
            "permission": f"the permission {named}",
            "supervision": f"supervision of {named}",
            "enable": "to sign in",
            "password link": "a link for a new password",
            "second factor removal": "removal of the second factor",
            "second factor rule": f"a second factor required for these roles only: {named or 'none'}",
            "provider account": f"sign-in by the provider's account {named}",
        }
        return words[self.kind]


class Grants(AccountRows):
    """Permissions of accounts."""

    def grant(self, username: str, permission: Permission) -> AccessRequest | None:
        """Grant a permission on top of the role. For an administrator it is a request.

        Returns
        -------
        AccessRequest or None
            What somebody else has to confirm; None when it is done.

        Raises
        ------
        NotInRecord, SettingsError
            If there is no such account, or its role cannot be given that permission.
        Conflict
            If it has it already.
        """
        name = self.require(username)
        state = self._state(name)
        require_grantable(permission, state.role)
        if permission in state.permissions:
            raise Conflict(f"Account '{name}' already has the permission '{permission}'.")
        if self._asks:
            return self._request("permission", name, (permission,))
        self._grant(name, permission)
        return None

    def withdraw(self, username: str, permission: str) -> None:
        """Withdraw a permission that was granted; whoever is signed in with the account is out at once.

        Raises
        ------
        NotInRecord
            If there is no such account, or it was not granted that permission.
        """
        name = self.require(username)
        with engines.writing(self._engine) as connection:
            if not remove_each(connection, t.account_permission, name, "permission", [permission]):
                raise NotInRecord(f"Account '{name}' was not granted {quote(permission)}.")
            self._change(connection, name)
            self._write(connection, states.WITHDRAWN, name, permission=permission)

    def supervise(self, username: str, clinician_ids: Collection[str]) -> AccessRequest | None:
        """Let a supervisor see the clients of more clinicians.

        For an administrator it is a request where the account may read the safety channel.

        Raises
        ------
        NotInRecord, SettingsError
            If there is no such account or clinician, or the account is not a supervisor's.
        """
        name, named = self.require(username), tuple(sorted(set(clinician_ids)))
        state = self._state(name)
        if state.role != "supervisor":
            raise SettingsError(
                f"'{name}' has the role '{state.role}'; only a supervisor can supervise clinicians."
            )
        with engines.reading(self._engine) as connection:
            require_clinicians(connection, named)
        if self._asks and "safety:read" in state.permissions:
            return self._request("supervision", name, named)
        self._supervise(name, named)
        return None

    def unsupervise(self, username: str, clinician_ids: Collection[str]) -> None:
        """End the supervision of some clinicians.

        Raises
        ------
        NotInRecord
            If there is no such account, or it supervises none of them.
        """
        name, named = self.require(username), sorted(set(clinician_ids))
        with engines.writing(self._engine) as connection:
            if remove_each(connection, t.supervision, name, "clinician_id", named) != len(named):
                supervised = ", ".join(sorted(self._state(name).supervises)) or "nobody"
                raise NotInRecord(f"'{name}' supervises {supervised}. Nothing was changed.")
            self._change(connection, name)
            self._write(connection, states.NO_LONGER_SUPERVISES, name, clinicians=named)

    def review(self, username: str) -> None:
        """Write down that somebody looked at what an account may do, and found it right."""
        name = self.require(username)
        state = self._state(name).logged()
        state.pop("password")
        self._note(states.REVIEWED, name, reviewed=state)

    def is_active(self, username: str) -> bool:
        """Say whether an account may sign in."""
        return self._state(self.require(username)).active

    def requests(self) -> tuple[AccessRequest, ...]:
        """Give the requests that wait for somebody's decision, the oldest first."""
        with engines.reading(self._engine) as connection:
            return tuple(_waiting(connection, self._clock()).values())

    def decline(self, number: str) -> None:
        """Decline what was asked for; whoever asked may take it back this way, too."""
        self._decide(number, DECLINED)

    @property
    def _asks(self) -> bool:
        # the operator decides alone: whoever can open the database can do everything anyway
        return self._scope.user is not None

    def _is_guarded(self, name: str) -> bool:
        """Say whether whoever has an account reaches the safety channel, or other accounts."""
        state = self._state(name)
        return state.role in _GUARDED_ROLES or bool(state.permissions)

    def _state(self, name: str) -> states.AccountState:
        with engines.reading(self._engine) as connection:
            return states.read_states(connection, name)[name]

    def _grant(self, name: str, permission: str, **detail: Any) -> None:
        """Grant a permission; what one person could bind at the provider before is to be bound anew, by two."""
        with engines.writing(self._engine) as connection:
            add_each(connection, t.account_permission, name, "permission", [permission])
            connection.execute(delete(t.provider_account).where(t.provider_account.c.username == name))
            self._change(connection, name)
            self._write(connection, states.GRANTED, name, permission=permission, **detail)

    def _supervise(self, name: str, clinician_ids: Collection[str], **detail: Any) -> None:
        with engines.writing(self._engine) as connection:
            require_clinicians(connection, clinician_ids)
            add_each(connection, t.supervision, name, "clinician_id", clinician_ids)
            self._change(connection, name)
            self._write(connection, states.SUPERVISES, name, clinicians=sorted(clinician_ids), **detail)

    def _activate(self, name: str, *, active: bool, **detail: Any) -> None:
        with engines.writing(self._engine) as connection:
            self._change(connection, name, active=active, failures=0, locked_until=None)
            self._write(connection, states.ENABLED if active else states.DISABLED, name, **detail)

    def _request(self, kind: Kind, name: str, values: tuple[str, ...] = ()) -> AccessRequest:
        number = secrets.token_hex(4)
        self._note(REQUESTED, name or None, request=number, kind=kind, values=list(values))
        return AccessRequest(number, kind, name, values, self._scope.who, self._clock())

    def _decide(self, number: str, decision: str) -> AccessRequest:
        with engines.writing(self._engine) as connection:
            lock_log(connection)  # two decisions at the same moment: the second meets a request that is gone
            request = _waiting(connection, self._clock()).get(number)
            if request is None:
                raise NotInRecord(
                    f"There is no pending request {quote(number)}. 'mbc user requests' lists all of them."
                )
            mine = self._scope.who in {request.asked_by, request.username}
            if decision == CONFIRMED and mine:
                raise AccessDenied("Somebody else has to confirm this: another administrator, or the operator.")
            detail = {"request": number, "kind": request.kind, "asked_by": request.asked_by}
            append(connection, [self._audit.line(decision, subject=request.username or None, **detail)])
        return request


def _waiting(connection: Connection, now: datetime) -> dict[str, AccessRequest]:
    c = t.audit.c
    query = select(c.at, c.who, c.action, c.subject, c.detail).where(
        c.action.in_((REQUESTED, CONFIRMED, DECLINED)), c.at > now - REQUEST_FOR
    )
    waiting: dict[str, AccessRequest] = {}
    for row in connection.execute(query.order_by(c.sequence)):
        detail = parse_details(row.detail)
        if row.action != REQUESTED:
            waiting.pop(str(detail.get("request")), None)
        elif "request" in detail and (row.subject is not None or detail.get("kind") == "second factor rule"):
            number, values = str(detail["request"]), tuple(detail.get("values", ()))
            waiting[number] = AccessRequest(number, detail["kind"], row.subject or "", values, row.who, row.at)
    return waiting
