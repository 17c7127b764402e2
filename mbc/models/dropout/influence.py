"""What does each client add to a growth model's coefficients, and what is expected of each: from client sums.

With V = I + Z Psi Z', K as in `mbc.models.growth.design.statistics` and r = y - X beta, client i moves the
coefficients by ``(X'V^-1 X)^-1 s_i``, ``s_i = X_i'V_i^-1 r_i = X_i'r_i - (X_i'Z_i) K_i (Z_i'r_i)``; the s_i sum
to zero. Every column of X is a column of time times one of the client, so that X_i'r_i needs the time
cross-products alone.
"""

from __future__ import annotations

import numpy as np

from mbc.models.growth.fit.fit_model import Fitted
from mbc.models.growth.matrices import Floats


def kept_pairs(fitted: Fitted) -> list[tuple[int, int]]:
    """(time column, covariate column) of every coefficient in the model."""
    kept = set(fitted.design.x_names)
    pairs = zip(fitted.terms.pairs, fitted.terms.names, strict=True)
    return [pair for pair, name in pairs if name in kept]


def coefficients(fitted: Fitted) -> Floats:
    """Coefficients, internal scale, (p,)."""
    return fitted.design.least_squares - fitted.optimum.gamma[:-1]


def covariate_columns(fitted: Fitted, values: dict[str, np.ndarray]) -> Floats:
    """Row 0 is 1, then the scaled covariate columns of these clients, (1 + c, clients)."""
    columns = [column.scaled(values[column.source]) for column in fitted.terms.covariates]
    clients = len(columns[0]) if columns else len(fitted.sums.ids)
    return np.vstack([np.ones(clients), *columns])


def time_columns(fitted: Fitted, time: float) -> tuple[Floats, Floats]:
    """Columns of the time basis and of Z at one time, internal scale: (k + 1,) and (q,)."""
    u = fitted.sums.basis.columns(np.array([time]))[:, 0]
    return u, u @ fitted.sums.basis.to_raw()[:, list(fitted.random)] @ fitted.design.z_back


def coefficient_influence(fitted: Fitted) -> Floats:
    """Tell what each client adds to the coefficients, internal scale, (p, clients); sums to zero."""
    sums, pairs, at = fitted.sums, kept_pairs(fitted), fitted.optimum
    w = covariate_columns(fitted, sums.covariates)
    beta = coefficients(fitted)
    own = np.zeros((len(sums.uy), w.shape[1]))  # the client's coefficients of the time columns
    for coefficient, (a, c) in zip(beta, pairs, strict=True):
        own[a] += coefficient * w[c]
    own[0] -= sums.outcome_centre / sums.outcome_spread  # the sums are of the centred outcome
    left = sums.uy - np.einsum("abn,bn->an", sums.uu, own)
    scores = np.array([left[a] * w[c] for a, c in pairs])
    start = 0
    for block in fitted.design.statistics.blocks:
        part = slice(start, start + block.clients)
        k, _ = block.precision(at.factor)
        effects = np.einsum("abn,bn->an", k, block.times(at.gamma))
        scores[:, part] -= np.einsum("apn,an->pn", block.b[:, :-1], effects)
        start = part.stop
    return at.inverse @ scores


def expected_course(fitted: Fitted, time: float) -> tuple[Floats, Floats]:
    """Where each client of the model is expected at one time, and how the coefficients move that.

    Returns
    -------
    mean : ndarray, shape (clients,)
        ``x'beta + z'K B gamma``: best linear unbiased prediction, internal scale.
    slope : ndarray, shape (p, clients)
        Its derivative with respect to the coefficients, ``x - (X'Z) K z``.
    """
    at = fitted.optimum
    u, z = time_columns(fitted, time)
    w = covariate_columns(fitted, fitted.sums.covariates)
    slope = np.array([u[a] * w[c] for a, c in kept_pairs(fitted)])
    mean = coefficients(fitted) @ slope
    start = 0
    for block in fitted.design.statistics.blocks:
        part = slice(start, start + block.clients)
        k, _ = block.precision(at.factor)
        kz = np.einsum("abn,b->an", k, z)
        mean[part] += (kz * (block.times(at.gamma))).sum(axis=0)
        slope[:, part] -= np.einsum("apn,an->pn", block.b[:, :-1], kz)
        start = part.stop
    return mean, slope
