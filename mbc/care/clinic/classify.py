"""Outcome categories of many clients at once, by the same rules as a client's page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mbc import models
from mbc.care.course.noise import Noise, noise_of
from mbc.care.words import number
from mbc.instruments import Instrument, Scale

_FOLDED = {"harmed": "deteriorated"}  # harmed: deteriorated and crossed the cutoff; a rate counts both as one


@dataclass(frozen=True, slots=True)
class Verdicts:
    """One category for each pair of scores, and what it rests on."""

    categories: tuple[str, ...]  # recovered, improved, unchanged or deteriorated
    began_distressed: NDArray[np.bool_]  # all False where the scale has no cutoff
    recoverable: bool  # whether there is a cutoff to cross
    rule: str
    verified: bool  # whether the change norm was checked at its source


@dataclass(frozen=True, slots=True, eq=False)
class _Beyond:
    """A verdict by threshold, in the shape that models.clinical_significance reads."""

    codes: NDArray[np.int8]
    higher_is_better: bool
    method: str = "threshold"

    @property
    def reason_codes(self) -> NDArray[np.int8]:
        """Every pair here is complete: none lacks a verdict."""
        return np.zeros_like(self.codes)


def judge(of: Instrument, scale: Scale, pre: NDArray[np.float64], post: NDArray[np.float64]) -> Verdicts | None:
    """Judge complete pairs of scores.

    Parameters
    ----------
    of, scale : Instrument, Scale
        Their change norm and cutoff are used.
    pre, post : ndarray, shape (n_pairs,)
        Scores in scale points; none missing.

    Returns
    -------
    Verdicts or None
        None where no measurement error is published for this scale.
    """
    noise = noise_of(of, scale)
    if noise is None:
        return None
    change = _Beyond(_codes(noise, scale, post - pre), scale.higher_is_better)
    if scale.cutoff is None:
        words = np.array(["deteriorated", "unchanged", "improved"])[change.codes + 1]
        began = np.zeros(len(pre), dtype=np.bool_)
        return Verdicts(
            tuple(map(str, words)), began, recoverable=False, rule=_rule(noise, scale), verified=_verified(noise)
        )
    significance = models.clinical_significance(pre, post, change=change, cutoff=scale.cutoff)
    return Verdicts(
        categories=tuple(_FOLDED.get(category, category) for category in map(str, significance.category)),
        began_distressed=np.asarray(significance.started == "clinical", dtype=np.bool_),
        recoverable=True,
        rule=_rule(noise, scale),
        verified=_verified(noise),
    )


def _codes(noise: Noise, scale: Scale, moved: NDArray[np.float64]) -> NDArray[np.int8]:
    better = moved if scale.higher_is_better else -moved
    if noise.inclusive:
        return (better >= noise.threshold).astype(np.int8) - (better <= -noise.threshold).astype(np.int8)
    return (better > noise.threshold).astype(np.int8) - (better < -noise.threshold).astype(np.int8)


def _verified(noise: Noise) -> bool:
    return noise.confidence != "unverified"


def _rule(noise: Noise, scale: Scale) -> str:
    at_least = "at least" if noise.inclusive else "more than"
    return f"{at_least} {number(noise.threshold, max(scale.decimals, 1))} points ({noise.source})"
