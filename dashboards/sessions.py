"""How long a sign-in lasts, and how it ends: signed out, unused for too long, or simply old."""

from __future__ import annotations

import hmac
import secrets
import threading

from flask import session

from dashboards.settings import Settings

_TOUCH_SECONDS = 30  # the cookie is renewed at most this often


class Sessions:
    """The sign-ins of one server.

    A sign-in lives in a signed cookie, so any worker can read it. What a cookie cannot say is that it was handed
    back: the ids of ended sign-ins are kept here until they would have run out by themselves.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ended: dict[str, float] = {}
        self._lock = threading.Lock()

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
        if idle or old or sid in self._ended:
            return False
        if now - seen > _TOUCH_SECONDS:
            session["seen"] = now
        return True

    def end(self) -> None:
        """End this session here and wherever else its cookie was copied to."""
        now, lasting = self._settings.clock(), self._settings.absolute_hours * 3600
        with self._lock:
            self._ended = {sid: until for sid, until in self._ended.items() if until > now}
            if sid := session.get("sid"):
                self._ended[sid] = now + lasting
        session.clear()


def csrf_token() -> str:
    """Give the token that forms of this session must send back."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(24)
    return session["csrf"]


def csrf_holds(sent: str | None) -> bool:
    """Whether a form was made by us, for this session."""
    expected = session.get("csrf")
    return bool(sent) and isinstance(expected, str) and hmac.compare_digest(sent.encode(), expected.encode())
