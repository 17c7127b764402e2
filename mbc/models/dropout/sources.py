"""What sensitivity to dropout needs of a fitted model: from a growth curve's client sums, or a formula's rows."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Protocol, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mbc.errors import ModelError
from mbc.models.change.inputs.score_arrays import FloatArray
from mbc.models.dropout.clients import IntArray
from mbc.models.dropout.endings import Endings
from mbc.models.dropout.influence import (
    coefficient_influence,
    coefficients,
    covariate_columns,
    expected_course,
    kept_pairs,
    time_columns,
)
from mbc.models.growth.growth_curve import GrowthCurve
from mbc.models.growth.inference.prediction import covariate_row
from mbc.models.growth.matrices import Floats


class Source(Protocol):
    """A fitted model; everything in the units of the data, coefficients in an order of its own."""

    @property
    def columns(self) -> tuple[str, str, str]:
        """Names of client, time and outcome."""
        ...

    @property
    def covariates(self) -> list[str]:
        """Columns of the client that say whom the model could place."""
        ...

    @property
    def ids(self) -> NDArray[Any]:
        """Clients of the model."""
        ...

    @property
    def estimates(self) -> tuple[Floats, Floats]:
        """Coefficients (p,) and their covariance."""
        ...

    def influence(self) -> Floats:
        """Tell what each client adds to the coefficients, (p, clients)."""
        ...

    def mean_row(self, time: float, given: Mapping[str, object]) -> Floats:
        """Average row of the coefficients over clients at one time, with these covariates; (p,)."""
        ...

    def expected(self, time: float, people: Endings, place: IntArray) -> tuple[FloatArray, Floats]:
        """Score expected of everybody on the list given their own, and its derivative, (p, clients)."""
        ...


class GrowthSource:
    """A growth curve: client sums, no rows."""

    def __init__(self, fit: GrowthCurve) -> None:
        self.fit, self.fitted = fit, fit.fitted
        self.scale = self.fitted.design.outcome_spread
        _ = fit.estimates  # refuses a fit that did not converge

    @property
    def columns(self) -> tuple[str, str, str]:
        """Names of client, time and outcome."""
        return self.fit.client, self.fit.time, self.fit.outcome

    @property
    def covariates(self) -> list[str]:
        """Covariates of the model."""
        return list(dict.fromkeys(column.source for column in self.fitted.terms.covariates))

    @property
    def ids(self) -> NDArray[Any]:
        """Clients of the model."""
        return self.fitted.sums.ids

    @property
    def estimates(self) -> tuple[Floats, Floats]:
        """Coefficients of the engine's columns, and their covariance."""
        at = self.fitted.optimum
        return self.scale * coefficients(self.fitted), self.scale**2 * at.sigma2 * at.inverse

    def influence(self) -> Floats:
        """Tell what each client adds to the coefficients, (p, clients)."""
        return self.scale * coefficient_influence(self.fitted)

    def mean_row(self, time: float, given: Mapping[str, object]) -> Floats:
        """Average row over clients at one time."""
        row = covariate_row(self.fitted, given)
        u, _ = time_columns(self.fitted, time)
        return np.array([u[a] * row[c] for a, c in kept_pairs(self.fitted)])

    def expected(self, time: float, people: Endings, place: IntArray) -> tuple[FloatArray, Floats]:
        """Score expected of everybody on the list; of those never seen by their covariates."""
        fitted, fitted_client = self.fitted, place >= 0
        u, _ = time_columns(fitted, time)
        w = covariate_columns(fitted, people.covariates) if fitted.terms.covariates else None
        ones = np.ones(len(people.ids))
        slopes = np.array([u[a] * (ones if w is None else w[c]) for a, c in kept_pairs(fitted)])
        mean = coefficients(fitted) @ slopes
        own_mean, own_slope = expected_course(fitted, time)
        mean[fitted_client] = own_mean[place[fitted_client]]
        slopes[:, fitted_client] = own_slope[:, place[fitted_client]]
        return np.asarray(self.scale * mean, dtype=np.float64), slopes


class FormulaSource:
    """A result of `mixedlm`: its formula is evaluated at other times, its rows are summed once.

    ``V_i^-1 (y_i - X_i beta) = (y_i - X_i beta - Z_i b_i) / sigma^2``: a client's influence is made of the
    residuals that remain after the client's own effects.
    """

    def __init__(self, result: Any, time: str, client: str, group: str | None) -> None:
        self.result, self.time, self.client, self.group = result, time, client, group
        self.model = result.model
        if not result.converged:
            raise ModelError("this mixedlm did not converge: its mean and standard errors cannot be used.")
        frame: pd.DataFrame = self.model.data.frame
        if not hasattr(self.model, "formula") or time not in frame.columns:
            raise ModelError(
                f"time={time!r} is not a column in the data of this formula, which has "
                f"{', '.join(map(str, frame))}."
            )
        _, first = np.unique(self.model.codes, return_index=True)
        self.people: pd.DataFrame = frame.iloc[first]

    @property
    def columns(self) -> tuple[str, str, str]:
        """Names of client, time and outcome."""
        return self.client, self.time, str(self.model.endog_names)

    @property
    def covariates(self) -> list[str]:
        """The group, where one is asked about."""
        return [] if self.group is None else [self.group]

    @property
    def ids(self) -> NDArray[Any]:
        """Labels of the groups, in order."""
        return np.asarray(self.model.group_labels)

    @property
    def estimates(self) -> tuple[Floats, Floats]:
        """Coefficients, and ``sigma^2 (X'V^-1 X)^-1``."""
        design, at = self.result.design, self.result.at
        back = design.outcome_spread * design.x_back
        return np.asarray(self.result.fe_params, dtype=np.float64), at.sigma2 * (back @ at.inverse @ back.T)

    def influence(self) -> Floats:
        """Tell what each client adds to the coefficients, (p, clients)."""
        rest = np.asarray(self.model.endog - self.result.fittedvalues) / float(self.result.scale)
        columns: Floats = np.asarray(self.model.exog, dtype=np.float64).T
        scores = [np.bincount(self.model.codes, column * rest, minlength=len(self.ids)) for column in columns]
        return self.estimates[1] @ np.array(scores)

    def mean_row(self, time: float, given: Mapping[str, object]) -> Floats:
        """Average row of the formula over clients, each with their own covariates at their first row."""
        stock: Any = importlib.import_module("statsmodels.regression.mixed_linear_model")  # slow; loaded already
        changed = self.people.assign(**cast("dict[str, Any]", {self.time: time, **given}))
        rows = stock.FormulaManager().get_matrices(
            self.model.data.model_spec, changed, pandas=True, prediction=True
        )
        return np.asarray(rows, dtype=np.float64).mean(axis=0)

    def expected(self, time: float, people: Endings, place: IntArray) -> tuple[FloatArray, Floats]:
        """Not known from a formula: which of its columns of random effects move with time is not known."""
        raise ModelError(
            "estimand='scores' requires a result of growth_curve; a formula model accepts estimand='course'."
        )


def source_of_result(fit: object, time: str | None, client: str | None, group: str | None) -> Source:
    """Open a fitted model."""
    if isinstance(fit, GrowthCurve):
        if time is not None or client is not None:
            raise ModelError("time= and client= are for formula models; a growth curve already has its columns.")
        return GrowthSource(fit)
    if hasattr(fit, "design") and hasattr(fit, "fe_params"):
        if time is None or client is None:
            raise ModelError(
                "a formula model (mixedlm) does not say which columns are time and client: give time= and client=."
            )
        return FormulaSource(fit, time, client, group)
    raise ModelError(
        f"dropout_sensitivity requires a result of growth_curve or models.mixedlm, got {type(fit).__name__}."
    )
