"""What belongs to a sudden gain: the scores around it, its size, its share of the whole, whether it was lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mbc.models.change.inputs.score_arrays import FloatArray, number_column
from mbc.models.courses.criteria import windows
from mbc.models.courses.sessions import IntArray, Rows, Sessions

AROUND = ("n_minus_2", "n_minus_1", "n", "n_plus_1", "n_plus_2", "n_plus_3")
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Reversal:
    """When a gain counts as lost again."""

    share: float = 0.5  # of the step, given back
    inclusive: bool = False  # whether exactly that much counts
    first: int = 2  # the first score looked at: n + first


def total_change(
    rows: Rows, sessions: Sessions, *, sign: float, ends: tuple[float | None, float | None]
) -> FloatArray:
    """Change from each client's first to last score, in the direction of the step; NaN where one is missing.

    ``ends`` are times instead of the first and last score, for all clients alike.
    """
    people = sessions.lengths.size
    finite = np.flatnonzero(np.isfinite(rows.scores))
    start, end = np.full(people, np.nan), np.full(people, np.nan)
    if ends[0] is None:
        start[rows.codes[finite[::-1]]] = rows.scores[finite[::-1]]
    else:
        at = np.flatnonzero(rows.elapsed == ends[0])
        start[rows.codes[at]] = rows.scores[at]
    if ends[1] is None:
        end[rows.codes[finite]] = rows.scores[finite]
    else:
        at = np.flatnonzero(rows.elapsed == ends[1])
        end[rows.codes[at]] = rows.scores[at]
    return sign * (start - end)


def lost_again(
    sessions: Sessions, cells: IntArray, value: FloatArray, rule: Reversal, *, sign: float
) -> tuple[BoolArray, BoolArray, IntArray]:
    """Look for the first later score beyond the reversal value.

    Returns
    -------
    reversed, judged : ndarray of bool
        Whether there is one; whether there is any later score to look at.
    at : ndarray of int
        Its cell, -1 where there is none.
    """
    last = sessions.starts[sessions.client[cells]] + sessions.lengths[sessions.client[cells]] - 1
    at = np.full(cells.size, -1, dtype=np.int64)
    judged = np.zeros(cells.size, dtype=bool)
    for step in range(rule.first, int((last - cells).max(initial=0)) + 1):
        open_ = np.flatnonzero((at < 0) & (cells + step <= last))
        score = sessions.scores[cells[open_] + step]
        with np.errstate(invalid="ignore"):
            beyond = sign * (score - value[open_]) >= 0 if rule.inclusive else sign * (score - value[open_]) > 0
        judged[open_] |= np.isfinite(score)
        at[open_[beyond]] = cells[open_[beyond]] + step
    return at >= 0, judged, at


def neighbours(sessions: Sessions, cells: IntArray) -> tuple[BoolArray, BoolArray]:
    """Flag gains next to each other, and gains inside each other's six scores.

    Returns
    -------
    adjacent, overlapping : ndarray of bool
        Another gain begins one session earlier or later; at most two sessions earlier or later, so that its step
        lies among the three scores on one side of this one.
    """
    adjacent, overlapping = np.zeros(cells.size, dtype=bool), np.zeros(cells.size, dtype=bool)
    for ahead in (1, 2):
        if cells.size <= ahead:
            break
        gap = cells[ahead:] - cells[:-ahead]
        same = sessions.client[cells[ahead:]] == sessions.client[cells[:-ahead]]
        for flags, reach in ((adjacent, 1), (overlapping, 2)):
            near = np.flatnonzero(same & (gap <= reach))
            flags[near], flags[near + ahead] = True, True
    return adjacent, overlapping


def gains_table(
    rows: Rows, sessions: Sessions, cells: IntArray, total: FloatArray, rule: Reversal, *, sign: float
) -> pl.DataFrame:
    """Make the table: one row per gain, sizes in the direction of the step (see SuddenGains)."""
    around = windows(sessions.scores, cells)
    size = sign * (around[2] - around[3])
    value = around[3] + sign * rule.share * size
    reversed_, judged, at = lost_again(sessions, cells, value, rule, sign=sign)
    adjacent, overlapping = neighbours(sessions, cells)
    people = sessions.client[cells]
    change = total[people]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(change > 0, size / change, np.nan)
    times = rows.table["time"]
    opens = np.flatnonzero(np.diff(people, prepend=-1))
    number = np.arange(people.size) - np.repeat(opens, np.diff(np.append(opens, people.size)))
    table = pl.DataFrame(
        {
            "client": rows.clients.gather(pl.Series(people)),
            "number": pl.Series(number + 1, dtype=pl.Int64),
            "session": pl.Series(sessions.place[cells] + 1, dtype=pl.Int64),
            "before": times.gather(pl.Series(sessions.row[cells])),
            "after": times.gather(pl.Series(sessions.row[cells + 1])),
            **{name: number_column(around[k]) for k, name in enumerate(AROUND)},
            "magnitude": number_column(size),
            "total_change": number_column(change),
            "proportion": number_column(share),
            "reversal_value": number_column(value),
            "reversed": pl.Series(reversed_),
            "judged": pl.Series(judged),
            "reversed_at": times.gather(pl.Series(np.where(at >= 0, sessions.row[at], -1)).replace(-1, None)),
            "adjacent": pl.Series(adjacent),
            "overlapping": pl.Series(overlapping),
            "bridged": pl.Series(sessions.skipped[cells + 1], dtype=pl.Int64),
        }
    )
    return table.with_columns(reversed=pl.when("judged").then("reversed")).drop("judged")
