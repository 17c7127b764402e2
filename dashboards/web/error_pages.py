"""What a person reads when a request cannot be answered: a plain sentence, no trace of what went wrong inside."""

from __future__ import annotations

from flask import Flask, Response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, NotFound

from dashboards.web.sessions import csrf_token
from dashboards.web.theme import chosen_theme
from mbc.errors import AccessDenied, NotInRecord

_WORDS = {
    403: ("Not from here", "That request did not come from a page of this application."),
    404: ("Nothing here", "There is no such page, or it is not one of yours."),
    405: ("Not like this", "That address cannot be used in this way."),
    413: ("Too much at once", "That was larger than this application accepts."),
}
_FAULT = ("Something went wrong", "The fault has been noted for whoever runs this server. Nothing was changed.")


def install_refusals(server: Flask) -> None:
    """Answer every fault of the server with a plain page, or a plain line where no person reads it."""
    server.register_error_handler(HTTPException, refuse)
    for fault in (NotInRecord, AccessDenied):  # what is not theirs does not exist
        server.register_error_handler(fault, lambda _: refuse(NotFound()))


def refuse(fault: HTTPException) -> ResponseReturnValue:
    """Word one refusal; a fault of our own (500) is told like any other, its details stay in the server's log."""
    status = fault.code or 500
    heading, words = _WORDS.get(status, _FAULT)
    if request.method not in ("GET", "HEAD") or request.path.startswith(("/_", "/assets/")):
        return Response(words, status, mimetype="text/plain")
    page = render_template(
        "message.html", heading=heading, words=words, way_on="To the start", theme=chosen_theme()
    )
    return page, status


def no_pages() -> ResponseReturnValue:
    """Tell somebody signed in that their work is done elsewhere, and let them go."""
    heading, words = "No pages for this account", "What this account may do is done with the mbc command."
    return render_template("message.html", heading=heading, words=words, csrf=csrf_token(), theme=chosen_theme())
