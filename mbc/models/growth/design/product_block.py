"""Two random effects, and fixed effects that are their columns times client covariates: five numbers per client.

Where every column of X is a column of Z times a covariate w, so are the columns of B = Z'[X y] those of S = Z'Z,
and those of F = Z'V^-1[X y] those of Q = Z'V^-1Z. Then a client enters the likelihood by Q (three numbers), by
F_y = Z'V^-1y (two) and by the products of these with each other and with the covariates.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from mbc.models.growth.design.statistics import FEW, Statistics, Sums, pair_conditional, pair_precision, relative
from mbc.models.growth.matrices import Floats, symmetric_pairs

Pairs = tuple[tuple[int, int], ...]  # (column of Z, covariate) of each fixed effect
Indices = NDArray[np.intp]

MOST_COVARIATES = 4  # columns, the constant among them; with more, products of F cost less than these
ROWS = 6  # numbers per client, evaluation and covariate: Q11, Q12, Q22, F_y1, F_y2 and 1
_Q = ((0, 1), (1, 2))  # place of Q[a, b] among them
_OUTCOME, _ONE = 3, 5


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the sums of a model stand among those of the six numbers, times covariates, with each other."""

    p: int
    of_z: Indices  # column of Z of each fixed effect
    of_w: Indices  # covariate of each
    q_sum: Indices
    q_gram: Indices
    f_gram: Indices
    inner: Indices  # [X y]'V^-1[X y], but for its last entry


@lru_cache
def layout_of(pairs: Pairs, covariates: int) -> Layout:
    """Find the places of the sums in the flattened products of (covariate, number) with (covariate, number)."""
    size = ROWS * covariates

    def place(c: int, row: int, d: int, column: int) -> int:
        return (c * ROWS + row) * size + d * ROWS + column

    q = range(2)
    covariate = [*(c for _, c in pairs), 0]  # the outcome last; it takes no covariate
    rows = [[_Q[a][z] for z, _ in pairs] + [_OUTCOME + a] for a in q]  # of F[a, s]
    m = range(len(covariate))
    inner = [[place(covariate[s], rows[z][t], covariate[t], _ONE) for t in m] for s, (z, _) in enumerate(pairs)]
    inner.append([*(row[-1] for row in inner), 0])
    f_gram = [
        [[[place(covariate[s], rows[a][s], covariate[t], rows[b][t]) for t in m] for b in q] for s in m] for a in q
    ]
    q_gram = [[[[place(0, _Q[a][b], 0, _Q[c][d]) for d in q] for c in q] for b in q] for a in q]
    q_sum = [[place(0, _Q[a][b], 0, _ONE) for b in q] for a in q]
    of_z, of_w = np.array(pairs).T
    return Layout(len(pairs), of_z, of_w, *map(np.array, (q_sum, q_gram, f_gram, inner)))


def _pieces() -> Floats:
    """Coefficients that are linear in (1, Psi11, Psi12, Psi22, |Psi|): (5, 6 * 8).

    Of |V| - 1 and of |V| times the five, in terms of S11, S12, S22, |S|, B_y1, B_y2 and adj(S) B_y.
    """
    out = np.zeros((5, ROWS, 8))
    out[[1, 2, 3, 4], 0, [0, 1, 2, 3]] = 1.0, 2.0, 1.0, 1.0
    out[[0, 3], 1, [0, 3]] = 1.0  # Q = (S + |S| adj Psi) / |V|
    out[[0, 2], 2, [1, 3]] = 1.0, -1.0
    out[[0, 1], 3, [2, 3]] = 1.0
    out[[0, 3, 2], 4, [4, 6, 7]] = 1.0, 1.0, -1.0  # F_y = (B_y + adj(Psi) adj(S) B_y) / |V|
    out[[0, 2, 1], 5, [5, 6, 7]] = 1.0, -1.0, 1.0
    return out.reshape(5, -1)


_PIECES = _pieces()
_Q_OF_THREE = np.array(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))


@dataclass(frozen=True, slots=True)
class ProductBlock:
    """Clients with two random effects whose columns, times covariates, are the fixed effects."""

    parts: Floats  # S11, S12, S22, |S|, B_y1, B_y2 and adj(S) B_y: (8, clients)
    covariates: Floats  # the constant, then the scaled covariates: (c, clients)
    layout: Layout

    @staticmethod
    def of(uu: Floats, uy: Floats, covariates: Floats, pairs: Pairs, least: Floats, parts: Floats) -> ProductBlock:
        """Write to ``parts`` what no evaluation changes; ``least`` are the coefficients taken off the outcome."""
        layout = layout_of(pairs, len(covariates))
        s11, s12, s22, det, y1, y2, turned1, turned2 = parts
        s11[:], s12[:], s22[:] = uu[0, 0], uu[0, 1], uu[1, 1]
        np.multiply(s11, s22, out=det)
        det -= s12 * s12
        np.maximum(det, 0.0, out=det)
        taken = _by_column(layout, least, len(covariates)) @ covariates
        np.subtract(uy[0], s11 * taken[0], out=y1)
        y1 -= s12 * taken[1]
        np.subtract(uy[1], s12 * taken[0], out=y2)
        y2 -= s22 * taken[1]
        np.multiply(s22, y1, out=turned1)
        turned1 -= s12 * y2
        np.multiply(s11, y2, out=turned2)
        turned2 -= s12 * y1
        return ProductBlock(parts, covariates, layout)

    @property
    def clients(self) -> int:
        """How many columns it holds."""
        return self.parts.shape[1]

    @property
    def count(self) -> None:
        """Each column is one client."""
        return

    @property
    def minors(self) -> Floats:
        """S11, S12, S22 and |S|, (4, clients)."""
        return self.parts[:4]

    @property
    def outcome(self) -> Floats:
        """B of the outcome, (2, clients)."""
        return self.parts[4:6]

    @property
    def turned(self) -> Floats:
        """The same times the adjugate of S, (2, clients)."""
        return self.parts[6:]

    @property
    def s(self) -> Floats:
        """S per client, (2, 2, clients)."""
        return symmetric_pairs(self.parts[:3])

    @property
    def b(self) -> Floats:
        """B per client, (2, m, clients)."""
        return self._columns(self.s, self.outcome)

    def times(self, gamma: Floats) -> Floats:
        """B gamma per client, (2, clients)."""
        (s11, s12, s22), (y1, y2) = self.parts[:3], self.outcome
        g1, g2 = _by_column(self.layout, gamma[:-1], len(self.covariates)) @ self.covariates
        last = float(gamma[-1])
        return np.array([s11 * g1 + s12 * g2 + last * y1, s12 * g1 + s22 * g2 + last * y2])

    def conditional(self, factor: Floats) -> Floats:
        """K per client, (2, 2, clients)."""
        return pair_conditional(self.minors, factor)

    def precision(self, factor: Floats) -> tuple[Floats, Floats]:
        """K and Q per client, each (2, 2, clients)."""
        return pair_precision(self.minors, factor)

    def each(self, five: Floats) -> tuple[Floats, Floats, Floats]:
        """F and Q per client from Q and F_y: F, (2, m, clients), and Q as a product."""
        return self._columns(symmetric_pairs(five), five[_OUTCOME:]), _Q_OF_THREE, five[:_OUTCOME]

    def _columns(self, square: Floats, outcome: Floats) -> Floats:
        """Columns of [X y] from those of Z and the outcome's own."""
        layout = self.layout
        out = np.empty((2, layout.p + 1, self.clients))
        np.multiply(square[:, layout.of_z], self.covariates[layout.of_w], out=out[:, :-1])
        out[:, -1] = outcome
        return out


def _by_column(layout: Layout, coefficients: Floats, covariates: int) -> Floats:
    """Coefficients by column of Z and covariate, (2, covariates)."""
    out = np.zeros((2, covariates))
    out[layout.of_z, layout.of_w] = coefficients
    return out


@dataclass(frozen=True, slots=True)
class ProductStatistics(Statistics):
    """Cross-products of all clients, in blocks of which each is a `ProductBlock`."""

    products: tuple[ProductBlock, ...] = ()

    @staticmethod
    def of_blocks(blocks: tuple[ProductBlock, ...], pooled: Floats, rows: int) -> ProductStatistics:
        """Take the blocks of a model."""
        return ProductStatistics(blocks, pooled, rows, blocks)

    def sums(self, factor: Floats) -> Sums:
        """All sums at Psi = factor factor'."""
        psi = relative(factor)
        pieces = (np.array((1.0, *psi)) @ _PIECES).reshape(ROWS, 8)
        blocks, layout = self.products, self.products[0].layout
        size = ROWS * len(blocks[0].covariates)
        work = np.empty((1 + size, max([block.clients for block in blocks])))
        work[ROWS] = 1.0
        total, explained, log_det = np.zeros((size, size)), np.zeros((2, 2)), 0.0
        for block in blocks:
            rows = work[:, : block.clients]
            np.matmul(pieces, block.parts, out=rows[:ROWS])
            divisor, five, six = rows[0], rows[1:ROWS], rows[1 : 1 + ROWS]
            divisor += 1.0
            five /= divisor
            for place in range(1, len(block.covariates)):
                start = 1 + place * ROWS
                np.multiply(six, block.covariates[place], out=rows[start : start + ROWS])
            total += rows[1:] @ rows[1:].T
            explained += block.outcome @ five[_OUTCOME:].T
            np.log(divisor, out=divisor)
            log_det += float(np.add.reduce(divisor))
        flat = total.ravel()
        left = self.pooled - flat[layout.inner]
        p11, p12, p22, _ = psi
        left[-1, -1] = p11 * explained[0, 0] + p12 * (explained[0, 1] + explained[1, 0]) + p22 * explained[1, 1]
        few = len(blocks) == 1 and blocks[0].clients <= FEW
        each = partial(blocks[0].each, work[1:ROWS]) if few else None
        return Sums(log_det, left, flat[layout.q_sum], flat[layout.q_gram], flat[layout.f_gram], each)
