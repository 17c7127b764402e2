"""What a page says once, after a form: kept in the session, and naming nobody."""

from __future__ import annotations

from flask import redirect, session
from flask.typing import ResponseReturnValue

STALE = "This page had been open for a while. Please try once more."
_NOTE = "said"  # in the session: the page's path and the words


def back_to(path: str, note: str = "") -> ResponseReturnValue:
    """Lead to a page, which says the note the next time it is shown."""
    if note:
        session[_NOTE] = [path, note]
    return redirect(path, 303)


def take_note(path: str | None) -> str:
    """Give what the last form has to say on a page, once."""
    kept = session.get(_NOTE)
    if not kept or kept[0] != path:
        return ""
    return str(session.pop(_NOTE)[1])
