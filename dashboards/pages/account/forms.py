"""What the forms of the page about one's own account do."""

from __future__ import annotations

from flask import redirect, request, session
from flask.typing import ResponseReturnValue
from flask_login import logout_user

from dashboards.components.forms import DONE
from dashboards.web.flash import STALE, back_to
from dashboards.web.sessions import csrf_holds
from dashboards.web.visitor import user_store
from mbc.errors import MbcError

PATH = "/account"
CHANGE_PASSWORD, SIGN_OUT_EVERYWHERE, REMOVE_FACTOR = (
    "/change-password", "/sign-out-everywhere", "/remove-second-factor",
)  # fmt: skip


def answer_password() -> ResponseReturnValue:
    """Choose another password; every sign-in ends, this one too."""
    if not csrf_holds(request.form.get("csrf")):
        return back_to(PATH, STALE)
    new = request.form.get("new", "")
    if new != request.form.get("again", ""):
        return back_to(PATH, "The two new passwords differ. Nothing was changed.")
    try:
        user_store().own_account.change_password(request.form.get("current", ""), new, address=_address())
    except MbcError as fault:
        return back_to(PATH, str(fault))
    return _leave("Your password was changed. Sign in with it.")


def answer_everywhere() -> ResponseReturnValue:
    """End every sign-in of this account, this one too."""
    if not csrf_holds(request.form.get("csrf")):
        return back_to(PATH, STALE)
    user_store().own_account.sign_out_everywhere()
    return _leave("You are signed out everywhere.")


def answer_factor() -> ResponseReturnValue:
    """Remove the second factor; every sign-in ends, this one too."""
    if not csrf_holds(request.form.get("csrf")):
        return back_to(PATH, STALE)
    try:
        user_store().own_account.remove_factor(request.form.get("current", ""), address=_address())
    except MbcError as fault:
        return back_to(PATH, str(fault))
    return _leave(f"{DONE}the second factor was removed. Sign in again.")


def _leave(note: str) -> ResponseReturnValue:
    logout_user()
    session.clear()
    session["note"] = note
    return redirect("/sign-in", 303)


def _address() -> str:
    return request.remote_addr or ""
