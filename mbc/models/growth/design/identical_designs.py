"""Clients seen at the same times need not be summed one by one: identical designs, aggregated.

The likelihood is quadratic in B at given S. Clients who share S may therefore be replaced by a few columns whose
vec(B) have the same sum of outer products, with the number of clients kept beside them: an evaluation then costs
as many designs, not as many clients.
"""

from __future__ import annotations

import numpy as np

from mbc.models.growth.design.statistics import Block, Statistics, blocked
from mbc.models.growth.matrices import Floats

SAMPLE = 1024  # clients looked at before anything is sorted


def aggregated(statistics: Statistics) -> Statistics | None:
    """Aggregate clients with identical S; None where too few share one for it to help, or they are already."""
    if (
        statistics.blocks[0].count is not None
        or statistics.clients < 2 * SAMPLE
        or _distinct(statistics.blocks[0]) > SAMPLE // 8
    ):
        return None
    width = statistics.q * (statistics.p + 1)
    gathered: dict[bytes, tuple[Floats, Floats, int]] = {}
    for block in statistics.blocks:
        for key, s, outer, count in _designs(block):
            previous = gathered.get(key)
            gathered[key] = (
                (s, outer, count) if previous is None else (previous[0], previous[1] + outer, previous[2] + count)
            )
        if len(gathered) * width * 4 > statistics.clients:
            return None
    return _columns(gathered, statistics)


def _key(s: Floats) -> Floats:
    """S rounded to twelve digits, so that the order of summation does not tell clients apart: (q * q, clients)."""
    flat = s.reshape(-1, s.shape[-1])
    size = np.abs(flat).max(axis=1, keepdims=True)
    return np.round(flat / np.where(size > 0, size, 1.0), 11) + 0.0


def _distinct(block: Block) -> int:
    """How many designs a sample of clients has."""
    sample = _key(block.s[..., :SAMPLE])
    return len(np.unique(_mixing(len(sample)) @ sample))


def _mixing(size: int) -> Floats:
    """Weights whose sums tell rounded keys apart: square roots of small numbers, no two alike in ratio."""
    return np.sqrt(np.arange(2.0, 2.0 + size))


def _designs(block: Block) -> list[tuple[bytes, Floats, Floats, int]]:
    """Each design of a block: its key, S, the sum of vec(B) vec(B)', and how many clients have it."""
    s = np.ascontiguousarray(block.s)
    # Relative to fixed units, so that equal designs have equal keys in every block.
    scaled = np.ascontiguousarray(np.round(s.reshape(-1, s.shape[-1]), 10).T) + 0.0
    _, first, which, counts = np.unique(
        scaled @ _mixing(scaled.shape[1]), return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(which, kind="stable")
    flat = np.ascontiguousarray(block.b).reshape(-1, block.clients)[:, order]
    out: list[tuple[bytes, Floats, Floats, int]] = []
    start = 0
    for index, count in zip(first.tolist(), counts.tolist(), strict=True):
        part = flat[:, start : start + count]
        out.append((scaled[index].tobytes(), s[..., index], part @ part.T, count))
        start += count
    return out


def _columns(gathered: dict[bytes, tuple[Floats, Floats, int]], statistics: Statistics) -> Statistics:
    """Columns that stand for the clients of each design."""
    q, m = statistics.q, statistics.p + 1
    s_all: list[Floats] = []
    b_all: list[Floats] = []
    counts: list[Floats] = []
    for s, outer, count in gathered.values():
        values, vectors = np.linalg.eigh(outer)
        real = values > 0
        root = vectors[:, real] * np.sqrt(values[real])
        width = max(root.shape[1], 1)
        b_all.append(root.reshape(q, m, -1) if root.shape[1] else np.zeros((q, m, 1)))
        s_all.append(np.repeat(s[:, :, None], width, axis=2))
        counts.append(np.concatenate([[float(count)], np.zeros(width - 1)]))
    s_joined, b_joined = np.concatenate(s_all, axis=2), np.concatenate(b_all, axis=2)
    return Statistics(blocked(s_joined, b_joined, np.concatenate(counts)), statistics.pooled, statistics.rows)
