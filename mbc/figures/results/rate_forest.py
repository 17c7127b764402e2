"""Rates of several definitions or measures, one under the other: interval, and worst and best case behind it."""

from __future__ import annotations

from collections.abc import Sequence

from mbc.errors import FigureError
from mbc.figures.drawing.elements import Area, Axis, Bars, Drawing, Mark, Panel, Rule, Series, Text
from mbc.figures.drawing.ticks import fixed_axis, rows_axis
from mbc.figures.figure import Figure
from mbc.figures.renderers.text_size import width_of
from mbc.figures.text import plain
from mbc.outcomes.results import Figure as Rate

_ROW, _FRAME, _HALF = 25.0, 86.0, 0.22  # pixels; rows
BOUNDS, INTERVAL = "Worst to best case", "Rate with 95 % interval"


def rate_forest(
    rates: Sequence[tuple[str, Rate]], *, title: str = "", targets: Sequence[tuple[str, float]] = ()
) -> Figure:
    """Draw rates as they were published, one under the other.

    Parameters
    ----------
    rates : sequence of (str, Figure)
        Name of a line, and the figure there; one that is hidden keeps its line and says so.
    title : str
    targets : sequence of (str, float)
        Benchmarks in percent: a line across, with its name.

    Raises
    ------
    FigureError
        If there is nothing to draw.
    """
    if not rates:
        raise FigureError("There is no rate to draw.")
    labels = [plain(label, 60) for label, _ in rates]
    marks: list[Mark] = []
    for line, (_, rate) in enumerate(rates):
        if rate.worst is not None and rate.best is not None:
            marks.append(_bounds(line, rate.worst, rate.best, key=not marks))
    drawn = [(line, rate) for line, (_, rate) in enumerate(rates) if rate.percent is not None]
    marks.append(
        Series(
            tuple(rate.percent for _, rate in drawn),
            tuple(float(line) for line, _ in drawn),
            INTERVAL,
            dash=None,
            symbols=("square",),
            size=7,
            bars=Bars(tuple(rate.lower for _, rate in drawn), tuple(rate.upper for _, rate in drawn), "x"),
            hover=tuple(f"{plain(rates[line][0])}: {plain(rate.words)}" for line, rate in drawn),
        )
    )
    marks += [Rule(value, "x", name, "cutoff", "dash") for name, value in targets]
    rows = rows_axis(labels)
    words = [rate.words for _, rate in rates]
    texts = tuple(Text(0, line, plain(text), size=11) for line, text in enumerate(words))
    panels = (
        Panel(
            fixed_axis(0, 100, "Per cent", grid=True, suffix=" %", pad=0.01), rows, tuple(marks), across=(0, 0.6)
        ),
        Panel(Axis(0, 1, visible=False), Axis(rows.start, rows.end, visible=False), texts, across=(0.62, 1)),
    )
    least = max(map(width_of, words, [11.5] * len(words))) / 0.38 + max(
        map(width_of, labels, [12.0] * len(labels))
    )
    caption = " ".join(f"{plain(label)}: {plain(rate.words)}{_bounds_words(rate)}." for label, rate in rates)
    height = max(_FRAME + _ROW * len(rates), 150.0)
    return Figure(Drawing(title, caption, panels, max(640.0, least + 30), height, 320.0))


def _bounds(line: int, worst: float, best: float, *, key: bool) -> Area:
    low, high = line - _HALF, line + _HALF
    return Area(
        (worst, best, best, worst),
        (low, low, high, high),
        BOUNDS,
        "quiet",
        0.22,
        hover=f"{worst} to {best} %",
        key=key,
    )


def _bounds_words(rate: Rate) -> str:
    return f", worst to best case {rate.bounds}" if rate.bounds else ""
