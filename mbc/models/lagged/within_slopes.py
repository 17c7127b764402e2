"""What are the slopes within persons, with the bias of short series taken off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mbc.models.change.inputs.score_arrays import FloatArray
from mbc.models.courses.sessions import IntArray

_CHUNK = 50  # bootstrap samples at a time


@dataclass(frozen=True, slots=True, eq=False)
class Products:
    """Cross-products per client of regressors (p) and outcomes (q), each freed of the client's level and trend."""

    regressors: FloatArray  # (n_clients, p, p)
    outcomes: FloatArray  # (n_clients, p, q)

    def slopes(self, weights: FloatArray) -> FloatArray:
        """Least squares over clients, each counted ``weights`` times; shape (n_samples, p, q)."""
        n, p, q = self.outcomes.shape
        left = (weights @ self.regressors.reshape(n, p * p)).reshape(-1, p, p)
        right = (weights @ self.outcomes.reshape(n, p * q)).reshape(-1, p, q)
        return np.asarray(np.linalg.solve(left, right), dtype=float)


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """The whole series and its halves: what the half-panel jackknife needs."""

    totals: Products
    halves: tuple[Products, ...]  # first, second; and again, where an odd row can fall to either side

    def corrected(self, weights: FloatArray) -> FloatArray:
        """``2 g - mean(g of the halves)``: the bias of order one over the length cancels."""
        halves = np.stack([half.slopes(weights) for half in self.halves])
        return np.asarray(2.0 * self.totals.slopes(weights) - halves.mean(axis=0), dtype=float)


def panel(
    client: IntArray, time: FloatArray, regressors: FloatArray, outcomes: FloatArray, people: int, *, trend: bool
) -> Panel:
    """Take off each client's level (and straight line), for the whole series and for each half by itself."""
    count = np.bincount(client, minlength=people)
    rank = np.arange(client.size) - (np.cumsum(count) - count)[client]

    def products(chosen: IntArray) -> Products:
        own, when = client[chosen], time[chosen]
        x = freed(regressors[chosen], own, when, people, trend=trend)
        y = freed(outcomes[chosen], own, when, people, trend=trend)
        return Products(_summed(x, x, own, people), _summed(x, y, own, people))

    halves: list[Products] = []
    for extra in (0, 1):
        cut = (count + extra) // 2
        halves += [products(np.flatnonzero(rank < cut[client])), products(np.flatnonzero(rank >= cut[client]))]
    return Panel(products(np.arange(client.size)), tuple(halves))


def freed(values: FloatArray, client: IntArray, time: FloatArray, people: int, *, trend: bool) -> FloatArray:
    """Take off the client's mean, and the least-squares line over time."""
    count = np.maximum(np.bincount(client, minlength=people), 1).astype(float)

    def centred(column: FloatArray) -> FloatArray:
        return column - (np.bincount(client, column, people) / count)[client]

    out = np.stack([centred(column) for column in values.T], axis=1)
    if not trend:
        return out
    t = centred(time)
    spread = np.bincount(client, t * t, people)
    for k in range(out.shape[1]):
        slope = np.bincount(client, t * out[:, k], people) / np.where(spread > 0, spread, 1.0)
        out[:, k] -= slope[client] * t
    return out


def bootstrap(made: Panel, *, samples: int, seed: int) -> FloatArray:
    """Draw clients again; shape (samples, p, q)."""
    rng = np.random.default_rng(seed)
    n = made.totals.outcomes.shape[0]
    estimates = [
        made.corrected(rng.multinomial(n, np.full(n, 1.0 / n), size=min(_CHUNK, samples - done)).astype(float))
        for done in range(0, samples, _CHUNK)
    ]
    return np.concatenate(estimates)


def _summed(left: FloatArray, right: FloatArray, client: IntArray, people: int) -> FloatArray:
    p, q = left.shape[1], right.shape[1]
    out = np.empty((people, p, q))
    for a in range(p):
        for b in range(q):
            out[:, a, b] = np.bincount(client, left[:, a] * right[:, b], people)
    return out
