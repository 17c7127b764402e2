"""What a growth model with therapists says: the variances, and each therapist's effects."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.optimize import minimize as scipy_minimize

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.distributions import chi_square_quantile
from mbc.models.growth.comparison.compared_fit import ComparedFit
from mbc.models.growth.fit.optimiser import FitReport
from mbc.models.growth.inference.fitted_model import FittedModel
from mbc.models.growth.inference.model_parts import ModelParts, compared
from mbc.models.growth.inference.reported import variance_notes, variance_rows
from mbc.models.growth.matrices import Floats
from mbc.models.growth.variants.therapists.therapist_levels import Problem
from mbc.models.results.tables import text_table


@dataclass(frozen=True)
class TherapistGrowth(FittedModel):
    """A growth model with random effects of clients and of therapists, in the units of the data."""

    names: tuple[str, ...]
    coefficients: Floats
    covariance: Floats
    client_effects: tuple[str, ...]
    client_covariance: Floats
    therapist_effects: tuple[str, ...]
    therapist_covariance: Floats
    residual_variance: float
    log_likelihood: float
    therapists: tuple[Any, ...]
    means: Floats  # of each therapist's effects, (therapists, r)
    standard_deviations: Floats  # conditional, (therapists, r)
    clients_seen: NDArray[np.int64]
    crossed: bool
    n_clients: int
    n_observations: int
    singular: bool
    report: FitReport
    _problem: Problem = field(repr=False)
    _theta: Floats = field(repr=False)
    _parts_of_fit: ModelParts = field(repr=False, compare=False)

    def _parts(self) -> ModelParts:
        return self._parts_of_fit

    def _fixed_effects(self) -> tuple[Sequence[str], Floats, Floats]:
        return self.names, self.coefficients, self.covariance

    def compared_fit(self) -> ComparedFit:
        """Describe the model for `compare`."""
        return compared(
            self._parts(),
            "therapist effects",
            log_likelihood=self.log_likelihood,
            reml=self._problem.reml,
            converged=self.converged,
        )

    @property
    def therapist_share(self) -> float:
        """Share of the variance of a score at time 0 that lies between therapists (intraclass correlation)."""
        between = float(self.therapist_covariance[0, 0])
        return between / (between + float(self.client_covariance[0, 0]) + self.residual_variance)

    def _columns(self) -> dict[str, Any]:
        """One row per therapist: clients seen, each effect and its conditional standard deviation."""
        columns: dict[str, Any] = {"therapist": list(self.therapists), "clients": self.clients_seen}
        for j, name in enumerate(self.therapist_effects):
            columns[name], columns[f"{name} sd"] = self.means[:, j], self.standard_deviations[:, j]
        return columns

    def _notes(self) -> list[str]:
        between = variance_notes(
            variance_rows(self.therapist_effects, self.therapist_covariance, self.residual_variance)
        )
        within = variance_notes(variance_rows(self.client_effects, self.client_covariance, self.residual_variance))
        return [
            f"Fixed effects:\n{text_table(self.coefficients_frame(backend='polars'))}",
            f"Between therapists. {between}",
            f"Between clients. {within}",
            f"Share of the variance at time 0 between therapists: {self.therapist_share:.3f}",
        ]

    @checked
    def therapist_interval(self, *, level: float = 0.95) -> tuple[float, float]:
        """Profile-likelihood interval of the standard deviation between therapists (of the intercept).

        Raises
        ------
        ModelError
            If therapists have a random slope as well.
        """
        if self._problem.r != 1:
            raise ModelError("therapist_interval profiles a random intercept; this model has a slope as well.")
        scale = self._problem.design.outcome_spread
        estimate = math.sqrt(float(self.therapist_covariance[0, 0])) / scale
        critical = chi_square_quantile(1, level)
        least = self._problem.level(self._theta).deviance
        sigma = math.sqrt(self._problem.level(self._theta).sigma2)
        start = self._theta[:-1]

        def rise(deviation: float) -> float:
            # The absolute deviation is held; theta is relative to sigma, so hold it by iterating on the ratio.
            return _deviance_at(self._problem, start, deviation, sigma) - least - critical

        high = max(2 * estimate, 0.2 * sigma)
        while rise(high) < 0:
            high *= 1.7
        upper = float(brentq(rise, estimate, high, rtol=1e-6))
        lower = 0.0 if rise(0.0) < 0 else float(brentq(rise, 0.0, estimate, rtol=1e-6))
        return lower * scale, upper * scale


def _deviance_at(problem: Problem, start: Floats, deviation: float, sigma: float) -> float:
    """Least deviance with the standard deviation between therapists held at a value."""

    def objective(x: Floats) -> float:
        s = math.exp(float(x[-1]))
        level = problem.level(np.append(x[:-1], deviation / s))
        if not math.isfinite(level.deviance):
            return 1e300
        profiled = level.df * (1 + math.log(level.prss / level.df))
        return level.deviance - profiled + level.df * 2 * math.log(s) + level.prss / (s * s)

    first = np.append(start, math.log(sigma))
    return float(scipy_minimize(objective, first, method="BFGS", options={"gtol": 1e-4}).fun)


def client_effects(result: TherapistGrowth, problem: Problem, theta: Floats) -> Floats:
    """Conditional means of the clients' effects: what is left of each client's scores after its therapists'."""
    design, links, level = problem.design, problem.links, problem.level(theta)
    client, _ = problem.factors(theta)
    scale, r = design.outcome_spread, problem.r
    theirs = np.linalg.solve(scale * design.z_back[:r, :r], result.means.T)  # internal, (r, therapists)
    shift = np.zeros((problem.q, design.statistics.clients))
    taken = np.einsum("abn,an->bn", links.s, theirs[:, links.therapist])
    for a in range(problem.q):
        shift[a] = np.bincount(links.client, taken[a], minlength=design.statistics.clients)
    parts: list[Floats] = []
    start = 0
    for block in design.statistics.blocks:
        right = level.gamma @ block.b - shift[:, start : start + block.clients]
        parts.append((block.conditional(client) * right).sum(axis=1))
        start += block.clients
    return scale * (design.z_back @ np.concatenate(parts, axis=1)).T


def result_of(
    problem: Problem,
    theta: Floats,
    report: FitReport,
    therapists: tuple[Any, ...],
    names_of: tuple[tuple[str, ...], tuple[str, ...]],
) -> TherapistGrowth:
    """Take an optimum to the units of the data; the parts that need rows are for the caller to fill in."""
    design, links = problem.design, problem.links
    level = problem.level(theta)
    client, therapist = problem.factors(theta)
    scale, r = design.outcome_spread, problem.r
    back = scale * design.z_back
    psi = therapist @ therapist.T
    count = links.therapists
    if links.crossed:
        prior = np.kron(np.eye(count), psi)
        k = np.linalg.solve(np.eye(count * r) + prior @ level.omega, prior)
        means = (k @ (level.p @ level.gamma).reshape(-1)).reshape(count, r)
        spread = np.array([k[j * r : (j + 1) * r, j * r : (j + 1) * r] for j in range(count)])
    else:
        spread = np.linalg.solve(np.eye(r) + psi @ level.omega, np.broadcast_to(psi, (count, r, r)))
        means = np.einsum("jab,jb->ja", spread, level.p @ level.gamma)
    turn = back[:r, :r]
    g, t = back @ client, turn @ therapist
    deviance = level.deviance + 2 * level.df * math.log(scale)
    if problem.reml:
        deviance += 2 * float(np.linalg.slogdet(design.x_map)[1])
    inside = scale * (design.x_back @ (design.least_squares - level.gamma[:-1]))
    clients_per_therapist = np.array(
        [np.unique(links.client[links.therapist == j]).size for j in range(count)], dtype=np.int64
    )
    diagonal = np.concatenate([np.diag(client), np.diag(therapist)])
    return TherapistGrowth(
        names=names_of[0],
        coefficients=inside,
        covariance=scale**2 * level.sigma2 * (design.x_back @ level.inverse @ design.x_back.T),
        client_effects=names_of[1],
        client_covariance=level.sigma2 * g @ g.T,
        therapist_effects=names_of[1][:r],
        therapist_covariance=level.sigma2 * t @ t.T,
        residual_variance=scale**2 * level.sigma2,
        log_likelihood=-0.5 * deviance,
        therapists=therapists,
        means=means @ turn.T,
        standard_deviations=np.sqrt(level.sigma2 * np.einsum("ab,jbc,ac->ja", turn, spread, turn)),
        clients_seen=clients_per_therapist,
        crossed=links.crossed,
        n_clients=design.statistics.clients,
        n_observations=design.statistics.rows,
        singular=bool((diagonal < 1e-4 * diagonal.max()).any()),
        report=report,
        _problem=problem,
        _theta=theta,
        _parts_of_fit=cast("Any", None),  # filled in by the caller, who knows the rows
    )
