"""Accounts: who may sign in and as what, what waits for a second person, and the review of what was granted."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
from dash import dcc, html
from dash.development.base_component import Component

from dashboards.components.forms import choice, choices, form, notice, panel, text_field
from dashboards.components.tables import Cell, table
from dashboards.components.wording import day_words
from dashboards.pages.accounts.forms import (
    ADD,
    CHANGE,
    DECIDE,
    PATH,
    account_path,
    answer_add,
    answer_change,
    answer_decide,
)
from dashboards.routes import Page, PageRequest
from mbc.store import ROLES, Store, User
from mbc.store.access.roles import GRANTABLE
from mbc.store.accounts.account_rows import CLINICAL
from mbc.store.accounts.accounts import AccountReport, Accounts, ways_in_words

USERNAME = r"(?P<username>[a-z0-9][a-z0-9._@-]{0,63})"
_NAMES = {"": "any account", "?": "accounts that do not exist"}
_ROLE_WORDS = {
    "clinician": "Clinician: own clients",
    "supervisor": "Supervisor: clients of named clinicians",
    "analyst": "Analyst: outcome rates",
    "researcher": "Researcher: de-identified cohort",
    "safety_lead": "Safety lead: safety flags (needs confirmation)",
    "administrator": "Administrator: accounts, caseloads, audit log (needs confirmation)",
}


def layout(request: PageRequest) -> list[Component]:
    """Lay out the list of accounts."""
    accounts = request.store.accounts
    listed = accounts.table()
    return [
        html.H1("Accounts"),
        *notice(request.note),
        *_waiting(accounts, request.user, request.token),
        panel("All accounts", "all-accounts", _table(listed)),
        *_paused(accounts),
        panel("Add an account", "add-account", _add_form(request.store, request.token)),
    ]


def _waiting(accounts: Accounts, user: User, token: str) -> list[Component]:
    requests = accounts.requests()
    if not requests:
        return []
    rows: list[list[Cell]] = []
    for waiting in requests:
        hidden = {"number": waiting.number}
        is_own = user.username in {waiting.asked_by, waiting.username}
        confirm = (
            []
            if is_own
            else [form(DECIDE, token, [], "Confirm", hidden={**hidden, "decision": "confirm"}, inline=True)]
        )
        decline = form(DECIDE, token, [], "Withdraw" if is_own else "Decline", hidden=hidden, inline=True)
        when = day_words(waiting.asked_at.date())
        rows.append(
            [
                waiting.about,
                waiting.words,
                waiting.asked_by,
                when,
                html.Div([*confirm, decline], className="row"),
            ]
        )
    words = html.P(
        "Permissions, and access to the safety channel or to other accounts, must be confirmed by a second "
        "administrator, or by the operator ('mbc user confirm'). Speak with the person who asked before you "
        "confirm.",
        className="quiet-words",
    )
    headings = ("Account", "What", "Requested by", "Date", "Decision")
    return [panel("Waiting for confirmation", "waiting", words, table("Requests", headings, rows, blocks=True))]


def _paused(accounts: Accounts) -> list[Component]:
    """Show where passwords may be being guessed."""
    rows = [
        [
            _NAMES.get(row["username"], row["username"]),
            "several places" if not row["address"] else row["address"].partition(" ")[0],
            str(row["failures"]),
            _moment(row["since"]),
        ]
        for row in accounts.paused_sign_ins().iter_rows(named=True)
    ]
    if not rows:
        return []
    words = html.P(
        "Sign-in was paused for 15 minutes after these. Browsers that have signed in before are not "
        "affected by attempts made elsewhere.",
        className="quiet-words",
    )
    headings = ("Account", "From", "Attempts", "Since")
    return [
        panel(
            "Failed sign-ins of the last week", "paused", words,
            table("Failed sign-ins", headings, rows, numbers=(2,), blocks=True),
        )
    ]  # fmt: skip


def _table(listed: pl.DataFrame) -> Component:
    rows: list[list[Cell]] = [
        [
            dcc.Link(row["username"], href=account_path(row["username"])),
            row["role"].replace("_", " "),
            row["clinician_id"] or ", ".join(row["supervises"]) or "–",
            ", ".join(row["permissions"]) or "–",
            "active" if row["active"] else "disabled",
            _day(row["last_sign_in"]) or "never",
            f"{_day(row['reviewed_at'])}, {row['reviewed_by']}" if row["reviewed_at"] else "never",
        ]
        for row in listed.iter_rows(named=True)
    ]
    headings = ("Account", "Role", "Caseload", "Granted", "State", "Last sign-in", "Access reviewed")
    return table("Accounts", headings, rows, blocks=True)


def _add_form(store: Store, token: str) -> Component:
    place, clinicians = "add", _clinicians(store)
    roles = [(role, _ROLE_WORDS[role]) for role in ROLES]
    fields = [
        text_field("User name", "username", place=place, hint="a-z 0-9 . _ @ -"),
        choice("Role", "role", roles, place=place),
        text_field(
            "Clinician", "clinician_id", place=place, required=False,
            hint="Identifier; for clinicians, and for supervisors with clients of their own",
        ),
        text_field(
            "Name of a new clinician", "display_name", place=place, required=False, longest=200,
            hint="Only if the clinician is not on record yet",
        ),
        choices("Supervises (supervisors only)", "supervises", {"Clinicians": clinicians}, place=place, rows=5),
        choice(
            "Safety channel", "safety", [("", "No"), ("yes", "Request the permission safety:read")], place=place
        ),
    ]  # fmt: skip
    return form(ADD, token, fields, "Add, and create a one-time link")


def account_layout(request: PageRequest) -> list[Component]:
    """Lay out the page of one account."""
    name = request.path.removeprefix(f"{PATH}/")
    accounts = request.store.accounts
    account = accounts.describe(name)
    return [
        html.P(dcc.Link("All accounts", href=PATH), className="crumb"),
        html.H1(account.username),
        *notice(request.note),
        html.Div([_state(account, accounts), _changes(account, request)], className="two"),
        panel("History", "history", _history(account)),
    ]


def _state(account: AccountReport, accounts: Accounts) -> Component:
    reviewed = f"{_moment(account.reviewed_at)} by {account.reviewed_by}" if account.reviewed_at else "never"
    pairs = [
        ("Role", account.role.replace("_", " ")),
        ("State", "active" if account.active else "disabled"),
        ("Clinician", account.clinician_id or "none"),
        ("Supervises", ", ".join(account.supervises) or "nobody"),
        ("From the role", ", ".join(account.role_permissions) or "nothing beyond the role"),
        ("Granted", ", ".join(account.permissions) or "nothing"),
        ("Sign-in methods", ways_in_words(accounts, account.username)),
        ("Last sign-in", _moment(account.last_sign_in) or "never"),
        ("Access reviewed", reviewed),
    ]
    inside: list[Component] = []
    for term, words in pairs:
        inside += [html.Dt(term), html.Dd(words)]
    return panel("Permissions", "state", html.Dl(inside, className="origins"))


def _changes(account: AccountReport, request: PageRequest) -> Component:
    name, token = account.username, request.token

    def button(change: str, words: str, **hidden: str) -> Component:
        return form(
            CHANGE, token, [], words, hidden={"username": name, "change": change, **hidden}, inline=True,
            label=f"{words}: {name}",
        )  # fmt: skip

    buttons = [button("review", "Access is correct: record my review")]
    if account.active:
        buttons += [button("link", "One-time link for a new password"), button("disable", "Disable")]
    else:
        buttons.append(button("enable", "Enable"))
    buttons += [
        button(change, words, **hidden) for change, words, hidden in _removals(request.store.accounts, name)
    ]
    for permission in account.permissions:
        buttons.append(button("withdraw", f"Withdraw {permission}", permission=permission))
    if account.role in CLINICAL:
        for permission in [each for each in GRANTABLE if each not in account.permissions]:
            buttons.append(button("grant", f"Request {permission}", permission=permission))
    for clinician_id in account.supervises:
        buttons.append(button("unsupervise", f"End supervision of {clinician_id}", clinician_id=clinician_id))
    parts: list[Component] = [html.Ul([html.Li(each) for each in buttons], className="plain")]
    parts += _binding(request, name)
    others = [pair for pair in _clinicians(request.store) if pair[0] not in account.supervises]
    if account.role == "supervisor" and others:
        listed = choices("Clinicians", "supervises", {"Not supervised yet": others}, place="more", rows=5)
        hidden = {"username": name, "change": "supervise"}
        parts.append(form(CHANGE, token, [listed], "Add supervision", hidden=hidden))
    return panel("Changes", "change", *parts)


def _removals(accounts: Accounts, name: str) -> list[tuple[str, str, dict[str, str]]]:
    """Give the ways in that can be taken away: change, words, what is sent along."""
    removals: list[tuple[str, str, dict[str, str]]] = []
    if accounts.has_factor(name):
        removals.append(("factor", "Remove the second factor", {}))
    if accounts.passkeys(name):
        removals.append(("passkeys", "Remove all passkeys", {}))
    for issuer, subject in accounts.provider_accounts(name):
        removals.append(("unbind", f"Remove provider account {subject}", {"issuer": issuer}))
    return removals


def _binding(request: PageRequest, name: str) -> list[Component]:
    """Ask for the account at the provider that signs in to this one; nothing where there is no provider."""
    if request.provider is None:
        return []
    issuer, provider_name = request.provider
    if issuer in dict(request.store.accounts.provider_accounts(name)):
        return []
    field = text_field(
        f"Account at {provider_name}", "subject", place="bind", longest=255,
        hint="The subject identifier in the provider's list of accounts",
    )  # fmt: skip
    hidden = {"username": name, "change": "bind"}
    return [form(CHANGE, request.token, [field], "Link this provider account", hidden=hidden)]


def _history(account: AccountReport) -> Component:
    rows = [[_moment(each.at), each.action, each.about, each.who] for each in reversed(account.changes)]
    return table("Changes, latest first", ("When", "What", "About", "By"), rows, blocks=True)


def _clinicians(store: Store) -> list[tuple[str, str]]:
    rows = store.clinicians().select("clinician_id", "display_name").iter_rows()
    return [(clinician_id, f"{clinician_id}: {name}") for clinician_id, name in rows]


def _day(at: dt.datetime | None) -> str:
    return "" if at is None else day_words(at.date())


def _moment(at: dt.datetime | None) -> str:
    return "" if at is None else f"{day_words(at.date())}, {at:%H:%M} UTC"


def _manages(user: User) -> bool:
    return user.has_permission("accounts:manage")


_FORMS: dict[str, Any] = {ADD: answer_add, CHANGE: answer_change, DECIDE: answer_decide}
PAGE = Page(
    name="accounts", pattern=PATH, path=PATH, label="Accounts", may_open=_manages, layout=layout, forms=_FORMS
)
ACCOUNT_PAGE = Page(
    name="account",
    pattern=f"{PATH}/{USERNAME}",
    path="",
    label="Account",
    may_open=_manages,
    layout=account_layout,
)
