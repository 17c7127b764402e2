"""From rows to the joint likelihood and back to the units of the data."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mbc.errors import ModelError
from mbc.models.dropout.joint.likelihood import Association, JointLikelihood, Parameters, blocks
from mbc.models.dropout.joint.risk_sets import RiskSets
from mbc.models.dropout.joint.search import JointFit, maximise
from mbc.models.growth.fit.fit_model import fit_design
from mbc.models.growth.fit.starts import starting_factor
from mbc.models.growth.growth_curve import GrowthCurve
from mbc.models.growth.matrices import Floats
from mbc.models.growth.variants.row_columns import RowColumns


@dataclass(frozen=True, slots=True, eq=False)
class JointRows:
    """Scores and leaving in the engine's own scale, with the separate fits."""

    columns: RowColumns
    risk: RiskSets
    likelihood: JointLikelihood
    separate: Parameters  # scores under missing at random, leaving by band alone; gamma 0
    separate_log_likelihood: float

    @property
    def scale(self) -> float:
        """Points per unit of the engine's scale."""
        return self.columns.design.outcome_spread

    def in_points(self, log_likelihood: float) -> float:
        """Take a log-likelihood to the units of the data."""
        return log_likelihood - self.columns.y.size * math.log(self.scale)


def joint_rows(columns: RowColumns, risk: RiskSets, link: Association, nodes: int) -> JointRows:
    """Prepare the likelihood, and fit scores and leaving each by themselves."""
    at, report = fit_design(columns.design, reml=False)
    if not report.converged:
        raise ModelError(
            f"the growth model alone did not converge ({report.message}); look at growth_curve first."
        )
    outcome = columns.y + columns.expansion.least @ columns.x
    parts = blocks(columns.x, columns.z, outcome, columns.rows.codes, risk)
    left, sessions = risk.counts
    share = left / sessions
    chance = float((left * np.log(share) + (sessions - left) * np.log1p(-share)).sum())
    q = columns.design.statistics.q
    separate = Parameters(
        beta=columns.expansion.least - at.gamma[:-1],
        factor=math.sqrt(at.sigma2) * at.factor,
        log_sigma=0.5 * math.log(at.sigma2),
        alpha=np.log(share / (1 - share)),
        gamma=np.zeros(1 if link == "value" else q),
    )
    return JointRows(columns, risk, JointLikelihood(parts, link, nodes), separate, -0.5 * at.deviance + chance)


def fit_joint(rows: JointRows) -> JointFit:
    """Maximise from the separate fits."""
    start = rows.separate
    # The likelihood is even in each column of the factor: at a variance of zero the search would stand still.
    least = 0.1 * math.exp(start.log_sigma) * starting_factor(rows.columns.design).diagonal()
    factor = start.factor + np.diag(np.maximum(least - start.factor.diagonal(), 0.0))
    fit = maximise(rows.likelihood, Parameters(start.beta, factor, start.log_sigma, start.alpha, start.gamma))
    if not fit.converged:
        raise ModelError(
            f"the joint model found no clear maximum (a further step promises {fit.promised:.1e}). To repair: 1. "
            "random=('intercept',); 2. a simpler shape; 3. fewer bands; 4. until= or ended= may classify clients "
            "as dropouts who are not; 5. dropout may follow the course too closely for a logistic risk."
        )
    return fit


@dataclass(frozen=True, slots=True, eq=False)
class InPoints:
    """Estimates in the units of the data."""

    coefficients: Floats
    covariance: Floats
    random_covariance: Floats
    residual_variance: float
    gamma: Floats
    gamma_errors: Floats
    client_effects: Floats  # modes, (clients, q)


def in_points(rows: JointRows, fit: JointFit, link: Association) -> InPoints:
    """Take an optimum from the engine's scale to that of the data."""
    design, sums, scale = rows.columns.design, rows.columns.sums, rows.scale
    covariance = fit.covariance
    if covariance is None:  # never: an optimum has one
        raise ModelError("the joint model has no curvature at its optimum.")
    p, k = len(fit.at.beta), len(fit.at.gamma)
    beta = fit.at.beta.copy()
    beta[0] += sums.outcome_centre / sums.outcome_spread
    back = scale * design.x_back
    root = scale * design.z_back @ fit.at.factor
    turn = np.eye(1) / scale if link == "value" else design.z_map.T / scale
    return InPoints(
        coefficients=back @ beta,
        covariance=back @ covariance[:p, :p] @ back.T,
        random_covariance=root @ root.T,
        residual_variance=scale * scale * math.exp(2 * fit.at.log_sigma),
        gamma=turn @ fit.at.gamma,
        gamma_errors=np.sqrt(np.diagonal(turn @ covariance[-k:, -k:] @ turn.T)),
        client_effects=(root @ rows.likelihood.modes(fit.at)).T,
    )


def mean_rows(fit: GrowthCurve, times: Floats) -> Floats:
    """Rows of the reported coefficients at average covariates, (times, p)."""
    terms, kept = fit.fitted.terms, set(fit.fitted.design.x_names)
    basis = fit.shape.about_zero(0.0).T @ np.vstack([np.ones(times.size), fit.shape.columns(times, 0.0)])
    values = fit.fitted.sums.covariates
    means = [1.0, *(float(column.raw(values[column.source]).mean()) for column in terms.covariates)]
    named = zip(terms.pairs, terms.names, strict=True)
    return np.array([basis[a] * means[c] for (a, c), name in named if name in kept]).T
