"""Can these rows separate the variance between therapists from that between clients and the residual."""

from __future__ import annotations

import numpy as np

from mbc.errors import ModelError
from mbc.models.growth.data.rows import Codes, Rows
from mbc.models.growth.matrices import Floats

_MOST_ROWS = 300  # beyond, the information of the variances is not computed row by row


def require_separable(rows: Rows, therapist: str, columns: tuple[Floats, Floats], r: int) -> None:
    """Refuse data in which the variance between therapists is another variance under a second name."""
    label = rows.labels[therapist]
    per_client = np.unique(rows.codes * len(label.levels) + label.codes).size
    if per_client == rows.clients == len(label.levels):
        raise ModelError(
            f"column {therapist!r} names one therapist for each client and one client for each therapist: only "
            "the sum of the two variances is in the data. A therapist's share needs therapists with several "
            "clients; for the clients alone use growth_curve."
        )
    if np.bincount(label.codes).max() == 1:
        raise ModelError(
            f"column {therapist!r} has a different therapist in every row: its variance cannot be separated from "
            "the residual's. Give the therapist of each session by one identifier."
        )
    if rows.time.size <= _MOST_ROWS and not _separable(rows.codes, label.codes, columns, r):
        raise ModelError(
            f"these rows cannot separate the variances between clients, between therapists ({therapist!r}) and of "
            "the residual: different splits give the same likelihood. Each therapist needs several "
            "clients; take fewer effects: therapist_random=('intercept',)."
        )


def _separable(clients: Codes, therapists: Codes, columns: tuple[Floats, Floats], r: int) -> bool:
    """Whether the patterns of covariance, with the coefficients projected out, are linearly independent."""
    x, z = columns
    basis = np.linalg.qr(x.T)[0]
    off = np.eye(x.shape[1]) - basis @ basis.T
    patterns = [np.eye(x.shape[1])]
    for codes, effects in ((clients, z), (therapists, z[:r])):
        same = codes[:, None] == codes
        for a in range(len(effects)):
            for b in range(a + 1):
                product = np.outer(effects[a], effects[b])
                patterns.append(same * (product + product.T))
    vectors = np.array([(off @ pattern @ off).ravel() for pattern in patterns])
    sizes = np.linalg.norm(vectors, axis=1)
    if not (sizes > 0).all():
        return False
    gram = (vectors / sizes[:, None]) @ (vectors / sizes[:, None]).T
    return bool(np.linalg.eigvalsh(gram)[0] > 1e-10)
