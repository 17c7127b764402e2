"""The likelihood of clients within therapists: clients eliminated first, then therapists.

What clients leave of a therapist's columns is Z_t'V^-1Z_t = Omega and Z_t'V^-1[X y] = P, where V is the clients'
part; one more Woodbury step adds the therapists' random effects: A = C - sum B'K B - P'(Psi_t^-1 + Omega)^-1 P.
With nested clients Omega is block-diagonal; a client seen by two therapists links their blocks, and Omega is then
dense, of the size of the number of therapists.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from mbc.models.growth.design.design import Design
from mbc.models.growth.design.statistics import joined
from mbc.models.growth.matrices import Floats


@dataclass(frozen=True, slots=True)
class Links:
    """Cells of clients by therapists, and the pairs of cells of one client."""

    s: Floats  # Z_t'Z per cell, (r, q, cells)
    b: Floats  # Z_t'[X y] per cell, (r, m, cells)
    client: NDArray[np.intp]  # of each cell
    therapist: NDArray[np.intp]
    pairs: NDArray[np.intp]  # (2, n): cells of the same client
    therapists: int

    @property
    def crossed(self) -> bool:
        """Whether some client saw more than one therapist."""
        return self.pairs.size > 0


@dataclass(frozen=True, slots=True)
class Level:
    """The likelihood at given factors of the clients' and the therapists' relative covariances."""

    deviance: float
    prss: float
    df: int
    gamma: Floats
    inverse: Floats
    omega: Floats  # (J r, J r) or, nested, (J, r, r)
    p: Floats  # (J, r, m)

    @property
    def sigma2(self) -> float:
        """Residual variance, internal scale."""
        return self.prss / self.df


@dataclass(frozen=True, slots=True)
class Problem:
    """Everything that the deviance of a therapist model depends on."""

    design: Design
    links: Links
    reml: bool

    @property
    def q(self) -> int:
        """Random effects of a client."""
        return self.design.statistics.q

    @property
    def r(self) -> int:
        """Random effects of a therapist."""
        return len(self.links.s)

    def level(self, theta: Floats) -> Level:
        """Evaluate the deviance at theta: lower triangles, by rows, of the clients' and the therapists' factor."""
        client, therapist = self.factors(theta)
        statistics, links = self.design.statistics, self.links
        sums = statistics.sums(client)
        omega, p = self._residual_therapist_columns(client)
        log_det, explained = eliminated(omega, p, therapist, crossed=links.crossed)
        a = statistics.pooled - 0.5 * (sums.explained + sums.explained.T) - explained
        df = statistics.rows - (statistics.p if self.reml else 0)
        try:
            root = np.linalg.cholesky(a)
        except np.linalg.LinAlgError:
            return Level(math.inf, math.nan, df, np.zeros(len(a)), np.zeros((len(a) - 1,) * 2), omega, p)
        half = np.linalg.inv(root)
        logs = np.log(root.diagonal())
        deviance = sums.log_det + log_det + df * (1 + math.log(2 * math.pi / df) + 2 * float(logs[-1]))
        if self.reml:
            deviance += 2 * float(logs[:-1].sum())
        return Level(
            deviance,
            math.exp(2 * float(logs[-1])),
            df,
            half[-1] / half[-1, -1],
            half[:-1, :-1].T @ half[:-1, :-1],
            omega,
            p,
        )

    def factors(self, theta: Floats) -> tuple[Floats, Floats]:
        """Unpack theta."""
        split = self.q * (self.q + 1) // 2
        client, therapist = np.zeros((self.q, self.q)), np.zeros((self.r, self.r))
        client[np.tril_indices(self.q)] = theta[:split]
        therapist[np.tril_indices(self.r)] = theta[split:]
        return client, therapist

    def _residual_therapist_columns(self, client: Floats) -> tuple[Floats, Floats]:
        """Omega and P: what clients leave of the therapists' columns."""
        links, r = self.links, self.r
        ks: list[Floats] = []
        kbs: list[Floats] = []
        for block in self.design.statistics.blocks:
            k = block.conditional(client)
            ks.append(k)
            kbs.append(np.einsum("abn,bmn->amn", k, block.b))
        k, kb = joined(ks)[..., links.client], joined(kbs)[..., links.client]
        p_cells = links.b - np.einsum("rqn,qmn->rmn", links.s, kb)
        turned = np.einsum("rqn,qbn->rbn", links.s, k)  # Z_t'Z K
        own = links.s[:, :r] - np.einsum("rbn,sbn->rsn", turned, links.s)
        count = links.therapists
        p = _by(links.therapist, p_cells, count)
        if not links.crossed:
            return _by(links.therapist, own, count), p
        omega = np.zeros((count, r, count, r))
        _add_at(omega, (links.therapist, slice(None), links.therapist), own.transpose(2, 0, 1))
        c, d = links.pairs
        shared = -np.einsum("rbn,sbn->nrs", turned[..., c], links.s[..., d])
        _add_at(omega, (links.therapist[c], slice(None), links.therapist[d]), shared)
        return omega.reshape(count * r, count * r), p


def _add_at(array: Floats, index: tuple[Any, ...], values: Floats) -> None:
    cast("Any", np.add).at(array, index, values)


def _by(labels: NDArray[np.intp], values: Floats, count: int) -> Floats:
    """Sum the last axis by label; the label comes first."""
    flat = values.reshape(-1, values.shape[-1])
    out: Floats = np.array([np.bincount(labels, row, minlength=count) for row in flat], dtype=np.float64)
    return np.ascontiguousarray(out.T).reshape(count, *values.shape[:-1])


def eliminated(omega: Floats, p: Floats, factor: Floats, *, crossed: bool) -> tuple[float, Floats]:
    """log|I + L'Omega L| and P'(Psi^-1 + Omega)^-1 P."""
    count, r, m = p.shape
    if not crossed:
        root = np.linalg.cholesky(np.eye(r) + factor.T @ omega @ factor)
        half = np.linalg.solve(root, factor.T @ p)
        logs = np.log(np.einsum("jrr->jr", root))
        return 2 * float(logs.sum()), np.einsum("jrm,jrn->mn", half, half)
    turned: Floats = np.einsum(
        "ab,jakc,cd->jbkd", factor, omega.reshape(count, r, count, r), factor, optimize=True
    )
    root = np.linalg.cholesky(np.eye(count * r) + turned.reshape(count * r, count * r))
    half = np.linalg.solve(root, (factor.T @ p).reshape(count * r, m))
    return 2 * float(np.log(root.diagonal()).sum()), half.T @ half
