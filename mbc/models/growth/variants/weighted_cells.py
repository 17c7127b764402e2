"""Residuals that are not all alike: cross-products kept per cell, and weighted by the cell's precision.

Where the residual covariance is R = sum of known patterns with unknown size, S = Z'R^-1Z = sum_k w_k S_k, and the
same for B and C: the cells' cross-products are summed once, and any weights give the statistics of that model.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize as scipy_minimize

from mbc.models.growth.design.statistics import Statistics, blocked
from mbc.models.growth.fit.deviance import Evaluation, evaluate
from mbc.models.growth.fit.optimiser import Evaluated, FitReport, lower_entries
from mbc.models.growth.matrices import Floats


@dataclass(frozen=True, slots=True)
class Cells:
    """Cross-products of every cell, all about the same least-squares fit."""

    s: tuple[Floats, ...]  # (q, q, clients) per cell
    b: tuple[Floats, ...]  # (q, m, clients) per cell
    pooled: tuple[Floats, ...]  # (m, m) per cell
    rows: int

    def statistics(self, weights: Floats) -> Statistics:
        """Cross-products at these precisions."""
        s = sum(w * part for w, part in zip(weights.tolist(), self.s, strict=True))
        b = sum(w * part for w, part in zip(weights.tolist(), self.b, strict=True))
        c = sum(w * part for w, part in zip(weights.tolist(), self.pooled, strict=True))
        return Statistics(blocked(np.asarray(s), np.asarray(b)), np.asarray(c), self.rows)

    def slopes(self, statistics: Statistics, at: Evaluation, *, reml: bool) -> Floats:
        """Change of the profiled deviance by each weight.

        With b^ = K B gamma: tr(K S_k) + (df / r) |e - Z b^|^2 in cell k; for REML also the columns of X.
        """
        p = statistics.p
        weight = at.residual_df / at.prss * np.multiply.outer(at.gamma, at.gamma)
        if reml:
            weight[:p, :p] += at.inverse
        out = np.zeros(len(self.s))
        start = 0
        for block in statistics.blocks:
            part = slice(start, start + block.clients)
            k = block.conditional(at.factor)
            kb = np.einsum("abn,bmn->amn", k, block.b)
            for cell in range(len(out)):
                s, b = self.s[cell][..., part], self.b[cell][..., part]
                both = np.einsum("amn,asn->ms", kb, b)
                left = np.einsum("amn,abn,bsn->ms", kb, s, kb) - both - both.T
                out[cell] += float(np.einsum("abn,abn->", k, s)) + float((left * weight).sum())
            start += block.clients
        for cell, c in enumerate(self.pooled):
            out[cell] += float((c * weight).sum())
        return out


@dataclass(frozen=True, slots=True)
class Weighting:
    """How a few free numbers give the weights of the cells."""

    weights: Callable[[Floats], Floats]
    jacobian: Callable[[Floats], Floats]  # d weights / d numbers, (cells, numbers)
    log_det: Callable[[Floats], tuple[float, Floats]]  # log|R| over all rows, and its slopes


@dataclass(frozen=True, slots=True)
class CellFit:
    """An optimum over the factor of Psi and the numbers of the weighting."""

    statistics: Statistics
    optimum: Evaluation
    numbers: Floats
    deviance: float  # internal outcome scale
    hessian: Floats  # of the deviance by (theta, numbers), by differences of the gradient
    report: FitReport


def fit_cells(cells: Cells, weighting: Weighting, start: Floats, numbers: Floats, *, reml: bool) -> CellFit:
    """Minimise over (theta, numbers) together, by BFGS with the exact gradient."""
    q = len(start)
    entries = lower_entries(q)
    rows, columns = np.array([i for i, _ in entries]), np.array([j for _, j in entries])
    log: list[Evaluated] = []

    def at(x: Floats) -> tuple[Evaluation, Statistics, float, Floats]:
        factor = np.zeros((q, q))
        factor[rows, columns] = x[: len(rows)]
        own = x[len(rows) :]
        statistics = cells.statistics(weighting.weights(own))
        there = evaluate(statistics, factor, reml=reml)
        constant, constant_slope = weighting.log_det(own)
        if not math.isfinite(there.deviance):
            return there, statistics, 1e300, np.zeros_like(x)
        by_theta = 2.0 * (there.slope @ factor)[rows, columns]
        by_own = weighting.jacobian(own).T @ cells.slopes(statistics, there, reml=reml) + constant_slope
        return there, statistics, there.deviance + constant, np.concatenate([by_theta, by_own])

    def objective(x: Floats) -> tuple[float, Floats]:
        _, _, deviance, slope = at(x)
        log.append(Evaluated(deviance, math.nan, "bfgs"))
        return deviance, slope

    first = np.concatenate([start[rows, columns], numbers])
    minimum = scipy_minimize(objective, first, jac=True, method="BFGS", options={"gtol": 1e-5, "maxiter": 500})
    x = np.asarray(minimum.x)
    hessian = _differenced(lambda y: at(y)[3], x)
    x = _polished(objective, x, hessian)
    optimum, statistics, deviance, slope = at(x)
    gradient = float(np.abs(slope).max())
    report = FitReport(
        bool(minimum.success) or gradient < 1e-3 * math.sqrt(cells.rows),
        f"largest gradient {gradient:.1e}",
        len(log),
        tuple(first.tolist()),
        tuple(x.tolist()),
        tuple(log),
    )
    return CellFit(statistics, optimum, x[len(rows) :], deviance, hessian, report)


def _differenced(slope: Callable[[Floats], Floats], x: Floats) -> Floats:
    """Central differences of a gradient."""
    out = np.empty((x.size, x.size))
    for i in range(x.size):
        step = np.zeros(x.size)
        step[i] = 1e-4 * max(1.0, abs(float(x[i])))
        out[i] = (slope(x + step) - slope(x - step)) / (2 * step[i])
    return 0.5 * (out + out.T)


def _polished(objective: Callable[[Floats], tuple[float, Floats]], x: Floats, hessian: Floats) -> Floats:
    """Take Newton steps while they help."""
    values, vectors = np.linalg.eigh(hessian)
    if not values[0] > 1e-8 * values[-1]:
        return x
    deviance, slope = objective(x)
    for _ in range(5):
        nearer = x - vectors @ ((vectors.T @ slope) / values)
        there, slope_there = objective(nearer)
        if not there <= deviance:
            break
        x, deviance, slope = nearer, there, slope_there
    return x
