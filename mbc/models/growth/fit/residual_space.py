"""What is left of the rows once every client's own effects are free: what only X and the residual can explain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mbc.models.growth.design.statistics import Statistics, joined
from mbc.models.growth.matrices import Floats


@dataclass(frozen=True, slots=True)
class ResidualSpace:
    """Projections of the rows off the clients' Z, from client sums."""

    s: Floats  # Z'Z, (q, q, clients)
    bx: Floats  # Z'X, (q, p, clients)
    root: Floats  # S = root root', (clients, q, q)
    inverse: Floats  # S^+, (q, q, clients)
    projected: Floats  # S^+ Z'X, (q, p, clients)
    within: Floats  # X'X left over by Z, (p, p)
    spare: int  # degrees of freedom that neither Z nor X uses: rows - rank [Z X]

    @staticmethod
    def of(statistics: Statistics) -> ResidualSpace:
        """Decompose every client's S once."""
        s = joined(block.s for block in statistics.blocks)
        bx = joined(block.b[:, :-1] for block in statistics.blocks)
        values, vectors = np.linalg.eigh(s.transpose(2, 0, 1))
        real = values > 1e-10 * np.maximum(values[:, -1:], 1e-300)
        root = vectors * np.sqrt(np.where(real, values, 0.0))[:, None]
        half = vectors * np.sqrt(np.where(real, 1 / np.where(real, values, 1.0), 0.0))[:, None]
        inverse = np.einsum("nab,ncb->acn", half, half)
        projected = np.einsum("abn,bpn->apn", inverse, bx)
        within = statistics.pooled[:-1, :-1] - np.einsum("apn,asn->ps", bx, projected)
        size = np.linalg.eigvalsh(within)
        rank = int((size > 1e-9 * np.abs(statistics.pooled.diagonal()).max()).sum())
        spare = statistics.rows - round(float(real.sum(axis=1) @ _counts(statistics))) - rank
        return ResidualSpace(s, bx, root, inverse, projected, within, max(spare, 0))


def _counts(statistics: Statistics) -> Floats:
    """Clients that each column stands for."""
    return joined(np.ones(block.clients) if block.count is None else block.count for block in statistics.blocks)
