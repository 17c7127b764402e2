"""How the scores of a scale run over log(1 + weeks): mean and covariance of intercept and slope, and residual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_ROUNDS = 120  # of expectation and maximisation; changes are far below a point by then
_WEEK = 7


def time_of(days: Floats | Sequence[float]) -> Floats:
    """Give log(1 + weeks), the time that growth curves run over by default."""
    return np.log1p(np.maximum(np.asarray(days, dtype=np.float64), 0.0) / _WEEK)


@dataclass(frozen=True, slots=True)
class GrowthSummary:
    """What is kept of a scale's scores: no number of a person."""

    mean: Floats  # intercept, slope
    covariance: Floats  # 2 x 2
    residual: float  # standard deviation
    score_mean: float  # over all scores
    score_sd: float
    people: int


def summarise_growth(person: npt.NDArray[np.int64], time: Floats, score: Floats) -> tuple[GrowthSummary, Floats]:
    """Fit a linear mixed model by expectation and maximisation on the sums of each person.

    Parameters
    ----------
    person : ndarray of int
        Number of the person from 0, row by row; each number occurs.
    time, score : ndarray

    Returns
    -------
    tuple of GrowthSummary and ndarray, shape (people, 2)
        The second has each person's expected intercept and slope: for correlations between scales, then dropped.

    References
    ----------
    .. [1] Laird & Ware (1982), doi:10.2307/2529876.
    """
    count = int(person.max()) + 1
    design = np.column_stack([np.ones_like(time), time])
    squares = np.zeros((count, 2, 2))
    products = np.zeros((count, 2))
    np.add.at(squares, person, design[:, :, None] * design[:, None, :])
    np.add.at(products, person, design * score[:, None])
    total = np.bincount(person, score**2, count)
    variance = float(score.var()) or 1e-6
    mean = np.array([float(score.mean()), 0.0])
    covariance = np.diag([0.6 * variance, 0.1 * variance])
    residual = 0.3 * variance
    lines = np.tile(mean, (count, 1))
    for _ in range(_ROUNDS):
        prior = np.linalg.inv(covariance + 1e-9 * variance * np.eye(2))
        spread = np.linalg.inv(prior + squares / residual)
        lines = np.einsum("nij,nj->ni", spread, products / residual + prior @ mean)
        mean = lines.mean(axis=0)
        away = lines - mean
        covariance = (spread + away[:, :, None] * away[:, None, :]).mean(axis=0)
        fitted = np.einsum("ni,nij,nj->n", lines, squares, lines) - 2 * np.einsum("ni,ni->n", lines, products)
        unexplained = total + fitted + np.einsum("nij,nji->n", squares, spread)
        residual = max(float(unexplained.sum()) / score.size, 1e-6 * variance)
    summary = GrowthSummary(
        mean, covariance, float(np.sqrt(residual)), float(score.mean()), float(np.sqrt(variance)), count
    )
    return summary, lines


def nearest_correlation(matrix: Floats) -> Floats:
    """Make a matrix of correlations positive definite: small eigenvalues are raised, the diagonal is 1 again."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    raised = (vectors * np.maximum(values, 1e-4)) @ vectors.T
    scale = 1 / np.sqrt(np.diag(raised))
    return raised * scale[:, None] * scale[None, :]
