"""The small charts of a client's page on paper: the same traces, drawn in ink alone.

What shares a chart differs by fill, dash or marker, never by colour: scores are a solid line with filled points,
measurement error a grey band, the likely end an outlined fan, the expected course dashes, the cutoff dashes and
dots, a goal dots, and a stretch in which nothing is asked is hatched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from mbc.errors import FigureError
from mbc.figures.client_page.sheet import Chart
from mbc.figures.drawing.elements import (
    Area,
    Axis,
    Drawing,
    Horizontal,
    Mark,
    Panel,
    Series,
    Symbol,
    Text,
    Vertical,
)
from mbc.figures.drawing.ticks import day_ticks, write_number
from mbc.figures.figure import Figure
from mbc.figures.static_twin import position

_PIXELS_PER_MM = 96 / 25.4
_LINES: Mapping[str, Series] = {
    "score": Series((), (), "", "score", width=1.8),
    "expected": Series((), (), "", "course", "dash", 1.4),
    "cutoff": Series((), (), "", "cutoff", "dashdot", 1.4),
    "goal": Series((), (), "", "goal", "dot", 1.8),
    "alliance": Series((), (), "", "ink", "solid", 1.0, symbols=("circle",), size=3.0),
    "repair": Series((), (), "", "ink", "solid", 1.0, symbols=("circle",), size=3.0),
    "today": Series((), (), "", "score", "solid", 1.0),
}
_FILLS: Mapping[str, Area] = {
    "noise": Area((), (), "", "quiet", 0.2),
    "repair limits": Area((), (), "", "quiet", 0.2, "dot"),
    "fan": Area((), (), "", "score", 0.1, "solid"),
    "not asked": Area((), (), "", "quiet", hatch=True),
    "relationship": Area((), (), "", "quiet", 0.14, "solid"),
}
_POINTS: Mapping[str, tuple[Symbol, float]] = {
    "sessions kept": ("line-ns", 8.0),
    "sessions missed": ("cross", 5.0),
    "questionnaires": ("circle", 4.0),
    "homework done": ("circle", 5.0),
    "homework open": ("circle-open", 5.0),
    "homework not done": ("cross", 5.0),
    "small win": ("star", 7.0),
    "conflict": ("diamond", 6.0),
    "conflict repaired": ("diamond-open", 6.0),
    "repair outside": ("diamond", 6.0),
    "rupture": ("square", 5.0),
    "rupture repaired": ("square-open", 5.0),
}
_EVENTS: Mapping[str, Symbol] = {"triangle-up": "triangle-up", "diamond": "diamond", "circle": "circle-open"}
_VERTICAL: Mapping[str, Vertical] = {"top": "bottom", "middle": "middle", "bottom": "top"}
_SIDE: Mapping[str, Horizontal] = {"right": "left", "center": "center", "left": "right"}
_SMALL = 11.0  # font size of words inside a chart, pixels
DRAWN_ROLES = frozenset({*_LINES, *_FILLS, *_POINTS, "event", "words"})


def paper_chart(
    chart: Chart,
    *,
    caption: str,
    width: float,
    height: float,
    most_days: int = 4,
    tick_words: Callable[[str], str] = str,
) -> Figure:
    """Draw a tile or the timeline of a client's page for paper.

    Parameters
    ----------
    chart : dict
        From `course_tile` or `timeline_chart`.
    caption : str
        What it shows, in words: its alternative text.
    width, height : float
        Millimetres.
    most_days : int
        Days at most that are named on the axis.
    tick_words : callable
        Writes a tick label, "Feb 2026" or "10.5", in another language.

    Returns
    -------
    Figure
        Every point and line of the chart, its values read from the chart itself.

    Raises
    ------
    FigureError
        If the chart has a trace that cannot be drawn on paper, rather than leaving it out.
    """
    marks: list[Mark] = []
    for trace in cast("Sequence[Chart]", chart["data"]):
        marks += _marks(trace)
    x, y = _days(chart["layout"]["xaxis"], most_days, tick_words), _values(chart["layout"]["yaxis"], tick_words)
    return Figure(
        Drawing(
            "",
            caption,
            (Panel(x, y, tuple(marks)),),
            width=width * _PIXELS_PER_MM,
            height=height * _PIXELS_PER_MM,
            least_width=100,
        )
    )


def paper_key(names: Mapping[str, str], *, caption: str, width: float) -> Figure:
    """Draw the legend of lines and fills.

    Parameters
    ----------
    names : mapping of str to str
        Role of a trace ("score", "noise", "expected", "fan", "cutoff", "goal", "not asked") to its words.
    caption : str
        Alternative text.
    width : float
        Millimetres.
    """
    marks: list[Mark] = []
    for role, name in names.items():
        if role in _FILLS:
            marks.append(replace(_FILLS[role], x=(2.0, 3.0, 3.0, 2.0), y=(2.0, 2.0, 3.0, 3.0), name=name))
        elif role == "score":
            marks.append(replace(_LINES[role], name=name, symbols=("circle",), size=5.0))
        else:
            marks.append(replace(_LINES[role], name=name))
    unseen = Axis(0, 1, visible=False)
    drawing = Drawing("", caption, (Panel(unseen, unseen, tuple(marks)),), width * _PIXELS_PER_MM, 40, 100)
    rows = 1 + sum(len(name) * 6 + 48 for name in names.values()) // int(drawing.width - 20)
    return Figure(replace(drawing, height=20.0 + 18.0 * rows))


def _marks(trace: Chart) -> Iterable[Mark]:
    role = str(trace["meta"]["role"])
    x = tuple(position(day) for day in trace["x"])
    if role == "words":
        return _texts(trace, x)
    y = tuple(position(value) for value in trace["y"])
    if role in _FILLS:
        return [_area(role, trace, x, y)]
    if role == "score":
        return _scores(trace, x, y)
    if role in _LINES:
        return [replace(_LINES[role], x=x, y=y, key=False)]
    if role in _POINTS:
        symbol, size = _POINTS[role]
        return [Series(x, y, "", "ink", None, symbols=(symbol,), size=size, key=False)]
    if role == "event":
        symbol = _EVENTS[str(trace["marker"]["symbol"])]
        return [Series(x, y, "", "ink", None, symbols=(symbol,), size=7.0, key=False), *_texts(trace, x)]
    raise FigureError(f"A trace of the role {role!r} cannot be drawn on paper.")


def _area(role: str, trace: Chart, x: Sequence[float | None], y: Sequence[float | None]) -> Area:
    corners = [(a, b) for a, b in zip(x, y, strict=True) if a is not None and b is not None]
    fill = replace(_FILLS[role], x=tuple(a for a, _ in corners), y=tuple(b for _, b in corners), key=False)
    if role == "relationship" and trace["line"].get("dash") == "dot":  # of no relationship: being single
        return replace(fill, opacity=0.0, edge="dot")
    return fill


def _scores(trace: Chart, x: Sequence[float | None], y: Sequence[float | None]) -> Iterable[Mark]:
    symbols = cast("Sequence[Symbol]", trace["marker"]["symbol"])
    sizes = cast("Sequence[float]", trace["marker"]["size"])
    latest = max(sizes, default=0.0)
    yield replace(_LINES["score"], x=tuple(x), y=tuple(y), symbols=tuple(symbols), size=4.0, key=False)
    large = [i for i, size in enumerate(sizes) if size == latest > min(sizes)]
    for i in large:
        yield Series((x[i],), (y[i],), "", dash=None, symbols=(symbols[i],), size=8.0, key=False)


def _texts(trace: Chart, x: Sequence[float | None]) -> Iterable[Mark]:
    up, _, side = str(trace.get("textposition") or "middle center").partition(" ")
    shift = {"right": 6.0, "center": 0.0, "left": -6.0}[side]
    for at, value, text in zip(x, trace["y"], trace.get("text") or (), strict=True):
        if at is not None and value is not None and str(text).strip():
            yield Text(
                at,
                float(value),
                str(text).strip(),
                horizontal=_SIDE[side],
                vertical=_VERTICAL[up],
                shift=(shift, 0.0),
                size=_SMALL,
                background=side == "center",
            )


def _days(about: Chart, most: int, tick_words: Callable[[str], str]) -> Axis:
    start, end = (cast("float", position(day)) for day in about["range"])
    ticks = tuple((at, tick_words(label)) for at, label in day_ticks(start, end, most=most))
    return Axis(start, end, "", ticks, days=True)


def _values(about: Chart, tick_words: Callable[[str], str]) -> Axis:
    start, end = (float(value) for value in about["range"])
    places = [float(at) for at in cast("Sequence[Any]", about["tickvals"])]
    words = about.get("ticktext") or [_number(at) for at in places]
    ticks = tuple((at, tick_words(str(word))) for at, word in zip(places, words, strict=True))
    return Axis(start, end, "", ticks, grid=about.get("showgrid") is not False)


def _number(value: float) -> str:
    return write_number(value, 0 if value == round(value) else 1)
