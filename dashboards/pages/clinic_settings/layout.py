"""Settings: second factor, paused sign-ins, signals, a second person for risk answers, retention."""

from __future__ import annotations

import datetime as dt

import polars as pl
from dash import dcc, html
from dash.development.base_component import Component

from dashboards.components.forms import choice, form, notice, panel, text_field
from dashboards.components.tables import Cell, table
from dashboards.components.wording import day_words
from dashboards.pages.clinic_settings.forms import (
    FACTOR,
    NOTICE,
    PATH,
    RETENTION,
    SECOND,
    SIGNALS,
    answer_factor,
    answer_notice,
    answer_retention,
    answer_second,
    answer_signals,
)
from dashboards.pages.erasure.forms import PATH as ERASURE
from dashboards.routes import Page, PageRequest
from mbc.care.second_person import second_person_choices
from mbc.care.words import count
from mbc.store import ROLES, Store, User
from mbc.store.accounts.clinic_settings import (
    factor_words,
    notice_words,
    retention_words,
    second_person_words,
    signal_words,
)


def layout(request: PageRequest) -> list[Component]:
    """Lay out the settings, each part with the form that changes it."""
    store, token = request.store, request.token
    return [
        html.H1("Settings"),
        html.P(
            "These settings apply to everyone here. Each change is recorded in the audit log with your name.",
            className="lead",
        ),
        *notice(request.note),
        html.Div([_factor(store, token), _pauses(store, token)], className="two"),
        html.Div([_signals(store, token), _second(store, token)], className="two"),
        _retention(store, request.today, token),
    ]


def _factor(store: Store, token: str) -> Component:
    required = store.accounts.factor_roles()
    rows: list[list[Cell]] = []
    for role in ROLES:
        name, needed = role.replace("_", " "), role in required
        button = form(
            FACTOR,
            token,
            [],
            "No longer require" if needed else "Require",
            hidden={"role": role, "required": "" if needed else "yes"},
            inline=True,
            label=f"{'No longer require' if needed else 'Require'} a second factor: {name}",
        )
        rows.append([name, "required" if needed else "not required", button])
    return panel(
        "Second factor",
        "second-factor",
        html.P(factor_words(required)),
        html.P(
            "Users without one set it up at their next sign-in, before anything is shown. Removing this "
            "requirement from a role needs a second person.",
            className="quiet-words",
        ),
        table("Second factor by role", ("Role", "Second factor", "Change"), rows, blocks=True),
    )


def _pauses(store: Store, token: str) -> Component:
    address = store.accounts.notice_address()
    field = text_field(
        "Mail address", "address", place="notice", required=False, longest=254, type="email",
        value=address or "", hint="Leave empty to notify nobody",
    )  # fmt: skip
    return panel(
        "Paused sign-ins",
        "paused-sign-ins",
        html.P(notice_words(address)),
        html.P(
            "The message contains no names or details; these are on the Accounts page. It is sent at "
            "most once an hour, through the mail server in the settings passed to 'mbc serve --settings'.",
            className="quiet-words",
        ),
        form(NOTICE, token, [field], "Save address"),
    )


def _signals(store: Store, token: str) -> Component:
    rules = store.signal_rules()
    fields = [
        text_field(
            label, name, place="signals", longest=3, inputMode="numeric", value=str(value), hint=f"1 to {most}"
        )
        for label, name, value, most in (
            ("Days an answered signal is paused", "cooldown_days", rules.cooldown_days, 365),
            ("Sessions until what followed is assessed", "follow_sessions", rules.follow_sessions, 52),
        )
    ]
    return panel(
        "Signals",
        "signals",
        html.P(signal_words(rules.cooldown_days, rules.follow_sessions)),
        html.P("The more alerts there are, the less often each is answered.", className="quiet-words"),
        form(SIGNALS, token, fields, "Save rules"),
    )


def _second(store: Store, token: str) -> Component:
    chosen = store.second_person_items()
    left = [(item, words) for item, words in second_person_choices().items() if item not in chosen]
    return panel(
        "A second person for risk answers",
        "second-person",
        html.P(second_person_words(chosen)),
        html.P(
            "After someone with access to the safety channel has marked such an answer as seen, a second person "
            "with that access must review it too. Only the operator can remove an item: mbc user second-person.",
            className="quiet-words",
        ),
        form(SECOND, token, [choice("Risk answer", "item", left, place="second")], "Add"),
    )


def _retention(store: Store, today: dt.date, token: str) -> Component:
    years = store.retention_years()
    field = text_field(
        "Years after the last contact", "years", place="retention", longest=3, inputMode="numeric",
        value="" if years is None else str(years), hint="1 to 100",
    )  # fmt: skip
    due = [] if years is None else _due(store.retention_due(today))
    return panel(
        "How long records are kept",
        "retention",
        html.P(retention_words(years)),
        form(RETENTION, token, [field], "Save rule"),
        *due,
    )


def _due(due: pl.DataFrame) -> list[Component]:
    if due.is_empty():
        return [html.P("No record is due.", className="quiet-words")]
    rows = [
        [row["client_id"], day_words(row["last_contact"]), day_words(row["due_on"])]
        for row in due.iter_rows(named=True)
    ]
    kept = f"{count(due.height, 'client')} past the retention period, longest overdue first."
    words = html.P([kept, " Clients still in care are not listed. ", dcc.Link("Erase a client", href=ERASURE)])
    return [
        html.H3("Due for erasure"),
        words,
        table("Due for erasure", ("Client", "Last contact", "Due since"), rows, blocks=True),
    ]


def _manages(user: User) -> bool:
    return user.has_permission("accounts:manage") and user.has_permission("clients:erase")


PAGE = Page(
    name="settings",
    pattern=PATH,
    path=PATH,
    label="Settings",
    may_open=_manages,
    layout=layout,
    forms={
        FACTOR: answer_factor,
        RETENTION: answer_retention,
        NOTICE: answer_notice,
        SIGNALS: answer_signals,
        SECOND: answer_second,
    },
)
