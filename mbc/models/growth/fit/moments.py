"""Rough variances by moments: how far apart are the clients' own fits, less what noise alone would give.

For client i with its own least-squares fit b_i = S_i^-1 Z_i'y, E b_i b_i' = G + sigma^2 S_i^-1, and what the fits
leave of y'y is sigma^2 times its degrees of freedom [1]_. A search that begins there needs half the steps of one
from a fixed guess.

.. [1] Swamy (1970), doi:10.2307/1913012: random-coefficient regression by the clients' own fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import cast

import numpy as np

from mbc.models.growth.design.product_block import ProductBlock
from mbc.models.growth.design.statistics import Block, PairBlock, Statistics
from mbc.models.growth.matrices import Floats

DETERMINED = 1e-3  # of s11 s22: below this a client's two effects cannot be distinguished


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over clients; those whose own fit is determined carry weights w = 1 / (1 + tr S^-1)."""

    weight: float  # sum w
    spread: tuple[float, ...]  # sum w b b', as (b1 b1, b1 b2, b2 b2) or (b1 b1)
    noise: tuple[float, ...]  # sum w S^-1, likewise
    explained: float  # sum b'S b: what the fits take off y'y
    rank: float  # degrees of freedom that the fits use

    def __add__(self, other: Moments) -> Moments:
        return Moments(
            self.weight + other.weight,
            tuple(map(add, self.spread, other.spread)),
            tuple(map(add, self.noise, other.noise)),
            self.explained + other.explained,
            self.rank + other.rank,
        )


def moment_factor(statistics: Statistics) -> Floats | None:
    """Factor of the relative covariance by moments; None for more than two effects, or where nothing is left."""
    if statistics.q > 2:
        return None
    sums = reduce(add, map(_moments, statistics.blocks))
    spare = statistics.rows - sums.rank
    left = float(statistics.pooled[-1, -1]) - sums.explained
    if not (sums.weight > 0 and spare > 0 and left > 0):
        return None
    to_relative = spare / (left * sums.weight)  # 1 / (sigma^2 sum w)
    return _factor([to_relative * value for value in sums.spread], [value / sums.weight for value in sums.noise])


def _factor(spread: list[float], noise: list[float]) -> Floats:
    """Take the noise off, with every variance kept positive and the correlation inside the border."""
    first = max(spread[0] - noise[0], 0.05 * noise[0]) ** 0.5
    if len(spread) == 1:
        return np.array([[first]])
    second = max(spread[2] - noise[2], 0.05 * noise[2]) ** 0.5
    correlation = min(max((spread[1] - noise[1]) / (first * second), -0.9), 0.9)
    return np.array([[first, 0.0], [correlation * second, second * (1.0 - correlation * correlation) ** 0.5]])


def _moments(block: Block) -> Moments:
    return _pair(block) if isinstance(block, PairBlock | ProductBlock) else _single(block)


def _single(block: Block) -> Moments:
    s, b = block.s[0, 0], block.b[0, -1]
    positive = s > 0
    count = positive.astype(np.float64) if block.count is None else positive * block.count
    inverse = np.divide(1.0, s, out=np.zeros_like(s), where=positive)
    own, weight = inverse * b, 1.0 / (1.0 + inverse)
    spread = float((weight * own) @ own)
    weight *= count
    return Moments(_total(weight), (spread,), (float(weight @ inverse),), float(own @ b), _total(count))


def _pair(block: PairBlock | ProductBlock) -> Moments:
    s11, _, s22, det = block.minors
    determined = det > DETERMINED * s11 * s22
    count = determined.astype(np.float64) if block.count is None else determined * block.count
    inverse = np.divide(1.0, det, out=np.zeros_like(det), where=determined)  # 1 / |S|
    weight = 1.0 / (1.0 + (s11 + s22) * inverse)
    b, turned = block.outcome, block.turned  # and adj(S) b
    own = turned * inverse
    (spread11, spread12), (_, spread22) = cast("list[list[float]]", ((own * weight) @ own.T).tolist())
    weight *= count
    noise11, noise12, noise22 = cast("list[float]", (block.minors[:3] @ (weight * inverse)).tolist())
    total = _total(count)
    explained, rank = float((b * own).sum()), 2.0 * total
    if total < (block.clients if block.count is None else _total(block.count)):  # the others have a level only
        level = ~determined & (s11 > 0)
        explained += float((b[0, level] ** 2 / s11[level]).sum())
        rank += _total(level.astype(np.float64) if block.count is None else level * block.count)
    return Moments(_total(weight), (spread11, spread12, spread22), (noise22, -noise12, noise11), explained, rank)


def _total(values: Floats) -> float:
    return float(np.add.reduce(values))
