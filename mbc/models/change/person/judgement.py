"""From an expected score and its error to index, band and category, for everybody at once."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Generic, Literal, TypeVar, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs import reasons
from mbc.models.change.inputs.distributions import normal_quantile, t_quantile
from mbc.models.change.inputs.norms import Norms
from mbc.models.change.inputs.reasons import WithReasons
from mbc.models.change.inputs.score_arrays import (
    CodeArray,
    FloatArray,
    like_input,
    number_column,
    word_column,
    words_of,
)
from mbc.models.change.person.predictions import Prediction
from mbc.models.results.result import Result
from mbc.models.results.tables import Backend, frame

Category = Literal["improved", "unchanged", "deteriorated"]
CATEGORIES: tuple[str | None, ...] = ("unchanged", "improved", None, "deteriorated")  # by code 0, 1, 2, -1
NO_VERDICT = 2
Compat = Literal["clinicalsignificance"]

Number = TypeVar("Number")
Word = TypeVar("Word")


@dataclass(frozen=True, slots=True, eq=False)
class ReliableChange(Result, WithReasons, Generic[Number, Word]):
    """Observed change beside the change that measurement error alone would give.

    One person's result holds floats and words (``None`` where there is none); many people's holds arrays of the
    same length (NaN where there is none, and then always a word in ``reason``).
    """

    change: Number  # scale points, post - pre
    index: Number  # standard errors; its sign is that of post - expected
    threshold: Number  # scale points from the expected score; more than this is reliable
    lower: Number  # the band of follow-up scores that count as unchanged, given the baseline
    upper: Number
    expected: Number  # follow-up score expected without real change
    standard_error: Number  # scale points
    method: str
    confidence: float  # 0 to 1
    critical: float  # standard errors
    degrees_of_freedom: float | None  # of the t distribution; None: normal
    higher_is_better: bool | None
    norms: Norms
    n: int
    n_missing: int  # of these, how many could not be judged
    notes: tuple[str, ...]
    codes: CodeArray = field(repr=False)  # 1 improved, 0 unchanged, -1 deteriorated, 2 not judged
    reason_codes: CodeArray = field(repr=False)
    client_ids: NDArray[np.object_] | None = field(repr=False, default=None)  # where the clients are known
    words: ClassVar[tuple[str | None, ...]] = CATEGORIES

    @property
    def category(self) -> Word:
        """``improved``, ``unchanged`` or ``deteriorated``; ``None`` where it cannot be said."""
        return cast("Word", words_of(self.codes, CATEGORIES))

    @checked
    def at(self, confidence: float) -> ReliableChange[Number, Word]:
        """Judge the same change at another level of confidence."""
        critical = critical_value(confidence, self.method, self.degrees_of_freedom)
        shape = self.codes.shape
        se, expected, index = _floats(self.standard_error), _floats(self.expected), _floats(self.index)
        codes = judged_codes(index, critical, higher_is_better=self.higher_is_better, why=self.reason_codes)
        return replace(
            self,
            confidence=confidence,
            critical=critical,
            threshold=like_input(critical * se, shape),
            lower=like_input(expected - critical * se, shape),
            upper=like_input(expected + critical * se, shape),
            codes=codes,
        )

    @checked
    def levels(self, confidences: Iterable[float] = (0.60, 0.80, 0.95), *, backend: Backend = "polars") -> Any:
        """Give the category at several levels of confidence, one column each (Wise, 2004)."""
        columns: dict[str, pl.Series] = {"index": number_column(_floats(self.index))}
        for level in confidences:
            columns[f"at_{100 * level:g}"] = word_column(self.at(level).codes, CATEGORIES)
        return frame(columns, backend)

    def _columns(self) -> dict[str, Any]:
        """Make a table, one row per pair; missing numbers are null."""
        names = ("change", "index", "threshold", "lower", "upper")
        columns: dict[str, Any] = {} if self.client_ids is None else {"client": self.client_ids.tolist()}
        columns |= {name: number_column(_floats(getattr(self, name))) for name in names}
        columns["category"] = word_column(self.codes, CATEGORIES)
        columns["reason"] = word_column(self.reason_codes, reasons.WORDS)
        return columns


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked, for the part that judges."""

    method: str
    confidence: float
    higher_is_better: bool | None
    compat: Compat | None = None


def judged(
    pre: FloatArray,
    post: FloatArray,
    predicted: Prediction,
    options: Options,
    *,
    norms: Norms,
    notes: tuple[str, ...] = (),
) -> ReliableChange[Any, Any]:
    """Turn a prediction into index, band and category for everybody at once."""
    critical = critical_value(options.confidence, options.method, predicted.degrees_of_freedom)
    faithful = options.compat is not None
    with np.errstate(invalid="ignore", divide="ignore"):
        change = np.asarray(post - pre)
        why = reasons.of_pairs(pre, post, change)
        error: FloatArray | float = predicted.standard_error
        if predicted.reason is not None:
            why = np.where(why == 0, np.int8(reasons.CODE[predicted.reason]), why).astype(np.int8)
            error = error if faithful else math.nan
        residual = change if predicted.expected is pre else post - predicted.expected
        index = np.asarray(residual / np.asarray(error, dtype=float))
        threshold = critical * error
        lower, upper = predicted.expected - threshold, predicted.expected + threshold
    if faithful:
        why = np.where(np.isnan(index), why, np.int8(0)).astype(np.int8)
    elif why.any():
        change, index = np.where(np.isfinite(change), change, np.nan), np.where(why == 0, index, np.nan)
    codes = judged_codes(index, critical, higher_is_better=options.higher_is_better, why=why)
    if options.higher_is_better is None:
        why = np.where(why == 0, np.int8(reasons.CODE["no_direction"]), why).astype(np.int8)
    shape = change.shape
    return ReliableChange(
        change=like_input(change, shape),
        index=like_input(index, shape),
        threshold=like_input(threshold, shape),
        lower=like_input(lower, shape),
        upper=like_input(upper, shape),
        expected=like_input(predicted.expected, shape),
        standard_error=like_input(error, shape),
        method=options.method,
        confidence=options.confidence,
        critical=critical,
        degrees_of_freedom=predicted.degrees_of_freedom,
        higher_is_better=options.higher_is_better,
        norms=norms,
        n=change.size,
        n_missing=int(np.count_nonzero(codes == NO_VERDICT)),
        notes=notes,
        codes=codes,
        reason_codes=why,
    )


def critical_value(confidence: float, method: str = "jacobson-truax", df: float | None = None) -> float:
    """Give the number of standard errors that a change must exceed.

    Examples
    --------
    >>> round(critical_value(0.95), 6), round(critical_value(0.95, "hageman-arrindell"), 6)
    (1.959964, 1.644854)
    """
    if not 0.0 < confidence < 1.0:
        raise ModelError(f"confidence must be in (0, 1), got {confidence:g}. Is it a percentage?")
    # Hageman & Arrindell bound the risk of a false claim in one direction (their phi_max).
    probability = confidence if method == "hageman-arrindell" else 0.5 + confidence / 2.0
    return normal_quantile(probability) if df is None else t_quantile(df, probability)


def judged_codes(
    index: FloatArray, critical: float, *, higher_is_better: bool | None, why: CodeArray
) -> CodeArray:
    """Compare every index with the critical value; ``why`` is 0 where it is known."""
    if higher_is_better is None:
        return np.full(index.shape, NO_VERDICT, dtype=np.int8)
    up = np.greater(index, critical).view(np.int8) if index.ndim else np.int8(index > critical)
    down = np.less(index, -critical).view(np.int8) if index.ndim else np.int8(index < -critical)
    codes = np.asarray(up - down if higher_is_better else down - up, dtype=np.int8)
    if why.any():
        codes = np.where(why == 0, codes, np.int8(NO_VERDICT)).astype(np.int8)
    return codes


def _floats(values: object) -> FloatArray:
    return np.asarray(math.nan if values is None else values, dtype=float)
