"""The caseload page: a worklist. Who needs me, why, and what is due; scores in a second view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import dash_ag_grid as dag
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from dashboards.components import ids
from dashboards.components.aria import aria
from dashboards.components.paper import sheet_marks
from dashboards.components.state_mark import state_mark
from dashboards.components.wording import full_day
from dashboards.pages.caseload.content import TITLES, Line, grid_rows, line_of, matching, measures
from dashboards.pages.caseload.first_steps import Step, first_steps, steps_panel
from dashboards.pages.record.addresses import NEW_CLIENT_PATH
from dashboards.routes import Page, PageRequest, reads_records
from dashboards.web.asking_access import asking_access
from dashboards.web.kept_caseload import kept_caseload
from dashboards.web.visitor import models, today, user_store
from mbc.care import Caseload, caseload
from mbc.care.values.review import CaseloadRow, Group
from mbc.store import Client
from mbc.store.accounts.break_glass import MAY_OPEN

AT_ONCE = 60  # clients drawn before more are asked for
_ROW_HEIGHT, _HEADER_HEIGHT = 80, 48  # pixels
_MOST_AT_ONCE = 60  # rows drawn without scrolling inside the grid
# The grid's colours are those of the style sheet, so that they follow the theme.
_GRID_THEME = """themeQuartz.withParams({
    backgroundColor: 'var(--card)', foregroundColor: 'var(--ink)', headerBackgroundColor: 'var(--card)',
    headerTextColor: 'var(--ink)', borderColor: 'var(--line)', rowHoverColor: 'var(--hover)',
    accentColor: 'var(--accent)', fontFamily: 'inherit', fontSize: 14, headerFontWeight: 600,
    cellHorizontalPadding: 9, wrapperBorderRadius: 10, iconSize: 14
})"""


def layout(
    clients: Caseload, *, adds_clients: bool = False, steps: Sequence[Step] = (), personal: bool = False
) -> list[Component]:
    """Lay out a worklist; for those who may add clients with a way to do so, and with their first steps."""
    in_care = sum(row.closed is None for row in clients.rows)
    about = f"{in_care} in care · as of {full_day(clients.as_of)}"
    is_offered = adds_clients and bool(clients.rows or not steps)  # else the first step offers it
    add = [html.A("New client", href=NEW_CLIENT_PATH, className="button no-print")] if is_offered else []
    title = html.H1("Caseload", className="sheet", **sheet_marks("Caseload", clients.as_of))
    heading = html.Div([title, html.P(about, className="lead"), *add], className="title")
    guide = [steps_panel(steps, clients, personal=personal)] if steps else []
    if not clients.rows:
        return [heading, *(guide or [html.P("No client is on this caseload yet.", className="empty")])]
    find = html.Div(
        className="find no-print",
        children=[
            html.Label("Find name, number, status or measure", htmlFor=ids.CASELOAD_FIND),
            dcc.Input(id=ids.CASELOAD_FIND, type="search", debounce=0.25, autoComplete="off"),
        ],
    )
    scores = html.Button(
        "Scores", id=ids.CASELOAD_SCORES_BUTTON, className="quiet no-print only-wide", **aria(expanded="false")
    )
    return [
        html.Div([heading, html.Div([find, scores], className="tools")], className="heading"),
        dcc.Store(id=ids.CASELOAD_ASK, storage_type="memory"),
        html.P(id=ids.CASELOAD_NONE, className="empty", role="status", hidden=True),
        html.Div(groups(clients), id=ids.CASELOAD_LIST),
        *guide,
        html.Div(id=ids.CASELOAD_SCORES, className="only-wide", hidden=True),
    ]


def groups(clients: Caseload, find: str = "", *, shown: int = AT_ONCE) -> list[Component]:
    """Lay out the groups of the worklist, so many clients in all; those looked for alone, if any.

    Closed cases are folded away, unless somebody is looked for.
    """
    rows = matching(clients.rows, find)
    open_rows = [row for row in rows if row.closed is None]
    closed = [row for row in rows if row.closed is not None]
    listed = open_rows[:shown]
    parts = [
        _group(group, [row for row in listed if row.group == group], _count(open_rows, group), clients)
        for group in TITLES
        if any(row.group == group for row in listed)
    ]
    if closed:
        parts.append(_closed(closed[:shown], len(closed), clients, unfolded=bool(find.strip())))
    left = len(open_rows) - len(listed) + max(len(closed) - shown, 0)
    if left > 0:
        parts.append(
            html.Button(f"Show {left} more", id=ids.CASELOAD_MORE, className="quiet more no-print", n_clicks=0)
        )
    else:
        parts.append(html.Button(id=ids.CASELOAD_MORE, hidden=True, n_clicks=0))
    if not rows:
        parts.insert(0, html.P("No client of that name or number.", className="empty"))
    return parts


def _count(rows: list[CaseloadRow], group: Group) -> int:
    return sum(row.group == group for row in rows)


def _group(group: Group, rows: list[CaseloadRow], total: int, clients: Caseload) -> Component:
    place = f"group-{group.replace(' ', '-')}"
    return html.Section(
        className="work-group",
        **aria(labelledby=place),
        children=[html.H2(f"{TITLES[group]} · {total}", id=place), _lines(rows, clients)],
    )


def _closed(rows: list[CaseloadRow], total: int, clients: Caseload, *, unfolded: bool) -> Component:
    return html.Details(
        [html.Summary(f"{TITLES['closed']} · {total}"), _lines(rows, clients)],
        className="work-group",
        open=unfolded,
    )


def _lines(rows: list[CaseloadRow], clients: Caseload) -> Component:
    return html.Ul([_line(line_of(row, clients.as_of)) for row in rows], className="work")


def _line(line: Line) -> Component:
    return html.Li(
        [
            html.Div([dcc.Link(line.name, href=line.path), html.Span(line.about, className="quiet-words")]),
            html.Div(state_mark(line.state)),
            html.P(line.reasons),
            html.P(line.waiting, className="quiet-words"),
        ],
        **cast("Any", {"data-find": line.find}),
    )


def score_grid(clients: Caseload) -> Component:
    """Lay out the scores of every client as a table that sorts."""
    many = len(clients.rows) > _MOST_AT_ONCE
    return html.Section(
        **aria(label="Clients, as a table. Arrow keys move, Enter opens a client, Enter on a heading sorts."),
        children=dag.AgGrid(
            id=ids.CASELOAD_GRID,
            rowData=grid_rows(clients),
            columnDefs=_columns(clients),
            getRowId="params.data.id",
            defaultColDef={"sortable": True, "resizable": True, "suppressMovable": True, "wrapHeaderText": True},
            dashGridOptions={
                "rowHeight": _ROW_HEIGHT,
                "headerHeight": _HEADER_HEIGHT,
                "domLayout": "normal" if many else "autoHeight",
                "suppressCellFocus": False,
                "animateRows": False,
                "enableCellTextSelection": True,
                "localeText": {"noMatchingRows": "No client of that name or number."},
                "theme": {"function": " ".join(_GRID_THEME.split())},
            },
            style={"height": "75vh" if many else None},
        ),
    )


def _columns(clients: Caseload) -> list[dict[str, Any]]:
    who: list[dict[str, Any]] = [
        {
            "headerName": "Client",
            "field": "name",
            "cellRenderer": "Client",
            "pinned": "left",
            "width": 156,
            "getQuickFilterText": {"function": "params.data.find"},
        },
        {"headerName": "State", "field": "state", "width": 104},
        {
            "headerName": "Last contact",
            "field": "contact_days",
            "valueFormatter": {"function": "params.data.contact"},
            "width": 106,
        },
    ]
    if len({row.clinician_id for row in clients.rows}) > 1:
        who.append({"headerName": "Clinician", "field": "clinician", "width": 110})
    return who + [
        {
            "headerName": title,
            "field": key,
            "cellRenderer": "Measure",
            "getQuickFilterText": {"function": "''"},  # the words above are searched, not scores
            "sortingOrder": ["asc", "desc", None],  # what got worse comes first
            "minWidth": 136,
            "flex": 1,
            "wrapText": True,
        }
        for key, title in measures(clients)
    ]


def answer_list(find: object, clicks: int | None) -> list[Component]:
    """Answer a search, or a request for more rows, where the browser has only some of the clients."""
    return groups(_mine(), str(find or ""), shown=AT_ONCE * (1 + (clicks or 0)))


def answer_scores(clicks: int | None) -> Any:
    """Answer the button of the second view: the table is made when it is first asked for."""
    return score_grid(_mine()) if clicks == 1 else no_update


def _mine() -> Caseload:
    return kept_caseload(user_store(), models(), today())


def register(app: Dash) -> None:
    """Wire inputs to outputs."""
    app.clientside_callback(
        ClientsideFunction("mbc", "findClients"),
        Output(ids.CASELOAD_ASK, "data"),
        Output(ids.CASELOAD_NONE, "hidden"),
        Output(ids.CASELOAD_NONE, "children"),
        Input(ids.CASELOAD_FIND, "value"),
        prevent_initial_call=True,
    )
    app.callback(
        Output(ids.CASELOAD_LIST, "children"),
        Input(ids.CASELOAD_ASK, "data"),
        Input(ids.CASELOAD_MORE, "n_clicks"),
        State(ids.CASELOAD_FIND, "value"),
        prevent_initial_call=True,
    )(_answer)
    app.clientside_callback(
        ClientsideFunction("mbc", "showScores"),
        Output(ids.CASELOAD_SCORES, "hidden"),
        Output(ids.CASELOAD_LIST, "hidden"),
        Output(ids.CASELOAD_SCORES_BUTTON, "aria-expanded"),
        Input(ids.CASELOAD_SCORES_BUTTON, "n_clicks"),
        prevent_initial_call=True,
    )
    app.callback(
        Output(ids.CASELOAD_SCORES, "children"),
        Input(ids.CASELOAD_SCORES_BUTTON, "n_clicks"),
        prevent_initial_call=True,
    )(answer_scores)


def _answer(asked: object, clicks: int | None, find: object) -> Any:
    """Answer what the browser could not; a list that has just been drawn asks for nothing."""
    if not clicks and asked is None:
        return no_update
    return answer_list(find, clicks)


def _page(request: PageRequest) -> list[Component]:
    if request.caseload is None:
        clients = caseload(request.store, as_of=request.today, cohort=request.models)
    else:
        clients = request.caseload()
    steps = first_steps(request.store, clients, asks=asking_access() is not None)
    return layout(clients, adds_clients=request.store.can_write(Client), steps=steps, personal=request.personal)


PAGE = Page(
    name="caseload",
    pattern="/caseload",
    path="/caseload",
    label="Caseload",
    may_open=lambda user: user.role in MAY_OPEN and reads_records(user),
    layout=_page,
    register=register,
)
