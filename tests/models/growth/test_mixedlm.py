"""mixedlm beside statsmodels itself: the same model object, the same numbers, right errors of the variances."""

from __future__ import annotations

import functools
import importlib.util
import json
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.formula.api as smf
from statsmodels.regression.mixed_linear_model import MixedLMParams, MixedLMResults
from statsmodels.tools.sm_exceptions import ConvergenceWarning

from mbc import models
from mbc.errors import FrameError, ModelError

pytestmark = pytest.mark.long

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "growth"


def _load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, REFERENCE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RECORDED = _load("make_data")
CASE = RECORDED.case
DATA = CASE("ordinary").to_pandas()
FORMULA = "y ~ np.log1p(weeks) + severity"
RANDOM = "~ np.log1p(weeks)"


def _stock(formula: str = FORMULA, data: Any = DATA, *, reml: bool = True, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return smf.mixedlm(formula, data, groups="client", **options).fit(reml=reml, gtol=1e-9)


@functools.cache
def _stock_with_slopes(*, reml: bool = True) -> Any:
    """Fit statsmodels once for all tests that only read it."""
    return _stock(reml=reml, re_formula=RANDOM)


@pytest.mark.parametrize("reml", [True, False])
def test_same_estimates_as_statsmodels(reml):
    ours = models.mixedlm(FORMULA, DATA, groups="client", re_formula=RANDOM, reml=reml)
    theirs = _stock_with_slopes(reml=reml)
    assert isinstance(ours._results, MixedLMResults)
    assert ours.llf >= theirs.llf - 1e-9
    np.testing.assert_allclose(ours.params, theirs.params, rtol=1e-5)
    np.testing.assert_allclose(ours.bse, theirs.bse, rtol=1e-5)
    np.testing.assert_allclose(ours.cov_re, theirs.cov_re, rtol=1e-5)
    np.testing.assert_allclose(ours.scale, theirs.scale, rtol=1e-6)
    np.testing.assert_allclose(ours.fittedvalues, theirs.fittedvalues, rtol=1e-5)
    np.testing.assert_allclose(ours.conf_int(), theirs.conf_int(), rtol=1e-4)
    assert list(ours.params.index) == list(theirs.params.index)
    for client in (0, 57):
        np.testing.assert_allclose(ours.random_effects[client], theirs.random_effects[client], atol=1e-5)
        np.testing.assert_allclose(ours.random_effects_cov[client], theirs.random_effects_cov[client], atol=1e-4)
    np.testing.assert_allclose(ours.predict(DATA.head(3)), theirs.predict(DATA.head(3)), rtol=1e-6)
    assert ours.aic == pytest.approx(theirs.aic, nan_ok=True)


@pytest.mark.parametrize("reml", [True, False])
def test_likelihood_and_hessian_are_statsmodels_own_at_any_parameters(reml):
    theirs = _stock_with_slopes(reml=reml)
    ours = models.mixedlm(FORMULA, DATA, groups="client", re_formula=RANDOM, reml=reml).model
    elsewhere = MixedLMParams.from_components(
        fe_params=np.array([6.0, -2.0, 0.7]), cov_re=np.array([[2.0, 0.3], [0.3, 0.9]]), vcomp=np.zeros(0)
    )
    for params in (theirs.params_object, elsewhere):
        for profile in (True, False):
            assert ours.loglike(params, profile_fe=profile) == pytest.approx(
                theirs.model.loglike(params, profile_fe=profile), rel=1e-11
            )
        expected, singular = theirs.model.hessian(params)
        found, ours_singular = ours.hessian(params)
        assert singular == ours_singular
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())


def test_standard_errors_of_variances_are_those_of_the_likelihood():
    # statsmodels prints 1.17 for the intercept's variance; the curvature of the likelihood itself says 3.66:
    # second difference of -2 log L in (covariances, residual variance), computed here from scratch
    result = models.mixedlm(FORMULA, DATA, groups="client", re_formula=RANDOM)
    g, s2 = np.asarray(result.cov_re), result.scale
    best = np.array([g[0, 0], g[0, 1], g[1, 1], s2])
    step = 1e-3 * np.abs(best)
    y, x = result.model.endog, result.model.exog
    groups = [np.flatnonzero(result.model.codes == i) for i in range(100)]

    def deviance(values: np.ndarray) -> float:
        cov = np.array([[values[0], values[1]], [values[1], values[2]]])
        log_det, xx, xy, yy = 0.0, 0.0, 0.0, 0.0
        for rows in groups:
            z = result.model.exog_re[rows]
            v = z @ cov @ z.T + values[3] * np.eye(len(rows))
            inverse = np.linalg.inv(v)
            log_det += np.linalg.slogdet(v)[1]
            xx += x[rows].T @ inverse @ x[rows]
            xy += x[rows].T @ inverse @ y[rows]
            yy += y[rows] @ inverse @ y[rows]
        return log_det + np.linalg.slogdet(xx)[1] + yy - xy @ np.linalg.solve(xx, xy)

    def moved(i: int, j: int, a: int, b: int) -> float:
        at = best.copy()
        at[i] += a * step[i]
        at[j] += b * step[j]
        return deviance(at)

    hessian = np.array(
        [
            [
                (moved(i, j, 1, 1) - moved(i, j, 1, -1) - moved(i, j, -1, 1) + moved(i, j, -1, -1))
                / (4 * step[i] * step[j])
                for j in range(4)
            ]
            for i in range(4)
        ]
    )
    errors = np.sqrt(np.diag(np.linalg.inv(hessian / 2)))
    np.testing.assert_allclose(result.bse_re, errors[:3], rtol=2e-4)
    table = result.summary().tables[1]
    assert table.loc["client Var", "Std.Err."] == f"{errors[0]:.3f}"
    assert _stock_with_slopes().bse_re.iloc[0] < 0.4 * errors[0]


def test_arguments_stand_in_the_order_of_statsmodels():
    ours = models.mixedlm(FORMULA, DATA, RANDOM, None, DATA["weeks"] < 9, groups="client")
    theirs = _stock(data=DATA[DATA["weeks"] < 9], re_formula=RANDOM)  # statsmodels 0.15 does not heed subset
    assert ours.nobs == theirs.nobs < len(DATA)
    np.testing.assert_allclose(ours.fe_params, theirs.fe_params, rtol=1e-5)


def test_tests_and_tables_are_those_of_statsmodels():
    ours, theirs = models.mixedlm(FORMULA, DATA, RANDOM, groups="client"), _stock_with_slopes()
    np.testing.assert_allclose(ours.t_test(np.eye(3)).pvalue, theirs.t_test(np.eye(3)).pvalue, rtol=1e-4)
    assert ours.t_test("severity = 0").tvalue.item() == pytest.approx(theirs.tvalues["severity"], rel=1e-5)
    for constraint in ("severity = 0", np.eye(6)[:2]):
        found, expected = (fit.wald_test(constraint, scalar=True) for fit in (ours, theirs))
        assert found.statistic == pytest.approx(expected.statistic, rel=1e-5)
        assert found.df_denom == expected.df_denom
    np.testing.assert_allclose(
        ours.wald_test_terms(scalar=True).table.astype(float),
        theirs.wald_test_terms(scalar=True).table.astype(float),
        rtol=1e-4,
    )
    np.testing.assert_allclose(ours.tvalues, theirs.tvalues, rtol=1e-4)
    np.testing.assert_allclose(ours.pvalues, theirs.pvalues, rtol=1e-4, atol=1e-12)
    np.testing.assert_allclose(ours.model.score(ours.params_object), 0, atol=1e-3)
    lines, expected = str(ours.summary()).splitlines(), str(theirs.summary()).splitlines()
    assert len(lines) == len(expected)
    same = [
        i for i, line in enumerate(expected) if not line.startswith(("client", "Converged", "np.log1p(weeks) Var"))
    ]
    assert [lines[i] for i in same] == [expected[i] for i in same]
    with pytest.raises(ModelError, match="wald_test"):
        ours.t_test("severity = 1")


def test_rows_keep_their_index_in_any_order_and_groups_may_be_text():
    shuffled = DATA.sample(frac=1.0, random_state=1).assign(client=lambda f: "c" + f["client"].astype(str))
    shuffled.index = pd.Index([f"row {i}" for i in range(len(shuffled))])
    shuffled.loc["row 5", "y"] = shuffled.loc["row 9", "severity"] = np.nan
    ours = models.mixedlm(FORMULA, shuffled, RANDOM, groups="client", missing="drop")
    theirs = _stock(data=shuffled.dropna(), re_formula=RANDOM)
    for found, expected in ((ours.fittedvalues, theirs.fittedvalues), (ours.resid, theirs.resid)):
        assert list(found.index) == list(expected.index)
        np.testing.assert_allclose(found, expected, atol=1e-3)
    assert "row 5" not in ours.resid.index
    assert list(ours.random_effects) == list(theirs.random_effects)
    np.testing.assert_allclose(
        ours.random_effects_frame, pd.DataFrame(theirs.random_effects).T, rtol=1e-3, atol=1e-4
    )


@pytest.mark.parametrize("case", ["ordinary", "no_random_effects"])
@pytest.mark.filterwarnings("ignore::statsmodels.tools.sm_exceptions.ConvergenceWarning")
def test_results_survive_pickling_singular_or_not(case):
    result = models.mixedlm(FORMULA, CASE(case).to_pandas(), RANDOM, groups="client")
    again = pickle.loads(pickle.dumps(result))
    pd.testing.assert_series_equal(again.params, result.params)
    pd.testing.assert_series_equal(again.fittedvalues, result.fittedvalues)
    assert str(again.summary()) == str(result.summary())
    assert np.isfinite(again.conf_int().iloc[:3]).all(axis=None)
    assert np.isfinite(again.predict(CASE(case).to_pandas().head())).all()
    assert again.t_test(np.eye(3)).pvalue.shape == (3,)


def test_independent_components_by_vc_formula_and_by_free():
    component = models.mixedlm("y ~ weeks", DATA, groups="client", re_formula="1", vc_formula={"w": "0 + weeks"})
    theirs = _stock("y ~ weeks", re_formula="1", vc_formula={"w": "0 + weeks"})
    assert component.llf == pytest.approx(theirs.llf, abs=1e-6)
    np.testing.assert_allclose(component.vcomp, theirs.vcomp, rtol=1e-4)
    mask = MixedLMParams.from_components(fe_params=np.ones(2), cov_re=np.eye(2), vcomp=np.zeros(0))
    free = models.mixedlm("y ~ weeks", DATA, groups="client", re_formula="~ weeks", free=mask)
    assert free.llf == pytest.approx(component.llf, abs=1e-8)
    assert free.cov_re.iloc[0, 1] == 0


def test_a_formula_may_use_the_callers_names():
    def halved(x):
        return x / 2

    result = models.mixedlm("y ~ halved(weeks)", DATA, groups="client")
    assert result.fe_params["halved(weeks)"] == pytest.approx(
        2 * models.mixedlm("y ~ weeks", DATA, groups="client").fe_params["weeks"], rel=1e-7
    )


def test_polars_missing_rows_and_group_arrays():
    gappy = DATA.copy()
    gappy.loc[3, "y"] = np.nan
    dropped = models.mixedlm("y ~ weeks", pl.from_pandas(gappy), groups="client", missing="drop")
    again = models.mixedlm("y ~ weeks", DATA.drop(index=3), groups=DATA.drop(index=3)["client"].to_numpy())
    assert dropped.nobs == len(DATA) - 1
    np.testing.assert_allclose(dropped.fe_params, again.fe_params)
    with pytest.raises(ModelError, match=r"y \(1\).*missing='drop'"):
        models.mixedlm("y ~ weeks", gappy, groups="client")


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"formula": "y ~ weeks + severity + twin"}, ModelError, "twin: determined by"),
        ({"vc_formula": {"arm": "0 + C(session)"}}, ModelError, "'arm'.*16 columns"),
        ({"groups": "clint"}, FrameError, "Did you mean 'client'"),
        ({"fe_pen": 1.0}, ModelError, "fe_pen"),
        ({"nonsense": 1}, ModelError, "'nonsense'"),
    ],
)
def test_what_cannot_be_taken_over_is_refused_by_name(options, error, text):
    given = {"formula": "y ~ weeks", "data": DATA, "groups": "client", **options}
    with pytest.raises(error, match=text):
        models.mixedlm(given.pop("formula"), given.pop("data"), **given)


def test_profile_re_names_what_to_use_instead():
    with pytest.raises(ModelError, match="variance_intervals"):
        models.mixedlm("y ~ weeks", DATA, groups="client").profile_re(0, "re")


def test_a_singular_fit_warns_and_leaves_the_errors_out():
    with pytest.warns(ConvergenceWarning, match="singular"):
        result = models.mixedlm(FORMULA, CASE("no_random_effects").to_pandas(), groups="client", re_formula=RANDOM)
    assert result.converged
    assert result.singular
    assert np.isnan(result.bse_re).all()
    assert result.summary().tables[1].loc["client Var", "Std.Err."] == ""
    assert len(result.random_effects) == 200  # statsmodels raises here


@pytest.mark.slow  # test_hard_cases.py asks it of several programs
@pytest.mark.parametrize("method", ["reml", "ml"])
@pytest.mark.parametrize("name", [name for name in RECORDED.HARD if name != "collinear"])
@pytest.mark.filterwarnings("ignore::statsmodels.tools.sm_exceptions.ConvergenceWarning")
def test_never_below_statsmodels_on_hard_cases(name, method):
    time = "time" if name in RECORDED.STRAIGHT else "np.log1p(weeks)"
    ours = models.mixedlm(
        f"y ~ {time} + severity", CASE(name).to_pandas(), f"~ {time}", groups="client", reml=method == "reml"
    )
    theirs = json.loads((REFERENCE / "peers_python.json").read_text())[f"{name}_{method}"]
    assert ours.converged
    assert ours.llf >= max(theirs.values()) - 1e-6
