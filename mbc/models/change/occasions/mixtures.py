"""Quantiles and shares of mixtures of normal distributions, for many clients at once."""

from __future__ import annotations

import numpy as np

from mbc.models.change.inputs.distributions import normal_below, normal_quantile
from mbc.models.change.inputs.score_arrays import FloatArray

_LEAST_SD = 1e-9  # score points; a component that cannot move is a step
_STEPS = 60  # halvings of the bracket; a bracket of 1000 points then is 1e-15 wide
_CLOSE = 1e-9  # score points


def share_above(value: float, weight: FloatArray, mean: FloatArray, sd: FloatArray) -> FloatArray:
    """Probability above a value, (n,), of mixtures with weights, means and deviations of shape (g, n)."""
    return np.asarray((weight * normal_below((mean - value) / np.maximum(sd, _LEAST_SD))).sum(axis=0))


def quantile(share: float, weight: FloatArray, mean: FloatArray, sd: FloatArray) -> FloatArray:
    """Give the value below which the share of each mixture lies, (n,).

    The quantiles of the components bracket it; Newton steps are taken while they stay inside it, halvings
    otherwise.

    Examples
    --------
    >>> one = np.ones((1, 1))
    >>> quantile(0.975, one, 2.0 * one, 3.0 * one).round(6).tolist()
    [7.879892]
    """
    sd = np.maximum(sd, _LEAST_SD)
    at = mean + normal_quantile(share) * sd
    low: FloatArray = at.min(axis=0)
    high: FloatArray = at.max(axis=0)
    value: FloatArray = (weight * at).sum(axis=0)
    for _ in range(_STEPS):
        z: FloatArray = (value - mean) / sd
        off: FloatArray = (weight * normal_below(z)).sum(axis=0) - share
        low, high = np.where(off < 0, value, low), np.where(off < 0, high, value)
        slope: FloatArray = (weight * np.exp(-0.5 * z * z) / sd).sum(axis=0) / np.sqrt(2.0 * np.pi)
        with np.errstate(divide="ignore", invalid="ignore"):
            newton: FloatArray = value - off / slope
        inside = (newton >= low) & (newton <= high)
        new: FloatArray = np.where(inside, newton, 0.5 * (low + high))
        done = float(np.abs(new - value).max(initial=0.0)) < _CLOSE
        value = new
        if done:
            break
    return value
