"""What a person reads when a request cannot be answered: a plain sentence, no trace of what went wrong inside."""

from __future__ import annotations

from dash.exceptions import InvalidCallbackReturnValue
from flask import Flask, Response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, HTTPException, NotFound, ServiceUnavailable

from dashboards.web.faults import fault_reference, log_fault
from dashboards.web.theme import chosen_theme
from mbc.errors import AccessDenied, NotInRecord, StoreBusy, StoreUnreachable

_LATER = "Not available just now"
_BUSY = "Another program is writing to the record just now. Nothing was changed. Try again in a minute."
_SECONDS = 20  # until a program that asks by itself should ask again
_WORDS = {
    403: ("Request refused", "That request was not sent by a page of this application."),
    404: ("Page not found", "There is no such page, or it is not one of yours."),
    405: ("Method not allowed", "That address cannot be used in this way."),
    413: ("Request too large", "The request was larger than this application accepts."),
    503: (_LATER, "The record cannot be reached just now. Nothing was changed. Try again in a minute."),
}
_FAULT = "Something went wrong"
_WRONG_REQUEST = ("Request refused", "The request could not be understood.")


def install_error_pages(server: Flask) -> None:
    """Answer every fault of the server with a plain page, or a plain line where no person reads it."""
    server.register_error_handler(HTTPException, error_page)
    for fault in (NotInRecord, AccessDenied):  # what is not theirs does not exist
        server.register_error_handler(fault, lambda _: error_page(NotFound()))
    for fault in (StoreBusy, StoreUnreachable):
        server.register_error_handler(fault, _try_again)
    server.register_error_handler(InvalidCallbackReturnValue, lambda _: error_page(BadRequest()))


def _try_again(fault: Exception) -> ResponseReturnValue:
    log_fault(fault, 503)
    return error_page(ServiceUnavailable(), words=_BUSY if isinstance(fault, StoreBusy) else None)


def error_page(fault: HTTPException, *, words: str | None = None) -> ResponseReturnValue:
    """Word one refusal; an internal error (500) is worded like any other, its details stay in the server's log."""
    status = fault.code or 500
    heading, usual = _WORDS.get(status) or (_WRONG_REQUEST if status < 500 else (_FAULT, _logged()))
    words = words or usual
    headers = {"Retry-After": str(_SECONDS)} if status == 503 else {}
    if request.method not in ("GET", "HEAD") or request.path.startswith(("/_", "/assets/")):
        return Response(words, status, headers, mimetype="text/plain")
    page = render_template("message.html", heading=heading, words=words, way_on="Home", theme=chosen_theme())
    return page, status, headers


def _logged() -> str:
    reference = fault_reference()
    named = f" under the reference {reference}" if reference else ""
    return f"The error was logged on the server{named}. Nothing was changed."
