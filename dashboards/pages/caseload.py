"""The caseload: did anything change beyond noise, for each of my clients."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import Dash, Input, Output, Patch, dcc, html
from dash.development.base_component import Component

from dashboards.components import ids
from dashboards.components.aria import aria
from dashboards.view_models.caseload import ORDERS, Card, Measure, Order, cards, grid_rows, measures
from dashboards.visitor import models, my_store
from mbc.care import Caseload, CohortModels, caseload
from mbc.store import Store

_ROW_HEIGHT, _HEADER_HEIGHT = 80, 48  # pixels
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
    found = caseload(store, cohort=cohort)
    heading = html.Div([html.H1("Caseload"), html.P(found.caption, className="lead")])
    if not found.rows:
        return [heading, html.P("No client is on this caseload yet.", className="empty")]
    find = dmc.TextInput(id=ids.CASELOAD_FIND, label="Find a client", debounce=300, className="find")
    return [html.Div([heading, find], className="heading"), _wide(found), _narrow(found)]


def _wide(found: Caseload) -> Component:
    """Lay out the grid of a wide screen."""
    many = len(found.rows) > _MOST_AT_ONCE
    return html.Section(
        className="only-wide",
        **aria(label="Clients, as a table. Arrow keys move, Enter opens a client, Enter on a heading sorts."),
        children=dag.AgGrid(
            id=ids.CASELOAD_GRID,
            rowData=grid_rows(found),
            columnDefs=_columns(found),
            getRowId="params.data.id",
            defaultColDef={"sortable": True, "resizable": True, "suppressMovable": True, "wrapHeaderText": True},
            dashGridOptions={
                "rowHeight": _ROW_HEIGHT,
                "headerHeight": _HEADER_HEIGHT,
                "domLayout": "normal" if many else "autoHeight",
                "suppressCellFocus": False,
                "animateRows": False,
                "enableCellTextSelection": True,
                "theme": {"function": " ".join(_GRID_THEME.split())},
            },
            style={"height": "75vh" if many else None},
        ),
    )


def _columns(found: Caseload) -> list[dict[str, Any]]:
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
    if len({row.clinician_id for row in found.rows}) > 1:
        who.append({"headerName": "Clinician", "field": "clinician", "width": 110})
    scales: list[dict[str, Any]] = [
        {
            "headerName": title,
            "field": key,
            "cellRenderer": "Measure",
            "getQuickFilterText": {"function": "''"},  # a name is looked for, not a score
            "sortingOrder": ["asc", "desc", None],  # what got worse is looked at first
            "minWidth": 136,
            "flex": 1,
            "wrapText": True,
        }
        for key, title in measures(found)
    ]
    notes = [
        {"headerName": "Notes", "field": "notes", "minWidth": 120, "wrapText": True, "cellClass": "cell-notes"}
    ]
    return who + scales + (notes if any(row.flags for row in found.rows) else [])


def _narrow(found: Caseload) -> Component:
    """Lay out the list of a narrow screen."""
    order: Order = "contact"
    choices = [{"value": key, "label": words} for key, words in ORDERS.items()]
    return html.Section(
        className="only-narrow",
        **aria(label="Clients, as a list"),
        children=[
            dmc.Select(id=ids.CASELOAD_ORDER, label="Order", data=choices, value=order, allowDeselect=False),
            html.Ul(card_list(found, order), id=ids.CASELOAD_CARDS, className="cards"),
        ],
    )


def card_list(found: Caseload, order: Order, find: str = "") -> list[Component]:
    """Lay out the cards in an order."""
    return [html.Li(_card(card), className="card") for card in cards(found, order, find)]


def _card(card: Card) -> list[Component]:
    pairs = [part for one in card.measures for part in _pair(one)]
    every = [html.Details([html.Summary("Every measure"), html.Dl(pairs, className="measures")])] if pairs else []
    return [
        html.H2(dcc.Link(card.name, href=card.path)),
        html.P(" · ".join(filter(None, (card.about, card.contact))), className="quiet-words"),
        *[html.P(words, className=f"verdict {kind}") for kind, words in card.summary],
        *[html.P(note, className="note") for note in card.notes],
        *every,
    ]


def _pair(one: Measure) -> list[Component]:
    line = [] if one.spark is None else [spark(one.spark)]
    return [
        html.Dt(f"{one.title}: {one.by}"),
        html.Dd([*line, html.Span(one.words, className=f"verdict {one.mood}")]),
    ]


def spark(address: str) -> Component:
    """Draw a sparkline; the words beside it say the same."""
    return html.Span(className="spark", style={"maskImage": f'url("{address}")'}, **aria(hidden="true"))


def relist(store: Store, order: object, find: object, cohort: CohortModels | None = None) -> list[Component]:
    """Answer the choice of another order, or words to find, in the list."""
    chosen: Order = order if order in ORDERS else "contact"
    return card_list(caseload(store, cohort=cohort), chosen, str(find or ""))


def sift(find: object) -> Patch:
    """Answer words to find in the grid."""
    options = Patch()
    options["quickFilterText"] = str(find or "")
    return options


def register(app: Dash) -> None:
    """Wire inputs to outputs."""
    app.callback(
        Output(ids.CASELOAD_CARDS, "children"),
        Input(ids.CASELOAD_ORDER, "value"),
        Input(ids.CASELOAD_FIND, "value"),
        prevent_initial_call=True,
    )(lambda order, find: relist(my_store(), order, find, models()))
    app.callback(
        Output(ids.CASELOAD_GRID, "dashGridOptions"), Input(ids.CASELOAD_FIND, "value"), prevent_initial_call=True
    )(sift)
