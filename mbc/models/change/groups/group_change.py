"""Whether a group changed by enough to matter, from the distribution of its change."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import optimize

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.groups.comparison import Parameters
from mbc.models.change.groups.outcome_rates import group_names
from mbc.models.change.inputs.distributions import normal_below, t_below, t_quantile
from mbc.models.change.inputs.norms import Norms
from mbc.models.change.inputs.reasons import Reason
from mbc.models.change.inputs.score_arrays import Column, FloatArray, pair
from mbc.models.change.person.judgement import Compat
from mbc.models.results.result import Result

Verdict = Literal[
    "not significant", "worse", "too small to matter", "not clearly enough", "probably enough", "enough"
]
Estimation = Literal["t", "bayes"]
# The medium Cauchy scale of Rouder et al. (2009) as BayesFactor names it.
_SCALE = math.sqrt(2.0) / 2.0


@dataclass(frozen=True, slots=True)
class GroupChange(Result):
    """A group's mean change (or the difference of two groups) beside the least that matters."""

    estimate: float | None  # scale points; mean of post - pre, or comparison - reference
    lower: float | None
    upper: float | None
    category: str | None
    meaningful: float  # scale points, > 0
    confidence: float
    estimation: Estimation
    n: int
    n_missing: int
    reason: Reason | None = None


@checked
def group_change(
    pre: Column,
    post: Column,
    *,
    meaningful: float,
    higher_is_better: bool,
    estimation: Estimation = "t",
    confidence: float = 0.95,
    compat: Compat | None = None,
) -> GroupChange:
    """Compare a group's mean change with the least change that matters.

    Parameters
    ----------
    pre, post : column of floats, shape (n,)
        Scores before and after, in scale points.
    meaningful : float
        Minimal important difference, in scale points; > 0.
    higher_is_better : bool
    estimation : {"t", "bayes"}
        The paired t interval; or the posterior under a Cauchy prior of scale ``sqrt(2) / 2`` on the standardised
        change, integrated numerically (the R package samples it, and so differs at the second decimal).
    confidence : float
    compat : {"clinicalsignificance"}, optional
        That package's words and rules, which miss some cases (then ``None``).

    Examples
    --------
    >>> made = group_change([20, 25, 30, 28, 22], [12, 15, 25, 16, 15], meaningful=5, higher_is_better=False)
    >>> round(made.estimate, 1), made.category
    (-8.4, 'enough')
    """
    before, after = pair(pre, post)
    difference = (after - before)[np.isfinite(before) & np.isfinite(after)]
    n, n_missing = int(difference.size), int(before.size - difference.size)
    if n < 2:
        return GroupChange(
            None, None, None, None, meaningful, confidence, estimation, n, n_missing, "too_few_pairs"
        )
    mean, squares = float(difference.mean()), float(((difference - difference.mean()) ** 2).sum())
    if squares == 0:
        return GroupChange(
            mean, None, None, None, meaningful, confidence, estimation, n, n_missing, "zero_variance"
        )
    if estimation == "t":
        half = t_quantile(n - 1, 0.5 + confidence / 2.0) * math.sqrt(squares / (n - 1) / n)
        interval = (mean, mean - half, mean + half)
    else:
        interval = _cauchy_posterior(mean, float(n), squares, n, confidence)
    return _place(interval, meaningful, higher_is_better, (confidence, estimation, n, n_missing), compat)


@checked
def group_difference(
    reference: Column,
    comparison: Column,
    *,
    meaningful: float,
    higher_is_better: bool,
    estimation: Estimation = "t",
    confidence: float = 0.95,
    compat: Compat | None = None,
) -> GroupChange:
    """Compare the difference of two groups' means with the least difference that matters.

    Parameters
    ----------
    reference, comparison : column of floats
        Change scores (or, as the R package has it, scores after treatment alone) of either group, in scale points.
    meaningful, higher_is_better, estimation, confidence, compat
        As for `group_change`; ``"t"`` is Welch's interval.
    """
    reference_scores, comparison_scores = pair(reference, reference)[0], pair(comparison, comparison)[0]
    n_missing = int(
        np.count_nonzero(~np.isfinite(reference_scores)) + np.count_nonzero(~np.isfinite(comparison_scores))
    )
    reference_scores, comparison_scores = (
        reference_scores[np.isfinite(reference_scores)],
        comparison_scores[np.isfinite(comparison_scores)],
    )
    settings = (confidence, estimation, int(reference_scores.size + comparison_scores.size), n_missing)
    if min(reference_scores.size, comparison_scores.size) < 2:
        return GroupChange(None, None, None, None, meaningful, *settings, "too_few_pairs")
    d, v1, v2 = (
        float(comparison_scores.mean() - reference_scores.mean()),
        _variance(reference_scores),
        _variance(comparison_scores),
    )
    if v1 + v2 == 0:
        return GroupChange(d, None, None, None, meaningful, *settings, "zero_variance")
    if estimation == "t":
        df = (v1 + v2) ** 2 / (v1**2 / (reference_scores.size - 1) + v2**2 / (comparison_scores.size - 1))
        half = t_quantile(df, 0.5 + confidence / 2.0) * math.sqrt(v1 + v2)
        interval = (d, d - half, d + half)
    else:
        squares = float(
            reference_scores.var() * reference_scores.size + comparison_scores.var() * comparison_scores.size
        )
        effective = (
            reference_scores.size * comparison_scores.size / (reference_scores.size + comparison_scores.size)
        )
        interval = _cauchy_posterior(
            d, effective, squares, reference_scores.size + comparison_scores.size - 1, confidence
        )
    return _place(interval, meaningful, higher_is_better, settings, compat)


def _variance(values: FloatArray) -> float:
    """Squared standard error of a mean."""
    return float(values.var(ddof=1)) / values.size


def _cauchy_posterior(
    mean: float, n: float, squares: float, df: int, confidence: float
) -> tuple[float, float, float]:
    """Give median and equal-tailed interval of the mean under a Cauchy prior on mean / sigma.

    The Cauchy is a normal of variance g with g inverse-gamma(1/2, scale^2/2); given g the mean has a t
    distribution with ``df`` degrees of freedom, and g is summed over.
    """
    log_g = np.linspace(-25.0, 25.0, 4001)
    g = np.exp(log_g)
    spread = squares + n * mean**2 / (1.0 + n * g)
    log_weight = -0.5 * np.log1p(n * g) - 0.5 * df * np.log(spread)
    log_weight += -1.5 * log_g - _SCALE**2 / (2.0 * g) + log_g  # the prior of g, on the log scale
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    precision = n + 1.0 / g
    centre, scale = n * mean / precision, np.sqrt(spread / (df * precision))

    def quantile(probability: float) -> float:
        reach = 60.0 * math.sqrt(squares / (df * n)) + abs(mean)
        return float(
            optimize.brentq(
                lambda x: float(weight @ t_below(df, (x - centre) / scale)) - probability,
                -reach,
                reach,
                xtol=1e-12,
            )
        )

    tail = (1.0 - confidence) / 2.0
    return quantile(0.5), quantile(tail), quantile(1.0 - tail)


def _place(
    interval: tuple[float, float, float],
    meaningful: float,
    higher_is_better: bool,  # noqa: FBT001 - handed on
    settings: tuple[float, Estimation, int, int],
    compat: Compat | None,
) -> GroupChange:
    if not meaningful > 0:
        raise ModelError(
            f"meaningful must be > 0, got {meaningful:g}: the least change that matters, in scale points."
        )
    estimate, lower, upper = interval
    low, high = (lower, upper) if higher_is_better else (-upper, -lower)
    middle = estimate if higher_is_better else -estimate
    word = _verdict(low, middle, high, meaningful) if compat is None else _r_verdict(
        low, middle, high, meaningful, lower_is_better=not higher_is_better
    )  # fmt: skip
    return GroupChange(estimate, lower, upper, word, meaningful, *settings)


def _verdict(low: float, middle: float, high: float, meaningful: float) -> Verdict:
    """Place an interval, turned so that positive is better."""
    if high < 0:
        return "worse"
    if low <= 0:
        return "not significant"
    if high < meaningful:
        return "too small to matter"
    if low >= meaningful:
        return "enough"
    return "probably enough" if middle >= meaningful else "not clearly enough"


def _r_verdict(low: float, middle: float, high: float, meaningful: float, *, lower_is_better: bool) -> str | None:
    """Follow the R package's rules in their order; with higher-is-better it never says "not significant"."""
    crosses = np.sign(low) != np.sign(high)
    if lower_is_better and crosses:
        return "Statistically not significant"
    if not crosses and high < meaningful:
        return "Statistically significant but not clinically relevant"
    if low < meaningful < high and middle < meaningful:
        return f"Not significantly {'less' if lower_is_better else 'greater'} than the threshold"
    if low < meaningful < high and middle > meaningful:
        return "Probably clinically significant effect"
    return "Large clinically significant effect" if low > meaningful else None


@dataclass(frozen=True, slots=True)
class HagemanArrindellRates(Result):
    """Shares of a group that really changed and that really function, from the distribution of true scores."""

    changed: float | None  # 0 to 1
    functional: float | None
    n: int
    reason: Reason | None = None


@checked
def hageman_arrindell_rates(
    pre: Column,
    post: Column,
    *,
    reliability: float,
    cutoff_at: float,
    higher_is_better: bool,
    groups: object = None,
    parameters: Parameters = "pooled",
) -> dict[object, HagemanArrindellRates]:
    """Estimate, for each group, the shares that changed for the better and that are beyond the cutoff.

    Parameters
    ----------
    pre, post : column of floats, shape (n,)
    reliability : float
        Of the first occasion, 0 to 1.
    cutoff_at : float
        In scale points.
    higher_is_better : bool
    groups : column, optional
    parameters : {"pooled", "per-group"}
        Where the reliabilities come from; means and spreads are always the group's own.

    References
    ----------
    .. [1] Hageman & Arrindell (1999), doi:10.1016/S0005-7967(99)00032-7.
    """
    before, after = pair(pre, post)
    names = group_names(groups, before.size)
    pooled = Norms.from_sample(before, after, reliability=reliability)
    made: dict[object, HagemanArrindellRates] = {}
    for group in names.unique(maintain_order=True).to_list():
        inside = (
            names.is_null().to_numpy() if group is None else (names == group).fill_null(value=False).to_numpy()
        )
        own = Norms.from_sample(before[inside], after[inside], reliability=reliability)
        made[group] = _true_shares(
            before[inside], after[inside], pooled if parameters == "pooled" else own, cutoff_at,
            1.0 if higher_is_better else -1.0,
        )  # fmt: skip
    return made


def _true_shares(
    pre: FloatArray, post: FloatArray, norms: Norms, cut: float, direction: float
) -> HagemanArrindellRates:
    complete = np.isfinite(pre) & np.isfinite(post)
    pre, post = pre[complete], post[complete]
    if pre.size < 2 or norms.sem is None or norms.sd is None or norms.sd_retest is None:
        return HagemanArrindellRates(None, None, int(pre.size), "too_few_pairs")
    difference = post - pre
    shared = (norms.correlation or 0.0) * norms.sd * norms.sd_retest
    variance = norms.sd**2 + norms.sd_retest**2 - 2.0 * shared
    r_dd = 1.0 - 2.0 * norms.sem**2 / variance if variance > 0 else 0.0
    r_post = 1.0 - norms.sem**2 / norms.sd_retest**2 if norms.sd_retest > 0 else 0.0
    spread, spread_post = difference.std(ddof=1), post.std(ddof=1)
    if not (r_dd > 0 and r_post > 0 and spread > 0 and spread_post > 0):
        return HagemanArrindellRates(None, None, int(pre.size), "no_reliable_differences")
    changed = normal_below(direction * difference.mean() / (spread * math.sqrt(r_dd)))
    functional = normal_below(direction * (post.mean() - cut) / (spread_post * math.sqrt(r_post)))
    return HagemanArrindellRates(float(changed), float(functional), int(pre.size))
