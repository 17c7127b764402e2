"""Change judged from more than two scores: means of several baselines, and the trend over all occasions."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar, cast

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs import reasons
from mbc.models.change.inputs.distributions import normal_below, two_sided
from mbc.models.change.inputs.norms import Norms
from mbc.models.change.inputs.reasons import WithReasons
from mbc.models.change.inputs.score_arrays import (
    CodeArray,
    FloatArray,
    as_array,
    as_numbers,
    like_input,
    number_column,
    word_column,
    words_of,
)
from mbc.models.change.inputs.tidy_frames import long_scores
from mbc.models.change.person.judgement import CATEGORIES, Options, ReliableChange, judged, judged_codes
from mbc.models.change.person.predictions import Prediction
from mbc.models.results.result import Result

Number = TypeVar("Number")
Word = TypeVar("Word")


@checked
def mean_baseline_change(
    baselines: ArrayLike,
    follow_ups: ArrayLike,
    *,
    sem: float,
    higher_is_better: bool | None = None,
    confidence: float = 0.95,
) -> ReliableChange[Any, Any]:
    """Compare the mean of several later scores with the mean of several baselines.

    Parameters
    ----------
    baselines, follow_ups : array_like, shape (k,) or (n, k)
        One person's scores, or one row per person; missing ones may be NaN.
    sem : float
        Standard error of measurement of one score, in scale points; > 0. It must include day-to-day error: see
        `within_person_sem`. One from alpha does not.
    higher_is_better : bool, optional
    confidence : float

    Notes
    -----
    ``SE = sem * sqrt(1/k + 1/m)``. Choosing the worst of several baselines makes this invalid.

    Examples
    --------
    >>> change = mean_baseline_change([20, 22, 21], [12], sem=7.5 * 0.2**0.5, higher_is_better=False)
    >>> round(change.standard_error, 4), round(change.threshold, 2), change.category
    (3.873, 7.59, 'improved')
    """
    if not sem > 0:
        raise ModelError(f"sem must be > 0, got {sem:g}: the standard error of measurement, in scale points.")
    before, k = _means(baselines, "baselines")
    after, m = _means(follow_ups, "follow_ups")
    if before.shape != after.shape:
        raise ModelError(f"baselines has {before.size} people and follow_ups has {after.size}.")
    with np.errstate(divide="ignore"):
        error = sem * np.sqrt(1.0 / k + 1.0 / m)
    predicted = Prediction(before, float(error) if error.ndim == 0 else error)
    options = Options("mean-baseline", confidence, higher_is_better)
    return judged(before, after, predicted, options, norms=Norms(sample="standard error of measurement given"))


@checked
def within_person_sem(baselines: ArrayLike) -> float | None:
    """Pool the spread of each person's own baselines: the error of one score, day-to-day error included.

    Parameters
    ----------
    baselines : array_like, shape (n, k)
        One row per person, taken before treatment; missing ones may be NaN.

    Returns
    -------
    float or None
        In scale points; ``None`` if nobody has two baselines.

    Examples
    --------
    >>> within_person_sem([[20, 22], [15, 15], [30, 26]])
    1.825...
    """
    scores = np.atleast_2d(as_numbers(baselines, "baselines", dimensions=(1, 2)))
    counts = np.isfinite(scores).sum(axis=1)
    means = np.where(counts > 0, np.nansum(scores, axis=1) / np.maximum(counts, 1), 0.0)
    squares = np.nansum((scores - means[:, None]) ** 2)
    df = int(np.maximum(counts - 1, 0).sum())
    return math.sqrt(float(squares) / df) if df else None


@dataclass(frozen=True, slots=True, eq=False)
class ReliableTrend(Result, WithReasons, Generic[Number, Word]):
    """Slope over all occasions beside its error from unreliability alone."""

    slope: Number  # scale points per unit of time
    standard_error: Number
    index: Number  # slope / standard_error
    intercept: Number
    p_two_sided: Number
    p_direction: Number  # that the true slope has the sign of the observed one, under a flat prior
    occasions: Any
    confidence: float
    higher_is_better: bool | None
    sem: float  # scale points
    n: int
    n_missing: int
    client_ids: pl.Series | None = field(repr=False, default=None)
    codes: CodeArray = field(repr=False, default_factory=lambda: np.array(2, dtype=np.int8))
    reason_codes: CodeArray = field(repr=False, default_factory=lambda: np.array(0, dtype=np.int8))
    method: str = "reliable trend index"
    words: ClassVar[tuple[str | None, ...]] = CATEGORIES

    @property
    def category(self) -> Word:
        """``improved``, ``unchanged`` or ``deteriorated``; ``None`` where it cannot be said."""
        return cast("Word", words_of(self.codes, CATEGORIES))

    def _columns(self) -> dict[str, Any]:
        """Make a table, one row per client."""
        columns: dict[str, Any] = {} if self.client_ids is None else {"client": self.client_ids}
        for name in ("slope", "standard_error", "index", "intercept", "p_two_sided", "p_direction"):
            value = getattr(self, name)
            columns[name] = number_column(np.asarray(math.nan if value is None else value, dtype=float))
        columns["category"] = word_column(self.codes, CATEGORIES)
        columns["reason"] = word_column(self.reason_codes, reasons.WORDS)
        return columns


@checked
def reliable_trend(  # noqa: PLR0913 - options are keyword-only
    scores: object = None,
    times: object = None,
    *,
    sem: float,
    data: object = None,
    client: str = "client",
    time: str = "time",
    score: str = "score",
    higher_is_better: bool | None = None,
    confidence: float = 0.95,
) -> ReliableTrend[Any, Any]:
    """Compare the least-squares slope with the error that unreliable scores alone would give it.

    Parameters
    ----------
    scores, times : column of floats, shape (k,)
        One person's scores in scale points, and when they were taken; or
    data, client, time, score
        a frame with one row per client and occasion, and its columns. Time must be a number.
    sem : float
        Standard error of measurement of one score, in scale points; > 0. (Not the S_diff of two scores, which is
        ``sqrt(2)`` larger.)
    higher_is_better : bool, optional
    confidence : float

    Raises
    ------
    ModelError
        If ``sem`` is not positive, or lengths differ.

    References
    ----------
    .. [1] McAleavey (2024), doi:10.1016/j.jbct.2023.02.002: ``SE = sem / sqrt(sum (t - mean t)^2)``.

    Examples
    --------
    >>> trend = reliable_trend([98, 98, 98, 99, 99, 99], [1, 2, 3, 4, 5, 6], sem=0.5, higher_is_better=True)
    >>> round(trend.slope, 4), round(trend.index, 4), trend.category
    (0.2571, 2.1514, 'improved')
    """
    if not sem > 0:
        raise ModelError(f"sem must be > 0, got {sem:g}: the standard error of measurement, in scale points.")
    ids: pl.Series | None = None
    if data is not None:
        rows = long_scores(data, client=client, time=time, score=score)
        if not rows["time"].dtype.is_numeric():
            raise ModelError(
                f"Column '{time}' must contain numbers (sessions, days, weeks), got {rows['time'].dtype}."
            )
        codes = rows["client"].rle_id().to_numpy()
        ids = rows["client"].unique(maintain_order=True)
        y, t = rows["score"].to_numpy(), rows["time"].cast(pl.Float64).to_numpy()
    else:
        y, t = np.atleast_1d(as_array(scores, "scores")), np.atleast_1d(as_array(times, "times"))
        if y.shape != t.shape:
            raise ModelError(f"scores has {y.size} values and times {t.size}.")
        finite = np.isfinite(y) & np.isfinite(t)
        y, t, codes = y[finite], t[finite], np.zeros(int(finite.sum()), dtype=np.int64)
    people = 1 if ids is None else ids.len()
    shape = () if ids is None else (people,)
    return _trend(y, t, codes, people, shape, (sem, confidence, higher_is_better, ids))


def _trend(
    y: FloatArray,
    t: FloatArray,
    codes: Any,
    people: int,
    shape: tuple[int, ...],
    settings: tuple[float, float, bool | None, pl.Series | None],
) -> ReliableTrend[Any, Any]:
    sem, confidence, higher_is_better, ids = settings
    count = np.bincount(codes, minlength=people).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_t = np.bincount(codes, t, people) / count
        mean_y = np.bincount(codes, y, people) / count
        dt = t - mean_t[codes]
        spread = np.bincount(codes, dt**2, people)
        why = np.where(spread > 0, 0, reasons.CODE["too_few_scores"]).astype(np.int8)
        slope = np.where(why == 0, np.bincount(codes, dt * y, people) / spread, np.nan)
        error = np.where(why == 0, sem / np.sqrt(spread), np.nan)
    index = slope / error
    verdict = judged_codes(index, two_sided(confidence), higher_is_better=higher_is_better, why=why)

    def give(values: FloatArray) -> Any:
        return like_input(values.reshape(shape), shape)

    return ReliableTrend(
        slope=give(slope),
        standard_error=give(error),
        index=give(index),
        intercept=give(mean_y - slope * mean_t),
        p_two_sided=give(2.0 * normal_below(-np.abs(index))),
        p_direction=give(normal_below(np.abs(index))),
        occasions=int(count[0]) if not shape else count.astype(int),
        confidence=confidence,
        higher_is_better=higher_is_better,
        sem=sem,
        n=people,
        n_missing=int(np.count_nonzero(why)),
        client_ids=ids,
        codes=verdict.reshape(shape),
        reason_codes=why.reshape(shape),
    )


def _means(scores: ArrayLike, name: str) -> tuple[FloatArray, FloatArray]:
    values = as_numbers(scores, name)
    if values.ndim not in {1, 2}:
        raise ModelError(f"{name} must be one person's scores or one row per person, got shape {values.shape}.")
    counts = np.isfinite(values).sum(axis=-1).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(np.isfinite(values), values, 0.0).sum(axis=-1) / counts
    return np.asarray(means), np.asarray(counts)
