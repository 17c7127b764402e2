"""What was typed into a form when the sign-in ended: given back after the next sign-in, to the same person alone.

It travels in a cookie that only this server can read, for half an hour: not in an address, and not in the page.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from hashlib import blake2b

from cryptography.fernet import Fernet, InvalidToken
from flask import Response, current_app, request

_COOKIE = "mbc_typed"
_SECONDS = 1800
_MOST_BYTES = 3600  # browsers keep cookies of up to 4096
_LONGEST = 20_000
_NEVER = frozenset({"csrf", "writer", "keep"})  # belong to the request, not to what was typed


def seal_name(username: str) -> str:
    """Write who a form was made for, so that only this server can read and make it."""
    return _box("writer").encrypt(username.encode()).decode()


def named_by(seal: str) -> str:
    """Read who a form was made for; empty where this server did not write it."""
    try:
        return _box("writer").decrypt(seal.encode()).decode()
    except InvalidToken:
        return ""


def keep_words(answer: Response, username: str, page: str, typed: Mapping[str, str]) -> None:
    """Send what was typed along with an answer, sealed.

    Parameters
    ----------
    answer : Response
    username : str
        Who typed it.
    page : str
        The path of the form.
    typed : mapping
    """
    words = {name: text for name, text in typed.items() if name not in _NEVER}
    packed = zlib.compress(json.dumps([username, page, words]).encode())
    sealed = _box("words").encrypt(packed)
    if len(sealed) > _MOST_BYTES:
        return
    answer.set_cookie(
        _COOKIE, sealed.decode(), max_age=_SECONDS, httponly=True, samesite="Lax", path="/",
        secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
    )  # fmt: skip


def kept_words(username: str, page: str) -> dict[str, str]:
    """Give what somebody typed into the form at a path before their sign-in ended; empty for others."""
    sealed = request.cookies.get(_COOKIE, "")
    if not sealed or len(sealed) > _LONGEST:
        return {}
    try:
        packed = _box("words").decrypt(sealed.encode(), ttl=_SECONDS)
        whose, where, words = json.loads(zlib.decompress(packed))
    except (InvalidToken, ValueError, zlib.error):
        return {}
    return {str(name): str(text) for name, text in words.items()} if (whose, where) == (username, page) else {}


def forget_words(answer: Response) -> None:
    """Take what was kept out of the browser."""
    if _COOKIE in request.cookies:
        answer.delete_cookie(_COOKIE, path="/")


def _box(purpose: str) -> Fernet:
    secret = current_app.secret_key
    key = secret.encode() if isinstance(secret, str) else bytes(secret or b"")
    mixed = blake2b(key[:64], digest_size=32, person=purpose.encode()[:16], salt=b"mbc typed words"[:16]).digest()
    return Fernet(base64.urlsafe_b64encode(mixed))
