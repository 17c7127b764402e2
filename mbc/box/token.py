"""The secrets that lead to an asking: the token of a link, and the short code that is typed on a tablet."""

from __future__ import annotations

import hashlib
import re
import secrets
from itertools import pairwise
from typing import Literal

Kind = Literal["link", "code"]
_LETTERS = "23456789BCDFGHJKMNPQRTVWXYZ"  # no vowels, no 0/O, 1/I/L, 5/S: no words, and nothing to mix up
_CODE_LENGTH = 8  # 27**8: 282 thousand million
_CODE = re.compile(rf"[{_LETTERS}]{{{_CODE_LENGTH}}}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")


def new_token() -> str:
    """Make the token of a link: 128 random bits, in which nothing of anybody is hidden.

    Examples
    --------
    >>> len(new_token()), new_token() != new_token()
    (22, True)
    """
    return secrets.token_urlsafe(16)


def new_code() -> str:
    """Make a short code, as it is typed: two groups of four.

    Examples
    --------
    >>> normal_code(new_code().lower().replace("-", " ")) is not None
    True
    """
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LENGTH))
    return f"{letters[:4]}-{letters[4:]}"


def normal_code(typed: str) -> str | None:
    """Read a code as it was typed; None where it cannot be one.

    Examples
    --------
    >>> normal_code(" k7qm 3xvd "), normal_code("K7QM3XV0")
    ('K7QM3XVD', None)
    """
    text = typed_letters(typed)
    return text if _CODE.fullmatch(text) else None


def letters_of(text: str, *, groups: tuple[int, ...]) -> str:
    """Make letters that stand for a text, in the alphabet of codes: the same text, the same letters.

    Examples
    --------
    >>> len(letters_of("a", groups=(3, 3))), letters_of("a", groups=(3, 3)) == letters_of("b", groups=(3, 3))
    (7, False)
    """
    number = int.from_bytes(hashlib.sha256(text.encode()).digest())
    written = ""
    for _ in range(sum(groups)):
        number, place = divmod(number, len(_LETTERS))
        written += _LETTERS[place]
    ends = [sum(groups[:n]) for n in range(len(groups) + 1)]
    return "-".join(written[first:last] for first, last in pairwise(ends))


def typed_letters(text: str) -> str:
    """Read letters as they were typed: without what stands between them.

    Examples
    --------
    >>> typed_letters(" k7q m3x "), typed_letters("K7Q-M3X")
    ('K7QM3X', 'K7QM3X')
    """
    return re.sub(r"[\s-]", "", text).upper()


def is_secret(text: str) -> bool:
    """Say whether a text can be a token, the secret of a visit, or a code."""
    return _TOKEN.fullmatch(text) is not None or _CODE.fullmatch(text) is not None


def digest(secret: str) -> bytes:
    """Digest a token: all that the box keeps of it.

    A token has 128 random bits, so it needs no slow digest; guesses of codes are limited by the server.
    """
    return hashlib.sha256(b"mbc token " + secret.encode()).digest()
