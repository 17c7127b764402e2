"""What a restored record keeps of the accounts of the record that it replaces: whatever is stricter.

A backup is older than the record that it replaces. Since it was taken, somebody may have left, a password may have
become known, a permission may have been withdrawn. None of that is undone by a restore.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert, inspect, select, update

from mbc.store.accounts.account_state import (
    RESTORED,
    STATE,
    AccountState,
    LoggedState,
    logged_states,
    read_states,
)
from mbc.store.audit.hash_chain import Line
from mbc.store.audit.log import append, operators_line
from mbc.store.audit.recent_events import CLOSED, open_now
from mbc.store.schema import tables as t

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AccountsBefore:
    """The accounts of the record that is replaced."""

    first: tuple[datetime, str, str] | None  # the first line of its audit log: the same in every copy of it
    states: dict[str, AccountState]
    logged: dict[str, LoggedState]
    codes: frozenset[tuple[str, str]] = frozenset()  # recovery codes that were not used yet


def accounts_before(connection: Connection) -> AccountsBefore | None:
    """Read the accounts of the record that is to be replaced; None where it has none."""
    if not inspect(connection).has_table(t.account.name):
        return None
    factors = inspect(connection).has_table(t.second_factor.name)
    codes = t.recovery_code.c
    query = select(codes.username, codes.code)
    unused = (
        [(row.username, row.code) for row in connection.execute(query)] if factors else list[tuple[str, str]]()
    )
    return AccountsBefore(
        _first_line(connection),
        read_states(connection, factors=factors, ways_in=inspect(connection).has_table(t.passkey.name)),
        _logged(connection),
        frozenset(unused),
    )


def keep_stricter(connection: Connection, before: AccountsBefore | None) -> tuple[str, ...]:
    """End every sign-in of a restored record, and keep what was stricter in the record before.

    Returns
    -------
    tuple of str
        What differs, one sentence for each account.
    """
    now = datetime.now(UTC)
    connection.execute(update(t.account).values(changed_at=now))
    append(
        connection,
        [Line(now, who, CLOSED, client_id, "{}", "restore") for who, client_id in open_now(connection, now)],
    )
    if before is None or before.first != _first_line(connection):
        return ()
    restored, logged = read_states(connection), _logged(connection)
    notes: list[str] = []
    for name, state in restored.items():
        was = before.states.get(name)
        if was is None:
            continue
        wanted = _stricter(state, was, newer_password=_is_newer(before.logged.get(name), logged.get(name)))
        if wanted != state:
            _apply(connection, name, state, wanted)
            notes.append(f"{name}: {'; '.join(_differences(state, wanted))}.")
    _drop_used_codes(connection, before)
    missing = sorted(before.states.keys() - restored.keys())
    notes += [f"{name}: created after the backup was taken, so it is lost. Add it again." for name in missing]
    return tuple(sorted(notes))


def roll_cookie_key(record: Path) -> None:
    """Remove the key that signed the cookies of a record; the web app makes another when it starts."""
    record.with_name(f"{record.name}.secret").unlink(missing_ok=True)


def _stricter(state: AccountState, was: AccountState, *, newer_password: bool) -> AccountState:
    return replace(
        state,
        active=state.active and was.active,
        permissions=state.permissions & was.permissions,
        supervises=state.supervises & was.supervises,
        password_hash=was.password_hash if newer_password else state.password_hash,
        factor=was.factor or state.factor,
        passkeys=state.passkeys & was.passkeys,
        provider=state.provider & was.provider,
    )


def _is_newer(was: LoggedState | None, now: LoggedState | None) -> bool:
    """Say whether the password of the record before was given after that of the backup, or nobody knows when."""
    was_at, now_at = (None if each is None else each.password_at for each in (was, now))
    return (was_at or _LONG_AGO) > (now_at or _LONG_AGO) or (was_at is None and now_at is None)


def _apply(connection: Connection, name: str, state: AccountState, wanted: AccountState) -> None:
    c = t.account.c
    values: dict[str, Any] = {"active": wanted.active, "password_hash": wanted.password_hash}
    connection.execute(update(t.account).where(c.username == name).values(values))
    for table, column, gone in (
        (t.account_permission, "permission", state.permissions - wanted.permissions),
        (t.supervision, "clinician_id", state.supervises - wanted.supervises),
        (t.passkey, "passkey_id", {passkey_id for passkey_id, _ in state.passkeys - wanted.passkeys}),
        (t.provider_account, "subject", {subject for _, subject in state.provider - wanted.provider}),
    ):
        connection.execute(delete(table).where(table.c.username == name, table.c[column].in_(sorted(gone))))
    if wanted.factor != state.factor:
        connection.execute(delete(t.second_factor).where(t.second_factor.c.username == name))
        row = {"username": name, "secret": wanted.factor, "added_at": datetime.now(UTC), "last_step": 0}
        connection.execute(insert(t.second_factor), row)
    append(connection, [operators_line(RESTORED, name, **{STATE: wanted.logged()})])


def _differences(state: AccountState, wanted: AccountState) -> Iterator[str]:
    if state.active and not wanted.active:
        yield "stays disabled"
    if state.password_hash != wanted.password_hash:
        yield "keeps the newer password"
    if state.factor != wanted.factor:
        yield "keeps the second factor"
    if state.passkeys != wanted.passkeys:
        yield "passkeys that were removed stay removed"
    if state.provider != wanted.provider:
        yield "provider accounts that were removed stay removed"
    if gone := sorted(state.permissions - wanted.permissions):
        yield f"{', '.join(gone)} stays withdrawn"
    if gone := sorted(state.supervises - wanted.supervises):
        yield f"supervision of {', '.join(gone)} stays ended"


def _drop_used_codes(connection: Connection, before: AccountsBefore) -> None:
    """Forget recovery codes that were used since the backup was taken, or belong to an earlier second factor."""
    c = t.recovery_code.c
    for row in connection.execute(select(c.username, c.code)).all():
        if row.username in before.states and (row.username, row.code) not in before.codes:
            connection.execute(delete(t.recovery_code).where(c.username == row.username, c.code == row.code))


def _first_line(connection: Connection) -> tuple[datetime, str, str] | None:
    c = t.audit.c
    row = connection.execute(select(c.at, c.who, c.action).order_by(c.sequence).limit(1)).first()
    return None if row is None else (row.at, row.who, row.action)


def _logged(connection: Connection) -> dict[str, LoggedState]:
    # a record of revision 0001 has no salts yet: nothing was erased from its log
    names = {column["name"] for column in inspect(connection).get_columns(t.audit.name)}
    return logged_states(connection) if t.audit.c.salt.name in names else {}
