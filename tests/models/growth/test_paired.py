"""Two outcomes together, beside nlme on stacked rows."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest

from mbc import models
from mbc.errors import FrameError, ModelError

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "growth"
R: dict[str, Any] = json.loads((REFERENCE / "paired.json").read_text())


def _load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, REFERENCE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DATA = _load("make_data").paired()
OPTIONS: dict[str, Any] = {"outcomes": ("a", "b"), "time": "weeks", "client": "client", "shape": "linear"}


@pytest.mark.parametrize("method", ["ML", "REML"])
def test_paired_growth_agrees_with_nlme(method):
    fit = models.paired_growth(DATA, **OPTIONS, reml=method == "REML")
    expected = R[method]
    assert fit.converged
    assert fit.log_likelihood >= expected["logLik"] - 1e-6
    assert fit.log_likelihood == pytest.approx(expected["logLik"], abs=1e-4)
    order = [expected["names"].index(name) for name in ("oa", "oa:weeks", "ob", "ob:weeks")]
    np.testing.assert_allclose(fit.coefficients, np.array(expected["beta"])[order], rtol=1e-4)
    if method == "REML":
        np.testing.assert_allclose(fit.standard_errors, np.array(expected["se"])[order], rtol=1e-4)
    g = np.array(expected["G"])[np.ix_(order, order)]
    np.testing.assert_allclose(fit.random_covariance, g, rtol=1e-3, atol=1e-3)
    sds = expected["sigma"] * np.array([1.0, expected["ratio"]["b"]])
    np.testing.assert_allclose(np.sqrt(np.diag(fit.residual_covariance)), sds, rtol=1e-4)
    correlation = fit.residual_covariance[0, 1] / sds.prod()
    assert correlation == pytest.approx(expected["rho"], rel=1e-3)


def test_slopes_that_go_together_are_seen():
    found = models.paired_growth(DATA, **OPTIONS).correlation("a: weeks", "b: weeks")
    assert 0 < found.lower < 0.5 < found.upper  # 0.5 made the data


def test_outcomes_never_scored_together_need_no_residual_correlation():
    apart = DATA.with_columns(
        b=pl.when(pl.col("session") % 2 == 0).then(None).otherwise(pl.col("b"))
    ).with_columns(a=pl.when(pl.col("b").is_null()).then(pl.col("a")).otherwise(None))
    fit = models.paired_growth(apart, **OPTIONS)
    assert fit.converged
    assert fit.n_sessions_with_both == 0
    assert fit.residual_covariance[0, 1] == 0


def test_any_table():
    con = duckdb.connect()
    fit = models.paired_growth(con.from_arrow(DATA.to_arrow()), **OPTIONS)
    assert fit.log_likelihood == pytest.approx(models.paired_growth(DATA, **OPTIONS).log_likelihood, abs=1e-7)


def test_refusals():
    with pytest.raises(ModelError, match="two different columns"):
        models.paired_growth(DATA, **{**OPTIONS, "outcomes": ("a", "a")})
    with pytest.raises(FrameError, match="no column 'c'"):
        models.paired_growth(DATA, **{**OPTIONS, "outcomes": ("a", "c")})
    fit = models.paired_growth(DATA, **OPTIONS)
    with pytest.raises(ModelError, match="effects are a"):
        fit.correlation("a", "b")
