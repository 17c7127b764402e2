"""Whether a person's own goals were reached, and whether they will be by a date."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.distributions import normal_below, two_sided
from mbc.models.change.inputs.reasons import Reason
from mbc.models.change.inputs.score_arrays import FloatArray, as_numbers, like_input
from mbc.models.results.result import Result

# Kiresuk & Sherman (1968): the correlation expected between a person's goals.
GAS_CORRELATION = 0.3
# Edbrooke-Childs et al. (2015), doi:10.1007/s10488-014-0608-9, n = 137: reliable change of the mean of the goals.
GBO_RELIABLE_CHANGE = 2.45
_DRAWS = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class GoalAttainment(Result):
    """Goal attainment T of one person (floats), or of many (arrays); 50 is "as expected"."""

    t: Any
    goals: Any  # how many counted; T depends on it
    baseline_t: Any  # T of the levels at the start, if these were given
    change: Any
    reason: Any


@checked
def goal_attainment(
    levels: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    baseline: ArrayLike | None = None,
    correlation: float = GAS_CORRELATION,
) -> GoalAttainment:
    """Compute the goal attainment scaling T score.

    Parameters
    ----------
    levels : array_like, shape (goals,) or (n, goals)
        Attainment from -2 (much less than expected) over 0 (expected) to 2; blanks are left out.
    weights : array_like, same shape, optional
        Importance, >= 0; their scale cancels. All goals count alike unless given.
    baseline : array_like, same shape, optional
        Levels at the start, usually -1 or -2; without it T says where a person is, not how far it came.
    correlation : float
        Expected between goals, 0 to 1.

    Raises
    ------
    ModelError
        If a level is outside -2 to 2 or a weight negative.

    Notes
    -----
    ``T = 50 + 10 sum(w x) / sqrt((1 - rho) sum(w^2) + rho (sum w)^2)``. The formulas on pp. 364 and 367 of the
    2009 practical guide are misprinted; its erratum agrees with this one. Levels are ranks, and T is not
    comparable between people with different goals.

    References
    ----------
    .. [1] Kiresuk & Sherman (1968), doi:10.1007/BF01530764.

    Examples
    --------
    >>> round(goal_attainment([1, 1, 1]).t, 2), goal_attainment([2]).t
    (63.69, 70.0)
    """
    x = _goals(levels, "levels")
    if np.any(np.abs(x[np.isfinite(x)]) > 2):
        raise ModelError(
            "levels must be from -2 to 2 (0 is the expected level); a rating 0 to 10 is for goal_change."
        )
    w = np.ones_like(x) if weights is None else _goals(weights, "weights")
    if w.shape != x.shape or np.any(w[np.isfinite(w)] < 0):
        raise ModelError("weights must be at least 0, one for each goal.")
    t, counted = _t_score(x, w, correlation)
    start = np.full_like(t, np.nan)
    if baseline is not None:
        first = _goals(baseline, "baseline")
        if first.shape != x.shape:
            raise ModelError(f"baseline has shape {first.shape}, levels {x.shape}: one for each goal.")
        # Both times over the same goals.
        both = np.isfinite(first) & np.isfinite(x)
        start, _ = _t_score(np.where(both, first, np.nan), w, correlation)
        t, counted = _t_score(np.where(both, x, np.nan), w, correlation)
    reason: Any = np.array([None, "too_few_scores"], dtype=object)[np.isnan(t).astype(int)]
    shape = t.shape
    return GoalAttainment(
        t=like_input(t, shape),
        goals=counted if shape else int(counted),
        baseline_t=like_input(start, shape) if baseline is not None else None,
        change=like_input(t - start, shape) if baseline is not None else None,
        reason=reason,
    )


def _t_score(x: FloatArray, w: FloatArray, correlation: float) -> tuple[FloatArray, NDArray[np.int64]]:
    rated = np.isfinite(x) & np.isfinite(w)
    x, w = np.where(rated, x, 0.0), np.where(rated, w, 0.0)
    scale = (1.0 - correlation) * (w**2).sum(-1) + correlation * w.sum(-1) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        t = 50.0 + 10.0 * (w * x).sum(-1) / np.sqrt(scale)
    return np.asarray(np.where(scale > 0, t, np.nan)), np.asarray((rated & (w > 0)).sum(-1))


@dataclass(frozen=True, slots=True, eq=False)
class GoalChange(Result):
    """Change of the mean over the goals rated both times; of one person, or arrays of many."""

    change: Any  # rating points
    baseline: Any  # mean rating then
    current: Any  # mean rating now
    goals: Any  # rated both times
    left_out: Any  # rated only once: set or dropped on the way
    category: Any  # improved, unchanged, deteriorated; None without a goal rated twice
    each: Any  # change of every goal, NaN where rated once
    reliable: float  # rating points
    reason: Any


@checked
def goal_change(
    baseline: ArrayLike,
    current: ArrayLike,
    *,
    reliable: float = GBO_RELIABLE_CHANGE,
    higher_is_better: bool = True,
) -> GoalChange:
    """Compare goal ratings (0 to 10) with those at the start, over the goals rated both times.

    Parameters
    ----------
    baseline, current : array_like, shape (goals,) or (n, goals)
        Ratings; blank where a goal was not rated.
    reliable : float
        Least change of the mean that is reliable, in rating points.
    higher_is_better : bool

    Notes
    -----
    Goals move apart from symptoms (a third of young people reach theirs without reliable symptom change), so never
    merge the two.

    Examples
    --------
    >>> made = goal_change([2, 3, None], [6, 5, 8])
    >>> made.change, made.goals, made.left_out, made.category
    (3.0, 2, 1, 'improved')
    """
    first, last = _goals(baseline, "baseline"), _goals(current, "current")
    if first.shape != last.shape:
        raise ModelError(f"baseline has shape {first.shape} and current {last.shape}: one rating for each goal.")
    both, once = np.isfinite(first) & np.isfinite(last), np.isfinite(first) ^ np.isfinite(last)
    count = both.sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        start = np.asarray(np.where(both, first, 0.0).sum(-1) / count)
        now = np.asarray(np.where(both, last, 0.0).sum(-1) / count)
    change = np.asarray(now - start)
    turned = change if higher_is_better else -change
    words = np.select([turned >= reliable, turned <= -reliable, np.isfinite(turned)], [1, 2, 3], 0)
    category: Any = np.array([None, "improved", "deteriorated", "unchanged"], dtype=object)[words]
    reason: Any = np.array([None, "too_few_scores"], dtype=object)[(count == 0).astype(int)]
    shape = change.shape
    return GoalChange(
        change=like_input(change, shape),
        baseline=like_input(start, shape),
        current=like_input(now, shape),
        goals=count if shape else int(count),
        left_out=once.sum(-1) if shape else int(once.sum()),
        category=category,
        each=last - first,
        reliable=reliable,
        reason=reason,
    )


@dataclass(frozen=True, slots=True)
class GoalProbability(Result):
    """Probability that a goal is met at a date, beside the interval of the level then."""

    probability: float | None  # 0 to 1
    lower: float | None  # of the level (or score) at the date, scale points
    upper: float | None
    level: float  # coverage of lower and upper
    of: Literal["level", "score"]
    reason: Reason | None = None


@checked
def goal_probability(  # noqa: PLR0913 - options are keyword-only
    target: float,
    *,
    mean: float,
    sd: float,
    higher_is_better: bool,
    residual_sd: float | None = None,
    scores: int | None = None,
    observed_span: float | None = None,
    ahead: float | None = None,
    level: float = 0.8,
) -> GoalProbability:
    """Give the probability that a person's level has reached a target at a date.

    Parameters
    ----------
    target : float
        In scale points.
    mean, sd : float
        The person's predicted level at the date and its standard error (random effects and averages included).
    higher_is_better : bool
    residual_sd : float, optional
        Scatter of single scores about the level; given, the answer is about the score that would be seen.
    scores : int, optional
        How many scores the prediction rests on; fewer than three give no answer.
    observed_span, ahead : float, optional
        Time from first to last score, and from the last score to the date; more than twice the span gives none.
    level : float
        Coverage of the interval, 0 to 1.

    Notes
    -----
    This is the probability *at* the date. Ever having seen the target *by* the date is likelier: see
    `goal_probability_by`.

    Examples
    --------
    >>> round(goal_probability(15, mean=13, sd=2, higher_is_better=False).probability, 3)
    0.841
    """
    of: Literal["level", "score"] = "level" if residual_sd is None else "score"
    if scores is not None and scores < 3:
        return GoalProbability(None, None, None, level, of, "too_few_scores")
    if observed_span is not None and ahead is not None and ahead > 2.0 * observed_span:
        return GoalProbability(None, None, None, level, of, "too_far_ahead")
    spread = math.hypot(sd, residual_sd or 0.0)
    if not spread > 0:
        return GoalProbability(None, None, None, level, of, "zero_variance")
    half = two_sided(level) * spread
    z = (mean - target) / spread if higher_is_better else (target - mean) / spread
    return GoalProbability(float(normal_below(z)), mean - half, mean + half, level, of)


@checked
def goal_probability_by(
    target: float,
    *,
    means: ArrayLike,
    covariance: ArrayLike,
    higher_is_better: bool,
    residual_sd: float = 0.0,
    draws: int = _DRAWS,
    seed: int = 0,
) -> float:
    """Give the probability that the target is met at some occasion up to the last one, by simulated paths.

    Parameters
    ----------
    target : float
    means : array_like, shape (k,)
        Predicted levels at the occasions to come.
    covariance : array_like, shape (k, k)
        Of those levels.
    higher_is_better : bool
    residual_sd : float
        Scatter of single scores; 0 asks about levels.
    draws, seed : int

    Examples
    --------
    >>> covariance = [[4.0, 3.8], [3.8, 4.0]]
    >>> 0.5 < goal_probability_by(10, means=[10, 10], covariance=covariance, higher_is_better=True) < 0.6
    True
    """
    centre = as_numbers(means, "means", dimensions=(1,))
    spread = as_numbers(covariance, "covariance", dimensions=(2,))
    if spread.shape != (centre.size, centre.size) or not np.allclose(spread, spread.T, rtol=1e-6):
        raise ModelError(f"covariance must be symmetric, one row and column per mean ({centre.size}).")
    if np.linalg.eigvalsh(spread)[0] < -1e-8 * max(float(np.abs(spread).max()), 1e-12):
        raise ModelError("covariance is not valid: some combination of the levels would have a negative variance.")
    rng = np.random.default_rng(seed)
    paths = rng.multivariate_normal(centre, spread, draws)
    paths = paths + residual_sd * rng.standard_normal(paths.shape)
    reached = paths >= target if higher_is_better else paths <= target
    return float(reached.any(axis=1).mean())


class HasBand(Protocol):
    """A predicted course with a band, as a growth curve gives it for one client."""

    @property
    def time(self) -> Any: ...  # noqa: D102
    @property
    def mean(self) -> Any: ...  # noqa: D102
    @property
    def lower(self) -> Any: ...  # noqa: D102
    @property
    def upper(self) -> Any: ...  # noqa: D102
    @property
    def level(self) -> float: ...  # noqa: D102


@checked
def goal_probability_on_curve(
    curve: HasBand, target: float, *, higher_is_better: bool, **options: Any
) -> tuple[GoalProbability, ...]:
    """Give the probability at each time of a predicted course.

    Parameters
    ----------
    curve : ClientCurve
        From ``growth_curve(...).predict_client``. Its band decides what the probability is about: a person's
        level, or the score that would be seen.
    target : float
    higher_is_better : bool
    **options
        ``scores``, ``observed_span``, ``ahead`` as for `goal_probability`.
    """
    z = two_sided(curve.level)
    means, spreads = np.asarray(curve.mean), (np.asarray(curve.upper) - np.asarray(curve.lower)) / (2.0 * z)
    return tuple(
        goal_probability(
            target, mean=float(m), sd=float(s), higher_is_better=higher_is_better, level=curve.level, **options
        )
        for m, s in zip(np.atleast_1d(means), np.atleast_1d(spreads), strict=True)
    )


def _goals(values: ArrayLike, name: str) -> FloatArray:
    array = as_numbers(values, name)
    if array.ndim not in {1, 2}:
        raise ModelError(f"{name} must be one person's goals or one row per person, got shape {array.shape}.")
    return array
