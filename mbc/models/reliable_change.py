"""Whether a score changed by more than measurement error would change it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal, TypeVar, cast, get_args, overload

import numpy as np
import polars as pl
from scipy import special

from mbc.errors import ModelError, nearest
from mbc.models.change import reasons
from mbc.models.change.norms import NormLike, Norms
from mbc.models.change.predictions import METHODS, Method, Prediction, predict
from mbc.models.change.reasons import Reason
from mbc.models.change.values import (
    Backend,
    CodeArray,
    Column,
    FloatArray,
    LabelArray,
    frame,
    handed_back,
    number_column,
    pair,
    word_column,
    words_of,
)

Category = Literal["improved", "unchanged", "deteriorated"]
CATEGORIES: tuple[str | None, ...] = ("unchanged", "improved", None, "deteriorated")  # by code 0, 1, 2, -1
NO_VERDICT = 2
Compat = Literal["clinicalsignificance"]

Number = TypeVar("Number")
Word = TypeVar("Word")


@dataclass(frozen=True, slots=True, eq=False)
class ReliableChange(Generic[Number, Word]):
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

    @property
    def category(self) -> Word:
        """``improved``, ``unchanged`` or ``deteriorated``; ``None`` where it cannot be said."""
        return cast("Word", words_of(self.codes, CATEGORIES))

    @property
    def reason(self) -> Any:
        """Why there is no category; ``None`` where there is one."""
        return words_of(self.reason_codes, reasons.WORDS)

    def at(self, confidence: float) -> ReliableChange[Number, Word]:
        """Judge the same change at another level of confidence."""
        critical = critical_value(confidence, self.method, self.degrees_of_freedom)
        shape = self.codes.shape
        se, expected, index = _floats(self.standard_error), _floats(self.expected), _floats(self.index)
        codes = _codes(index, critical, higher_is_better=self.higher_is_better, why=self.reason_codes)
        return replace(
            self,
            confidence=confidence,
            critical=critical,
            threshold=handed_back(critical * se, shape),
            lower=handed_back(expected - critical * se, shape),
            upper=handed_back(expected + critical * se, shape),
            codes=codes,
        )

    def levels(self, confidences: Iterable[float] = (0.60, 0.80, 0.95), *, backend: Backend = "polars") -> Any:
        """Give the category at several levels of confidence, one column each (Wise, 2004)."""
        columns: dict[str, pl.Series] = {"index": number_column(_floats(self.index))}
        for level in confidences:
            columns[f"at_{100 * level:g}"] = word_column(self.at(level).codes, CATEGORIES)
        return frame(columns, backend)

    def to_frame(self, *, backend: Backend = "polars") -> Any:
        """Make a table, one row per pair; missing numbers are null."""
        names = ("change", "index", "threshold", "lower", "upper")
        columns: dict[str, pl.Series] = {name: number_column(_floats(getattr(self, name))) for name in names}
        columns["category"] = word_column(self.codes, CATEGORIES)
        columns["reason"] = word_column(self.reason_codes, reasons.WORDS)
        return frame(columns, backend)


OnePerson = ReliableChange[float | None, Category | None]
Everybody = ReliableChange[FloatArray, LabelArray]


@overload
def reliable_change(
    pre: float | None,
    post: float | None,
    *,
    sd: float | None = ...,
    reliability: float | None = ...,
    method: Method = ...,
    higher_is_better: bool | None = ...,
    confidence: float = ...,
    norms: NormLike | Mapping[str, object] | None = ...,
    compat: Compat | None = ...,
) -> OnePerson: ...
@overload
def reliable_change(
    pre: Column,
    post: Column,
    *,
    sd: float | None = ...,
    reliability: float | None = ...,
    method: Method = ...,
    higher_is_better: bool | None = ...,
    confidence: float = ...,
    norms: NormLike | Mapping[str, object] | None = ...,
    compat: Compat | None = ...,
) -> Everybody: ...
def reliable_change(  # noqa: PLR0913 - options are keyword-only
    pre: Column | float | None,
    post: Column | float | None,
    *,
    sd: float | None = None,
    reliability: float | None = None,
    method: Method = "jacobson-truax",
    higher_is_better: bool | None = None,
    confidence: float = 0.95,
    norms: NormLike | Mapping[str, object] | None = None,
    compat: Compat | None = None,
) -> ReliableChange[Any, Any]:
    """Compare a change score with the change that measurement error alone would give.

    Parameters
    ----------
    pre, post : float or column of floats, shape (n,)
        Scores before and after, in scale points; missing ones may be None, null or NaN.
    sd : float, optional
        Standard deviation of ``pre`` in the reference sample, in scale points.
    reliability : float, optional
        Reliability coefficient of that same sample, 0 to 1.
    method : str
        One of the thirteen in the methods reference; each says which norms it needs.
    higher_is_better : bool, optional
        Direction of the scale. Without it there is an index but no category.
    confidence : float
        Two-sided coverage of the band of unchanged scores (Hageman-Arrindell: one-sided), 0 to 1.
    norms : Norms, mapping or an instrument's norm, optional
        The reference sample. ``sd`` and ``reliability`` given by hand replace its own. What the method needs and
        nobody states is computed from the complete pairs themselves where the method's authors do so.
    compat : {"clinicalsignificance"}, optional
        Give what that R package gives, infinite indices of a perfect reliability included.

    Returns
    -------
    ReliableChange
        Its sign follows ``post - pre``; ``category`` takes the direction into account. A change exactly as large
        as the threshold is unchanged.

    Raises
    ------
    ModelError
        If the norms lack what the method needs, or a value is outside its range.

    References
    ----------
    .. [1] Jacobson & Truax (1991), doi:10.1037/0022-006X.59.1.12: ``S_diff = sd * sqrt(2 (1 - reliability))``.

    Examples
    --------
    >>> change = reliable_change(32.5, 47.5, sd=7.5, reliability=0.80, higher_is_better=True)
    >>> round(change.index, 2), round(change.threshold, 1), change.category
    (3.16, 9.3, 'improved')
    >>> reliable_change([20, 15, None], [10, 14, 9], sd=6, reliability=0.85, higher_is_better=False).category
    array(['improved', 'unchanged', None], dtype=object)
    """
    _check_method(method)
    before, after = pair(pre, post)
    stated = _stated(norms, sd, reliability)
    reference, notes, reason = _reference(method, stated, before, after)
    predicted = (
        predict(method, before, reference) if reason is None else Prediction(before, math.nan, reason=reason)
    )
    if reference.reliability == 0 and "reliability" in METHODS[method][1]:
        notes = (*notes, "A reliability of 0 says that the scores carry no information about the person.")
    return judged(
        before, after, predicted, method=method, confidence=confidence, higher_is_better=higher_is_better,
        norms=reference, notes=notes, compat=compat,
    )  # fmt: skip


def judged(  # noqa: PLR0913 - one argument per field of the result
    pre: FloatArray,
    post: FloatArray,
    predicted: Prediction,
    *,
    method: str,
    confidence: float,
    higher_is_better: bool | None,
    norms: Norms,
    notes: tuple[str, ...] = (),
    compat: Compat | None = None,
) -> ReliableChange[Any, Any]:
    """Turn a prediction into index, band and category for everybody at once."""
    critical = critical_value(confidence, method, predicted.degrees_of_freedom)
    with np.errstate(invalid="ignore", divide="ignore"):
        change = np.asarray(post - pre)
        why = reasons.of_pairs(pre, post, change)
        if predicted.reason is not None:
            why = np.where(why == 0, np.int8(reasons.CODE[predicted.reason]), why).astype(np.int8)
        se: FloatArray | float = predicted.standard_error
        if predicted.reason is not None and compat is None:
            se = math.nan
        residual = change if predicted.expected is pre else post - predicted.expected
        index = np.asarray(residual / np.float64(se) if np.ndim(se) == 0 else residual / se)
    if compat is not None:
        why = np.where(np.isnan(index), why, np.int8(0)).astype(np.int8)
    threshold = critical * se
    codes = _codes(index, critical, higher_is_better=higher_is_better, why=why)
    if higher_is_better is None:
        why = np.where(why == 0, np.int8(reasons.CODE["no_direction"]), why).astype(np.int8)
    shape = change.shape
    return ReliableChange(
        change=handed_back(change, shape),
        index=handed_back(index, shape),
        threshold=handed_back(threshold, shape),
        lower=handed_back(predicted.expected - threshold, shape),
        upper=handed_back(predicted.expected + threshold, shape),
        expected=handed_back(predicted.expected, shape),
        standard_error=handed_back(se, shape),
        method=method,
        confidence=confidence,
        critical=critical,
        degrees_of_freedom=predicted.degrees_of_freedom,
        higher_is_better=higher_is_better,
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
    return float(special.ndtri(probability) if df is None else special.stdtrit(df, probability))


def _codes(index: FloatArray, critical: float, *, higher_is_better: bool | None, why: CodeArray) -> CodeArray:
    if higher_is_better is None:
        return np.full(index.shape, NO_VERDICT, dtype=np.int8)
    up = np.greater(index, critical).view(np.int8) if index.ndim else np.int8(index > critical)
    down = np.less(index, -critical).view(np.int8) if index.ndim else np.int8(index < -critical)
    codes = np.asarray(up - down if higher_is_better else down - up, dtype=np.int8)
    if why.any():
        codes = np.where(why == 0, codes, np.int8(NO_VERDICT)).astype(np.int8)
    return codes


def _stated(norms: NormLike | Mapping[str, object] | None, sd: float | None, reliability: float | None) -> Norms:
    given = {name: float(value) for name, value in (("sd", sd), ("reliability", reliability)) if value is not None}
    stated = Norms.of(norms)
    return replace(stated, **cast("dict[str, Any]", given)) if given else stated


def _reference(
    method: str, stated: Norms, pre: FloatArray, post: FloatArray
) -> tuple[Norms, tuple[str, ...], Reason | None]:
    """Complete the norms from the scores themselves, where the method's authors do so."""
    _, needs, may_use_sample = METHODS[method]
    lacking = [name for name in needs if getattr(stated, name) is None and name != "reliability"]
    if not lacking or not may_use_sample or pre.ndim == 0:
        return stated, (), None
    sample = Norms.from_sample(pre, post)
    note = f"{', '.join(lacking)} computed from the {sample.n} complete pairs themselves."
    filled = stated.filled_from(sample)
    if all(getattr(filled, name) is not None for name in lacking):
        return filled, (note,), None
    return filled, (note,), "too_few_pairs" if (sample.n or 0) < 2 else "zero_variance"


def _check_method(method: str) -> None:
    if method not in METHODS:
        hint = ", ".join(nearest(method, METHODS)) or ", ".join(get_args(Method))
        raise ModelError(f"method '{method}' is not known. Did you mean: {hint}?")


def _floats(values: object) -> FloatArray:
    return np.asarray(math.nan if values is None else values, dtype=float)
