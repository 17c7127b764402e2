"""What is shown instead of a page: the same text for one that does not exist and one the user may not see."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component


def layout() -> list[Component]:
    """Lay out the notice."""
    return [
        html.H1("Page not found"),
        html.P("There is no such page, or it is not one of yours.", className="lead"),
        html.P(dcc.Link("Home", href="/", refresh=True)),
    ]
