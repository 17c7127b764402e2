"""What each account may do, as the tables have it and as the audit log has it: the two must agree.

Every line about an account holds what the account may do afterwards, with a digest of its password's hash. So a
role, a permission, a supervised clinician or a password that was put into the tables by another way is found.
Lines of earlier versions hold less; what they do not say is not compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from mbc.store.audit.hash_chain import UPGRADE, parse_details
from mbc.store.schema import tables as t

STATE = "account"  # the key of a line's detail
ADDED, ENABLED, DISABLED = "account added", "account enabled", "account disabled"
PASSWORD = "password changed"  # noqa: S105 - an action of the audit log
GRANTED, WITHDRAWN = "permission granted", "permission withdrawn"
SUPERVISES, NO_LONGER_SUPERVISES = "supervision added", "supervision ended"
RESTORED = "account restored"
REVIEWED = "access reviewed"
FACTOR, NO_FACTOR = "second factor added", "second factor removed"
PASSKEY, NO_PASSKEY = "passkey added", "passkey removed"
BOUND, UNBOUND = "provider account added", "provider account removed"
ACTIONS = (
    ADDED, ENABLED, DISABLED, PASSWORD, GRANTED, WITHDRAWN, SUPERVISES, NO_LONGER_SUPERVISES, RESTORED,
    FACTOR, NO_FACTOR, PASSKEY, NO_PASSKEY, BOUND, UNBOUND,
)  # fmt: skip
_WORDS = {
    "role": "its role is",
    "clinician": "the clinician it belongs to is",
    "active": "whether it may sign in is",
    "permissions": "its permissions are",
    "supervises": "the clinicians it supervises are",
    "password": "its password is",
    "factor": "its second factor is",
    "passkeys": "its passkeys are",
    "provider": "the provider's accounts that it belongs to are",
}
_FIRST: dict[str, Any] = {"passkeys": [], "provider": []}  # what lines of earlier versions could not hold yet


@dataclass(frozen=True, slots=True)
class AccountState:
    """What decides what one account may do."""

    role: str
    clinician_id: str | None
    active: bool
    permissions: frozenset[str]  # granted on top of the role
    supervises: frozenset[str]
    password_hash: str
    factor: str | None = None  # the secret of the second factor
    passkeys: frozenset[tuple[str, str]] = frozenset()  # id and public key
    provider: frozenset[tuple[str, str]] = frozenset()  # issuer and subject

    def logged(self) -> dict[str, Any]:
        """Write it for the audit log: of the password's hash only a digest."""
        return {
            "role": self.role,
            "clinician": self.clinician_id,
            "active": self.active,
            "permissions": sorted(self.permissions),
            "supervises": sorted(self.supervises),
            "password": _digest(self.password_hash),
            "factor": None if self.factor is None else _digest(self.factor),
            "passkeys": sorted(_digest(" ".join(passkey)) for passkey in self.passkeys),
            "provider": sorted(_digest(" ".join(account)) for account in self.provider),
        }


@dataclass(frozen=True, slots=True)
class LoggedState:
    """What the audit log says of one account."""

    state: dict[str, Any]  # the keys of `AccountState.logged`, as far as they are known
    password_at: datetime | None  # when the password was last given
    changed_at: datetime | None  # when anything was last changed


def read_states(
    connection: Connection, username: str | None = None, *, factors: bool = True, ways_in: bool = True
) -> dict[str, AccountState]:
    """Read every account, or one, from the tables.

    Without ``factors`` (second factors) or ``ways_in`` (passkeys, accounts of a provider) of a record that has no
    such tables yet.
    """
    permissions, supervises = t.account_permission.c, t.supervision.c
    granted = _grouped(connection, permissions.username, permissions.permission, username)
    named = _grouped(connection, supervises.username, supervises.clinician_id, username)
    secrets = _secrets(connection, username) if factors else {}
    keys, bound = t.passkey.c, t.provider_account.c
    passkeys = (
        _grouped_pairs(connection, keys.username, keys.passkey_id, keys.public_key, username) if ways_in else {}
    )
    provider = _grouped_pairs(connection, bound.username, bound.issuer, bound.subject, username) if ways_in else {}
    c = t.account.c
    query = select(c.username, c.role, c.clinician_id, c.active, c.password_hash)
    query = query if username is None else query.where(c.username == username)
    return {
        row.username: AccountState(
            role=row.role,
            clinician_id=row.clinician_id,
            active=bool(row.active),
            permissions=frozenset(granted.get(row.username, ())),
            supervises=frozenset(named.get(row.username, ())),
            password_hash=row.password_hash,
            factor=secrets.get(row.username),
            passkeys=frozenset(passkeys.get(row.username, ())),
            provider=frozenset(provider.get(row.username, ())),
        )
        for row in connection.execute(query)
    }


def logged_states(connection: Connection) -> dict[str, LoggedState]:
    """Follow every account through the audit log."""
    c = t.audit.c
    query = select(c.at, c.action, c.subject, c.detail, c.salt).where(c.action.in_((*ACTIONS, "sign-in", UPGRADE)))
    states: dict[str, LoggedState] = {}
    for row in connection.execute(query.order_by(c.sequence).execution_options(yield_per=10_000)):
        detail: dict[str, Any] = parse_details(row.detail)
        if row.action == UPGRADE:
            for name, state in detail.get("accounts", {}).items():
                states[name] = LoggedState(state, None, None)
        elif row.subject is not None and (row.action != "sign-in" or STATE in detail):
            if row.salt is None and STATE not in detail:
                detail[STATE] = {}  # an erasure took out what an earlier version wrote: it is not known any more
            states[row.subject] = _after(states.get(row.subject), row.action, detail, row.at)
    return states


def setting_faults(connection: Connection) -> Iterator[str]:
    """Compare the clinic's settings with the lines about them."""
    c = t.audit.c
    want: dict[str, str] = {}
    lines = connection.execute(select(c.detail).where(c.action == "setting changed").order_by(c.sequence))
    for line in lines:
        detail = parse_details(line.detail)
        want[str(detail.get("name"))] = str(detail.get("value"))
    have = {row.name: row.value for row in connection.execute(select(t.setting.c.name, t.setting.c.value))}
    for name in sorted(have.keys() | want.keys()):
        if have.get(name) != want.get(name):
            yield f"Setting '{name}': it differs from the audit log."


def account_faults(connection: Connection) -> Iterator[str]:
    """Compare what the accounts may do with what the audit log says that they may."""
    have, want = read_states(connection), logged_states(connection)
    for name in sorted(have.keys() | want.keys()):
        if name not in want:
            yield f"Account '{name}': the audit log has no entry of its creation."
        elif name not in have:
            yield f"Account '{name}': it was removed, and accounts are never removed."
        else:
            expected, actual = {**_FIRST, **want[name].state}, have[name].logged()
            for key, words in _WORDS.items():
                if key in expected and expected[key] != actual[key]:
                    yield f"Account '{name}': {words} not what the audit log says."
    yield from _without_account(connection, have)


def _without_account(connection: Connection, have: Mapping[str, AccountState]) -> Iterator[str]:
    for table in (t.account_permission, t.supervision, t.passkey, t.provider_account):
        names = set(connection.execute(select(table.c.username).distinct()).scalars())
        for name in sorted(names - have.keys()):
            yield f"Account '{name}': it has entries in '{table.name}' but does not exist."


def _after(before: LoggedState | None, action: str, detail: dict[str, Any], at: datetime) -> LoggedState:
    state = {} if before is None else dict(before.state)
    if STATE in detail:
        state = dict(detail[STATE])
    elif action == ADDED:  # as versions before the seal wrote it
        state = {
            name: detail[name] for name in ("role", "clinician", "permissions", "supervises") if name in detail
        }
        state["active"] = True
    elif action in {ENABLED, DISABLED}:
        state["active"] = action == ENABLED
    elif action == PASSWORD:
        state.pop("password", None)
    password_at = at if before is None or action in {ADDED, PASSWORD} else before.password_at
    return LoggedState(state, password_at, at)


def _secrets(connection: Connection, username: str | None) -> dict[str, str]:
    c = t.second_factor.c
    query = select(c.username, c.secret)
    query = query if username is None else query.where(c.username == username)
    return {row.username: row.secret for row in connection.execute(query)}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def _grouped(connection: Connection, owner: Any, value: Any, username: str | None) -> dict[str, list[str]]:
    query = select(owner, value)
    query = query if username is None else query.where(owner == username)
    grouped: dict[str, list[str]] = {}
    for name, each in connection.execute(query):
        grouped.setdefault(name, []).append(each)
    return grouped


def _grouped_pairs(
    connection: Connection, owner: Any, first: Any, second: Any, username: str | None
) -> dict[str, list[tuple[str, str]]]:
    query = select(owner, first, second)
    query = query if username is None else query.where(owner == username)
    grouped: dict[str, list[tuple[str, str]]] = {}
    for name, left, right in connection.execute(query):
        grouped.setdefault(name, []).append((left, right))
    return grouped


def summary(detail: str) -> str:
    """Say in a word or two what a line changed: the permission, the clinicians.

    Examples
    --------
    >>> summary('{"permission": "safety:read"}'), summary('{"clinicians": ["K1", "K2"]}'), summary("{}")
    ('safety:read', 'K1, K2', '')
    """
    details = parse_details(detail)
    values = details.get("permission") or details.get("clinicians") or details.get("label") or ""
    words = values if isinstance(values, str) else ", ".join(map(str, values))
    asked_by = details.get("asked_by")
    return f"{words} (asked for by {asked_by})".strip() if asked_by else words
