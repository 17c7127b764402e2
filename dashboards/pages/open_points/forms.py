"""How an open point is marked as seen: one plain form with a token of its own."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from dashboards.web.flash import STALE, back_to
from dashboards.web.sessions import csrf_holds
from dashboards.web.visitor import my_store
from mbc.errors import NotInRecord
from mbc.store import Store

PATH = "/open-points"
MARK_SEEN = "/mark-seen"
SEEN = "Marked as seen. Your name and the time are kept."
_GONE = "Nothing was changed: that point is not open any more, or it is not one of yours."


def answer_mark() -> ResponseReturnValue:
    """Answer the form; who may use it, and for whom, is the store's to say."""
    if not csrf_holds(request.form.get("csrf")):
        return back_to(PATH, STALE)
    return back_to(PATH, mark(my_store(), request.form.get("sheet", ""), request.form.get("line", "")))


def mark(store: Store, sheet: str, line: str) -> str:
    """Acknowledge one flag, and say what came of it; what the form sent is a claim.

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
