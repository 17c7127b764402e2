"""The likelihood ratio at every limit of a profile interval is the chi-square quantile, by a second likelihood."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2

from mbc import models

pytestmark = pytest.mark.long

COLUMNS = {"outcome": "y", "time": "week", "client": "client"}
CASE = Path(__file__).parent / "data" / "g1.csv"


class Likelihood:
    """-2 log-likelihood of random intercept and slope from all covariances, coefficients profiled out."""

    def __init__(self, frame, slope, x):
        codes = np.unique(frame["client"].to_numpy(), return_inverse=True)[1]
        parts = [np.flatnonzero(codes == k) for k in range(codes.max() + 1)]
        self.rows, longest = frame.height, max(part.size for part in parts)
        # clients with fewer rows are filled up with rows of zeros, whose variance is 1: they add nothing
        self.real = np.array([np.arange(longest) < part.size for part in parts])
        self.y, self.x = np.zeros((len(parts), longest)), np.zeros((len(parts), longest, x.shape[1]))
        self.z = np.zeros((len(parts), longest, 2))
        for k, part in enumerate(parts):
            self.y[k, : part.size], self.x[k, : part.size] = frame["y"].to_numpy()[part], x[part]
            self.z[k, : part.size] = np.column_stack([np.ones(part.size), slope[part]])

    def deviance(self, sd, r, sigma):
        g = np.array([[sd[0] ** 2, r * sd[0] * sd[1]], [r * sd[0] * sd[1], sd[1] ** 2]])
        v = self.z @ g @ self.z.transpose(0, 2, 1)
        v += np.where(self.real, sigma**2, 1.0)[:, :, None] * np.eye(self.real.shape[1])
        inverse = np.linalg.inv(v)
        weighted = inverse @ self.x
        xx = np.einsum("kip,kiq->pq", self.x, weighted)
        xy = np.einsum("kip,ki->p", weighted, self.y)
        yy = np.einsum("ki,kij,kj->", self.y, inverse, self.y)
        log_det = np.linalg.slogdet(v)[1].sum()
        return log_det + yy - xy @ np.linalg.solve(xx, xy) + self.rows * np.log(2 * np.pi)

    def least(self, held, value, starts):
        """Minimise over what is not held: log standard deviations and atanh of the correlation."""
        names = [name for name in ("sd0", "sd1", "r", "sigma") if name != held]

        def objective(free):
            at = {held: value} | {
                name: np.tanh(u) if name == "r" else np.exp(np.clip(u, -20, 8))
                for name, u in zip(names, free, strict=True)
            }
            return self.deviance((at["sd0"], at["sd1"]), at["r"], at["sigma"])

        best = np.inf
        for start in starts:
            first = [np.arctanh(start[n]) if n == "r" else np.log(start[n]) for n in names]
            best = min(best, minimize(objective, first, method="BFGS", options={"gtol": 1e-4}).fun)
        return best


def simulated(seed):
    rng = np.random.default_rng(seed)
    n, k = 14, 5
    who, week = np.repeat(np.arange(n), k), np.tile(np.arange(k), n).astype(float)
    sd, r = (3.0, float(rng.uniform(0.3, 1.2))), float(rng.uniform(-0.8, 0.8))
    g = [[sd[0] ** 2, r * sd[0] * sd[1]], [r * sd[0] * sd[1], sd[1] ** 2]]
    effects = rng.multivariate_normal([0, 0], g, n)
    y = 20 + effects[who, 0] + (effects[who, 1] - 1) * week + rng.normal(0, 2, n * k)
    return pl.DataFrame({"client": who, "week": week, "y": y})


def check_limits(fit, likelihood):
    intervals = fit.variance_intervals()
    names = dict(
        zip(("sd0", "sd1", "r", "sigma"), (intervals[0], intervals[1], intervals[2], intervals[3]), strict=True)
    )
    at = {name: interval.estimate for name, interval in names.items()}
    inside = at | {"r": float(np.clip(at["r"], -0.95, 0.95)), "sd1": max(at["sd1"], 0.05)}
    starts = [inside, inside | {"sd1": 0.1 * inside["sd1"]}, inside | {"r": -0.5}, inside | {"r": 0.9}]
    least = -2 * fit.log_likelihood
    checked = 0
    for name, interval in names.items():
        for limit in (interval.lower, interval.upper):
            edge = limit == 0 or (name == "r" and abs(limit) == 1)
            value = limit * (1 - 1e-9) if edge else limit
            ratio = likelihood.least(name, value, starts) - least
            if edge:
                assert ratio <= chi2.ppf(0.95, 1) + 2e-3, (name, limit, ratio)
            else:
                assert ratio == pytest.approx(chi2.ppf(0.95, 1), abs=2e-3), (name, limit)
                checked += 1
    return checked


@pytest.mark.slow  # limits that agree with lme4: below, and in test_variance_intervals
@pytest.mark.parametrize("seed", range(2))
def test_the_likelihood_ratio_at_every_limit_is_the_quantile(seed):
    frame = simulated(seed)
    fit = models.growth_curve(frame, **COLUMNS, shape="linear", reml=False)
    week = frame["week"].to_numpy()
    assert check_limits(fit, Likelihood(frame, week, np.column_stack([np.ones(week.size), week]))) >= 5


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 40))
def test_the_likelihood_ratio_at_every_limit_is_the_quantile_for_more_seeds(seed):
    test_the_likelihood_ratio_at_every_limit_is_the_quantile(seed)


@pytest.mark.slow  # test_variance_intervals.py agrees with lme4's profile
def test_a_correlation_is_held_at_its_sign_against_the_deviance_of_lme4():
    """Lme4's own deviance function (ML): ratio 4.038 at -0.45, 3.806 at -0.40, 0.740 at +1."""
    frame = pl.read_csv(CASE)
    fit = models.growth_curve(frame, **COLUMNS, covariates=("arm:time", "age"), reml=False)
    intervals = fit.variance_intervals()
    found = next(i for i in intervals if i.quantity == "correlation")
    assert -0.45 < found.lower < -0.40
    assert found.upper == 1.0
    week = np.log1p(frame["week"].to_numpy())
    arm = (frame["arm"] == "ctl").to_numpy().astype(float)
    x = np.column_stack([np.ones(week.size), week, arm, week * arm, frame["age"].to_numpy()])
    likelihood = Likelihood(frame, week, x)
    at = {n: float(i.estimate) for n, i in zip(("sd0", "sd1", "r", "sigma"), intervals, strict=True)}
    assert -2 * fit.log_likelihood == pytest.approx(likelihood.least("r", found.estimate, [at]), abs=1e-5)
    for r, ratio in ((-0.45, 4.038), (-0.40, 3.806), (0.9999999, 0.740)):  # printed by lme4
        starts = [at, at | {"sd1": 0.2}]
        assert likelihood.least("r", r, starts) + 2 * fit.log_likelihood == pytest.approx(ratio, abs=2e-3)
