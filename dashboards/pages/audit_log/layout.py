"""The audit log: who did what, when and from where; and who opened whose record by emergency access."""

from __future__ import annotations

from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from dashboards.components import ids
from dashboards.components.aria import aria
from dashboards.components.forms import panel
from dashboards.components.tables import long_table
from dashboards.pages.audit_log.content import HEADINGS, MOST_SHOWN, lines_of, rows_of
from dashboards.routes import Page, PageRequest
from dashboards.web.visitor import user_store
from mbc.care.words import count
from mbc.store import Store

_PATH = "/audit-log"
_FIELDS = (
    (ids.LOG_WHO, "Who", "account, such as ann"),
    (ids.LOG_ACTION, "What", "such as read, export, refused, sign-in, permission granted"),
    (ids.LOG_ABOUT, "About", "client or account"),
    (ids.LOG_FROM, "From date", "2026-05-01"),
    (ids.LOG_TO, "To date", "2026-05-31"),
)


def layout(request: PageRequest) -> list[Component]:
    """Lay out the filters and the newest lines."""
    return [
        html.H1("Audit log"),
        html.P(
            "Every sign-in, viewing of a client, change, export and refusal. Entries about the safety channel "
            "are left out. Viewing this page is logged too; 'mbc verify' checks that no entry was changed or "
            "removed.",
            className="lead",
        ),
        panel("Find", "find", _filters()),
        html.Div(_lines(request.store, None, None, None, None, None), id=ids.LOG_LINES, **aria(live="polite")),
        panel("Emergency access to records", "opened-records", _opened(request.store)),
    ]


def _filters() -> Component:
    fields = [
        html.Div(
            [
                html.Label(words, htmlFor=identity),
                dcc.Input(id=identity, type="text", maxLength=64, autoComplete="off", placeholder=hint),
            ],
            className="field",
        )
        for identity, words, hint in _FIELDS
    ]
    button = html.Button("Show", id=ids.LOG_FIND, className="firm", n_clicks=0)
    return html.Div([*fields, button], className="fields filters", role="search")


def _lines(
    store: Store, who: str | None, action: str | None, about: str | None, first: str | None, last: str | None
) -> list[Component]:
    lines = lines_of(store, who, action, about, first, last)
    if lines.is_empty():
        return [html.P("No line matches.", className="empty")]
    number = count(lines.height, "line")
    shown = f"The newest {number}" if lines.height == MOST_SHOWN else number.capitalize()
    caption = f"{shown}, latest first"
    return [panel(caption, "log-heading", long_table("Lines of the audit log", HEADINGS, rows_of(lines)))]


def _opened(store: Store) -> Component:
    rows = [
        [
            f"{row['at']:%Y-%m-%d %H:%M}",
            row["who"],
            row["client_id"] or "",
            "" if row["until"] is None else f"{row['closed_at'] or row['until']:%H:%M}",
        ]
        for row in store.break_glass_log().head(MOST_SHOWN).iter_rows(named=True)
    ]
    if not rows:
        return html.P("None.", className="quiet-words")
    return long_table("Emergency access, latest first", ("Opened (UTC)", "Who", "Client", "Until"), rows)


def register(app: Dash) -> None:
    """Wire the filters to the lines."""
    app.callback(
        Output(ids.LOG_LINES, "children"),
        Input(ids.LOG_FIND, "n_clicks"),
        *(State(identity, "value") for identity, _, _ in _FIELDS),
        prevent_initial_call=True,
    )(lambda _, who, action, about, first, last: _lines(user_store(), who, action, about, first, last))


PAGE = Page(
    name="audit log",
    pattern=_PATH,
    path=_PATH,
    label="Audit log",
    may_open=lambda user: user.has_permission("audit:read"),
    layout=layout,
    register=register,
)
