"""Residuals that are not alike or not normal: beside nlme (varIdent, corCAR1) and glmmTMB (t_family)."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mbc import models
from mbc.errors import ModelError

pytestmark = pytest.mark.long

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "growth"
R: dict[str, Any] = json.loads((REFERENCE / "residuals.json").read_text())


def _load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, REFERENCE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DATA = (
    _load("make_data")
    .case("ordinary")
    .with_columns(phase=pl.when(pl.col("weeks") > 3).then(pl.lit("late")).otherwise(pl.lit("early")))
)
COLUMNS: dict[str, Any] = {"outcome": "y", "time": "weeks", "client": "client", "covariates": ["severity"]}


def _same(fit: Any, expected: dict[str, Any], *, reml: bool, rtol: float = 5e-4) -> None:
    """Nlme's optimiser stops at about five digits."""
    assert fit.converged
    assert fit.log_likelihood >= expected["logLik"] - 1e-5
    assert fit.log_likelihood == pytest.approx(expected["logLik"], abs=1e-3)
    np.testing.assert_allclose(fit.estimates.coefficients, expected["beta"], rtol=rtol)
    g = np.atleast_2d(expected["G"])
    np.testing.assert_allclose(fit.estimates.random_covariance, g, rtol=5 * rtol, atol=5 * rtol * np.max(g))
    if reml:  # nlme inflates the ML errors by n / (n - p)
        np.testing.assert_allclose(fit.estimates.standard_errors, expected["se"], rtol=2 * rtol)


@pytest.mark.parametrize("method", ["ML", "REML"])
@pytest.mark.parametrize("column", ["arm", "phase"])
def test_residual_variance_by_group_agrees_with_nlme(column, method):
    fit = models.residual_growth(DATA, **COLUMNS, residual=column, reml=method == "REML")
    expected = R[f"{column}_{method}"]
    _same(fit, expected, reml=method == "REML")
    for group, ratio in expected["ratio"].items():
        sigma = expected["sigma"] * ratio
        assert fit.residual_variances[group] == pytest.approx(sigma**2, rel=1e-3)
    estimate, low, high = fit.ratios[fit.groups[1]]
    assert low < estimate < high
    assert low < 1 < high  # the data were made with one residual variance


def test_residual_variance_by_group_finds_a_true_difference():
    rng = np.random.default_rng(4)
    noisy = DATA.with_columns(
        y=pl.col("y")
        + pl.when(pl.col("arm") == "usual").then(pl.Series(rng.normal(0, 5, len(DATA)))).otherwise(0.0)
    )
    fit = models.residual_growth(noisy, **COLUMNS, residual="arm")
    estimate, low, high = fit.ratios["usual"]
    assert low < np.sqrt(3.2**2 + 25) / 3.2 < high
    assert low > 1.3
    assert estimate == pytest.approx(np.sqrt(fit.residual_variances["usual"] / fit.residual_variances["feedback"]))


def test_one_group_is_refused():
    with pytest.raises(ModelError, match="only one group"):
        models.residual_growth(DATA.filter(pl.col("arm") == "usual"), **COLUMNS, residual="arm")


@pytest.mark.parametrize("method", ["ML", "REML"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("car1", {"covariates": ["severity"]}),
        ("car1_slope", {"covariates": [], "shape": "linear", "random": ["intercept", "slope"]}),
    ],
)
def test_serial_correlation_agrees_with_nlme(name, options, method):
    fit = models.serial_growth(DATA, **{**COLUMNS, **options}, reml=method == "REML")
    expected = R[f"{name}_{method}"]
    _same(fit, expected, reml=method == "REML", rtol=1e-3)
    assert fit.phi == pytest.approx(expected["phi"], rel=5e-3)
    assert fit.estimates.residual_variance == pytest.approx(expected["sigma"] ** 2, rel=1e-3)
    low, high = fit.phi_interval
    assert low < fit.phi < high


def test_serial_correlation_is_found_where_it_is():
    # residuals made with phi = 0.6 a week
    rng = np.random.default_rng(8)
    times = np.sort(rng.uniform(0, 20, (80, 9)), axis=1)
    e = np.empty_like(times)
    e[:, 0] = rng.normal(size=80)
    for j in range(1, 9):
        rho = 0.6 ** (times[:, j] - times[:, j - 1])
        e[:, j] = rho * e[:, j - 1] + np.sqrt(1 - rho**2) * rng.normal(size=80)
    frame = pl.DataFrame(
        {
            "client": np.repeat(np.arange(80), 9),
            "weeks": times.ravel(),
            "y": (20 - 0.3 * times + rng.normal(0, 3, (80, 1)) + 4 * e).ravel(),
        }
    )
    fit = models.serial_growth(frame, outcome="y", time="weeks", client="client", shape="linear")
    low, high = fit.phi_interval
    assert low < 0.6 < high
    assert fit.p_value < 1e-6
    # soon after the last session the last residual still counts, long after it does not
    last = float(times[0, -1])
    near, far = (
        fit.predict_client(0, [last + 0.01, last + 30]).mean,
        fit.predict_client(0, [last + 0.01, last + 30], kind="mean").mean,
    )
    assert abs(near[0] - frame["y"][8]) < 1.0
    assert near[1] == pytest.approx(far[1], abs=1e-4)
    band = fit.predict_client(0, [last + 0.01, last + 30])
    assert (band.upper - band.lower)[0] < 0.4 * (band.upper - band.lower)[1]


def test_prediction_with_serial_correlation_is_the_conditional_normal():
    fit = models.serial_growth(DATA, **COLUMNS)
    found, own = fit.estimates, DATA.filter(pl.col("client") == 3).sort("weeks")
    t, y = own["weeks"].to_numpy(), own["y"].to_numpy()
    x = np.column_stack([np.ones_like(t), np.log1p(t), own["severity"].to_numpy()])
    at = t[-1] + 1.5
    row = np.array([1.0, np.log1p(at), own["severity"][0]])
    g, s2 = found.random_covariance[0, 0], found.residual_variance
    v = g + s2 * fit.phi ** np.abs(t[:, None] - t)
    c = g + s2 * fit.phi ** np.abs(at - t)
    gain = np.linalg.solve(v, c)
    d = row - gain @ x
    mean = row @ found.coefficients + gain @ (y - x @ found.coefficients)
    sd = np.sqrt(g + s2 - gain @ c + d @ found.covariance @ d)
    curve = fit.predict_client(3, [at], level=0.95)
    assert curve.mean[0] == pytest.approx(mean, rel=1e-8)
    assert curve.upper[0] - curve.mean[0] == pytest.approx(1.959963984540054 * sd, rel=1e-8)


def test_two_scores_at_one_time_are_refused():
    twice = pl.concat([DATA, DATA.head(1)])
    with pytest.raises(ModelError, match="client 0 has two scores at time 0"):
        models.serial_growth(twice, **COLUMNS)


def _odd() -> pl.DataFrame:
    rows = pl.Series(range(len(DATA))).is_in(R["odd_rows"])
    return DATA.with_columns(y=pl.col("y") + pl.when(rows).then(15.0).otherwise(0.0))


@pytest.fixture(scope="module")
def robust() -> Any:
    return models.robust_growth(_odd(), **COLUMNS)


def test_student_residuals_agree_with_glmmtmb(robust):
    fit = robust
    expected = R["student"]
    assert fit.converged
    assert fit.log_likelihood == pytest.approx(expected["logLik"], abs=1e-4)
    np.testing.assert_allclose(fit.coefficients, expected["beta"], rtol=1e-3)
    np.testing.assert_allclose(fit.standard_errors, expected["se"], rtol=2e-3)
    np.testing.assert_allclose(fit.random_covariance, expected["G"], rtol=2e-3, atol=2e-3)
    assert fit.residual_scale == pytest.approx(expected["sigma"], rel=1e-3)
    assert fit.degrees_of_freedom == pytest.approx(expected["df"], rel=2e-3)
    assert fit.log_likelihood > fit.normal_log_likelihood + 20


def test_the_odd_sessions_are_the_ones_discounted(robust):
    found = robust.discounted(below=0.3)
    shifted = DATA[R["odd_rows"]].select("client", "weeks")
    both = found.join(shifted, on=["client", "weeks"])
    assert len(both) / len(found) > 0.8


@pytest.mark.slow  # a simulation; glmmTMB's estimates are met
def test_normal_scores_give_many_degrees_of_freedom():
    fit = models.robust_growth(DATA, **COLUMNS)
    assert fit.degrees_of_freedom > 15
    plain = models.growth_curve(DATA, **COLUMNS, reml=False).estimates
    np.testing.assert_allclose(fit.coefficients, plain.coefficients, rtol=0.05)
    assert fit.log_likelihood >= fit.normal_log_likelihood - 1e-3
