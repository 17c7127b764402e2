"""The model class of statsmodels, with its likelihood, Hessian and fit from client sums."""

# statsmodels has no types and sets attributes from outside: what it hands over is taken as it is.
# pyright: basic, reportAttributeAccessIssue=false, reportIncompatibleMethodOverride=false
# pyright: reportIncompatibleVariableOverride=false, reportArgumentType=false, reportOptionalMemberAccess=false
from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
from patsy import PatsyError
from statsmodels.base.model import LikelihoodModel
from statsmodels.regression import mixed_linear_model as stock

from mbc.errors import FrameError, ModelError
from mbc.models.growth.data.formula_data import complete_rows, component_columns, table_and_groups
from mbc.models.growth.design.design import Design
from mbc.models.growth.design.row_design import row_design
from mbc.models.growth.fit.deviance import Evaluation, evaluate
from mbc.models.growth.fit.estimates import reported_deviance
from mbc.models.growth.fit.fit_model import fit_design
from mbc.models.growth.fit.optimiser import lower_entries, minimise
from mbc.models.growth.fit.starts import starting_factor
from mbc.models.growth.matrices import Floats, factor_of
from mbc.models.growth.statsmodels.results import (
    FastMixedLMResultsWrapper,
    first_line,
    profile_hessian,
    results_of,
)


class Names(dict[str, Any]):
    """What the names in a formula stand for, not all that the caller has; a module is pickled by its name."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Take modules apart into their names."""
        modules = {name: value.__name__ for name, value in self.items() if isinstance(value, ModuleType)}
        return _names_again, ({k: v for k, v in self.items() if k not in modules}, modules)


def _names_again(values: dict[str, Any], modules: dict[str, str]) -> Names:
    return Names({**values, **{name: importlib.import_module(module) for name, module in modules.items()}})


class FastMixedLM(stock.MixedLM):
    """``statsmodels.MixedLM`` whose likelihood, Hessian and fit come from client sums."""

    def __init__(
        self,
        endog: Any,
        exog: Any,
        groups: Any,
        exog_re: Any = None,
        exog_vc: Any = None,
        use_sqrt: bool = True,  # noqa: FBT001, FBT002  statsmodels' signature
        missing: str = "none",
        **kwargs: Any,
    ) -> None:
        # MixedLM.__init__ would cut the data into lists of groups; everything else it sets is set here.
        self.use_sqrt, self.reml, self.fe_pen, self.re_pen = use_sqrt, True, None, None
        components: pd.DataFrame | None = kwargs.pop("components", None)
        exog_re = exog_re[:, None] if isinstance(exog_re, np.ndarray) and exog_re.ndim == 1 else exog_re
        LikelihoodModel.__init__(self, endog, exog, groups=groups, exog_re=exog_re, missing=missing, **kwargs)
        self._init_keys.extend(["use_sqrt", "exog_vc"])
        self.k_fe = self.exog.shape[1]
        self.nobs = self.n_totobs = len(self.endog)
        codes, labels = pd.factorize(np.asarray(self.groups), sort=True)
        self.codes, self.group_labels, self.n_groups = codes.astype(np.intp), list(labels), len(labels)
        self.components = components
        names = [] if components is None else list(components.columns)
        self.k_vc = len(names)
        self.exog_vc = stock.VCSpec(names, [[["1"]] * self.n_groups for _ in names], _ComponentMatrices(self))
        self._set_random_effects(exog_re)

    def _set_random_effects(self, exog_re: Any) -> None:
        if exog_re is None and self.k_vc:
            self.k_re = self.k_re2 = 0
            self.exog_re = np.zeros((self.nobs, 0))
        elif exog_re is None:
            self.k_re = self.k_re2 = 1
            self.exog_re = np.ones((self.nobs, 1))
        else:
            self.exog_re = np.asarray(exog_re, dtype=np.float64).reshape(self.nobs, -1)
            self.k_re = self.exog_re.shape[1]
            self.k_re2 = self.k_re * (self.k_re + 1) // 2
        self.data.exog_re = self.exog_re
        if exog_re is None and not self.k_vc:
            exog_re = ["Group"]
        self.data.param_names, self.data.exog_re_names, self.data.exog_re_names_full = self._make_param_names(
            exog_re
        )
        self.k_params = self.k_fe + self.k_re2

    @classmethod
    def from_formula(
        cls,
        formula: str,
        data: Any,
        re_formula: str | None = None,
        vc_formula: Mapping[str, str] | None = None,
        subset: Any = None,
        use_sparse: bool = False,  # noqa: ARG003, FBT001, FBT002  statsmodels' signature; nothing here is sparse
        missing: str = "none",
        **kwargs: Any,
    ) -> FastMixedLM:
        """Build the model as ``MixedLM.from_formula`` does."""
        column = kwargs.pop("groups")
        data, groups = table_and_groups(data, column, subset)
        formulas = [formula, *([re_formula] if re_formula else []), *(vc_formula or {}).values()]
        data, groups = complete_rows(data, groups, formulas, missing)
        environment = kwargs.setdefault("eval_env", {})
        if not len(data):
            raise FrameError("no row has a value in every column that the formula names.")
        try:
            components = None if not vc_formula else component_columns(vc_formula, data, environment)
            model = super().from_formula(
                formula,
                data,
                re_formula=re_formula,
                groups=column if isinstance(column, str) else groups,
                missing="none",
                components=components,
                **kwargs,
            )
        except (PatsyError, ValueError, TypeError, IndexError) as fault:
            raise FrameError(f"the formula cannot be read on this table: {first_line(fault)}") from fault
        model.groups_column = column if isinstance(column, str) else None
        words = set(re.findall(r"\w+", " ".join(filter(None, [re_formula, *(vc_formula or {}).values()]))))
        named = Names({name: value for name, value in environment.items() if name in words})
        model.random_formulas = (re_formula, dict(vc_formula or {}), named)
        return model

    # What MixedLM keeps as lists of groups, built only if someone asks.

    @cached_property
    def _order(self) -> np.ndarray:
        return np.argsort(self.codes, kind="stable")

    @cached_property
    def _cuts(self) -> np.ndarray:
        return np.cumsum(np.bincount(self.codes, minlength=self.n_groups))[:-1]

    @cached_property
    def row_indices(self) -> dict[Any, Any]:
        """Rows of each group."""
        return dict(zip(self.group_labels, np.split(self._order, self._cuts), strict=True))

    def group_list(self, array: Any) -> list[Any] | None:
        """Cut an array into one piece per group."""
        return None if array is None else np.split(np.asarray(array)[self._order], self._cuts)

    @cached_property
    def endog_li(self) -> Any:
        """Outcomes by group."""
        return self.group_list(self.endog)

    @cached_property
    def exog_li(self) -> Any:
        """Fixed-effect rows by group."""
        return self.group_list(self.exog)

    @cached_property
    def exog_re_li(self) -> Any:
        """Random-effect rows by group."""
        return self.group_list(self.exog_re)

    @cached_property
    def _aex_r(self) -> Any:
        return self.group_list(self.all_effects)

    @cached_property
    def _aex_r2(self) -> Any:
        return [rows.T @ rows for rows in self._aex_r]

    @cached_property
    def all_effects(self) -> Floats:
        """Columns of the random effects and of the variance components, (n, k_re + k_vc)."""
        return self.exog_re if self.components is None else np.hstack([self.exog_re, self.components.to_numpy()])

    def random_columns(self, table: pd.DataFrame) -> Floats:
        """Columns of the random effects and components for the rows of another table, (n, k_re + k_vc)."""
        formula, components, environment = self.random_formulas
        manager = stock.FormulaManager()
        parts = [np.ones((len(table), 1))] if self.k_re and formula is None else []
        if formula is not None:
            parts.append(np.asarray(manager.get_matrices(formula, table, eval_env=environment, pandas=True)))
        if components:
            parts.append(component_columns(components, table, environment).to_numpy())
        return np.hstack(parts)

    @cached_property
    def _lin(self) -> Any:
        return self._reparam()[0]

    @cached_property
    def _quad(self) -> Any:
        return self._reparam()[1]

    # The likelihood.

    def design(self, *, unstructured: bool) -> Design:
        """Client sums of these rows."""
        names = [*self.data.exog_re_names, *self.exog_vc.names]
        design = row_design(
            self.exog,
            self.all_effects,
            self.endog,
            self.codes,
            x_names=self.exog_names,
            z_names=names,
            centre_effects=unstructured,
        )
        if design.dropped:
            raise ModelError(
                f"{', '.join(design.dropped)}: determined by the columns before. statsmodels' results cannot "
                "leave a column out; drop it from the formula (growth_curve drops such columns and lists them)."
            )
        return design

    @cached_property
    def _plain(self) -> Design:
        return self.design(unstructured=False)

    def evaluate(self, psi: Floats) -> Evaluation:
        """Evaluate the deviance at a relative covariance: ``cov_re_unscaled`` with the components below."""
        design = self._plain
        return evaluate(design.statistics, factor_of(design.z_map @ psi @ design.z_map.T), reml=self.reml)

    def _psi(self, params: Any) -> tuple[Floats, Floats | None]:
        """Relative covariance of all effects, and the coefficients where the parameters hold them."""
        if not isinstance(params, stock.MixedLMParams):
            short = len(params) == self.k_re2 + self.k_vc
            params = stock.MixedLMParams.from_packed(
                np.asarray(params), self.k_fe, self.k_re, self.use_sqrt, has_fe=not short
            )
            params.fe_params = None if short else params.fe_params
        psi = np.zeros((self.k_re + self.k_vc,) * 2)
        psi[: self.k_re, : self.k_re] = params.cov_re
        at = np.arange(self.k_re, len(psi))
        psi[at, at] = params.vcomp
        return psi, params.fe_params

    def loglike(self, params: Any, profile_fe: bool = True) -> float:  # noqa: FBT001, FBT002
        """Log-likelihood with the residual variance (and the coefficients) at their best."""
        psi, coefficients = self._psi(params)
        at = self.evaluate(psi)
        deviance = reported_deviance(self._plain, at, reml=self.reml)
        if not profile_fe and coefficients is not None:
            design = self._plain
            inner = design.x_map @ np.asarray(coefficients) / design.outcome_spread
            miss = inner - (design.least_squares - at.gamma[:-1])
            r = at.prss + float(miss @ np.linalg.solve(at.inverse, miss))
            deviance += at.residual_df * float(np.log(r / at.prss))
        return -0.5 * deviance

    def hessian(self, params: Any) -> tuple[Floats, bool]:
        """Hessian of the profile log-likelihood in statsmodels' parameters; whether the covariance is singular."""
        psi, coefficients = self._psi(params)
        return profile_hessian(self._plain, self.evaluate(psi), coefficients, self.directions(), reml=self.reml)

    def directions(self) -> Floats:
        """Make unit changes of the covariance parameters, in statsmodels' order (rows of the lower triangle)."""
        q = self.k_re + self.k_vc
        pairs = [(i, j) for i in range(self.k_re) for j in range(i + 1)]
        pairs += [(i, i) for i in range(self.k_re, q)]
        out = np.zeros((len(pairs), q, q))
        for k, (i, j) in enumerate(pairs):
            out[k, i, j] = out[k, j, i] = 1.0
        return out

    def fit(
        self,
        start_params: Any = None,
        reml: bool = True,  # noqa: FBT001, FBT002  statsmodels' signature
        free: Any = None,
        **refused: Any,
    ) -> Any:
        """Fit by Fisher scoring; ``free`` masks covariances, ``start_params`` holds what is fixed.

        Raises
        ------
        ModelError
            For options of statsmodels that have no meaning here (penalties, optimisers), by name.
        """
        for name, value in refused.items():
            if name in {"fe_pen", "cov_pen", "niter_sa"} and value:
                raise ModelError(
                    f"mixedlm does not take {name}={value!r}: penalised fits need statsmodels itself."
                )
            if name not in {"fe_pen", "cov_pen", "niter_sa", "method", "do_cg", "full_output", "disp", "maxiter"}:
                raise ModelError(f"mixedlm does not know the option {name!r} of fit.")
        self.reml, self.cov_pen, self.freepat = reml, None, free
        self._freepat = free  # read by the score of statsmodels
        entries, start = _structure(self, free, start_params)
        if entries is None:
            design = self.design(unstructured=True)
            at, report = fit_design(design, reml=reml)
        else:
            design = self._plain
            first = starting_factor(design) if start is None else start
            at, report = minimise(
                lambda factor: evaluate(design.statistics, factor, reml=reml), first, entries=entries
            )
        return FastMixedLMResultsWrapper(results_of(self, design, at, report))


class _ComponentMatrices(list):
    """Matrices of each variance component by group, cut only when asked."""

    def __init__(self, model: FastMixedLM) -> None:
        super().__init__()
        self.model = model

    def __getitem__(self, component: Any) -> Any:
        values = self.model.components.to_numpy()[:, [component]]
        return self.model.group_list(values)


def _structure(
    model: FastMixedLM, free: Any, start_params: Any
) -> tuple[list[tuple[int, int]] | None, Floats | None]:
    """Entries of the factor that may move, and the start, where the covariance is not unstructured."""
    if free is None and not model.k_vc:
        return None, None
    q = model.k_re + model.k_vc
    entries = [(i, j) for i, j in lower_entries(q) if i == j or i < model.k_re]
    if free is not None:
        mask = np.asarray(free.cov_re)
        if (np.asarray(free.vcomp) == 0).any() or (np.diag(mask) == 0).any() or start_params is not None:
            raise ModelError(
                "mixedlm takes free= only to make random effects independent (0 off the diagonal of cov_re); "
                "fixing a variance or a coefficient at a value is not supported; use statsmodels."
            )
        entries = [(i, j) for i, j in entries if i == j or i >= model.k_re or mask[i, j]]
        pattern = np.eye(q)
        for i, j in entries:
            pattern[i, j] = 1.0
        filled = (pattern @ pattern.T != 0)[: model.k_re, : model.k_re]
        if (filled & (mask == 0)).any():
            raise ModelError("mixedlm takes free= for blocks of independent effects; this pattern is not one.")
    return entries, None
