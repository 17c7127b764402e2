"""Intervals of variances beside lme4's profile and bootMer."""

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
R: dict[str, Any] = json.loads((REFERENCE / "intervals.json").read_text())


def _load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, REFERENCE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CASE = _load("make_data").case
COLUMNS: dict[str, Any] = {"outcome": "y", "time": "weeks", "client": "client"}


def _bounds(intervals):
    return [[i.lower, i.upper] for i in intervals]


def test_profile_agrees_with_lme4():
    # lme4 profiles the ML deviance and interpolates with splines: four digits
    fit = models.growth_curve(CASE("ordinary"), **COLUMNS, covariates=["severity"], reml=False)
    found = fit.variance_intervals()
    assert [i.name for i in found] == ["(Intercept)", "log1p(weeks)", "(Intercept), log1p(weeks)", "residual"]
    order = [0, 2, 1, 3]
    np.testing.assert_allclose(_bounds(found), np.array(R["profile"])[order], rtol=2e-4, atol=2e-4)


def test_profile_of_one_variance_with_fifteen_clients():
    frame = CASE("ordinary").filter(pl.col("client") < 15)
    fit = models.growth_curve(frame, **COLUMNS, shape="linear", random=["intercept"], reml=False)
    np.testing.assert_allclose(_bounds(fit.variance_intervals(level=0.9)), R["small"], rtol=2e-4)


def test_clients_who_do_not_differ_have_an_interval_from_zero():
    frame = CASE("no_random_effects").filter(pl.col("client") < 40)
    fit = models.growth_curve(frame, **COLUMNS, covariates=["severity"], random=["intercept"], reml=False)
    between, within = fit.variance_intervals()
    assert between.lower == 0
    assert 0 < between.upper < within.lower < within.estimate < within.upper


@pytest.mark.slow
def test_a_variance_of_zero_has_an_interval_from_zero():
    fit = models.growth_curve(CASE("zero_slope_variance"), **COLUMNS, covariates=["severity"], reml=False)
    found = {i.name: i for i in fit.variance_intervals()}
    assert found["log1p(weeks)"].lower == 0
    assert 0 < found["log1p(weeks)"].upper < 1.5
    np.testing.assert_allclose(_bounds([found["(Intercept)"], found["residual"]]), R["flat"], rtol=2e-3)


@pytest.mark.slow
def test_bootstrap_scatters_as_bootmer_does():
    # 400 replicates each: standard deviations agree within their own error (3.5 % x sqrt(2))
    fit = models.growth_curve(CASE("ordinary"), **COLUMNS, covariates=["severity"], reml=False)
    drawn = fit.bootstrap(replicates=2000, seed=7)
    assert drawn.failed == 0
    deviations = np.sqrt(np.einsum("rii->ri", drawn.covariances))
    correlation = drawn.covariances[:, 0, 1] / deviations.prod(axis=1)
    found = np.column_stack([drawn.coefficients, deviations, correlation, np.sqrt(drawn.residual_variances)])
    spread = np.array(R["boot_sd"])
    np.testing.assert_allclose(found.std(axis=0, ddof=1), spread, rtol=0.16)
    assert (np.abs(found.mean(axis=0) - R["boot_mean"]) < 4.5 * spread / np.sqrt(400)).all()


@pytest.mark.parametrize("replicates", [120, pytest.param(300, marks=pytest.mark.slow)])
def test_bootstrap_draws_what_rows_would(replicates):
    # the same model refitted to simulated rows: same centre and spread of the estimates
    frame = CASE("ordinary").filter(pl.col("client") < 40)
    fit = models.growth_curve(frame, **COLUMNS, covariates=["severity"])
    drawn = fit.bootstrap(replicates=replicates, seed=1)
    found = fit.estimates
    rng = np.random.default_rng(5)
    root = np.linalg.cholesky(found.random_covariance)
    f = np.log1p(frame["weeks"].to_numpy())
    x = np.column_stack([np.ones_like(f), f, frame["severity"].to_numpy()])
    codes = frame["client"].to_numpy()
    rows = []
    for _ in range(replicates):
        b = (root @ rng.standard_normal((2, 40)))[:, codes]
        y = x @ found.coefficients + b[0] + b[1] * f + rng.normal(0, np.sqrt(found.residual_variance), f.size)
        again = models.growth_curve(frame.with_columns(y=y), **COLUMNS, covariates=["severity"]).estimates
        rows.append(
            [
                *again.coefficients,
                again.random_covariance[0, 0],
                again.random_covariance[1, 1],
                again.residual_variance,
            ]
        )
    rows = np.array(rows)
    ours = np.column_stack(
        [drawn.coefficients, drawn.covariances[:, 0, 0], drawn.covariances[:, 1, 1], drawn.residual_variances]
    )
    np.testing.assert_allclose(ours.std(axis=0), rows.std(axis=0), rtol=0.25)
    assert (np.abs(ours.mean(axis=0) - rows.mean(axis=0)) < 4 * rows.std(axis=0) * np.sqrt(2 / replicates)).all()


def test_bootstrap_intervals_name_every_parameter():
    fit = models.growth_curve(CASE("ordinary"), **COLUMNS)
    found = fit.variance_intervals(method="bootstrap", replicates=50, seed=2)
    assert [i.quantity for i in found] == ["standard deviation"] * 2 + ["correlation", "standard deviation"]
    assert all(i.lower < i.upper for i in found)
    with pytest.raises(ModelError, match="percentage"):
        fit.variance_intervals(level=95)
