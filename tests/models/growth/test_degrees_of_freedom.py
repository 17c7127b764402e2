"""Degrees of freedom beside lmerTest (Satterthwaite) and pbkrtest (Kenward-Roger)."""

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
R: dict[str, Any] = json.loads((REFERENCE / "degrees_of_freedom.json").read_text())


def _load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, REFERENCE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DATA = _load("make_data").case("ordinary")
MODELS: dict[str, tuple[int, dict[str, Any]]] = {
    "all": (100, {"covariates": ["severity"]}),
    "twenty": (20, {"covariates": ["severity", "arm"]}),
    "twelve_intercept": (12, {"covariates": ["severity"], "shape": "linear", "random": ["intercept"]}),
}


@pytest.fixture(params=list(MODELS))
def fit_and_r(request):
    clients, options = MODELS[request.param]
    frame = DATA.filter(pl.col("client") < clients)
    return models.growth_curve(frame, outcome="y", time="weeks", client="client", **options), R[request.param]


def test_satterthwaite_agrees_with_lmertest(fit_and_r):
    fit, expected = fit_and_r  # lmerTest differentiates numerically: four digits
    np.testing.assert_allclose([t.df for t in fit.tests()], expected["satterthwaite"], rtol=2e-4)
    joint = fit.joint_test(np.eye(len(expected["names"]))[1:], method="satterthwaite")
    assert joint.statistic == pytest.approx(expected["F_sat"], rel=1e-5)
    assert joint.denominator_df == pytest.approx(expected["ddf_sat"], rel=2e-4)


def test_kenward_roger_agrees_with_pbkrtest(fit_and_r):
    fit, expected = fit_and_r
    tests = fit.tests(method="kenward-roger")
    np.testing.assert_allclose([t.standard_error for t in tests], expected["se_kr"], rtol=1e-5)
    np.testing.assert_allclose([t.df for t in tests], expected["kenward_roger"], rtol=1e-5)
    joint = fit.joint_test(np.eye(len(expected["names"]))[1:])
    assert joint.numerator_df == expected["ndf_kr"]
    assert joint.denominator_df == pytest.approx(expected["ddf_kr"], rel=1e-5)
    assert joint.statistic == pytest.approx(expected["F_kr"], rel=1e-5)
    assert joint.p_value == pytest.approx(expected["p_kr"], rel=1e-3)


def test_normal_tests_have_infinite_degrees_of_freedom():
    fit = models.growth_curve(DATA, outcome="y", time="weeks", client="client")
    assert all(np.isinf(t.df) for t in fit.tests(method="normal"))
    assert [t.lower for t in fit.tests(method="normal")] == pytest.approx([c.lower for c in fit.coefficients])


def test_kenward_roger_needs_reml():
    fit = models.growth_curve(DATA, outcome="y", time="weeks", client="client", reml=False)
    with pytest.raises(ModelError, match="REML"):
        fit.tests(method="kenward-roger")
    assert len(fit.tests()) == 2


def test_contrasts_must_fit_the_model():
    fit = models.growth_curve(DATA, outcome="y", time="weeks", client="client")
    with pytest.raises(ModelError, match=r"2 numbers, one per coefficient"):
        fit.joint_test([[1, 0, 0]])
