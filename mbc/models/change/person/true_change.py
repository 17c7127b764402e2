"""How probable it is that a person's true score changed, and by enough to matter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import numpy as np
import polars as pl

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs import reasons
from mbc.models.change.inputs.distributions import normal_below, two_sided
from mbc.models.change.inputs.norms import NormLike, Norms, stated_norms
from mbc.models.change.inputs.reasons import Reason, WithReasons
from mbc.models.change.inputs.score_arrays import (
    CodeArray,
    Column,
    FloatArray,
    like_input,
    number_column,
    pair,
    word_column,
)
from mbc.models.results.result import Result

Prior = Literal["flat", "kelley", "bivariate"]
Number = TypeVar("Number")


@dataclass(frozen=True, slots=True, eq=False)
class TrueChange(Result, WithReasons, Generic[Number]):
    """What the scores say about the true change: a normal distribution and two probabilities."""

    mean: Number  # scale points, true after - true before
    sd: Number
    lower: Number
    upper: Number
    p_improved: Number | None  # 0 to 1; None when the direction is not known
    p_meaningful: Number | None  # of improving by at least ``meaningful``
    prior: Prior
    meaningful: float | None  # scale points
    confidence: float
    higher_is_better: bool | None
    norms: Norms
    n: int
    n_missing: int
    reason_codes: CodeArray = field(repr=False)

    def _columns(self) -> dict[str, Any]:
        """Make a table, one row per pair; missing numbers are null."""
        names = ("mean", "sd", "lower", "upper", "p_improved", "p_meaningful")
        length = max(1, int(np.prod(self.reason_codes.shape)))
        columns: dict[str, pl.Series] = {
            name: number_column(np.broadcast_to(_floats(getattr(self, name)), (length,))) for name in names
        }
        columns["reason"] = word_column(self.reason_codes, reasons.WORDS)
        return columns


@checked
def true_change(  # noqa: PLR0913 - options are keyword-only
    pre: Column | float | None,
    post: Column | float | None,
    *,
    sd: float | None = None,
    reliability: float | None = None,
    norms: NormLike | Mapping[str, object] | None = None,
    prior: Prior = "flat",
    true_correlation: float | None = None,
    meaningful: float | None = None,
    higher_is_better: bool | None = None,
    confidence: float = 0.95,
) -> TrueChange[Any]:
    """Give the distribution of the true change behind two observed scores.

    Parameters
    ----------
    pre, post : float or column of floats, shape (n,)
        Scores before and after, in scale points.
    sd, reliability : float, optional
        Of the reference sample, as for `reliable_change`; or inside ``norms``.
    norms : Norms, mapping or an instrument's norm, optional
        ``kelley`` also needs ``mean``; ``bivariate`` also ``mean_retest`` and ``sd_retest``.
    prior : {"flat", "kelley", "bivariate"}
        What is believed before looking: nothing; the first true score comes from the reference sample (regression
        to the mean, for people chosen because they scored high); or both do, correlated by ``true_correlation``.
    true_correlation : float, optional
        Between true scores before and after in the reference population, -1 to 1; for ``bivariate``.
    meaningful : float, optional
        Least improvement that matters, in scale points.
    higher_is_better : bool, optional
        Without it there is a distribution but no probability of improvement.
    confidence : float
        Coverage of the interval, 0 to 1.

    Raises
    ------
    ModelError
        If the norms lack what the prior needs.

    Notes
    -----
    Flat: ``N(post - pre, sem_pre^2 + sem_post^2)``, so P(improved) is the normal probability of the Jacobson-Truax
    index. Kelley: ``N(post - (mean + r (pre - mean)), sd^2 (1 - r^2))``. A reliability of 1 leaves nothing
    uncertain and one of 0 is uninformative: neither is estimated.

    Examples
    --------
    >>> change = true_change(30, 24, sd=7.5, reliability=0.85, meaningful=5, higher_is_better=False)
    >>> round(change.p_improved, 3), round(change.p_meaningful, 3)
    (0.928, 0.596)
    """
    before, after = pair(pre, post)
    reference = stated_norms(norms, sd, reliability)
    mean, spread, reason = _posterior(before, after, reference, prior, true_correlation)
    with np.errstate(invalid="ignore"):
        change = np.asarray(after - before)
    why = reasons.of_pairs(before, after, change)
    if reason is not None:
        why = np.where(why == 0, np.int8(reasons.CODE[reason]), why).astype(np.int8)
    mean = np.where(why == 0, mean, np.nan)
    spread = np.where(why == 0, spread, np.nan)
    z = two_sided(confidence)
    shape = change.shape
    better = None if higher_is_better is None else (1.0 if higher_is_better else -1.0) * mean / spread
    matters = None if better is None or meaningful is None else normal_below(better - abs(meaningful) / spread)
    return TrueChange(
        mean=like_input(mean, shape),
        sd=like_input(spread, shape),
        lower=like_input(mean - z * spread, shape),
        upper=like_input(mean + z * spread, shape),
        p_improved=None if better is None else like_input(normal_below(better), shape),
        p_meaningful=None if matters is None else like_input(matters, shape),
        prior=prior,
        meaningful=meaningful,
        confidence=confidence,
        higher_is_better=higher_is_better,
        norms=reference,
        n=change.size,
        n_missing=int(np.count_nonzero(why)),
        reason_codes=why,
    )


def _posterior(
    pre: FloatArray, post: FloatArray, norms: Norms, prior: Prior, true_correlation: float | None
) -> tuple[FloatArray, float, Reason | None]:
    needs = {"flat": (), "kelley": ("mean",), "bivariate": ("mean", "mean_retest", "sd_retest")}.get(prior)
    if needs is None:
        raise ModelError(f"prior must be 'flat', 'kelley' or 'bivariate', got {prior!r}.")
    lacking = [name for name in ("sd", "reliability", *needs) if getattr(norms, name) is None]
    if lacking:
        raise ModelError(
            f"prior '{prior}' needs {', '.join(lacking)}: give sd=, reliability= or norms=Norms(...)."
        )
    s1, rel1 = float(norms.sd or 0.0), float(norms.reliability or 0.0)
    s2 = s1 if norms.sd_retest is None else norms.sd_retest
    rel2 = rel1 if norms.reliability_retest is None else norms.reliability_retest
    if s1 == 0.0 or s2 == 0.0:
        return pre, math.nan, "zero_variance"
    if rel1 == 0.0 or rel2 == 0.0:
        return pre, math.nan, "not_estimable"
    if rel1 == 1.0 and rel2 == 1.0:
        return pre, math.nan, "perfect_reliability"
    error1, error2 = s1**2 * (1.0 - rel1), s2**2 * (1.0 - rel2)
    if prior == "flat":
        # Both errors are the first sample's unless the norms say how the second occasion differs.
        second = error2 if norms.reliability_retest is not None else error1
        return np.asarray(post - pre), math.sqrt(error1 + second), None
    if prior == "kelley":
        expected = (norms.mean or 0.0) + rel1 * (pre - (norms.mean or 0.0))
        return np.asarray(post - expected), math.sqrt(rel1 * error1 + error1), None
    if true_correlation is None or not -1.0 < true_correlation < 1.0:
        raise ModelError(f"prior 'bivariate' needs true_correlation in (-1, 1), got {true_correlation}.")
    return _bivariate(pre, post, norms, (s1**2 * rel1, s2**2 * rel2, error1, error2), true_correlation)


def _bivariate(
    pre: FloatArray,
    post: FloatArray,
    norms: Norms,
    variances: tuple[float, float, float, float],
    true_correlation: float,
) -> tuple[FloatArray, float, Reason | None]:
    """Condition the two true scores on the two observed ones."""
    true1, true2, error1, error2 = variances
    shared = true_correlation * math.sqrt(true1 * true2)
    true = np.array([[true1, shared], [shared, true2]])
    gain = true @ np.linalg.inv(true + np.diag([error1, error2]))
    covariance = true - gain @ true
    m1, m2 = norms.mean or 0.0, norms.mean_retest or 0.0
    contrast = np.array([-1.0, 1.0])
    weights = contrast @ gain
    mean = (m2 - m1) + weights[0] * (pre - m1) + weights[1] * (post - m2)
    return np.asarray(mean), math.sqrt(float(contrast @ covariance @ contrast)), None


def _floats(values: object) -> FloatArray:
    return np.asarray(math.nan if values is None else values, dtype=float)
