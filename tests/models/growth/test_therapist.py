"""Therapist effects beside lme4: nested, with slopes, and crossed where clients change therapist."""

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
R: dict[str, Any] = json.loads((REFERENCE / "therapists.json").read_text())


def _load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, REFERENCE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DATA = _load("make_data").therapists()
NESTED: dict[str, Any] = {"outcome": "y_nested", "therapist": "therapist", "covariates": ["severity"]}
CROSSED: dict[str, Any] = {"outcome": "y_crossed", "therapist": "changed"}
MODELS: dict[str, dict[str, Any]] = {
    "nested": NESTED,
    "nested_ml": {**NESTED, "reml": False},
    "slopes": {**NESTED, "therapist_random": ["intercept", "slope"]},
    "crossed": {**CROSSED, "covariates": ["severity"]},
    "intercepts": {**CROSSED, "random": ["intercept"], "reml": False},
}


@pytest.mark.parametrize("name", MODELS)
def test_therapist_models_agree_with_lme4(name):
    fit = models.therapist_growth(DATA, time="weeks", client="client", **MODELS[name])
    expected = R[name]
    assert fit.converged
    assert fit.crossed == ("crossed" in MODELS[name]["outcome"])
    assert fit.log_likelihood >= expected["logLik"] - 1e-6
    np.testing.assert_allclose(fit.coefficients, expected["beta"], rtol=1e-4)
    np.testing.assert_allclose(fit.standard_errors, expected["se"], rtol=1e-4)
    np.testing.assert_allclose(fit.client_covariance, np.atleast_2d(expected["client"]), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(
        fit.therapist_covariance, np.atleast_2d(expected["therapist"]), rtol=1e-3, atol=1e-3
    )
    assert fit.residual_variance == pytest.approx(expected["sigma2"], rel=1e-4)
    shape = fit.means.shape
    np.testing.assert_allclose(fit.means, np.reshape(expected["effects"], shape), atol=2e-3)
    np.testing.assert_allclose(fit.standard_deviations, np.reshape(expected["sd"], shape), rtol=1e-3)


def test_interval_of_the_therapists_spread_agrees_with_lme4():
    fit = models.therapist_growth(DATA, time="weeks", client="client", **MODELS["intercepts"])
    np.testing.assert_allclose(fit.therapist_interval(), R["intercepts"]["interval"][0], rtol=5e-4)
    assert 0 < fit.therapist_share < 1
    frame = fit.to_frame()
    assert frame.columns == ["therapist", "clients", "(Intercept)", "(Intercept) sd"]
    assert frame["clients"].sum() > 100  # clients who changed count for both


def test_therapists_who_do_not_differ_are_a_singular_fit_not_a_failure():
    same = DATA.with_columns(y_nested=pl.col("y"))
    fit = models.therapist_growth(same, time="weeks", client="client", **NESTED)
    assert fit.converged
    plain = models.growth_curve(same, outcome="y", time="weeks", client="client", covariates=["severity"])
    assert fit.log_likelihood >= plain.log_likelihood - 1e-7


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"therapist_random": ["no intercept", "slope"]}, "must start with 'intercept'"),
        ({"random": ["intercept"], "therapist_random": ["intercept", "slope"]}, "must differ between clients"),
        ({"therapist": "arm"}, "names 2 therapists"),
    ],
)
def test_refusals(change, text):
    with pytest.raises(ModelError, match=text):
        models.therapist_growth(DATA, time="weeks", client="client", **{**NESTED, **change})
