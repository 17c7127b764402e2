"""Rows and coefficients of fitted models: predictions, residuals, draws, intervals and tests.

Expected values are those of dense matrices, written here from the model's own parameters: V = Z G Z' + R for all
scores at once, (X'V^-1 X)^-1, and conditional means G Z'V^-1 (y - X b). statsmodels' own fit stands next to them.
"""

from __future__ import annotations

import functools
import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import statsmodels.formula.api as smf
from scipy.linalg import block_diag
from scipy.stats import chi2, norm

from mbc import models
from mbc.errors import FrameError, ModelError
from tests.models.result_examples import GROWTH, growth, scores

pytestmark = pytest.mark.long


@functools.cache
def variant(name: str) -> Any:
    """Fit each extension once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name == "serial":
            return models.serial_growth(scores(), **GROWTH, covariates=["arm"])
        if name == "robust":
            return models.robust_growth(scores(), **GROWTH, random=("intercept",), covariates=["arm"])
        if name == "grouped":
            return models.residual_growth(scores(), **GROWTH, residual="arm")
        return models.therapist_growth(scores(), **GROWTH, therapist="therapist")


@functools.cache
def stock() -> Any:
    """The same model as `growth`, fitted by statsmodels itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return smf.mixedlm("score ~ week * arm", scores(), groups="client", re_formula="~week").fit(
            method=["lbfgs", "cg"], gtol=1e-10
        )


def fixed_rows(data: pd.DataFrame, names: Any) -> np.ndarray:
    """Write X from the names of the coefficients."""
    columns = {"(Intercept)": np.ones(len(data)), "week": data["week"].to_numpy()}
    for level in ("control", "active"):
        columns[f"arm[T.{level}]"] = (data["arm"] == level).to_numpy(float)
        columns[f"week:arm[T.{level}]"] = columns["week"] * columns[f"arm[T.{level}]"]
    return np.column_stack([columns[name] for name in names])


def dummies(labels: pd.Series) -> np.ndarray:
    """One column per unit, in order of appearance."""
    codes, units = pd.factorize(labels)
    return np.eye(len(units))[codes]


def expanded(units: np.ndarray, data: pd.DataFrame, effects: int) -> np.ndarray:
    """Z: a column per unit and effect, the effects of a unit side by side."""
    terms = np.column_stack([np.ones(len(data)), data["week"]])[:, :effects]
    return np.einsum("nu,ne->nue", units, terms).reshape(len(data), -1)


def residual_covariance(name: str, fit: Any, data: pd.DataFrame) -> np.ndarray:
    """R of the rows."""
    if name == "grouped":
        return np.diag([fit.residual_variances[arm] for arm in data["arm"]])
    if name == "serial":
        week = data["week"].to_numpy()
        same = data["client"].to_numpy()[:, None] == data["client"].to_numpy()
        return fit.estimates.residual_variance * same * fit.phi ** np.abs(week[:, None] - week)
    variance = fit.residual_variance if name == "therapist" else fit.estimates.residual_variance
    return variance * np.eye(len(data))


def dense(name: str, fit: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fitted values of the rows, coefficients and their covariance, by dense matrices."""
    data = scores()
    client = fit.client_covariance if name == "therapist" else fit.estimates.random_covariance
    z = expanded(dummies(data["client"]), data, len(client))
    g = np.kron(np.eye(data["client"].nunique()), client)
    if name == "therapist":
        theirs = expanded(dummies(data["therapist"]), data, len(fit.therapist_covariance))
        z = np.hstack([z, theirs])
        g = block_diag(g, np.kron(np.eye(data["therapist"].nunique()), fit.therapist_covariance))
    inverse = np.linalg.inv(z @ g @ z.T + residual_covariance(name, fit, data))
    table = fit.conf_int(backend="pandas")
    x, y = fixed_rows(data, table["term"]), data["score"].to_numpy()
    covariance = np.linalg.inv(x.T @ inverse @ x)
    b = covariance @ x.T @ inverse @ y
    return x @ b + z @ g @ z.T @ inverse @ (y - x @ b), b, covariance


@pytest.mark.parametrize("name", ["growth", "serial", "grouped", "therapist"])
def test_fitted_values_and_intervals_are_those_of_dense_matrices(name):
    fit = growth() if name == "growth" else variant(name)
    fitted, b, covariance = dense(name, fit)
    assert fit.fittedvalues.to_numpy() == pytest.approx(fitted, abs=2e-5)
    left, data = scores()["score"].to_numpy() - fitted, scores()
    assert fit.resid.to_numpy() == pytest.approx(left, abs=2e-5)
    order = np.lexsort((data["week"], data["client"]))  # each residual less what those before it foretell
    root = np.linalg.cholesky(residual_covariance(name, fit, data)[np.ix_(order, order)])
    standardised = fit.residuals(standardised=True).to_numpy()[order]
    assert standardised == pytest.approx(np.linalg.solve(root, left[order]), abs=2e-5)
    table = fit.conf_int(level=0.9)
    half = norm.ppf(0.95) * np.sqrt(np.diag(covariance))
    assert table["lower"].to_numpy() == pytest.approx(b - half, rel=1e-4, abs=1e-5)
    assert table["upper"].to_numpy() == pytest.approx(b + half, rel=1e-4, abs=1e-5)
    row = np.zeros(len(b))
    row[1] = 1.0
    wald = (b[1] - 0.5) ** 2 / covariance[1, 1]
    test = fit.joint_test("week = 0.5", method="normal") if name == "growth" else fit.joint_test("week = 0.5")
    assert test.statistic == pytest.approx(wald, rel=1e-4)
    assert test.p_value == pytest.approx(chi2.sf(wald, 1), rel=1e-3)


def test_rows_of_a_growth_curve_are_those_of_statsmodels():
    fit, theirs, data = growth(), stock(), scores()
    # The search of statsmodels ends near the optimum: its own criterion leaves the fourth digit open.
    assert fit.predict(data).to_numpy() == pytest.approx(theirs.predict(data).to_numpy(), abs=2e-4)
    assert fit.fittedvalues.to_numpy() == pytest.approx(theirs.fittedvalues.to_numpy(), abs=2e-3)
    assert fit.resid.to_numpy() == pytest.approx(theirs.resid.to_numpy(), abs=2e-3)
    new = pd.DataFrame({"week": [0.5, 9.0], "arm": ["control", "active"]}, index=["a", "b"])
    assert fit.predict(new).to_numpy() == pytest.approx(theirs.predict(new).to_numpy(), abs=2e-4)
    assert list(fit.predict(new).index) == ["a", "b"]


def test_mixedlm_predicts_clients_and_tests_by_name():
    ours = models.mixedlm("score ~ week * arm", scores(), groups="client", re_formula="~week")
    data = scores()
    assert np.asarray(ours.predict(data, of="client")) == pytest.approx(np.asarray(ours.fittedvalues), abs=1e-9)
    assert np.asarray(ours.predict(data)) == pytest.approx(np.asarray(stock().predict(data)), abs=2e-4)
    assert np.asarray(ours.fittedvalues) == pytest.approx(growth().fittedvalues.to_numpy(), abs=1e-5)
    both = ours.joint_test("week = 0, arm:week = 0")
    rows = np.eye(4)[[i for i, name in enumerate(ours.model.exog_names) if name.startswith("week")]]
    assert both.p_value == pytest.approx(ours.joint_test(rows).p_value)
    assert both.statistic == pytest.approx(growth().joint_test("week = 0, arm:week = 0").statistic, rel=1e-6)
    with pytest.raises(ModelError, match="'typo' does not match any of the expected levels"):
        ours.predict(data.assign(arm="typo"))
    with pytest.raises(ModelError, match="'X' are not in the model"):
        ours.predict(data.assign(client="X"), of="client")
    assert ours.fit() is ours
    assert ours.fit(reml=False).reml is False


def test_names_and_formulas_give_the_same_test_as_numbers():
    fit = growth()
    names = list(fit.fitted.design.x_names)
    both = fit.joint_test(np.eye(4)[[1, 3]])
    for contrasts in ("week = 0, week:arm = 0", ["week", "arm:week"], f"week, {names[3]}", [names[1], names[3]]):
        assert fit.joint_test(contrasts).p_value == both.p_value
    difference = fit.joint_test(f"week - 2 * {names[3]} = 1", method="normal")
    row = np.array([0, 1, 0, -2.0])
    wald = (row @ fit.estimates.coefficients - 1) ** 2 / (row @ fit.estimates.covariance @ row)
    assert difference.statistic == pytest.approx(wald)
    for contrasts in (
        "wek = 0",
        ["arm:week", "wk"],
        "week = = 2",
        "",
        [[1, 0]],
        "week = 0, week = 0",
        ["week", 3],
    ):
        with pytest.raises(ModelError, match="contrasts"):
            fit.joint_test(contrasts)


def test_residuals_with_student_errors_are_those_that_its_weights_were_made_from():
    fit = variant("robust")
    listed = fit.discounted(below=10.0).sort("client", "week")
    data = scores().assign(residual=fit.resid, z=fit.residuals(standardised=True))
    data = data.sort_values(["client", "week"])
    assert listed["residual"].to_numpy() == pytest.approx(data["residual"].to_numpy(), abs=1e-8)
    nu = fit.residual_distribution.degrees_of_freedom
    assert listed["weight"].to_numpy() == pytest.approx((nu + 1) / (nu + data["z"].to_numpy() ** 2))


def test_two_outcomes_have_the_fitted_values_of_dense_matrices():
    data = scores()
    fit = models.paired_growth(data, outcomes=("score", "other"), time="week", client="client", shape="linear")
    size, client = len(data), dummies(data["client"])
    each = expanded(client, data, 2).reshape(size, -1, 2)
    z = np.zeros((2 * size, client.shape[1], 4))
    z[:size, :, :2], z[size:, :, 2:] = each, each
    z = z.reshape(2 * size, -1)
    g = np.kron(np.eye(client.shape[1]), fit.random_covariance)
    x = block_diag(*[np.column_stack([np.ones(size), data["week"]])] * 2)
    y = np.concatenate([data["score"], data["other"]])
    inverse = np.linalg.inv(z @ g @ z.T + np.kron(fit.residual_covariance, np.eye(size)))
    covariance = np.linalg.inv(x.T @ inverse @ x)
    b = covariance @ x.T @ inverse @ y
    fitted = x @ b + z @ g @ z.T @ inverse @ (y - x @ b)
    assert fit.coefficients == pytest.approx(b, abs=1e-5)
    assert fit.fitted_values().to_numpy().T.ravel() == pytest.approx(fitted, abs=1e-4)
    assert fit.residuals().to_numpy().T.ravel() == pytest.approx(y - fitted, abs=1e-4)
    row = np.array([0, 1, 0, -1.0])
    wald = (row @ b) ** 2 / (row @ covariance @ row)
    assert fit.joint_test("score: week = other: week").statistic == pytest.approx(wald, rel=1e-4)
    drawn = fit.simulate(seed=2, frame=many(20_000))
    left = (drawn[["score", "other"]] - fit.predict(many(20_000)))[::2]
    expected = np.array([[1, 1, 0, 0], [0, 0, 1, 1.0]])
    expected = expected @ fit.random_covariance @ expected.T + fit.residual_covariance
    assert np.cov(left.to_numpy().T) == pytest.approx(expected, abs=0.05 * expected.max())


def many(clients: int) -> pd.DataFrame:
    """Rows for draws: two sessions of many clients, two of them with each therapist."""
    client = np.repeat(np.arange(clients), 2)
    return pd.DataFrame(
        {
            "client": client,
            "therapist": client // 2,
            "arm": np.where(client % 4 < 2, "active", "control"),
            "week": np.tile([1.0, 3.0], clients),
        }
    )


@pytest.mark.parametrize("name", ["growth", "serial", "grouped", "therapist", "robust"])
def test_draws_have_the_mean_and_covariance_of_the_model(name):
    fit = growth() if name == "growth" else variant(name)
    data = many(20_000)
    drawn = fit.simulate(seed=3, frame=data)
    assert list(drawn.columns) == [*data.columns, "score"]
    assert drawn["score"].equals(fit.simulate(seed=3, frame=data)["score"])
    assert not drawn["score"].equals(fit.simulate(seed=4, frame=data)["score"])
    left = (drawn["score"] - fit.predict(data)).to_numpy().reshape(-1, 2)[data["arm"][::2] == "active"]
    z = np.array([[1.0, 1.0], [1.0, 3.0]])
    if name == "robust":
        nu = fit.degrees_of_freedom
        g, r = fit.random_covariance, fit.residual_scale**2 * nu / (nu - 2) * np.eye(2)
    elif name == "therapist":
        g, r = fit.client_covariance, fit.residual_variance * np.eye(2) + fit.therapist_covariance[0, 0]
    else:
        g = fit.estimates.random_covariance
        variance = fit.residual_variances["active"] if name == "grouped" else fit.estimates.residual_variance
        r = variance * (fit.phi ** np.array([[0, 2], [2, 0]]) if name == "serial" else np.eye(2))
    expected = z[:, : len(g)] @ g @ z[:, : len(g)].T + r
    # 10,000 clients: standard errors of variances and covariances are at most 1.5 % of the larger variance.
    assert np.cov(left.T) == pytest.approx(expected, abs=0.06 * expected.max())
    assert left.mean(axis=0) == pytest.approx([0, 0], abs=0.05 * np.sqrt(expected.max()))


def test_columns_come_back_as_the_kind_that_was_given():
    fit, data = growth(), scores()
    table = pl.from_pandas(data)
    assert isinstance(fit.predict(table), pl.Series)
    assert isinstance(fit.predict(table.lazy()), pl.Series)
    assert isinstance(fit.predict(table.to_arrow()), pa.ChunkedArray | pa.Array)
    assert fit.predict(table).to_numpy() == pytest.approx(fit.predict(data).to_numpy())
    assert isinstance(fit.simulate(seed=1), pd.DataFrame)
    other = models.growth_curve(table, **GROWTH)
    assert isinstance(other.resid, pl.Series)
    assert isinstance(other.conf_int(), pl.DataFrame)


def test_a_missing_time_or_covariate_gives_a_missing_prediction():
    data = scores().head(3).copy()
    data.loc[0, "week"], data.loc[1, "arm"] = np.nan, None
    assert growth().predict(data).isna().tolist() == [True, True, False]
    assert growth().predict(pl.from_pandas(data)).is_null().to_list() == [True, True, False]


def test_what_the_model_has_not_seen_is_refused():
    fit, data = growth(), scores()
    with pytest.raises(ModelError, match="no level 'typo'"):
        fit.predict(data.assign(arm="typo"))
    with pytest.raises(ModelError, match=r"client 'X' .* is not in the model"):
        fit.predict(data.assign(client="X"), of="client")
    with pytest.raises(FrameError, match="no column 'arm'"):
        fit.predict(data.drop(columns="arm"))
    with pytest.raises(FrameError, match="infinite"):
        fit.predict(data.assign(week=np.inf))
    with pytest.raises(ModelError, match="of must be 'population' or 'client'"):
        fit.predict(data, of="clients")
    with pytest.raises(ModelError, match="among the groups"):
        variant("grouped").simulate(seed=1, frame=data.assign(arm="typo"))
    with pytest.raises(ModelError, match=r"therapist 'T99' .* not in the model"):
        variant("therapist").predict(data.assign(therapist="T99"), of="client")
    # Without the column the client's own value is known.
    own = fit.predict(data.drop(columns="arm"), of="client")
    assert own.to_numpy() == pytest.approx(fit.fittedvalues.to_numpy())


def test_rows_that_changed_since_the_fit_are_refused():
    data = scores().copy()
    fit = models.growth_curve(data, **GROWTH)
    before = fit.resid
    data.loc[0, "score"] += 5
    with pytest.raises(ModelError, match="changed"):
        fit.residuals()
    assert fit.residuals(scores()).to_numpy() == pytest.approx(before.to_numpy())
    lazy = models.growth_curve(pl.from_pandas(scores()).lazy(), **GROWTH)
    with pytest.raises(ModelError, match="does not contain its rows"):
        lazy.fitted_values()
    assert lazy.fitted_values(scores()).to_numpy() == pytest.approx(
        fit.fitted_values(scores()).to_numpy(), abs=1e-6
    )
