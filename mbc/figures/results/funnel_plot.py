"""Do therapists or clinics differ by more than chance, given how many clients each has."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import polars as pl
from scipy.special import bdtr, bdtrik

from mbc.arguments import checks
from mbc.errors import FigureError
from mbc.figures.drawing.elements import Dash, Drawing, Mark, Panel, Rule, Series
from mbc.figures.drawing.ticks import fixed_axis, number_axis
from mbc.figures.figure import Figure
from mbc.figures.results.accepted import heading, kind_of, percent
from mbc.figures.text import plain
from mbc.models.change.groups.outcome_rates import OutcomeRates
from mbc.models.change.groups.overdispersion import FEWEST_UNITS
from mbc.models.change.groups.overdispersion import overdispersion as dispersion_factor
from mbc.models.change.inputs.proportions import Proportion

_POINTS = 200  # of a limit
_DASHES: tuple[Dash, ...] = ("dash", "dot", "dashdot")


@dataclass(frozen=True, slots=True)
class Unit:
    """One therapist or clinic."""

    label: str
    count: int
    n: int


@checks(error=FigureError)
def funnel(
    rates: object,
    *,
    category: str | None = None,
    levels: Sequence[float] = (0.95, 0.998),
    overdispersion: bool = False,
    unit: str = "Clients assessed",
    title: str | None = None,
) -> Figure:
    """Draw each therapist's or clinic's rate against its number of clients, within the limits of chance.

    Parameters
    ----------
    rates : OutcomeRates, or mapping of str to Proportion
        From `mbc.models.outcome_rates` with ``groups=``, or from `mbc.models.wilson_interval`.
    category : str, optional
        Which rate of an ``OutcomeRates``, such as ``"improved"``, which is the default.
    levels : sequence of float
        Coverage of the limits; three at most.
    overdispersion : bool
        Whether the limits allow for units that differ more than by chance for reasons that are not measured, such
        as the kind of their clients. With 10 units or more; fewer say too little of it.
    unit : str
        What the horizontal axis counts.
    title : str, optional

    Returns
    -------
    Figure
        A unit outside the widest limits is named. The target is the rate of all units together.

    Raises
    ------
    FigureError
        If it is another result, there is no such category, or nobody was judged.

    Notes
    -----
    The lower limit at n is ``(r - a) / n`` with r the p-quantile of the binomial distribution of n clients at the
    target and ``a = (F(r) - p) / f(r)``, which interpolates between the steps [1]_; the upper limit is that of the
    complement. So a rate is outside exactly where the probability of one as low (or as high) is less than p, half
    of what the limits leave out. The units are few, their clients differ, and some lie outside by chance: a unit
    outside is a reason to ask, never a verdict.

    With ``overdispersion`` a limit's distance from the target is multiplied by the square root of the factor of
    over-dispersion, the mean square of the winsorised z-scores, where that is above 1 [1]_.

    References
    ----------
    .. [1] Spiegelhalter (2005), Funnel plots for comparing institutional performance, doi:10.1002/sim.1970,
       appendix A.1.1.

    Examples
    --------
    >>> from mbc import figures, models
    >>> clinics = {"A": models.wilson_interval(30, 50), "B": models.wilson_interval(20, 50)}
    >>> figures.funnel(clinics).drawing.series("Rate")[0].y
    (60.0, 40.0)
    """
    units, name = _units(rates, category)
    if not levels or len(levels) > len(_DASHES) or not all(0 < level < 1 for level in levels):
        raise FigureError(f"levels must be one to three numbers between 0 and 1, got {list(levels)}.")
    total = sum(each.n for each in units)
    target = sum(each.count for each in units) / total
    factor = 1.0
    if overdispersion:
        factor = dispersion_factor([each.count for each in units], [each.n for each in units], target)
    most = max(each.n for each in units)
    # Below a few clients every rate is possible; the axis begins at 1 all the same, since units are that small.
    sizes = np.unique(np.linspace(1, most * 1.08 + 1, _POINTS).round()).astype(float)
    marks: list[Mark] = [
        Rule(100 * target, "y", dash="solid", label=f"all: {100 * target:.0f} %", label_at="left")
    ]
    for level, dash in zip(sorted(levels), _DASHES, strict=False):
        ends = np.array([limits(target, int(n), level, factor) for n in sizes])
        marks += [
            Series(
                tuple(sizes.tolist()),
                tuple((100 * side).tolist()),
                f"{percent(level)} limits",
                "quiet",
                dash,
                width=1.4,
            )
            for side in ends.T
        ]
    outside = [
        not low <= each.count / each.n <= high
        for each in units
        for low, high in [limits(target, each.n, max(levels), factor)]
    ]
    marks.append(_rates(units, outside))
    x = number_axis([0.0, float(sizes[-1])], plain(unit), pad=0.0)
    y = fixed_axis(0, 100, f"{name.capitalize()}, in per cent", grid=True, most=5, pad=0.02)
    names = [each.label for each, out in zip(units, outside, strict=True) if out]
    caption = (
        f"{len(units)} units, {total} clients, {100 * target:.0f} % {name} in all. Outside the "
        f"{percent(max(levels))} limits: {plain(', '.join(names)) or 'none'}. That is a reason to ask, not a "
        "verdict: clients differ between units."
    )
    if overdispersion:
        caption += f" {_dispersion_words(factor, len(units))}"
    return Figure(Drawing(heading(title, f"Rates by unit: {name}"), caption, (Panel(x, y, tuple(marks)),)))


def _dispersion_words(factor: float, units: int) -> str:
    if units < FEWEST_UNITS:
        return f"Limits are those expected by chance: over-dispersion is assessed only from {FEWEST_UNITS} units."
    if factor <= 1:
        return "Units differ no more than expected by chance: there is no over-dispersion to allow for."
    return f"Limits are {factor**0.5:.2f} times as wide as those of chance, which allows for over-dispersion."


def limits(target: float, n: int, level: float, factor: float = 1.0) -> tuple[float, float]:
    """Give the control limits of a rate of n clients, 0 to 1.

    Parameters
    ----------
    target : float
        Rate in all, 0 to 1.
    n : int
        Clients.
    level : float
        Coverage, 0 to 1.
    factor : float
        Of over-dispersion, 1 or more.

    Examples
    --------
    >>> low, high = limits(0.5, 100, 0.95)
    >>> round(low, 3), round(high, 3)
    (0.397, 0.603)
    """
    tail = (1 - level) / 2
    low, high = _lower(target, n, tail), 1 - _lower(1 - target, n, tail)
    if factor == 1:
        return low, high
    wider = float(np.sqrt(factor))
    return max(0.0, target + wider * (low - target)), min(1.0, target + wider * (high - target))


def _lower(target: float, n: int, tail: float) -> float:
    if target in {0.0, 1.0}:
        return target
    r = math.ceil(float(bdtrik(tail, n, target)))  # the binomial quantile, but for rounding
    while r > 0 and float(bdtr(r - 1, n, target)) >= tail:
        r -= 1
    up_to = float(bdtr(r, n, target))
    below = float(bdtr(r - 1, n, target)) if r > 0 else 0.0
    return max((r - (up_to - tail) / (up_to - below)) / n, 0.0)


def _rates(units: Sequence[Unit], outside: Sequence[bool]) -> Series:
    return Series(
        tuple(float(each.n) for each in units),
        tuple(100 * each.count / each.n for each in units),
        "Rate",
        dash=None,
        symbols=tuple("diamond" if out else "circle-open" for out in outside),
        size=7,
        labels=tuple(plain(each.label, 16) if out else "" for each, out in zip(units, outside, strict=True)),
        hover=tuple(
            f"{plain(each.label)}: {each.count} of {each.n}, {100 * each.count / each.n:.0f} %" for each in units
        ),
        key=False,
    )


def _units(rates: object, category: str | None) -> tuple[list[Unit], str]:
    kind = kind_of(rates)
    if isinstance(rates, OutcomeRates):
        return _of_table(rates.table, rates.completeness, category or "improved")
    given = cast("Mapping[object, object]", rates) if isinstance(rates, Mapping) else dict[object, object]()
    if given:
        units = [Unit(str(label), p.count, p.n) for label, p in given.items() if isinstance(p, Proportion)]
        if len(units) == len(given):
            return _judged(units), category or "rate"
    raise FigureError(
        "figures.funnel draws an OutcomeRates, as models.outcome_rates(..., groups=...) makes it, or a mapping of "
        f"labels to Proportion; got {kind}."
    )


def _of_table(table: pl.DataFrame, completeness: pl.DataFrame, category: str) -> tuple[list[Unit], str]:
    known = table["category"].unique(maintain_order=True).to_list()
    if category not in known:
        raise FigureError(f"category must be one of {', '.join(known)}, got {category!r}.")
    judged: dict[Any, int] = dict(completeness.select("group", "judged").iter_rows())
    rows = table.filter(pl.col("category") == category)
    if rows.height < 2:
        raise FigureError("A funnel plot compares units: name them with outcome_rates(..., groups=).")
    units = [Unit(str(group), count, judged[group]) for group, count in rows.select("group", "n").iter_rows()]
    return _judged(units), category


def _judged(units: Sequence[Unit]) -> list[Unit]:
    """Leave out units of whom nobody could be judged."""
    kept = [each for each in units if each.n > 0]
    if not kept:
        raise FigureError("No client could be assessed in any unit: there is nothing to draw.")
    return kept
