"""Does a growth model fit: its residuals against what it expects, and against the distribution it gives them."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from mbc.arguments import checks
from mbc.errors import FigureError
from mbc.figures.drawing.elements import Drawing, Panel, Rule, Series
from mbc.figures.drawing.ticks import number_axis, write_number
from mbc.figures.figure import Figure
from mbc.figures.results.accepted import GROWTH_MODELS, heading
from mbc.figures.text import plain
from mbc.frames import open_frame
from mbc.models.growth.curve.curve import GrowthCurve
from mbc.models.growth.inference.fitted_model import PredictsRows, ResidualDistribution
from mbc.models.growth.matrices import Floats
from mbc.models.growth.variants.paired import PairedGrowth
from mbc.models.growth.variants.therapists.therapist_result import TherapistGrowth

MOST_POINTS = 1000  # drawn; more than that cannot be distinguished, and makes a file large
NORMAL = ResidualDistribution(math.inf)
_TAIL = 0.025


@dataclass(frozen=True, slots=True)
class Checked:
    """The residuals of one outcome and what the model says of them."""

    outcome: str
    expected: Floats
    residual: Floats  # in points, or in standard deviations (scales) where these differ between rows
    distribution: ResidualDistribution = NORMAL
    spread: float | None = None  # residual standard deviation in points; None: residuals are standardised

    @property
    def limit(self) -> float:
        """Beyond which 5 % of residuals lie, on either side together."""
        unit = 1.0 if self.spread is None else self.spread
        return unit * float(self.distribution.quantiles(np.array([1 - _TAIL]))[0])

    @property
    def unit(self) -> str:
        """What the residuals are measured in."""
        if self.spread is not None:
            return "points"
        return "SD" if self.is_normal else "scales"

    @property
    def is_normal(self) -> bool:
        """Whether the model's residuals are normal."""
        return math.isinf(self.distribution.degrees_of_freedom)


@checks(error=FigureError)
def residuals(fit: object, *, data: object = None, title: str | None = None) -> Figure:
    """Draw the residuals of a growth model: a check of its shape, of even scatter, and of odd sessions.

    Parameters
    ----------
    fit : fitted growth model
        Of ``growth_curve``, ``therapist_growth``, ``serial_growth``, ``residual_growth``, ``robust_growth``,
        ``paired_growth``, ``joint_growth``, or a result of ``mixedlm``.
    data : table, optional
        The rows that it was fitted to; by default those of the fit, where they are in memory and unchanged. A
        formula model has its own.
    title : str, optional

    Returns
    -------
    Figure
        Left: score minus what is expected of the client there (fixed part and the client's own effects), with
        lines between which 95 % lie if the model holds. Right: the same in order, against quantiles of its
        distribution, ``(i - 1/2) / n``, with a line through the quartiles. Where there are more than 1,000, as
        many are drawn, evenly from the ordered list, the largest and the smallest among them. Of two outcomes the
        first is above the second. Residuals whose spread differs between groups, that are serially correlated or
        that follow a t distribution are standardised (see ``residuals(standardised=True)`` of the model).

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
    checked = _checked(fit, data)
    share = 1 / len(checked)
    panels: list[Panel] = []
    for place, each in enumerate(checked):
        foot = 1 - (place + 1) * share
        gap = 0.0 if place == len(checked) - 1 else 0.1
        panels += _panels(each, (foot + gap, foot + share), named=len(checked) > 1)
    caption = " ".join(_sentence(each, named=len(checked) > 1) for each in checked)
    height = 400.0 if len(checked) == 1 else 640.0
    return Figure(Drawing(heading(title, "Residuals"), caption, tuple(panels), height=height, least_width=420.0))


def _panels(checked: Checked, up: tuple[float, float], *, named: bool) -> tuple[Panel, Panel]:
    """Draw residuals against what is expected, and in order against their distribution."""
    rest, limit = checked.residual, checked.limit
    order, n = np.argsort(rest, kind="stable"), rest.size
    kept = np.unique(np.linspace(0, n - 1, min(n, MOST_POINTS)).round().astype(int))
    quantiles = checked.distribution.quantiles((np.arange(n) + 0.5) / n)
    scatter = _points(checked.expected[order[kept]], rest[order[kept]], "Residual")
    ordered = _points(quantiles[kept], rest[order[kept]], "Ordered residual")
    low, high = np.quantile(rest, [0.25, 0.75])
    quartile = float(checked.distribution.quantiles(np.array([0.75]))[0])
    slope, middle = (high - low) / (2 * quartile), (high + low) / 2
    ends = (float(quantiles[0]), float(quantiles[-1]))
    kind = "Normal" if checked.is_normal else "t"
    straight = Series(
        ends, tuple(float(middle + slope * end) for end in ends), f"{kind} distribution", "quiet", "dash"
    )
    about = f": {plain(checked.outcome)}" if named else ""
    y = number_axis([*rest.tolist(), *straight.y], f"Residual ({checked.unit}){about}", include=[-limit, limit])
    name = "1.96 SD" if kind == "Normal" else "95 % of a t distribution"
    rules = (Rule(0, "y", dash="solid"), *(Rule(side * limit, "y", name, dash="dot") for side in (1, -1)))
    return (
        Panel(
            number_axis(checked.expected.tolist(), "Expected score"), y, (*rules, scatter), across=(0, 0.42), up=up
        ),
        Panel(
            number_axis(quantiles.tolist(), f"{kind} quantile"), y, (straight, ordered), across=(0.58, 1), up=up
        ),
    )


def _points(x: Floats, y: Floats, name: str) -> Series:
    return Series(
        tuple(x.tolist()), tuple(y.tolist()), name, dash=None, symbols=("circle-open",), size=5, opacity=0.8,
        key=False,
    )  # fmt: skip


def _sentence(checked: Checked, *, named: bool) -> str:
    beyond = 100 * float((np.abs(checked.residual) > checked.limit).mean())
    who = f"{plain(checked.outcome)}: " if named else ""
    size = "" if checked.spread is None else f", standard deviation of the model {checked.spread:.2f} points"
    lines, kind = "1.96 standard deviations", "a normal distribution"
    if not checked.is_normal:
        lines = f"{write_number(checked.limit, 2)} scales"
        kind = f"a t distribution with {checked.distribution.degrees_of_freedom:.3g} degrees of freedom"
    return (
        f"{who}{checked.residual.size} residuals{size}; {beyond:.1f} % are more than {lines} from zero (5 % under "
        f"{kind})."
    )


def _checked(fit: object, data: object) -> tuple[Checked, ...]:
    """Give expected scores and residuals of each outcome."""
    # A result of mixedlm cannot exist before statsmodels is loaded, which takes long.
    formulas: Any = sys.modules.get("statsmodels.regression.mixed_linear_model")
    if formulas is not None and isinstance(fit, (formulas.MixedLMResults, formulas.MixedLMResultsWrapper)):
        if data is not None:
            raise FigureError("A formula model has its own rows: leave data= out.")
        results: Any = fit
        expected = np.asarray(results.fittedvalues, dtype=float)
        rest = np.asarray(results.model.endog, dtype=float) - expected
        return (Checked("", expected, rest, spread=math.sqrt(float(results.scale))),)
    if isinstance(fit, PairedGrowth):
        return _pair(fit, data)
    if not isinstance(fit, PredictsRows):
        raise FigureError(
            f"figures.residuals draws a growth model, as {GROWTH_MODELS} or mixedlm() makes it; got "
            f"{type(fit).__name__}."
        )
    spread = None
    if isinstance(fit, GrowthCurve):
        spread = math.sqrt(fit.estimates.residual_variance)
    elif isinstance(fit, TherapistGrowth):
        spread = math.sqrt(fit.residual_variance)
    expected = np.asarray(fit.fitted_values(data), dtype=float)
    rest = np.asarray(fit.residuals(data, standardised=spread is None), dtype=float)
    complete = np.isfinite(rest)
    return (Checked("", expected[complete], rest[complete], fit.residual_distribution, spread),)


def _pair(fit: PairedGrowth, data: object) -> tuple[Checked, ...]:
    expected, rest = open_frame(fit.fitted_values(data)), open_frame(fit.residuals(data))
    spreads = np.sqrt(fit.residual_covariance.diagonal()).tolist()
    out: list[Checked] = []
    for name, spread in zip(fit.outcomes, spreads, strict=True):
        values, own = (table[name].to_numpy().astype(float) for table in (expected, rest))
        complete = np.isfinite(own)
        out.append(Checked(name, values[complete], own[complete], spread=spread))
    return tuple(out)
