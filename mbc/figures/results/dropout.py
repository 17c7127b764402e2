"""How far would those who left have to deviate before a conclusion falls."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from mbc.arguments import checks
from mbc.errors import FigureError
from mbc.figures.drawing.elements import Area, Drawing, Mark, Panel, Rule, Series, Symbol, band
from mbc.figures.drawing.ticks import number_axis, write_number
from mbc.figures.figure import Figure
from mbc.figures.results.accepted import heading, percent, require
from mbc.figures.text import plain
from mbc.models.dropout.sensitivity import DropoutSensitivity

_POINTS = 41


@checks(error=FigureError)
def dropout_sensitivity(result: object, *, deltas: ArrayLike | None = None, title: str | None = None) -> Figure:
    """Draw what is concluded against how far those who left deviate from expectation, with the tipping points.

    Parameters
    ----------
    result : DropoutSensitivity
        From `mbc.models.dropout_sensitivity`.
    deltas : array_like, optional
        Deviations to draw, in points; from a little under zero to a little over the tipping point unless given.
    title : str, optional

    Returns
    -------
    Figure

    Raises
    ------
    FigureError
        If it is another result, or there is no tipping point and no ``deltas``.

    Examples
    --------
    >>> import polars as pl
    >>> from mbc import figures, models
    >>> scores = pl.DataFrame({
    ...     "client": [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 5, 6],
    ...     "week": [0, 2, 6, 0, 3, 6, 0, 1, 6, 0, 2, 0, 1, 0],
    ...     "score": [21, 18, 12, 17, 16, 11, 25, 20, 16, 14, 12, 20, 19, 22],
    ... })
    >>> columns = {"outcome": "score", "time": "week", "client": "client"}
    >>> fit = models.growth_curve(scores, **columns, shape="linear", random="intercept")
    >>> result = models.dropout_sensitivity(fit, scores, at=6, higher_is_better=False)
    >>> point = figures.dropout_sensitivity(result).drawing.series("Tipping point of the estimate")[0]
    >>> round(point.x[0], 1), point.y[0]
    (15.0, 0.0)
    """
    made = require(result, DropoutSensitivity, "dropout_sensitivity", "models.dropout_sensitivity()")
    at = _deltas(made, deltas)
    rows = [made.at_delta(delta) for delta in at]
    question = made.question
    outline = band(at, [row.lower for row in rows], [row.upper for row in rows])
    hover = tuple(f"{row.delta:g}: {row.estimate:.2f} ({row.lower:.2f} to {row.upper:.2f})" for row in rows)
    marks: list[Mark] = [
        Area(*outline, name=f"{percent(question.confidence)} interval", colour="score", edge="dot"),
        Rule(question.against, "y", dash="longdash", label=f"undone at {question.against:g}"),
        Rule(0, "x", dash="dot", label="as expected from their scores"),
        Series(tuple(at), tuple(row.estimate for row in rows), "Estimate", hover=hover),
    ]
    if made.interval_tipping_point is not None:
        marks.append(
            _point(made.interval_tipping_point, question.against, "Tipping point of the interval", "square-open")
        )
    if made.tipping_point is not None:
        marks.append(_point(made.tipping_point, question.against, "Tipping point of the estimate", "diamond"))
    per = f" per {plain(question.time)}" if question.per == "time" else ""
    measure = f"Mean {question.measure} at {plain(question.time)} {question.at:g} (points)"
    if len(made.groups) == 2:
        measure = f"Difference of groups: {measure[0].lower()}{measure[1:]}"
    x = number_axis(at, f"Deviation of dropouts from expectation (points{per})", pad=0.04)
    y = number_axis(outline[1], measure, include=[question.against], grid=True)
    return Figure(
        Drawing(heading(title, "Sensitivity to dropout"), plain(made.sentence), (Panel(x, y, tuple(marks)),))
    )


def _deltas(made: DropoutSensitivity, deltas: ArrayLike | None) -> list[float]:
    if deltas is not None:
        given = np.sort(np.atleast_1d(np.asarray(deltas, dtype=float)))
        if given.ndim != 1 or given.size < 2 or not np.isfinite(given).all():
            raise FigureError("deltas must be a list of at least two finite numbers, in points.")
        return cast("list[float]", given.tolist())
    ends = [end for end in (made.tipping_point, made.interval_tipping_point) if end is not None]
    far = max(ends, key=abs, default=0.0)
    if far == 0:
        raise FigureError(
            f"There is no tipping point ({_why(made)}). To draw the estimate anyway, give the range: "
            "deltas=[-10, 10]."
        )
    return cast("list[float]", np.linspace(-0.15 * far, 1.2 * far, _POINTS).tolist())


def _why(made: DropoutSensitivity) -> str:
    reasons = {"nobody_left": "nobody left", "cancels": "deviations cancel", "not_shown": "no effect was found"}
    return reasons.get(made.reason or "", "the estimate already equals the value that reverses it")


def _point(x: float, y: float, name: str, symbol: Symbol) -> Series:
    hover = (f"{name}: {write_number(x, 1)} points",)
    return Series((x,), (y,), name, "cutoff", None, symbols=(symbol,), size=10, hover=hover)
