"""Normal, t, noncentral t, F and chi-square, as plain typed functions of arrays.

Those of `scipy.special`: `scipy.stats` has them too, and takes a second to load.
"""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np
from scipy import special

from mbc.errors import ModelError
from mbc.models.change.inputs.score_arrays import FloatArray

_special: Any = special


def normal_below(z: FloatArray | float) -> FloatArray:
    """Probability that a standard normal lies below ``z``."""
    return cast("FloatArray", np.asarray(_special.ndtr(z)))


def log_normal_below(z: FloatArray | float) -> FloatArray:
    """Logarithm of the probability that a standard normal lies below ``z``, also far out."""
    return cast("FloatArray", np.asarray(_special.log_ndtr(z)))


def normal_quantile(probability: float) -> float:
    """Give the standard normal quantile."""
    return float(_special.ndtri(probability))


def two_sided(confidence: float) -> float:
    """Give the normal quantile that leaves ``1 - confidence`` outside, on both sides together.

    Raises
    ------
    ModelError
        If ``confidence`` is not between 0 and 1.

    Examples
    --------
    >>> round(two_sided(0.95), 6)
    1.959964
    """
    if not 0.0 < confidence < 1.0:
        raise ModelError(f"confidence must be in (0, 1), got {confidence:g}. Is it a percentage?")
    return normal_quantile(0.5 + confidence / 2.0)


def t_quantile(df: float, probability: float) -> float:
    """Student's t quantile."""
    return float(_special.stdtrit(df, probability))


def t_below(df: float, t: FloatArray | float) -> FloatArray:
    """Probability that Student's t lies below ``t``."""
    return cast("FloatArray", np.asarray(_special.stdtr(df, t)))


def noncentral_t_below(df: float, noncentrality: float, t: float) -> float:
    """Probability that a noncentral t lies below ``t``."""
    below = float(_special.nctdtr(df, noncentrality, t))
    if math.isnan(below):  # the series gives up where the tail is below 1e-16
        return 0.0 if noncentrality > t else 1.0
    return below


def f_above(df1: float, df2: float, f: float) -> float:
    """Probability that F lies above ``f``."""
    return float(_special.fdtrc(df1, df2, f))


def chi_square_above(df: float, value: float) -> float:
    """Probability that chi-square lies above ``value``."""
    return float(_special.chdtrc(df, value))


def chi_square_quantile(df: float, probability: float) -> float:
    """Quantile of chi-square.

    Examples
    --------
    >>> round(chi_square_quantile(1, 0.95), 6)
    3.841459
    """
    return 2.0 * float(_special.gammaincinv(df / 2.0, probability))


def f_quantile(df1: float, df2: float, probability: float) -> float:
    """Quantile of F."""
    return float(_special.fdtri(df1, df2, probability))
