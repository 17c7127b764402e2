"""One's own account: where it signed in, its password and second factor, and signing out everywhere."""

from __future__ import annotations

import json
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.components.forms import choice, form, notice, panel, text_field
from dashboards.components.tables import table
from dashboards.components.wording import day_words
from dashboards.pages.account.forms import (
    ADD_PASSKEY,
    ASK_PASSKEY,
    CHANGE_PASSWORD,
    PATH,
    REMOVE_FACTOR,
    REMOVE_PASSKEY,
    SIGN_OUT_EVERYWHERE,
    answer_add_passkey,
    answer_ask_passkey,
    answer_everywhere,
    answer_factor,
    answer_password,
    answer_remove_passkey,
)
from dashboards.routes import Page, PageRequest
from mbc.store.accounts.own_account import OwnAccount
from mbc.store.accounts.passkeys import Passkey

_SHOWN = 20


def layout(request: PageRequest) -> list[Component]:
    """Lay out the page of whoever asks."""
    account = request.store.own_account
    return [
        html.H1("My account"),
        html.P(_last(account), className="lead"),
        *notice(request.note),
        html.Div([_sign_ins(account, request.token), _factor(account, request.token)], className="two"),
        html.Div(
            [
                panel("Change password", "change-password", _password_form(request.token)),
                _passkeys(account, request),
            ],
            className="two",
        ),
    ]


def _last(account: OwnAccount) -> str:
    before = account.last_sign_in()
    if before is None:
        return "This is your first sign-in with this account."
    at, origin = before
    return (
        f"Last sign-in before this one: {day_words(at.date())}, {at:%H:%M} UTC, from {origin}. "
        "If that was not you, change your password and speak with your administrator."
    )


def _sign_ins(account: OwnAccount, token: str) -> Component:
    rows = [
        [f"{day_words(row['at'].date())}, {row['at']:%H:%M}", _words(row), row["origin"]]
        for row in account.sign_ins(last=_SHOWN).iter_rows(named=True)
    ]
    everywhere = form(SIGN_OUT_EVERYWHERE, token, [], "Sign out everywhere", inline=True)
    headings = ("When (UTC)", "What", "From")
    return panel("Sign-ins", "sign-ins", table("Sign-ins, latest first", headings, rows, blocks=True), everywhere)


def _words(row: dict[str, Any]) -> str:
    detail: dict[str, Any] = json.loads(row["detail"] or "{}")
    attempts = detail.get("attempts")
    return f"{row['action']}, {attempts} attempts" if attempts else str(row["action"])


def _factor(account: OwnAccount, token: str) -> Component:
    if not account.has_factor:
        return panel(
            "Second factor",
            "second-factor",
            html.P("A code from your phone at each sign-in, so that a stolen password is not enough."),
            html.A("Add a second factor", href="/second-factor", className="button"),
        )
    words = html.P("On: each sign-in needs a code from your app.")
    if account.must_have_factor:
        return panel("Second factor", "second-factor", words, html.P("The clinic requires it for your role."))
    fields = [_secret("Current password", "current", "factor")]
    return panel("Second factor", "second-factor", words, form(REMOVE_FACTOR, token, fields, "Remove it"))


def _passkeys(account: OwnAccount, request: PageRequest) -> Component:
    """Show the passkeys, and the form that adds one where this address and browser have them."""
    token, kept = request.token, account.passkeys()
    inside: list[Component] = [
        html.P("Sign in with your device and its PIN, fingerprint or face, without a password or code.")
    ]
    if kept:
        rows = [[key.label, day_words(key.added_at.date()), _used(key)] for key in kept]
        inside.append(table("Passkeys", ("Passkey", "Added", "Last used"), rows, blocks=True))
        named = [(key.passkey_id, f"{key.label}, {day_words(key.added_at.date())}") for key in kept]
        fields = [
            choice("Passkey", "passkey", named, place="remove"),
            _secret("Current password", "current", "remove"),
        ]
        inside.append(html.Details([html.Summary("Remove one"), form(REMOVE_PASSKEY, token, fields, "Remove it")]))
    if request.no_passkeys:
        inside.append(html.P(request.no_passkeys, className="quiet-words"))
        return panel("Passkeys", "passkeys", *inside)
    adding: list[Component] = [
        text_field("Name of the device", "label", place="passkey", hint="Such as: my phone"),
        _secret("Current password", "current", "passkey"),
        dcc.Input(type="hidden", name="answer", value=""),
    ]
    inside += [_adding_form(token, adding), html.Noscript("Adding a passkey requires JavaScript.")]
    return panel("Passkeys", "passkeys", *inside)


def _adding_form(token: str, fields: list[Component]) -> Component:
    attributes: dict[str, Any] = {"data-passkey": "add"}  # answered by passkey.js, which asks the device first
    return html.Form(
        [
            dcc.Input(type="hidden", name="csrf", value=token),
            *fields,
            html.Button("Add a passkey", type="submit", className="firm"),
            html.P("", role="status", className="quiet-words"),
        ],
        action=ADD_PASSKEY,
        method="POST",
        className="fields no-print",
        **attributes,
    )


def _used(key: Passkey) -> str:
    return "not yet" if key.used_at is None else f"{day_words(key.used_at.date())}, {key.used_at:%H:%M} UTC"


def _password_form(token: str) -> Component:
    fields = [
        _secret("Current password", "current", "change"),
        _secret("New password", "new", "change", hint="At least 12 characters; a few unrelated words are best"),
        _secret("Repeat the new password", "again", "change"),
    ]
    return form(CHANGE_PASSWORD, token, fields, "Change, and sign out everywhere")


def _secret(label: str, name: str, place: str, *, hint: str = "") -> Component:
    completing = "current-password" if name == "current" else "new-password"
    return text_field(label, name, place=place, longest=256, hint=hint, type="password", autoComplete=completing)


PAGE = Page(
    name="own account",
    pattern=PATH,
    path=PATH,
    label="My account",
    may_open=lambda _: True,
    layout=layout,
    forms={
        CHANGE_PASSWORD: answer_password,
        SIGN_OUT_EVERYWHERE: answer_everywhere,
        REMOVE_FACTOR: answer_factor,
        ASK_PASSKEY: answer_ask_passkey,
        ADD_PASSKEY: answer_add_passkey,
        REMOVE_PASSKEY: answer_remove_passkey,
    },
)
