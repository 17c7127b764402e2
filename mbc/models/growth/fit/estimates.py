"""What an optimum says: coefficients, variances, likelihood, client effects, on the reported scale."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mbc.models.growth.design.design import Design
from mbc.models.growth.fit.deviance import Evaluation
from mbc.models.growth.matrices import (
    Floats,
    by_columns,
    log_determinant,
    symmetric_pairs,
    triangle,
    triangular,
)


@dataclass(frozen=True, slots=True)
class Estimates:
    """Maximum-likelihood (or REML) estimates of a linear mixed model, in the units of the data."""

    coefficients: Floats  # (p,)
    covariance: Floats  # of the coefficients, (p, p): sigma^2 (X'V^-1 X)^-1
    random_covariance: Floats  # G, (q, q)
    residual_variance: float
    log_likelihood: float
    theta: Floats  # lower triangle by columns of the relative factor: lme4's theta
    reml: bool

    @property
    def standard_errors(self) -> Floats:
        """Of the coefficients."""
        return np.sqrt(self.covariance.diagonal())


@dataclass(frozen=True, slots=True)
class Effects:
    """Conditional means and covariances of every client's random effects, in the units of the data."""

    means: Floats  # (clients, q)
    covariances: Floats  # given the variances and coefficients; (clients, q, q)


def estimates_of(design: Design, at: Evaluation, *, reml: bool, deviance: float | None = None) -> Estimates:
    """Take an evaluation from the internal to the reported scale; ``deviance`` replaces its own."""
    back_x, back_z, scale = design.x_back, design.z_back, design.outcome_spread
    sigma2 = scale * scale * at.sigma2
    psi_factor = back_z @ at.factor
    psi = psi_factor @ psi_factor.T
    return Estimates(
        coefficients=scale * (back_x @ (design.least_squares - at.gamma[:-1])),
        covariance=sigma2 * (back_x @ at.inverse @ back_x.T),
        random_covariance=sigma2 * psi,
        residual_variance=sigma2,
        log_likelihood=-0.5 * reported_deviance(design, at, reml=reml, deviance=deviance),
        theta=by_columns(triangular(psi_factor)),
        reml=reml,
    )


def reported_deviance(design: Design, at: Evaluation, *, reml: bool, deviance: float | None = None) -> float:
    """Take -2 log L to the units of the data; REML also depends on the scale of X."""
    deviance = (at.deviance if deviance is None else deviance) + 2 * at.residual_df * math.log(
        design.outcome_spread
    )
    if reml:
        deviance += 2 * log_determinant(design.x_map)
    return deviance


def internal_factor(design: Design, theta: Floats) -> Floats:
    """Turn lme4's theta into the internal factor."""
    lower = np.zeros((len(design.z_names), len(design.z_names)))
    columns, rows = triangle(len(lower))
    lower[rows, columns] = theta
    return triangular(design.z_map @ lower)


def effects_of(design: Design, at: Evaluation) -> Effects:
    """Best linear unbiased predictions K B gamma and their conditional covariances sigma^2 K."""
    back, scale = design.z_back, design.outcome_spread
    q, clients = len(back), design.statistics.clients
    columns, rows = triangle(q)
    turn = scale * scale * at.sigma2 * back[:, None, :, None] * back[:, None]
    turn = turn[columns, rows].reshape(columns.size, q * q)  # to the upper triangle of the reported covariance
    means, triangles = np.empty((q, clients)), np.empty((columns.size, clients))
    start = 0
    for block in design.statistics.blocks:
        part = slice(start, start + block.clients)
        k = block.conditional(at.factor)
        own = (k * block.times(at.gamma)).sum(axis=1)
        means[:, part] = scale * back @ own
        triangles[:, part] = turn @ k.reshape(q * q, -1)
        start = part.stop
    return Effects(means.T, _symmetric(triangles, q).transpose(2, 0, 1))


def _symmetric(triangles: Floats, q: int) -> Floats:
    """Lower triangles by columns as symmetric matrices, (q, q, clients)."""
    if q == 2:
        return symmetric_pairs(triangles)
    out = np.empty((q, q, triangles.shape[1]))
    columns, rows = triangle(q)
    out[rows, columns] = out[columns, rows] = triangles
    return out
