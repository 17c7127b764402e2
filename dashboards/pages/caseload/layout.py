"""The caseload page: has anything clearly changed for each of my clients."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, Patch, dcc, html, no_update
from dash.development.base_component import Component

from dashboards.components import ids
from dashboards.components.aria import aria
from dashboards.pages.caseload.content import ORDERS, Card, Order, cards, grid_rows, measures
from dashboards.routes import Page, reads_records
from dashboards.web.visitor import models, user_store
from mbc.care import Caseload, CohortModels, caseload
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.store import Store
from mbc.store.accounts.break_glass import MAY_OPEN

_ROW_HEIGHT, _HEADER_HEIGHT = 80, 48  # pixels
_CARDS_AT_ONCE = 30
_MOST_AT_ONCE = 60  # rows drawn without scrolling inside the grid
# The grid's colours are those of the style sheet, so that they follow the theme.
_GRID_THEME = """themeQuartz.withParams({
    backgroundColor: 'var(--card)', foregroundColor: 'var(--ink)', headerBackgroundColor: 'var(--card)',
    headerTextColor: 'var(--ink)', borderColor: 'var(--line)', rowHoverColor: 'var(--hover)',
    accentColor: 'var(--accent)', fontFamily: 'inherit', fontSize: 14, headerFontWeight: 600,
    cellHorizontalPadding: 9, wrapperBorderRadius: 10, iconSize: 14
})"""


def layout(store: Store, cohort: CohortModels | None = None) -> list[Component]:
    """Lay out the caseload of whoever the store is narrowed to."""
    clients = caseload(store, cohort=cohort)
    heading = html.Div([html.H1("Caseload"), html.P(clients.caption, className="lead")])
    if not clients.rows:
        return [heading, html.P("No client is on this caseload yet.", className="empty")]
    find = dmc.TextInput(id=ids.CASELOAD_FIND, label="Find a client", debounce=300, className="find")
    return [html.Div([heading, find], className="heading"), _wide(clients), _narrow()]


def _wide(clients: Caseload) -> Component:
    """Lay out the grid of a wide screen."""
    many = len(clients.rows) > _MOST_AT_ONCE
    return html.Section(
        className="only-wide",
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
                "localeText": {"noMatchingRows": "No client of that name."},
                "theme": {"function": " ".join(_GRID_THEME.split())},
            },
            style={"height": "75vh" if many else None},
        ),
    )


def _columns(clients: Caseload) -> list[dict[str, Any]]:
    who: list[dict[str, Any]] = [
        {"headerName": "Client", "field": "name", "cellRenderer": "Client", "pinned": "left", "width": 156},
        {
            "headerName": "Last contact",
            "field": "contact_days",
            "valueFormatter": {"function": "params.data.contact"},
            "width": 106,
            "sort": "asc",
        },
    ]
    if len({row.clinician_id for row in clients.rows}) > 1:
        who.append({"headerName": "Clinician", "field": "clinician", "width": 110})
    scales: list[dict[str, Any]] = [
        {
            "headerName": title,
            "field": key,
            "cellRenderer": "Measure",
            "getQuickFilterText": {"function": "''"},  # names are searched, not scores
            "sortingOrder": ["asc", "desc", None],  # what got worse comes first
            "minWidth": 136,
            "flex": 1,
            "wrapText": True,
        }
        for key, title in measures(clients)
    ]
    notes = [{"headerName": "Notes", "field": "notes", "width": 160, "wrapText": True, "cellClass": "cell-notes"}]
    return who + scales + (notes if any(row.notes for row in clients.rows) else [])


def _narrow() -> Component:
    """Lay out the list of a narrow screen; it is filled where there is one, for thousands of parts are slow."""
    choices = [{"value": key, "label": words} for key, words in ORDERS.items()]
    return html.Section(
        className="only-narrow",
        **aria(label="Clients, as a list"),
        children=[
            dcc.Store(id=ids.NARROW, data=False, storage_type="memory"),
            dmc.Select(id=ids.CASELOAD_ORDER, label="Order", data=choices, value="contact", allowDeselect=False),
            html.Ul(id=ids.CASELOAD_CARDS, className="cards"),
            html.Button("Show more", id=ids.CASELOAD_MORE, className="quiet more", hidden=True),
        ],
    )


def _card(card: Card) -> Component:
    changes = [html.P(words, className=f"verdict {kind}") for kind, words in card.summary]
    notes = [html.P(note, className="note") for note in card.notes]
    about = " · ".join(filter(None, (card.about, card.contact)))
    return html.Li(
        [html.H2(dcc.Link(card.name, href=card.path)), html.P(about, className="quiet-words"), *changes, *notes],
        className="card",
    )


def spark(address: str) -> Component:
    """Draw a sparkline; the words next to it carry the same content."""
    return html.Span(className="spark", style={"maskImage": f'url("{address}")'}, **aria(hidden="true"))


@with_definitions_of_record
def list_cards(
    store: Store, order: object, find: object, more: int | None, *, cohort: CohortModels | None = None
) -> tuple[list[Component], bool]:
    """Answer the list's order, words to find, and how often more was asked for.

    Returns
    -------
    list of components, bool
        The cards, and whether there are no more of them.
    """
    chosen: Order = order if order in ORDERS else "contact"
    chosen_cards = cards(caseload(store, cohort=cohort), chosen, str(find or ""))
    shown = _CARDS_AT_ONCE * (1 + (more or 0))
    return [_card(card) for card in chosen_cards[:shown]], shown >= len(chosen_cards)


def filter_grid(find: object) -> Patch:
    """Answer words to find in the grid."""
    options = Patch()
    options["quickFilterText"] = str(find or "")
    return options


def register(app: Dash) -> None:
    """Wire inputs to outputs."""
    app.clientside_callback(
        ClientsideFunction("mbc", "isNarrow"), Output(ids.NARROW, "data"), Input(ids.CASELOAD_CARDS, "id")
    )
    app.callback(
        Output(ids.CASELOAD_CARDS, "children"),
        Output(ids.CASELOAD_MORE, "hidden"),
        Input(ids.NARROW, "data"),
        Input(ids.CASELOAD_ORDER, "value"),
        Input(ids.CASELOAD_FIND, "value"),
        Input(ids.CASELOAD_MORE, "n_clicks"),
        prevent_initial_call=True,
    )(
        lambda narrow, *inputs: (
            list_cards(user_store(), *inputs, cohort=models()) if narrow else (no_update, no_update)
        )
    )
    app.callback(
        Output(ids.CASELOAD_GRID, "dashGridOptions"), Input(ids.CASELOAD_FIND, "value"), prevent_initial_call=True
    )(filter_grid)


PAGE = Page(
    name="caseload",
    pattern="/caseload",
    path="/caseload",
    label="Caseload",
    may_open=lambda user: user.role in MAY_OPEN and reads_records(user),
    layout=lambda request: layout(request.store, request.models),
    register=register,
)
