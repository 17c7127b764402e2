"""What the forms of the page about one's own account do."""

from __future__ import annotations

from flask import jsonify, redirect, request, session
from flask.typing import ResponseReturnValue
from flask_login import logout_user

from dashboards.components.forms import DONE
from dashboards.web.flash import STALE, back_to
from dashboards.web.form_answers import form_on
from dashboards.web.passkeys import ask_new_passkey, new_passkey, passkey_words
from dashboards.web.sessions import csrf_holds
from dashboards.web.visitor import signed_in_user, user_store
from mbc.errors import MbcError

PATH = "/account"
CHANGE_PASSWORD, SIGN_OUT_EVERYWHERE, REMOVE_FACTOR = (
    "/change-password", "/sign-out-everywhere", "/remove-second-factor",
)  # fmt: skip
ASK_PASSKEY, ADD_PASSKEY, REMOVE_PASSKEY = "/ask-passkey", "/add-passkey", "/remove-passkey"


@form_on(PATH)
def answer_password() -> ResponseReturnValue:
    """Choose another password; every sign-in ends, this one too."""
    new = request.form.get("new", "")
    if new != request.form.get("again", ""):
        return back_to(PATH, "The two new passwords differ. Nothing was changed.")
    user_store().own_account.change_password(request.form.get("current", ""), new, address=_address())
    return _leave("Your password was changed. Sign in with it.")


@form_on(PATH, passes=MbcError)
def answer_everywhere() -> ResponseReturnValue:
    """End every sign-in of this account, this one too."""
    user_store().own_account.sign_out_everywhere()
    return _leave("You are signed out everywhere.")


@form_on(PATH)
def answer_factor() -> ResponseReturnValue:
    """Remove the second factor; every sign-in ends, this one too."""
    user_store().own_account.remove_factor(request.form.get("current", ""), address=_address())
    return _leave(f"{DONE}the second factor was removed. Sign in again.")


def answer_ask_passkey() -> ResponseReturnValue:
    """Ask the browser to make a passkey, for somebody who knows the present password."""
    if not csrf_holds(request.form.get("csrf")):
        return jsonify(problem=STALE), 400
    if not passkey_words().usable:
        return jsonify(problem=passkey_words().reason), 400
    own = user_store().own_account
    try:
        own.require_password(request.form.get("current", ""), address=_address())
    except MbcError as fault:
        return jsonify(problem=str(fault)), 400
    return ask_new_passkey(signed_in_user().username, own.passkeys())


@form_on(PATH)
def answer_add_passkey() -> ResponseReturnValue:
    """Keep the passkey that the browser made."""
    if not request.form.get("answer"):
        return back_to(PATH, "Nothing was added: the browser creates a passkey, and needs JavaScript to do so.")
    made = new_passkey(request.form["answer"])
    label = request.form.get("label", "")
    user_store().own_account.add_passkey(label, made.credential, made.public_key, uses=made.uses)
    return back_to(PATH, f"{DONE}the passkey was added. Sign in with it from now on, or with your password.")


@form_on(PATH)
def answer_remove_passkey() -> ResponseReturnValue:
    """Remove a passkey; every sign-in ends, this one too."""
    number, current = request.form.get("passkey", ""), request.form.get("current", "")
    user_store().own_account.remove_passkey(number, current, address=_address())
    return _leave(f"{DONE}the passkey was removed. Sign in again.")


def _leave(note: str) -> ResponseReturnValue:
    logout_user()
    session.clear()
    session["note"] = note
    return redirect("/sign-in", 303)


def _address() -> str:
    return request.remote_addr or ""
