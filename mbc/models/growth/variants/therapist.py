"""How much do therapists matter: growth of clients within therapists, or across them where clients change."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.optimize import minimize as scipy_minimize
from scipy.stats import chi2

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.growth.comparison.compared_fit import ComparedFit
from mbc.models.growth.data.client_sums import Basis, sums_about
from mbc.models.growth.data.rows import Codes, Rows
from mbc.models.growth.data.shapes import Shape, ShapeName, shape_of
from mbc.models.growth.design.design import Expansion, expanded, random_columns, split_covariates, terms_of
from mbc.models.growth.design.statistics import block_slices, joined
from mbc.models.growth.fit.fit_model import warn_unless_converged
from mbc.models.growth.fit.identification import checked_start
from mbc.models.growth.fit.optimiser import Evaluated, FitReport
from mbc.models.growth.inference.fitted_model import FittedModel
from mbc.models.growth.inference.model_parts import Effects, ModelParts, compared, parts_of_rows
from mbc.models.growth.inference.reported import variance_notes, variance_rows
from mbc.models.growth.matrices import Floats, factor_of
from mbc.models.growth.variants.residual_groups import eager_rows
from mbc.models.growth.variants.therapist_levels import Links, Problem
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
    def converged(self) -> bool:
        """Whether the search reached its optimum."""
        return self.report.converged

    @property
    def standard_errors(self) -> Floats:
        """Of the coefficients."""
        return np.sqrt(self.covariance.diagonal())

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
            f"Share of the variance at time 0 that lies between therapists: {self.therapist_share:.3f}",
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
        critical = float(chi2.ppf(level, 1))
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


@checked
def therapist_growth(  # noqa: PLR0913  growth_curve's arguments and two more
    frame: Any,
    *,
    outcome: str,
    time: str,
    client: str,
    therapist: str,
    shape: ShapeName | Shape = "log",
    covariates: Sequence[str] = (),
    random: Sequence[str] = ("intercept", "slope"),
    therapist_random: Sequence[str] = ("intercept",),
    reml: bool = True,
) -> TherapistGrowth:
    """Fit a growth curve with random effects of clients and of their therapists.

    Parameters
    ----------
    frame, outcome, time, client, shape, covariates, random, reml
        As in `growth_curve`.
    therapist : str
        Column of the therapist who gave each session; a client may change therapist.
    therapist_random : sequence of str
        ``("intercept",)``, or ``("intercept", "slope")``: therapists differ in their clients' rate of change.

    References
    ----------
    .. [1] Baldwin & Imel (2013), Therapist effects, in Bergin and Garfield's Handbook, 6th ed.
    """
    names = [name for name, _ in split_covariates(covariates)]
    rows = eager_rows(frame, outcome=outcome, time=time, client=client, covariates=names, labels=[therapist])
    basis = Basis.about(shape_of(shape).placed(rows.quantiles), rows.time)
    centre, spread = float(rows.outcome.mean()), float(rows.outcome.std())
    sums = sums_about(rows, basis, centre, spread)
    time_names = ("intercept", *basis.shape.terms(time))
    chosen, theirs = random_columns(random, time_names), random_columns(therapist_random, time_names)
    if chosen[: len(theirs)] != theirs or theirs[0] != 0:
        raise ModelError(
            f"therapist_random ({', '.join(therapist_random)}) must start with 'intercept' and be part of "
            f"random ({', '.join(random)}): what differs between therapists must differ between clients."
        )
    terms = terms_of(sums, time, covariates)
    design, expansion = expanded(sums, terms, chosen)
    labels = rows.labels[therapist]
    if len(labels.levels) < 3:
        raise ModelError(
            f"column {therapist!r} names {len(labels.levels)} therapists; a variance between therapists needs "
            "at least 3 (and is uncertain below 20). Use the therapist as a covariate instead."
        )
    links = _links(rows, therapist, basis, (centre, spread), expansion, len(theirs))
    problem = Problem(design, links, reml)
    _require_separable(rows, therapist, expansion.rows(basis.columns(rows.time), rows.codes), len(theirs))
    theta, report = _fit(problem)
    warn_unless_converged(report, "therapist_growth")
    result = _result(problem, theta, report, labels.levels, names_of=(design.x_names, design.z_names))
    effects = (
        Effects(client, rows.ids.tolist(), _client_effects(result, problem, theta), result.client_covariance),
        Effects(therapist, labels.levels, result.means, result.therapist_covariance),
    )
    parts = parts_of_rows(
        rows,
        sums,
        terms,
        design,
        effects,
        names=(outcome, time),
        coefficients=design.least_squares - problem.level(theta).gamma[:-1],
        residual_variance=result.residual_variance,
        table=frame,
    )
    return replace(result, _parts_of_fit=parts)


def _client_effects(result: TherapistGrowth, problem: Problem, theta: Floats) -> Floats:
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


_MOST_ROWS = 300  # beyond, the information of the variances is not computed row by row


def _require_separable(rows: Rows, therapist: str, columns: tuple[Floats, Floats], r: int) -> None:
    """Refuse data in which the variance between therapists is another variance under a second name."""
    label = rows.labels[therapist]
    per_client = np.unique(rows.codes * len(label.levels) + label.codes).size
    if per_client == rows.clients == len(label.levels):
        raise ModelError(
            f"column {therapist!r} names one therapist for each client and one client for each therapist: only "
            "the sum of the two variances is in the data. A therapist's share needs therapists with several "
            "clients; for the clients alone use growth_curve."
        )
    if np.bincount(label.codes).max() == 1:
        raise ModelError(
            f"column {therapist!r} names another therapist in every row: its variance is the residual's under a "
            "second name. Give the therapist of each session by one identifier."
        )
    if rows.time.size <= _MOST_ROWS and not _separable(rows.codes, label.codes, columns, r):
        raise ModelError(
            f"these rows cannot separate the variances between clients, between therapists ({therapist!r}) and of "
            "the residual: some sum of them leaves the likelihood unchanged. Therapists must share effects among "
            "several clients; take fewer effects: therapist_random=('intercept',)."
        )


def _separable(clients: Codes, therapists: Codes, columns: tuple[Floats, Floats], r: int) -> bool:
    """Whether the patterns of covariance, with the coefficients projected out, are linearly independent."""
    x, z = columns
    basis = np.linalg.qr(x.T)[0]
    off = np.eye(x.shape[1]) - basis @ basis.T
    patterns = [np.eye(x.shape[1])]
    for codes, effects in ((clients, z), (therapists, z[:r])):
        same = codes[:, None] == codes
        for a in range(len(effects)):
            for b in range(a + 1):
                product = np.outer(effects[a], effects[b])
                patterns.append(same * (product + product.T))
    vectors = np.array([(off @ pattern @ off).ravel() for pattern in patterns])
    sizes = np.linalg.norm(vectors, axis=1)
    if not (sizes > 0).all():
        return False
    gram = (vectors / sizes[:, None]) @ (vectors / sizes[:, None]).T
    return bool(np.linalg.eigvalsh(gram)[0] > 1e-10)


def _links(
    rows: Rows, therapist: str, basis: Basis, scaling: tuple[float, float], expansion: Expansion, r: int
) -> Links:
    """Sum each client's rows by therapist."""
    labels = rows.labels[therapist]
    count = len(labels.levels)
    cell_ids, cells = np.unique(rows.codes * count + labels.codes, return_inverse=True)
    client, who = cell_ids // count, cell_ids % count
    split = rows.by_cells(np.asarray(cells, dtype=np.intp), client)
    sums = sums_about(split, basis, *scaling)
    parts = [expansion.at_clients(client).arrays(sums, part) for part in block_slices(client.size)]
    s, b = joined(s for s, _ in parts), joined(b for _, b in parts)
    first = np.flatnonzero(client[1:] == client[:-1])  # cells are sorted by client
    pairs: list[tuple[int, int]] = []
    for at in first.tolist():
        other = at + 1
        while other < client.size and client[other] == client[at]:
            pairs += [(at, other), (other, at)]
            other += 1
    return Links(s[:r], b[:r], client, who, np.array(pairs, dtype=np.intp).reshape(-1, 2).T, count)


def _fit(problem: Problem) -> tuple[Floats, FitReport]:
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


def _result(
    problem: Problem,
    theta: Floats,
    report: FitReport,
    therapists: tuple[Any, ...],
    names_of: tuple[tuple[str, ...], tuple[str, ...]],
) -> TherapistGrowth:
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
