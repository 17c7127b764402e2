"""The client's own change against satisfaction, a point per relationship: four stories, four corners."""

from __future__ import annotations

from collections.abc import Sequence

from mbc.care.client.relationship_patterns import RelationshipPattern
from mbc.figures.client_page.colours import LIGHT
from mbc.figures.client_page.sheet import Chart, frame
from mbc.figures.text import plain

_REACH = 2.6  # multiples of measurement error


def quadrant_chart(patterns: Sequence[RelationshipPattern]) -> Chart:
    """Draw each relationship as a point.

    Parameters
    ----------
    patterns : sequence of RelationshipPattern
        From `mbc.care.client.relationship_patterns.relationship_patterns`.

    Returns
    -------
    dict
        A plotly figure as plain data. Both axes count multiples of measurement error, the better to the right and
        upwards; in the grey bands a change is within it.
    """
    points = [
        (pattern.label, pattern.own_side.improvement, pattern.satisfaction.improvement, pattern.story)
        for pattern in patterns
        if pattern.own_side is not None
        and pattern.satisfaction is not None
        and pattern.own_side.improvement is not None
        and pattern.satisfaction.improvement is not None
    ]
    within = [_band([-1, 1, 1, -1], [-3, -3, 3, 3]), _band([-3, 3, 3, -3], [-1, -1, 1, 1])]
    marks = {
        "type": "scatter",
        "x": [_inside(own) for _, own, _, _ in points],
        "y": [_inside(satisfaction) for _, _, satisfaction, _ in points],
        "mode": "markers+text",
        "text": [plain(label) for label, _, _, _ in points],
        "textposition": "top center",
        "marker": {"color": LIGHT.score, "size": 12},
        "hovertext": [f"{plain(label)}: {story}" for label, _, _, story in points],
        "hoverinfo": "text",
        "meta": {"role": "relationships"},
    }
    axis = {
        "range": [-3, 3],
        "zeroline": True,
        "zerolinecolor": LIGHT.quiet,
        "showgrid": False,
        "fixedrange": True,
        "tickvals": [-1, 1],
        "ticktext": ["\N{MINUS SIGN}1", "+1"],
    }
    corners = (
        (0.98, 0.98, "growing in it", "right", "top"),
        (0.98, 0.02, "growth without<br>satisfaction", "right", "bottom"),
        (0.02, 0.98, "satisfaction<br>without growth", "left", "top"),
        (0.02, 0.02, "losing ground", "left", "bottom"),
    )
    layout = frame(
        height=300,
        margin={"l": 48, "r": 10, "t": 8, "b": 42},
        size=11,
        meta={"fixed": True},
        xaxis=axis | {"title": {"text": "own side, in measurement errors", "standoff": 6}},
        yaxis=axis | {"title": {"text": "satisfaction", "standoff": 2}},
        annotations=[
            {
                "x": x,
                "y": y,
                "xref": "paper",
                "yref": "paper",
                "xanchor": right,
                "yanchor": top,
                "text": text,
                "showarrow": False,
                "font": {"size": 11, "color": LIGHT.quiet},
            }
            for x, y, text, right, top in corners
        ],
    )
    return {"data": [*within, marks], "layout": layout}


def _band(x: list[float], y: list[float]) -> Chart:
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": "lines",
        "line": {"width": 0},
        "fill": "toself",
        "fillcolor": LIGHT.noise,
        "hoverinfo": "skip",
        "meta": {"role": "noise"},
    }


def _inside(value: float) -> float:
    return max(-_REACH, min(_REACH, round(value, 2)))
