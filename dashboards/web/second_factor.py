"""The second step of a sign-in: a code of an app, or setting the app up where there is none yet."""

from __future__ import annotations

import time

import segno
from flask import make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user

from dashboards.web.sessions import Sessions, csrf_holds, csrf_token
from dashboards.web.theme import chosen_theme
from dashboards.web.visitor import (
    Visitor,
    account_state,
    add_factor,
    has_factor,
    signed_in_user,
    verify_code,
    visitor_of,
)
from mbc.errors import MbcError
from mbc.store.accounts.second_factor import new_secret, provisioning_address

_PENDING, _SECRET = "pending", "factor"
_PATIENCE = 600  # seconds between the password and the code
_STALE = "This page was open for too long. Please try again."
_WRONG = "That code is wrong, was used already, or sign-in is paused after several failed attempts."


def wait_for_code(visitor: Visitor) -> None:
    """Note in the session whose password was right; nobody is signed in by that."""
    session[_PENDING] = [visitor.user.username, account_state(visitor), time.time()]


def pending() -> Visitor | None:
    """Give whoever typed the right password a moment ago, unless the account was changed since."""
    kept = session.get(_PENDING)
    if not (isinstance(kept, list) and len(kept) == 3):
        return None
    username, state, since = kept
    visitor = visitor_of(str(username))
    fresh = isinstance(since, float) and 0 <= time.time() - since <= _PATIENCE
    return visitor if visitor is not None and fresh and account_state(visitor) == state else None


def show_code() -> ResponseReturnValue:
    """Ask for the code."""
    visitor = pending()
    if visitor is None or not has_factor(visitor.user.username):
        return redirect("/sign-in", 303)
    return _code_form()


def take_code() -> Visitor | ResponseReturnValue:
    """Check the code; gives who is signed in by it, or what to answer."""
    visitor = pending()
    if visitor is None or not has_factor(visitor.user.username):
        return redirect("/sign-in", 303)
    if not csrf_holds(request.form.get("csrf")):
        return make_response(_code_form(problem=_STALE), 400)
    if not verify_code(visitor.user.username, request.form.get("code", "")):
        return make_response(_code_form(problem=_WRONG), 401)
    return visitor


def show_setup(sessions: Sessions) -> ResponseReturnValue:
    """Show the secret that an app reads."""
    username = _whose(sessions)
    if username is None:
        return redirect("/sign-in", 303)
    if has_factor(username):
        return redirect("/account", 303)
    return _setup_form(username)


def take_setup(sessions: Sessions) -> tuple[str, tuple[str, ...]] | ResponseReturnValue:
    """Keep the second factor that a code confirms; gives whose, and the recovery codes, or what to answer."""
    username = _whose(sessions)
    if username is None or has_factor(username):
        return redirect("/sign-in", 303)
    if not csrf_holds(request.form.get("csrf")):
        return make_response(_setup_form(username, problem=_STALE), 400)
    try:
        codes = add_factor(username, str(session.get(_SECRET, "")), request.form.get("code", ""))
    except MbcError as fault:
        return make_response(_setup_form(username, problem=str(fault)), 400)
    session.pop(_SECRET, None)
    return username, codes


def codes_page(codes: tuple[str, ...]) -> str:
    """Show the recovery codes, once."""
    return render_template("recovery_codes.html", codes=codes, theme=chosen_theme())


def _whose(sessions: Sessions) -> str | None:
    if sessions.live() and current_user.is_authenticated:
        return signed_in_user().username
    visitor = pending()
    return None if visitor is None else visitor.user.username


def _code_form(*, problem: str = "") -> str:
    return render_template("sign_in_code.html", problem=problem, csrf=csrf_token(), theme=chosen_theme())


def _setup_form(username: str, *, problem: str = "") -> str:
    secret = session.setdefault(_SECRET, new_secret())
    picture = segno.make(provisioning_address(secret, username), micro=False)
    return render_template(
        "second_factor.html",
        problem=problem,
        csrf=csrf_token(),
        theme=chosen_theme(),
        username=username,
        secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        picture=picture.svg_data_uri(scale=5, border=2, light="#fff", dark="#000"),
    )
