"""Whether a person changed reliably and ended on the functional side of a cutoff."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar, cast, overload

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs import reasons
from mbc.models.change.inputs.norms import Norms
from mbc.models.change.inputs.proportions import Proportion, wilson_interval
from mbc.models.change.inputs.reasons import WithReasons
from mbc.models.change.inputs.score_arrays import (
    CodeArray,
    Column,
    FloatArray,
    LabelArray,
    pair,
    word_column,
    words_of,
)
from mbc.models.change.person.cutoffs import Cutoff, cutoff
from mbc.models.change.person.judgement import ReliableChange
from mbc.models.results.result import Result

__all__ = ["Category", "ClinicalSignificance", "Cutoff", "clinical_significance", "cutoff"]

Category = Literal["recovered", "improved", "unchanged", "deteriorated", "harmed"]
Side = Literal["clinical", "functional"]
Approach = Literal["combined", "statistical"]
CATEGORIES: tuple[str | None, ...] = ("recovered", "improved", "unchanged", "deteriorated", "harmed", None)
RECOVERED, IMPROVED, UNCHANGED, DETERIORATED, HARMED, NO_VERDICT = range(6)
SIDES: tuple[str | None, ...] = ("clinical", "functional", None)

Word = TypeVar("Word")
Flag = TypeVar("Flag")
BoolArray = NDArray[np.bool_]


class HasCodes(Protocol):
    """A verdict on change for each pair, whatever the method."""

    @property
    def method(self) -> str: ...
    @property
    def codes(self) -> CodeArray: ...
    @property
    def reason_codes(self) -> CodeArray: ...


_SAME = 1e-6  # relative: scores that a verdict was judged from


@dataclass(frozen=True, slots=True, eq=False)
class ClinicalSignificance(Result, WithReasons, Generic[Word, Flag]):
    """Reliable change read together with the side of the cutoff, before and after.

    One person's result holds words and flags, many people's holds arrays of the same length.
    """

    crossed_unreliably: Flag  # from clinical to functional, by a change that is not reliable: never "recovered"
    started_functional: Flag  # its own stratum: cannot recover, can be harmed
    method: str
    cutoff: float | None
    higher_is_better: bool
    n: int
    n_missing: int  # of these, how many could not be judged
    codes: CodeArray = field(repr=False)  # position in CATEGORIES
    reason_codes: CodeArray = field(repr=False)
    started_codes: CodeArray = field(repr=False)  # position in SIDES
    ended_codes: CodeArray = field(repr=False)
    words: ClassVar[tuple[str | None, ...]] = CATEGORIES

    @property
    def category(self) -> Word:
        """``recovered``, ``improved``, ``unchanged``, ``deteriorated`` or ``harmed``; ``None`` if not judged."""
        return cast("Word", words_of(self.codes, CATEGORIES))

    @property
    def started(self) -> Any:
        """``clinical`` or ``functional``, before."""
        return words_of(self.started_codes, SIDES)

    @property
    def ended(self) -> Any:
        """``clinical`` or ``functional``, after."""
        return words_of(self.ended_codes, SIDES)

    @checked
    def rates(self, confidence: float = 0.95) -> dict[str, Proportion]:
        """Give each category's rate among those judged, with its Wilson interval."""
        judged = self.n - self.n_missing
        counts = np.bincount(np.atleast_1d(self.codes), minlength=len(CATEGORIES))
        return {
            word: wilson_interval(int(count), judged, confidence)
            for word, count in zip(CATEGORIES, counts, strict=True)
            if word is not None
        }

    def _columns(self) -> dict[str, Any]:
        """Make a table, one row per pair."""
        columns: dict[str, pl.Series] = {
            "category": word_column(self.codes, CATEGORIES),
            "started": word_column(self.started_codes, SIDES),
            "ended": word_column(self.ended_codes, SIDES),
            "crossed_unreliably": _flag_column(self.crossed_unreliably),
            "started_functional": _flag_column(self.started_functional),
            "reason": word_column(self.reason_codes, reasons.WORDS),
        }
        return columns


@overload
def clinical_significance(
    pre: float | None,
    post: float | None,
    *,
    change: HasCodes | None = ...,
    cutoff: object,
    higher_is_better: bool | None = ...,
    ties: Side | None = ...,
    approach: Approach = ...,
    compat: Literal["clinicalsignificance"] | None = ...,
) -> ClinicalSignificance[Category | None, bool]: ...
@overload
def clinical_significance(
    pre: Column,
    post: Column,
    *,
    change: HasCodes | None = ...,
    cutoff: object,
    higher_is_better: bool | None = ...,
    ties: Side | None = ...,
    approach: Approach = ...,
    compat: Literal["clinicalsignificance"] | None = ...,
) -> ClinicalSignificance[LabelArray, BoolArray]: ...
@checked
def clinical_significance(
    pre: Column | float | None,
    post: Column | float | None,
    *,
    change: HasCodes | None = None,
    cutoff: object,
    higher_is_better: bool | None = None,
    ties: Side | None = None,
    approach: Approach = "combined",
    compat: Literal["clinicalsignificance"] | None = None,
) -> ClinicalSignificance[Any, Any]:
    """Combine the verdict on change with the side of the cutoff before and after.

    ``recovered``: reliably improved, from the clinical to the functional side. ``harmed``: reliably
    deteriorated, from the functional to the clinical side. ``improved``, ``deteriorated``: reliable change alone.

    Parameters
    ----------
    pre, post : float or column of floats, shape (n,)
        Scores before and after, in scale points.
    change : ReliableChange or another verdict, optional
        Without it the side of the cutoff alone decides: see ``approach``.
    cutoff : Cutoff or float
        An instrument's cutoff (its own tie rule is kept), `cutoff`'s result, or a score.
    higher_is_better : bool, optional
        Direction of the scale; taken from ``change`` or ``cutoff`` when these know it.
    ties : {"clinical", "functional"}, optional
        Where a score exactly on the cutoff belongs; the default is what the cutoff says, else ``clinical``.
    approach : {"combined", "statistical"}
        Reliable change and cutoff together; or the cutoff alone: ``improved`` when it was crossed for the better,
        ``deteriorated`` when for the worse. (With Hageman and Arrindell's change, crossed by the true score.)
    compat : {"clinicalsignificance"}, optional
        What that R package does: a score on the cutoff is on neither side.

    Returns
    -------
    ClinicalSignificance

    Raises
    ------
    ModelError
        If the direction is not known, or ``change`` is about other pairs.

    References
    ----------
    .. [1] Jacobson & Truax (1991), doi:10.1037/0022-006X.59.1.12.

    Examples
    --------
    >>> from mbc.models.change.person.reliable_change import reliable_change
    >>> change = reliable_change(32.5, 47.5, sd=7.5, reliability=0.80, higher_is_better=True)
    >>> clinical_significance(32.5, 47.5, change=change, cutoff=45.0).category
    'recovered'
    """
    before, after = pair(pre, post)
    direction = _direction(higher_is_better, change, cutoff)
    value = _cutoff_value(cutoff)
    shape = np.broadcast_shapes(before.shape, after.shape)
    verdict, why = _verdict(change, before, after, shape)
    tie = _tie_rule(ties, cutoff, higher_is_better=direction > 0)
    sides = _Sides.of(direction * before, direction * after, direction * value, tie, compat)
    sides = _hageman_arrindell(sides, change, after, value, direction)
    statistical = change is None or approach == "statistical"
    codes = _statistical(sides) if statistical else _combined(sides, verdict, compat)
    if math.isnan(value):
        why = np.where(why == 0, np.int8(reasons.CODE["no_cutoff"]), why).astype(np.int8)
    codes = np.where(why == 0, codes, np.int8(NO_VERDICT)).astype(np.int8)
    crossed = sides.clinical_pre & sides.functional_post & (verdict == 0) & (why == 0)
    return ClinicalSignificance(
        crossed_unreliably=_flag(np.zeros_like(crossed) if statistical else crossed),
        started_functional=_flag(~sides.clinical_pre & np.isfinite(before) & (not math.isnan(value))),
        method="cutoff alone"
        if change is None
        else change.method
        if not statistical
        else f"{change.method}, cutoff",
        cutoff=None if math.isnan(value) else value,
        higher_is_better=direction > 0,
        n=int(np.prod(shape)),
        n_missing=int(np.count_nonzero(codes == NO_VERDICT)),
        codes=codes,
        reason_codes=why,
        started_codes=_side_codes(sides.clinical_pre, before, value),
        ended_codes=_side_codes(~sides.functional_side_post, after, value),
    )


@dataclass(frozen=True, slots=True)
class _Sides:
    """Side of the cutoff before and after; ``functional_post`` may ask for more than the bare side."""

    clinical_pre: BoolArray
    functional_post: BoolArray  # counts as having reached the functional side
    clinical_post: BoolArray  # counts as having fallen to the clinical side
    functional_side_post: BoolArray  # on the functional side, whatever the method asks

    @classmethod
    def of(cls, pre: FloatArray, post: FloatArray, cut: float, tie: Side, compat: str | None) -> _Sides:
        """Compare scores already turned so that higher is better."""
        if compat is not None:
            above = np.asarray(post > cut)
            return cls(np.asarray(pre < cut), above, ~above, above)
        reached = np.asarray(post > cut) if tie == "clinical" else np.asarray(post >= cut)
        clinical = np.asarray(pre <= cut) if tie == "clinical" else np.asarray(pre < cut)
        return cls(clinical, reached, ~reached, reached)


def _hageman_arrindell(
    sides: _Sides, change: HasCodes | None, post: FloatArray, cut: float, direction: float
) -> _Sides:
    """Ask that the true score be beyond the cutoff, not the observed one (Hageman & Arrindell, 1999)."""
    if change is None or change.method != "hageman-arrindell":
        return sides
    norms = cast("Norms", getattr(change, "norms", Norms()))
    if norms.sem is None or not norms.sd_retest or norms.mean_retest is None:
        return sides
    reliability = (norms.sd_retest**2 - norms.sem**2) / norms.sd_retest**2
    if not (reliability > 0 and norms.sem > 0):
        nowhere = np.zeros_like(sides.functional_post)
        return _Sides(sides.clinical_pre, nowhere, nowhere, sides.functional_side_post)
    expected = norms.mean_retest + (post - norms.mean_retest) * reliability
    index = direction * (expected - cut) / (math.sqrt(reliability) * norms.sem)
    critical = float(getattr(change, "critical"))  # noqa: B009 - only this method's result has one
    functional = sides.clinical_pre & np.asarray(index > critical)
    clinical = ~sides.clinical_pre & np.asarray(index < -critical)
    return _Sides(sides.clinical_pre, functional, clinical, sides.functional_side_post)


def _combined(sides: _Sides, verdict: CodeArray, compat: str | None) -> CodeArray:
    # The R package asks of the harmed only that they have not reached the functional side.
    fallen = sides.clinical_post if compat is None else ~sides.functional_post
    codes = np.full(verdict.shape, UNCHANGED, dtype=np.int8)
    codes[verdict == 1] = IMPROVED
    codes[verdict == -1] = DETERIORATED
    codes[(verdict == 1) & sides.clinical_pre & sides.functional_post] = RECOVERED
    codes[(verdict == -1) & ~sides.clinical_pre & fallen] = HARMED
    return codes


def _statistical(sides: _Sides) -> CodeArray:
    codes = np.full(sides.clinical_pre.shape, UNCHANGED, dtype=np.int8)
    codes[sides.clinical_pre & sides.functional_post] = IMPROVED
    codes[~sides.clinical_pre & sides.clinical_post] = DETERIORATED
    return codes


def _verdict(
    change: HasCodes | None, pre: FloatArray, post: FloatArray, shape: tuple[int, ...]
) -> tuple[CodeArray, CodeArray]:
    if change is None:
        with np.errstate(invalid="ignore"):
            why = reasons.of_pairs(pre, post, np.asarray(post - pre))
        return np.zeros(shape, dtype=np.int8), why
    if change.codes.shape != shape:
        raise ModelError(
            f"change judges {change.codes.size} pairs and there are {int(np.prod(shape))} scores: "
            "give the same pairs to both."
        )
    if isinstance(change, ReliableChange):
        _require_same_scores(cast("ReliableChange[Any, Any]", change), np.asarray(post - pre))
    return change.codes, change.reason_codes


def _require_same_scores(change: ReliableChange[Any, Any], difference: FloatArray) -> None:
    """Refuse a verdict on other scores than these."""
    judged = np.asarray(change.change, dtype=float)
    both = np.isfinite(judged) & np.isfinite(difference)
    if (np.abs(judged - difference)[both] > _SAME * (1.0 + np.abs(judged[both]))).any():
        raise ModelError("change was judged from scores other than pre and post: give the same pairs to both.")


def _direction(stated: object, change: object, cut: object) -> float:
    for direction in (
        stated,
        getattr(change, "higher_is_better", None),
        getattr(cut, "higher_is_better", None),
    ):
        if direction is not None:
            return 1.0 if direction else -1.0
    side = str(getattr(cut, "side", ""))
    if side:
        return 1.0 if side.startswith("<") else -1.0
    raise ModelError(
        "higher_is_better must be True or False: without the scale's direction, better and worse are undefined."
    )


def _cutoff_value(cut: object) -> float:
    value: Any = getattr(cut, "value", cut)
    if value is None:
        return math.nan
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise ModelError(f"cutoff must be a score in scale points or a Cutoff, got {cut!r}.") from error
    if math.isinf(number):
        raise ModelError(f"cutoff must be a finite score, got {number:g}.")
    return number


def _tie_rule(ties: Side | None, cut: object, *, higher_is_better: bool) -> Side:
    if ties is not None:
        if ties not in {"clinical", "functional"}:
            raise ModelError(f"ties must be 'clinical' or 'functional', got {ties!r}.")
        return ties
    side = str(getattr(cut, "side", "<=" if higher_is_better else ">="))
    return "clinical" if side.endswith("=") else "functional"


def _side_codes(clinical: BoolArray, scores: FloatArray, cut: float) -> CodeArray:
    finite = np.isfinite(scores) & (not math.isnan(cut))
    return np.where(finite, np.where(clinical, 0, 1), 2).astype(np.int8)


def _flag(values: BoolArray) -> Any:
    return bool(values) if values.ndim == 0 else values


def _flag_column(values: object) -> pl.Series:
    return pl.Series(np.atleast_1d(np.asarray(values, dtype=bool)))
