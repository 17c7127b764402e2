"""Do two outcomes change together: bivariate growth, with their intercepts and slopes correlated across outcomes.

The outcomes are stacked. Where both were scored at the same session their residuals may be correlated as well:
with R the 2 x 2 residual covariance, a session of both adds R^-1 (x) ff' to Z'R^-1Z, so that five sums of
cross-products (both x 3, first alone, second alone) hold everything for any R.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import narwhals.stable.v2 as nw
import numpy as np

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.frames import open_frame
from mbc.models.growth.comparison.compared_fit import ComparedFit, DataMark, ResidualParameter
from mbc.models.growth.data.rows import require_columns
from mbc.models.growth.data.shapes import Shape, ShapeName, shape_of
from mbc.models.growth.fit.fit_model import warn_unless_converged
from mbc.models.growth.fit.identification import checked_start
from mbc.models.growth.fit.optimiser import FitReport
from mbc.models.growth.inference.fitted_model import Searched, WithCoefficients
from mbc.models.growth.inference.model_parts import Effects, ModelParts, Of, parts_of_rows
from mbc.models.growth.matrices import Floats
from mbc.models.growth.variants.paired_rows import PairedParts
from mbc.models.growth.variants.stacked_outcomes import Stacked
from mbc.models.growth.variants.weighted_cells import CellFit, fit_cells
from mbc.models.results.facts import records
from mbc.models.results.result import Result
from mbc.models.results.tables import Backend, text_table
from mbc.models.results.tables import frame as frame_of


@dataclass(frozen=True, slots=True)
class Correlation(Result):
    """A correlation with its interval."""

    first: str
    second: str
    estimate: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class PairedGrowth(WithCoefficients, Searched):
    """Two outcomes' growth, fitted together. Names carry the outcome: ``"rses: week"``."""

    outcomes: tuple[str, str]
    names: tuple[str, ...]  # fixed effects
    coefficients: Floats
    covariance: Floats
    effects: tuple[str, ...]  # random effects
    random_covariance: Floats
    residual_covariance: Floats  # (2, 2), of one session
    correlations: tuple[Correlation, ...]  # between random effects
    log_likelihood: float
    n_clients: int
    n_observations: int  # scores, both outcomes
    n_sessions_with_both: int
    report: FitReport
    reml: bool
    _parts: PairedParts = field(repr=False, compare=False)

    @checked
    def predict(self, frame: Any, *, of: Of = "population") -> Any:
        """Predict both outcomes for the rows of a table; see `GrowthCurve.predict`.

        Returns
        -------
        table
            One column per outcome, one row per row of ``frame``, of its kind.
        """
        rows = self._parts.rows_of(frame)
        return rows.with_columns(self._parts.predicted(rows, of), only=True)

    @checked
    def fitted_values(self, frame: Any = None, *, of: Of = "client") -> Any:
        """Give fitted values of both outcomes, of the rows that were fitted or of ``frame``; one column each."""
        rows = self._parts.rows_of(frame)
        return rows.with_columns(self._parts.predicted(rows, of), only=True)

    @checked
    def residuals(self, frame: Any = None, *, of: Of = "client", standardised: bool = False) -> Any:
        """Give each outcome less its fitted value, one column each; missing where the outcome is.

        Parameters
        ----------
        frame, of
            As in `fitted_values`.
        standardised : bool
            In residual standard deviations of that outcome.
        """
        rows = self._parts.rows_of(frame)
        residuals = self._parts.residuals(rows, of)
        if standardised:
            deviations = np.sqrt(self.residual_covariance.diagonal()).tolist()
            residuals = {name: residuals[name] / sd for name, sd in zip(self.outcomes, deviations, strict=True)}
        return rows.with_columns(residuals, only=True)

    @checked
    def fitted_frame(self, frame: Any = None, *, backend: Backend | None = None) -> Any:
        """Make a table of the rows that were fitted, one for each score of either outcome.

        Parameters
        ----------
        frame, backend
            As in `GrowthCurve.fitted_frame`.

        Returns
        -------
        table
            measure (the name of the outcome), client, time, outcome, mean, fitted, residual, standardised.
        """
        columns = self._parts.fitted_columns(self._parts.rows_of(frame), self.residual_covariance)
        return frame_of(columns, backend or self.input_backend or "polars")

    @checked
    def simulate(self, *, seed: int, frame: Any = None) -> Any:
        """Draw both outcomes from the fitted model, for the rows of the fit or of ``frame``, whose kind it keeps.

        Parameters
        ----------
        seed : int
            Of the random numbers.
        frame : table, optional
            The rows, with the covariates; clients need not be in the model.
        """
        rows = self._parts.rows_of(frame)
        return rows.with_columns(self._parts.draws(rows, seed))

    def compared_fit(self) -> ComparedFit:
        """Describe the model for `compare`."""
        first, second = (model.mark for model in self._parts.models)
        mark = DataMark(
            first.observations + second.observations,
            self.n_clients,
            first.squares + second.squares,
            np.concatenate([first.client_totals, second.client_totals]),
            (first.moments[0] + second.moments[0], first.moments[1] + second.moments[1]),
        )
        return ComparedFit(
            f"two outcomes ({', '.join(self.names)}; random {', '.join(self.effects)})",
            frozenset(self.names),
            {"client": frozenset(self.effects)},
            self.log_likelihood,
            self.reml,
            self.converged,
            mark,
            residual={"second outcome": ResidualParameter(2 if self.n_sessions_with_both else 1, on_border=False)},
        )

    def _headline(self) -> str:
        size = f"{self.n_clients} clients, {self.n_observations} scores"
        return f"{self.outcomes[0]} and {self.outcomes[1]}, {size}: {len(self.correlations)} correlations"

    def _fixed_effects(self) -> tuple[Sequence[str], Floats, Floats]:
        return self.names, self.coefficients, self.covariance

    @property
    def time(self) -> str:
        """Column of the time."""
        return self._parts.models[0].time

    @checked
    def correlation(self, first: str, second: str) -> Correlation:
        """Find the correlation of two random effects, by name."""
        for correlation in self.correlations:
            if {correlation.first, correlation.second} == {first, second}:
                return correlation
        raise ModelError(f"no correlation of {first!r} and {second!r}; effects are {', '.join(self.effects)}.")

    def _columns(self) -> dict[str, Any]:
        """Correlations of the random effects: first, second, correlation, lower, upper."""
        columns = records(self.correlations, Correlation)
        return {("correlation" if name == "estimate" else name): column for name, column in columns.items()}

    def _notes(self) -> list[str]:
        return [f"Fixed effects:\n{text_table(self.coefficients_frame(backend='polars'))}"]


@checked
def paired_growth(
    frame: Any,
    *,
    outcomes: tuple[str, str],
    time: str,
    client: str,
    shape: ShapeName | Shape = "log",
    covariates: Sequence[str] = (),
    random: Sequence[str] = ("intercept", "slope"),
    reml: bool = True,
) -> PairedGrowth:
    """Fit the growth of two outcomes together.

    Parameters
    ----------
    frame : table
        One row per session, with both outcomes as columns; either may be missing.
    outcomes : (str, str)
        The two columns, for example self-esteem and relationship satisfaction.
    time, client, shape, covariates, random, reml
        As in `growth_curve`; the same for both outcomes.

    Returns
    -------
    PairedGrowth
        ``correlation("a: week", "b: week")`` is the correlation of the two slopes.

    References
    ----------
    .. [1] MacCallum, Kim, Malarkey & Kiecolt-Glaser (1997), doi:10.1207/s15327906mbr3203_1.
    """
    if len(outcomes) != 2 or outcomes[0] == outcomes[1]:
        raise ModelError(f"outcomes must be two different columns, got {tuple(outcomes)}.")
    table: Any = open_frame(frame)
    eager = cast("nw.DataFrame[Any]", table.collect() if isinstance(table, nw.LazyFrame) else table)
    require_columns(eager.columns, [*outcomes, time, client])
    stacked = Stacked.of(eager, outcomes, time, client, covariates, shape_of(shape), random)
    start = np.zeros((2 * stacked.q, 2 * stacked.q))
    for o, design in enumerate(stacked.designs):
        part = slice(o * stacked.q, (o + 1) * stacked.q)
        start[part, part] = checked_start(design, reml=reml).factor
    fit = fit_cells(stacked.cells, stacked.weighting(), start, stacked.start(), reml=reml)
    warn_unless_converged(fit.report, "paired_growth")
    return _result(stacked, (outcomes, time, client), fit, frame, reml=reml)


def _model_parts(
    stacked: Stacked,
    columns: tuple[tuple[str, str], str, str],
    fit: CellFit,
    back: Floats,
    residual: Floats,
    table: Any,
) -> tuple[ModelParts, ModelParts]:
    """Take both outcomes' parts; their effects are conditional on the scores of both."""
    outcomes, time, client = columns
    at, q = fit.optimum, stacked.q
    means = np.concatenate(
        [
            (back @ (block.conditional(at.factor) * (at.gamma @ block.b)).sum(axis=1)).T
            for block in fit.statistics.blocks
        ]
    )
    root = math.sqrt(at.sigma2) * back @ at.factor
    inner = np.concatenate([design.least_squares for design in stacked.designs]) - at.gamma[:-1]
    out: list[ModelParts] = []
    start = 0
    for i, design in enumerate(stacked.designs):
        own = slice(i * q, (i + 1) * q)
        score = stacked.rows.extras[f"mbc_{i}"]
        out.append(
            parts_of_rows(
                stacked.rows.with_outcome(score).where(~np.isnan(score)),
                stacked.sums[i],
                stacked.terms[i],
                design,
                (Effects(client, stacked.rows.ids.tolist(), means[:, own], (root @ root.T)[own, own]),),
                names=(outcomes[i], time),
                coefficients=inner[start : start + len(design.x_names)],
                residual_variance=float(residual[i, i]),
                table=table,
            )
        )
        start += len(design.x_names)
    return out[0], out[1]


def _result(
    stacked: Stacked, columns: tuple[tuple[str, str], str, str], fit: CellFit, table: Any, *, reml: bool
) -> PairedGrowth:
    outcomes = columns[0]
    first, second = stacked.designs
    q, p = stacked.q, len(first.x_names)
    scales = np.array([first.outcome_spread, second.outcome_spread])
    at = fit.optimum
    back_x, back_z = np.zeros((fit.statistics.p,) * 2), np.zeros((2 * q, 2 * q))
    back_x[:p, :p], back_x[p:, p:] = scales[0] * first.x_back, scales[1] * second.x_back
    back_z[:q, :q], back_z[q:, q:] = scales[0] * first.z_back, scales[1] * second.z_back
    inner = np.concatenate([first.least_squares, second.least_squares]) - at.gamma[:-1]
    root = math.sqrt(at.sigma2) * back_z @ at.factor
    ratio = math.exp(float(fit.numbers[0]))
    correlation = math.tanh(float(fit.numbers[1])) if fit.numbers.size > 1 else 0.0
    sds = math.sqrt(at.sigma2) * scales * np.array([1.0, ratio])
    residual = np.multiply.outer(sds, sds) * np.array([[1.0, correlation], [correlation, 1.0]])
    both, alone_first, alone_second = stacked.counts.tolist()
    rows = np.array([both + alone_first, both + alone_second])
    deviance = fit.deviance + 2 * float(rows @ np.log(scales))
    if reml:
        for design, scale in zip(stacked.designs, scales.tolist(), strict=True):
            deviance += 2 * float(np.linalg.slogdet(design.x_map)[1]) - 2 * len(design.x_names) * math.log(scale)
    effects = tuple(f"{o}: {name}" for o, d in zip(outcomes, stacked.designs, strict=True) for name in d.z_names)
    return PairedGrowth(
        outcomes=outcomes,
        names=tuple(f"{o}: {name}" for o, d in zip(outcomes, stacked.designs, strict=True) for name in d.x_names),
        coefficients=back_x @ inner,
        covariance=at.sigma2 * (back_x @ at.inverse @ back_x.T),
        effects=effects,
        random_covariance=root @ root.T,
        residual_covariance=residual,
        correlations=_correlations(effects, root, back_z, fit),
        log_likelihood=-0.5 * deviance,
        n_clients=fit.statistics.clients,
        n_observations=fit.statistics.rows,
        n_sessions_with_both=int(both),
        report=fit.report,
        reml=reml,
        _parts=PairedParts(_model_parts(stacked, columns, fit, back_z, residual, table), root @ root.T, residual),
    )


def _correlations(effects: tuple[str, ...], root: Floats, back: Floats, fit: CellFit) -> tuple[Correlation, ...]:
    """Correlations of the random effects, with delta-method intervals on Fisher's z."""
    k = len(root)
    columns, rows = np.triu_indices(k)
    covariance = 2 * np.linalg.pinv(fit.hessian, hermitian=True)[: len(rows), : len(rows)]

    def z_of(theta: Floats, i: int, j: int) -> float:
        lower = np.zeros((k, k))
        lower[rows, columns] = theta
        g = back @ lower
        g = g @ g.T
        return math.atanh(min(max(float(g[i, j] / math.sqrt(g[i, i] * g[j, j])), -1 + 1e-12), 1 - 1e-12))

    theta = fit.optimum.factor[rows, columns]
    g = root @ root.T
    out: list[Correlation] = []
    for i in range(k):
        for j in range(i):
            if not g[i, i] * g[j, j] > 0:
                continue
            center = z_of(theta, i, j)
            slope = np.empty(len(rows))
            for n in range(len(rows)):
                step = np.zeros(len(rows))
                step[n] = 1e-5 * max(1.0, abs(float(theta[n])))
                slope[n] = (z_of(theta + step, i, j) - z_of(theta - step, i, j)) / (2 * step[n])
            half = 1.959963984540054 * math.sqrt(max(float(slope @ covariance @ slope), 0.0))
            out.append(
                Correlation(
                    effects[j], effects[i], math.tanh(center), math.tanh(center - half), math.tanh(center + half)
                )
            )
    return tuple(out)
