"""What share has changed by when, with those who left counted as having left."""

from __future__ import annotations

import numpy as np
import polars as pl

from mbc.arguments import checks
from mbc.errors import FigureError
from mbc.figures.drawing.elements import Area, Axis, Drawing, Mark, Panel, Rule, Series, Text, step_band
from mbc.figures.drawing.ticks import fixed_axis, number_axis
from mbc.figures.figure import Figure
from mbc.figures.results.accepted import heading, percent, require
from mbc.figures.text import plain
from mbc.models.survival.time_to_change import TimeToChange


@checks(error=FigureError)
def cumulative_incidence(
    result: object, *, kaplan_meier: bool = False, unit: str = "Session", title: str | None = None
) -> Figure:
    """Draw the cumulative incidence of change, with its band, those who dropped out, and how many were at risk.

    Parameters
    ----------
    result : TimeToChange
        From `mbc.models.time_to_change`.
    kaplan_meier : bool
        Add one minus Kaplan-Meier, which is what the share would be if nobody had left.
    unit : str
        What time counts, for the axis.
    title : str, optional

    Returns
    -------
    Figure
        The share that dropped out unchanged is ``1 - S - F``: everybody but those who changed (F) and those still
        in treatment unchanged (S, the product limit of both ends together).

    Raises
    ------
    FigureError
        If it is another result, or nobody was seen to change.

    Examples
    --------
    >>> from mbc import figures, models
    >>> result = models.time_to_change([2, 3, 3, 5, 6], changed=[1, 1, 0, 1, 0], dropped_out=[0, 0, 1, 0, 0])
    >>> figure = figures.cumulative_incidence(result)
    >>> [round(share) for share in figure.drawing.series("Changed")[0].y]
    [0, 20, 40, 60, 60]
    >>> [round(share) for share in figure.drawing.series("Dropped out")[0].y]
    [0, 0, 20, 20, 20]
    """
    made = require(result, TimeToChange, "cumulative_incidence", "models.time_to_change()")
    if made.reason is not None or not made.incidence.height:
        raise FigureError(
            f"There is no incidence to draw: {made.reason or 'nobody changed or dropped out'} (n = {made.n})."
        )
    table = made.incidence
    last = float(np.asarray(made.hazard["time"])[-1])
    times = (0.0, *table["time"].to_list(), last)
    changed = _percent(table, "incidence")
    outline = step_band(times, _percent(table, "lower"), _percent(table, "upper"))
    marks: list[Mark] = [
        Area(*outline, name=f"{percent(made.confidence)} interval", colour="score", edge="dot"),
        Rule(50, "y", dash="dot", width=1),
    ]
    if kaplan_meier:
        km = made.kaplan_meier
        at = (0.0, *km["time"].to_list(), last)
        without = (0.0, *(100 * (1 - km["survival"])).to_list())
        marks.append(
            Series(
                at,
                (*without, without[-1]),
                "If nobody dropped out (Kaplan-Meier)",
                "course",
                "dash",
                interpolation="hv",
            )
        )
    if made.n_dropped_out:
        gone = dropped_out(table)
        marks.append(
            Series(
                times, (0.0, *gone, gone[-1]), "Dropped out", "cutoff", "dashdot", width=1.8, interpolation="hv"
            )
        )
    hover = tuple(f"{plain(unit)} {at:g}: {share:.0f} %" for at, share in zip(times, changed, strict=True))
    marks.append(Series(times, changed, "Changed", width=2.6, interpolation="hv", hover=hover))
    x = number_axis([0.0, last], plain(unit), pad=0.02)
    y = fixed_axis(0, 100, "Share of clients", grid=True, most=5, suffix=" %", pad=0.02)
    panels = (
        Panel(x, y, tuple(marks), up=(0.27, 1)),
        Panel(Axis(x.start, x.end, visible=False), Axis(0, 1, visible=False), _at_risk(made, x), up=(0, 0.06)),
    )
    return Figure(Drawing(heading(title, "Time to change"), _caption(made, unit), panels, height=430))


def dropped_out(table: pl.DataFrame) -> list[float]:
    """Give the cumulative share, in per cent, that left unchanged.

    Parameters
    ----------
    table : polars.DataFrame
        ``TimeToChange.incidence``.
    """
    ended = (table["changed"] + table["dropped_out"]).to_numpy()
    staying = np.cumprod(1 - ended / table["at_risk"].to_numpy())
    # Rounding aside it is never negative, and never falls.
    return [100 * max(float(share), 0.0) for share in 1 - staying - table["incidence"].to_numpy()]


def _percent(table: pl.DataFrame, name: str) -> tuple[float, ...]:
    """Give a column in per cent, from 0 at the start, kept until the last time."""
    values: list[float] = (100 * table[name]).to_list()
    return (0.0, *values, values[-1])


def _at_risk(made: TimeToChange, axis: Axis) -> tuple[Mark, ...]:
    """Write how many had neither changed nor left before each tick."""
    times, counts = made.hazard["time"].to_numpy(), made.hazard["at_risk"].to_list()
    marks: list[Mark] = [Text(0, 1, "<b>At risk</b>", "panel", "panel", "left", "bottom", (0, 4), 12)]
    for at, _ in axis.ticks:
        row = int(np.searchsorted(times, at - 1e-9))
        count = int(counts[row]) if row < len(counts) else 0
        marks.append(Text(at, 0.5, str(count), horizontal="center"))
    return tuple(marks)


def _caption(made: TimeToChange, unit: str) -> str:
    by_end = 100 * (made.changed_by_end or 0.0)
    text = (
        f"Of {made.n} clients {made.n_changed} changed, {made.n_dropped_out} dropped out unchanged and "
        f"{made.n_censored} were last seen unchanged; {by_end:.0f} % had changed by the last time."
    )
    if made.median is not None:
        text += f" Half had changed by {plain(unit).lower()} {made.median:g}."
    return text
