"""The second factor of a sign-in: codes of an app (TOTP, RFC 6238), and recovery codes for a lost phone.

A code is taken once, and within half a minute of its time. Of recovery codes only digests are kept; each is used
up.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, get_args

from sqlalchemy import Connection, delete, insert, select, update

from mbc.errors import AccessDenied, SettingsError
from mbc.store.access.roles import ROLES, Role
from mbc.store.accounts import account_state as states
from mbc.store.accounts.clinic_settings import read_setting, write_setting
from mbc.store.accounts.grants import AccessRequest, Grants
from mbc.store.audit.log import lock_log
from mbc.store.database import engine as engines
from mbc.store.schema import tables as t
from mbc.store.schema.validation import quote

if TYPE_CHECKING:
    from pyotp.totp import TOTP

_REQUIRED = "second factor required"
_STEP = 30  # seconds that a code lasts
_CODES, _LETTERS = 10, "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike


class SecondFactors(Grants):
    """Second factors of accounts."""

    def has_factor(self, username: str) -> bool:
        """Say whether an account has a second factor."""
        with engines.reading(self._engine) as connection:
            return _factor(connection, username) is not None

    def requires_factor(self, role: str) -> bool:
        """Say whether the clinic requires a second factor of a role."""
        return role in self.factor_roles()

    def factor_roles(self) -> tuple[Role, ...]:
        """Give the roles of which the clinic requires a second factor."""
        with engines.reading(self._engine) as connection:
            roles: list[str] = read_setting(connection, _REQUIRED) or []
        return tuple(role for role in ROLES if role in roles)

    def require_factor(self, roles: Collection[str]) -> AccessRequest | None:
        """Require a second factor of some roles, and of no others.

        For an administrator it is a request where a role that needs one would no longer.

        Returns
        -------
        AccessRequest or None
            What somebody else has to confirm; None when it is done.

        Raises
        ------
        SettingsError
            If one of them is not a role.
        """
        for role in roles:
            if role not in get_args(Role):
                raise SettingsError(f"There is no role {quote(role)}; accepted are {', '.join(ROLES)}.")
        wanted = tuple(sorted(set(roles)))
        with engines.writing(self._engine) as connection:
            lock_log(connection)  # two changes at the same moment: the second sees what the first decided
            before: list[str] = read_setting(connection, _REQUIRED) or []
            if not self._asks or set(before) <= set(wanted):
                write_setting(connection, self._audit, _REQUIRED, list(wanted))
                return None
        return self._request("second factor rule", "", wanted)

    def _require_factor(self, roles: tuple[str, ...], **detail: str) -> None:
        with engines.writing(self._engine) as connection:
            write_setting(connection, self._audit, _REQUIRED, list(roles), **detail)

    def add_factor(self, username: str, secret: str, code: str) -> tuple[str, ...]:
        """Keep the secret that somebody's app was given, once a code of it shows that it arrived.

        Returns
        -------
        tuple of str
            Ten recovery codes: shown now and never again.

        Raises
        ------
        AccessDenied
            If the code is not of this secret, or the account has a second factor already.
        """
        name = self.active(username).username
        step = _step_of(secret, code, self._clock())
        if step is None:
            raise AccessDenied("That code does not match. Check that your phone's clock is correct.")
        codes = tuple(_recovery_code() for _ in range(_CODES))
        with engines.writing(self._engine) as connection:
            if _factor(connection, name) is not None:
                raise AccessDenied("This account already has a second factor. Remove it first.")
            row = {"username": name, "secret": secret, "added_at": self._clock(), "last_step": step}
            connection.execute(insert(t.second_factor), row)
            connection.execute(delete(t.recovery_code).where(t.recovery_code.c.username == name))
            connection.execute(
                insert(t.recovery_code), [{"username": name, "code": _digest(code)} for code in codes]
            )
            self._write(connection, states.FACTOR, name, who=name)
        return codes

    def remove_factor(self, username: str) -> AccessRequest | None:
        """Remove the second factor of somebody who lost their phone and their recovery codes.

        For an administrator it is a request where the account reaches the safety channel or other accounts.

        Raises
        ------
        NotInRecord
            If there is no such account.
        AccessDenied
            If it has no second factor.
        """
        name = self.require(username)
        if not self.has_factor(name):
            raise AccessDenied(f"Account '{name}' has no second factor.")
        if self._asks and self._is_guarded(name):
            return self._request("second factor removal", name)
        self._remove_factor(name)
        return None

    def _remove_factor(self, name: str, **detail: str) -> None:
        with engines.writing(self._engine) as connection:
            connection.execute(delete(t.second_factor).where(t.second_factor.c.username == name))
            connection.execute(delete(t.recovery_code).where(t.recovery_code.c.username == name))
            self._change(connection, name)
            self._write(connection, states.NO_FACTOR, name, **detail)

    def _takes_code(self, connection: Connection, name: str, code: str) -> str | None:
        """Take a code inside a transaction that writes: 'code' or 'recovery code', or None for a wrong one."""
        c, codes = t.second_factor.c, t.recovery_code.c
        row = connection.execute(select(c.secret, c.last_step).where(c.username == name).with_for_update()).first()
        if row is None:
            return None
        step = _step_of(row.secret, code, self._clock())
        if step is not None and step > row.last_step:
            connection.execute(update(t.second_factor).where(c.username == name).values(last_step=step))
            return "code"
        used = delete(t.recovery_code).where(codes.username == name, codes.code == _digest(code))
        return "recovery code" if connection.execute(used).rowcount else None


def new_secret() -> str:
    """Make a secret for an app."""
    import pyotp  # noqa: PLC0415 - needed by few

    return pyotp.random_base32()


def provisioning_address(secret: str, username: str) -> str:
    """Write what the QR code holds that an app reads. It names the account, and nothing of the clinic."""
    return _totp(secret).provisioning_uri(name=username, issuer_name="mbc")


def _factor(connection: Connection, username: str) -> str | None:
    c = t.second_factor.c
    return connection.execute(select(c.secret).where(c.username == username)).scalar()


def _totp(secret: str) -> TOTP:
    from pyotp.totp import TOTP  # noqa: PLC0415 - needed by few

    return TOTP(secret, interval=_STEP)


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """Give the step of time that a code is of: now, the one before or the one after; None if of none."""
    typed = "".join(code.split())
    if not (typed.isascii() and typed.isdecimal()):
        return None
    here = int(now.timestamp()) // _STEP
    codes = {step: _totp(secret).at(step * _STEP) for step in (here - 1, here, here + 1)}
    return next((step for step, expected in codes.items() if secrets.compare_digest(expected, typed)), None)


def _recovery_code() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(12))
    return "-".join(letters[start : start + 4] for start in (0, 4, 8))


def _digest(code: str) -> str:
    # 59 bits drawn at random: nothing to guess in a digest, unlike a password
    return hashlib.sha256("".join(code.casefold().split()).replace("-", "").encode(errors="replace")).hexdigest()
