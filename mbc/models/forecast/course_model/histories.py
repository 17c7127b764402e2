"""Who was followed, when, and with which scores: one row per client, padded to the longest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mbc.errors import ModelError
from mbc.models.growth.data.rows import read_rows
from mbc.models.growth.matrices import Floats

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Histories:
    """Scores of clients in order of time; times count from the first score, in the caller's unit."""

    ids: tuple[Any, ...]  # (n,)
    time: Floats  # (n, m); 0 beyond a client's own scores
    score: Floats  # (n, m); 0 beyond a client's own scores
    count: Indices  # (n,), scores of each client
    step: float = 0.0  # usual difference between neighbouring scores, score points
    merged: int = 0  # scores that shared their time with another of the same client
    dropped: int = 0  # rows without a time or a score

    @property
    def intake(self) -> Floats:
        """First scores, (n,)."""
        return self.score[:, 0]

    @property
    def last(self) -> Floats:
        """Last scores, (n,)."""
        return np.take_along_axis(self.score, self.count[:, None] - 1, axis=1)[:, 0]

    @property
    def end(self) -> Floats:
        """Times of the last scores, (n,)."""
        return np.take_along_axis(self.time, self.count[:, None] - 1, axis=1)[:, 0]

    @property
    def scored(self) -> NDArray[np.bool_]:
        """Which cells hold a score, (n, m)."""
        return np.less(np.arange(int(self.time.shape[1])), self.count[:, None])

    def __len__(self) -> int:
        return len(self.ids)

    def of(self, chosen: Indices | NDArray[np.bool_]) -> Histories:
        """Pick some clients."""
        index = np.arange(len(self.ids))[chosen]
        count = self.count[index]
        longest = int(count.max()) if count.size else 0
        ids = tuple(self.ids[i] for i in index.tolist())
        return Histories(ids, self.time[index, :longest], self.score[index, :longest], count, self.step)

    def with_others(self, others: Histories) -> Histories:
        """Put other clients after these."""
        longest = max(self.time.shape[1], others.time.shape[1])

        def wide(table: Floats) -> Floats:
            return np.pad(table, ((0, 0), (0, longest - table.shape[1])))

        return Histories(
            self.ids + others.ids,
            np.vstack([wide(self.time), wide(others.time)]),
            np.vstack([wide(self.score), wide(others.score)]),
            np.concatenate([self.count, others.count]),
            self.step,
        )

    def followed(self) -> Histories:
        """Leave out clients with one score only: they have no course."""
        return self.of(self.count > 1)


def stacked(some: Sequence[Histories]) -> Histories:
    """Put clients under one another."""
    count = np.concatenate([part.count for part in some])
    time, score = np.zeros((2, count.size, int(count.max())))
    row = 0
    for part in some:
        rows, columns = part.time.shape
        time[row : row + rows, :columns], score[row : row + rows, :columns] = part.time, part.score
        row += rows
    return Histories(tuple(client for part in some for client in part.ids), time, score, count)


def read_histories(frame: Any, *, outcome: str, time: str, client: str) -> Histories:
    """Read a long table, one row per score, of any kind that narwhals knows.

    Scores of one client at the same time are replaced by their mean: which of them came first cannot be known.
    """
    rows = read_rows(frame, outcome=outcome, time=time, client=client).sorted_by_time()
    ids: list[Any] = rows.ids.tolist()
    return histories_of(rows.codes, rows.time, rows.outcome, ids, dropped=rows.dropped)


def histories_of(
    codes: Indices, time: Floats, score: Floats, ids: Sequence[Any], *, dropped: int = 0
) -> Histories:
    """Arrange rows, sorted by client and time, as one row per client."""
    values = np.unique(score)
    step = float(np.median(np.diff(values))) if values.size > 1 else 0.0
    fresh = np.ones(time.size, dtype=bool)
    fresh[1:] = (codes[1:] != codes[:-1]) | (time[1:] != time[:-1])
    start = np.flatnonzero(fresh)
    each = np.diff(np.append(start, time.size))
    score, time, codes = np.add.reduceat(score, start) / each, time[start], codes[start]
    count = np.bincount(codes, minlength=len(ids))
    first = np.cumsum(count) - count
    place = np.arange(time.size) - first[codes]
    padded = np.zeros((2, len(ids), int(count.max())))
    padded[0, codes, place] = time - time[first[codes]]
    padded[1, codes, place] = score
    merged = int(fresh.size - start.size)
    return Histories(tuple(ids), padded[0], padded[1], count.astype(np.intp), step, merged, dropped)


def one_history(times: ArrayLike, scores: ArrayLike) -> Histories:
    """Take one client's own scores.

    Raises
    ------
    ModelError
        If they are not as many as their times, not finite, or none.
    """
    at = np.atleast_1d(np.asarray(times, dtype=np.float64))
    values = np.atleast_1d(np.asarray(scores, dtype=np.float64))
    if at.ndim != 1 or at.shape != values.shape or not at.size:
        raise ModelError(
            f"a client's times and scores must be two lists of the same length, at least 1; got {at.size} times "
            f"and {values.size} scores."
        )
    if not (np.isfinite(at).all() and np.isfinite(values).all()):
        raise ModelError("a client's times and scores must be finite numbers; leave missing scores out.")
    order = np.argsort(at, kind="stable")
    return histories_of(np.zeros(at.size, dtype=np.intp), at[order], values[order], (None,))
