"""Which of two measures comes first: paths from one session to the next, and the checks under them."""

from __future__ import annotations

from dataclasses import replace

from mbc.arguments import checks
from mbc.errors import FigureError
from mbc.figures.drawing.elements import (
    Area,
    Arrow,
    Axis,
    Bars,
    Drawing,
    Horizontal,
    Mark,
    Panel,
    Rule,
    Series,
    Symbol,
    Text,
)
from mbc.figures.drawing.ticks import number_axis, rows_axis, write_number
from mbc.figures.figure import Figure
from mbc.figures.results.accepted import heading, percent, require
from mbc.figures.text import plain
from mbc.models.lagged.effects import LaggedEffect, LaggedEffects

_HALF_WIDTH, _HALF_HEIGHT = 0.17, 0.15  # of a box


@checks(error=FigureError)
def lagged_paths(result: object, *, title: str | None = None) -> Figure:
    """Draw the paths of lagged effects: each measure on itself and on the other at the next session.

    Parameters
    ----------
    result : LaggedEffects
        From `mbc.models.lagged_effects`.
    title : str, optional

    Returns
    -------
    Figure
        Above, arrows with the estimates, in points of the later measure per point of the earlier; an arrow is
        solid where the interval leaves zero out and dashed where it does not. Below, every estimate with its
        interval, the placebo leads among them: a lead of one measure on the other is zero unless the other
        precedes it, so that one away from zero where nothing was found in that direction speaks against an order
        in time.

    Raises
    ------
    FigureError
        If it is another result, or one without effects.
    """
    made = require(result, LaggedEffects, "lagged_paths", "models.lagged_effects()")
    if made.forward is None or made.backward is None:
        raise FigureError(f"There is nothing to draw. {made.sentence()}")
    own_x, own_y = made.carry_over
    panels = (
        Panel(
            Axis(-0.3, 1.3, visible=False),
            Axis(-0.25, 1.25, visible=False),
            (
                *_boxes(made),
                *_arrow(own_x, (0, 1), (1, 1), (0.5, 1.07), "center"),
                *_arrow(own_y, (0, 0), (1, 0), (0.5, -0.07), "center"),
                *_arrow(made.forward, (0, 1), (1, 0), (0.31, 0.86), "left"),
                *_arrow(made.backward, (0, 0), (1, 1), (0.31, 0.14), "left"),
            ),
            up=(0.5, 1),
        ),
        *_intervals(made),
    )
    default = f"{made.x} and {made.y}, session to session"
    return Figure(Drawing(heading(title, default), plain(made.sentence()), panels, height=500, least_width=600.0))


def _boxes(made: LaggedEffects) -> list[Mark]:
    marks: list[Mark] = []
    for x, when in ((0.0, "this session"), (1.0, "next session")):
        for y, measure in ((1.0, made.x), (0.0, made.y)):
            left, right, low, high = x - _HALF_WIDTH, x + _HALF_WIDTH, y - _HALF_HEIGHT, y + _HALF_HEIGHT
            corners = ((left, right, right, left), (low, low, high, high))
            marks.append(Area(*corners, name="Measure", colour="ink", opacity=0.0, edge="solid", key=False))
            marks.append(Text(x, y, f"<b>{plain(measure, 16)}</b><br>{when}", horizontal="center"))
    return marks


def _arrow(
    effect: LaggedEffect,
    start: tuple[float, float],
    end: tuple[float, float],
    at: tuple[float, float],
    side: Horizontal,
) -> tuple[Mark, Mark]:
    """Draw an effect between the sides of two boxes, with its estimate."""
    name = "Interval excludes zero" if effect.detected else "Interval includes zero"
    words = _words(effect)
    path = Arrow(
        (start[0] + _HALF_WIDTH, end[0] - _HALF_WIDTH),
        (start[1], end[1]),
        name,
        "ink" if effect.detected else "quiet",
        "solid" if effect.detected else "dash",
        2.4 if effect.detected else 1.4,
        hover=f"{plain(effect.before)} on {plain(effect.after)}: {words}",
    )
    vertical = "middle" if side == "left" else ("bottom" if at[1] > 0.5 else "top")
    return path, Text(*at, words, horizontal=side, vertical=vertical, background=side == "left")


def _words(effect: LaggedEffect) -> str:
    value, low, high = (write_number(number, 2) for number in (effect.estimate, effect.lower, effect.upper))
    return f"{value} ({low} to {high})"


def _intervals(made: LaggedEffects) -> tuple[Panel, Panel]:
    effects: list[tuple[str, LaggedEffect]] = [
        (f"{plain(effect.before, 20)} on {plain(effect.after, 20)}", effect)
        for effect in (made.forward, made.backward, *made.carry_over)
        if effect is not None
    ]
    effects += [
        (f"Placebo: {plain(lead.before, 24)} on {plain(lead.after, 20)}", lead)
        for lead in (made.lead_forward, made.lead_backward)
        if lead is not None
    ]
    drawn = [effect for _, effect in effects]
    symbols: tuple[Symbol, ...] = tuple("circle" if effect.detected else "circle-open" for effect in drawn)
    series = Series(
        tuple(effect.estimate for effect in drawn),
        tuple(float(i) for i in range(len(drawn))),
        "Estimate",
        dash=None,
        symbols=symbols,
        bars=Bars(tuple(effect.lower for effect in drawn), tuple(effect.upper for effect in drawn), "x"),
        hover=tuple(_words(effect) for effect in drawn),
        key=False,
    )
    ends = [end for effect in drawn for end in (effect.lower, effect.upper)]
    x = number_axis(ends, f"Points per point ({percent(made.confidence)} interval)", include=[0.0], grid=True)
    rows = replace(rows_axis([]), start=len(effects) - 0.4, visible=False)
    # The names stand in a panel of their own, so that the diagram above has the full width.
    names = tuple(Text(1, i, label, "panel", horizontal="right") for i, (label, _) in enumerate(effects))
    return (
        Panel(Axis(0, 1, visible=False), rows, names, across=(0, 0.42), up=(0, 0.42)),
        Panel(x, rows, (Rule(0, "x", dash="solid"), series), across=(0.45, 1), up=(0, 0.42)),
    )
