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
    with pytest.raises(ModelError, match="one group only"):
        models.residual_growth(DATA.filter(pl.col("arm") == "usual"), **COLUMNS, residual="arm")
