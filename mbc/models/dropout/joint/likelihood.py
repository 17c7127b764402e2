"""How likely are scores and dropout together: adaptive Gauss-Hermite quadrature over each client's random effects.

Scores y = X beta + Z b + e, b = L v with v standard normal, e ~ N(0, sigma^2). A client leaves after a session
with logit h = alpha[band] + gamma m, m = x'beta + z'b the client's own course there (``"value"``), or alpha[band]
+ gamma'b (``"effects"``). Given v both are independent; v is integrated out about its most likely value given the
client's data, with the curvature there. Writing b as L v keeps singular covariances harmless.

The gradient is Fisher's identity, the expectation over v given the data of the gradient that v would give; the
quadrature's own weights give that expectation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from mbc.models.dropout.joint.risk_sets import Codes, RiskSets
from mbc.models.growth.matrices import Floats

Association = Literal["value", "effects"]
_ROWS = 2048  # sessions in a block: its arrays over nodes stay in a second-level cache
_STEPS = 50


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some clients: their sessions, and those among these after which they could have left."""

    x: Floats  # (p, rows)
    z: Floats  # (q, rows)
    y: Floats  # (rows,)
    codes: Codes  # client of each row, from 0
    counts: Floats  # rows per client
    s: Floats  # Z'Z per client, (q, q, clients)
    risk_x: Floats  # (p, at risk)
    risk_z: Floats  # (q, at risk)
    risk_codes: Codes
    risk_starts: Codes  # where each client that is ever at risk starts
    risk_clients: Codes
    left: Floats
    band: Codes


@dataclass(frozen=True, slots=True)
class Parameters:
    """Everything estimated, in one scale."""

    beta: Floats  # (p,)
    factor: Floats  # L, lower triangular, (q, q)
    log_sigma: float
    alpha: Floats  # logit of leaving per band
    gamma: Floats  # (1,) for "value", (q,) for "effects"

    def vector(self) -> Floats:
        """All in one array; L by rows of its lower triangle."""
        lower = self.factor[np.tril_indices(len(self.factor))]
        return np.concatenate([self.beta, lower, [self.log_sigma], self.alpha, self.gamma])

    def like(self, vector: Floats) -> Parameters:
        """Read another array of the same layout."""
        p, q, k = len(self.beta), len(self.factor), len(self.alpha)
        size = q * (q + 1) // 2
        factor = np.zeros((q, q))
        factor[np.tril_indices(q)] = vector[p : p + size]
        rest = p + size + 1
        return Parameters(vector[:p], factor, float(vector[rest - 1]), vector[rest : rest + k], vector[rest + k :])


def blocks(x: Floats, z: Floats, y: Floats, codes: Codes, risk: RiskSets) -> list[Block]:
    """Cut rows sorted by client into blocks of whole clients."""
    clients = int(codes[-1]) + 1
    first = np.searchsorted(codes, np.arange(clients + 1))
    cuts = np.unique(np.append(np.searchsorted(first, np.arange(0, codes.size, _ROWS)), clients))
    out: list[Block] = []
    for a, b in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        rows = slice(int(first[a]), int(first[b]))
        own = codes[rows] - a
        here = (risk.rows >= rows.start) & (risk.rows < rows.stop)
        at = risk.rows[here]
        risk_codes = codes[at] - a
        risk_clients, risk_starts = np.unique(risk_codes, return_index=True)
        q = len(z)
        s = np.array(
            [[np.bincount(own, z[i, rows] * z[j, rows], minlength=b - a) for j in range(q)] for i in range(q)],
            dtype=np.float64,
        )
        out.append(
            Block(
                x[:, rows],
                z[:, rows],
                y[rows],
                own,
                np.bincount(own, minlength=b - a).astype(float),
                s,
                x[:, at],
                z[:, at],
                risk_codes,
                risk_starts,
                risk_clients,
                risk.left[here],
                risk.band[here],
            )
        )
    return out


@lru_cache
def grid(nodes: int, q: int) -> tuple[Floats, Floats]:
    """Nodes xi, (q, k), and log weights with exp(xi'xi) taken in, (k,)."""
    points, weights = np.polynomial.hermite.hermgauss(nodes)
    axes = np.meshgrid(*[points] * q, indexing="ij")
    xi = np.array([axis.ravel() for axis in axes])
    logs = np.meshgrid(*[np.log(weights)] * q, indexing="ij")
    return xi, np.sum([log_weight.ravel() for log_weight in logs], axis=0) + (xi * xi).sum(axis=0)


class JointLikelihood:
    """Log-likelihood of scores and dropout as a pure function of the parameters."""

    def __init__(self, parts: list[Block], association: Association, nodes: int) -> None:
        self.parts, self.nodes = parts, nodes
        self.association: Association = association

    def value(self, at: Parameters) -> float:
        """Log-likelihood."""
        return sum(
            float(_Client(block, at, self.association).integrate(self.nodes)[0].sum()) for block in self.parts
        )

    def modes(self, at: Parameters) -> Floats:
        """Find every client's most likely effects, as multiples of the factor's columns; (q, clients)."""
        return np.concatenate([_Client(block, at, self.association).mode()[0] for block in self.parts], axis=1)

    def value_and_gradient(self, at: Parameters) -> tuple[float, Floats]:
        """Log-likelihood, and its gradient in the layout of `Parameters.vector`."""
        total, slope = 0.0, np.zeros(at.vector().size)
        for block in self.parts:
            value, gradient = _Client(block, at, self.association).with_gradient(self.nodes)
            total += value
            slope += gradient
        return total, slope


class _Client:
    """The clients of a block at some parameters; lives no longer than one evaluation."""

    def __init__(self, block: Block, at: Parameters, association: Association) -> None:
        self.block, self.at, self.association = block, at, association
        q, lower = len(at.factor), at.factor
        self.precision = math.exp(-2 * at.log_sigma)
        self.rest = block.y - at.beta @ block.x
        clients = len(block.counts)
        self.u = np.array([np.bincount(block.codes, z * self.rest, minlength=clients) for z in block.z])
        self.squares = np.bincount(block.codes, self.rest * self.rest, minlength=clients)
        self.w = lower.T @ self.u
        self.m = np.einsum("ab,acn,cd->bdn", lower, block.s, lower)
        self.base = np.eye(q)[:, :, None] + self.precision * self.m  # precision of v given the scores
        self.fixed = at.alpha[block.band]
        if association == "value":
            self.course = at.beta @ block.risk_x
            self.fixed = self.fixed + at.gamma[0] * self.course
            self.g = at.gamma[0] * (lower.T @ block.risk_z)
        else:
            self.course = np.zeros(len(block.left))
            self.g = np.repeat((lower.T @ at.gamma)[:, None], len(block.left), axis=1)

    def _per_client(self, values: Floats) -> Floats:
        """Sum entries at risk (first axis) over each client."""
        out = np.zeros((len(self.block.counts), *values.shape[1:]))
        if len(values):
            out[self.block.risk_clients] = np.add.reduceat(values, self.block.risk_starts, axis=0)
        return out

    def _log_joint(self, v: Floats) -> tuple[Floats, Floats]:
        """Log p(scores, leaving, v) but for constants at v, (q, clients, k); and the risks, (at risk, k)."""
        eta = self.fixed[:, None] + np.einsum("qr,qrk->rk", self.g, v[:, self.block.risk_codes])
        small = np.exp(-np.abs(eta))
        terms = self.block.left[:, None] * eta - np.maximum(eta, 0.0) - np.log1p(small)
        risk = np.where(eta >= 0, 1.0, small) / (1.0 + small)
        quadratic = self._quadratic(v)
        linear = self.precision * np.einsum("qn,qnk->nk", self.w, v)
        value = linear - 0.5 * (quadratic + self.precision * self.squares[:, None]) + self._per_client(terms)
        return value, risk

    def _quadratic(self, v: Floats) -> Floats:
        out = np.zeros(v.shape[1:])
        for a in range(len(v)):
            out += self.base[a, a][:, None] * v[a] * v[a]
            for b in range(a):
                out += 2 * self.base[a, b][:, None] * v[a] * v[b]
        return out

    def mode(self) -> tuple[Floats, Floats]:
        """Find each client's most likely v, (q, clients), and the curvature there, by guarded Newton steps."""
        v = _solved(self.base, self.precision * self.w)
        value, risk = self._log_joint(v[:, :, None])
        curvature = self._curvature(risk)
        for _ in range(_STEPS):
            pull = self._per_client(((self.block.left - risk[:, 0]) * self.g).T).T
            slope = self.precision * self.w - np.einsum("qrn,rn->qn", self.base, v) + pull
            step = _solved(curvature, slope)
            if float(np.abs(step).max(initial=0.0)) < 1e-10:
                break
            v, value, risk = self._uphill(v, value, step)
            curvature = self._curvature(risk)
        return v, curvature

    def _uphill(self, v: Floats, value: Floats, step: Floats) -> tuple[Floats, Floats, Floats]:
        """Go along a step, half as far for the clients for whom it leads down."""
        there, fraction = v + step, np.ones(v.shape[1])
        new, risk = self._log_joint(there[:, :, None])
        for _ in range(20):
            worse = (new < value - 1e-9 * (1 + np.abs(value)))[:, 0]
            if not worse.any():
                break
            fraction = np.where(worse, fraction / 2, fraction)
            there = v + fraction * step
            new, risk = self._log_joint(there[:, :, None])
        return there, new, risk

    def _curvature(self, risk: Floats) -> Floats:
        weight = (risk * (1 - risk))[:, 0]
        products = weight[:, None, None] * np.einsum("ar,br->rab", self.g, self.g)
        return self.base + self._per_client(products).transpose(1, 2, 0)

    def integrate(self, nodes: int) -> tuple[Floats, Floats, Floats, Floats]:
        """Log-likelihood per client; the nodes, their posterior weights, and the risks there."""
        q = len(self.at.factor)
        xi, logs = grid(nodes, q)
        centre, curvature = self.mode()
        root = np.linalg.cholesky(curvature.transpose(2, 0, 1))  # R, curvature = R R'
        turn = math.sqrt(2.0) * np.linalg.inv(root).transpose(0, 2, 1)
        v = centre[:, :, None] + np.einsum("nab,bk->ank", turn, xi)
        value, risk = self._log_joint(v)
        value = value + logs
        top = value.max(axis=1, keepdims=True)
        weights = np.exp(value - top)
        total = weights.sum(axis=1, keepdims=True)
        weights /= total
        constant = (
            -0.5 * self.block.counts * (math.log(2 * math.pi) + 2 * self.at.log_sigma)
            - 0.5 * q * math.log(math.pi)
            - np.log(np.einsum("naa->na", root)).sum(axis=1)
        )
        return constant + top[:, 0] + np.log(total[:, 0]), v, weights, risk

    def with_gradient(self, nodes: int) -> tuple[float, Floats]:
        """Log-likelihood and its gradient."""
        block, at, lower = self.block, self.at, self.at.factor
        logs, v, weights, risk = self.integrate(nodes)
        mean = np.einsum("ank,nk->an", v, weights)
        second = np.einsum("ank,bnk,nk->abn", v, v, weights)
        own = weights[block.risk_codes]
        expected = (own * risk).sum(axis=1)
        surplus = block.left - expected  # E(left - risk)
        with_v = np.array(
            [block.left * mean[a, block.risk_codes] - (own * risk * v[a, block.risk_codes]).sum(axis=1)
             for a in range(len(v))]
        )  # E((left - risk) v), (q, at risk)  # fmt: skip
        effects = lower @ mean
        fitted = (block.z * effects[:, block.codes]).sum(axis=0)
        d_beta = self.precision * (block.x @ (self.rest - fitted))
        of_scores: Floats = self.precision * (
            np.einsum("an,bn->ab", self.u, mean) - np.einsum("acn,cd,dbn->ab", block.s, lower, second)
        )
        left_over = self.squares - 2 * (self.w * mean).sum(axis=0) + np.einsum("abn,abn->n", self.m, second)
        d_sigma = float(self.precision * left_over.sum() - block.counts.sum())
        d_alpha = np.bincount(block.band, surplus, minlength=len(at.alpha))
        if self.association == "value":
            d_beta = d_beta + at.gamma[0] * (block.risk_x @ surplus)
            of_leaving = at.gamma[0] * (block.risk_z @ with_v.T)
            d_gamma = np.array([float(self.course @ surplus + (block.risk_z * (lower @ with_v)).sum())])
        else:
            total = with_v.sum(axis=1)
            of_leaving = at.gamma[:, None] * total
            d_gamma = lower @ total
        lower_part = (of_scores + of_leaving)[np.tril_indices(len(lower))]
        return float(logs.sum()), np.concatenate([d_beta, lower_part, [d_sigma], d_alpha, d_gamma])


def _solved(matrices: Floats, right: Floats) -> Floats:
    """Solve one small system per client: (q, q, clients) and (q, clients)."""
    solution: Floats = np.linalg.solve(matrices.transpose(2, 0, 1), right.T[:, :, None])
    return solution[:, :, 0].T
