"""The caseload: did anything change beyond noise, for each of my clients."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from dashboards.components import ids
from dashboards.view_models.caseload import ORDERS, Card, Measure, Order, cards, grid_rows, measures
from dashboards.visitor import my_store
from mbc.care import Caseload, caseload
from mbc.store import Store

_ROW_HEIGHT, _HEADER_HEIGHT = 76, 48  # pixels
# The grid's colours are those of the style sheet, so that they follow the theme.
_GRID_THEME = """themeQuartz.withParams({
    backgroundColor: 'var(--card)', foregroundColor: 'var(--ink)', headerBackgroundColor: 'var(--card)',
    headerTextColor: 'var(--ink)', borderColor: 'var(--line)', rowHoverColor: 'var(--hover)',
    accentColor: 'var(--accent)', fontFamily: 'inherit', fontSize: 14, headerFontWeight: 600,
    cellHorizontalPadding: 12, wrapperBorderRadius: 10, iconSize: 14
})"""


def layout(store: Store) -> list[Component]:
    """Lay out the caseload of whoever the store is narrowed to."""
    found = caseload(store)
    heading = [html.H1("Caseload"), html.P(found.caption, className="lead")]
    if not found.rows:
        return [*heading, html.P("No client is on this caseload yet.", className="empty")]
    return [*heading, _wide(found), _narrow(found)]


def _wide(found: Caseload) -> Component:
    """Lay out the grid of a wide screen."""
    return html.Section(
        className="only-wide",
        **{"aria-label": "Clients, as a table. Arrow keys move, Enter opens a client, Enter on a heading sorts."},
        children=dag.AgGrid(
            id=ids.CASELOAD_GRID,
            rowData=grid_rows(found),
            columnDefs=_columns(found),
            getRowId="params.data.id",
            defaultColDef={"sortable": True, "resizable": True, "suppressMovable": True, "wrapHeaderText": True},
            dashGridOptions={
                "rowHeight": _ROW_HEIGHT,
                "headerHeight": _HEADER_HEIGHT,
                "domLayout": "autoHeight" if len(found.rows) <= 60 else "normal",
                "suppressCellFocus": False,
                "animateRows": False,
                "enableCellTextSelection": True,
                "theme": {"function": " ".join(_GRID_THEME.split())},
            },
            style={"height": None},
        ),
    )


def _columns(found: Caseload) -> list[dict[str, Any]]:
    who: list[dict[str, Any]] = [
        {"headerName": "Client", "field": "name", "cellRenderer": "Client", "pinned": "left", "width": 172},
        {
            "headerName": "Last contact",
            "field": "contact_days",
            "valueFormatter": {"function": "params.data.contact"},
            "width": 112,
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
    return html.Section(
        className="only-narrow",
        **{"aria-label": "Clients, as a list"},
        children=[
            dmc.Select(
                id=ids.CASELOAD_ORDER,
                label="Order",
                data=[{"value": key, "label": words} for key, words in ORDERS.items()],
                value=order,
                allowDeselect=False,
            ),
            html.Ul(card_list(found, order), id=ids.CASELOAD_CARDS, className="cards"),
        ],
    )


def card_list(found: Caseload, order: Order) -> list[Component]:
    """Lay out the cards in an order."""
    return [html.Li(_card(card), className="card") for card in cards(found, order)]


def _card(card: Card) -> list[Component]:
    return [
        html.H2(dcc.Link(card.name, href=card.path)),
        html.P(card.about, className="quiet-words"),
        html.Dl([part for one in card.measures for part in _pair(one)], className="measures"),
        *[html.P(note, className="note") for note in card.notes],
    ]


def _pair(one: Measure) -> list[Component]:
    line = [] if one.spark is None else [spark(one.spark)]
    return [
        html.Dt(f"{one.title}: {one.by}"),
        html.Dd([*line, html.Span(one.words, className=f"verdict {one.mood}")]),
    ]


def spark(address: str) -> Component:
    """Draw a sparkline; the words beside it say the same."""
    return html.Span(className="spark", style={"maskImage": f'url("{address}")'}, **{"aria-hidden": "true"})


def reorder(store: Store, order: str) -> list[Component]:
    """Answer the choice of another order."""
    return card_list(caseload(store), order if order in ORDERS else "contact")


def register(app: Dash) -> None:
    """Wire inputs to outputs."""
    app.callback(
        Output(ids.CASELOAD_CARDS, "children"), Input(ids.CASELOAD_ORDER, "value"), prevent_initial_call=True
    )(lambda order: reorder(my_store(), order))
