"""Where is the deviance of a growth model with therapists least: BFGS, then Newton steps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.optimize import minimize as scipy_minimize

from mbc.models.growth.fit.identification import checked_start
from mbc.models.growth.fit.optimiser import Evaluated, FitReport
from mbc.models.growth.matrices import Floats, factor_of
from mbc.models.growth.variants.therapists.therapist_levels import Problem


def search(problem: Problem) -> tuple[Floats, FitReport]:
    """Minimise by BFGS on central differences, then Newton steps on the differenced Hessian."""
    start_client = checked_start(problem.design, reml=problem.reml).factor
    start = np.concatenate(
        [
            start_client[np.tril_indices(problem.q)],
            0.5 * start_client[: problem.r, : problem.r][np.tril_indices(problem.r)],
        ]
    )
    log: list[Evaluated] = []

    def objective(theta: Floats) -> float:
        deviance = problem.level(theta).deviance
        log.append(Evaluated(deviance, math.nan, "bfgs"))
        return deviance if math.isfinite(deviance) else 1e300

    minimum = scipy_minimize(
        objective, start, method="BFGS", jac="3-point", options={"gtol": 1e-4, "maxiter": 300}
    )
    theta = np.asarray(minimum.x)
    hessian, slope = _differences(objective, theta)
    for _ in range(3):
        values, vectors = np.linalg.eigh(hessian)
        nearer = theta - vectors @ ((vectors.T @ slope) / np.maximum(np.abs(values), 1e-8 * np.abs(values).max()))
        if not objective(nearer) < objective(theta):
            break
        theta = nearer
        hessian, slope = _differences(objective, theta)
    client, therapist = problem.factors(theta)
    theta = np.concatenate(
        [
            factor_of(client @ client.T)[np.tril_indices(problem.q)],
            factor_of(therapist @ therapist.T)[np.tril_indices(problem.r)],
        ]
    )
    converged = bool(np.abs(slope).max() < 1e-3 * math.sqrt(problem.design.statistics.rows))
    message = f"largest gradient {float(np.abs(slope).max()):.1e}"
    return theta, FitReport(converged, message, len(log), tuple(start.tolist()), tuple(theta.tolist()), tuple(log))


def _differences(objective: Any, x: Floats) -> tuple[Floats, Floats]:
    """Hessian and gradient by central differences."""
    n = x.size
    step = 1e-3 * np.maximum(np.abs(x), 0.1)
    here = objective(x)
    unit = np.diag(step)
    up = np.array([objective(x + unit[i]) for i in range(n)])
    down = np.array([objective(x - unit[i]) for i in range(n)])
    hessian = np.diag((up - 2 * here + down) / step**2)
    for i in range(n):
        for j in range(i):
            cross = objective(x + unit[i] + unit[j]) - objective(x + unit[i] - unit[j])
            cross += objective(x - unit[i] - unit[j]) - objective(x - unit[i] + unit[j])
            hessian[i, j] = hessian[j, i] = cross / (4 * step[i] * step[j])
    return hessian, (up - down) / (2 * step)
