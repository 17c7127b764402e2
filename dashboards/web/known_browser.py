"""Browsers that somebody signed in with before: guesses made elsewhere do not keep their user out."""

from __future__ import annotations

import secrets

from flask import Response, current_app, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

_DAYS = 180


def _cookie() -> str:
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    return "__Host-mbc-browser" if secure else "mbc-browser"


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="known browser")


def known_browser(username: str) -> str | None:
    """Give the name of this browser, if this account signed in with it before."""
    try:
        kept = _signer().loads(request.cookies.get(_cookie(), ""), max_age=_DAYS * 86_400)
    except BadSignature:
        return None
    names = kept.get("users", []) if isinstance(kept, dict) else []
    return str(kept["browser"]) if username.strip().casefold() in names else None


def remember_browser(response: Response, username: str) -> None:
    """Let this browser say, the next time, that the account signed in with it."""
    try:
        kept = _signer().loads(request.cookies.get(_cookie(), ""), max_age=_DAYS * 86_400)
    except BadSignature:
        kept = {"browser": secrets.token_urlsafe(16), "users": []}
    users = [*[name for name in kept["users"] if name != username], username][-8:]
    response.set_cookie(
        _cookie(),
        str(_signer().dumps({"browser": kept["browser"], "users": users})),
        max_age=_DAYS * 86_400,
        secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
        httponly=True,
        samesite="Lax",
        path="/",
    )
