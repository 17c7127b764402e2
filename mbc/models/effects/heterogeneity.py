"""How far do the true effects of several studies differ: their variance between studies, Q and I2, with limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import optimize, special

from mbc.errors import ModelError
from mbc.models.change.inputs.score_arrays import FloatArray

Estimator = Literal["reml", "paule-mandel"]
_optimize: Any = optimize
_special: Any = special


@dataclass(frozen=True, slots=True)
class Heterogeneity:
    """Variance between studies and its share, with limits by the Q profile (Viechtbauer, 2007)."""

    tau2: float
    tau2_lower: float
    tau2_upper: float
    q: float  # Cochran's Q, weights without tau2
    q_df: int
    q_p_value: float
    i2: float  # per cent of the variance of estimates that is between studies
    i2_lower: float
    i2_upper: float


def heterogeneity(
    estimates: FloatArray, variances: FloatArray, estimator: Estimator, confidence: float
) -> Heterogeneity:
    """Estimate the variance between studies.

    Parameters
    ----------
    estimates, variances : ndarray, shape (k,)
        Effects and their squared standard errors; k at least 2, variances above 0.
    estimator : {"reml", "paule-mandel"}
    confidence : float
        Coverage of the limits.

    Notes
    -----
    ``I2 = tau2 / (tau2 + s2)``, where ``s2`` is the typical variance within studies (Higgins & Thompson, 2002):
    limits of tau2 are those of I2.
    """
    df = estimates.size - 1
    tau2 = _reml(estimates, variances) if estimator == "reml" else solve_q(estimates, variances, float(df))
    tail = (1.0 - confidence) / 2.0
    lower = solve_q(estimates, variances, float(_special.chdtri(df, tail)))
    upper = solve_q(estimates, variances, float(_special.chdtri(df, 1.0 - tail)))
    q = generalised_q(estimates, variances, 0.0)
    weights = 1.0 / variances
    total = float(weights.sum())
    typical = df * total / (total**2 - float((weights**2).sum()))
    shares = [100.0 * value / (value + typical) for value in (tau2, lower, upper)]
    return Heterogeneity(tau2, lower, upper, q, df, float(_special.chdtrc(df, q)), shares[0], shares[1], shares[2])


def weighted_mean(estimates: FloatArray, variances: FloatArray, tau2: float) -> tuple[float, FloatArray]:
    """Give the mean weighted by inverse variances, and the weights."""
    weights = 1.0 / (variances + tau2)
    return float((weights * estimates).sum() / weights.sum()), weights


def generalised_q(estimates: FloatArray, variances: FloatArray, tau2: float) -> float:
    """Weighted sum of squares about the weighted mean, with ``tau2`` in the weights; Cochran's Q where it is 0.

    Examples
    --------
    >>> generalised_q(np.array([1.0, 3.0]), np.array([1.0, 1.0]), 0.0)
    2.0
    """
    mean, weights = weighted_mean(estimates, variances, tau2)
    return float((weights * (estimates - mean) ** 2).sum())


def solve_q(estimates: FloatArray, variances: FloatArray, target: float) -> float:
    """Find the tau2 at which the weighted sum of squares is ``target``; 0 where it is less even there.

    It falls as tau2 rises, so there is one at most. With ``target = k - 1`` it is the estimate of Paule & Mandel.

    Examples
    --------
    >>> round(solve_q(np.array([1.0, 3.0]), np.array([1.0, 1.0]), 1.0), 10)
    1.0
    """
    if generalised_q(estimates, variances, 0.0) <= target:
        return 0.0
    high = _spread(estimates, variances)
    while generalised_q(estimates, variances, high) > target:
        high *= 4.0
    return _root(lambda tau2: generalised_q(estimates, variances, tau2) - target, 0.0, high)


def _reml(estimates: FloatArray, variances: FloatArray) -> float:
    """Where the restricted likelihood is highest: the best of a grid, then the root of its slope beside it."""
    high = 100.0 * _spread(estimates, variances)
    grid = np.concatenate([[0.0], np.geomspace(1e-6 * float(variances.min()), high, 800)])
    values = [_restricted(estimates, variances, float(tau2)) for tau2 in grid]
    best = int(np.argmax(values))
    if best == grid.size - 1:
        raise ModelError(
            "The restricted likelihood has no maximum for these estimates. Are their variances right?"
        )

    def slope(tau2: float) -> float:
        mean, weights = weighted_mean(estimates, variances, tau2)
        squares = float((weights**2).sum())
        spread = float((weights**2 * (estimates - mean) ** 2).sum())
        return spread + squares / float(weights.sum()) - float(weights.sum())

    low, above = float(grid[max(best - 1, 0)]), float(grid[best + 1])
    if slope(low) <= 0.0:
        return 0.0 if best == 0 else float(grid[best])
    return _root(slope, low, above) if slope(above) < 0.0 else float(grid[best])


def _restricted(estimates: FloatArray, variances: FloatArray, tau2: float) -> float:
    """Logarithm of the restricted likelihood, twice, without its constant."""
    q = generalised_q(estimates, variances, tau2)
    total = variances + tau2
    return -float(np.log(total).sum()) - float(np.log((1.0 / total).sum())) - q


def _spread(estimates: FloatArray, variances: FloatArray) -> float:
    return float(np.ptp(estimates)) ** 2 + float(variances.max())


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    return float(_optimize.brentq(function, low, high, xtol=1e-13 * high, rtol=1e-14))
