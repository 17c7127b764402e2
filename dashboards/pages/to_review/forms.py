"""The forms of safety flags: acknowledged with what was done, that corrected, and a second person's look."""

from __future__ import annotations

import datetime as dt

from flask import request
from flask.typing import ResponseReturnValue

from dashboards.web.flash import back_to
from dashboards.web.form_answers import form_on
from dashboards.web.visitor import today, user_store
from mbc.errors import AccessDenied, Conflict, MbcError, NotInRecord, StoreError
from mbc.store import Store

PATH = "/to-review"
MARK_SEEN, CORRECT, CONFIRM = "/mark-seen", "/correct-note", "/confirm-mark"
SEEN = "Marked as seen. Your name and the time were recorded."
CORRECTED = "Corrected. The earlier note is kept with the reason."
CONFIRMED = "Confirmed as the second person."
GOOD = frozenset({SEEN, CORRECTED, CONFIRMED})
_GONE = "Nothing was changed: that flag is no longer open, or it is not one of yours."
_NO_NOTE = "Nothing was changed: say in a few words what was done."
_NO_REASON = "Nothing was changed: say what was done, and why it is corrected."


@form_on(PATH, passes=MbcError)
def answer_mark() -> ResponseReturnValue:
    """Answer the form; the store decides who may use it, and for whom."""
    return back_to(PATH, mark(user_store(), _sent("sheet"), _sent("line"), _sent("done"), today()))


@form_on(PATH, passes=MbcError)
def answer_correct() -> ResponseReturnValue:
    """Answer the form that corrects what was done."""
    sent = (_sent("sheet"), _sent("line"), _sent("done"), _sent("why"))
    return back_to(PATH, correct(user_store(), *sent, today()))


@form_on(PATH, passes=MbcError)
def answer_confirm() -> ResponseReturnValue:
    """Answer the form of the second person."""
    return back_to(PATH, confirm(user_store(), _sent("sheet"), _sent("line"), today()))


def mark(store: Store, sheet: str, line: str, done: str, on: dt.date) -> str:
    """Acknowledge one flag with what was done, and return the message; what the form sent is not trusted.

    Somebody else's flag, one that was acknowledged before, and one that never was are answered alike.

    Raises
    ------
    AccessDenied
        Without the permission: the page does not exist for them, and neither does its form.
    """
    if not done:
        _require(store)
        return _NO_NOTE
    try:
        with store.writing() as record:
            record.acknowledge(_number(sheet), line, action=done, on=on)
    except (NotInRecord, Conflict):
        return _GONE
    except AccessDenied:
        raise
    except StoreError as fault:
        return f"Nothing was changed: {fault}"
    return SEEN


def correct(store: Store, sheet: str, line: str, done: str, why: str, on: dt.date) -> str:
    """Correct what was done about an acknowledged flag; the earlier note is kept with the reason.

    Raises
    ------
    AccessDenied
        Without the permission.
    """
    if not (done and why):
        _require(store)
        return _NO_REASON
    try:
        with store.writing() as record:
            record.respond(_number(sheet), line, done, on=on, supersede=why)
    except NotInRecord:
        return _GONE
    except AccessDenied:
        raise
    except StoreError as fault:
        return f"Nothing was changed: {fault}"
    return CORRECTED


def confirm(store: Store, sheet: str, line: str, on: dt.date) -> str:
    """Confirm an acknowledged flag as the second person.

    Raises
    ------
    AccessDenied
        Without the permission.
    """
    try:
        with store.writing() as record:
            record.confirm(_number(sheet), line, on=on)
    except NotInRecord:
        return _GONE
    except Conflict as fault:
        return f"Nothing was changed: {fault}"
    return CONFIRMED


def _require(store: Store) -> None:
    if not store.has_permission("safety:read"):
        raise AccessDenied("This account may not do that.")


def _sent(name: str) -> str:
    return " ".join(request.form.get(name, "").split())


def _number(sheet: str) -> int:
    return int(sheet) if sheet.isascii() and sheet.isdigit() and len(sheet) < 19 else -1
