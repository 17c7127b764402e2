"""Whether a request is let in at all: nothing is, unless it is the sign-in or somebody signed in may have it."""

from __future__ import annotations

from collections.abc import Collection

from flask import Flask, Request, Response, abort, make_response, redirect, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user, logout_user

from dashboards.routes import Pages, client_of
from dashboards.web.health import HEALTH_ENDPOINTS
from dashboards.web.kept_words import keep_words, named_by
from dashboards.web.sessions import Sessions
from dashboards.web.sign_in import OPEN_ENDPOINTS
from dashboards.web.visitor import can_see, note_ended, note_refusal, signed_in_user, user_store

# What the application itself fetches; everything else that is asked for is a page.
_MACHINERY = ("/_dash-layout", "/_dash-dependencies", "/_dash-update-component", "/still-here")
_MACHINERY_FILES = ("/assets/", "/_dash-component-suites/")
_OPEN = OPEN_ENDPOINTS | HEALTH_ENDPOINTS
_ANY_PATH = "/<path:path>"  # where Dash answers with the page's frame, whatever was asked for
_SIGN_OUT = "/sign-out"
_HARMLESS = ("GET", "HEAD", "OPTIONS")


def install_guard(server: Flask, sessions: Sessions, pages: Pages) -> None:
    """Put the guard before every route of the server; it must be the first thing installed."""
    forms = {_SIGN_OUT, *pages.forms}  # carry a token of their own

    @server.before_request
    def guard() -> ResponseReturnValue | None:
        if request.endpoint in _OPEN:
            return None
        if not (sessions.live() and current_user.is_authenticated):
            return _send_to_sign_in(pages.keeps)
        if request.method not in _HARMLESS and request.path not in forms and not _from_our_pages(request):
            user_store().audit.record("refused", asked="a request from elsewhere", fault="AccessDenied")
            abort(403)
        if request.path.startswith(_MACHINERY_FILES) and request.url_rule and request.url_rule.rule == _ANY_PATH:
            abort(404)
        if _is_machinery(request.path) or (request.method == "POST" and request.path in forms):
            return None
        return _open_page(pages)


def _is_machinery(path: str) -> bool:
    return path in _MACHINERY or path.startswith(_MACHINERY_FILES)


def _send_to_sign_in(keeps: Collection[str] = ()) -> ResponseReturnValue:
    """End what is left of a sign-in; a page leads to the sign-in, everything else is simply refused.

    What was typed into a form that ``keeps`` names is given back after the next sign-in, to whom the form was for.
    """
    wanted = request.path
    if "sid" in session:  # a token of the sign-in form alone stays: the form may be open in another tab
        note_ended(str(session["sid"]), str(session.get("_user_id", "")))
        logout_user()
        session.clear()
    if request.method == "POST" and wanted in keeps and (username := named_by(request.form.get("writer", ""))):
        return _keep_typed(username, request.form.get("page", ""))
    if request.method not in ("GET", "HEAD") or _is_machinery(wanted) or wanted.startswith("/_"):
        return Response("Please sign in.", 401, mimetype="text/plain")
    if wanted != "/":
        session["wanted"] = wanted  # in the cookie, not in the address: an address may be logged
    return redirect("/sign-in", 303)


def _keep_typed(username: str, page: str) -> ResponseReturnValue:
    session["wanted"] = page  # opened after the sign-in, if it is a page of theirs
    session["note"] = "You were signed out. Sign in to get back what you typed."
    answer = make_response(redirect("/sign-in", 303))
    keep_words(answer, username, page, request.form)
    return answer


def _open_page(pages: Pages) -> ResponseReturnValue | None:
    """Let a page through if it exists for this visitor; what is not theirs does not exist."""
    if request.method not in ("GET", "HEAD"):
        abort(405)
    if request.path == "/":
        return redirect(pages.home(signed_in_user()) or "/sign-in", 303)
    asked = pages.visit(request.path, signed_in_user())
    if asked is None and (page := pages.at(request.path)):
        note_refusal(user_store(), page.name, client_of(request.path))
    if asked is None or (asked.client_id is not None and not can_see(asked.client_id)):
        abort(404)
    return None


def _from_our_pages(asked: Request) -> bool:
    """Whether a browser says that our own page sent this; other programs say nothing and hold no cookie.

    A browser that knows ``Sec-Fetch-Site`` always sends it on a trustworthy connection, others send ``Origin``.
    """
    site = asked.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = asked.headers.get("Origin")
    return origin is None or origin == f"{asked.scheme}://{asked.host}"
