"""Whether a change is as large as people notice, in points or in per cent of the first score."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Literal, TypeVar, cast, overload

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs import reasons
from mbc.models.change.inputs.reasons import WithReasons
from mbc.models.change.inputs.score_arrays import (
    CodeArray,
    Column,
    FloatArray,
    LabelArray,
    like_input,
    number_column,
    pair,
    word_column,
    words_of,
)
from mbc.models.results.result import Result

Compat = Literal["clinicalsignificance"]
WORDS: tuple[str | None, ...] = ("unchanged", "improved", None, "deteriorated")  # by code 0, 1, 2, -1
Number = TypeVar("Number")
Word = TypeVar("Word")


@dataclass(frozen=True, slots=True, eq=False)
class MeaningfulChange(Result, WithReasons, Generic[Number, Word]):
    """A change beside the least change that counts; that size itself counts."""

    change: Number  # scale points, post - pre
    value: Number  # what is compared: scale points, or a proportion of the first score
    method: str  # anchor, percentage
    improvement: float  # least improvement, in the unit of value
    deterioration: float
    higher_is_better: bool
    n: int
    n_missing: int
    improved: NDArray[np.bool_] = field(repr=False)
    deteriorated: NDArray[np.bool_] = field(repr=False)
    codes: CodeArray = field(repr=False)  # 1 improved, 0 unchanged, -1 deteriorated, 2 not judged
    reason_codes: CodeArray = field(repr=False)
    words: ClassVar[tuple[str | None, ...]] = WORDS

    @property
    def category(self) -> Word:
        """``improved``, ``unchanged`` or ``deteriorated``; ``None`` where it cannot be said."""
        return cast("Word", words_of(self.codes, WORDS))

    def _columns(self) -> dict[str, Any]:
        """Make a table, one row per pair."""
        columns: dict[str, pl.Series] = {
            "change": number_column(cast("FloatArray", self.change)),
            "value": number_column(cast("FloatArray", self.value)),
            "category": word_column(self.codes, WORDS),
            "reason": word_column(self.reason_codes, reasons.WORDS),
        }
        return columns


OnePerson = MeaningfulChange[float | None, Literal["improved", "unchanged", "deteriorated"] | None]
Everybody = MeaningfulChange[FloatArray, LabelArray]


@overload
def anchor_change(
    pre: float | None,
    post: float | None,
    *,
    improvement: float,
    deterioration: float | None = ...,
    higher_is_better: bool,
) -> OnePerson: ...
@overload
def anchor_change(
    pre: Column, post: Column, *, improvement: float, deterioration: float | None = ..., higher_is_better: bool
) -> Everybody: ...
@checked
def anchor_change(
    pre: Column | float | None,
    post: Column | float | None,
    *,
    improvement: float,
    deterioration: float | None = None,
    higher_is_better: bool,
) -> MeaningfulChange[Any, Any]:
    """Compare each change with a minimal important difference.

    Parameters
    ----------
    pre, post : float or column of floats, shape (n,)
        Scores before and after, in scale points.
    improvement : float
        Least improvement that counts, in scale points; > 0. A change of exactly this size counts.
    deterioration : float, optional
        Least worsening that counts; as much as ``improvement`` unless given.
    higher_is_better : bool

    Raises
    ------
    ModelError
        If a least change is not positive.

    Examples
    --------
    >>> anchor_change(16, 10, improvement=6, higher_is_better=False).category
    'improved'
    """
    least, most = _least("improvement", improvement), _least("deterioration", deterioration or improvement)
    before, after = pair(pre, post)
    with np.errstate(invalid="ignore"):
        change = np.asarray(after - before)
        turned = change if higher_is_better else -change
        improved, deteriorated = np.asarray(turned >= least), np.asarray(turned <= -most)
    why = reasons.of_pairs(before, after, change)
    return _made("anchor", change, change, improved, deteriorated, why, (least, most, higher_is_better))


@overload
def percentage_change(
    pre: float | None,
    post: float | None,
    *,
    improvement: float = ...,
    deterioration: float | None = ...,
    higher_is_better: bool,
    minimum: float = ...,
    compat: Compat | None = ...,
) -> OnePerson: ...
@overload
def percentage_change(
    pre: Column,
    post: Column,
    *,
    improvement: float = ...,
    deterioration: float | None = ...,
    higher_is_better: bool,
    minimum: float = ...,
    compat: Compat | None = ...,
) -> Everybody: ...
@checked
def percentage_change(
    pre: Column | float | None,
    post: Column | float | None,
    *,
    improvement: float = 0.5,
    deterioration: float | None = None,
    higher_is_better: bool,
    minimum: float = 0.0,
    compat: Compat | None = None,
) -> MeaningfulChange[Any, Any]:
    """Compare each change with a share of the first score (a 50 % drop is "response").

    Parameters
    ----------
    pre, post : float or column of floats, shape (n,)
        Scores before and after, in scale points.
    improvement : float
        Least improvement that counts, as a proportion: 0.5 is 50 %. Exactly this much counts.
    deterioration : float, optional
        Least worsening that counts; as much as ``improvement`` unless given.
    higher_is_better : bool
    minimum : float
        The scale's least possible score, taken off first: a proportion needs a true zero.
    compat : {"clinicalsignificance"}, optional
        What that R package does at a first score of zero: any rise is an improvement whatever the direction.

    Notes
    -----
    From a first score at the scale's minimum no proportion can be had: the reason is ``zero_baseline``, unless
    nothing changed. Proportions are not comparable between scales, and unstable from low scores.

    Raises
    ------
    ModelError
        If a least change is not positive.

    Examples
    --------
    >>> percentage_change([16, 10, 0], [8, 6, 3], higher_is_better=False).category
    array(['improved', 'unchanged', None], dtype=object)
    """
    least, most = _least("improvement", improvement), _least("deterioration", deterioration or improvement)
    before, after = pair(pre, post)
    base, direction = before - minimum, 1.0 if higher_is_better else -1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        change = np.asarray(after - before)
        value = np.asarray(np.where(change == 0.0, 0.0, change / base))
        improved, deteriorated = np.asarray(direction * value >= least), np.asarray(direction * value <= -most)
    why = reasons.of_pairs(before, after, change)
    if compat is not None:
        at_zero = (base == 0.0) & (change != 0.0)
        improved, deteriorated = improved | (at_zero & (after > 0)), deteriorated | (at_zero & (after < 0))
    else:
        why = np.where((why == 0) & (change != 0) & (base == 0), np.int8(reasons.CODE["zero_baseline"]), why)
        why = np.where((why == 0) & (base < 0), np.int8(reasons.CODE["negative_baseline"]), why).astype(np.int8)
        value = np.where(why == 0, value, np.nan)
    return _made("percentage", change, value, improved, deteriorated, why, (least, most, higher_is_better))


def _made(
    method: str,
    change: FloatArray,
    value: FloatArray,
    improved: NDArray[np.bool_],
    deteriorated: NDArray[np.bool_],
    why: CodeArray,
    settings: tuple[float, float, bool],
) -> MeaningfulChange[Any, Any]:
    complete = why == 0
    improved, deteriorated = improved & complete, deteriorated & complete
    codes = np.where(improved, 1, np.where(deteriorated, -1, np.where(complete, 0, 2))).astype(np.int8)
    return MeaningfulChange(
        change=like_input(change, change.shape),
        value=like_input(value, change.shape),
        method=method,
        improvement=settings[0],
        deterioration=settings[1],
        higher_is_better=settings[2],
        n=change.size,
        n_missing=int(np.count_nonzero(codes == 2)),
        improved=improved,
        deteriorated=deteriorated,
        codes=codes,
        reason_codes=why,
    )


def _least(name: str, value: float) -> float:
    if not value > 0:
        raise ModelError(
            f"{name} must be > 0, got {value:g}: it is a magnitude; higher_is_better gives the direction."
        )
    return float(value)
