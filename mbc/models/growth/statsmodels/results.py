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
from patsy import PatsyError
from statsmodels.regression import mixed_linear_model as stock
from statsmodels.tools.sm_exceptions import ConvergenceWarning

from mbc.arguments import not_among
from mbc.errors import FrameError, ModelError
from mbc.models.growth.comparison.compared_fit import ComparedFit, DataMark
from mbc.models.growth.data.formula_data import as_formula_table
from mbc.models.growth.design.design import Design
from mbc.models.growth.fit.deviance import Evaluation
from mbc.models.growth.fit.estimates import Effects, effects_of, estimates_of, reported_deviance
from mbc.models.growth.fit.information import curvature, second_sums, variance_information
from mbc.models.growth.fit.optimiser import FitReport, lower_entries
from mbc.models.growth.fit.starts import is_singular
from mbc.models.growth.inference.degrees_of_freedom import JointTest, Method, joint_test
from mbc.models.growth.inference.model_parts import Of
from mbc.models.growth.inference.reported import coefficient_columns, variance_notes, variance_rows
from mbc.models.growth.matrices import Floats
from mbc.models.results.result import Explained


class FastMixedLMResults(stock.MixedLMResults, Explained):
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

    def _columns(self) -> dict[str, Any]:
        """Give fixed effects: term, estimate, standard_error, statistic, p_value, lower, upper."""
        coefficients = np.asarray(self.fe_params, dtype=np.float64)
        return coefficient_columns(
            list(self.model.exog_names), coefficients, np.asarray(self.bse_fe, dtype=np.float64)
        )

    def _headline(self) -> str:
        terms = ", ".join(
            f"{name} {value:.4g}" for name, value in zip(self.model.exog_names, self.fe_params, strict=True)
        )
        return f"{self.model.n_groups} groups, {self.model.nobs} scores: {terms}"

    def _facts(self) -> list[tuple[str, str]]:
        return [
            ("groups", f"{self.model.n_groups} ({self.model.nobs} scores)"),
            ("estimator", "restricted maximum likelihood" if self.reml else "maximum likelihood"),
            ("log-likelihood", f"{self.llf:.3f}"),
        ]

    def _notes(self) -> list[str]:
        root = self.design.z_back @ self.at.factor
        covariance = self.scale * root @ root.T
        return [variance_notes(variance_rows(self._effect_names(), covariance, float(self.scale)))]

    def joint_test(self, contrasts: Any, *, method: Method | None = None) -> JointTest:
        """Test several coefficients at once, by a formula, by name, or by rows of numbers.

        Parameters
        ----------
        contrasts : str, list of str or array_like
            ``"week = 0, week:arm = 0"``; names; rows of numbers, one per coefficient.
        method : {"kenward-roger", "satterthwaite", "normal"}, optional
            Kenward-Roger unless the fit is one of maximum likelihood or has independent components, then
            Satterthwaite or the normal.
        """
        estimates = estimates_of(self.design, self.at, reml=self.reml)
        plain = self.freepat is None and not self.model.k_vc
        if not plain and method not in {None, "normal"}:
            raise ModelError(
                "degrees of freedom are available only for unstructured random effects: method='normal'."
            )
        chosen = method or (("kenward-roger" if self.reml else "satterthwaite") if plain else "normal")
        return joint_test(self.design, self.at, estimates, contrasts, method=chosen)

    def predict(
        self,
        exog: Any = None,
        transform: bool = True,  # noqa: FBT001, FBT002  statsmodels' signature
        *args: Any,
        of: Of = "population",
        **options: Any,
    ) -> Any:
        """Predict the mean course as statsmodels does, or with ``of="client"`` each known client's own course.

        Parameters
        ----------
        exog, transform
            As in statsmodels: a table of any kind where the model was written as a formula.
        of : {"population", "client"}
            Without or with the conditional means of the random effects of the groups.

        Raises
        ------
        ModelError
            If a level, or for ``of="client"`` a group, is not in the model.
        """
        if of not in {"population", "client"}:
            raise ModelError(not_among("of", of, ("population", "client")))
        table = exog if exog is None or not transform else as_formula_table(exog)
        try:
            mean = super().predict(table, transform, *args, **options)
        except (PatsyError, FrameError) as fault:
            why = str(fault).rsplit(" is:\n", maxsplit=1)[-1]  # statsmodels puts its own words before patsy's
            raise ModelError(f"these rows cannot be predicted: {why.strip().splitlines()[0]}") from None
        if of == "population":
            return mean
        return self.fittedvalues if table is None else mean + self._random_part(table)

    def _random_part(self, table: pd.DataFrame) -> Floats:
        column = self.model.groups_column
        if column is None:
            raise ModelError("of='client' needs groups= given as the name of a column when the model is fitted.")
        if column not in table.columns:
            raise FrameError(f"the table has no column {column!r}, which identifies the clients in mixedlm.")
        place = {label: i for i, label in enumerate(self.model.group_labels)}
        unknown = list(dict.fromkeys(label for label in table[column].tolist() if label not in place))
        if unknown:
            raise ModelError(f"groups {', '.join(map(repr, unknown[:5]))} are not in the model: of='population'?")
        z = self.model.random_columns(table)
        codes = np.array([place[label] for label in table[column].tolist()], dtype=np.intp)
        return (z * self.effects.means[codes]).sum(axis=1)

    def compared_fit(self) -> ComparedFit:
        """Describe the model for `compare`; intercepts are named as in `growth_curve`."""
        model = self.model
        names = {"Intercept": "(Intercept)", "Group": "(Intercept)", str(model.groups_column): "(Intercept)"}
        formula = getattr(model, "formula", "arrays")
        return ComparedFit(
            f"mixedlm {formula} (random {', '.join(map(str, self._effect_names()))})",
            frozenset(names.get(name, name) for name in model.exog_names),
            {"client": frozenset(names.get(name, name) for name in model.data.exog_re_names)},
            float(self.llf),
            bool(self.reml),
            bool(self.converged),
            DataMark.of(model.endog, model.codes, model.n_groups),
            frozenset(model.exog_vc.names),
        )

    def simulate(self, *, seed: int) -> Any:
        """Draw new outcomes of the rows that were fitted: new effects of each group, new residuals.

        Parameters
        ----------
        seed : int
            Of the random numbers.
        """
        rng = np.random.default_rng(seed)
        root = np.sqrt(self.scale) * self.design.z_back @ self.at.factor
        effects = rng.standard_normal((self.model.n_groups, len(root))) @ root.T
        random = (self.model.all_effects * effects[self.model.codes]).sum(axis=1)
        noise = np.sqrt(self.scale) * rng.standard_normal(self.model.nobs)
        drawn = self.model.exog @ np.asarray(self.fe_params) + random + noise
        return pd.Series(drawn, index=self.model.data.row_labels, name=self.model.endog_names)

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
            "profile_re is not supported: fit with growth_curve and call "
            "variance_intervals(method='profile'), which profiles every variance."
        )


class FastMixedLMResultsWrapper(stock.MixedLMResultsWrapper):
    """Results with the labels of the table; what is not here is that of `FastMixedLMResults`."""

    def fit(self, **options: Any) -> Any:
        """Give this fit, which ``mixedlm(...)`` has made already, or another of the same model with options."""
        if not options:
            return self
        return self._results.model.fit(**{"reml": self._results.reml, **options})

    def note_call(self, *call: Any) -> None:
        """Keep where the results are from."""
        self._results.note_call(*call)

    def __repr__(self) -> str:
        return self._results._short_repr()  # noqa: SLF001  its own results


def first_line(fault: Exception) -> str:
    """First line of another library's message."""
    return str(fault).strip().splitlines()[0] if str(fault).strip() else type(fault).__name__


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
