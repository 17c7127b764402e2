"""How far did a client fall back from the best so far, and how long until it was regained."""

from __future__ import annotations

import numpy as np
import polars as pl

from mbc.models.change.inputs.score_arrays import FloatArray, number_column
from mbc.models.courses.observed import Observed, first_where, running_best
from mbc.models.courses.sessions import IntArray


def falls(observed: Observed) -> tuple[FloatArray, IntArray]:
    """Give each score's distance from the best so far, and the last score that was as good as the best before it.

    Returns
    -------
    depth : ndarray
        Scale points, at least 0.
    peak : ndarray of int
        From that score on the client has been worse than the best.
    """
    best = running_best(observed)
    depth = best - observed.better
    places = np.where(depth == 0, np.arange(depth.size), 0)
    return depth, np.maximum.accumulate(places) if places.size else places


def setbacks(observed: Observed, threshold: float) -> pl.DataFrame:
    """Make the table: one row per fall from the best by more than ``threshold`` scale points.

    A setback begins at the last score as good as the best so far, and lasts until a score is that good again; it
    counts when some score in between is worse by more than the threshold. ``occasions`` counts such scores: one
    may be a bad week. ``eased_at`` is the first score after the worst one that is back within the threshold.
    """
    depth, peak = falls(observed)
    beyond = depth > threshold
    began = first_where(beyond, peak)
    top = peak[began]
    deepest = np.zeros(depth.size)
    np.maximum.at(deepest, peak, depth)
    worst = first_where((depth == deepest[peak]) & np.isin(peak, top), peak)
    ends = _next_peak(observed, depth, top)
    eased = _first_within(depth, peak, worst, threshold)
    eased = np.where(eased >= 0, eased, ends)
    back = ends >= 0
    spent = np.where(back, observed.elapsed[ends] - observed.elapsed[top], np.nan)
    return pl.DataFrame(
        {
            "client": pl.Series(observed.codes[top]),
            "best": number_column(observed.scores[top]),
            "best_at": observed.time_of(top),
            "began_at": observed.time_of(began),
            "worst": number_column(observed.scores[worst]),
            "worst_at": observed.time_of(worst),
            "depth": number_column(depth[worst]),
            "occasions": pl.Series(np.bincount(peak[beyond], minlength=depth.size)[top], dtype=pl.Int64),
            "eased_at": observed.time_of(eased),
            "regained_at": observed.time_of(ends),
            "time_to_regain": number_column(spent),
            "open": pl.Series(~back),
        }
    )


def _next_peak(observed: Observed, depth: FloatArray, top: IntArray) -> IntArray:
    """Give the next score as good as the best before it, -1 where the client has none."""
    peaks = np.append(np.flatnonzero(depth == 0), depth.size)
    following = peaks[np.searchsorted(peaks, top, side="right")] if top.size else top
    return np.where(following <= observed.last[top], following, -1)


def _first_within(depth: FloatArray, peak: IntArray, worst: IntArray, threshold: float) -> IntArray:
    """Give the first score after the worst one that is back within the threshold; -1 where there is none."""
    out = np.full(worst.size, -1, dtype=np.int64)
    step, open_ = 1, np.arange(worst.size)
    while open_.size:
        at = worst[open_] + step
        open_, at = open_[at < depth.size], at[at < depth.size]
        inside = peak[at] == peak[worst[open_]]
        open_, at = open_[inside], at[inside]
        done = depth[at] <= threshold
        out[open_[done]] = at[done]
        open_, step = open_[~done], step + 1
    return out


def largest_drawdown(observed: Observed) -> pl.DataFrame:
    """Give each client's largest fall from the best so far, noise or not: points, from when, to when."""
    depth, peak = falls(observed)
    deepest = np.zeros(observed.people)
    np.maximum.at(deepest, observed.codes, depth)
    at = first_where(depth == deepest[observed.codes], observed.codes)
    return pl.DataFrame(
        {
            "largest_drawdown": number_column(observed.per_client(at, depth[at])),
            "drawdown_from": _times(observed, peak[at], depth[at]),
            "drawdown_to": _times(observed, at, depth[at]),
        }
    )


def _times(observed: Observed, at: IntArray, depth: FloatArray) -> pl.Series:
    return observed.client_time(at[depth > 0])
