"""Which share do several clinics have together, and how far do they differ: pooled on the logit scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike
from scipy.special import expit

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.score_arrays import FloatArray, as_array
from mbc.models.effects.heterogeneity import Estimator
from mbc.models.effects.random_effects import (
    Effects,
    PooledEffects,
    PooledInterval,
    notes_on_few,
    pool_effects,
)
from mbc.models.results.facts import records
from mbc.models.results.result import Result


@dataclass(frozen=True, slots=True)
class StudyProportion:
    """One clinic among those that were pooled."""

    study: str
    count: int
    of: int
    estimate: float
    lower: float
    upper: float
    weight: float  # per cent


@dataclass(frozen=True, slots=True)
class PooledProportion(Result):
    """One share from several studies; all but tau2 between 0 and 1."""

    _title = "Pooled proportion"

    estimate: float
    lower: float
    upper: float
    prediction_lower: float | None  # where the true share of another clinic lies
    prediction_upper: float | None
    tau2: float  # of logits
    i2: float  # per cent
    i2_lower: float
    i2_upper: float
    rounded_to: int
    confidence: float
    studies: tuple[StudyProportion, ...]
    logits: PooledEffects  # what was pooled

    def _columns(self) -> Mapping[str, pl.Series | Sequence[object]]:
        return records(self.studies, StudyProportion)

    def _headline(self) -> str:
        return (
            f"{self.logits.effects} effects of {len(self.studies)} studies: {100 * self.estimate:.1f} % "
            f"({100 * self.lower:.1f} to {100 * self.upper:.1f} %), I2={self.i2:.0f} %"
        )

    def _notes(self) -> Iterable[str]:
        yield "The proportion of a typical study, not of all people together: it was pooled on the logit scale."
        if self.rounded_to > 1:
            yield f"Counts are rounded to multiples of {self.rounded_to}; variances allow for it."
        yield from notes_on_few(self.logits)


@checked
def pool_proportions(
    counts: ArrayLike,
    totals: ArrayLike,
    *,
    studies: Sequence[str] | None = None,
    rounded_to: int = 1,
    effects: Effects = "random",
    estimator: Estimator = "reml",
    interval: PooledInterval = "hartung-knapp",
    confidence: float = 0.95,
) -> PooledProportion:
    """Pool the shares of several clinics on the logit scale.

    Parameters
    ----------
    counts, totals : array_like of whole numbers, shape (k,)
        How many had the outcome at each clinic, and of how many; k at least 2.
    studies : sequence of str, optional
        Names of the clinics.
    rounded_to : int
        Counts and totals were rounded to multiples of this number, as published ones are; 1: they are exact.
    effects, estimator, interval, confidence
        As in `pool_effects`.

    Returns
    -------
    PooledProportion

    Raises
    ------
    ModelError
        If counts are missing, no whole numbers, below 0, above their total, or not rounded as was said.

    Notes
    -----
    The variance of a logit is ``1/x + 1/(n - x)``. Rounding to multiples of m adds what an error with variance
    ``(m**2 - 1) / 12`` in ``x``, and another in ``n``, add to first order. Where nobody had the outcome, half a
    person is added to both sides; where everybody had it, half of ``m``, since those without it may have been
    rounded away. Zero is never the result of rounding.

    References
    ----------
    .. [1] Agresti (2013), Categorical Data Analysis, on empirical logits.

    Examples
    --------
    >>> pooled = pool_proportions([40, 25, 60], [80, 60, 110], rounded_to=5)
    >>> round(pooled.estimate, 3), pooled.studies[0].estimate
    (0.5, 0.5)
    """
    x, n = _whole_numbers(counts, "counts"), _whole_numbers(totals, "totals")
    _check(x, n, rounded_to)
    logits, variances = logits_of(x, n, rounded_to)
    pooled = pool_effects(
        logits, variances, studies=studies, effects=effects, estimator=estimator, interval=interval,
        confidence=confidence,
    )  # fmt: skip
    low, high = pooled.prediction_lower, pooled.prediction_upper
    return PooledProportion(
        estimate=_share(pooled.estimate),
        lower=_share(pooled.lower),
        upper=_share(pooled.upper),
        prediction_lower=None if low is None else _share(low),
        prediction_upper=None if high is None else _share(high),
        tau2=pooled.tau2,
        i2=pooled.i2,
        i2_lower=pooled.i2_lower,
        i2_upper=pooled.i2_upper,
        rounded_to=rounded_to,
        confidence=confidence,
        studies=tuple(
            StudyProportion(
                each.study,
                int(count),
                int(of),
                float(count / of),
                _share(each.lower),
                _share(each.upper),
                each.weight,
            )
            for each, count, of in zip(pooled.studies, x, n, strict=True)
        ),
        logits=pooled,
    )


def logits_of(x: FloatArray, n: FloatArray, rounded_to: int) -> tuple[FloatArray, FloatArray]:
    """Give the logits of shares and their variances, those of rounding among them.

    Examples
    --------
    >>> logit, variance = logits_of(np.array([20.0]), np.array([40.0]), 1)
    >>> float(logit[0]), float(variance[0])
    (0.0, 0.1)
    """
    nobody, everybody = x == 0, x == n
    added = np.where(everybody, rounded_to / 2.0, np.where(nobody, 0.5, 0.0))
    hits, others = x + added, n - x + added
    rounding = (rounded_to**2 - 1) / 12.0
    of_count = np.where(nobody, 0.0, (1.0 / hits + 1.0 / others) ** 2)
    variances = 1.0 / hits + 1.0 / others + rounding * (of_count + 1.0 / others**2)
    return np.log(hits / others), variances


def _share(logit: float) -> float:
    return float(expit(logit))


def _whole_numbers(values: ArrayLike, name: str) -> FloatArray:
    column = as_array(values, name)
    if column.ndim != 1 or column.size < 2:
        raise ModelError(f"{name} must be a column of at least 2 clinics; got shape {column.shape}.")
    wrong = ~((column >= 0) & (column == np.floor(column)))
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        raise ModelError(
            f"{name} must be whole numbers of at least 0, got {column[place]:g} at position {place}. A hidden "
            "count cannot be pooled: leave that clinic out of both columns, and report it."
        )
    return column


def _check(x: FloatArray, n: FloatArray, rounded_to: int) -> None:
    if x.shape != n.shape:
        raise ModelError(f"counts and totals must have the same length, got {x.size} and {n.size}.")
    if rounded_to < 1:
        raise ModelError(f"rounded_to must be at least 1 (counts are exact), got {rounded_to}.")
    if (n == 0).any() or (x > n).any():
        place = int(np.flatnonzero((n == 0) | (x > n))[0])
        raise ModelError(
            f"Each count must be of at least 1, and none above its total; got {x[place]:g} of {n[place]:g}."
        )
    for name, column in (("counts", x), ("totals", n)):
        if (column % rounded_to).any():
            place = int(np.flatnonzero(column % rounded_to)[0])
            raise ModelError(f"{name} must be multiples of rounded_to={rounded_to}, got {column[place]:g}.")
