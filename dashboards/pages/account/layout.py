"""One's own account: where it signed in, its password and second factor, and signing out everywhere."""

from __future__ import annotations

import json
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboards.components.forms import form, notice, panel, text_field
from dashboards.components.tables import table
from dashboards.components.wording import day_words
from dashboards.pages.account.forms import (
    CHANGE_PASSWORD,
    PATH,
    REMOVE_FACTOR,
    SIGN_OUT_EVERYWHERE,
    answer_everywhere,
    answer_factor,
    answer_password,
)
from dashboards.routes import Page, PageRequest
from mbc.store.accounts.own_account import OwnAccount

_SHOWN = 20


def layout(request: PageRequest) -> list[Component]:
    """Lay out the page of whoever asks."""
    account = request.store.own_account
    return [
        html.H1("My account"),
        html.P(_last(account), className="lead"),
        *notice(request.note),
        html.Div([_sign_ins(account, request.token), _factor(account, request.token)], className="two"),
        panel("Change password", "change-password", _password_form(request.token)),
    ]


def _last(account: OwnAccount) -> str:
    before = account.last_sign_in()
    if before is None:
        return "This is the first sign-in of this account."
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
    return panel(
        "Sign-ins", "sign-ins", table("Sign-ins, the latest first", headings, rows, blocks=True), everywhere
    )


def _words(row: dict[str, Any]) -> str:
    detail: dict[str, Any] = json.loads(row["detail"] or "{}")
    attempts = detail.get("attempts")
    return f"{row['action']}, {attempts} attempts" if attempts else str(row["action"])


def _factor(account: OwnAccount, token: str) -> Component:
    if not account.has_factor:
        return panel(
            "Second factor",
            "second-factor",
            html.P("A code of your phone at each sign-in: a password that became known is then not enough."),
            html.A("Add a second factor", href="/second-factor", className="button"),
        )
    words = html.P("On: each sign-in needs a code of your app.")
    if account.must_have_factor:
        return panel("Second factor", "second-factor", words, html.P("The clinic requires it of your role."))
    fields = [_secret("Present password", "current", "factor")]
    return panel("Second factor", "second-factor", words, form(REMOVE_FACTOR, token, fields, "Remove it"))


def _password_form(token: str) -> Component:
    fields = [
        _secret("Present password", "current", "change"),
        _secret("New password", "new", "change", hint="At least 12 characters; a few unrelated words are best"),
        _secret("New password once more", "again", "change"),
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
    },
)
