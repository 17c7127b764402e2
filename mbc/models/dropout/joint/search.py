"""Where is the joint likelihood highest, and how sharply: L-BFGS from the separate fits, then Newton steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from scipy import optimize

from mbc.models.dropout.joint.likelihood import JointLikelihood, Parameters
from mbc.models.growth.matrices import Floats

CLOSE = 1e-6  # promised increase of the log-likelihood that is not worth a further step
_NEWTON_STEPS = 6
_minimize: Any = optimize.minimize


@dataclass(frozen=True, slots=True, eq=False)
class JointFit:
    """The optimum, and the curvature there."""

    at: Parameters
    log_likelihood: float
    information: Floats  # minus the second derivative, in the layout of `Parameters.vector`
    promised: float  # increase of the log-likelihood that a further Newton step promises
    evaluations: int

    @property
    def covariance(self) -> Floats | None:
        """Of the estimates; None where the information is not positive definite."""
        values = np.linalg.eigvalsh(self.information)
        return np.linalg.inv(self.information) if values[0] > 1e-10 * values[-1] else None

    @property
    def converged(self) -> bool:
        """Whether this is a maximum."""
        return self.covariance is not None and 0 <= self.promised < CLOSE


def maximise(likelihood: JointLikelihood, start: Parameters) -> JointFit:
    """Maximise from a start whose curvature sets the scale of the search."""
    count = 0

    def evaluate(vector: Floats) -> tuple[float, Floats]:
        nonlocal count
        count += 1
        return likelihood.value_and_gradient(start.like(vector))

    here = start.vector()
    turn = _scales(information(evaluate, here))

    def objective(scaled: Floats) -> tuple[float, Floats]:
        value, slope = evaluate(here + turn @ scaled)
        return -value, -(turn.T @ slope)

    minimum = _minimize(
        objective,
        np.zeros(here.size),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 200, "gtol": 1e-5, "ftol": 1e-12},
    )
    best = here + turn @ cast("Floats", minimum.x)
    value, slope = evaluate(best)
    for _ in range(_NEWTON_STEPS):
        curved, step, promised = _newton(evaluate, best, slope)
        new, new_slope = evaluate(best + step)
        if promised < CLOSE * 1e-3 or not new > value:
            return JointFit(start.like(best), value, curved, promised, count)
        best, value, slope = best + step, new, new_slope
    curved, _, promised = _newton(evaluate, best, slope)
    return JointFit(start.like(best), value, curved, promised, count)


def _newton(
    evaluate: Callable[[Floats], tuple[float, Floats]], at: Floats, slope: Floats
) -> tuple[Floats, Floats, float]:
    """Information, a Newton step and the increase that it promises."""
    curved = information(evaluate, at)
    values, vectors = np.linalg.eigh(curved)
    step = vectors @ ((vectors.T @ slope) / np.maximum(np.abs(values), 1e-10 * np.abs(values).max()))
    return curved, step, 0.5 * float(slope @ step)


def information(evaluate: Callable[[Floats], tuple[float, Floats]], at: Floats) -> Floats:
    """Differentiate the gradient by central differences."""
    rows: list[Floats] = []
    for j in range(at.size):
        step = np.zeros(at.size)
        step[j] = 1e-4 * max(1.0, abs(float(at[j])))
        rows.append((evaluate(at - step)[1] - evaluate(at + step)[1]) / (2 * step[j]))
    matrix = np.array(rows)
    return 0.5 * (matrix + matrix.T)


def _scales(curved: Floats) -> Floats:
    """Find the matrix that makes every direction equally curved."""
    values, vectors = np.linalg.eigh(curved)
    return vectors / np.sqrt(np.maximum(np.abs(values), 1e-8 * np.abs(values).max()))
