"""How large a group's change is, in standard deviations, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Literal

import numpy as np
from scipy import optimize, special

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.distributions import noncentral_t_below, t_quantile, two_sided
from mbc.models.change.inputs.reasons import Reason
from mbc.models.change.inputs.score_arrays import pair
from mbc.models.results.result import Result

Kind = Literal["d_pre", "d_fixed", "d_av", "d_av_arithmetic", "d_rm", "d_z"]
ControlledKind = Literal["d_ppc1", "d_ppc2"]
Interval = Literal["exact", "approximate"]
Correction = Literal["exact", "approximate"]


@dataclass(frozen=True, slots=True)
class Moments:
    """Means, spreads (n - 1) and correlation of complete pairs, in scale points."""

    n: int
    mean_pre: float
    mean_post: float
    sd_pre: float
    sd_post: float
    correlation: float

    def __post_init__(self) -> None:
        if not isinstance(self.n, Integral) or self.n < 0:
            raise ModelError(f"n must be a whole number of pairs, got {self.n!r}.")
        if abs(self.correlation) > 1 + 1e-9:
            raise ModelError(f"correlation must be in [-1, 1], got {self.correlation:g}. Is it a percentage?")
        for name in ("mean_pre", "mean_post", "sd_pre", "sd_post"):
            value = float(getattr(self, name))
            if math.isinf(value) or (name.startswith("sd") and value < 0):
                raise ModelError(
                    f"{name} must be finite{' and at least 0' if name[0] == 's' else ''}, got {value:g}."
                )

    @property
    def sd_change(self) -> float:
        """Standard deviation of the change scores."""
        shared = 2.0 * self.correlation * self.sd_pre * self.sd_post
        return math.sqrt(max(self.sd_pre**2 + self.sd_post**2 - shared, 0.0))


@dataclass(frozen=True, slots=True)
class EffectSize(Result):
    """A standardised mean change with its interval; ``None`` and a reason where it cannot be had."""

    kind: str
    d: float | None  # standard deviations; > 0 is improvement when the direction is known
    g: float | None  # d times the correction for small samples
    lower: float | None  # of d if exact, of g if approximate
    upper: float | None
    standard_error: float | None  # of g, large-sample
    correction: float | None  # Hedges' J
    standardiser: float | None  # scale points in one unit of d
    mean_change: float | None  # scale points, in the direction of d
    interval: Interval
    confidence: float
    n: int  # complete pairs
    n_missing: int  # pairs lacking a score
    method: str  # where the interval is from
    reason: Reason | None = None


@checked
def effect_size(  # noqa: PLR0913 - options are keyword-only
    pre: object,
    post: object,
    *,
    kind: Kind = "d_pre",
    higher_is_better: bool | None = None,
    sd: float | None = None,
    interval: Interval = "exact",
    confidence: float = 0.95,
    correction: Correction = "exact",
    correction_df: float | None = None,
) -> EffectSize:
    """Compute the standardised mean change of one group.

    Parameters
    ----------
    pre, post : column of floats, shape (n,)
        Scores before and after, in scale points; pairs lacking one are left out and counted.
    kind : str
        The standardiser: ``d_pre`` the SD before (comparable across studies; the default), ``d_fixed`` the SD
        given as ``sd``, ``d_av`` the root mean square of both SDs (Bonett), ``d_av_arithmetic`` their mean
        (Cumming, Lakens), ``d_rm`` the SD of change corrected for the correlation, ``d_z`` the SD of change
        (never comparable with the others: it grows with the correlation).
    higher_is_better : bool, optional
        Turns the sign so that improvement is positive; otherwise the sign is that of ``post - pre``.
    sd : float, optional
        The reference population's SD, in scale points; > 0. For ``d_fixed``, and chosen by giving it.
    interval : {"exact", "approximate"}
        Noncentral t for d, or the large-sample normal interval for g.
    confidence : float
        Two-sided coverage, 0 to 1.
    correction : {"exact", "approximate"}
        Hedges' J by gamma functions, or ``1 - 3 / (4 df - 1)``.
    correction_df : float, optional
        Degrees of freedom of J; ``n - 1`` unless given. (Lakens takes ``2 (n - 1)`` for ``d_av``: 5 % more
        at n = 10.)

    Raises
    ------
    ModelError
        If ``kind`` is unknown, or ``sd`` is missing or not positive.

    Notes
    -----
    Without a control group this includes regression to the mean and what time alone would do. A sample chosen for
    high scores has a small SD before, and so a large d: give ``sd`` then.

    References
    ----------
    .. [1] Morris & DeShon (2002), doi:10.1037/1082-989X.7.1.105. Lakens (2013), doi:10.3389/fpsyg.2013.00863.
    .. [2] Algina & Keselman (2003), doi:10.1177/0013164403256358: noncentral t for paired scores.
    .. [3] Bonett (2008), doi:10.1037/1082-989X.13.2.99.

    Examples
    --------
    >>> before, after = [9, 7, 8, 9, 8, 9, 9, 10, 9, 9], [9, 6, 7, 8, 7, 9, 8, 8, 8, 7]
    >>> effect = effect_size(before, after, kind="d_av_arithmetic", higher_is_better=False)
    >>> round(effect.d, 3), round(effect.g, 3)
    (1.129, 1.031)
    """
    moments, n, n_missing = moments_of(pre, post)
    options: dict[str, Any] = {"sd": sd, "interval": interval, "confidence": confidence, "n_missing": n_missing}
    options |= {"correction": correction, "correction_df": correction_df}
    kind = "d_fixed" if sd is not None and kind == "d_pre" else kind
    if moments is None:
        return _absent(kind, n, n_missing, "too_few_pairs", interval, confidence)
    return effect_size_from_moments(moments, kind=kind, higher_is_better=higher_is_better, **options)


@checked
def effect_size_from_moments(  # noqa: PLR0913 - options are keyword-only
    moments: Moments,
    *,
    kind: Kind = "d_pre",
    higher_is_better: bool | None = None,
    sd: float | None = None,
    interval: Interval = "exact",
    confidence: float = 0.95,
    correction: Correction = "exact",
    correction_df: float | None = None,
    n_missing: int = 0,
) -> EffectSize:
    """Compute the standardised mean change from a paper's table of means and SDs; options as in ``effect_size``.

    Examples
    --------
    >>> table = Moments(n=20, mean_pre=30.6, mean_post=38.5, sd_pre=15.0, sd_post=11.6, correlation=0.47)
    >>> round(effect_size_from_moments(table).g, 4)
    0.5056
    """
    _check(kind, sd, interval, confidence)
    if moments.n < 3:
        return _absent(kind, moments.n, n_missing, "too_few_pairs", interval, confidence)
    unit = sd if kind == "d_fixed" and sd is not None else _UNITS[kind](moments)
    if not (unit > 0 and moments.sd_change > 0):
        return _absent(kind, moments.n, n_missing, "zero_variance", interval, confidence)
    sign = -1.0 if higher_is_better is False else 1.0
    change = sign * (moments.mean_post - moments.mean_pre)
    df = moments.n - 1 if correction_df is None else correction_df
    d, j = change / unit, 1.0 if kind == "d_fixed" else hedges_correction(df, correction)
    error = math.sqrt(_variance(kind, moments, d * j, unit))
    if interval == "exact":
        lower, upper, method = _exact_interval(kind, moments, change, unit, confidence)
    else:
        z = two_sided(confidence)
        lower, upper, method = d * j - z * error, d * j + z * error, "large-sample normal interval for g"
    return EffectSize(
        kind=kind, d=d, g=d * j, lower=lower, upper=upper, standard_error=error, correction=j, standardiser=unit,
        mean_change=change, interval=interval, confidence=confidence, n=moments.n, n_missing=n_missing,
        method=method,
    )  # fmt: skip


def hedges_correction(df: float, correction: Correction = "exact") -> float:
    """Give Hedges' J: ``gamma(df/2) / (sqrt(df/2) gamma((df-1)/2))``, or nearly ``1 - 3 / (4 df - 1)``.

    Examples
    --------
    >>> round(hedges_correction(9), 8)
    0.91387489
    """
    if df <= 1:
        return 1.0
    if correction == "approximate":
        return 1.0 - 3.0 / (4.0 * df - 1.0)
    return math.exp(special.gammaln(df / 2.0) - special.gammaln((df - 1.0) / 2.0)) / math.sqrt(df / 2.0)


def moments_of(pre: object, post: object) -> tuple[Moments | None, int, int]:
    """Summarise the complete pairs; with how many there are, and how many lack a score."""
    before, after = pair(pre, post)
    before, after = np.atleast_1d(before), np.atleast_1d(after)
    complete = np.isfinite(before) & np.isfinite(after)
    before, after = before[complete], after[complete]
    n, n_missing = int(before.size), int(complete.size - before.size)
    if n < 2:
        return None, n, n_missing
    spread = before.std(ddof=1) * after.std(ddof=1)
    r = float(np.cov(before, after)[0, 1] / spread) if spread > 0 else 0.0
    made = Moments(
        n, float(before.mean()), float(after.mean()), float(before.std(ddof=1)), float(after.std(ddof=1)), r
    )
    return made, n, n_missing


_UNITS: dict[str, Callable[[Moments], float]] = {
    "d_pre": lambda m: m.sd_pre,
    "d_av": lambda m: math.sqrt((m.sd_pre**2 + m.sd_post**2) / 2.0),
    "d_av_arithmetic": lambda m: (m.sd_pre + m.sd_post) / 2.0,
    "d_rm": lambda m: m.sd_change / math.sqrt(2.0 * (1.0 - m.correlation)) if m.correlation < 1 else 0.0,
    "d_z": lambda m: m.sd_change,
}
_KINDS = (*_UNITS, "d_fixed")


def _variance(kind: str, m: Moments, g: float, unit: float) -> float:
    """Give the large-sample variance of g."""
    r = m.correlation
    if kind == "d_fixed":
        return (m.sd_change / unit) ** 2 / m.n
    if kind == "d_pre":  # Becker; metafor's SMCR
        return 2.0 * (1.0 - r) / m.n + g**2 / (2.0 * m.n)
    if kind == "d_z":  # metafor's SMCC
        return 1.0 / m.n + g**2 / (2.0 * m.n)
    if kind == "d_rm":  # Borenstein et al. (2009), eq. 4.28
        return (1.0 / m.n + g**2 / (2.0 * m.n)) * 2.0 * (1.0 - r)
    # Bonett (2008): paired scores with unequal variances.
    s2, df = (m.sd_pre**2 + m.sd_post**2) / 2.0, m.n - 1.0
    fourth = m.sd_pre**4 + m.sd_post**4 + 2.0 * (r * m.sd_pre * m.sd_post) ** 2
    return g**2 * fourth / (8.0 * s2**2 * df) + m.sd_change**2 / (s2 * df)


def _exact_interval(
    kind: str, moments: Moments, change: float, unit: float, confidence: float
) -> tuple[float, float, str]:
    error = moments.sd_change / math.sqrt(moments.n)
    if kind == "d_fixed":
        half = t_quantile(moments.n - 1, 0.5 + confidence / 2.0) * error
        return (change - half) / unit, (change + half) / unit, "t interval of the mean change"
    low, high = noncentrality_interval(change / error, moments.n - 1, confidence)
    exact = "exact" if kind == "d_z" else "Algina & Keselman 2003"
    return low * error / unit, high * error / unit, f"noncentral t ({exact})"


def noncentrality_interval(t: float, df: float, confidence: float = 0.95) -> tuple[float, float]:
    """Find the noncentralities of t for which the observed value is at either tail's limit.

    Parameters
    ----------
    t : float
        Observed t.
    df : float
        Degrees of freedom; > 0.
    confidence : float
        Two-sided coverage, 0 to 1.

    Examples
    --------
    >>> low, high = noncentrality_interval(4.743416490252569, 9)
    >>> round(low / 10**0.5, 4), round(high / 10**0.5, 4)
    (0.5605, 2.4034)
    """
    tail = (1.0 - confidence) / 2.0
    return _noncentrality(t, df, 1.0 - tail), _noncentrality(t, df, tail)


def _noncentrality(t: float, df: float, probability: float) -> float:
    def miss(ncp: float) -> float:
        return noncentral_t_below(df, ncp, t) - probability

    width = 5.0 + abs(t)
    low, high = t - width, t + width
    while miss(low) < 0:
        low -= width
    while miss(high) > 0:
        high += width
    return float(optimize.brentq(miss, low, high, xtol=1e-12, rtol=1e-14))


def _check(kind: str, sd: float | None, interval: str, confidence: float) -> None:
    if kind not in _KINDS:
        raise ModelError(f"kind must be one of {', '.join(_KINDS)}, got {kind!r}.")
    if kind == "d_fixed" and not (sd is not None and sd > 0):
        raise ModelError(f"d_fixed needs sd, the reference population's SD in scale points, > 0; got {sd}.")
    if interval not in {"exact", "approximate"}:
        raise ModelError(f"interval must be 'exact' or 'approximate', got {interval!r}.")
    if not 0.0 < confidence < 1.0:
        raise ModelError(f"confidence must be in (0, 1), got {confidence:g}. Is it a percentage?")


def _absent(
    kind: str, n: int, n_missing: int, reason: Reason, interval: Interval, confidence: float
) -> EffectSize:
    return EffectSize(
        kind=kind, d=None, g=None, lower=None, upper=None, standard_error=None, correction=None, standardiser=None,
        mean_change=None, interval=interval, confidence=confidence, n=n, n_missing=n_missing, method="",
        reason=reason,
    )  # fmt: skip
