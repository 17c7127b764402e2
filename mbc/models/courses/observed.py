"""The scores that were taken, client by client, as arrays: what plateaus and setbacks are computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mbc.models.change.inputs.score_arrays import FloatArray
from mbc.models.courses.sessions import IntArray, Rows


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """Known scores of all clients, sorted by client and time."""

    scores: FloatArray  # scale points
    better: FloatArray  # the same, turned so that higher is better
    elapsed: FloatArray  # time as a number
    codes: IntArray  # place of the client
    first: IntArray  # each score: the client's first one
    last: IntArray  # each score: the client's last one
    times: pl.Series  # time as the table has it
    people: int

    @classmethod
    def of(cls, rows: Rows, *, higher_is_better: bool) -> Observed:
        """Leave out missed sessions."""
        scored = rows.take(np.isfinite(rows.scores))
        people = scored.clients.len()
        edges = np.searchsorted(scored.codes, np.arange(people + 1)).astype(np.int64)
        return cls(
            scores=scored.scores,
            better=scored.scores if higher_is_better else -scored.scores,
            elapsed=scored.elapsed,
            codes=scored.codes,
            first=edges[scored.codes],
            last=edges[scored.codes + 1] - 1,
            times=scored.table["time"],
            people=people,
        )

    def per_client(self, at: IntArray, values: NDArray[Any]) -> FloatArray:
        """Spread values that belong to the scores ``at`` over the clients; NaN where a client has none."""
        out = np.full(self.people, np.nan)
        out[self.codes[at]] = values
        return out

    def time_of(self, at: IntArray) -> pl.Series:
        """Time of each score, null where ``at`` is -1."""
        return self.times.gather(pl.Series(at, dtype=pl.Int64).replace(-1, None))

    def client_time(self, at: IntArray) -> pl.Series:
        """Time of one score per client, null for a client who has none in ``at``."""
        out = np.full(self.people, -1, dtype=np.int64)
        out[self.codes[at]] = at
        return self.time_of(out)


def running_best(observed: Observed) -> FloatArray:
    """Best score so far, turned so that higher is better; one value per score."""
    table = pl.DataFrame({"client": observed.codes, "better": observed.better})
    best = table.select(pl.col("better").cum_max().over("client"))
    return np.asarray(best["better"].to_numpy(), dtype=float)


def first_where(mark: NDArray[np.bool_], groups: IntArray) -> IntArray:
    """Give the first marked place of each group that has one; groups are sorted."""
    marked = np.flatnonzero(mark)
    return marked[np.flatnonzero(np.diff(groups[marked], prepend=-1))]
