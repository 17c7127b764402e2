"""From the filter's state to probabilities, levels with intervals, and sessions still needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mbc.models.change.inputs.distributions import normal_below, normal_quantile
from mbc.models.change.inputs.score_arrays import FloatArray
from mbc.models.change.occasions.level_filter import Limits, Prior, Sequences, Settings, State, filter_sessions
from mbc.models.change.occasions.mixtures import quantile, share_above

NUMBERS = (
    "p_better", "p_worse", "p_meaningful", "change", "change_lower", "change_upper",
    "level", "level_lower", "level_upper", "start",
)  # fmt: skip
_BLOCK = 24_000  # settings x clients filtered at once; the arrays of a block stay in the processor's cache
_EVEN = 0.5
_OVERSHOOT = 0.5826  # -zeta(1/2) / sqrt(2 pi)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted of every client."""

    better: float  # 1: higher is better, -1: lower is
    confidence: float
    meaningful: float | None  # score points
    horizon: int  # most further sessions looked at
    gap: float  # usual time between sessions
    each_session: bool
    intervals: bool = True


@dataclass(frozen=True, slots=True)
class Summaries:
    """Numbers per client, or per client and session, in the order of the sequences."""

    numbers: FloatArray  # (len(NUMBERS), n) or (len(NUMBERS), n, m)
    needed: FloatArray  # (n,): further sessions; 0 where clear, NaN where more than the horizon


def summarise(
    sequences: Sequences, settings: Settings, limits: Limits | None, prior: Prior, asked: Asked
) -> Summaries:
    """Filter all clients, block by block."""
    n, longest = sequences.score.shape
    numbers = np.full((len(NUMBERS), n, longest if asked.each_session else 1), np.nan)
    needed = np.full(n, np.nan)
    for first, block in blocks(sequences, settings):
        own = slice(first, first + block.count.size)
        everybody: State | None = None
        for session, current, state in filter_sessions(block, settings, limits, prior):
            everybody = state
            if asked.each_session:
                there = slice(first, first + current.level.shape[1])
                numbers[:, there, session] = _numbers(current, settings, limits, asked)
        if everybody is not None and not asked.each_session:
            numbers[:, own, 0] = _numbers(everybody, settings, limits, asked)
            clear = np.maximum(numbers[0, own, 0], numbers[1, own, 0]) >= asked.confidence
            needed[own] = sessions_needed(everybody, settings, prior, block.open_time[:, -1], asked, clear=clear)
    return Summaries(numbers if asked.each_session else numbers[:, :, 0], needed)


def blocks(sequences: Sequences, settings: Settings) -> Iterator[tuple[int, Sequences]]:
    """Divide clients into blocks that are filtered at once; gives each block's first row, and the block."""
    size = max(1, _BLOCK // settings.weight.size)
    for first in range(0, sequences.count.size, size):
        yield first, sequences.rows(first, min(first + size, sequences.count.size))


def share_better(state: State, weight: FloatArray, better: float) -> FloatArray:
    """Give the probability that the level is better than at the start, (n,); ``better`` is 1 where higher is."""
    up = share_above(0.0, weight, state.change, state.sd_change)
    return up if better > 0 else 1.0 - up


def _numbers(state: State, settings: Settings, limits: Limits | None, asked: Asked) -> FloatArray:
    weight = state.belief(settings)
    change, sd_change, sd_level = state.change, state.sd_change, np.sqrt(np.maximum(state.var_level, 0.0))
    better = share_better(state, weight, asked.better)
    worse = 1.0 - better
    no_change_yet = sd_change.max(axis=0) <= 0.0  # baselines only: the level has had no time to change
    better, worse = np.where(no_change_yet, 0.0, better), np.where(no_change_yet, 0.0, worse)
    meaningful = np.full(better.shape, np.nan)
    if asked.meaningful is not None:
        beyond = share_above(asked.meaningful, weight, asked.better * change, sd_change)
        meaningful = np.where(no_change_yet, 0.0, beyond)
    tail = 0.5 - 0.5 * asked.confidence
    ends = [
        quantile(share, weight, mean, sd) if asked.intervals else np.full(better.shape, np.nan)
        for mean, sd in ((change, sd_change), (state.level, sd_level))
        for share in (tail, 1.0 - tail)
    ]
    level, start = (weight * state.level).sum(axis=0), (weight * state.start).sum(axis=0)
    moved = (weight * change).sum(axis=0)
    if limits is not None:
        level, start, ends[2], ends[3] = (
            np.clip(values, limits.low, limits.high) for values in (level, start, ends[2], ends[3])
        )
    return np.stack([better, worse, meaningful, moved, ends[0], ends[1], level, ends[2], ends[3], start])


def sessions_needed(
    state: State,
    settings: Settings,
    prior: Prior,
    elapsed: FloatArray,
    asked: Asked,
    *,
    clear: NDArray[np.bool_],
) -> FloatArray:
    """Count the further sessions by which the verdict is as likely as not to have been clear.

    Sessions are one usual gap apart. Under one setting, the mean of the change after h further scores is normal
    about the present mean, with variance V(0) + q h gap - V(h): what is not known now and will be gained, less
    what is not known then. V(h) needs no scores. The chance of having been beyond the critical value by then is
    twice that of being there (reflection), with the line moved for looking only at sessions (Siegmund, 1979,
    doi:10.2307/1426700).
    """
    needed = np.where(clear, 0.0, np.nan)
    left = np.flatnonzero(~clear)
    if not left.size:
        return needed
    ahead = state.of(left)
    weight, mean, at_first, elapsed = ahead.belief(settings), ahead.change, ahead.sd_change**2, elapsed[left]
    critical = normal_quantile(asked.confidence)
    for further in range(1, asked.horizon + 1):
        gap = np.full(left.size, asked.gap)
        ahead.advance(gap, gap, settings)
        ahead.observe_any(settings.error)
        sd = ahead.sd_change
        gained = np.sqrt(np.maximum(at_first + settings.wander[:, None] * further * asked.gap - sd**2, 1e-12))
        line = critical * sd + _OVERSHOOT * gained / np.sqrt(further)
        to_come = _to_come(prior, elapsed, further * asked.gap)
        there = normal_below((np.abs(mean + to_come) - line) / gained)
        chance = (weight * np.minimum(2.0 * there, 1.0)).sum(axis=0)
        clear_now = chance >= _EVEN
        if clear_now.any():
            needed[left[clear_now]] = further
            kept = ~clear_now
            left, elapsed, ahead = left[kept], elapsed[kept], ahead.of(kept)
            weight, mean, at_first = weight[:, kept], mean[:, kept], at_first[:, kept]
            if not left.size:
                break
    return needed


def _to_come(prior: Prior, elapsed: FloatArray, ahead: float) -> FloatArray | float:
    """Change that is expected from now on."""
    if prior.change is None:
        return 0.0
    return prior.change.since_start(elapsed + ahead) - prior.change.since_start(elapsed)
