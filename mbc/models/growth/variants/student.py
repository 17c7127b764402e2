"""Do a few odd sessions pull the curves: growth with Student-t residuals, which discounts them.

The residual of each score is s times a t variable with nu degrees of freedom. The random effects are integrated
out by Laplace's approximation: at each client's most likely effects u (G = L L', b = L u), found by Newton steps
for all clients at once, the likelihood is that of the mode times the volume of its curvature.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from scipy.optimize import minimize as scipy_minimize
from scipy.special import gammaln

from mbc.arguments import checked
from mbc.models.growth.comparison.compared_fit import ComparedFit, ResidualParameter
from mbc.models.growth.data.rows import Codes
from mbc.models.growth.data.shapes import Shape, ShapeName, shape_of
from mbc.models.growth.fit.fit_model import fit_design, warn_unless_converged
from mbc.models.growth.fit.optimiser import Evaluated, FitReport
from mbc.models.growth.inference.fitted_model import FittedModel, ResidualDistribution
from mbc.models.growth.inference.model_parts import Effects, GivenRows, ModelParts, compared, parts_of_rows
from mbc.models.growth.inference.reported import coefficient_columns, variance_notes, variance_rows
from mbc.models.growth.matrices import Floats, by_columns, factor_of
from mbc.models.growth.variants.row_columns import RowColumns


@dataclass(frozen=True, slots=True)
class Laplace:
    """Laplace's approximation of -2 log L, internal scale; parameters are (beta, log s, log nu, L by columns)."""

    columns: RowColumns
    clients: int

    def split(self, parameters: Floats) -> tuple[Floats, float, float, Floats]:
        """Coefficients (about the least-squares fit), s, nu and L."""
        p, q = len(self.columns.x), len(self.columns.z)
        factor = np.zeros((q, q))
        columns, rows = np.triu_indices(q)
        factor[rows, columns] = parameters[p + 2 :]
        s, nu = (math.exp(min(max(float(v), -40.0), 20.0)) for v in parameters[p : p + 2])
        return parameters[:p], s, nu, factor

    def deviance(self, parameters: Floats, start: Floats) -> tuple[float, Floats]:
        """-2 log L and every client's mode, from given modes."""
        beta, s, nu, factor = self.split(parameters)
        fixed = self.columns.y - beta @ self.columns.x
        design = factor.T @ self.columns.z  # d fit / d u, (q, n)
        u = self._modes(fixed, design, s, nu, start)
        e = fixed - (design * u[:, self.columns.rows.codes]).sum(axis=0)
        hessian = self._curvature(design, e, s, nu, exact=True)
        values = np.linalg.eigvalsh(hessian)
        n = e.size
        constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * math.log(nu * math.pi) - math.log(s)
        log_t = n * constant - 0.5 * (nu + 1) * float(np.log1p(e * e / (nu * s * s)).sum())
        log_volume = float(np.log(np.maximum(values, 1e-10)).sum())
        return -2 * log_t + float((u * u).sum()) + log_volume, u

    def _modes(self, fixed: Floats, design: Floats, s: float, nu: float, start: Floats) -> Floats:
        """Climb to each client's mode: reweighting, which never falls, then Newton steps where they are safe."""
        u = start.copy()
        codes = self.columns.rows.codes
        for step in range(200):
            e = fixed - (design * u[:, codes]).sum(axis=0)
            pull = (nu + 1) / (nu * s * s + e * e)
            slope = self._summed(design * (pull * e)) - u
            exact = self._curvature(design, e, s, nu, exact=True)
            safe = self._curvature(design, e, s, nu, exact=False)
            steep = np.linalg.eigvalsh(exact)[:, 0] > 0.3
            curvature = np.where((steep & (step >= 3))[:, None, None], exact, safe)
            change = np.linalg.solve(curvature, slope.T[:, :, None])[:, :, 0].T
            u += change
            if float(np.abs(change).max()) < 1e-10:
                break
        return u

    def _curvature(self, design: Floats, e: Floats, s: float, nu: float, *, exact: bool) -> Floats:
        """Minus the second derivative of the log posterior of u, or reweighting's bound; (clients, q, q)."""
        scale = nu * s * s
        weight = (nu + 1) * ((scale - e * e) if exact else (scale + e * e)) / (scale + e * e) ** 2
        q = len(design)
        out = np.empty((self.clients, q, q))
        for a in range(q):
            for b in range(a + 1):
                out[:, a, b] = out[:, b, a] = np.bincount(
                    self.columns.rows.codes, design[a] * design[b] * weight, minlength=self.clients
                )
        out[:, np.arange(q), np.arange(q)] += 1.0
        return out

    def _summed(self, rows: Floats) -> Floats:
        sums = [np.bincount(self.columns.rows.codes, row, minlength=self.clients) for row in rows]
        return np.array(sums, dtype=np.float64)


@dataclass(frozen=True)
class RobustGrowth(FittedModel):
    """A growth model with Student-t residuals, in the units of the data; maximum likelihood."""

    names: tuple[str, ...]
    coefficients: Floats
    covariance: Floats
    effects: tuple[str, ...]
    random_covariance: Floats
    residual_scale: float  # s, outcome points; the residual's SD is s sqrt(nu / (nu - 2)) for nu > 2
    degrees_of_freedom: float  # nu; large means nearly normal
    log_likelihood: float
    normal_log_likelihood: float  # of the same model with normal residuals
    client_effects: Floats  # modes, (clients, q)
    client_ids: tuple[Any, ...]
    report: FitReport
    _weights: pl.DataFrame = field(repr=False)
    _parts_of_fit: ModelParts = field(repr=False, compare=False)

    def _parts(self) -> ModelParts:
        return self._parts_of_fit

    def _fixed_effects(self) -> tuple[Sequence[str], Floats, Floats]:
        return self.names, self.coefficients, self.covariance

    def _residual_draws(self, rows: GivenRows, time: Floats, clients: Codes, rng: np.random.Generator) -> Floats:
        """Draw from the t distribution."""
        del rows, clients
        return self.residual_scale * rng.standard_t(self.degrees_of_freedom, size=time.size)

    @property
    def residual_distribution(self) -> ResidualDistribution:
        """Student's t with the degrees of freedom that were estimated."""
        return ResidualDistribution(self.degrees_of_freedom)

    def compared_fit(self) -> ComparedFit:
        """Describe the model for `compare`: normal residuals are the limit of 1 / degrees of freedom = 0."""
        plain = compared(
            self._parts(),
            "Student-t residuals",
            log_likelihood=self.log_likelihood,
            reml=False,
            converged=self.converged,
        )
        return replace(plain, residual={"tails": ResidualParameter(1, on_border=True)})

    def _columns(self) -> dict[str, Any]:
        """Give fixed effects: term, estimate, standard_error, statistic, p_value, lower, upper."""
        return coefficient_columns(self.names, self.coefficients, self.standard_errors)

    def _notes(self) -> list[str]:
        return [
            variance_notes(variance_rows(self.effects, self.random_covariance, self.residual_scale**2)),
            f"The residual: scale of a t distribution with {self.degrees_of_freedom:.3g} degrees of freedom.",
        ]

    @checked
    def discounted(self, *, below: float = 0.4) -> pl.DataFrame:
        """Scores that count for less than a share of an ordinary one, least first.

        Columns client, time, outcome, residual (points) and weight: (nu + 1) / (nu + (e / s)^2), at most about 1.
        """
        return self._weights.filter(pl.col("weight") < below).sort("weight")


@checked
def robust_growth(
    frame: Any,
    *,
    outcome: str,
    time: str,
    client: str,
    shape: ShapeName | Shape = "log",
    covariates: Sequence[str] = (),
    random: Sequence[str] = ("intercept", "slope"),
) -> RobustGrowth:
    """Fit a growth curve whose residuals are Student-t, by maximum likelihood (Laplace approximation).

    Parameters
    ----------
    frame, outcome, time, client, shape, covariates, random
        As in `growth_curve`.

    Notes
    -----
    Cost grows with the number of rows, not of clients: every evaluation reads the rows. For up to some
    ten thousand clients.

    References
    ----------
    .. [1] Lange, Little & Taylor (1989), doi:10.1080/01621459.1989.10478852: t models as robust regression.
    .. [2] Brooks et al. (2017), doi:10.32614/RJ-2017-066: ``glmmTMB``, ``t_family``.
    """
    columns = RowColumns.of(
        frame,
        outcome=outcome,
        time=time,
        client=client,
        shape=shape_of(shape),
        covariates=covariates,
        random=random,
    )
    design = columns.design
    normal, _ = fit_design(design, reml=False)
    problem = Laplace(columns, columns.rows.clients)
    parameters, hessian, report = _fit(problem, normal.gamma, math.sqrt(normal.sigma2), normal.factor)
    warn_unless_converged(report, "robust_growth")
    normal_deviance = normal.deviance + 2 * columns.y.size * math.log(design.outcome_spread)
    return _result(problem, parameters, hessian, report, (time, outcome, client), -0.5 * normal_deviance, frame)


def _fit(problem: Laplace, gamma: Floats, sigma: float, factor: Floats) -> tuple[Floats, Floats, FitReport]:
    """BFGS on central differences from the normal fit, with the modes carried along."""
    lower = factor_of(factor @ factor.T + 1e-3 * np.eye(len(factor)))
    start = np.concatenate([-gamma[:-1], [math.log(0.8 * sigma), math.log(6.0)], by_columns(sigma * lower)])
    modes = np.zeros((len(factor), problem.clients))
    log: list[Evaluated] = []

    def objective(x: Floats) -> float:
        deviance, _ = problem.deviance(x, modes)
        return deviance if math.isfinite(deviance) else 1e300

    def both(x: Floats) -> tuple[float, Floats]:
        deviance, new_modes = problem.deviance(x, modes)
        modes[:] = new_modes
        log.append(Evaluated(deviance, math.nan, "bfgs"))
        return deviance, _slope(objective, x)

    minimum = scipy_minimize(both, start, jac=True, method="BFGS", options={"gtol": 1e-4, "maxiter": 200})
    x = np.asarray(minimum.x)
    hessian, slope = _hessian(objective, x), _slope(objective, x)
    enough = 1e-3 * math.sqrt(problem.columns.y.size)
    for _ in range(3):  # where differences are too coarse for BFGS to end, Newton steps do
        if float(np.abs(slope).max()) < enough:
            break
        values, vectors = np.linalg.eigh(hessian)
        nearer = x - vectors @ ((vectors.T @ slope) / np.maximum(np.abs(values), 1e-8 * np.abs(values).max()))
        if not objective(nearer) < objective(x):
            break
        x = nearer
        hessian, slope = _hessian(objective, x), _slope(objective, x)
    converged = bool(float(np.abs(slope).max()) < enough)
    message = f"largest gradient {float(np.abs(slope).max()):.1e}"
    report = FitReport(converged, message, len(log), tuple(start.tolist()), tuple(x.tolist()), tuple(log))
    return x, hessian, report


def _slope(objective: Any, x: Floats) -> Floats:
    out = np.empty(x.size)
    for i in range(x.size):
        step = np.zeros(x.size)
        step[i] = 1e-5 * max(1.0, abs(float(x[i])))
        out[i] = (objective(x + step) - objective(x - step)) / (2 * step[i])
    return out


def _hessian(objective: Any, x: Floats) -> Floats:
    out = np.empty((x.size, x.size))
    for i in range(x.size):
        step = np.zeros(x.size)
        step[i] = 1e-3 * max(0.1, abs(float(x[i])))
        out[i] = (_slope(objective, x + step) - _slope(objective, x - step)) / (2 * step[i])
    return 0.5 * (out + out.T)


def _result(
    problem: Laplace,
    parameters: Floats,
    hessian: Floats,
    report: FitReport,
    names: tuple[str, str, str],
    normal_log_likelihood: float,
    table: object,
) -> RobustGrowth:
    columns, design = problem.columns, problem.columns.design
    time, outcome, client = names
    beta, s, nu, factor = problem.split(parameters)
    deviance, u = problem.deviance(parameters, np.zeros((len(factor), problem.clients)))
    scale, p = design.outcome_spread, len(columns.x)
    codes = columns.rows.codes
    e = columns.y - beta @ columns.x - ((factor.T @ columns.z) * u[:, codes]).sum(axis=0)
    root = scale * design.z_back @ factor
    weights = pl.DataFrame(
        {
            client: columns.rows.ids[codes].tolist(),
            time: columns.rows.time,
            outcome: columns.rows.outcome,
            "residual": scale * e,
            "weight": (nu + 1) / (nu + (e / s) ** 2),
        }
    )
    inner = 2 * np.linalg.pinv(hessian, hermitian=True)[:p, :p]
    turn = scale * design.x_back
    effects = Effects(client, columns.rows.ids.tolist(), (root @ u).T, root @ root.T)
    parts = parts_of_rows(
        columns.rows,
        columns.sums,
        columns.terms,
        design,
        (effects,),
        names=(outcome, time),
        coefficients=design.least_squares + beta,
        residual_variance=(scale * s) ** 2,
        table=table,
    )
    return RobustGrowth(
        names=design.x_names,
        coefficients=turn @ (design.least_squares + beta),
        covariance=turn @ inner @ turn.T,
        effects=design.z_names,
        random_covariance=root @ root.T,
        residual_scale=scale * s,
        degrees_of_freedom=nu,
        log_likelihood=-0.5 * (deviance + 2 * e.size * math.log(scale)),
        normal_log_likelihood=normal_log_likelihood,
        client_effects=(root @ u).T,
        client_ids=tuple(columns.rows.ids.tolist()),
        report=report,
        _weights=weights,
        _parts_of_fit=parts,
    )
