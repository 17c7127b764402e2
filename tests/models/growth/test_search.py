"""The parts of the search: variances by moments, exact second derivatives, covariates multiplied both ways."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mbc import models
from mbc.models.growth.data.client_sums import sampled
from mbc.models.growth.design import design as designs
from mbc.models.growth.fit.deviance import evaluate
from mbc.models.growth.fit.information import second_derivatives
from mbc.models.growth.fit.moments import moment_factor

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "growth"
COLUMNS: dict[str, Any] = {"outcome": "y", "time": "weeks", "client": "client"}


def _load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, REFERENCE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DATA = _load("make_data").case("ordinary")
RANDOM = {"intercept": ["intercept"], "slope": ["intercept", "slope"], "slopes": ["intercept", "slopes"]}


def _fit(random: str, *, reml: bool) -> models.GrowthCurve:
    shape = "quadratic" if random == "slopes" else "log"
    return models.growth_curve(
        DATA, **COLUMNS, covariates=["severity"], shape=shape, random=RANDOM[random], reml=reml
    )


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("random", RANDOM)
def test_second_derivatives_are_those_of_the_gradient(random, reml):
    statistics = _fit(random, reml=reml).fitted.design.statistics
    q, rng = statistics.q, np.random.default_rng(3)
    factor = 2 * np.eye(q) + 0.5 * np.tril(rng.normal(size=(q, q)))
    along = rng.normal(size=(3, q, q))
    along = along + along.transpose(0, 2, 1)
    at = evaluate(statistics, factor, reml=reml)

    def slopes(psi: np.ndarray) -> np.ndarray:
        there = evaluate(statistics, np.linalg.cholesky(psi), reml=reml)
        return np.einsum("ab,kab->k", there.slope, along)

    psi, step = factor @ factor.T, 1e-5
    differences = np.array([(slopes(psi + step * e) - slopes(psi - step * e)) / (2 * step) for e in along])
    exact = second_derivatives(statistics, at, along, reml=reml)
    np.testing.assert_allclose(exact, differences, rtol=1e-6, atol=1e-6 * np.abs(exact).max())
    # the one-pass form, for clients in one block
    observed = np.einsum("abcd,jab,kcd->jk", at.observed_curvature(), along, along)
    np.testing.assert_allclose(0.5 * (observed + observed.T), exact, rtol=1e-10, atol=1e-10 * np.abs(exact).max())


@pytest.mark.parametrize("random", ["intercept", "slope"])
def test_moments_lie_near_the_optimum(random):
    rng = np.random.default_rng(6)
    who = np.repeat(np.arange(1500), rng.integers(1, 12, 1500))
    weeks = rng.gamma(2.0, 3.0, who.size)
    effects = (rng.standard_normal((1500, 2)) @ np.array([[4.0, -0.8], [0.0, 1.5]]))[who]
    slope = effects[:, 1] if random == "slope" else 0.0
    y = 20 + effects[:, 0] + (slope - 2) * np.log1p(weeks) + rng.normal(0, 3, who.size)
    fit = models.growth_curve(
        pl.DataFrame({"client": who, "weeks": weeks, "y": y}), **COLUMNS, random=RANDOM[random]
    )
    statistics = fit.fitted.design.statistics
    factor = moment_factor(statistics)
    assert factor is not None
    best = fit.fitted.optimum
    assert evaluate(statistics, factor, reml=True).deviance < best.deviance + 5
    np.testing.assert_allclose(
        factor @ factor.T, best.factor @ best.factor.T, atol=0.15 * np.max(best.factor) ** 2
    )
    assert fit.report.evaluations <= 5


def test_more_effects_than_two_have_no_moments():
    assert moment_factor(_fit("slopes", reml=True).fitted.design.statistics) is None


def test_covariates_are_multiplied_alike_one_by_one_and_all_at_once(monkeypatch):
    frame = DATA.with_columns(ward=pl.format("w{}", pl.col("client") % 3))
    options: Any = {**COLUMNS, "covariates": ["severity:time", "ward"]}
    at_once = models.growth_curve(frame, **options)
    monkeypatch.setattr(designs, "FEW_COVARIATES", 0)
    one_by_one = models.growth_curve(frame, **options)
    assert one_by_one.log_likelihood == pytest.approx(at_once.log_likelihood, rel=1e-12)
    np.testing.assert_allclose(one_by_one.estimates.coefficients, at_once.estimates.coefficients, rtol=1e-9)


def test_the_sample_of_rows_falls_in_step_with_no_schedule():
    sessions = np.tile(np.arange(16.0), 10_000)
    some = sampled(sessions)
    assert some.size < sessions.size
    assert some.mean() == pytest.approx(7.5, abs=0.05)
    assert some.std() == pytest.approx(sessions.std(), rel=0.01)
    np.testing.assert_array_equal(sampled(sessions[:100]), sessions[:100])
