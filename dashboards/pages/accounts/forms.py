"""What the forms of the account pages do: the store decides who may, and what needs a second person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from flask import request
from flask.typing import ResponseReturnValue

from dashboards.components.forms import DONE
from dashboards.web.flash import back_to
from dashboards.web.form_answers import form_on
from dashboards.web.provider import provider
from dashboards.web.visitor import user_store
from mbc.store import Clinician, Store
from mbc.store.accounts.accounts import Accounts
from mbc.store.accounts.grants import AccessRequest

PATH = "/accounts"
ADD, CHANGE, DECIDE = "/add-account", "/change-account", "/decide-request"
_ASKED = (
    "A second administrator, or the operator with 'mbc user confirm', must confirm this; it is listed under "
    "'Waiting for confirmation'."
)


def account_path(username: str) -> str:
    """Give the path of an account's page."""
    return f"{PATH}/{username}"


@form_on(PATH)
def answer_add() -> ResponseReturnValue:
    """Create an account whose owner chooses a password by a one-time link."""
    return back_to(PATH, _add(user_store()))


def _add(store: Store) -> str:
    role, accounts = _sent("role"), store.accounts
    clinician_id = _sent("clinician_id") or None
    safety = ("safety:read",) if request.form.get("safety") else ()
    if clinician_id is not None and (name := _sent("display_name")):
        with store.writing() as record:
            record.add(Clinician(clinician_id, name))
    user = accounts.add(
        _sent("username"), None, cast("Any", role), clinician_id, permissions=safety,
        supervises=request.form.getlist("supervises"),
    )  # fmt: skip
    waits = any(waiting.username == user.username for waiting in accounts.requests())
    parts = [f"{DONE}account '{user.username}' was created."]
    if waits:
        parts.append(_ASKED)
    if accounts.is_active(user.username):  # last: the address is copied from the end of the line
        parts.append(_link(accounts.make_link(user.username)))
    return " ".join(parts)


def _sent_account() -> str:
    return account_path(_sent("username"))


@form_on(_sent_account)
def answer_change() -> ResponseReturnValue:
    """Change an account."""
    accounts, change = user_store().accounts, _CHANGES.get(_sent("change"))
    note = "There is no such change." if change is None else change(accounts, _sent("username"))
    return back_to(_sent_account(), note)


@form_on(PATH)
def answer_decide() -> ResponseReturnValue:
    """Confirm or decline what another administrator asked for."""
    accounts = user_store().accounts
    if _sent("decision") != "confirm":
        accounts.decline(_sent("number"))
        return back_to(PATH, f"{DONE}the request was declined.")
    confirmed = accounts.confirm(_sent("number"))
    link = "" if confirmed.link is None else " " + _link(confirmed.link)
    return back_to(PATH, f"{DONE}confirmed for {confirmed.request.about}: {confirmed.request.words}.{link}")


def _disable(accounts: Accounts, name: str) -> str:
    accounts.set_active(name, active=False)
    return f"{DONE}this account can no longer sign in, and its current sign-ins have ended."


def _enable(accounts: Accounts, name: str) -> str:
    asked = accounts.set_active(name, active=True)
    return f"{DONE}this account can sign in again." if asked is None else _ASKED


def _new_link(accounts: Accounts, name: str) -> str:
    made = accounts.make_link(name)
    return _ASKED if isinstance(made, AccessRequest) else f"{DONE}{_link(made)}"


def _grant(accounts: Accounts, name: str) -> str:
    asked = accounts.grant(name, cast("Any", _sent("permission")))
    return f"{DONE}the permission was granted." if asked is None else _ASKED


def _withdraw(accounts: Accounts, name: str) -> str:
    accounts.withdraw(name, _sent("permission"))
    return f"{DONE}the permission was withdrawn; the current sign-ins of this account have ended."


def _supervise(accounts: Accounts, name: str) -> str:
    asked = accounts.supervise(name, request.form.getlist("supervises"))
    return f"{DONE}supervision was added." if asked is None else _ASKED


def _unsupervise(accounts: Accounts, name: str) -> str:
    accounts.unsupervise(name, [_sent("clinician_id")])
    return f"{DONE}supervision was ended."


def _remove_factor(accounts: Accounts, name: str) -> str:
    asked = accounts.remove_factor(name)
    return f"{DONE}the second factor was removed." if asked is None else _ASKED


def _bind(accounts: Accounts, name: str) -> str:
    known = provider()
    if known is None:
        return "No sign-in provider is set up."
    asked = accounts.bind(name, known.settings.issuer, _sent("subject"))
    return (
        f"{DONE}this account now signs in through the provider account you entered." if asked is None else _ASKED
    )


def _unbind(accounts: Accounts, name: str) -> str:
    accounts.unbind(name, _sent("issuer"))
    return f"{DONE}this account no longer signs in through the provider."


def _remove_passkeys(accounts: Accounts, name: str) -> str:
    accounts.remove_passkeys(name)
    return f"{DONE}all passkeys of this account were removed."


def _review(accounts: Accounts, name: str) -> str:
    accounts.review(name)
    return f"{DONE}your review was recorded."


_CHANGES: dict[str, Callable[[Accounts, str], str]] = {
    "disable": _disable,
    "enable": _enable,
    "link": _new_link,
    "grant": _grant,
    "withdraw": _withdraw,
    "supervise": _supervise,
    "unsupervise": _unsupervise,
    "factor": _remove_factor,
    "passkeys": _remove_passkeys,
    "bind": _bind,
    "unbind": _unbind,
    "review": _review,
}


def _link(made: object) -> str:
    if isinstance(made, AccessRequest):
        return _ASKED
    return (
        "Give the owner this link, in person or through a channel that only they can read. It works once, within "
        f"three days: {request.host_url.rstrip('/')}/new-password/{made}"
    )


def _sent(name: str) -> str:
    return request.form.get(name, "").strip()
