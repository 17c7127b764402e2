"""Why can a number not be had: every reason, as a word that a program can test."""

from __future__ import annotations

from typing import Any, Literal, Protocol, get_args

import numpy as np

from mbc.models.change.inputs.score_arrays import CodeArray, FloatArray, words_of

Reason = Literal[
    "missing_pre",
    "missing_post",
    "missing_both",
    "not_finite",  # an infinite score
    "zero_variance",  # nobody differs: no unit to measure change in
    "perfect_reliability",  # no measurement error assumed: any change at all would be "reliable"
    "no_reliable_differences",  # difference scores vary less than measurement error alone would make them
    "too_few_pairs",
    "no_direction",  # whether higher is better was not said
    "no_cutoff",
    "outside_scale",  # a cutoff that no score can reach
    "error_exceeds_spread",  # measurement error larger than the spread of scores
    "no_reliability",
    "not_estimable",
    "all_censored",  # nobody was seen to change
    "too_few_scores",
    "too_far_ahead",  # a forecast beyond what the scores can carry
    "zero_baseline",  # no proportion of nothing
    "negative_baseline",
]
WORDS: tuple[str | None, ...] = (None, *get_args(Reason))  # code 0: nothing is missing
CODE: dict[str, int] = {word: code for code, word in enumerate(WORDS) if word is not None}


class _Coded(Protocol):
    @property
    def reason_codes(self) -> CodeArray: ...


class WithReasons:
    """A result that says why it has no answer, for one person or for each of many."""

    __slots__ = ()

    @property
    def reason(self: _Coded) -> Any:
        """Why there is no answer; ``None`` where there is one."""
        return words_of(self.reason_codes, WORDS)


def of_pairs(pre: FloatArray, post: FloatArray, change: FloatArray) -> CodeArray:
    """Say for each pair why its change is not known (0 where it is).

    Parameters
    ----------
    pre, post : ndarray, shape () or (n,)
    change : ndarray
        ``post - pre``; looked at first, because most columns are complete.
    """
    finite = np.isfinite(change)
    if finite.all():
        return np.broadcast_to(np.int8(0), change.shape)
    no_pre, no_post = np.isnan(pre), np.isnan(post)
    codes = np.where(finite, 0, CODE["not_finite"]).astype(np.int8)
    codes[()] = np.where(no_pre, CODE["missing_pre"], codes)
    codes[()] = np.where(no_post, CODE["missing_post"], codes)
    codes[()] = np.where(no_pre & no_post, CODE["missing_both"], codes)
    return codes
