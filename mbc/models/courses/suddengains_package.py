"""What the R package suddengains 0.7.2 gives, its peculiarities included: only for ``compat="suddengains"``.

Each of them is listed in docs/methods/course.md beside what mbc does instead.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from mbc.errors import ModelError
from mbc.models.change.inputs.score_arrays import FloatArray, number_column
from mbc.models.courses.criteria import windows
from mbc.models.courses.gain_quantities import Reversal, lost_again
from mbc.models.courses.sessions import IntArray, Rows, Sessions

Z = 1.96  # its literal constant, where the normal quantile is 1.959964
NAMES = ("2n", "1n", "n", "n1", "n2", "n3")
# Without a baseline column the package numbers the columns from 0 when it looks for a reversal, and gains from 1:
# the score at n+2 is never looked at.
_FIRST_LOOKED_AT = 3


def check(compat: str, *, higher_is_better: bool, bridge_missed: bool) -> None:
    """Refuse what the package cannot do."""
    if compat != "suddengains":
        raise ModelError(f"compat must be 'suddengains', got {compat!r}.")
    if higher_is_better:
        raise ModelError(
            "The R package suddengains has no direction: lower is better. To reproduce its numbers, reverse the "
            "scores first (maximum - score) and use higher_is_better=False; or leave compat out."
        )
    if bridge_missed:
        raise ModelError(
            "The R package suddengains never bridges a missed session: leave bridge_missed or compat out."
        )


def cutoff(value: float, kind: str) -> float:
    """Read the first criterion: for losses the package wants it negative."""
    if kind == "gain" and value < 0:
        raise ModelError(f"cutoff must be at least 0, got {value:g}.")
    return abs(value)


def ends(rows: Rows, stated: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
    """Take the first and last column unless others are named; a client without that score has no total change."""
    if not rows.elapsed.size:
        return stated
    low, high = float(rows.elapsed.min()), float(rows.elapsed.max())
    return low if stated[0] is None else stated[0], high if stated[1] is None else stated[1]


def table(
    rows: Rows,
    sessions: Sessions,
    cells: IntArray,
    total: FloatArray,
    score: str,
    kind: str,
    *,
    first_is_baseline: bool,
) -> pl.DataFrame:
    """Make the table of ``create_bysg``, under its names."""
    around = windows(sessions.scores, cells)
    size = around[2] - around[3]
    sign = 1.0 if kind == "gain" else -1.0
    value = around[3] + size / 2.0
    rule = Reversal(first=2 if first_is_baseline else _FIRST_LOOKED_AT)
    reversed_, _, _ = lost_again(sessions, cells, value, rule, sign=sign)
    people = sessions.client[cells]
    change = total[people]
    with np.errstate(divide="ignore", invalid="ignore"):
        share: FloatArray = (size if kind == "gain" else np.abs(size)) / change
    share = np.where(np.isneginf(share), np.nan, share)
    number = sessions.place[cells] + (0 if first_is_baseline else 1)
    gains_per_client = np.bincount(people, minlength=sessions.lengths.size)[people]
    ids = rows.clients.gather(pl.Series(people))
    return pl.DataFrame(
        {
            "client": ids,
            "id_sg": _names(ids, number),
            "sg_crit123": pl.Series(np.ones(cells.size, dtype=np.int64)),
            "sg_session_n": pl.Series(number, dtype=pl.Int64),
            "sg_freq_byperson": pl.Series(gains_per_client, dtype=pl.Int64),
            **{f"sg_{score}_{name}": number_column(around[k]) for k, name in enumerate(NAMES)},
            "sg_magnitude": number_column(size),
            f"sg_{score}_tx_change": number_column(change),
            "sg_change_proportion": number_column(share),
            "sg_reversal_value": number_column(value),
            "sg_reversal": pl.Series(reversed_.astype(np.int64)),
        }
    )


def _names(ids: pl.Series, number: IntArray) -> pl.Series:
    integral = ids.dtype.is_float() and bool((ids == ids.floor()).all())
    text = (ids.cast(pl.Int64) if integral else ids).cast(pl.String)
    return pl.select(pl.concat_str(text, pl.lit("_sg_"), pl.Series(number).cast(pl.String))).to_series()
