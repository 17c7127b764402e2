"""Where is the deviance least: Fisher scoring in Psi, with a saddle-free Newton step in its factor at the border.

Inside the cone of covariance matrices one scoring step in Psi is nearly exact from any start. Where that step
leaves the cone (a variance of zero, a correlation of one) the search goes on in theta, the entries of the
triangular factor L: the deviance is even in the sign of each column of L, so a singular optimum is a smooth
interior minimum there, and no bound is needed. Where the steps stay slow (few clients, nearly singular) exact
second derivatives take over from the expected ones. Every evaluation is kept in the report.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mbc.models.growth.fit.deviance import Evaluation
from mbc.models.growth.matrices import Floats, cholesky, factor_of, inverse_factor

Objective = Callable[[Floats], Evaluation]
SecondDerivatives = Callable[[Evaluation, Floats], Floats]  # of the deviance, along directions of Psi (k, q, q)

TOLERANCE = 1e-10  # predicted decrease of the deviance that is not worth another evaluation
MOST_EVALUATIONS = 400
SLOW = 7  # evaluations after which a search should be near its optimum


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One line of the fit's log."""

    deviance: float
    predicted: float  # decrease of the deviance that the step from here promised
    step: str  # "scoring", "newton", or "start"


@dataclass(frozen=True, slots=True)
class FitReport:
    """How the optimum was found, so that a fit can be audited afterwards."""

    converged: bool
    message: str
    evaluations: int
    start: tuple[float, ...]  # theta: lower triangle of L by columns, internal scale
    end: tuple[float, ...]
    log: tuple[Evaluated, ...]
    searches: int = 1  # starting points tried; the log is that of the best

    def __str__(self) -> str:
        state = "converged" if self.converged else "NOT converged"
        return f"{state} after {self.evaluations} evaluations: {self.message}"


def lower_entries(q: int) -> list[tuple[int, int]]:
    """Row and column of each theta: the lower triangle by columns, as in lme4."""
    return [(i, j) for j in range(q) for i in range(j, q)]


@lru_cache
def unit_changes(q: int) -> Floats:
    """Symmetric unit changes of Psi, lower triangle by rows; (k, q * q)."""
    rows, columns = np.tril_indices(q)
    units = np.zeros((rows.size, q, q))
    units[np.arange(rows.size), rows, columns] = 1.0
    units[np.arange(rows.size), columns, rows] = 1.0
    return units.reshape(rows.size, q * q)


def minimise(
    objective: Objective,
    start: Floats | Evaluation,
    *,
    entries: list[tuple[int, int]] | None = None,
    exact: SecondDerivatives | None = None,
) -> tuple[Evaluation, FitReport]:
    """Minimise a deviance over triangular factors.

    Parameters
    ----------
    objective : callable
        Gives the `Evaluation` at a factor.
    start : ndarray, shape (q, q), or Evaluation
        Lower-triangular factor with positive diagonal, or the deviance there.
    entries : list of (row, column), optional
        Entries of the factor that may move; all of the lower triangle by default.
    exact : callable, optional
        Exact second derivatives, for where the expected ones lead only slowly to the optimum.
    """
    search = _Search(objective, start, entries, exact)
    return search.run()


class _Search:
    """The state of one minimisation; lives no longer than `minimise`."""

    def __init__(
        self,
        objective: Objective,
        start: Floats | Evaluation,
        entries: list[tuple[int, int]] | None,
        exact: SecondDerivatives | None,
    ) -> None:
        self.objective, self.exact = objective, exact
        self.full = entries is None
        size = len(start.factor if isinstance(start, Evaluation) else start)
        self.entries = lower_entries(size) if entries is None else entries
        self.rows = np.array([i for i, _ in self.entries])
        self.columns = np.array([j for _, j in self.entries])
        self.start = start.factor if isinstance(start, Evaluation) else start
        self.at = start if isinstance(start, Evaluation) else objective(start)
        self.units = unit_changes(len(self.start))
        self.near = False  # whether the last step promised little: the optimum is close
        self.half: Floats | None = None  # of the information at the last step
        self.log = [Evaluated(self.at.deviance, math.nan, "start")]

    def run(self) -> tuple[Evaluation, FitReport]:
        """Step until the promised decrease is nothing, or nothing helps."""
        if not math.isfinite(self.at.deviance):
            return self._report(converged=False, message="the deviance is not finite at the start")
        while len(self.log) < MOST_EVALUATIONS:
            predicted, moved = (math.inf, False) if not self.full or self._slow() else self._scoring()
            if not moved and predicted > self._rounding():
                predicted, moved = self._newton()
            done = predicted <= TOLERANCE or (not moved and predicted <= self._rounding())
            if done and not self._leave_saddle():
                return self._report(converged=True, message=f"promised decrease {predicted:.1e}")
            if not done and not moved:
                return self._report(converged=False, message=f"no step helps; promised decrease {predicted:.1e}")
        return self._report(converged=False, message=f"stopped after {MOST_EVALUATIONS} evaluations")

    def _slow(self) -> bool:
        """Whether the last steps each promised nearly as much as the one before: no quadratic convergence."""
        if self.exact is None or len(self.log) < SLOW:
            return False
        before, last = self.log[-2].predicted, self.log[-1].predicted
        return last > 0.02 * before

    def _rounding(self) -> float:
        """Decrease that nearly collinear columns may hide in rounding: a refused step of this size is the end."""
        return 1e-7 + 1e-12 * abs(self.at.deviance)

    def _scoring(self) -> tuple[float, bool]:
        """One step in Psi itself, by the best information at hand; declined where it leaves the cone."""
        units = self.units
        slope = units @ self.at.slope.ravel()
        if self.near and self.half is not None:
            along = self.half @ slope
            predicted = 0.5 * float(along @ along)
            if predicted <= TOLERANCE:  # by the information of the step before, which has not moved much
                return predicted, False
        self.half = self._inverse_root()
        if self.half is None:
            return math.inf, False
        along = self.half @ slope
        predicted = 0.5 * float(along @ along)
        if predicted <= TOLERANCE:
            return predicted, False
        psi = self.at.factor @ self.at.factor.T - ((along @ self.half) @ units).reshape(self.start.shape)
        factor = cholesky(psi)
        if factor is None:
            return math.inf, False
        before: list[float] = self.at.factor.diagonal().tolist()
        if any(new < 0.03 * old for new, old in zip(factor.diagonal().tolist(), before, strict=True)):
            return math.inf, False  # heading for the border: let the factor take it there
        self.near = predicted < 1.0
        return predicted, self._try(factor, predicted, "scoring")

    def _inverse_root(self) -> Floats | None:
        """Find H with H'H the inverse of the information on Psi; None where that is not positive definite."""
        q = len(self.start)
        for curvature in self._curvatures():
            root = cholesky(self.units @ curvature.reshape(q * q, q * q) @ self.units.T)
            if root is not None:
                return inverse_factor(root)
        return None

    def _curvatures(self) -> Iterator[Floats]:
        """Near the optimum the observed information, if it is at hand; else the expected, better from afar."""
        if self.near:
            observed = self.at.observed_curvature()
            if observed is not None:
                yield observed
        yield self.at.expected_curvature()

    def _newton(self) -> tuple[float, bool]:
        """One step in theta along the eigenvectors of its Hessian, always downhill."""
        slope, hessian = self._in_theta()
        values, vectors = np.linalg.eigh(hessian)
        floor = max(1e-12 * float(np.abs(values).max()), 1e-300)
        steps = -(vectors.T @ slope) / np.maximum(np.abs(values), floor)
        predicted = -0.5 * float((vectors.T @ slope) @ steps)
        step = vectors @ steps
        if predicted <= TOLERANCE:
            return predicted, False
        fraction = 1.0
        for _ in range(30):
            factor = self.at.factor.copy()
            factor[self.rows, self.columns] += fraction * step
            if self._try(factor, predicted * fraction, "newton"):
                return predicted, True
            if predicted <= self._rounding():
                break
            fraction *= 0.3
        return predicted, False

    def _in_theta(self) -> tuple[Floats, Floats]:
        """Gradient and Hessian with respect to the free entries of L."""
        factor, slope = self.at.factor, self.at.slope
        along = factor.T[self.columns]  # column j of L for each entry, (k, q)
        gradient = 2.0 * (slope @ factor)[self.rows, self.columns]
        bend = 2.0 * (self.columns[:, None] == self.columns) * slope[np.ix_(self.rows, self.rows)]
        if self.exact is not None and len(self.log) >= SLOW:
            directions = np.zeros((len(self.rows), *factor.shape))
            directions[np.arange(len(self.rows)), self.rows] = along
            hessian = self.exact(self.at, directions + directions.transpose(0, 2, 1)) + bend
            return gradient, 0.5 * (hessian + hessian.T)
        h = self.at.expected_curvature()
        h = h + h.transpose(1, 0, 2, 3)
        h = h + h.transpose(0, 1, 3, 2)
        left = np.einsum("kb,kbcd->kcd", along, h[self.rows])
        hessian = np.einsum("kcl,lc->kl", left[:, :, self.rows], along) + bend
        return gradient, 0.5 * (hessian + hessian.T)

    def _try(self, factor: Floats, predicted: float, step: str) -> bool:
        """Go there if the deviance agrees."""
        there = self.objective(factor)
        self.log.append(Evaluated(there.deviance, predicted, step))
        noise = 1e-13 * abs(self.at.deviance)
        if there.deviance <= self.at.deviance + min(noise, 0.5 * predicted) or (
            predicted < 10 * noise and there.deviance <= self.at.deviance + 10 * noise
        ):
            self.at = there
            return True
        return False

    def _leave_saddle(self) -> bool:
        """At a singular Psi, go on if more variance in the missing direction would help."""
        diagonal = self.at.factor.diagonal()
        if not self.full or diagonal.min() > 1e-4 * diagonal.max():
            return False
        values, vectors = np.linalg.eigh(self.at.factor @ self.at.factor.T)
        missing = vectors[:, values < 1e-10 * max(float(values[-1]), 1e-300)]
        if missing.shape[1] == 0:
            return False
        worst, directions = np.linalg.eigh(missing.T @ self.at.slope @ missing)
        if worst[0] > -1e-6 * float(np.abs(self.at.slope).max() + 1e-300):
            return False
        way = missing @ directions[:, 0]
        second = float(np.einsum("a,b,c,d,abcd", way, way, way, way, self.at.expected_curvature()))
        size = -float(worst[0]) / second if second > 0 else 1.0
        psi = self.at.factor @ self.at.factor.T
        for _ in range(20):
            factor = factor_of(psi + size * np.outer(way, way))
            before = self.at.deviance
            if self._try(factor, -size * float(worst[0]), "leave") and self.at.deviance < before - 1e-9:
                return True
            size *= 0.3
        return False

    def _report(self, *, converged: bool, message: str) -> tuple[Evaluation, FitReport]:
        entries = self.rows, self.columns
        start, end = self.start[entries], self.at.factor[entries]
        report = FitReport(
            converged, message, len(self.log), tuple(start.tolist()), tuple(end.tolist()), tuple(self.log)
        )
        return self.at, report
