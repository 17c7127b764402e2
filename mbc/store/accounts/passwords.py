"""How passwords are hashed and compared: argon2, a few at a time."""

from __future__ import annotations

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mbc.errors import StoreError
from mbc.store.access.password_rules import normal, require_good

NO_PASSWORD = "!"  # noqa: S105 - in place of a hash: nobody signs in until a password was chosen
_HASHER = PasswordHasher()  # argon2id with the library's current recommendation
_PATIENCE = 5  # seconds
_AT_ONCE = threading.BoundedSemaphore(2)  # 64 MiB each: a burst of sign-ins must not exhaust the memory


def hash_of(password: str, *, username: str) -> str:
    """Hash a password that is good enough.

    Raises
    ------
    SettingsError
        If it is not.
    """
    good = require_good(password, username=username)
    with _AT_ONCE:
        return _HASHER.hash(good)


def matches(hashed: str, password: str) -> bool:
    """Compare a password with a hash; an account without one takes as long, and matches nothing."""
    stored = _nobody() if hashed == NO_PASSWORD else hashed
    if not _AT_ONCE.acquire(timeout=_PATIENCE):
        raise StoreError("Too many people are signing in at the moment. Wait a minute, then try again.")
    try:
        return _HASHER.verify(stored, normal(password)) and hashed != NO_PASSWORD
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
    finally:
        _AT_ONCE.release()


def again(hashed: str, password: str) -> str | None:
    """Give a stricter hash where the recommendation has become stricter since; else None."""
    if not _HASHER.check_needs_rehash(hashed):
        return None
    with _AT_ONCE:
        return _HASHER.hash(normal(password))


@cache
def _nobody() -> str:
    # an unknown name is checked against a hash too, so that it takes as long as a known one
    return _HASHER.hash("nobody signs in with this")
