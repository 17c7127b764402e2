"""What a person reads when a request cannot be answered: a plain sentence, no trace of what went wrong inside."""

from __future__ import annotations

from flask import Flask, Response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, NotFound

from dashboards.web.theme import chosen_theme
from mbc.errors import AccessDenied, NotInRecord

_WORDS = {
    403: ("Request refused", "That request was not sent by a page of this application."),
    404: ("Page not found", "There is no such page, or it is not one of yours."),
    405: ("Method not allowed", "That address cannot be used in this way."),
    413: ("Request too large", "That was larger than this application accepts."),
}
_FAULT = ("Something went wrong", "The error was logged on the server. Nothing was changed.")


def install_error_pages(server: Flask) -> None:
    """Answer every fault of the server with a plain page, or a plain line where no person reads it."""
    server.register_error_handler(HTTPException, error_page)
    for fault in (NotInRecord, AccessDenied):  # what is not theirs does not exist
        server.register_error_handler(fault, lambda _: error_page(NotFound()))


def error_page(fault: HTTPException) -> ResponseReturnValue:
    """Word one refusal; an internal error (500) is worded like any other, its details stay in the server's log."""
    status = fault.code or 500
    heading, words = _WORDS.get(status, _FAULT)
    if request.method not in ("GET", "HEAD") or request.path.startswith(("/_", "/assets/")):
        return Response(words, status, mimetype="text/plain")
    page = render_template("message.html", heading=heading, words=words, way_on="Home", theme=chosen_theme())
    return page, status
