"""The clinic's outcomes: honest rates with their completeness beside them, small numbers protected."""

from __future__ import annotations

from dash import Dash, html
from dash.development.base_component import Component

from mbc.figures.theme import Theme
from mbc.store import Store


def layout(store: Store, theme: Theme) -> list[Component]:
    """Lay out the page."""
    return [html.H1("Outcomes")]


def register(app: Dash) -> None:
    """Wire inputs to outputs."""
