"""Whether a score changed by more than measurement error would change it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, overload

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.norms import NormLike, Norms, stated_norms
from mbc.models.change.inputs.reasons import Reason
from mbc.models.change.inputs.score_arrays import Column, FloatArray, LabelArray, pair
from mbc.models.change.person.judgement import Category, Compat, Options, ReliableChange, judged
from mbc.models.change.person.predictions import METHODS, Method, Prediction, predict
from mbc.models.change.person.slopes import (
    ClientSlopes,
    HasClientSlopes,
    Reference,
    client_slopes_of,
    slope_prediction,
)

__all__ = ["Everybody", "OnePerson", "ReliableChange", "reliable_change"]

OnePerson = ReliableChange[float | None, Category | None]
Everybody = ReliableChange[FloatArray, LabelArray]


@overload
def reliable_change(
    pre: float | None = ...,
    post: float | None = ...,
    *,
    sd: float | None = ...,
    reliability: float | None = ...,
    method: Method = ...,
    higher_is_better: bool | None = ...,
    confidence: float = ...,
    norms: NormLike | Mapping[str, object] | None = ...,
    practice: bool = ...,
    growth: ClientSlopes | HasClientSlopes | None = ...,
    reference: Reference = ...,
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
    practice: bool = ...,
    growth: ClientSlopes | HasClientSlopes | None = ...,
    reference: Reference = ...,
    compat: Compat | None = ...,
) -> Everybody: ...
@checked
def reliable_change(  # noqa: PLR0913 - options are keyword-only
    pre: Column | float | None = None,
    post: Column | float | None = None,
    *,
    sd: float | None = None,
    reliability: float | None = None,
    method: Method = "jacobson-truax",
    higher_is_better: bool | None = None,
    confidence: float = 0.95,
    norms: NormLike | Mapping[str, object] | None = None,
    practice: bool = True,
    growth: ClientSlopes | HasClientSlopes | None = None,
    reference: Reference = "zero",
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
        The reference sample. ``sd`` and ``reliability`` given as arguments replace its own. What the method needs
        and nobody states is computed from the complete pairs themselves where the method's authors do so.
    practice : bool
        Whether ``christensen-mendoza`` takes off the retest sample's mean change (Temkin et al., 1999) where its
        means are given.
    growth : ClientSlopes or a fitted growth model, optional
        For ``method="growth"``, instead of ``pre`` and ``post``: change is then the client's slope, in scale
        points per unit of time, and the band is one of slopes.
    reference : {"zero", "sample"}
        For ``growth``: judge the client's whole slope against no change, or only its difference from the
        sample's average slope (what the R package does: when everybody improves alike, nobody is improved).
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
    stated = stated_norms(norms, sd, reliability)
    options = Options(method, confidence, higher_is_better, compat)
    if method == "growth":
        if growth is None:
            raise ModelError("method 'growth' needs growth=: a fitted growth model, or ClientSlopes.")
        slopes = client_slopes_of(growth)
        slope, flat = slope_prediction(slopes, reference)
        return replace(judged(flat.expected, slope, flat, options, norms=stated), client_ids=slopes.client_ids)
    before, after = pair(pre, post)
    if method == "christensen-mendoza" and not practice:
        stated = replace(stated, mean=None, mean_retest=None)
    completed, notes, reason = _completed(method, stated, before, after)
    predicted = (
        predict(method, before, completed) if reason is None else Prediction(before, math.nan, reason=reason)
    )
    if completed.reliability == 0 and "reliability" in METHODS[method][1]:
        notes = (*notes, "A reliability of 0 says that the scores carry no information about the person.")
    return judged(before, after, predicted, options, norms=completed, notes=notes)


def _completed(
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
