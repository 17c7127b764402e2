"""Growth curves beside lme4 1.1: at lme4's own parameters to ten digits, at the optimum never worse."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mbc import models
from mbc.models.growth.data.shapes import Piecewise

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "growth"
LME4: dict[str, Any] = json.loads((REFERENCE / "lme4.json").read_text())


def _load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, REFERENCE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DATA = _load("make_data")
CASES = [(name, reml) for name in DATA.HARD for reml in (True, False)]
STRAIGHT = {"calendar_year", "epoch_seconds"}


def _fit(name: str, *, reml: bool) -> models.GrowthCurve:
    straight = name in STRAIGHT
    covariates = ["severity", "twin"] if name == "collinear" else ["severity"]
    return models.growth_curve(
        DATA.case(name),
        outcome="y",
        time="time" if straight else "weeks",
        client="client",
        shape="linear" if straight else "log",
        covariates=covariates,
        reml=reml,
    )


def _agree(fit: models.GrowthCurve, expected: dict[str, Any], rtol: float) -> None:
    """Everything at lme4's theta."""
    there = fit.at(np.atleast_1d(expected["theta"]))
    found = there.estimates
    assert there.n_observations == expected["n"]
    assert found.log_likelihood == pytest.approx(expected["logLik"], rel=rtol)
    beta = np.array(expected["beta"])
    np.testing.assert_allclose(found.coefficients, beta, rtol=rtol)
    np.testing.assert_allclose(found.covariance, expected["vcov"], rtol=rtol, atol=rtol * np.max(found.covariance))
    g = np.atleast_2d(expected["G"])
    np.testing.assert_allclose(found.random_covariance, g, rtol=rtol, atol=rtol * np.max(g))
    assert found.residual_variance == pytest.approx(expected["sigma2"], rel=rtol)
    effects = there.effects
    rows = len(expected["spread"])
    modes = np.array(expected["effects"]).reshape(rows, -1)
    np.testing.assert_allclose(effects.means[:rows], modes, rtol=rtol, atol=rtol * np.max(np.abs(modes)))
    spread = np.array(expected["spread"]).reshape(rows, len(g), len(g))
    np.testing.assert_allclose(effects.covariances[:rows], spread, rtol=rtol, atol=rtol * np.max(spread))


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize(
    "name", ["ordinary", "eight_clients", "collinear", "mostly_one_score", "zero_slope_variance"]
)
def test_everything_at_lme4s_parameters_agrees_to_ten_digits(name, reml):
    _agree(_fit(name, reml=reml), LME4[f"{name}_{'reml' if reml else 'ml'}"], 1e-10)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("intercept_only", {"shape": "linear", "random": ["intercept"]}),
        ("slope_only", {"shape": "linear", "random": ["no intercept", "slope"]}),
        ("three_effects", {"shape": "quadratic", "covariates": ["arm"], "random": ["intercept", "slopes"]}),
        ("interaction", {"covariates": ["severity:time", "arm"]}),
        ("piecewise", {"shape": "knot", "reml": False}),
        ("sqrt", {"shape": "sqrt", "reml": False}),
    ],
)
def test_other_shapes_and_effects_agree_with_lme4(name, options):
    if options.get("shape") == "knot":
        options = {**options, "shape": Piecewise((3.0,))}
    fit = models.growth_curve(DATA.case("ordinary"), outcome="y", time="weeks", client="client", **options)
    expected = LME4[name]
    order = [expected["names"].index(_r_name(c.name)) for c in fit.coefficients]
    for key in ("beta", "vcov"):
        expected = {**expected, key: np.array(expected[key])[order]}
    expected["vcov"] = np.array(expected["vcov"])[:, order]
    _agree(fit, expected, 1e-9)
    assert fit.log_likelihood >= expected["logLik"] - 1e-7


def _r_name(name: str) -> str:
    return {
        "weeks^2": "I(weeks^2)",
        "arm[T.usual]": "armusual",
        "weeks after 3": "pmax(weeks - 3, 0)",
    }.get(name, name)


@pytest.mark.parametrize(("name", "reml"), CASES)
def test_the_optimum_is_never_below_lme4s(name, reml):
    fit = _fit(name, reml=reml)
    expected = LME4[f"{name}_{'reml' if reml else 'ml'}"]
    assert fit.converged
    if "error" in expected:  # "Downdated VtV is not positive definite"
        assert name == "epoch_seconds"
        return
    assert fit.log_likelihood >= expected["logLik"] - 1e-6
    if name != "calendar_year":  # there lme4 stops at a wrong optimum
        assert fit.log_likelihood == pytest.approx(
            expected["logLik"], abs=0.2 if name == "small_residual" else 1e-4
        )


def test_epoch_seconds_and_calendar_years_tell_the_same_story():
    # lme4 fails on the first and is wrong on the second; a change of units must not change the likelihood
    years = _fit("calendar_year", reml=False)
    seconds = _fit("epoch_seconds", reml=False)
    assert seconds.log_likelihood == pytest.approx(years.log_likelihood, abs=1e-3)  # years were rounded


def test_a_collinear_covariate_is_dropped_and_named():
    assert _fit("collinear", reml=True).dropped_terms == ("twin",)
