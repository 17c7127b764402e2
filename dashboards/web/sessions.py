"""How long a sign-in lasts, and how it ends: signed out, unused for too long, or simply old."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable

from flask import session

from dashboards.settings import Settings

_TOUCH_SECONDS = 30  # the cookie is renewed at most this often


class Sessions:
    """The sign-ins of one server.

    A sign-in lives in a signed cookie, so any worker can read it. What a cookie cannot say is that it was handed
    back: the audit trail of the record does, for every worker and after a restart.

    Parameters
    ----------
    settings : Settings
        How long a sign-in lasts.
    has_ended : callable
        Says of a sign-in's id whether it was handed back.
    """

    def __init__(self, settings: Settings, has_ended: Callable[[str], bool]) -> None:
        self._settings = settings
        self._has_ended = has_ended

    def start(self) -> None:
        """Begin a new session: nothing of the visitor's earlier one is kept."""
        session.clear()
        now = self._settings.clock()
        session.update(sid=secrets.token_urlsafe(24), started=now, seen=now)

    def live(self) -> bool:
        """Whether the request carries a sign-in that has not ended; if so, it counts as used now."""
        now = self._settings.clock()
        sid, started, seen = session.get("sid"), session.get("started"), session.get("seen")
        if not (isinstance(sid, str) and isinstance(started, float) and isinstance(seen, float)):
            return False
        idle = now - seen > self._settings.idle_minutes * 60
        old = now - started > self._settings.absolute_hours * 3600
        if idle or old or self._has_ended(sid):
            return False
        if now - seen > _TOUCH_SECONDS:
            session["seen"] = now
        return True


def sign_in_id() -> str:
    """Give the id of the sign-in that this request carries."""
    return str(session.get("sid", ""))


def csrf_token() -> str:
    """Give the token that forms of this session must send back."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(24)
    return session["csrf"]


def csrf_holds(sent: str | None) -> bool:
    """Whether a form was made by us, for this session."""
    expected = session.get("csrf")
    return bool(sent) and isinstance(expected, str) and hmac.compare_digest(sent.encode(), expected.encode())
