"""How would the estimates scatter if the model were true: a parametric bootstrap drawn from client sums, not rows.

Given S, a client's Z'e is normal with covariance sigma^2 S; X'e given all of these is normal around the part that
Z explains; e'e adds a chi-square for what neither explains. Drawing those is exact and needs no row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mbc.errors import ModelError
from mbc.models.growth.design.design import Design, residualised
from mbc.models.growth.design.statistics import Statistics, blocked
from mbc.models.growth.fit.deviance import Evaluation, evaluate
from mbc.models.growth.fit.optimiser import minimise
from mbc.models.growth.fit.residual_space import ResidualSpace
from mbc.models.growth.inference.profile import Interval
from mbc.models.growth.matrices import Floats
from mbc.models.results.result import Result


@dataclass(frozen=True, slots=True)
class Bootstrap(Result):
    """Replicates of every estimate, in the units of the data."""

    names: tuple[str, ...]  # coefficients
    coefficients: Floats  # (replicates, p)
    covariances: Floats  # G, (replicates, q, q)
    residual_variances: Floats  # (replicates,)
    failed: int  # replicates whose search did not converge; left out

    def _columns(self) -> dict[str, Any]:
        """One row per replicate: each coefficient and the residual variance."""
        columns = {name: self.coefficients[:, j] for j, name in enumerate(self.names)}
        return {**columns, "residual variance": self.residual_variances}

    def intervals(self, design: Design, at: Evaluation, *, level: float) -> tuple[Interval, ...]:
        """Percentile intervals of standard deviations and correlations."""
        tails = [50 * (1 - level), 50 * (1 + level)]
        root = design.outcome_spread * np.sqrt(at.sigma2) * design.z_back @ at.factor
        g, out = root @ root.T, list[Interval]()
        deviations = np.sqrt(np.einsum("rii->ri", self.covariances))
        for i, name in enumerate(design.z_names):
            low, high = np.percentile(deviations[:, i], tails)
            out.append(Interval(name, "standard deviation", float(np.sqrt(g[i, i])), float(low), float(high)))
        for i in range(len(g)):
            for j in range(i):
                both = deviations[:, i] * deviations[:, j]
                correlations = self.covariances[both > 0, i, j] / both[both > 0]
                low, high = np.percentile(correlations, tails) if correlations.size else (-1.0, 1.0)
                estimate = float(g[i, j] / np.sqrt(g[i, i] * g[j, j])) if g[i, i] * g[j, j] > 0 else 0.0
                name = f"{design.z_names[j]}, {design.z_names[i]}"
                out.append(Interval(name, "correlation", estimate, float(low), float(high)))
        low, high = np.percentile(np.sqrt(self.residual_variances), tails)
        sigma = design.outcome_spread * float(np.sqrt(at.sigma2))
        out.append(Interval("residual", "standard deviation", sigma, float(low), float(high)))
        return tuple(out)


def draw(
    left: ResidualSpace, rng: np.random.Generator, factor: Floats, sigma: float, pooled: Floats, rows: int
) -> tuple[Statistics, Floats]:
    """Draw one data set with coefficients zero; its statistics and least-squares coefficients."""
    q, _, clients = left.s.shape
    p = int(left.bx.shape[1])
    effects = sigma * factor @ rng.standard_normal((q, clients))
    noise: Floats = sigma * np.einsum("nab,bn->an", left.root, rng.standard_normal((q, clients)))
    zb: Floats = np.einsum("abn,bn->an", left.s, effects)
    values, vectors = np.linalg.eigh(left.within)
    real = values > 1e-9 * np.abs(pooled.diagonal()).max()
    spare: Floats = np.multiply(rng.standard_normal(p), real)
    rest_of_x: Floats = sigma * vectors @ (np.sqrt(np.where(real, values, 0.0)) * spare)
    xy: Floats = (
        np.einsum("apn,an->p", left.bx, effects) + np.einsum("apn,an->p", left.projected, noise) + rest_of_x
    )
    explained = np.einsum("an,abn,bn->", noise, left.inverse, noise)
    yy = float((effects * (zb + 2 * noise)).sum() + explained)
    yy += sigma**2 * float(spare @ spare + rng.chisquare(left.spare) if left.spare else spare @ spare)
    cross = pooled.copy()
    cross[:-1, -1] = cross[-1, :-1] = xy
    cross[-1, -1] = yy
    least, rest = residualised(cross)
    by = zb + noise - np.einsum("apn,p->an", left.bx, least)
    b = np.concatenate([left.bx, by[:, None]], axis=1)
    return Statistics(blocked(left.s, b), rest, rows), least


def parametric_bootstrap(
    design: Design, at: Evaluation, *, reml: bool, replicates: int, seed: int | None
) -> Bootstrap:
    """Draw data sets from the fitted model and refit each.

    References
    ----------
    .. [1] Bates et al. (2015), doi:10.18637/jss.v067.i01: ``bootMer``.
    """
    if replicates < 2:
        raise ModelError(f"replicates must be at least 2, got {replicates}.")
    rng = np.random.default_rng(seed)
    left = ResidualSpace.of(design.statistics)
    sigma, scale = float(np.sqrt(at.sigma2)), design.outcome_spread
    fitted = design.least_squares - at.gamma[:-1]
    start = np.linalg.cholesky(at.factor @ at.factor.T + np.diag(1e-3 + 0.05 * np.diag(at.factor @ at.factor.T)))
    coefficients: list[Floats] = []
    covariances: list[Floats] = []
    residuals: list[float] = []
    for _ in range(replicates):
        statistics, least = draw(left, rng, at.factor, sigma, design.statistics.pooled, design.statistics.rows)
        there, report = minimise(lambda factor, s=statistics: evaluate(s, factor, reml=reml), start)
        if not report.converged:
            continue
        root = design.z_back @ there.factor
        coefficients.append(scale * (design.x_back @ (fitted + least - there.gamma[:-1])))
        covariances.append(scale**2 * there.sigma2 * (root @ root.T))
        residuals.append(scale**2 * there.sigma2)
    return Bootstrap(
        design.x_names,
        np.array(coefficients),
        np.array(covariances),
        np.array(residuals),
        replicates - len(residuals),
    )
