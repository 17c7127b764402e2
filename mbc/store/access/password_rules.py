"""Which passwords are good enough: long ones that nobody would try first, and that have not leaked."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from mbc.errors import SettingsError
from mbc.store.access.common_words import COMMON_WORDS
from mbc.store.access.leaked_passwords import is_leaked

SHORTEST = 12
LONGEST = 1024  # hashing is slow on purpose: an endless password must not be a way to stop the server
_MOST_WORDS = 3  # of the common ones: a password of no more than so many is among the first that are tried
_FEWEST_LETTERS = 4  # beyond them
_SHORTEST_RUN = 3
_LOOKALIKES = str.maketrans("@0134578$!", "aoieastbsi")
_RUNS = (
    "01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop",
    "azertyuiop", "yxcvbnm", "qazwsxedcrfvtgbyhnujm", "1qaz2wsx3edc4rfv5tgb6yhn",
)  # fmt: skip


def normal(password: str) -> str:
    """Write a password the same way whichever keyboard typed it."""
    return unicodedata.normalize("NFKC", password)


def require_good(password: str, *, username: str) -> str:
    """Refuse a password that is short, would be tried first, or has leaked. No rule on kinds of characters.

    Raises
    ------
    SettingsError
        If it is refused; the text says why, and never repeats it. Also if the clinic's file of leaked passwords
        cannot be used.

    Examples
    --------
    >>> require_good("harbour lamp, seven geese", username="ann")
    'harbour lamp, seven geese'
    """
    typed, password = password, normal(password)
    if not password.isprintable():  # half a character of another alphabet cannot even be hashed
        raise SettingsError(
            "The password contains a character that cannot be typed. Choose a few unrelated words."
        )
    if len(password) < SHORTEST:
        raise SettingsError(
            f"The password has {len(password)} characters; it needs at least {SHORTEST}. "
            "A few unrelated words are easy to remember."
        )
    if len(password) > LONGEST:
        raise SettingsError(f"The password has {len(password)} characters; the limit is {LONGEST}.")
    if _is_guessable(password.casefold(), username.casefold()):
        raise SettingsError("The password is too easy to guess. Choose a few unrelated words.")
    if any(is_leaked(written) for written in {password, typed}):
        raise SettingsError(
            "The password is known from a leak of another service. Choose a few unrelated words that are used "
            "nowhere else."
        )
    return password


def _is_guessable(password: str, username: str) -> bool:
    """Say whether it is a few common words, the user's name or a walk over the keyboard, however decorated.

    Letters are looked at as they are and with digits and signs read as the letters that they resemble; what stands
    between, before and after them counts for nothing.
    """
    if len(set(password)) < 5 or len(set(_letters(password))) < 3 or _in_a_row(password):
        return True
    named = frozenset(part for part in re.split(r"[^a-z]+", username) if len(part) >= _SHORTEST_RUN)
    core = password.strip("".join(character for character in set(password) if not character.isalpha()))
    variants = {
        _letters(password),
        _letters(core.translate(_LOOKALIKES)),
        _letters(password.translate(_LOOKALIKES)),
    }
    words = COMMON_WORDS | named
    return any(_is_few_words(letters, words) for letters in variants)


@cache
def _rows() -> frozenset[str]:
    """Everything that stands in a row, either way, at most twice around."""
    rows = [each * 2 for run in _RUNS for each in (run, run[::-1])]
    return frozenset(
        row[start:end] for row in rows for start in range(len(row)) for end in range(start + 1, len(row) + 1)
    )


def _in_a_row(password: str) -> bool:
    return password in _rows()


def _letters(password: str) -> str:
    return "".join(character for character in password if character.isalpha())


def _is_few_words(letters: str, words: frozenset[str]) -> bool:
    """Say whether letters are no more than a few of some words, and hardly a letter beyond them.

    For each number of words, the fewest letters left over up to each place are kept.
    """
    longest = max(map(len, words))
    size = len(letters)
    if size > _MOST_WORDS * longest + _FEWEST_LETTERS:
        return False
    left = [[*range(size + 1)] for _ in range(_MOST_WORDS + 1)]
    for count in range(1, _MOST_WORDS + 1):
        for end in range(1, size + 1):
            best = min(left[count - 1][end], left[count][end - 1] + 1)
            for start in range(max(0, end - longest), end - 1):
                part = letters[start:end]
                if part in words or (len(part) >= _SHORTEST_RUN and (_in_a_row(part) or len(set(part)) == 1)):
                    best = min(best, left[count - 1][start])
            left[count][end] = best
    return left[_MOST_WORDS][size] < _FEWEST_LETTERS
