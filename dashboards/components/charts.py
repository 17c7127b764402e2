"""A chart as everybody can have it: drawn, described in words, and with its numbers underneath."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from dash import dcc, html
from dash.development.base_component import Component

from dashboards.components.aria import aria

CONFIG: Any = {"displayModeBar": False, "responsive": True, "scrollZoom": False, "showTips": False}


def chart(
    *,
    graph_id: str | dict[str, str],
    figure: go.Figure,
    anchor: str,
    title: str,
    caption: str,
    key: Component | None = None,
    below: Sequence[Component] = (),
) -> Component:
    """Lay out a figure with its caption.

    Parameters
    ----------
    graph_id : str or dict
        Name of the graph, for callbacks.
    figure : plotly.graph_objects.Figure
        The drawing; everything in it is also in the caption or the table.
    anchor : str
        Name of the place on the page.
    title, caption : str
        What it shows, and its content in plain words.
    key : component, optional
        What the marks of the drawing stand for.
    below : sequence of components
        The table, and the sources of the lines.
    """
    words = f"{anchor}-caption"
    drawing = html.Div(
        dcc.Graph(id=graph_id, figure=figure, config=CONFIG, style={"height": f"{layout_of(figure).height}px"}),
        role="img",
        tabIndex="0",
        className="drawing",
        **aria(label=f"Chart. {title}", describedby=words),
    )
    parts = [html.H3(title), drawing, *([] if key is None else [key]), html.Figcaption(caption, id=words), *below]
    return html.Figure(parts, id=anchor, className="panel")


def layout_of(figure: go.Figure) -> Any:
    """Give a figure's layout; plotly leaves its type open."""
    return figure.layout
