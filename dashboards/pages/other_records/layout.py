"""Emergency access: open a record outside the caseload with a reason; everybody concerned can see that it was."""

from __future__ import annotations

import datetime as dt
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.components import ids
from dashboards.components.aria import aria
from dashboards.components.tables import table
from dashboards.components.wording import day_words
from dashboards.pages.other_records.forms import (
    CLOSE_RECORD,
    OPEN_RECORD,
    PATH,
    RESTRICTED,
    answer_close,
    answer_open,
)
from dashboards.routes import Page, client_path
from mbc.care.words import count
from mbc.store import Store
from mbc.store.accounts.break_glass import MAY_OPEN

_MOST_SHOWN = 100


def layout(store: Store, token: str, note: str = "") -> list[Component]:
    """Lay out the page of whoever the store is narrowed to.

    Parameters
    ----------
    store : Store
        Their view of the record.
    token : str
        Goes back with each form.
    note : str
        What the last form led to.
    """
    return [
        html.H1("Open a colleague's record"),
        html.P(
            "In an emergency, or when you cover for a colleague, you can open the record of one client "
            "who is not yours, read-only, for one hour. Your name, the time and your reason are logged. The "
            "safety lead, the client's clinician and their supervisor can see it.",
            className="lead",
        ),
        *([html.P(note, className="trouble-note", role="alert")] if note else []),
        html.Div([_form(token), _open_now(store, token)], className="two"),
        _access_log(store),
    ]


def _form(token: str) -> Component:
    fields: list[Component] = [
        dcc.Input(type="hidden", name="csrf", value=token),
        html.Label("Client", htmlFor=ids.OTHER_CLIENT),
        dcc.Input(
            id=ids.OTHER_CLIENT, type="text", name="client_id", maxLength=64, autoComplete="off", required=True
        ),
        html.Label("Reason, in one sentence", htmlFor=ids.OTHER_REASON),
        html.Textarea(id=ids.OTHER_REASON, name="reason", maxLength=500, rows="3", required=True),
        html.Label("What to open", htmlFor=ids.OTHER_EXTENT),
        html.Select(
            [html.Option("The record", value="record"), html.Option("Also the restricted part", value=RESTRICTED)],
            id=ids.OTHER_EXTENT,
            name="extent",
        ),
        html.Button("Open for one hour", type="submit", className="firm"),
    ]
    form = html.Form(fields, action=OPEN_RECORD, method="POST", className="fields")
    return _panel("Open a record", "open-one", form)


def _open_now(store: Store, token: str) -> Component:
    items = [
        html.Li(
            [
                dcc.Link(view.client_id, href=client_path(view.client_id)),
                f" {left(view.until)} ",
                _close(view.client_id, token),
            ]
        )
        for view in store.break_glass_records()
    ]
    content = html.Ul(items, className="plain") if items else html.P("None.", className="quiet-words")
    return _panel("Open now", "open-now", content)


def _panel(title: str, name: str, inside: Component) -> Component:
    return html.Section([html.H2(title, id=name), inside], className="panel", **aria(labelledby=name))


def _close(client_id: str, token: str) -> Component:
    return html.Form(
        [
            dcc.Input(type="hidden", name="csrf", value=token),
            dcc.Input(type="hidden", name="client_id", value=client_id),
            html.Button("Close", type="submit", className="quiet"),
        ],
        action=CLOSE_RECORD,
        method="POST",
        className="inline no-print",
    )


def banner(store: Store, client_id: str, token: str) -> list[Component]:
    """Show on a client's page that it was opened by emergency access, and until when; nothing on any other."""
    if store.open_until is None:
        return []
    seconds: dict[str, Any] = {"data-seconds": str(max(0, round(_seconds(store.open_until))))}
    words = html.Span(f"Emergency access, read only, {left(store.open_until)}. ")
    return [html.Div([words, _close(client_id, token)], id=ids.GLASS, className="glass", role="status", **seconds)]


def left(until: dt.datetime) -> str:
    """Write how long a record stays open.

    Examples
    --------
    >>> left(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=20, seconds=5))
    '20 minutes left'
    """
    return f"{count(max(1, int(_seconds(until) // 60)), 'minute')} left"


def _seconds(until: dt.datetime) -> float:
    return (until - dt.datetime.now(dt.UTC)).total_seconds()


def _access_log(store: Store) -> Component:
    breaks = store.break_glass_log().head(_MOST_SHOWN)
    if breaks.is_empty():
        inside: Component = html.P("No emergency access that concerns you.", className="quiet-words")
    else:
        reasons = store.has_permission("safety:read")
        headings = ("When", "Who", "Client", "Until", *(("Reason",) if reasons else ()))
        rows = [_row(row, reasons=reasons) for row in breaks.iter_rows(named=True)]
        inside = table("Emergency access to records, latest first", headings, rows, blocks=True)
    return _panel("Access log", "opened", inside)


def _row(row: dict[str, Any], *, reasons: bool) -> list[str]:
    ended = row["closed_at"] or row["until"]
    until = "" if ended is None else f"{ended:%H:%M}{', closed' if row['closed_at'] else ''}"
    restricted = " (with the restricted part)" if row["safety"] else ""
    why = [f"{row['reason'] or ''}{restricted}"] if reasons else []
    when = f"{day_words(row['at'].date())}, {row['at']:%H:%M} UTC"
    return [when, row["who"], row["client_id"] or "", until, *why]


PAGE = Page(
    name="emergency access",
    pattern=PATH,
    path=PATH,
    label="Colleagues' records",
    may_open=lambda user: user.role in MAY_OPEN,
    layout=lambda request: layout(request.store, request.token, request.note),
    forms={OPEN_RECORD: answer_open, CLOSE_RECORD: answer_close},
)
