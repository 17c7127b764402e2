"""Does a growth model fit: its residuals against what it expects, and against a normal distribution."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from mbc.arguments import checks
from mbc.errors import FigureError
from mbc.figures.drawing.elements import Drawing, Panel, Rule, Series
from mbc.figures.drawing.ticks import number_axis
from mbc.figures.figure import Figure
from mbc.figures.results.accepted import heading
from mbc.models.growth.curve.curve import GrowthCurve

Floats = NDArray[np.float64]
MOST_POINTS = 1000  # drawn; more than that cannot be distinguished, and makes a file large
_QUARTILE = float(ndtri(0.75))


@checks(error=FigureError)
def residuals(fit: object, *, data: object = None, title: str | None = None) -> Figure:
    """Draw the residuals of a growth model: a check of its shape, of even scatter, and of odd sessions.

    Parameters
    ----------
    fit : GrowthCurve, or a result of ``mixedlm``
    data : table, optional
        The rows that a growth curve was fitted to; by default those of the fit, where they are in memory and
        unchanged. A formula model has its own.
    title : str, optional

    Returns
    -------
    Figure
        Left: score minus what is expected of the client there (fixed part and the client's own effects), with
        lines 1.96 residual standard deviations from zero. Right: the same in order, against normal quantiles
        ``(i - 1/2) / n``, with a line through the quartiles. Where there are more than 1,000, as many are drawn,
        evenly from the ordered list, the largest and the smallest among them.

    Raises
    ------
    FigureError
        If it is another result.
    ModelError
        If the rows are not in memory any more, or were changed.

    Examples
    --------
    >>> import polars as pl
    >>> from mbc import figures, models
    >>> scores = pl.DataFrame({
    ...     "client": [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4],
    ...     "week": [0, 2, 6, 0, 3, 5, 0, 1, 6, 0, 2, 4],
    ...     "score": [21, 18, 12, 17, 16, 15, 25, 20, 16, 14, 9, 9],
    ... })
    >>> fit = models.growth_curve(scores, outcome="score", time="week", client="client", random="intercept")
    >>> len(figures.residuals(fit).drawing.series("Residual")[0].y)
    12
    """
    expected, rest, sd = _residuals(fit, data)
    order = np.argsort(rest, kind="stable")
    n = rest.size
    kept = np.unique(np.linspace(0, n - 1, min(n, MOST_POINTS)).round().astype(int))
    ordered, quantiles = rest[order], np.asarray(ndtri((np.arange(n) + 0.5) / n))
    chosen = order[kept]
    limit = 1.96 * sd
    scatter = Series(
        tuple(expected[chosen].tolist()), tuple(rest[chosen].tolist()), "Residual", dash=None,
        symbols=("circle-open",), size=5, opacity=0.8, key=False,
    )  # fmt: skip
    normal = Series(
        tuple(quantiles[kept].tolist()), tuple(ordered[kept].tolist()), "Ordered residual", dash=None,
        symbols=("circle-open",), size=5, opacity=0.8, key=False,
    )  # fmt: skip
    low, high = np.quantile(rest, [0.25, 0.75])
    slope, middle = (high - low) / (2 * _QUARTILE), (high + low) / 2
    ends = (float(quantiles[0]), float(quantiles[-1]))
    straight = Series(
        ends, tuple(float(middle + slope * end) for end in ends), "Normal distribution", "quiet", "dash"
    )
    y = number_axis([*rest.tolist(), *straight.y], "Residual (points)", include=[-limit, limit])
    rules = (Rule(0, "y", dash="solid"), *(Rule(side * limit, "y", "1.96 SD", dash="dot") for side in (1, -1)))
    panels = (
        Panel(number_axis(expected.tolist(), "Expected score"), y, (*rules, scatter), across=(0, 0.42)),
        Panel(number_axis(quantiles.tolist(), "Normal quantile"), y, (straight, normal), across=(0.58, 1)),
    )
    beyond = float((np.abs(rest) > limit).mean())
    caption = (
        f"{n} residuals, standard deviation of the model {sd:.2f} points; {100 * beyond:.1f} % are more than 1.96 "
        "standard deviations from zero (5 % under a normal distribution)."
    )
    return Figure(Drawing(heading(title, "Residuals"), caption, panels, least_width=420.0))


def _residuals(fit: object, data: object) -> tuple[Floats, Floats, float]:
    """Give expected scores, residuals and the residual standard deviation."""
    # A result of mixedlm cannot exist before statsmodels is loaded, which takes long.
    formulas: Any = sys.modules.get("statsmodels.regression.mixed_linear_model")
    if formulas is not None and isinstance(fit, (formulas.MixedLMResults, formulas.MixedLMResultsWrapper)):
        if data is not None:
            raise FigureError("A formula model has its own rows: leave data= out.")
        results: Any = fit
        expected = np.asarray(results.fittedvalues, dtype=float)
        return expected, np.asarray(results.model.endog, dtype=float) - expected, math.sqrt(float(results.scale))
    if not isinstance(fit, GrowthCurve):
        raise FigureError(
            "figures.residuals draws a GrowthCurve, as models.growth_curve() makes it, or a result of "
            f"models.mixedlm(); got {type(fit).__name__}."
        )
    expected, rest = (np.asarray(column, dtype=float) for column in (fit.fitted_values(data), fit.residuals(data)))
    complete = np.isfinite(rest)
    return expected[complete], rest[complete], math.sqrt(fit.estimates.residual_variance)
