"""The results object of statsmodels, with right standard errors of the variances and no loop over groups."""

# statsmodels has no types and sets attributes from outside: what it hands over is taken as it is.
# pyright: basic, reportAttributeAccessIssue=false, reportIncompatibleMethodOverride=false
# pyright: reportIncompatibleVariableOverride=false, reportArgumentType=false, reportOptionalMemberAccess=false
from __future__ import annotations

import warnings
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.regression import mixed_linear_model as stock
from statsmodels.tools.sm_exceptions import ConvergenceWarning

from mbc.errors import ModelError
from mbc.models.growth.design.design import Design
from mbc.models.growth.fit.deviance import Evaluation
from mbc.models.growth.fit.estimates import Effects, effects_of, reported_deviance
from mbc.models.growth.fit.information import curvature, second_sums, variance_information
from mbc.models.growth.fit.optimiser import FitReport, lower_entries
from mbc.models.growth.fit.starts import is_singular
from mbc.models.growth.matrices import Floats


class FastMixedLMResults(stock.MixedLMResults):
    """``MixedLMResults`` with right standard errors of the variances, and no loop over groups.

    ``cov_params()`` and with it ``bse``, ``conf_int`` and the tests keep statsmodels' meaning (coefficients, then
    covariances *divided by the residual variance*). ``bse_re`` and the table of ``summary()`` are the standard
    errors of the covariances that stand beside them.
    """

    report: FitReport
    singular: bool

    @cached_property
    def effects(self) -> Effects:
        """Conditional means and covariances of all groups, as arrays."""
        return effects_of(self.design, self.at)

    @cached_property
    def bse_re(self) -> Floats:
        """Standard errors of the covariances (lower triangle by rows) and of the variance components.

        Delta method on the Hessian of the (restricted) log-likelihood in covariances and residual variance;
        NaN where a parameter was fixed or the fit is singular.
        """
        q = len(self.design.z_names)
        errors = np.full((q, q), np.nan)
        if not self.singular and self.freepat is None:
            errors = _standard_errors(self.design, self.at, self.model, reml=self.reml)
        pairs = [(i, j) for i in range(self.k_re) for j in range(i + 1)]
        return np.array([errors[i, j] for i, j in [*pairs, *((i, i) for i in range(self.k_re, q))]])

    @cached_property
    def bse_gls(self) -> pd.Series:
        """Standard errors of the coefficients as lme4 and `growth_curve` give them: sigma^2 (X'V^-1X)^-1."""
        scale = self.design.outcome_spread**2 * self.at.sigma2
        covariance = scale * self.design.x_back @ self.at.inverse @ self.design.x_back.T
        return pd.Series(np.sqrt(np.diag(covariance)), index=list(self.model.exog_names))

    @cached_property
    def random_effects_frame(self) -> pd.DataFrame:
        """One row per group: conditional means of its random effects."""
        return pd.DataFrame(self.effects.means, index=self.model.group_labels, columns=self._effect_names())

    def _effect_names(self) -> list[str]:
        return [*self.model.data.exog_re_names, *(f"{name}[1]" for name in self.model.exog_vc.names)]

    @cached_property
    def random_effects(self) -> dict[Any, pd.Series]:
        """Conditional means of the random effects by group."""
        names = pd.Index(self._effect_names())
        return {
            label: pd.Series(row, index=names)
            for label, row in zip(self.model.group_labels, self.effects.means, strict=True)
        }

    @cached_property
    def random_effects_cov(self) -> dict[Any, pd.DataFrame]:
        """Conditional covariances of the random effects by group."""
        names = pd.Index(self._effect_names())
        return {
            label: pd.DataFrame(block, index=names, columns=names)
            for label, block in zip(self.model.group_labels, self.effects.covariances, strict=True)
        }

    @cached_property
    def fittedvalues(self) -> Floats:
        """Fixed part and predicted random effects."""
        own = (self.model.all_effects * self.effects.means[self.model.codes]).sum(axis=1)
        return self.model.exog @ self.fe_params + own

    @cached_property
    def llf(self) -> float:
        """Log-likelihood (restricted if ``reml``) at the optimum."""
        return -0.5 * reported_deviance(self.design, self.at, reml=self.reml)

    def t_test(self, r_matrix: Any, use_t: bool | None = None) -> Any:  # noqa: FBT001  statsmodels' signature
        """Test rows of contrasts of the fixed effects; also in words, such as ``"severity = 0"``."""
        if isinstance(r_matrix, str):
            names = list(self.model.exog_names)
            r_matrix = stock.FormulaManager().get_linear_constraints(r_matrix, names)
            if np.any(r_matrix.constraint_values):
                raise ModelError("mixedlm's t_test compares with zero, as that of statsmodels; use wald_test.")
            r_matrix = r_matrix.constraint_matrix
        return super().t_test(np.atleast_2d(r_matrix), use_t=use_t)

    def summary(self, *args: Any, **kwargs: Any) -> Any:
        """Summarise as statsmodels does, with the standard errors of `bse_re` beside the variances."""
        out = super().summary(*args, **kwargs)
        table = out.tables[1]
        place = table.columns.get_loc("Std.Err.")
        for row, error in enumerate(self.bse_re, start=self.k_fe):
            table.iloc[row, place] = f"{error:.3f}" if np.isfinite(error) else ""
        return out

    def profile_re(self, *args: Any, **kwargs: Any) -> Any:
        """Not taken over."""
        raise ModelError(
            "profile_re is not taken over from statsmodels: fit with growth_curve and call "
            "variance_intervals(method='profile'), which profiles every variance."
        )


def results_of(model: Any, design: Design, at: Evaluation, report: FitReport) -> FastMixedLMResults:
    """Fill statsmodels' results object."""
    scale = design.outcome_spread**2 * at.sigma2
    root = design.z_back @ at.factor
    psi = root @ root.T
    params = stock.MixedLMParams.from_components(
        fe_params=design.outcome_spread * (design.x_back @ (design.least_squares - at.gamma[:-1])),
        cov_re=psi[: model.k_re, : model.k_re],
        vcomp=psi.diagonal()[model.k_re :].copy(),
    )
    singular = is_singular(design, at)
    covariance = _covariance_of_parameters(model, design, at)
    packed = params.get_packed(use_sqrt=False, has_fe=True)
    results = FastMixedLMResults(model, packed, covariance / scale)
    results.params_object, results.fe_params = params, params.fe_params
    results.cov_re_unscaled, results.cov_re = params.cov_re, scale * params.cov_re
    results.vcomp, results.scale = scale * params.vcomp, scale
    results.method, results.reml = "REML" if model.reml else "ML", model.reml
    results.converged, results.hist, results.cov_pen = report.converged, report.log, None
    results.k_fe, results.k_re, results.k_re2, results.k_vc = model.k_fe, model.k_re, model.k_re2, model.k_vc
    results.use_sqrt, results.freepat = model.use_sqrt, model.freepat
    results.design, results.at, results.report, results.singular = design, at, report, singular
    if not report.converged:
        warnings.warn(f"mixedlm: {report}", ConvergenceWarning, stacklevel=5)
    if singular:
        warnings.warn(
            "mixedlm: the fit is singular (a variance is zero or a correlation is one). The estimates are the "
            "maximum; standard errors of the variances are not given.",
            ConvergenceWarning,
            stacklevel=5,
        )
    return results


def _covariance_of_parameters(model: Any, design: Design, at: Evaluation) -> Floats:
    """Invert minus statsmodels' Hessian over the parameters that were free."""
    hessian, _ = profile_hessian(design, at, None, model.directions(), reml=model.reml)
    free = np.arange(len(hessian))
    if model.freepat is not None:
        free = np.flatnonzero(model.freepat.get_packed(use_sqrt=False, has_fe=True))
    out = np.zeros_like(hessian)
    chosen = np.ix_(free, free)
    out[chosen] = np.linalg.pinv(-hessian[chosen], hermitian=True)
    return out


def profile_hessian(
    design: Design, at: Evaluation, coefficients: Any, units: Floats, *, reml: bool
) -> tuple[Floats, bool]:
    """Hessian of the log-likelihood profiled over the residual variance, in coefficients and Psi."""
    gamma = at.gamma
    prss = at.prss
    if coefficients is not None:
        inner = design.x_map @ np.asarray(coefficients) / design.outcome_spread
        miss = inner - (design.least_squares - at.gamma[:-1])
        gamma = np.append(design.least_squares - inner, 1.0)
        prss = at.prss + float(miss @ np.linalg.solve(at.inverse, miss))
    e = np.einsum("ab,kbc,dc->kad", design.z_map, units, design.z_map)
    c = curvature(second_sums(design.statistics, at, gamma), at, e, reml=reml)
    df, p = at.residual_df, design.statistics.p
    joint = c.residual + 2 * c.cross @ at.inverse @ c.cross.T  # coefficients held, not profiled out
    out = np.empty((p + len(e),) * 2)
    information = design.x_map.T @ np.linalg.solve(at.inverse, design.x_map)
    out[:p, :p] = -df / (prss * design.outcome_spread**2) * information
    out[:p, p:] = -df / (prss * design.outcome_spread) * (design.x_map.T @ c.cross.T)
    out[p:, :p] = out[:p, p:].T
    out[p:, p:] = -0.5 * c.log_det - 0.5 * df * (
        joint / prss - np.multiply.outer(c.quadratic, c.quadratic) / prss**2
    )
    psi = at.factor @ at.factor.T
    singular = bool(np.linalg.eigvalsh(psi)[0] <= 1e-12 * max(float(np.trace(psi)), 1e-300))
    return out, singular


def _standard_errors(design: Design, at: Evaluation, model: Any, *, reml: bool) -> Floats:
    """Find standard errors of the free covariances, (q, q)."""
    observed = variance_information(design, at, reml=reml).observed
    q = len(design.z_names)
    everything = lower_entries(q)
    free = [k for k, (i, j) in enumerate(everything) if i == j or i < model.k_re]
    keep = [*free, len(everything)]
    covariance = np.linalg.inv(observed[np.ix_(keep, keep)])
    out = np.full((q, q), np.nan)
    for place, k in enumerate(free):
        i, j = everything[k]
        out[i, j] = out[j, i] = np.sqrt(covariance[place, place])
    return out
