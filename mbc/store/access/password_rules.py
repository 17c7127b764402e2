"""Which passwords are good enough: long ones that nobody would try first."""

from __future__ import annotations

import unicodedata

from mbc.errors import SettingsError

SHORTEST = 12
LONGEST = 1024  # hashing is slow on purpose: an endless password must not be a way to stop the server
# what is tried first among passwords of this length; shorter ones are refused by length alone
_COMMON = (
    "password", "passwort", "motdepasse", "contrasena", "welcome", "letmein", "qwerty", "qwertyuiop", "asdfghjkl",
    "zxcvbnm", "iloveyou", "administrator", "admin", "clinic", "therapy", "therapist", "clinician", "changeme",
    "trustno1", "monkey", "dragon", "sunshine", "princess", "football", "baseball", "superman", "batman", "master",
    "secret", "default", "correcthorsebatterystaple", "1q2w3e4r5t6y", "1qaz2wsx3edc", "qazwsxedcrfv", "abc",
)  # fmt: skip
_RUNS = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")


def normal(password: str) -> str:
    """Write a password the same way whichever keyboard typed it."""
    return unicodedata.normalize("NFKC", password)


def require_good(password: str, *, username: str) -> str:
    """Refuse a password that is short, or that would be tried first. No rule on kinds of characters.

    Raises
    ------
    SettingsError
        If it is refused; the text says why, and never repeats it.

    Examples
    --------
    >>> require_good("harbour lamp, seven geese", username="ann")
    'harbour lamp, seven geese'
    """
    password = normal(password)
    if not password.isprintable():  # half a character of another alphabet cannot even be hashed
        raise SettingsError("The password holds a character that cannot be typed. Choose a few unrelated words.")
    if len(password) < SHORTEST:
        raise SettingsError(
            f"The password has {len(password)} characters; at least {SHORTEST} are needed. "
            "A few unrelated words are easy to remember."
        )
    if len(password) > LONGEST:
        raise SettingsError(f"The password has {len(password)} characters; at most {LONGEST} are taken.")
    if _is_guessable(password.casefold(), username.casefold()):
        raise SettingsError("The password is among the first that would be tried. Choose a few unrelated words.")
    return password


def _is_guessable(password: str, username: str) -> bool:
    """Say whether next to nothing is left when everything predictable is taken out."""
    rest = "".join(character for character in password if character.isalnum())
    for word in sorted((*_COMMON, username, "mbc"), key=len, reverse=True):
        rest = rest.replace(word, "")
    rest = rest.translate(str.maketrans("", "", "0123456789"))
    in_a_row = any(password in run * 2 or password in run[::-1] * 2 for run in _RUNS)
    return in_a_row or len(set(password)) < 5 or len(set(rest)) < 3
