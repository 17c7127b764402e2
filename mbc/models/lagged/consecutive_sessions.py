"""Which sessions follow each other, with both measures taken at each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mbc.models.change.inputs.score_arrays import FloatArray
from mbc.models.courses.sessions import IntArray, Spacing, lay_out, read_rows


@dataclass(frozen=True, slots=True, eq=False)
class ConsecutiveSessions:
    """One row per session that has a next one: both measures now, next time, and the time after that."""

    client: IntArray  # 0, 1, ... among the clients kept
    time: FloatArray
    now: FloatArray  # shape (n, 2): x, y
    following: FloatArray  # shape (n, 2)
    after: FloatArray  # shape (n, 2), NaN where there is none
    clients: int
    n_all: int  # clients in the table
    n_paired: int  # clients with any two sessions that follow each other
    occasions: float  # median number of sessions of a client kept
    scores: FloatArray  # all sessions of the clients kept, shape (m, 2)
    owner: IntArray  # their client


def read_following(
    data: object,
    *,
    client: str,
    time: str,
    measures: tuple[str, str],
    sessions: Spacing,
    gaps: tuple[float | None, float | None],
    least: int,
) -> ConsecutiveSessions:
    """Read both measures and keep clients with at least ``least`` sessions in pairs that follow each other."""
    first = read_rows(data, client=client, time=time, score=measures[0])
    second = read_rows(data, client=client, time=time, score=measures[1])
    laid, other = lay_out(first, spacing=sessions), lay_out(second, spacing=sessions)
    scores = np.column_stack([laid.scores, other.scores])
    both: NDArray[np.bool_] = np.isfinite(laid.scores) & np.isfinite(other.scores)
    here = np.flatnonzero(both[:-1] & both[1:])  # cells between clients are empty: no pair crosses over
    spent = laid.elapsed[here + 1] - laid.elapsed[here]
    low, high = (-np.inf if gaps[0] is None else gaps[0]), (np.inf if gaps[1] is None else gaps[1])
    here = here[(spent >= low) & (spent <= high)]
    who = laid.client[here]
    count = np.bincount(who, minlength=laid.lengths.size)
    kept = count >= least - 1
    chosen = here[kept[who]]
    number = np.cumsum(kept) - 1
    last = np.zeros(both.size, dtype=bool)
    last[here] = True  # a pair begins here
    onward = last[chosen + 1]
    after = np.where(onward[:, None], scores[np.minimum(chosen + 2, both.size - 1)], np.nan)
    used = np.unique(np.concatenate([chosen, chosen + 1]))
    return ConsecutiveSessions(
        client=number[laid.client[chosen]],
        time=laid.elapsed[chosen],
        now=scores[chosen],
        following=scores[chosen + 1],
        after=after,
        clients=int(kept.sum()),
        n_all=laid.lengths.size,
        n_paired=int((count > 0).sum()),
        occasions=float(np.median(count[kept] + 1)) if kept.any() else 0.0,
        scores=scores[used],
        owner=number[laid.client[used]],
    )
