"""Bands beside the whole covariance of Henderson's mixed model equations, and their coverage."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mbc import models
from mbc.errors import ModelError

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "growth"
NORMAL_80 = 1.2815515655446004  # two-sided 80 % normal quantile


def _load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, REFERENCE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DATA = _load("make_data").case("ordinary").filter(pl.col("client") < 25)
COLUMNS: dict[str, Any] = {"outcome": "y", "time": "weeks", "client": "client"}
TIMES = np.array([0.0, 2.5, 7.0, 30.0])


def _fixed(weeks: np.ndarray, severity: Any) -> np.ndarray:
    return np.column_stack([np.ones_like(weeks), np.log1p(weeks), np.broadcast_to(severity, weeks.shape)])


@pytest.fixture(scope="module")
def fit() -> models.GrowthCurve:
    return models.growth_curve(DATA, **COLUMNS, covariates=["severity"])


@pytest.fixture(scope="module")
def henderson(fit):
    """Solution and covariance of (coefficients, every client's effects less their truth): Henderson (1975)."""
    found = fit.estimates
    codes = DATA["client"].to_numpy()
    x = _fixed(DATA["weeks"].to_numpy(), DATA["severity"].to_numpy())
    z = np.zeros((len(DATA), 2 * 25))
    z[np.arange(len(DATA)), 2 * codes] = x[:, 0]
    z[np.arange(len(DATA)), 2 * codes + 1] = x[:, 1]
    both = np.hstack([x, z])
    left = both.T @ both / found.residual_variance
    left[3:, 3:] += np.kron(np.eye(25), np.linalg.inv(found.random_covariance))
    covariance = np.linalg.inv(left)
    return covariance @ (both.T @ DATA["y"].to_numpy()) / found.residual_variance, covariance


@pytest.mark.parametrize("kind", ["prediction", "mean"])
@pytest.mark.parametrize("client", [0, 13, 24])
def test_a_clients_band_counts_coefficients_effects_and_residual(fit, henderson, client, kind):
    solution, covariance = henderson
    severity = DATA.filter(pl.col("client") == client)["severity"][0]
    x = _fixed(TIMES, severity)
    rows = np.zeros((len(TIMES), len(solution)))
    rows[:, :3], rows[:, 3 + 2 * client : 5 + 2 * client] = x, x[:, :2]
    variance = np.einsum("ti,ij,tj->t", rows, covariance, rows)
    variance += fit.estimates.residual_variance if kind == "prediction" else 0.0
    curve = fit.predict_client(client, TIMES, kind=kind, level=0.8)
    np.testing.assert_allclose(curve.mean, rows @ solution, rtol=1e-9)
    np.testing.assert_allclose(curve.upper - curve.mean, NORMAL_80 * np.sqrt(variance), rtol=1e-8)
    np.testing.assert_allclose(curve.mean - curve.lower, curve.upper - curve.mean)
    assert curve.observations == len(DATA.filter(pl.col("client") == client))


@pytest.mark.parametrize("kind", ["prediction", "mean"])
def test_a_new_client_has_the_spread_between_clients_in_the_band(fit, kind):
    found = fit.estimates
    x = _fixed(TIMES, 24.0)
    z = x[:, :2]
    own = np.einsum("ti,ij,tj->t", x, found.covariance, x)
    between = np.einsum("ti,ij,tj->t", z, found.random_covariance, z)
    noise = found.residual_variance if kind == "prediction" else 0.0
    stranger = fit.predict_client("nobody", TIMES, new=True, covariates={"severity": 24.0}, kind=kind)
    np.testing.assert_allclose(stranger.mean, x @ found.coefficients, rtol=1e-9)
    np.testing.assert_allclose(
        stranger.upper - stranger.mean, NORMAL_80 * np.sqrt(own + between + noise), rtol=1e-8
    )
    assert stranger.observations == 0
    mean = fit.predict_mean(TIMES, covariates={"severity": 24.0}, kind=kind)
    spread = own + (between + noise if kind == "prediction" else 0.0)
    np.testing.assert_allclose(mean.upper - mean.mean, NORMAL_80 * np.sqrt(spread), rtol=1e-8)


def test_someone_known_by_a_few_scores_is_predicted_by_the_conditional_normal(fit):
    found = fit.estimates
    seen, scores = np.array([0.0, 1.0, 2.2]), np.array([24.0, 22.0, 25.0])
    x, at = _fixed(seen, 18.0), _fixed(TIMES, 18.0)
    z, z_at = x[:, :2], at[:, :2]
    g, s2 = found.random_covariance, found.residual_variance
    gain = z_at @ g @ z.T @ np.linalg.inv(z @ g @ z.T + s2 * np.eye(3))
    mean = at @ found.coefficients + gain @ (scores - x @ found.coefficients)
    d = at - gain @ x
    variance = np.einsum("ti,ij,tj->t", z_at, g, z_at) - np.einsum("ti,ti->t", gain, z_at @ g @ z.T)
    variance += s2 + np.einsum("ti,ij,tj->t", d, found.covariance, d)
    curve = fit.predict_scores(seen, scores, TIMES, covariates={"severity": 18.0})
    np.testing.assert_allclose(curve.mean, mean, rtol=1e-9)
    np.testing.assert_allclose(curve.upper - curve.mean, NORMAL_80 * np.sqrt(variance), rtol=1e-8)
    assert curve.observations == 3


def test_averages_over_clients_stand_in_for_covariates_not_given(fit):
    average = DATA.group_by("client").first()["severity"].mean()
    expected = fit.predict_mean([1.0], covariates={"severity": average}).mean
    np.testing.assert_allclose(fit.predict_mean([1.0]).mean, expected)


@pytest.mark.slow  # a simulation
@pytest.mark.long
def test_bands_cover_as_often_as_they_say():
    # 40 clinics of 40 clients; each client's last score was held back
    rng = np.random.default_rng(31)
    inside = total = 0
    for _ in range(40):
        sessions = rng.integers(3, 9, 40)
        who = np.repeat(np.arange(40), sessions)
        weeks = np.concatenate([np.cumsum(rng.gamma(2.0, 0.6, k)) for k in sessions])
        effects = (rng.standard_normal((40, 2)) @ np.array([[4.0, -0.8], [0.0, 1.5]]))[who]
        f = np.log1p(weeks)
        y = 20 - 2.5 * f + effects[:, 0] + effects[:, 1] * f + rng.normal(0, 3.0, who.size)
        last = np.append(who[1:] != who[:-1], True)
        frame = pl.DataFrame({"client": who[~last], "weeks": weeks[~last], "y": y[~last]})
        fitted = models.growth_curve(frame, **COLUMNS)
        for client, week, score in zip(who[last].tolist(), weeks[last].tolist(), y[last].tolist(), strict=True):
            band = fitted.predict_client(client, [week], level=0.8)
            inside += bool(band.lower[0] <= score <= band.upper[0])
            total += 1
    assert abs(inside / total - 0.8) < 0.03  # 2.4 standard errors of 1,600 draws, and the variances are estimated


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda f: f.predict_client(0, [1.0], level=80), "percentage"),
        (lambda f: f.predict_client(0, [float("nan")]), "finite"),
        (lambda f: f.predict_client(0, [1.0], kind="score"), "'prediction' or 'mean'"),
        (lambda f: f.predict_mean([1.0], covariates={"age": 3}), "no covariate 'age'"),
        (lambda f: f.predict_scores([0.0, 1.0], [20.0], [3.0]), "as many as observed_times"),
    ],
)
def test_refusals(fit, call, text):
    with pytest.raises(ModelError, match=text):
        call(fit)
