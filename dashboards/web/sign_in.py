"""How a person comes in and goes out: a plain form that works without scripts, and a button."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import cast

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    send_from_directory,
    session,
)
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_user, logout_user

from dashboards.routes import Pages
from dashboards.web.kept_words import forget_words
from dashboards.web.known_browser import remember_browser
from dashboards.web.passkeys import ask_passkey, passkey_words, visitor_by_passkey
from dashboards.web.pause_notice import keep_notice
from dashboards.web.provider import (
    BACK,
    Provider,
    ProviderUnreachable,
    leave_provider,
    provider,
    provider_names,
    visitor_by_provider,
)
from dashboards.web.provider_logout import take_logout
from dashboards.web.rate_limit import PROVIDER_LOGOUT
from dashboards.web.second_factor import (
    codes_page,
    pending,
    show_code,
    show_setup,
    take_code,
    take_setup,
    wait_for_code,
)
from dashboards.web.sessions import Sessions, csrf_holds, csrf_token, sign_in_id
from dashboards.web.theme import chosen_theme
from dashboards.web.visitor import (
    BY_PROVIDER,
    Visitor,
    end_sign_in,
    has_factor,
    link_account,
    load_user,
    requires_factor,
    store_account_state,
    use_link,
    user_store,
    verify,
)
from mbc.errors import MbcError, StoreError

_PUBLIC = Path(__file__).parents[1] / "public"
_PUBLIC_FILES = ("plain.css", "icon.svg", "passkey.js")

# The only endpoints that answer somebody who is not signed in.
OPEN_ENDPOINTS = frozenset(
    f"signing_in.{name}"
    for name in (
        "show", "enter", "file", "show_link", "use_link", "show_code", "take_code", "show_setup", "take_setup",
        "to_provider", "from_provider", "leave_provider", "logout_by_provider", "ask_passkey", "take_passkey",
    )
)  # fmt: skip

_NO_MATCH = (
    "The user name or password is wrong, or sign-in is paused after several failed attempts. "
    "Check both; if it persists, wait 15 minutes or ask your administrator."
)
_LINK_VOID = "This link is not valid: it was used, replaced, or is older than three days. Ask for another."
_NOT_KNOWN = (
    "You are signed in at {name}, but no account here is linked to it, or the account is disabled. "
    "Ask your administrator."
)
_NOT_PROVED = "Signing in through {name} did not work. Try again; if it persists, ask your administrator."
_AWAY = "{name} is not responding. Sign in with your password, or try again in a minute."
_NO_PASSKEY = (
    "That passkey is not registered here, or the request timed out. Sign in with your password, or try again."
)
_LEAVES = "leaves_provider"  # in the session
_LOG = logging.getLogger("mbc.server")
_STALE_LINK = "This page was open for too long. Please try again."
_STALE = "This page was open for too long. Please sign in again."


def install_sign_in(server: Flask, sessions: Sessions, pages: Pages) -> None:
    """Add the sign-in page, its two files, the sign-out, and what reads the account back from a cookie."""
    manager = LoginManager()
    manager.session_protection = "basic"
    manager.init_app(server, add_context_processor=False)

    manager.user_loader(load_user)

    rules = Blueprint("signing_in", __name__)
    rules.add_url_rule("/sign-in", "show", _show, methods=["GET"])
    rules.add_url_rule("/sign-in", "enter", lambda: _enter(sessions, pages), methods=["POST"])
    rules.add_url_rule("/sign-in/code", "show_code", show_code, methods=["GET"])
    rules.add_url_rule("/sign-in/code", "take_code", lambda: _take_code(sessions, pages), methods=["POST"])
    rules.add_url_rule("/second-factor", "show_setup", lambda: show_setup(sessions), methods=["GET"])
    rules.add_url_rule("/second-factor", "take_setup", lambda: _take_setup(sessions, pages), methods=["POST"])
    rules.add_url_rule("/sign-in/provider", "to_provider", _to_provider, methods=["GET"])
    rules.add_url_rule(BACK, "from_provider", lambda: _from_provider(sessions, pages), methods=["GET"])
    rules.add_url_rule("/sign-in/provider/leave", "leave_provider", leave_provider, methods=["GET"])
    rules.add_url_rule(PROVIDER_LOGOUT, "logout_by_provider", take_logout, methods=["POST"])
    rules.add_url_rule("/sign-in/passkey", "ask_passkey", ask_passkey, methods=["GET"])
    rules.add_url_rule(
        "/sign-in/passkey", "take_passkey", lambda: _take_passkey(sessions, pages), methods=["POST"]
    )
    rules.add_url_rule("/sign-in/<name>", "file", _file, methods=["GET"])
    rules.add_url_rule("/new-password/<token>", "show_link", _show_link, methods=["GET"])
    rules.add_url_rule("/new-password/<token>", "use_link", _use_link, methods=["POST"])
    rules.add_url_rule("/sign-out", "leave", _leave, methods=["POST"])
    rules.add_url_rule("/still-here", "still_here", lambda: Response(status=204), methods=["POST"])
    server.register_blueprint(rules)


def _show() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect("/", 303)
    return _form(note=session.pop("note", ""))


def _enter(sessions: Sessions, pages: Pages) -> ResponseReturnValue:
    if not csrf_holds(request.form.get("csrf")):
        return _form(problem=_STALE), 400
    username, password = request.form.get("username", ""), request.form.get("password", "")
    try:
        visitor = verify(username, password)
    except StoreError as fault:
        return _form(problem=str(fault)), 503
    if visitor is None:
        return _form(problem=_NO_MATCH), 401
    session.pop(BY_PROVIDER, None)
    return _after_first_step(visitor, sessions, pages)


def _to_provider() -> ResponseReturnValue:
    known = provider()
    if known is None:
        abort(404)
    try:
        return known.send_there()
    except MbcError as fault:
        return _provider_failed(known, fault)


def _from_provider(sessions: Sessions, pages: Pages) -> ResponseReturnValue:
    """Sign in whoever the clinic's provider vouches for, and who has an account here."""
    known = provider()
    if known is None:
        abort(404)
    try:
        visitor = visitor_by_provider(known)
    except MbcError as fault:
        return _provider_failed(known, fault)
    if visitor is None:
        return _form(problem=_NOT_KNOWN.format(name=known.settings.name), by_provider=True), 401
    if known.settings.second_factor == "provider":
        return _begin(visitor, sessions, pages)
    return _after_first_step(visitor, sessions, pages)


def _provider_failed(known: Provider, fault: MbcError) -> ResponseReturnValue:
    """Say that signing in did not work, and write one line that names nobody."""
    away = isinstance(fault, (ProviderUnreachable, StoreError))
    _LOG.warning("sign-in by provider failed", extra={"kind": type(fault).__name__})
    words = _AWAY if away else _NOT_PROVED
    return _form(problem=words.format(name=known.settings.name)), 503 if away else 401


def _take_passkey(sessions: Sessions, pages: Pages) -> ResponseReturnValue:
    """Sign in whoever answers with a passkey: it is had, and its device has asked for a PIN or a finger."""
    if not csrf_holds(request.form.get("csrf")):
        return _form(problem=_STALE), 400
    session.pop(BY_PROVIDER, None)
    try:
        visitor = visitor_by_passkey()
    except StoreError as fault:
        return _form(problem=str(fault)), 503
    return (_form(problem=_NO_PASSKEY), 401) if visitor is None else _begin(visitor, sessions, pages)


def _after_first_step(visitor: Visitor, sessions: Sessions, pages: Pages) -> ResponseReturnValue:
    if has_factor(visitor.user.username):
        wait_for_code(visitor)
        return redirect("/sign-in/code", 303)
    if requires_factor(visitor.user):
        wait_for_code(visitor)
        return redirect("/second-factor", 303)
    return _begin(visitor, sessions, pages)


def _begin(visitor: Visitor, sessions: Sessions, pages: Pages) -> ResponseReturnValue:
    """Sign somebody in who has shown everything that is asked for."""
    wanted, by_provider = session.get("wanted"), session.get(BY_PROVIDER)
    sessions.start()
    if by_provider:
        session[BY_PROVIDER] = by_provider
    store_account_state(visitor)
    login_user(visitor)
    keep_notice(visitor.store.own_account.paused_since_last_sign_in())
    known = isinstance(wanted, str) and pages.visit(wanted, visitor.user)
    answer = make_response(redirect(str(wanted) if known else pages.home(visitor.user) or "/", 303))
    remember_browser(answer, visitor.user.username)
    return answer


def _take_code(sessions: Sessions, pages: Pages) -> ResponseReturnValue:
    taken = take_code()
    return _begin(taken, sessions, pages) if isinstance(taken, Visitor) else taken


def _take_setup(sessions: Sessions, pages: Pages) -> ResponseReturnValue:
    """Set a second factor up; where it was required, that also completes the sign-in."""
    waiting = pending()
    taken = take_setup(sessions)
    if not (isinstance(taken, tuple) and isinstance(taken[1], tuple)):
        return cast("ResponseReturnValue", taken)
    answer = make_response(codes_page(cast("tuple[str, ...]", taken[1])))
    if waiting is not None and waiting.user.username == taken[0]:
        _begin(waiting, sessions, pages)
        remember_browser(answer, waiting.user.username)
    return answer


def _show_link(token: str) -> ResponseReturnValue:
    username = link_account(token)
    return _link_form(username, token) if username else (_link_form(None, token, problem=_LINK_VOID), 404)


def _use_link(token: str) -> ResponseReturnValue:
    """Keep the password that the owner of an account chose; the link is used up by it."""
    username = link_account(token)
    if username is None:
        return _link_form(None, token, problem=_LINK_VOID), 404
    if not csrf_holds(request.form.get("csrf")):
        return _link_form(username, token, problem=_STALE_LINK), 400
    password = request.form.get("password", "")
    if password != request.form.get("again", ""):
        return _link_form(username, token, problem="The two passwords differ. Type the same one twice."), 400
    try:
        use_link(token, password)
    except MbcError as fault:
        return _link_form(username, token, problem=str(fault)), 400
    session.clear()
    session["note"] = "Your password was saved. Sign in with it."
    return redirect("/sign-in", 303)


def _link_form(username: str | None, token: str, *, problem: str = "") -> str:
    return render_template(
        "new_password.html",
        username=username,
        token=token,
        problem=problem,
        csrf=csrf_token(),
        theme=chosen_theme(),
    )


def _leave() -> ResponseReturnValue:
    if not csrf_holds(request.form.get("csrf")):
        return redirect("/", 303)
    for record in user_store().break_glass_records():
        user_store().end_break_glass(record.client_id)
    end_sign_in(
        sign_in_id()
    )  # before anything else of it goes: wherever its cookie was copied to, it is worthless from now on
    by_provider = session.get(BY_PROVIDER)
    logout_user()
    session.clear()
    session["note"] = "You are signed out."
    if by_provider:
        session[_LEAVES] = True
    answer = make_response(redirect("/sign-in", 303))
    forget_words(answer)
    return answer


def _form(*, problem: str = "", note: str = "", by_provider: bool = False) -> str:
    return render_template(
        "sign_in.html",
        problem=problem,
        note=note,
        csrf=csrf_token(),
        theme=chosen_theme(),
        provider=names[1] if (names := provider_names()) else "",
        # signed in at the provider still: whoever comes next would be let in, too
        leaves=bool(session.pop(_LEAVES, False)),
        change_account=by_provider,
        passkeys=passkey_words(),
    )


def _file(name: str) -> Response:
    if name not in _PUBLIC_FILES:
        abort(404)
    return send_from_directory(_PUBLIC, name, max_age=3600)
