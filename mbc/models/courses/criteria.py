"""When is a step between two sessions a sudden gain: the three criteria of Tang and DeRubeis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mbc.models.change.inputs.distributions import t_quantile
from mbc.models.change.inputs.score_arrays import CodeArray, FloatArray
from mbc.models.courses.sessions import PAD, IntArray, Sessions

YES, NO, UNKNOWN = 1, 0, -1
BoolArray = NDArray[np.bool_]
# A share of a scale point: 0.7 - 0.4 must count as a drop of 0.3, which in binary it is not.
_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Criteria:
    """Which criteria apply, and how strictly."""

    applied: tuple[int, ...]  # of 1 (large), 2 (a share of the score before), 3 (against the spread around)
    cutoff: float | None  # criterion 1: scale points
    proportion: float | None  # criterion 2: share of the score before the step
    critical: float | None  # criterion 3: one constant; None: Student's t for the scores at hand
    alpha: float  # criterion 3: two-sided
    scale_origin: float = 0.0  # criterion 2: the score that means nothing
    literal: bool = False  # as the R package compares: no slack, and one unknown criterion leaves all unknown


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """Per examined step: each criterion, and all that apply together; 1 met, 0 not met, -1 not known."""

    cells: IntArray  # the session before the step
    results: dict[int, CodeArray]
    together: CodeArray


def steps(sessions: Sessions, *, least: int = 1) -> IntArray:
    """Find the cells before every step with ``least`` further sessions of the client on either side."""
    if not sessions.lengths.size:
        return np.array([], dtype=np.int64)
    length = np.where(sessions.client >= 0, sessions.lengths[sessions.client], 0)
    return np.flatnonzero((sessions.place >= least) & (sessions.place <= length - 2 - least))


def windows(scores: FloatArray, cells: IntArray) -> FloatArray:
    """Give the scores n-2 ... n+3 around each step, shape (6, n_steps)."""
    return np.stack([scores[cells + k] for k in range(1 - PAD, PAD + 1)])


def judge(around: FloatArray, cells: IntArray, criteria: Criteria, *, sign: float) -> Verdicts:
    """Apply the criteria to every step at once.

    Parameters
    ----------
    around : ndarray, shape (6, n)
        Scores n-2 ... n+3, in scale points.
    cells : ndarray, shape (n,)
    criteria : Criteria
    sign : float
        1 if the step looked for is a drop, -1 if it is a rise.
    """
    before, after = around[2], around[3]
    drop = sign * (before - after)
    results: dict[int, CodeArray] = {}
    if 1 in criteria.applied:
        results[1] = _at_least(drop, np.float64(criteria.cutoff or 0.0), criteria)
    if 2 in criteria.applied:
        share = np.float64(criteria.proportion or 0.0)
        base = sign * before if criteria.literal else np.abs(before - criteria.scale_origin)
        results[2] = _at_least(drop, share * base, criteria)
    if 3 in criteria.applied:
        results[3] = stands_out(around, criteria, sign=sign)
    together = _all_of(list(results.values()), literal=criteria.literal, size=cells.size)
    if not criteria.literal:
        together[~np.isfinite(drop)] = UNKNOWN
    return Verdicts(cells, results, together)


def stands_out(around: FloatArray, criteria: Criteria, *, sign: float) -> CodeArray:
    """Criterion 3: the mean of up to three scores before less that of up to three after, against their spread.

    ``mean_pre - mean_post > t * sqrt(((n_pre - 1) s_pre^2 + (n_post - 1) s_post^2) / (n_pre + n_post - 2))``, as
    printed: without the factor ``sqrt(1/n_pre + 1/n_post)`` of a t test.
    """
    centre = _first_known(around)  # so that equal scores have a spread of exactly zero
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_pre, squares_pre, n_pre = _moments(around[:PAD] - centre)
        mean_post, squares_post, n_post = _moments(around[PAD:] - centre)
        df = n_pre + n_post - 2
        spread = np.sqrt((squares_pre + squares_post) / df)
        exceeds = sign * (mean_pre - mean_post) > _critical(criteria)[np.clip(df, 0, 4)] * spread
    return np.where((n_pre >= 2) & (n_post >= 2), exceeds, UNKNOWN).astype(np.int8)


def _first_known(around: FloatArray) -> FloatArray:
    centre = around[2].copy()
    for earlier in (around[1], around[0]):
        gaps = np.isnan(centre)
        centre[gaps] = earlier[gaps]
    return centre


def _moments(block: FloatArray) -> tuple[FloatArray, FloatArray, IntArray]:
    finite = np.isfinite(block)
    n = finite.sum(axis=0)
    mean = np.where(finite, block, 0.0).sum(axis=0) / n
    return mean, (np.where(finite, block - mean, 0.0) ** 2).sum(axis=0), n


def _critical(criteria: Criteria) -> FloatArray:
    """Constant by degrees of freedom 0 ... 4."""
    if criteria.critical is not None:
        return np.full(5, criteria.critical)
    return np.array([np.nan, np.nan, *(t_quantile(df, 1.0 - criteria.alpha / 2.0) for df in (2, 3, 4))])


def _at_least(value: FloatArray, least: FloatArray | np.float64, criteria: Criteria) -> CodeArray:
    slack = np.float64(0.0) if criteria.literal else _SLACK * np.maximum(1.0, np.abs(least))
    with np.errstate(invalid="ignore"):
        reached = value >= least - slack
    return np.where(np.isfinite(value), reached, UNKNOWN).astype(np.int8)


def _all_of(results: list[CodeArray], *, literal: bool, size: int) -> CodeArray:
    together = np.full(size, YES, dtype=np.int8)
    for result in results:
        together = np.minimum(together, np.where(result == UNKNOWN, YES, result))
    unknown = np.zeros(size, dtype=bool)
    for result in results:
        unknown |= result == UNKNOWN
    if not literal:  # one criterion that is not met settles it, whatever the others would say
        unknown &= together == YES
    together[unknown] = UNKNOWN
    return together
