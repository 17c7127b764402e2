"""A drawing as a Plotly figure, for pages and notebooks."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import plotly.graph_objects as go

from mbc.figures.drawing.elements import Area, Arrow, Axis, Drawing, Mark, Panel, Rule, Series, Text, label_of
from mbc.figures.renderers.key import key_entries
from mbc.figures.theme import FONT, Palette

_KEY_LINE, _TITLE, _FOOT = 20, 26, 56  # pixels


def plotly_of(drawing: Drawing, palette: Palette) -> go.Figure:
    """Draw with Plotly.

    Parameters
    ----------
    drawing : Drawing
    palette : Palette

    Returns
    -------
    plotly.graph_objects.Figure
        One trace for each series, area and arrow, under its name. ``layout.meta["caption"]`` has the caption.
    """
    figure = go.Figure()
    shown: set[str] = set()
    for i, panel in enumerate(drawing.panels, start=1):
        for mark in panel.marks:
            _add(figure, mark, panel, i, palette, shown)
    _lay_out(figure, drawing, palette)
    return figure


def _add(figure: go.Figure, mark: Mark, panel: Panel, index: int, palette: Palette, shown: set[str]) -> None:
    axes: dict[str, Any] = {"xaxis": _axis_name("x", index), "yaxis": _axis_name("y", index)}
    if isinstance(mark, Text):
        _add_text(figure, mark, panel, index, palette)
        return
    if isinstance(mark, Series | Area):
        about = _series(mark, panel, palette) if isinstance(mark, Series) else _area(mark, panel, palette)
        figure.add_trace(go.Scatter(**about, **axes, **_in_key(mark.name, mark.key, shown)))
        return
    if isinstance(mark, Rule):
        _add_rule(figure, mark, panel, index, palette)
    else:
        _add_arrow(figure, mark, index, palette)
    if mark.name and mark.name not in shown:  # lines and arrows are no traces: one is added for the key
        figure.add_trace(go.Scatter(**_key_only(mark, palette), **axes, **_in_key(mark.name, True, shown)))  # noqa: FBT003


def _in_key(name: str, wanted: bool, shown: set[str]) -> dict[str, Any]:  # noqa: FBT001
    """Show each name once in the key."""
    show = wanted and bool(name) and name not in shown
    if show:
        shown.add(name)
    return {"name": name, "legendgroup": name, "showlegend": show}


def _positions(values: tuple[float | None, ...], axis: Axis) -> list[object]:
    return [_position(value, axis) for value in values]


def _position(value: float | None, axis: Axis) -> object:
    """Give a value as Plotly reads it: days as dates."""
    if value is None or not math.isfinite(value):
        return None
    if not axis.days:
        return value
    day = dt.datetime.fromordinal(math.floor(value)) + dt.timedelta(days=value - math.floor(value))
    return day.date() if day.time() == dt.time(0) else day


def _series(mark: Series, panel: Panel, palette: Palette) -> dict[str, Any]:
    colour = _rgba(getattr(palette, mark.colour), mark.opacity)
    modes = [
        name for name, wanted in (("lines", mark.dash), ("markers", mark.symbols), ("text", mark.labels)) if wanted
    ]
    about: dict[str, Any] = {
        "x": _positions(mark.x, panel.x),
        "y": _positions(mark.y, panel.y),
        "mode": "+".join(modes) or "none",
        "connectgaps": False,
    }
    if mark.dash is not None:
        shape = "hv" if mark.interpolation == "hv" else "linear"
        about["line"] = {"color": colour, "width": mark.width, "dash": mark.dash, "shape": shape}
    if mark.symbols:
        symbols = mark.symbols[0] if len(mark.symbols) == 1 else list(mark.symbols)
        own = [_rgba(getattr(palette, role), mark.opacity) for role in mark.colours] or colour
        edge = 1.5 if any(symbol.endswith("-open") for symbol in mark.symbols) else 0
        line = {"width": edge, "color": own}
        about["marker"] = {"symbol": symbols, "size": mark.size, "color": own, "line": line}
    if mark.bars is not None:
        about[f"error_{mark.bars.along}"] = _bars(mark, palette)
    if mark.labels:
        about |= {"text": list(mark.labels), "textposition": "middle right"}
        about["textfont"] = {"size": 12, "color": palette.ink}
    if mark.hover:
        about |= {"hovertext": list(mark.hover), "hoverinfo": "text"}
    return about


def _bars(mark: Series, palette: Palette) -> dict[str, Any]:
    assert mark.bars is not None  # noqa: S101 - the caller looked
    values = mark.x if mark.bars.along == "x" else mark.y

    def distance(end: float | None, value: float | None) -> float:
        return 0.0 if end is None or value is None else abs(end - value)

    return {
        "type": "data",
        "symmetric": False,
        "array": [distance(end, value) for end, value in zip(mark.bars.upper, values, strict=True)],
        "arrayminus": [distance(end, value) for end, value in zip(mark.bars.lower, values, strict=True)],
        "color": getattr(palette, mark.colour),
        "thickness": 1.6,
        "width": 3,
    }


def _area(mark: Area, panel: Panel, palette: Palette) -> dict[str, Any]:
    own = getattr(palette, mark.colour)
    about: dict[str, Any] = {
        "x": [*_positions(mark.x, panel.x), _position(mark.x[0], panel.x)],
        "y": [*_positions(mark.y, panel.y), _position(mark.y[0], panel.y)],
        "mode": "lines",
        "fill": "toself",
        "fillcolor": _rgba(own, mark.opacity),
        "line": {"width": 0} if mark.edge is None else {"color": own, "width": 1, "dash": mark.edge},
        "hoveron": "fills",
        "hoverinfo": "text" if mark.hover else "skip",
        "text": mark.hover,
    }
    if mark.hatch:
        clear = "rgba(0,0,0,0)"
        about["fillcolor"] = clear
        about["fillpattern"] = {"shape": "/", "size": 10, "solidity": 0.12, "fgcolor": own, "bgcolor": clear}
    return about


def _key_only(mark: Rule | Arrow, palette: Palette) -> dict[str, Any]:
    line = {"color": getattr(palette, mark.colour), "width": mark.width, "dash": mark.dash}
    return {"x": [None], "y": [None], "mode": "lines", "line": line, "hoverinfo": "skip", "meta": {"role": "key"}}


def _add_rule(figure: go.Figure, mark: Rule, panel: Panel, index: int, palette: Palette) -> None:
    line = {"color": getattr(palette, mark.colour), "width": mark.width, "dash": mark.dash}
    along, across = ("x", "y") if mark.axis == "y" else ("y", "x")
    at = _position(mark.at, panel.x if across == "x" else panel.y)
    where: dict[str, Any] = {f"{along}0": 0, f"{along}1": 1, f"{along}ref": f"{_axis_name(along, index)} domain"}
    where |= {f"{across}0": at, f"{across}1": at, f"{across}ref": _axis_name(across, index)}
    figure.add_shape(type="line", layer="below", line=line, **where)
    if mark.label:
        _add_text(figure, label_of(mark, panel.x), panel, index, palette)


def _add_arrow(figure: go.Figure, mark: Arrow, index: int, palette: Palette) -> None:
    """Draw the shaft as a shape, because only shapes can be dashed, and the head as an annotation."""
    x, y = _axis_name("x", index), _axis_name("y", index)
    colour = getattr(palette, mark.colour)
    (x0, x1), (y0, y1) = mark.x, mark.y
    near = 0.94
    stop = (x0 + near * (x1 - x0), y0 + near * (y1 - y0))
    line = {"color": colour, "width": mark.width, "dash": mark.dash}
    figure.add_shape(type="line", x0=x0, y0=y0, x1=stop[0], y1=stop[1], xref=x, yref=y, line=line)
    head: dict[str, Any] = {
        "showarrow": True,
        "arrowhead": 2,
        "arrowsize": 1,
        "arrowwidth": max(mark.width, 1.5),
        "arrowcolor": colour,
    }
    figure.add_annotation(
        x=x1, y=y1, ax=stop[0], ay=stop[1], xref=x, yref=y, axref=x, ayref=y, text="", hovertext=mark.hover, **head
    )


def _add_text(figure: go.Figure, mark: Text, panel: Panel, index: int, palette: Palette) -> None:
    x, y = _axis_name("x", index), _axis_name("y", index)
    behind: dict[str, Any] = {"bgcolor": palette.paper, "opacity": 0.9} if mark.background else {}
    figure.add_annotation(
        x=_position(mark.x, panel.x) if mark.x_reference == "data" else mark.x,
        y=_position(mark.y, panel.y) if mark.y_reference == "data" else mark.y,
        xref=x if mark.x_reference == "data" else f"{x} domain",
        yref=y if mark.y_reference == "data" else f"{y} domain",
        xanchor=mark.horizontal,
        yanchor=mark.vertical,
        xshift=mark.shift[0],
        yshift=mark.shift[1],
        text=mark.text,
        align=mark.horizontal,
        showarrow=False,
        font={"size": mark.size, "color": palette.ink},
        **behind,
    )


def _lay_out(figure: go.Figure, drawing: Drawing, palette: Palette) -> None:
    lines = math.ceil(len(key_entries(drawing)) / 3)
    titled = any(panel.title for panel in drawing.panels)
    figure.update_layout(
        template="none",
        font={"family": FONT, "size": 13, "color": palette.ink},
        paper_bgcolor=palette.paper,
        plot_bgcolor=palette.paper,
        height=drawing.height + 20,
        margin={"l": 56, "r": 16, "t": _TITLE + _KEY_LINE * lines + (24 if titled else 12), "b": _FOOT},
        title={
            "text": f"<b>{drawing.title}</b>",
            "x": 0.01,
            "xanchor": "left",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"t": 8},
            "font": {"size": 15},
        },
        showlegend=True,
        legend={
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "xref": "container",
            "y": 1 - _TITLE / (drawing.height + 20),
            "yanchor": "top",
            "yref": "container",
            "font": {"size": 12},
            "itemclick": False,
            "itemdoubleclick": False,
            "bgcolor": "rgba(0,0,0,0)",
        },
        hovermode="closest",
        hoverlabel={"bgcolor": palette.paper, "bordercolor": palette.quiet, "font": {"color": palette.ink}},
        meta={"title": drawing.title, "caption": drawing.caption, "description": drawing.caption},
    )
    for i, panel in enumerate(drawing.panels, start=1):
        name = "" if i == 1 else str(i)
        across, up = [*panel.across], [*panel.up]
        axes: dict[str, Any] = {
            f"xaxis{name}": _axis(panel.x, palette, across, _axis_name("y", i)),
            f"yaxis{name}": _axis(panel.y, palette, up, _axis_name("x", i)),
        }
        figure.update_layout(**axes)
        if panel.title:
            title = Text(0, 1, f"<b>{panel.title}</b>", "panel", "panel", "left", "bottom", (0, 4), 13)
            _add_text(figure, title, panel, i, palette)


def _axis(axis: Axis, palette: Palette, domain: list[float], anchor: str) -> dict[str, Any]:
    about: dict[str, Any] = {
        "domain": domain,
        "anchor": anchor,
        "range": [_position(axis.start, axis), _position(axis.end, axis)],
        "tickvals": [_position(at, axis) for at, _ in axis.ticks],
        "ticktext": [label for _, label in axis.ticks],
        "visible": axis.visible,
        "showgrid": axis.grid,
        "gridcolor": palette.grid,
        "showline": axis.line,
        "linecolor": palette.quiet,
        "ticks": "outside" if axis.line else "",
        "tickcolor": palette.quiet,
        "zeroline": False,
        "automargin": True,
    }
    if axis.days:
        about["type"] = "date"
    if axis.title:
        about["title"] = {"text": axis.title, "standoff": 6, "font": {"size": 13}}
    return about


def _axis_name(letter: str, index: int) -> str:
    return letter if index == 1 else f"{letter}{index}"


def _rgba(colour: str, opacity: float) -> str:
    """Write a colour with its opacity.

    Examples
    --------
    >>> _rgba("#0072b2", 0.2), _rgba("#0072b2", 1)
    ('rgba(0,114,178,0.2)', '#0072b2')
    """
    if opacity >= 1:
        return colour
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"
