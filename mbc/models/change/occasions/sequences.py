"""From scores in long form to one padded row per client, with the time in which the level may change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mbc.errors import ModelError
from mbc.models.change.inputs.score_arrays import FloatArray, as_array
from mbc.models.change.inputs.tidy_frames import long_scores, read_columns
from mbc.models.change.occasions.level_filter import Limits, Sequences

_MICROSECONDS_PER_DAY = 86_400e6


@dataclass(frozen=True, slots=True)
class LongScores:
    """Scores sorted by client and time."""

    score: FloatArray  # (rows,)
    time: FloatArray  # (rows,), a number; days for dates
    count: NDArray[np.intp]  # (clients,), scores of each
    baselines: NDArray[np.intp]  # (clients,), the first so many scores are of the start
    clients: pl.Series | None
    original_time: pl.Series  # as it came

    @property
    def first(self) -> NDArray[np.intp]:
        """Each client's first row."""
        return np.cumsum(self.count) - self.count

    @property
    def usual_gap(self) -> float:
        """Median time between two scores of a client; 1 where nobody has two."""
        gaps = np.diff(self.time)
        gaps = np.delete(gaps, self.first[1:] - 1)
        return float(np.median(gaps)) if gaps.size else 1.0


def read_long(data: object, *, client: str, time: str, score: str, baselines: int | str) -> LongScores:
    """Read a frame with one row per client and occasion.

    Raises
    ------
    ModelError
        If a column is missing or of the wrong kind, a score is infinite, a client has two scores at one time, or a
        score marked as baseline comes after one that is not.
    """
    rows = long_scores(data, client=client, time=time, score=score)
    if isinstance(baselines, str):
        marks = read_columns(data, {"client": client, "time": time, "baseline": baselines})
        if marks["baseline"].dtype != pl.Boolean:
            raise ModelError(f"Column '{baselines}' must contain true and false, got {marks['baseline'].dtype}.")
        rows = rows.join(marks, on=["client", "time"], how="left", maintain_order="left")
    if rows.height == 0:
        raise ModelError(f"No row has a client, a time and a score in '{client}', '{time}' and '{score}'.")
    lengths = rows["client"].rle().struct.field("len").to_numpy().astype(np.intp)
    number = baselines if isinstance(baselines, int) else _marked(rows, lengths, baselines)
    return LongScores(
        score=_finite(rows["score"].to_numpy(), score),
        time=_finite(_as_numbers(rows["time"], time), time),
        count=lengths,
        baselines=np.minimum(np.broadcast_to(number, lengths.shape), lengths),
        clients=rows["client"].unique(maintain_order=True),
        original_time=rows["time"],
    )


def read_single(scores: object, times: object, baselines: int | str) -> LongScores:
    """Read one client's scores; without times they are numbered."""
    if isinstance(baselines, str):
        raise ModelError("baselines must be a number for one client's scores; a column name requires data=.")
    y = np.atleast_1d(as_array(scores, "scores"))
    t = np.arange(y.size, dtype=np.float64) if times is None else _times(times)
    if y.shape != t.shape:
        raise ModelError(f"scores has {y.size} values and times {t.size}.")
    known = ~(np.isnan(y) | np.isnan(t))
    y, t = _finite(y[known], "scores"), _finite(t[known], "times")
    if not y.size:
        raise ModelError("scores contains no score.")
    order = np.argsort(t, kind="stable")
    y, t = y[order], t[order]
    if y.size > 1 and float(np.diff(t).min()) == 0:
        raise ModelError("Two scores have the same time. Keep one score per time.")
    count = np.array([y.size], dtype=np.intp)
    return LongScores(y, t, count, np.minimum(baselines, count), None, pl.Series(t))


def padded(long: LongScores) -> tuple[Sequences, NDArray[np.intp]]:
    """Lay scores out, one row per client; also give which client each row is of."""
    order = np.argsort(-long.count, kind="stable")
    place_of_client = np.empty(order.size, dtype=np.intp)
    place_of_client[order] = np.arange(order.size)
    codes = np.repeat(np.arange(long.count.size), long.count)
    session = np.arange(codes.size) - long.first[codes]
    gap = np.diff(long.time, prepend=long.time[0])
    gap[long.first] = 0.0
    open_gap = np.where(session >= long.baselines[codes], gap, 0.0)
    shape = (order.size, int(long.count.max()))
    score, gaps, open_gaps = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for table, values in ((score, long.score), (gaps, gap), (open_gaps, open_gap)):
        table[place_of_client[codes], session] = values
    return Sequences(score, gaps, open_gaps, long.count[order]), order


def limits_of(long: LongScores, score_range: tuple[float, float] | None, step: float | None) -> Limits | None:
    """Say where the scale ends.

    Parameters
    ----------
    step : float, optional
        Least difference of two scores; 1 unless given where all scores are whole numbers, else 0.

    Raises
    ------
    ModelError
        If scores are outside the range.
    """
    if score_range is None:
        return None
    low, high = float(score_range[0]), float(score_range[1])
    if not low < high:
        raise ModelError(f"score_range must be increasing, got {score_range}.")
    outside = (long.score < low) | (long.score > high)
    if outside.any():
        number = int(outside.sum())
        raise ModelError(
            f"{'1 score is' if number == 1 else f'{number} scores are'} outside score_range "
            f"{low:g} to {high:g}, the first "
            f"{long.score[outside][0]:g}. Is the coding different?"
        )
    if step is None:
        step = 1.0 if bool((long.score == np.round(long.score)).all()) else 0.0
    if not 0 <= step < high - low:
        raise ModelError(f"step must be at least 0 and less than the range, got {step:g}.")
    return Limits(low, high, step / 2.0)


def _marked(rows: pl.DataFrame, lengths: NDArray[np.intp], name: str) -> NDArray[np.intp]:
    marks = rows["baseline"].fill_null(value=False).to_numpy()
    codes = np.repeat(np.arange(lengths.size), lengths)
    number = np.bincount(codes, marks, lengths.size).astype(np.intp)
    place = np.arange(codes.size) - (np.cumsum(lengths) - lengths)[codes]
    if bool((marks != (place < number[codes])).any()):
        raise ModelError(f"Column '{name}' marks a baseline after a later score. Baselines must come first.")
    return np.maximum(number, 1)


def _times(times: object) -> FloatArray:
    series = times if isinstance(times, pl.Series) else None
    if series is not None and series.dtype.is_temporal():
        return _as_numbers(series, "times")
    return np.atleast_1d(as_array(times, "times"))


def _as_numbers(column: pl.Series, name: str) -> FloatArray:
    if column.dtype == pl.Date or column.dtype == pl.Datetime:  # noqa: PLR1714 - compares kinds, not members
        return column.cast(pl.Datetime("us")).cast(pl.Int64).to_numpy().astype(np.float64) / _MICROSECONDS_PER_DAY
    if not column.dtype.is_numeric():
        raise ModelError(
            f"Column '{name}' must contain numbers (sessions, days, weeks) or dates, got {column.dtype}."
        )
    return column.cast(pl.Float64).to_numpy().astype(np.float64)


def _finite(values: FloatArray, name: str) -> FloatArray:
    values = np.asarray(values, dtype=np.float64)
    wrong = ~np.isfinite(values)
    if wrong.any():
        raise ModelError(f"'{name}' contains {int(wrong.sum())} infinite values. Leave missing scores empty.")
    return values
