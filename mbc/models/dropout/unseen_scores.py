"""What could the unseen score have been: its distribution given the client's own scores and the growth model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mbc.models.change.inputs.score_arrays import FloatArray
from mbc.models.dropout.clients import Clients, IntArray
from mbc.models.growth.growth_curve import GrowthCurve


@dataclass(frozen=True, slots=True, eq=False)
class Unseen:
    """Conditional normal of each client's course at one time: ``mean`` + ``row @ factor @ e`` + residual."""

    mean: FloatArray  # scale points, shape (n_clients,)
    row: FloatArray  # random-effect row at that time, shape (n_clients, q)
    factor: FloatArray  # square root of the effects' conditional covariance, shape (n_clients, q, q)
    residual_sd: float

    def draw(self, rng: np.random.Generator) -> FloatArray:
        """Draw one score per client."""
        effects = rng.standard_normal(self.row.shape)
        noise = self.residual_sd * rng.standard_normal(self.mean.size)
        return self.mean + np.einsum("nq,nqr,nr->n", self.row, self.factor, effects) + noise


def unseen(fit: GrowthCurve, clients: Clients) -> Unseen:
    """Condition every client's course on that client's own scores; a client without any follows the covariates."""
    n = clients.people.height
    estimates = fit.estimates
    everybody = np.arange(n)
    x, z = _design(fit, clients, clients.time, clients.codes)
    x_at, z_at = _design(fit, clients, np.full(n, clients.at), everybody)
    rest = clients.score - x @ estimates.coefficients
    q = z.shape[1]
    s, b = np.zeros((n, q, q)), np.zeros((n, q))
    np.add.at(s, clients.codes, z[:, :, None] * z[:, None, :])
    np.add.at(b, clients.codes, z * rest[:, None])
    root = _root(np.asarray(estimates.random_covariance, dtype=float))
    inner = np.eye(q) + root.T @ s @ root / estimates.residual_variance
    # Conditional covariance L inner^-1 L'; its square root needs no inverse of a singular G.
    lower = np.linalg.cholesky(inner)
    factor = root @ np.linalg.inv(lower).transpose(0, 2, 1)
    effects = np.einsum("nqr,nsr,ns->nq", factor, factor, b) / estimates.residual_variance
    mean = x_at @ estimates.coefficients + (z_at * effects).sum(axis=1)
    return Unseen(mean, z_at, factor, float(np.sqrt(estimates.residual_variance)))


def _design(
    fit: GrowthCurve, clients: Clients, times: FloatArray, codes: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Rows of the fixed and the random part, in the units of the reported coefficients."""
    terms, kept = fit.fitted.terms, fit.fitted.design.x_names
    basis = fit.shape.about_zero(0.0).T @ np.vstack([np.ones(times.size), fit.shape.columns(times, 0.0)])
    values: list[NDArray[Any]] = [np.ones(clients.people.height)]
    values += [column.raw(clients.column(column.source)) for column in terms.covariates]
    x = [
        basis[a] * values[c][codes] for (a, c), name in zip(terms.pairs, terms.names, strict=True) if name in kept
    ]
    return np.stack(x, axis=1), basis[list(fit.fitted.random)].T


def _root(covariance: FloatArray) -> FloatArray:
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0.0))
