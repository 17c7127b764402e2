"""Sign-ins: checked, counted, paused when somebody guesses, and written down without filling the audit log.

Failures are counted for the account at an address, for the address, and for the account from anywhere. Where
somebody signed in before with the same browser, only failures of that browser count: so nobody can be kept out by
guesses made elsewhere. An attempt is counted before it is checked, so attempts made at the same moment are not one
too many.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from mbc.store.access.password_rules import LONGEST
from mbc.store.access.roles import User
from mbc.store.accounts import passwords
from mbc.store.accounts.account_rows import NOBODY, USERNAME
from mbc.store.accounts.second_factor import SecondFactors
from mbc.store.audit.recent_events import PROVIDER_SIGN_OUT, fingerprint
from mbc.store.database import engine as engines
from mbc.store.database.frames import fetch
from mbc.store.schema import tables as t

MOST_FAILURES = 5  # of one account at one address, or with one known browser
MOST_AT_ADDRESS = 30  # over all accounts: a clinic may share one address
MOST_FOR_ACCOUNT = 50  # from anywhere
LOCKED_FOR = timedelta(minutes=15)
_ANY = ""
_UNKNOWN = "?"  # accounts that do not exist, whatever was typed


@dataclass(frozen=True, slots=True)
class _Counter:
    username: str
    address: str
    most: int


class SignIns(SecondFactors):
    """Sign-ins of accounts."""

    def verify(
        self, username: str, password: str, *, address: str = "", browser: str | None = None
    ) -> User | None:
        """Check a password. Unknown, disabled, paused and mistaken all look and last the same.

        After 5 mistakes in a row the account is paused for 15 minutes at that address. The sign-in is complete
        only with `verify_code` where the account has a second factor.

        Parameters
        ----------
        username, password : str
            As they were typed.
        address : str
            Where from; failures elsewhere do not count here.
        browser : str, optional
            Names a browser that this account signed in with before: only its own failures count.
        """
        name = username.strip().casefold()
        account = self._row(name)
        counters = _counters(name if account else _UNKNOWN, _network(address), browser if account else None)
        paused = self._reserve(counters)
        if any(counter.username == _ANY for counter in paused):
            return None  # the address has been guessing at many: not worth the work of a hash, whoever it asks for
        hashed = account["password_hash"] if account else passwords.NO_PASSWORD
        matches = passwords.matches(hashed, password[: LONGEST + 1])
        if account is None:  # what was typed may be a password in the wrong field: it is not written down
            return self._refuse(None, counters, "unknown account")
        if paused:
            return self._refuse(name, counters, "paused")
        if not (matches and account["active"]):
            return self._refuse(name, counters, "password" if account["active"] else "disabled")
        factor = self.has_factor(name)
        self._accept(name, counters, hashed, password, complete=not factor)
        return self.active(name)

    def verify_code(self, username: str, code: str, *, address: str = "", browser: str | None = None) -> bool:
        """Check the second factor after the password; each code is taken once, and guesses are counted."""
        name = self.active(username).username
        counters = _counters(name, _network(address), browser)
        paused = self._reserve(counters)
        with engines.writing(self._engine) as connection:
            kind = None if paused else self._takes_code(connection, name, code)
            if kind is not None:
                _forgive(connection, counters)
        if kind is None:
            self._refuse(name, counters, "second factor")
            return False
        self._note("sign-in", name, who=name, factor=kind)
        return True

    def is_password(self, username: str, password: str, *, address: str = "") -> bool:
        """Check the present password of somebody who is signed in; mistakes count like those of a sign-in."""
        account = self._row(username)
        counters = _counters(username, _network(address), f"signed in as {username}")
        if account is None or self._reserve(counters):
            return False
        if not passwords.matches(account["password_hash"], password[: LONGEST + 1]):
            self._refuse(username, counters, "present password")
            return False
        with engines.writing(self._engine) as connection:
            _forgive(connection, counters)
        return True

    def paused_sign_ins(self) -> pl.DataFrame:
        """List where sign-ins failed of late: username, address, since, failures, paused_until; the latest first.

        Needs the permission ``accounts:manage``, as everything of this class does.
        """
        c = t.sign_in_attempt.c
        query = select(c.username, c.address, c.since, c.failures, c.paused_until).where(
            c.paused_until.is_not(None), c.since > self._clock() - timedelta(days=7)
        )
        with engines.reading(self._engine) as connection:
            return fetch(connection, query).sort("since", "username", "address", descending=[True, False, False])

    def sign_in_history(self, username: str, *, last: int = 20) -> pl.DataFrame:
        """List the latest sign-ins, refusals and sign-outs: at, action, origin, detail; newest first."""
        c = t.audit.c
        kinds = ("sign-in", "sign-in refused", "sign-out", "signed out everywhere", PROVIDER_SIGN_OUT)
        query = select(c.at, c.action, c.origin, c.detail, c.sequence).where(
            c.subject == username, c.action.in_(kinds)
        )
        with engines.reading(self._engine) as connection:
            lines = fetch(connection, query.order_by(c.sequence.desc()).limit(last))
        return lines.drop("sequence")

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
            subject = username if USERNAME.fullmatch(username) else None
            self._note("sign-in ended", subject, who=NOBODY, sign_in=fingerprint(token))

    def _reserve(self, counters: tuple[_Counter, ...]) -> list[_Counter]:
        """Count an attempt before it is checked; gives the counters that are paused."""
        now = self._clock()
        with engines.writing(self._engine) as connection:
            return [counter for counter in counters if _count(connection, counter, now)]

    def _refuse(self, name: str | None, counters: tuple[_Counter, ...], why: str) -> None:
        """Write a refusal down: the first, the one that begins a pause, then the tenth, hundredth, thousandth."""
        with engines.reading(self._engine) as connection:
            failures = _failures(connection, counters[0])
        if failures in {1, MOST_FAILURES} or _is_power_of_ten(failures):
            detail: dict[str, Any] = {"why": why} if failures == 1 else {"why": why, "attempts": failures}
            self._note("sign-in refused", name, who=NOBODY, **detail)

    def _accept(
        self, name: str, counters: tuple[_Counter, ...], hashed: str, password: str, *, complete: bool
    ) -> None:
        stricter = passwords.again(hashed, password)
        with engines.writing(self._engine) as connection:
            _forgive(connection, counters, complete=complete)
            if stricter is not None:
                connection.execute(
                    update(t.account).where(t.account.c.username == name).values(password_hash=stricter)
                )
                self._write(connection, "sign-in" if complete else "password accepted", name, who=name)
        if stricter is None and complete:
            self._note("sign-in", name, who=name)


def _counters(name: str, network: str, browser: str | None) -> tuple[_Counter, ...]:
    if browser is not None:
        return (_Counter(name, f"browser {fingerprint(browser)}"[:64], MOST_FAILURES),)
    if name == _UNKNOWN:
        return _Counter(name, network or "local", MOST_AT_ADDRESS), _Counter(
            _ANY, network or "local", MOST_AT_ADDRESS
        )
    here = _Counter(name, network or "local", MOST_FAILURES)
    return here, _Counter(_ANY, network or "local", MOST_AT_ADDRESS), _Counter(name, _ANY, MOST_FOR_ACCOUNT)


def unknown_counters(address: str) -> tuple[_Counter, ...]:
    """Give what counts refusals that are about no account."""
    return _counters(_UNKNOWN, _network(address), None)


def _network(address: str) -> str:
    """Give the part of an address that one visitor has: all of IPv4, the first half of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    return str(ipaddress.ip_network((parsed, 64 if parsed.version == 6 else 32), strict=False).network_address)


def _count(connection: Connection, counter: _Counter, now: datetime) -> bool:
    """Add an attempt; says whether the counter is paused, this attempt aside."""
    table = t.sign_in_attempt
    c = table.c
    key = {"username": counter.username, "address": counter.address}
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    fresh = {**key, "since": now, "failures": 0, "paused_until": None}
    connection.execute(dialect.insert(table).values(fresh).on_conflict_do_nothing())
    here = (c.username == counter.username, c.address == counter.address)
    row = connection.execute(select(c.since, c.failures, c.paused_until).where(*here).with_for_update()).one()
    if now - row.since > LOCKED_FOR and (row.paused_until is None or row.paused_until <= now):
        connection.execute(
            update(table).where(*here).values(since=now, failures=1, paused_until=None, notified_at=None)
        )
        return False
    paused = row.paused_until is not None and row.paused_until > now
    until = now + LOCKED_FOR if not paused and row.failures + 1 >= counter.most else row.paused_until
    connection.execute(update(table).where(*here).values(failures=row.failures + 1, paused_until=until))
    return paused


def _forgive(connection: Connection, counters: tuple[_Counter, ...], *, complete: bool = True) -> None:
    """Take a successful attempt back: what failed here before is forgotten, elsewhere only this one.

    A password without its code forgives nothing: whoever knows the password could else guess codes for ever.
    """
    first, *others = counters
    c = t.sign_in_attempt.c
    if not complete:
        others, first = [*counters], _Counter(_ANY, "nowhere", 0)
    connection.execute(delete(t.sign_in_attempt).where(c.username == first.username, c.address == first.address))
    for counter in others:
        here = (c.username == counter.username, c.address == counter.address)
        change = update(t.sign_in_attempt).where(*here, c.failures > 0)
        connection.execute(change.values(failures=c.failures - 1))


def _failures(connection: Connection, counter: _Counter) -> int:
    c = t.sign_in_attempt.c
    query = select(c.failures).where(c.username == counter.username, c.address == counter.address)
    return int(connection.execute(query).scalar() or 0)


def _is_power_of_ten(number: int) -> bool:
    return number >= 10 and str(number).rstrip("0") == "1"
