"""Where did scores stay within noise of each other."""

from __future__ import annotations

import numpy as np
import polars as pl

from mbc.models.change.inputs.score_arrays import FloatArray, number_column
from mbc.models.courses.observed import Observed
from mbc.models.courses.sessions import IntArray


def plateaus(observed: Observed, threshold: float, *, least: int) -> pl.DataFrame:
    """Make the table: stretches of at least ``least`` scores, no two of which differ by more than ``threshold``.

    The longest stretch of a client comes first (the earliest of equally long ones), then the longest among the
    scores that are left, and so on; ``rank`` says which. Missed sessions do not end a plateau.
    """
    starts, ends = _longest_from(observed, threshold)
    after_first = np.flatnonzero(starts > observed.first)
    maximal = np.ones(starts.size, dtype=bool)
    maximal[after_first] = ends[after_first] > ends[after_first - 1]  # not part of the stretch before
    starts, ends = starts[maximal], ends[maximal]
    stretches: list[tuple[IntArray, IntArray]] = []
    while True:
        kept = ends - starts + 1 >= least
        starts, ends = starts[kept], ends[kept]
        if not starts.size:
            break
        chosen = _longest_of_each(observed, starts, ends)
        stretches.append((starts[chosen], ends[chosen]))
        starts, ends = _left_over(observed, starts, ends, stretches[-1])
    return _table(observed, stretches)


def _longest_from(observed: Observed, threshold: float) -> tuple[IntArray, IntArray]:
    """For every score, the last score of the longest stretch that begins there; all stretches grow together."""
    n = observed.scores.size
    ends = np.arange(n)
    open_, low, high = ends.copy(), observed.scores.copy(), observed.scores.copy()
    step = 1
    while open_.size:
        inside = open_ + step <= observed.last[open_]
        open_, low, high = open_[inside], low[inside], high[inside]
        score = observed.scores[open_ + step]
        low, high = np.minimum(low, score), np.maximum(high, score)
        within = high - low <= threshold
        open_, low, high = open_[within], low[within], high[within]
        ends[open_] = open_ + step
        step += 1
    return np.arange(n), ends


def _longest_of_each(observed: Observed, starts: IntArray, ends: IntArray) -> IntArray:
    order = np.lexsort((starts, starts - ends, observed.codes[starts]))
    return order[np.flatnonzero(np.diff(observed.codes[starts[order]], prepend=-1))]


def _left_over(
    observed: Observed, starts: IntArray, ends: IntArray, taken: tuple[IntArray, IntArray]
) -> tuple[IntArray, IntArray]:
    """Cut the chosen stretches out of all others."""
    low, high = np.full(observed.people, -1, dtype=np.int64), np.full(observed.people, -1, dtype=np.int64)
    low[observed.codes[taken[0]]], high[observed.codes[taken[0]]] = taken
    low, high = low[observed.codes[starts]], high[observed.codes[starts]]
    ahead = starts < low
    return np.where(ahead, starts, np.maximum(starts, high + 1)), np.where(ahead, np.minimum(ends, low - 1), ends)


def _table(observed: Observed, stretches: list[tuple[IntArray, IntArray]]) -> pl.DataFrame:
    none = np.array([], dtype=np.int64)
    starts = np.concatenate([begins for begins, _ in stretches] or [none])
    ends = np.concatenate([stops for _, stops in stretches] or [none])
    rank = np.concatenate([np.full(begins.size, k + 1) for k, (begins, _) in enumerate(stretches)] or [none])
    order = np.lexsort((rank, observed.codes[starts]))
    starts, ends, rank = starts[order], ends[order], rank[order]
    low, high = _range(observed.scores, starts, ends)
    return pl.DataFrame(
        {
            "client": pl.Series(observed.codes[starts]),
            "rank": pl.Series(rank, dtype=pl.Int64),
            "start": observed.time_of(starts),
            "end": observed.time_of(ends),
            "scores": pl.Series(ends - starts + 1, dtype=pl.Int64),
            "duration": number_column(observed.elapsed[ends] - observed.elapsed[starts]),
            "lowest": number_column(low),
            "highest": number_column(high),
        }
    )


def _range(scores: FloatArray, starts: IntArray, ends: IntArray) -> tuple[FloatArray, FloatArray]:
    if not starts.size:
        return np.array([]), np.array([])
    # reduceat wants pairs of edges; every second piece is a stretch. One more score guards the last edge.
    edges = np.stack([starts, ends + 1], axis=1).ravel()
    padded = np.append(scores, scores[-1])
    return np.minimum.reduceat(padded, edges)[::2], np.maximum.reduceat(padded, edges)[::2]
