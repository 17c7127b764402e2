"""Are sessions close in time more alike than the growth curve says: continuous-time AR(1) residuals.

The correlation of two residuals of one client is phi^|gap|. Whitening makes them independent,
e_j -> (e_j - rho_j e_j-1) / sqrt(1 - rho_j^2) with rho_j = phi^gap, and costs one pass over the rows; the other
parameters are then found as ever, so that only phi is searched for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq, minimize_scalar

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.distributions import chi_square_above, chi_square_quantile, normal_quantile
from mbc.models.growth.comparison.compared_fit import ComparedFit, ResidualParameter
from mbc.models.growth.data.rows import Codes
from mbc.models.growth.data.shapes import Shape, ShapeName, shape_of
from mbc.models.growth.design.design import residualised
from mbc.models.growth.design.row_design import statistics_of
from mbc.models.growth.fit.deviance import Evaluation, evaluate
from mbc.models.growth.fit.estimates import Estimates, estimates_of
from mbc.models.growth.fit.fit_model import warn_unless_converged
from mbc.models.growth.fit.identification import checked_start
from mbc.models.growth.fit.optimiser import FitReport, minimise
from mbc.models.growth.fit.starts import is_singular, starting_factor
from mbc.models.growth.inference.fitted_model import FittedModel
from mbc.models.growth.inference.model_parts import Effects, GivenRows, ModelParts, compared, parts_of_rows
from mbc.models.growth.inference.prediction import ClientCurve, Kind, as_times, index_of
from mbc.models.growth.inference.reported import coefficient_columns, variance_notes, variance_rows
from mbc.models.growth.matrices import Floats
from mbc.models.growth.variants.row_columns import RowColumns


@dataclass(frozen=True, slots=True)
class Whitened:
    """The optimum of everything else at one phi."""

    deviance: float  # with log|R|, internal scale
    optimum: Evaluation
    report: FitReport
    least: Floats  # taken off the outcome after whitening


@dataclass(frozen=True)
class SerialGrowth(FittedModel):
    """A growth model whose residuals are a continuous-time AR(1) process."""

    outcome: str
    client: str
    columns: RowColumns = field(repr=False)
    reml: bool
    phi: float  # correlation of two residuals one unit of time apart
    phi_interval: tuple[float, float]  # profile likelihood, 95 %
    independent_log_likelihood: float  # of the same model with phi = 0
    best: Whitened = field(repr=False)
    time: str = ""
    _table_of_rows: Any = field(repr=False, compare=False, default=None)

    def _parts(self) -> ModelParts:
        clients = Effects(
            self.client,
            self.columns.rows.ids.tolist(),
            self.client_effects,
            np.asarray(self.estimates.random_covariance),
        )
        columns, design = self.columns, self.columns.design
        return parts_of_rows(
            columns.rows,
            columns.sums,
            columns.terms,
            design,
            (clients,),
            names=(self.outcome, self.time),
            coefficients=design.least_squares - _shifted(self.best).gamma[:-1],
            residual_variance=self.estimates.residual_variance,
            table=self._table_of_rows,
        )

    def _fixed_effects(self) -> tuple[Sequence[str], Floats, Floats]:
        return self.columns.design.x_names, self.estimates.coefficients, self.estimates.covariance

    @cached_property
    def client_effects(self) -> Floats:
        """Conditional means of every client's random effects, in the units of the data; (clients, effects)."""
        columns, psi = self.columns, self.best.optimum.factor @ self.best.optimum.factor.T
        residual = columns.y + _shifted(self.best).gamma[:-1] @ columns.x
        out = np.empty((columns.rows.clients, len(columns.z)))
        for index in range(columns.rows.clients):
            own = np.flatnonzero(columns.rows.codes == index)
            times, z = columns.rows.time[own], columns.z[:, own].T
            v = z @ psi @ z.T + self.phi ** np.abs(times[:, None] - times)
            out[index] = psi @ z.T @ np.linalg.solve(v, residual[own])
        return columns.design.outcome_spread * out @ columns.design.z_back.T

    def _residual_draws(self, rows: GivenRows, time: Floats, clients: Codes, rng: np.random.Generator) -> Floats:
        """Draw the autoregressive process of each client along its times."""
        del rows
        noise, out = rng.standard_normal(time.size), np.empty(time.size)
        order = np.lexsort((time, clients))
        before = -1
        for place in order.tolist():
            rho = 0.0
            if before >= 0 and clients[place] == clients[before]:
                rho = self.phi ** float(time[place] - time[before])
            out[place] = (rho * out[before] if rho else 0.0) + math.sqrt(1 - rho * rho) * noise[place]
            before = place
        return math.sqrt(self.estimates.residual_variance) * out

    def _standardised(self, rows: GivenRows, residual: Floats) -> Floats:
        """Give what the client's residual before does not foretell, in its standard deviations."""
        parts = self._parts()
        time, clients = rows.times(parts), rows.units(parts.client)
        complete = np.flatnonzero(np.isfinite(residual))
        order = complete[np.lexsort((time[complete], clients[complete]))]
        before, after = order[:-1], order[1:]
        same = clients[before] == clients[after]
        rho = np.zeros(order.size)
        rho[1:] = np.where(same, self.phi ** np.where(same, time[after] - time[before], 1.0), 0.0)
        own = residual[order]
        out = np.full(residual.size, np.nan)
        out[order] = (own - rho * np.append(0.0, own[:-1])) / np.sqrt(1.0 - rho * rho)
        return out / math.sqrt(self.estimates.residual_variance)

    def compared_fit(self) -> ComparedFit:
        """Describe the model for `compare`: the autocorrelation is zero on the border of what it may be."""
        plain = compared(
            self._parts(),
            "autocorrelated residuals",
            log_likelihood=self.log_likelihood,
            reml=self.reml,
            converged=self.converged,
        )
        return replace(plain, residual={"autocorrelation": ResidualParameter(1, on_border=True)})

    def _columns(self) -> dict[str, Any]:
        """Give fixed effects: term, estimate, standard_error, statistic, p_value, lower, upper."""
        estimates = self.estimates
        return coefficient_columns(self.columns.design.x_names, estimates.coefficients, estimates.standard_errors)

    def _notes(self) -> list[str]:
        low, high = self.phi_interval
        variances = variance_rows(
            self.columns.design.z_names, self.estimates.random_covariance, self.estimates.residual_variance
        )
        return [
            variance_notes(variances),
            (
                f"Correlation of residuals at one unit of time: {self.phi:.3f} ({low:.3f} to {high:.3f}), "
                f"p = {self.p_value:.3g}"
            ),
        ]

    @property
    def report(self) -> FitReport:
        """How the optimum at this phi was found."""
        return self.best.report

    @property
    def singular(self) -> bool:
        """Whether some variance is zero or some correlation is one."""
        return is_singular(self.columns.design, self.best.optimum)

    @cached_property
    def estimates(self) -> Estimates:
        """Everything estimated but phi. ``residual_variance`` is the process's, at any one time."""
        shifted = _shifted(self.best)
        return estimates_of(self.columns.design, shifted, reml=self.reml, deviance=self.best.deviance)

    @property
    def log_likelihood(self) -> float:
        """Restricted if the fit is."""
        return self.estimates.log_likelihood

    @property
    def p_value(self) -> float:
        """Likelihood-ratio test of phi = 0, with half the chi-square's tail since phi cannot be negative."""
        gain = 2 * max(self.log_likelihood - self.independent_log_likelihood, 0.0)
        return 0.5 * chi_square_above(1, gain) if gain > 0 else 1.0

    @checked
    def predict_client(
        self, client: object, times: ArrayLike, *, level: float = 0.8, kind: Kind = "prediction"
    ) -> ClientCurve:
        """Predict one client's scores: soon after a session the last residual still counts.

        Parameters
        ----------
        client, times, level
            As in `GrowthCurve.predict_client`; the client must be one the model has seen.
        kind : {"prediction", "mean"}
            Where a new score will lie, or where the growth curve itself does.
        """
        index = index_of(client, {name: i for i, name in enumerate(self.columns.rows.ids.tolist())}, new=False)
        assert index is not None  # noqa: S101  refused above
        at = as_times(times)
        mean, variance, observations = self._course(index, at, kind)
        scale = self.columns.design.outcome_spread
        half = normal_quantile(0.5 + level / 2) * scale * np.sqrt(variance)
        mean = scale * mean
        return ClientCurve(client, at, mean, mean - half, mean + half, level, kind, observations)

    def _course(self, index: int, times: Floats, kind: Kind) -> tuple[Floats, Floats, int]:
        columns, optimum = self.columns, self.best.optimum
        own = np.flatnonzero(columns.rows.codes == index)
        own_times, zs, xs = columns.rows.time[own], columns.z[:, own].T, columns.x[:, own].T
        x, z = columns.at(times, index)
        psi = optimum.factor @ optimum.factor.T
        v = zs @ psi @ zs.T + self.phi ** np.abs(own_times[:, None] - own_times)
        link = z @ psi @ zs.T
        own_variance = np.einsum("ti,ij,tj->t", z, psi, z)
        if kind == "prediction":
            link = link + self.phi ** np.abs(times[:, None] - own_times)
            own_variance = own_variance + 1.0
        gain = np.linalg.solve(v, link.T).T
        gamma = _shifted(self.best).gamma
        beta = columns.design.least_squares - gamma[:-1]
        d = x - gain @ xs
        variance = own_variance - (gain * link).sum(axis=1) + np.einsum("ti,ij,tj->t", d, optimum.inverse, d)
        residual = columns.y[own] + xs @ gamma[:-1]
        return x @ beta + gain @ residual, optimum.sigma2 * np.maximum(variance, 0.0), own.size


@checked
def serial_growth(
    frame: Any,
    *,
    outcome: str,
    time: str,
    client: str,
    shape: ShapeName | Shape = "log",
    covariates: Sequence[str] = (),
    random: Sequence[str] = ("intercept",),
    reml: bool = True,
) -> SerialGrowth:
    """Fit a growth curve with continuous-time AR(1) residuals, for irregular sessions.

    Parameters
    ----------
    frame, outcome, time, client, shape, covariates, reml
        As in `growth_curve`.
    random : sequence of str
        As in `growth_curve`; a random intercept alone by default, since slope and serial correlation compete.

    References
    ----------
    .. [1] Pinheiro & Bates (2000), Mixed-Effects Models in S and S-PLUS, section 5.3 (``corCAR1``).
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
    gaps = _gaps(columns)
    follow = np.isfinite(gaps)
    if not follow.any():
        raise ModelError("no client has two scores: serial correlation cannot be estimated.")
    if not (gaps[follow] > 0).all():
        row = int(np.flatnonzero(follow & (gaps <= 0))[0])
        who = columns.rows.ids[columns.rows.codes[row]]
        raise ModelError(
            f"client {who} has two scores at time {columns.rows.time[row]:g}. Serial correlation needs distinct "
            "times: keep one of them, or their mean."
        )
    checked_start(columns.design, reml=reml)
    typical = float(np.median(gaps[follow]))
    independent = _at_rate(columns, gaps, None, reml=reml)
    rate, best = _search(columns, gaps, typical, independent, reml=reml)
    warn_unless_converged(best.report, "serial_growth")
    interval = _interval(columns, gaps, rate, best, typical, reml=reml)
    plain = estimates_of(columns.design, independent.optimum, reml=reml, deviance=independent.deviance)
    likelihood = plain.log_likelihood
    return SerialGrowth(outcome, client, columns, reml, math.exp(-rate), interval, likelihood, best, time, frame)


def _gaps(columns: RowColumns) -> Floats:
    """Time since the client's previous score; infinite at the first."""
    gaps = np.full(columns.y.size, np.inf)
    same = columns.rows.codes[1:] == columns.rows.codes[:-1]
    gaps[1:][same] = np.diff(columns.rows.time)[same]
    return gaps


def _at_rate(
    columns: RowColumns, gaps: Floats, rate: float | None, *, reml: bool, start: Floats | None = None
) -> Whitened:
    """Whiten at phi = exp(-rate) (None: phi = 0) and fit everything else."""
    stacked = np.vstack([columns.z, columns.x, columns.y])
    constant = 0.0
    if rate is not None:
        rho = np.exp(-rate * gaps)
        left = np.sqrt(-np.expm1(-2 * rate * gaps))
        stacked[:, 1:] = (stacked[:, 1:] - rho[1:] * stacked[:, :-1]) / left[1:]
        constant = 2 * float(np.log(left).sum())
    q = len(columns.z)
    z, right = stacked[:q], stacked[q:]
    least, _ = residualised(right @ right.T)
    right[-1] -= least @ right[:-1]
    _, pooled = residualised(right @ right.T)
    statistics = statistics_of(z, right, columns.rows.codes, pooled)
    first = starting_factor(columns.design) if start is None else start
    at, report = minimise(lambda factor: evaluate(statistics, factor, reml=reml), first)
    return Whitened(at.deviance + constant, at, report, least)


def _shifted(best: Whitened) -> Evaluation:
    """Express the optimum about the outcome before whitening's own least-squares fit."""
    at = best.optimum
    gamma = at.gamma.copy()
    gamma[:-1] -= best.least
    return replace(at, gamma=gamma)


def _search(
    columns: RowColumns, gaps: Floats, typical: float, independent: Whitened, *, reml: bool
) -> tuple[float, Whitened]:
    """Best rate: a coarse look over correlations at the typical gap, then Brent's method."""

    def deviance(log_rate: float) -> float:
        return _at_rate(columns, gaps, math.exp(log_rate), reml=reml, start=_warm(independent)).deviance

    grid = [math.log(-math.log(rho) / typical) for rho in (0.98, 0.9, 0.7, 0.4, 0.15, 0.03, 0.001)]
    values = [deviance(point) for point in grid]
    place = int(np.argmin(values))
    low = grid[place - 1] if place else grid[0] - 3.0
    high = grid[place + 1] if place + 1 < len(grid) else grid[-1] + 2.0
    minimum: Any = minimize_scalar(deviance, bounds=(low, high), method="bounded", options={"xatol": 1e-7})
    rate = math.exp(float(minimum.x))
    best = _at_rate(columns, gaps, rate, reml=reml, start=_warm(independent))
    if independent.deviance <= best.deviance:
        return math.inf, independent
    return rate, best


def _warm(whitened: Whitened) -> Floats:
    """Start near a known optimum, away from the border."""
    psi = whitened.optimum.factor @ whitened.optimum.factor.T
    return np.linalg.cholesky(psi + np.diag(0.02 * np.diag(psi) + 1e-3))


def _interval(
    columns: RowColumns, gaps: Floats, rate: float, best: Whitened, typical: float, *, reml: bool
) -> tuple[float, float]:
    """Profile-likelihood interval of phi."""
    if math.isinf(rate):
        rate = 12 / typical
    target = best.deviance + chi_square_quantile(1, 0.95)

    def excess(log_rate: float) -> float:
        return _at_rate(columns, gaps, math.exp(log_rate), reml=reml, start=_warm(best)).deviance - target

    here = math.log(rate)
    limits: list[float] = []
    for towards in (1.0, -1.0):
        step, edge = 0.25, here
        while step < 30 and excess(here + towards * step) < 0:
            edge, step = here + towards * step, 1.6 * step
        if step >= 30:
            limits.append(0.0 if towards > 0 else 1.0)
            continue
        root = float(brentq(excess, edge, here + towards * step, xtol=1e-5))
        limits.append(math.exp(-math.exp(root)))
    return limits[0], limits[1]
