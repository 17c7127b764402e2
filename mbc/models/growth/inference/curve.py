"""A fitted growth curve: its estimates, tests, intervals, and the courses it expects."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.score_arrays import as_array
from mbc.models.change.person.slopes import ClientSlopes
from mbc.models.growth.comparison.compared_fit import ComparedFit
from mbc.models.growth.data.shapes import Shape
from mbc.models.growth.fit.estimates import Effects as ClientEffects
from mbc.models.growth.fit.estimates import Estimates, effects_of, estimates_of
from mbc.models.growth.fit.fit_model import Fitted
from mbc.models.growth.fit.optimiser import FitReport
from mbc.models.growth.fit.shape_choice import TriedShape
from mbc.models.growth.inference import prediction
from mbc.models.growth.inference.bootstrap import Bootstrap, parametric_bootstrap
from mbc.models.growth.inference.client_slopes import client_slopes
from mbc.models.growth.inference.degrees_of_freedom import (
    CoefficientTest,
    JointTest,
    Method,
    coefficient_tests,
    joint_test,
)
from mbc.models.growth.inference.fitted_model import FittedModel
from mbc.models.growth.inference.model_parts import Effects, ModelParts, compared, parts_of
from mbc.models.growth.inference.prediction import ClientCurve, Kind
from mbc.models.growth.inference.profile import Interval, profile_intervals
from mbc.models.growth.inference.reported import (
    Coefficient,
    Variance,
    coefficient_columns,
    coefficients_of,
    variance_notes,
    variances_of,
)
from mbc.models.growth.matrices import Floats
from mbc.models.results.tables import Backend, frame


@dataclass(frozen=True)
class GrowthCurve(FittedModel):
    """A fitted growth model. Holds client sums, and points to the table that came in where that is in memory.

    Asking for estimates of a fit that did not converge raises `ModelError`.
    """

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
        return len(self.fitted.sums.ids)

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

    @property
    def converged(self) -> bool:
        """Whether the search reached its optimum."""
        return self.report.converged

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
        """Every client's random effects with their conditional covariances."""
        self._require_converged()
        return effects_of(self.fitted.design, self.fitted.optimum)

    @property
    def client_ids(self) -> NDArray[Any]:
        """Identifiers, in the order of `effects`."""
        return self.fitted.sums.ids

    @cached_property
    def _index(self) -> dict[object, int]:
        return {key: i for i, key in enumerate(self.client_ids.tolist())}

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
        return list(numbers.items())

    def _headline(self) -> str:
        return super()._headline() if self.converged else f"{self.outcome} by {self.time}, not converged"

    def _notes(self) -> list[str]:
        singular = "The fit is singular: a variance is zero or a correlation is one." if self.singular else ""
        return [
            variance_notes(self.variances),
            "P values and intervals are normal; for few clients: tests().",
            singular,
        ]

    @checked
    def tests(self, *, method: Method = "satterthwaite", level: float = 0.95) -> tuple[CoefficientTest, ...]:
        """Test every coefficient against zero, honestly with few clients.

        Parameters
        ----------
        method : {"satterthwaite", "kenward-roger", "normal"}
            How the degrees of freedom are found. Kenward-Roger also widens the standard errors; REML only.
        level : float
            Coverage of the intervals.
        """
        fitted = self.fitted
        return coefficient_tests(fitted.design, fitted.optimum, self.estimates, method=method, level=level)

    @checked
    def joint_test(self, contrasts: ArrayLike | str | Sequence[str], *, method: Method | None = None) -> JointTest:
        """Test several combinations of coefficients at once.

        Parameters
        ----------
        contrasts : str, list of str or array_like
            ``"week = 0, week:arm = 0"``; names of coefficients, or of columns for all their levels; or rows of
            numbers, one per coefficient.
        method : {"kenward-roger", "satterthwaite", "normal"}, optional
            How the degrees of freedom are found; Kenward-Roger unless the fit is one of maximum likelihood, then
            Satterthwaite.
        """
        method = method or ("kenward-roger" if self.reml else "satterthwaite")
        fitted = self.fitted
        return joint_test(fitted.design, fitted.optimum, self.estimates, contrasts, method=method)

    @checked
    def variance_intervals(
        self,
        *,
        method: Literal["profile", "bootstrap"] = "profile",
        level: float = 0.95,
        replicates: int = 1000,
        seed: int | None = None,
    ) -> tuple[Interval, ...]:
        """Intervals of the standard deviations and correlations.

        Parameters
        ----------
        method : {"profile", "bootstrap"}
            Profile likelihood (restricted if the fit is), or percentiles of a parametric bootstrap.
        level : float
            Coverage.
        replicates, seed
            Of the bootstrap.
        """
        if not 0 < level < 1:
            raise ModelError(f"level must be between 0 and 1, got {level}. Is it a percentage?")
        self._require_converged()
        design, at = self.fitted.design, self.fitted.optimum
        if method == "profile":
            return profile_intervals(design, at, reml=self.reml, level=level)
        if method == "bootstrap":
            return self.bootstrap(replicates=replicates, seed=seed).intervals(design, at, level=level)
        raise ModelError(f"method must be 'profile' or 'bootstrap', got {method!r}.")

    @checked
    def bootstrap(self, *, replicates: int = 1000, seed: int | None = None) -> Bootstrap:
        """Refit data sets drawn from this model: how every estimate would scatter if it were true."""
        self._require_converged()
        fitted = self.fitted
        return parametric_bootstrap(
            fitted.design, fitted.optimum, reml=self.reml, replicates=replicates, seed=seed
        )

    @checked
    def client_slopes(self) -> ClientSlopes:
        """Each client's coefficient of the shape's first term: fixed and random part together, and alone."""
        self._require_converged()
        return client_slopes(self.fitted)

    @checked
    def at(self, theta: Sequence[float]) -> GrowthCurve:
        """Evaluate the same model at given covariance parameters instead of its optimum.

        Parameters
        ----------
        theta : sequence of float
            Lower triangle, by columns, of the relative covariance factor: ``getME(fit, "theta")`` of lme4.
        """
        there = self.fitted.at(theta)
        return GrowthCurve(self.outcome, self.time, self.client, there, self.tried, self._table_of_rows)

    @checked
    def conf_int(self, *, level: float = 0.95, method: Method = "normal", backend: Backend | None = None) -> Any:
        """Give intervals of the coefficients: term, lower, upper.

        Parameters
        ----------
        level : float
            Coverage.
        method : {"normal", "satterthwaite", "kenward-roger"}
            How the degrees of freedom are found; see `tests`.
        backend : {"polars", "pandas", "pyarrow"}, optional
            Kind of table; by default the kind that came in.
        """
        if method == "normal":
            return super().conf_int(level=level, backend=backend)
        rows = self.tests(method=method, level=level)
        columns = {"term": [row.name for row in rows], "lower": [row.lower for row in rows]}
        columns["upper"] = [row.upper for row in rows]
        return frame(columns, backend or self.input_backend or "polars")

    def _fixed_effects(self) -> tuple[Sequence[str], Floats, Floats]:
        return self.fitted.design.x_names, self.estimates.coefficients, self.estimates.covariance

    def _parts(self) -> ModelParts:
        fitted, estimates = self.fitted, self.estimates
        clients = Effects(self.client, self.client_ids.tolist(), self.effects.means, estimates.random_covariance)
        return parts_of(fitted, self.outcome, self.time, clients, estimates.residual_variance, self._table_of_rows)

    def compared_fit(self) -> ComparedFit:
        """Describe the model for `compare`."""
        if not self.converged:
            self._require_converged()
        return compared(
            self._parts(), "growth curve", log_likelihood=self.log_likelihood, reml=self.reml, converged=True
        )

    @checked
    def predict_mean(
        self,
        times: ArrayLike,
        *,
        covariates: Mapping[str, object] | None = None,
        level: float = 0.8,
        kind: Kind = "mean",
    ) -> ClientCurve:
        """Predict the mean course, or with ``kind="prediction"`` where a new client's scores will lie.

        Parameters
        ----------
        times : array_like
            In the unit of the time column.
        covariates : mapping, optional
            Values of the client covariates; their average over clients by default.
        level : float
            Coverage of the band, between 0 and 1.
        kind : {"mean", "prediction"}
            Uncertainty of the mean course alone, or also between clients and of one score.
        """
        return self._population(None, prediction.as_times(times), covariates, level, kind)

    @checked
    def predict_client(
        self,
        client: object,
        times: ArrayLike,
        *,
        level: float = 0.8,
        kind: Kind = "prediction",
        new: bool = False,
        covariates: Mapping[str, object] | None = None,
    ) -> ClientCurve:
        """Predict one client's own course, with a band.

        Parameters
        ----------
        client : object
            Identifier as in the client column, of the same type.
        new : bool
            A client the model has not seen: the mean course with the spread between clients in its band
            (``observations`` is 0). Without it an identifier that is not in the model is refused.
        times : array_like
            In the unit of the time column.
        level : float
            Coverage of the band, between 0 and 1.
        kind : {"prediction", "mean"}
            ``"prediction"``: where a new score will lie: uncertainty of the coefficients and of the client's
            effects (jointly), and the residual. ``"mean"``: without the residual, where the course itself lies.
        covariates : mapping, optional
            Of a new client; averages over clients by default. A client of the model has its own.

        Raises
        ------
        ModelError
            If the client is not in the model and not said to be new, or the other way round; if a covariate or its
            level is not in the model.
        """
        at = prediction.as_times(times)
        self._require_converged()
        index = prediction.index_of(client, self._index, new=new)
        if index is None:
            return self._population(client, at, covariates, level, kind)
        if covariates:
            raise ModelError(
                f"client {client!r} is in the model with covariates of its own; covariates= is for a new client."
            )
        course = prediction.client_course(self.fitted, index, at)
        observations = round(float(self.fitted.sums.counts[index]))
        return prediction.curve(self.fitted, course, client, at, observations=observations, level=level, kind=kind)

    @checked
    def predict_scores(
        self,
        observed_times: ArrayLike,
        scores: ArrayLike,
        times: ArrayLike,
        *,
        level: float = 0.8,
        kind: Kind = "prediction",
        covariates: Mapping[str, object] | None = None,
    ) -> ClientCurve:
        """Predict the course of a client the model has not seen from the scores known so far.

        Parameters
        ----------
        observed_times, scores : array_like
            Times and values of the scores known so far.
        times : array_like
            Where to predict.
        level, kind, covariates
            As in `predict_client`.
        """
        at, score_times = prediction.as_times(times), prediction.as_times(observed_times)
        values = np.atleast_1d(as_array(scores, "scores"))
        if values.shape != score_times.shape or not np.isfinite(values).all():
            raise ModelError(
                f"scores must be finite and as many as observed_times ({score_times.size}), got {values.size}."
            )
        self._require_converged()
        row = prediction.covariate_row(self.fitted, covariates or {})
        course = prediction.scores_course(self.fitted, score_times, values, at, row)
        return prediction.curve(
            self.fitted, course, None, at, observations=score_times.size, level=level, kind=kind
        )

    def _population(
        self, client: object, times: Floats, covariates: Mapping[str, object] | None, level: float, kind: Kind
    ) -> ClientCurve:
        self._require_converged()
        row = prediction.covariate_row(self.fitted, covariates or {})
        between = client is not None or kind == "prediction"
        course = prediction.population_course(self.fitted, times, row, between=between)
        return prediction.curve(self.fitted, course, client, times, observations=0, level=level, kind=kind)
