"""What a fitted growth curve estimates: coefficients, variances, likelihood, clients' effects."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mbc.errors import ModelError
from mbc.models.growth.comparison.compared_fit import ComparedFit
from mbc.models.growth.data.shapes import Shape
from mbc.models.growth.fit.estimates import Effects as ClientEffects
from mbc.models.growth.fit.estimates import Estimates, effects_of, estimates_of
from mbc.models.growth.fit.fit_model import Fitted
from mbc.models.growth.fit.optimiser import FitReport
from mbc.models.growth.fit.shape_choice import TriedShape
from mbc.models.growth.inference.fitted_model import FittedModel
from mbc.models.growth.inference.model_parts import NO_CLIENTS, Effects, ModelParts, compared, parts_of
from mbc.models.growth.inference.reported import (
    Coefficient,
    Variance,
    coefficient_columns,
    coefficients_of,
    variance_notes,
    variances_of,
)
from mbc.models.growth.matrices import Floats


@dataclass(frozen=True)
class CurveEstimates(FittedModel):
    """The estimates of a growth model, in the units of the data."""

    outcome: str
    time: str
    client: str
    fitted: Fitted = field(repr=False)
    tried: tuple[TriedShape, ...] = ()  # shapes compared where the shape was "auto", lowest AIC first
    _table_of_rows: Any = field(repr=False, compare=False, default=None)

    @property
    def shape(self) -> Shape:
        """The functions of time, with their knots."""
        return self.fitted.sums.basis.shape

    @property
    def reml(self) -> bool:
        """Whether restricted likelihood was maximised."""
        return self.fitted.reml

    @property
    def n_clients(self) -> int:
        """Clients with at least one complete row."""
        return self.fitted.sums.clients

    @property
    def n_designs(self) -> int | None:
        """Designs (clients with the same times and covariates) of a fit with ``sums_per="design"``, else None."""
        return self.fitted.sums.designs

    @property
    def n_observations(self) -> int:
        """Complete rows."""
        return self.fitted.sums.rows

    @property
    def n_dropped(self) -> int:
        """Rows left out because a value was missing."""
        return self.fitted.sums.dropped

    @property
    def report(self) -> FitReport:
        """How the optimum was found."""
        return self.fitted.report

    @cached_property
    def singular(self) -> bool:
        """Whether some variance is zero or some correlation is one: reported, not a failure."""
        return self.fitted.singular

    @property
    def dropped_terms(self) -> tuple[str, ...]:
        """Fixed effects left out because the others already say them."""
        return self.fitted.design.dropped

    @cached_property
    def estimates(self) -> Estimates:
        """Everything estimated, as arrays."""
        self._require_converged()
        return estimates_of(self.fitted.design, self.fitted.optimum, reml=self.reml)

    def _require_converged(self) -> None:
        if not self.converged:
            raise ModelError(
                f"this growth model did not converge ({self.report.message}). To repair: "
                "1. look at .report.log; 2. drop the random slope: random=('intercept',); "
                "3. take a simpler shape; 4. check for clients or scores of another scale."
            )

    @property
    def log_likelihood(self) -> float:
        """Restricted log-likelihood if ``reml``, else the log-likelihood."""
        return self.estimates.log_likelihood

    @property
    def n_parameters(self) -> int:
        """Fixed effects, variances and covariances, residual variance."""
        q = len(self.fitted.random)
        return len(self.fitted.design.x_names) + q * (q + 1) // 2 + 1

    @property
    def aic(self) -> float:
        """Akaike's criterion; compare models fitted with ``reml=False`` on the same rows."""
        return 2 * self.n_parameters - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion."""
        return math.log(self.n_observations) * self.n_parameters - 2 * self.log_likelihood

    @property
    def coefficients(self) -> tuple[Coefficient, ...]:
        """Fixed effects with 95 % normal intervals."""
        return coefficients_of(self.estimates, self.fitted.design.x_names)

    @property
    def variances(self) -> tuple[Variance, ...]:
        """Random effects' variances and correlations, then the residual variance."""
        return variances_of(self.estimates, self.fitted.design.z_names)

    @cached_property
    def effects(self) -> ClientEffects:
        """Every client's random effects with their conditional covariances; not of sums per design."""
        self._require_converged()
        self._require_clients()
        return effects_of(self.fitted.design, self.fitted.optimum)

    def _require_clients(self) -> None:
        if self.n_designs is not None:
            raise ModelError(NO_CLIENTS)

    @property
    def client_ids(self) -> NDArray[Any]:
        """Identifiers, in the order of `effects`; not of sums per design."""
        self._require_clients()
        return self.fitted.sums.ids

    def shapes_tried(self) -> pl.DataFrame:
        """Shapes compared where the shape was ``"auto"``: shape, parameters, log_likelihood, aic, reason."""
        columns = ("shape", "parameters", "log_likelihood", "aic", "reason")
        return pl.DataFrame({name: [getattr(shape, name) for shape in self.tried] for name in columns})

    def client_effects(self) -> pl.DataFrame:
        """One row per client: each random effect and its conditional standard deviation."""
        effects = self.effects
        columns: dict[str, Any] = {self.client: self.client_ids.tolist()}
        for j, name in enumerate(self.fitted.design.z_names):
            columns[name] = effects.means[:, j]
            columns[f"{name} sd"] = np.sqrt(effects.covariances[:, j, j])
        return pl.DataFrame(columns)

    def _columns(self) -> dict[str, Any]:
        """Coefficients: term, estimate, standard_error, statistic, p_value, lower, upper (normal, 95 %)."""
        estimates = self.estimates
        return coefficient_columns(self.fitted.design.x_names, estimates.coefficients, estimates.standard_errors)

    def _facts(self) -> list[tuple[str, str]]:
        numbers = {
            "outcome": self.outcome,
            "time": f"{self.time} ({self.shape.name})",
            "clients": f"{self.n_clients} ({self.n_observations} scores; {self.n_dropped} rows left out)",
            "estimator": "restricted maximum likelihood" if self.reml else "maximum likelihood",
            "log-likelihood": f"{self.log_likelihood:.3f}",
            "AIC, BIC": f"{self.aic:.2f}, {self.bic:.2f}",
        }
        if self.n_designs is not None:
            numbers["sums"] = f"of {self.n_designs} designs: clients with the same times and covariates"
        return list(numbers.items())

    def _headline(self) -> str:
        return super()._headline() if self.converged else f"{self.outcome} by {self.time}, not converged"

    def _notes(self) -> list[str]:
        singular = "The fit is singular: a variance is zero or a correlation is one." if self.singular else ""
        return [
            variance_notes(self.variances),
            "P values and intervals are normal; for few clients: tests().",
            singular,
            self._note_on_designs(),
        ]

    def _note_on_designs(self) -> str:
        """Say so where sums per design save little."""
        if self.n_designs is None or 2 * self.n_designs <= self.n_clients:
            return ""
        return (
            f"{self.n_designs} designs of {self.n_clients} clients: few clients share their times and covariates, "
            "so that sums per design are hardly fewer than sums per client."
        )

    def _fixed_effects(self) -> tuple[Sequence[str], Floats, Floats]:
        return self.fitted.design.x_names, self.estimates.coefficients, self.estimates.covariance

    def _parts(self) -> ModelParts:
        fitted, estimates = self.fitted, self.estimates
        ids, means = self._effects_by_client()
        clients = Effects(self.client, ids, means, estimates.random_covariance)
        return parts_of(fitted, self.outcome, self.time, clients, estimates.residual_variance, self._table_of_rows)

    def _effects_by_client(self) -> tuple[list[Any], Floats]:
        """Clients and the means of their effects: of no client in sums per design."""
        if self.n_designs is not None:
            return [], np.empty((0, len(self.fitted.random)))
        return self.client_ids.tolist(), self.effects.means

    def compared_fit(self) -> ComparedFit:
        """Describe the model for `compare`."""
        if not self.converged:
            self._require_converged()
        return compared(
            self._parts(), "growth curve", log_likelihood=self.log_likelihood, reml=self.reml, converged=True
        )
