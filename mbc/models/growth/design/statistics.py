"""What the deviance needs to know of the data: cross-products per client, and nothing of the rows.

For client i with random-effect design Z, fixed-effect design X and outcome y (all centred and scaled, y with its
least-squares fit removed) only S = Z'Z (q x q), B = Z'[X y] (q x m, m = p + 1) and the pooled C = [X y]'[X y]
enter the likelihood. With G = sigma^2 Psi and V = I + Z Psi Z', Woodbury's identity gives, per client,

    K = (S + Psi^-1)^-1 = Psi (I + S Psi)^-1       [X y]'V^-1[X y] = C - B'K B
    F = (I + S Psi)^-1 B = Z'V^-1[X y]             Q = (I + S Psi)^-1 S = Z'V^-1 Z       |V| = |I + S Psi|

so that one pass over the clients yields the deviance, its gradient and its expected information.
Arrays put the client last: operations over clients are then contiguous, and blocks of them stay in cache.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial, reduce
from itertools import pairwise
from operator import add
from typing import Protocol, cast

import numpy as np

from mbc.models.growth.matrices import Floats

# Clients in a block. Its arrays stay in a cache, and its matrix products below the size from which OpenBLAS hands
# work to other threads: on a busy machine waiting for those costs more than the product.
MOST, LEAST, PRODUCT = 8192, 512, 1 << 19
FEW = 2048  # clients, up to which exact second derivatives near the optimum cost less than one more evaluation


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over clients at one Psi."""

    log_det: float  # sum log|V|
    explained: Floats  # sum B'K B, (m, m)
    q_sum: Floats  # sum Q, (q, q)
    q_gram: Floats  # sum Q[a, b] Q[c, d], (q, q, q, q)
    f_gram: Floats  # sum F[a, s] F[b, t], (q, m, q, m)
    # Of few clients only: F per client, (q, m, clients), and Q per client as a product, (q * q, x) @ (x, clients).
    each: Callable[[], tuple[Floats, Floats, Floats]] | None = None

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.log_det + other.log_det,
            self.explained + other.explained,
            self.q_sum + other.q_sum,
            self.q_gram + other.q_gram,
            self.f_gram + other.f_gram,
        )


def _given(f: Floats, left: Floats, right: Floats) -> tuple[Floats, Floats, Floats]:
    return f, left, right


class Block(Protocol):
    """Cross-products of some clients."""

    @property
    def clients(self) -> int:
        """How many columns it holds."""
        ...

    @property
    def s(self) -> Floats:
        """S per client, (q, q, clients)."""
        ...

    @property
    def b(self) -> Floats:
        """B per client, (q, m, clients)."""
        ...

    @property
    def count(self) -> Floats | None:
        """How many clients each column stands for; None where that is one."""
        ...

    def times(self, gamma: Floats) -> Floats:
        """B gamma per client, (q, clients)."""
        ...

    def conditional(self, factor: Floats) -> Floats:
        """K per client, (q, q, clients): conditional covariance of its effects over sigma^2."""
        ...

    def precision(self, factor: Floats) -> tuple[Floats, Floats]:
        """K and Q per client, each (q, q, clients)."""
        ...


class SummedBlock(Block, Protocol):
    """Cross-products that are summed block by block."""

    def sums(self, factor: Floats) -> Sums:
        """All sums at Psi = factor factor'."""
        ...


def _pieces() -> Floats:
    """Coefficients that are linear in (1, Psi11, Psi12, Psi22, |Psi|), for one small product instead of many."""
    out = np.zeros((5, 28))
    out[[1, 2, 3, 4], [0, 1, 2, 3]] = 1.0, 2.0, 1.0, 1.0  # |V| - 1 from the minors
    out[[0, 3, 2, 0, 2, 1], [4, 6, 7, 9, 10, 11]] = 1.0, 1.0, -1.0, 1.0, -1.0, 1.0  # F from the rows: (2, 4)
    out[[0, 3, 0, 2, 0, 2, 0, 1], [12, 15, 17, 19, 21, 23, 26, 27]] = 1, 1, 1, -1, 1, -1, 1, 1  # Q: (4, 4)
    return out


_PIECES = _pieces()


def relative(factor: Floats) -> tuple[float, float, float, float]:
    """Psi11, Psi12, Psi22 and |Psi| of Psi = factor factor', (2, 2)."""
    (a, b), (c, d) = factor.tolist()
    return a * a + b * b, a * c + b * d, c * c + d * d, (a * d - b * c) ** 2


@dataclass(frozen=True, slots=True)
class PairBlock:
    """Clients with two random effects: everything is rational in S and Psi, with the common divisor |V|.

    With adj the adjugate: |V| = 1 + tr(S Psi) + |S||Psi|, K = (Psi + |Psi| adj S) / |V|,
    Q = (S + |S| adj Psi) / |V|, F = (B + adj(Psi) adj(S) B) / |V|.
    """

    minors: Floats  # S11, S12, S22, |S|: (4, clients)
    rows: Floats  # B1, B2 and the rows of adj(S) B: (4, m, clients)
    count: Floats | None  # how many clients each column stands for

    @staticmethod
    def of(s: Floats, b: Floats, count: Floats | None) -> PairBlock:
        """Prepare the products that no evaluation changes."""
        s11, s12, s22 = s[0, 0], s[0, 1], s[1, 1]
        minors = np.empty((4, s.shape[2]))
        minors[0], minors[1], minors[2] = s11, s12, s22
        np.maximum(s11 * s22 - s12 * s12, 0.0, out=minors[3])
        rows = np.empty((4, *b.shape[1:]))
        rows[:2] = b
        np.subtract(s22 * b[0], s12 * b[1], out=rows[2])
        np.subtract(s11 * b[1], s12 * b[0], out=rows[3])
        return PairBlock(minors, rows, count)

    @property
    def clients(self) -> int:
        """How many columns it holds."""
        return self.minors.shape[1]

    @property
    def s(self) -> Floats:
        """S per client, (2, 2, clients)."""
        return self.minors[[0, 1, 1, 2]].reshape(2, 2, -1)

    @property
    def b(self) -> Floats:
        """B per client, (2, m, clients)."""
        return self.rows[:2]

    def sums(self, factor: Floats) -> Sums:
        """All sums at Psi = factor factor'; K B is Psi F."""
        p11, p12, p22, det = relative(factor)
        pieces = np.array((1.0, p11, p12, p22, det)) @ _PIECES
        divisor = pieces[:4] @ self.minors
        divisor += 1.0
        weight = 1.0 / divisor
        m = self.rows.shape[1]
        f = (pieces[4:12].reshape(2, 4) @ self.rows.reshape(4, -1)).reshape(2, m, -1)
        f *= weight
        flat = f.reshape(2 * m, -1)
        bf = (self.rows[:2].reshape(2 * m, -1) @ flat.T).reshape(2, m, 2, m)
        explained = np.array((p11, p12, p12, p22)) @ bf.transpose(0, 2, 1, 3).reshape(4, -1)
        np.log(divisor, out=divisor)
        minors = self.minors * weight
        if self.count is None:
            log_det, totals = np.add.reduce(divisor), np.add.reduce(minors, axis=1)
            gram = minors @ minors.T
        else:
            log_det, totals = divisor @ self.count, minors @ self.count
            gram = (minors * self.count) @ minors.T
        to_q = pieces[12:].reshape(4, 4)
        return Sums(
            float(log_det),
            explained.reshape(m, m),
            (to_q @ totals).reshape(2, 2),
            (to_q @ gram @ to_q.T).reshape(2, 2, 2, 2),
            (flat @ flat.T).reshape(2, m, 2, m),
            partial(_given, f, to_q, minors) if self.count is None and self.clients <= FEW else None,
        )

    @property
    def outcome(self) -> Floats:
        """B of the outcome, (2, clients)."""
        return self.rows[:2, -1]

    @property
    def turned(self) -> Floats:
        """The same times the adjugate of S, (2, clients)."""
        return self.rows[2:, -1]

    def times(self, gamma: Floats) -> Floats:
        """B gamma per client, (2, clients)."""
        return gamma @ self.b

    def conditional(self, factor: Floats) -> Floats:
        """K per client, (2, 2, clients)."""
        return pair_conditional(self.minors, factor)

    def precision(self, factor: Floats) -> tuple[Floats, Floats]:
        """K and Q per client, each (2, 2, clients)."""
        return pair_precision(self.minors, factor)


def pair_conditional(minors: Floats, factor: Floats) -> Floats:
    """K per client of two random effects from S11, S12, S22 and |S|; (2, 2, clients)."""
    p11, p12, p22, det = relative(factor)
    turn = np.array(((p11, 2 * p12, p22, det), (0.0, 0.0, det, 0.0), (0.0, -det, 0.0, 0.0), (det, 0.0, 0.0, 0.0)))
    parts = turn @ minors
    parts += np.array(((1.0,), (p11,), (p12,), (p22,)))  # |V|, then |V| times K11, K12, K22
    parts[1:] /= parts[0]
    return parts[[1, 2, 2, 3]].reshape(2, 2, -1)


def pair_precision(minors: Floats, factor: Floats) -> tuple[Floats, Floats]:
    """K and Q per client of two random effects, each (2, 2, clients)."""
    p11, p12, p22, det = relative(factor)
    s11, s12, s22, s_det = minors
    weight = 1.0 / (1.0 + s11 * p11 + 2 * s12 * p12 + s22 * p22 + s_det * det)
    q12 = s12 - s_det * p12
    q = np.array([[s11 + s_det * p22, q12], [q12, s22 + s_det * p11]])
    return pair_conditional(minors, factor), q * weight


@dataclass(frozen=True, slots=True)
class FactorBlock:
    """Clients with any number of random effects.

    Cholesky of M = I + L'S L, unrolled over the effects and vectorised over the clients.
    """

    s: Floats  # (q, q, clients)
    b: Floats  # (q, m, clients)
    count: Floats | None

    @property
    def clients(self) -> int:
        """How many columns it holds."""
        return self.s.shape[2]

    def times(self, gamma: Floats) -> Floats:
        """B gamma per client, (q, clients)."""
        return gamma @ self.b

    def solved(self, factor: Floats) -> tuple[list[Floats], list[Floats], list[Floats]]:
        """Diagonal of R, rows of R^-1 L'S and of R^-1 L'B, with R R' = I + L'S L."""
        q = len(factor)
        ls = (factor.T @ self.s.reshape(q, -1)).reshape(q, q, -1)
        lb = (factor.T @ self.b.reshape(q, -1)).reshape(q, self.b.shape[1], -1)
        diagonal: list[Floats] = []
        left: list[list[Floats]] = []  # R, row by row
        for i in range(q):
            row: list[Floats] = []
            for j in range(i + 1):
                entry = factor[:, j] @ ls[i]
                if i == j:
                    entry = entry + 1.0
                done = row if i == j else left[j]
                for k in range(j):
                    entry = entry - row[k] * done[k]
                row.append(np.sqrt(entry) if i == j else entry / diagonal[j])
            diagonal.append(row[i])
            left.append(row)
            for k in range(i):
                ls[i] -= row[k] * ls[k]
                lb[i] -= row[k] * lb[k]
            ls[i] /= row[i]
            lb[i] /= row[i]
        return diagonal, list(ls), list(lb)

    def sums(self, factor: Floats) -> Sums:
        """All sums at Psi = factor factor'."""
        diagonal, ls, lb = self.solved(factor)
        q, m = self.b.shape[:2]
        explained = reduce(add, (u @ u.T for u in lb))
        f = self.b.copy()
        q_all = self.s.copy()
        for v, u in zip(ls, lb, strict=True):
            for a in range(q):
                f[a] -= v[a] * u
                q_all[a] -= v[a] * v
        flat = q_all.reshape(q * q, -1)
        logs = reduce(add, (np.log(d) for d in diagonal))
        count = np.ones(self.clients) if self.count is None else self.count
        rows = f.reshape(q * m, -1)
        return Sums(
            2.0 * float(logs @ count),
            explained,
            (flat @ count).reshape(q, q),
            ((flat * count) @ flat.T).reshape(q, q, q, q),
            (rows @ rows.T).reshape(q, m, q, m),
            partial(_given, f, np.eye(q * q), flat) if self.count is None and self.clients <= FEW else None,
        )

    def conditional(self, factor: Floats) -> Floats:
        """K per client, (q, q, clients)."""
        return self.precision(factor)[0]

    def precision(self, factor: Floats) -> tuple[Floats, Floats]:
        """K and Q per client, each (q, q, clients)."""
        q = len(factor)
        identity = np.broadcast_to(np.eye(q)[:, :, None], (q, q, self.clients))
        _, ls, half = FactorBlock(self.s, np.ascontiguousarray(identity), None).solved(factor)
        k = np.zeros(self.s.shape)
        q_all = self.s.copy()
        for v, u in zip(ls, half, strict=True):
            k += u[:, None] * u[None]
            q_all -= v[:, None] * v[None]
        return k, q_all


@dataclass(frozen=True, slots=True)
class Statistics:
    """Cross-products of all clients, in blocks, with the pooled C."""

    blocks: tuple[Block, ...]
    pooled: Floats  # C, (m, m)
    rows: int  # observations

    @property
    def p(self) -> int:
        """Fixed effects."""
        return len(self.pooled) - 1

    @property
    def q(self) -> int:
        """Random effects."""
        return self.blocks[0].s.shape[0]

    @property
    def clients(self) -> int:
        """Columns over all blocks."""
        return sum(block.clients for block in self.blocks)

    @property
    def people(self) -> int:
        """Clients that the columns stand for."""
        counts = (block.clients if block.count is None else block.count.sum() for block in self.blocks)
        return round(float(sum(counts)))

    def sums(self, factor: Floats) -> Sums:
        """All sums at Psi = factor factor'."""
        blocks = cast("tuple[SummedBlock, ...]", self.blocks)
        if len(blocks) == 1:
            return blocks[0].sums(factor)
        return reduce(add, (block.sums(factor) for block in blocks))


def block_of(s: Floats, b: Floats, count: Floats | None = None) -> Block:
    """Choose the fastest block for that number of random effects."""
    if s.shape[0] == 2:
        return PairBlock.of(s, b, count)
    return FactorBlock(np.ascontiguousarray(s), np.ascontiguousarray(b), count)


def block_slices(clients: int, width: int = 8, product: int = PRODUCT) -> Iterator[slice]:
    """Cut clients into even blocks; ``width`` is q m; ``product`` limits the multiplications."""
    most = min(MOST, max(LEAST, product // (width * width)))
    parts = max(1, math.ceil(clients / most))
    edges = [clients * i // parts for i in range(parts + 1)]
    return (slice(a, b) for a, b in pairwise(edges))


def blocked(s: Floats, b: Floats, count: Floats | None = None) -> tuple[Block, ...]:
    """Cut arrays over clients into blocks."""
    return tuple(
        block_of(s[..., part], b[..., part], None if count is None else count[part])
        for part in block_slices(s.shape[2], b.shape[0] * b.shape[1])
    )


def joined(parts: Iterable[Floats]) -> Floats:
    """Arrays over clients of all blocks, side by side."""
    return np.concatenate(list(parts), axis=-1)
