"""Do scores scatter more in one group or phase than in another: growth with a residual variance per group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import narwhals.stable.v2 as nw
import numpy as np

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.frames import open_frame
from mbc.models.growth.comparison.compared_fit import ComparedFit, ResidualParameter
from mbc.models.growth.data.client_sums import Basis, sums_about
from mbc.models.growth.data.rows import Codes, Rows, read_rows
from mbc.models.growth.data.shapes import Shape, ShapeName, shape_of
from mbc.models.growth.design.design import expanded, random_columns, split_covariates, terms_of
from mbc.models.growth.fit.estimates import Estimates, effects_of, estimates_of
from mbc.models.growth.fit.fit_model import warn_unless_converged
from mbc.models.growth.fit.identification import checked_start
from mbc.models.growth.fit.optimiser import FitReport
from mbc.models.growth.inference.fitted_model import FittedModel
from mbc.models.growth.inference.model_parts import Effects, GivenRows, ModelParts, compared, parts_of_rows
from mbc.models.growth.inference.reported import coefficient_columns, variance_notes, variance_rows
from mbc.models.growth.matrices import Floats
from mbc.models.growth.variants.weighted_cells import CellFit, Cells, Weighting, fit_cells


@dataclass(frozen=True, slots=True)
class GroupedResiduals(FittedModel):
    """A growth model whose residual variance differs between groups."""

    groups: tuple[Any, ...]
    residual_variances: dict[Any, float]
    ratios: dict[Any, tuple[float, float, float]]  # residual SD over the first group's: estimate, 95 % interval
    x_names: tuple[str, ...]
    z_names: tuple[str, ...]
    estimates: Estimates  # ``residual_variance`` is the first group's
    report: FitReport
    residual: str  # column of the groups
    _parts_of_fit: ModelParts = field(repr=False, compare=False)

    def _parts(self) -> ModelParts:
        return self._parts_of_fit

    def _fixed_effects(self) -> tuple[Sequence[str], Floats, Floats]:
        return self.x_names, self.estimates.coefficients, self.estimates.covariance

    def _deviations(self, rows: GivenRows) -> Floats:
        """Residual standard deviation of each row's group."""
        rows.table.require([self.residual])
        labels: list[Any] = rows.table.wrapped[self.residual].to_list()
        unknown = sorted({str(label) for label in labels if label not in self.residual_variances})
        if unknown:
            raise ModelError(
                f"column {self.residual!r} has {unknown[0]!r}, which is not among the groups of the model: "
                f"{', '.join(map(repr, self.groups))}."
            )
        return np.sqrt([self.residual_variances[label] for label in labels])

    def _residual_draws(self, rows: GivenRows, time: Floats, clients: Codes, rng: np.random.Generator) -> Floats:
        """Draw with the variance of each row's group."""
        del clients
        return self._deviations(rows) * rng.standard_normal(time.size)

    def _standardised(self, rows: GivenRows, residual: Floats) -> Floats:
        """Divide by the standard deviation of each row's group."""
        return residual / self._deviations(rows)

    def compared_fit(self) -> ComparedFit:
        """Describe the model for `compare`: ratios of residual variances may be above or below 1."""
        plain = compared(
            self._parts(),
            f"residual variance by {self.residual}",
            log_likelihood=self.log_likelihood,
            reml=self.estimates.reml,
            converged=self.converged,
        )
        return replace(plain, residual={self.residual: ResidualParameter(len(self.groups) - 1, on_border=False)})

    def _columns(self) -> dict[str, Any]:
        """Give fixed effects: term, estimate, standard_error, statistic, p_value, lower, upper."""
        return coefficient_columns(self.x_names, self.estimates.coefficients, self.estimates.standard_errors)

    def _notes(self) -> list[str]:
        variances = variance_rows(self.z_names, self.estimates.random_covariance, self.estimates.residual_variance)
        ratios = [
            f"  {group}: residual standard deviation {math.sqrt(self.residual_variances[group]):.4g}, "
            f"{ratio:.3f} times the first group's ({low:.3f} to {high:.3f})"
            for group, (ratio, low, high) in self.ratios.items()
        ]
        return [variance_notes(variances[:-1]), "Residuals by group:\n" + "\n".join(ratios)]

    @property
    def log_likelihood(self) -> float:
        """Restricted if the fit is."""
        return self.estimates.log_likelihood


@checked
def residual_growth(  # noqa: PLR0913  growth_curve's arguments and one more
    frame: Any,
    *,
    outcome: str,
    time: str,
    client: str,
    residual: str,
    shape: ShapeName | Shape = "log",
    covariates: Sequence[str] = (),
    random: Sequence[str] = ("intercept", "slope"),
    reml: bool = True,
) -> GroupedResiduals:
    """Fit a growth curve whose residual variance differs by a column of the rows.

    Parameters
    ----------
    frame, outcome, time, client, shape, covariates, random, reml
        As in `growth_curve`.
    residual : str
        Column of groups: of clients (a clinic, a sex) or of rows (a phase, an informant).

    References
    ----------
    .. [1] Pinheiro & Bates (2000), Mixed-Effects Models in S and S-PLUS, section 5.2 (``varIdent``).
    """
    chosen = shape_of(shape)
    names = [name for name, _ in split_covariates(covariates)]
    rows = eager_rows(frame, outcome=outcome, time=time, client=client, covariates=names, labels=[residual])
    groups = rows.labels[residual]
    if len(groups.levels) < 2:
        raise ModelError(f"column {residual!r} has only one group; use growth_curve.")
    basis = Basis.about(chosen.placed(rows.quantiles), rows.time)
    centre, spread = float(rows.outcome.mean()), float(rows.outcome.std())
    everything = sums_about(rows, basis, centre, spread)
    terms = terms_of(everything, time, covariates)
    picked = random_columns(random, ("intercept", *basis.shape.terms(time)))
    design, expansion = expanded(everything, terms, picked)
    every = slice(0, rows.clients)
    parts = [sums_about(rows.where(groups.codes == g), basis, centre, spread) for g in range(len(groups.levels))]
    arrays = [expansion.arrays(part, every) for part in parts]
    cells = Cells(
        tuple(s for s, _ in arrays),
        tuple(b for _, b in arrays),
        tuple(expansion.pooled(part) for part in parts),
        rows.codes.size,
    )
    counts = np.bincount(groups.codes, minlength=len(groups.levels)).astype(np.float64)
    start = checked_start(design, reml=reml).factor
    fit = fit_cells(cells, variance_ratios(counts), start, np.zeros(len(counts) - 1), reml=reml)
    warn_unless_converged(fit.report, "residual_growth")
    estimates = estimates_of(design, fit.optimum, reml=reml, deviance=fit.deviance)
    own = effects_of(replace(design, statistics=fit.statistics), fit.optimum)
    parts = parts_of_rows(
        rows,
        everything,
        terms,
        design,
        (Effects(client, rows.ids.tolist(), own.means, estimates.random_covariance),),
        names=(outcome, time),
        coefficients=design.least_squares - fit.optimum.gamma[:-1],
        residual_variance=estimates.residual_variance,
        table=frame,
    )
    return _result(estimates, fit, groups.levels, residual, parts)


def variance_ratios(counts: Floats) -> Weighting:
    """Weights 1, exp(-2 n_2), exp(-2 n_3), ...: n is the log of the residual SD over the first group's."""

    def weights(numbers: Floats) -> Floats:
        return np.concatenate([[1.0], np.exp(-2 * numbers)])

    def jacobian(numbers: Floats) -> Floats:
        return np.vstack([np.zeros(numbers.size), np.diag(-2 * np.exp(-2 * numbers))])

    def log_det(numbers: Floats) -> tuple[float, Floats]:
        return 2 * float(counts[1:] @ numbers), 2 * counts[1:]

    return Weighting(weights, jacobian, log_det)


def eager_rows(
    frame: Any, *, outcome: str, time: str, client: str, covariates: Sequence[str], labels: Sequence[str]
) -> Rows:
    """Read the rows of any table into memory: for the models that need more than client sums."""
    table: Any = open_frame(frame)
    eager = table.collect() if isinstance(table, nw.LazyFrame) else table
    rows = read_rows(
        cast("nw.DataFrame[Any]", eager),
        outcome=outcome,
        time=time,
        client=client,
        covariates=covariates,
        labels=labels,
    )
    if not np.ptp(rows.outcome) > 0:
        raise ModelError(f"every score is {rows.outcome[0]:g}: there is no variation to model.")
    return rows


def _result(
    estimates: Estimates, fit: CellFit, groups: tuple[Any, ...], residual: str, parts: ModelParts
) -> GroupedResiduals:
    design, numbers = parts.design, fit.numbers
    errors = np.sqrt(np.maximum(np.diag(2 * np.linalg.pinv(fit.hessian, hermitian=True))[-numbers.size :], 0.0))
    variances, ratios = {groups[0]: estimates.residual_variance}, {groups[0]: (1.0, 1.0, 1.0)}
    for group, number, error in zip(groups[1:], numbers.tolist(), errors.tolist(), strict=True):
        variances[group] = estimates.residual_variance * math.exp(2 * number)
        half = 1.959963984540054 * error
        ratios[group] = (math.exp(number), math.exp(number - half), math.exp(number + half))
    return GroupedResiduals(
        groups, variances, ratios, design.x_names, design.z_names, estimates, fit.report, residual, parts
    )
