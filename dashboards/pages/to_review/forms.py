"""The form that acknowledges a safety flag, with a token of its own."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from dashboards.web.flash import STALE, back_to
from dashboards.web.sessions import csrf_holds
from dashboards.web.visitor import user_store
from mbc.errors import NotInRecord
from mbc.store import Store

PATH = "/to-review"
MARK_SEEN = "/mark-seen"
SEEN = "Marked as seen. Your name and the time were recorded."
_GONE = "Nothing was changed: that flag is no longer open, or it is not one of yours."


def answer_mark() -> ResponseReturnValue:
    """Answer the form; the store decides who may use it, and for whom."""
    if not csrf_holds(request.form.get("csrf")):
        return back_to(PATH, STALE)
    return back_to(PATH, mark(user_store(), request.form.get("sheet", ""), request.form.get("line", "")))


def mark(store: Store, sheet: str, line: str) -> str:
    """Acknowledge one flag and return the message; what the form sent is not trusted.

    Somebody else's flag, one that was acknowledged before, and one that never was are answered alike.

    Raises
    ------
    AccessDenied
        Without the permission: the page does not exist for them, and neither does its form.
    """
    number = int(sheet) if sheet.isascii() and sheet.isdigit() and len(sheet) < 19 else -1
    try:
        with store.writing() as record:
            record.acknowledge(number, line)
    except NotInRecord:
        return _GONE
    return SEEN
