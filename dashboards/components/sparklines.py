"""A sparkline as the shape of a mask: the style sheet gives it the text colour of its page."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboards.components.aria import aria
from mbc.figures import sparkline_svg

WIDTH, HEIGHT = 80, 26  # pixels; the style sheet reads the same


def spark_mask(points: Sequence[float | None], bounds: tuple[float, float]) -> str | None:
    """Give the data address of a sparkline, or None where there are no two scores to join.

    Examples
    --------
    >>> spark_mask([10, None, 14], (0, 30))[:26], spark_mask([10], (0, 30))
    ('data:image/svg+xml;base64,', None)
    """
    if sum(point is not None for point in points) < 2:
        return None
    drawing = sparkline_svg(points, label="", bounds=bounds, width=WIDTH, height=HEIGHT)
    return "data:image/svg+xml;base64," + base64.b64encode(drawing.encode()).decode()


def spark(address: str) -> Component:
    """Draw a sparkline; the words next to it carry the same content."""
    return html.Span(className="spark", style={"maskImage": f'url("{address}")'}, **aria(hidden="true"))
