"""A fitted growth curve: its tests and intervals, beside its estimates and the courses it expects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import ArrayLike

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.person.slopes import ClientSlopes
from mbc.models.growth.curve.curve_predictions import CurvePredictions
from mbc.models.growth.inference.bootstrap import Bootstrap, parametric_bootstrap
from mbc.models.growth.inference.client_slopes import client_slopes
from mbc.models.growth.inference.degrees_of_freedom import (
    CoefficientTest,
    JointTest,
    Method,
    coefficient_tests,
    joint_test,
)
from mbc.models.growth.inference.profile import Interval, profile_intervals
from mbc.models.results.tables import Backend, frame


@dataclass(frozen=True)
class GrowthCurve(CurvePredictions):
    """A fitted growth model. Holds client sums, and points to the table that came in where that is in memory.

    Asking for estimates of a fit that did not converge raises `ModelError`.
    """

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
        if fitted.sums.stands_for is not None:
            raise ModelError(
                "a bootstrap draws sums of every client, and this model was fitted to sums per design. Take "
                "variance_intervals(method='profile'), or fit with sums_per='client'."
            )
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
