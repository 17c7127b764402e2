"""How are the results of several imputed data sets made into one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.distributions import normal_quantile, t_below, t_quantile
from mbc.models.change.inputs.score_arrays import as_array
from mbc.models.results.result import Result


@dataclass(frozen=True, slots=True)
class Pooled(Result):
    """One estimate from several imputed data sets (Rubin, 1987)."""

    estimate: float
    standard_error: float
    degrees_of_freedom: float  # infinite where imputations do not differ
    lower: float
    upper: float
    p_value: float  # that it is zero, two-sided
    within: float  # mean variance of the single estimates
    between: float  # variance of the estimates
    relative_increase: float  # r = (1 + 1/m) between / within
    missing_information: float  # lambda = r / (1 + r): share of the variance that missing values add
    fraction_missing: float  # the same, allowing for few imputations
    imputations: int
    confidence: float
    reason: Literal["zero_variance"] | None = None  # nothing varies at all


@checked
def pool_rubin(
    estimates: ArrayLike, variances: ArrayLike, *, complete_df: float | None = None, confidence: float = 0.95
) -> Pooled:
    """Pool estimates by Rubin's rules.

    Parameters
    ----------
    estimates, variances : array_like, shape (m,)
        The estimate from each imputed data set, and its squared standard error; m at least 2.
    complete_df : float, optional
        Degrees of freedom if nothing were missing; then those of Barnard & Rubin (1999), which never exceed it.
    confidence : float
        Two-sided coverage, 0 to 1.

    Returns
    -------
    Pooled

    Raises
    ------
    ModelError
        If there are fewer than two, lengths differ, or a variance is negative.

    Notes
    -----
    ``T = W + (1 + 1/m) B``, ``r = (1 + 1/m) B / W``, ``df = (m - 1) (1 + 1/r)^2``. A textbook for R prints
    ``(1 + 1/r^2)`` for the last factor; with m = 5 and r = 0.5 that gives 20 degrees of freedom instead of 36.

    References
    ----------
    .. [1] Rubin (1987), Multiple Imputation for Nonresponse in Surveys.
    .. [2] Barnard & Rubin (1999), doi:10.1093/biomet/86.4.948.

    Examples
    --------
    >>> pooled = pool_rubin([9.0, 10.0, 11.0, 10.5, 9.5], [1.5] * 5)
    >>> pooled.relative_increase, round(pooled.degrees_of_freedom, 1), round(pooled.standard_error, 3)
    (0.5, 36.0, 1.5)
    """
    q, u = as_array(estimates, "estimates"), as_array(variances, "variances")
    _check(q.shape, u.shape)
    if not (np.isfinite(q).all() and np.isfinite(u).all() and (u >= 0).all()):
        raise ModelError(
            "estimates must be finite, and variances (squared standard errors) finite and at least 0."
        )
    m = q.size
    within, between = float(u.mean()), float(q.var(ddof=1))
    added = (1.0 + 1.0 / m) * between
    increase = added / within if within > 0 else math.inf if added > 0 else 0.0
    df = _degrees(m, increase, complete_df)
    error = math.sqrt(within + added)
    estimate = float(q.mean())
    quantile = (
        normal_quantile(0.5 + confidence / 2.0) if math.isinf(df) else t_quantile(df, 0.5 + confidence / 2.0)
    )
    share = 1.0 if math.isinf(increase) else increase / (1.0 + increase)
    allowed = share if math.isinf(df) else min(1.0, (share + 2.0 / (df + 3.0) * (1.0 - share)))
    return Pooled(
        estimate=estimate,
        standard_error=error,
        degrees_of_freedom=df,
        lower=estimate - quantile * error,
        upper=estimate + quantile * error,
        p_value=_p_value(estimate, error, df),
        within=within,
        between=between,
        relative_increase=increase,
        missing_information=share,
        fraction_missing=allowed,
        imputations=m,
        confidence=confidence,
        reason=None if error > 0 else "zero_variance",
    )


def _degrees(m: int, increase: float, complete_df: float | None) -> float:
    old = math.inf if increase == 0 else (m - 1) * (1.0 + (0.0 if math.isinf(increase) else 1.0 / increase)) ** 2
    if complete_df is None:
        return old
    share = 1.0 if math.isinf(increase) else increase / (1.0 + increase)
    observed_df = (complete_df + 1.0) / (complete_df + 3.0) * complete_df * (1.0 - share)
    if math.isinf(old):
        return observed_df
    return old * observed_df / (old + observed_df)


def _p_value(estimate: float, error: float, df: float) -> float:
    if error == 0:
        return 1.0 if estimate == 0 else 0.0
    large = 1e12 if math.isinf(df) else df  # Student's t of so many degrees of freedom is normal
    return 2.0 * float(t_below(large, -abs(estimate) / error))


def _check(estimates: tuple[int, ...], variances: tuple[int, ...]) -> None:
    if len(estimates) != 1 or estimates != variances or estimates[0] < 2:
        raise ModelError(
            f"estimates and variances must be two columns of the same length, at least 2; got shapes {estimates} "
            f"and {variances}."
        )
