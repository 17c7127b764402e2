"""One-time messages after a form: kept in the session, naming nobody."""

from __future__ import annotations

from flask import redirect, session
from flask.typing import ResponseReturnValue

STALE = "This page was open for too long. Please try again."
_NOTE = "flash"  # in the session: the page's path and the words


def back_to(path: str, note: str = "") -> ResponseReturnValue:
    """Redirect to a page, which shows the note the next time it is loaded."""
    if note:
        session[_NOTE] = [path, note]
    return redirect(path, 303)


def take_note(path: str | None) -> str:
    """Give the message of the last form for a page, once."""
    kept = session.get(_NOTE)
    if not kept or kept[0] != path:
        return ""
    return str(session.pop(_NOTE)[1])
