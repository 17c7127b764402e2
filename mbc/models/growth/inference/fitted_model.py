"""What every fitted growth model does with rows and coefficients: predict, residuals, draws, intervals, tests."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from scipy import special

from mbc.arguments import checked
from mbc.models.change.inputs.distributions import f_above, normal_quantile
from mbc.models.growth.comparison.compared_fit import ComparedFit
from mbc.models.growth.inference.contrasts import Contrasts, contrasts_of
from mbc.models.growth.inference.degrees_of_freedom import JointTest
from mbc.models.growth.inference.model_parts import (
    GivenRows,
    ModelParts,
    Of,
    complete_rows,
    fitted_columns,
    predicted_rows,
)
from mbc.models.growth.inference.reported import NORMAL_95, coefficient_columns
from mbc.models.growth.matrices import Floats
from mbc.models.results.result import Result
from mbc.models.results.tables import Backend
from mbc.models.results.tables import frame as frame_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from mbc.models.growth.data.rows import Codes
    from mbc.models.growth.fit.optimiser import FitReport


@dataclass(frozen=True, slots=True)
class ResidualDistribution:
    """The distribution of standardised residuals: Student's t, or normal with infinite degrees of freedom."""

    degrees_of_freedom: float

    def quantiles(self, shares: Floats) -> Floats:
        """Quantiles at these shares.

        Examples
        --------
        >>> ResidualDistribution(math.inf).quantiles(np.array([0.5, 0.975])).round(2).tolist()
        [0.0, 1.96]
        >>> ResidualDistribution(4.0).quantiles(np.array([0.975])).round(2).tolist()
        [2.78]
        """
        if math.isinf(self.degrees_of_freedom):
            return np.asarray(special.ndtri(shares))
        return np.asarray(special.stdtrit(self.degrees_of_freedom, shares))


class _Reporting(Protocol):
    @property
    def report(self) -> FitReport: ...


class Searched:
    """A model whose optimum was searched for, with a ``report`` of the search."""

    __slots__ = ()

    @property
    def converged(self: _Reporting) -> bool:
        """Whether the search reached its optimum."""
        return self.report.converged


class WithCoefficients(Result, ABC):
    """A fitted model whose coefficients have intervals and tests."""

    __slots__ = ()

    @abstractmethod
    def _fixed_effects(self) -> tuple[Sequence[str], Floats, Floats]:
        """Names, coefficients and their covariance."""

    @property
    def standard_errors(self) -> Floats:
        """Of the coefficients."""
        return np.sqrt(self._fixed_effects()[2].diagonal())

    @checked
    def coefficients_frame(self, *, backend: Backend | None = None) -> Any:
        """Make the table of fixed effects: term, estimate, standard_error, statistic, p_value, lower, upper.

        Parameters
        ----------
        backend : {"polars", "pandas", "pyarrow"}, optional
            Kind of table; by default the kind that came in.
        """
        names, coefficients, _ = self._fixed_effects()
        columns = coefficient_columns(names, coefficients, self.standard_errors)
        return frame_of(columns, backend or self.input_backend or "polars")

    @checked
    def conf_int(self, *, level: float = 0.95, backend: Backend | None = None) -> Any:
        """Give normal intervals of the coefficients: term, lower, upper.

        Parameters
        ----------
        level : float
            Coverage.
        backend : {"polars", "pandas", "pyarrow"}, optional
            Kind of table; by default the kind that came in.
        """
        names, coefficients, _ = self._fixed_effects()
        half = (NORMAL_95 if level == 0.95 else normal_quantile(0.5 + level / 2)) * self.standard_errors
        columns: dict[str, Any] = {"term": list(names), "lower": coefficients - half, "upper": coefficients + half}
        return frame_of(columns, backend or self.input_backend or "polars")

    def joint_test(self, contrasts: ArrayLike | str | Sequence[str]) -> JointTest:
        """Test several coefficients at once (Wald): normal, F with infinitely many degrees of freedom below.

        Parameters
        ----------
        contrasts : str, list of str or array_like
            ``"week = 0, week:arm = 0"``; names of coefficients, or of columns for all their levels; or rows of
            numbers, one per coefficient.
        """
        names, coefficients, covariance = self._fixed_effects()
        return wald_test(contrasts_of(contrasts, names), coefficients, covariance)


class PredictsRows(WithCoefficients):
    """A fitted model of one outcome that predicts the rows of a table."""

    __slots__ = ()

    @abstractmethod
    def _parts(self) -> ModelParts:
        """Give what predictions need."""

    def _headline(self) -> str:
        names, coefficients, _ = self._fixed_effects()
        terms = ", ".join(f"{name} {value:.4g}" for name, value in zip(names, coefficients.tolist(), strict=True))
        parts = self._parts()
        size = f"{parts.mark.clients} clients, {parts.mark.observations} scores"
        return f"{parts.outcome} by {parts.time}, {size}: {terms}"

    def _residual_draws(self, rows: GivenRows, time: Floats, clients: Codes, rng: np.random.Generator) -> Floats:
        """Draw residuals of rows: independent and normal, unless the model says otherwise."""
        del rows, clients
        return np.sqrt(self._parts().residual_variance) * rng.standard_normal(time.size)

    @checked
    def predict(self, frame: Any, *, of: Of = "population") -> Any:
        """Predict the outcome for the rows of a table.

        Parameters
        ----------
        frame : table
            With the time column and the covariates; for ``of="client"`` with the client column. Any kind.
        of : {"population", "client"}
            The mean course at the row's covariates, as `predict` of statsmodels; or the client's own course, with
            the conditional means of the random effects.

        Returns
        -------
        column
            One number per row, a column of the kind of ``frame`` (pandas: with its index); missing where a time or
            covariate is.

        Raises
        ------
        FrameError
            If a column is absent or does not contain numbers.
        ModelError
            If a level of a covariate, or for ``of="client"`` a client, is not in the model. A covariate whose
            column is absent is the client's own.
        """
        rows = GivenRows.of(frame)
        return rows.series("predicted", predicted_rows(self._parts(), rows, of))

    @checked
    def fitted_values(self, frame: Any = None, *, of: Of = "client") -> Any:
        """Give the fitted value of each row that was fitted, or of the rows of ``frame``.

        Parameters
        ----------
        frame : table, optional
            The rows; by default the table of the fit, where that is in memory and unchanged.
        of : {"client", "population"}
            With the client's own effects, as statsmodels' ``fittedvalues``, or without.
        """
        rows = self._rows_of(frame)
        return rows.series("fitted", predicted_rows(self._parts(), rows, of))

    @checked
    def residuals(self, frame: Any = None, *, of: Of = "client", standardised: bool = False) -> Any:
        """Give the outcome less `fitted_values`, row by row; missing where the outcome is.

        Parameters
        ----------
        frame, of
            As in `fitted_values`.
        standardised : bool
            In residual standard deviations: of the row's group where they differ by group, less what the client's
            residual before it foretells where residuals are serially correlated, and in scales of the t
            distribution where they follow one. If the model holds, these are independent with one distribution,
            `residual_distribution`, but for the uncertainty of the clients' effects.
        """
        rows = self._rows_of(frame)
        outcome = rows.outcome(self._parts().outcome)
        residual = outcome - predicted_rows(self._parts(), rows, of)
        return rows.series("residual", self._standardised(rows, residual) if standardised else residual)

    @property
    def fitted_names(self) -> tuple[str, str]:
        """Columns of the outcome and of the time."""
        return self._parts().outcome, self._parts().time

    @property
    def residual_distribution(self) -> ResidualDistribution:
        """Which distribution standardised residuals have in this model."""
        return ResidualDistribution(math.inf)

    def _standardised(self, rows: GivenRows, residual: Floats) -> Floats:
        """Divide by the residual standard deviation, one for all rows unless the model says otherwise."""
        del rows
        return residual / math.sqrt(self._parts().residual_variance)

    @checked
    def fitted_frame(self, frame: Any = None, *, backend: Backend | None = None) -> Any:
        """Make a table of the rows that were fitted: what was observed, and what the model expects there.

        Parameters
        ----------
        frame : table, optional
            The rows; by default the table of the fit, where that is in memory and unchanged.
        backend : {"polars", "pandas", "pyarrow"}, optional
            Kind of table; by default the kind that came in.

        Returns
        -------
        table
            client, time, outcome, mean (the course at the client's covariates), fitted (with the client's own
            effects), residual, standardised (see `residuals`); one row per complete row.
        """
        rows = self._rows_of(frame)
        columns = fitted_columns(self._parts(), rows)
        columns["standardised"] = self._standardised(rows, columns["residual"])
        return frame_of(complete_rows(columns), backend or self.input_backend or "polars")

    @property
    def fittedvalues(self) -> Any:
        """Fitted values of the rows that were fitted, by the name that statsmodels has for them."""
        return self.fitted_values()

    @property
    def resid(self) -> Any:
        """Residuals of the rows that were fitted, by the name that statsmodels has for them."""
        return self.residuals()

    def _rows_of(self, frame: Any) -> GivenRows:
        """Open the given table, or that of the fit."""
        return GivenRows.of_fit((self._parts(),), frame)

    @checked
    def simulate(self, *, seed: int, frame: Any = None) -> Any:
        """Draw new outcomes from the fitted model: new effects of each client, new residuals.

        Parameters
        ----------
        seed : int
            Of the random numbers.
        frame : table, optional
            The rows; by default those of the fit. Clients need not be in the model.

        Returns
        -------
        table
            The rows with the outcome column drawn, of the same kind; missing where a time or covariate is.
        """
        rows, parts = self._rows_of(frame), self._parts()
        rng = np.random.default_rng(seed)
        time = rows.times(parts)
        codes = rows.units(parts.client)
        known = None if all(name in rows.table.wrapped.columns for name in parts.covariate_names) else codes
        if known is not None:
            known = rows.codes(parts.effects[0], "client")
        outcome = parts.fixed(time, rows.covariates(parts, known))
        for effects in parts.effects:
            units = rows.units(effects.column)
            drawn = rng.multivariate_normal(
                np.zeros(len(effects.covariance)), effects.covariance, size=int(units.max(initial=-1)) + 1
            )
            outcome = outcome + parts.random_part(time, drawn[units])
        drawn = outcome + self._residual_draws(rows, time, codes, rng)
        return rows.with_columns({parts.outcome: drawn})


class FittedModel(PredictsRows, Searched):
    """A fitted growth model of one outcome, which can be compared with another of the same scores."""

    __slots__ = ()

    @abstractmethod
    def compared_fit(self) -> ComparedFit:
        """Describe the model for `compare`."""


def wald_test(contrasts: Contrasts, coefficients: Floats, covariance: Floats) -> JointTest:
    """Wald's test of combinations of coefficients, as chi-square over its degrees of freedom."""
    rows = contrasts.rows
    miss = rows @ coefficients - contrasts.values
    statistic = float(miss @ np.linalg.solve(rows @ covariance @ rows.T, miss)) / len(rows)
    return JointTest(statistic, len(rows), np.inf, f_above(len(rows), 1e12, statistic))
