"""How probable it is, after each score so far, that a client's true level is better: arrays in, arrays out.

The same model and the same numbers as `mbc.models.true_change_course`, for callers that have each client's scores
at hand and show a page: one run through the scores gives the chance after each of them and the further sessions
needed, and no table is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mbc.errors import ModelError
from mbc.models.change.inputs.score_arrays import FloatArray
from mbc.models.change.occasions.all_sessions import WIDE
from mbc.models.change.occasions.course_summaries import Asked, blocks, sessions_needed, share_better
from mbc.models.change.occasions.level_filter import Prior, State, filter_sessions
from mbc.models.change.occasions.sequences import LongScores, limits_of, padded
from mbc.models.change.occasions.variation import ScoreVariation


@dataclass(frozen=True, slots=True)
class SessionChances:
    """What the scores of several clients say, in the order in which the clients were given."""

    p_better: tuple[FloatArray, ...]  # per client: after each score, 0 to 1; NaN after the first
    sessions_needed: FloatArray  # (n,): 0 where clear, NaN where more than the horizon, or not asked for


def session_chances(
    courses: Sequence[tuple[Sequence[float], Sequence[float]]],
    variation: ScoreVariation,
    *,
    higher_is_better: bool,
    score_range: tuple[float, float],
    step: float | None,
    confidence: float,
    horizon: int,
) -> SessionChances:
    """Give the chance after each score that the level is better than at the start.

    Parameters
    ----------
    courses : sequence of (times, scores)
        One pair per client, at least one score each: times rising, in the unit of ``variation.gap``; scores in
        scale points.
    variation : ScoreVariation
    higher_is_better : bool
    score_range : tuple of float
        Lowest and highest possible score.
    step : float, optional
        Least difference of two scores.
    confidence : float
        A change is clear when its probability is at least this, 0.5 to 1.
    horizon : int
        Most further sessions that are looked at; 0: none.

    Raises
    ------
    ModelError
        If times do not rise, or scores are outside the scale.
    """
    if not courses:
        return SessionChances((), np.empty(0))
    long = _long_scores(courses)
    asked = Asked(1.0 if higher_is_better else -1.0, confidence, None, horizon, variation.gap, each_session=True)
    limits = limits_of(long, score_range, step)
    prior, settings = Prior(None, WIDE * variation.sd), variation.settings
    sequences, order = padded(long)
    better, needed = np.full(sequences.score.shape, np.nan), np.full(order.size, np.nan)
    for first, block in blocks(sequences, settings):
        own = slice(first, first + block.count.size)
        everybody: State | None = None
        for session, current, state in filter_sessions(block, settings, limits, prior):
            everybody = state
            if session:
                there = slice(first, first + current.level.shape[1])
                better[there, session] = share_better(current, current.belief(settings), asked.better)
        if horizon and everybody is not None:
            last = better[own][np.arange(block.count.size), block.count - 1]
            clear: NDArray[np.bool_] = np.maximum(last, 1.0 - last) >= confidence
            needed[own] = sessions_needed(everybody, settings, prior, block.open_time[:, -1], asked, clear=clear)
    needed[sequences.count < 2] = np.nan
    back = np.empty(order.size, dtype=np.intp)
    back[order] = np.arange(order.size)
    by_client = tuple(better[back[i], :number] for i, number in enumerate(long.count))
    return SessionChances(by_client, needed[back])


def _long_scores(courses: Sequence[tuple[Sequence[float], Sequence[float]]]) -> LongScores:
    count = np.array([len(scores) for _, scores in courses], dtype=np.intp)
    time = np.array([time for times, _ in courses for time in times], dtype=np.float64)
    score = np.array([score for _, scores in courses for score in scores], dtype=np.float64)
    if count.min() < 1 or time.size != score.size:
        raise ModelError("Each client needs at least one score, and a time for each score.")
    if not (np.isfinite(time).all() and np.isfinite(score).all()):
        raise ModelError("Times and scores must be finite.")
    steps = np.delete(np.diff(time), np.cumsum(count)[:-1] - 1)
    if steps.size and float(steps.min()) <= 0:
        raise ModelError("Times must rise: keep one score per client and time.")
    return LongScores(score, time, count, np.ones_like(count), None, pl.Series(time))
