"""The course model: its likelihood against nlme and scipy, its predictions against the joint distribution."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

from mbc.models.forecast.course_model import fit as fitting
from mbc.models.forecast.course_model.fluctuation import CourseModel, Scatter
from mbc.models.forecast.course_model.histories import histories_of, read_histories
from mbc.models.forecast.course_model.mean_basis import MeanBasis
from mbc.models.forecast.course_model.outcome_scale import OutcomeScale

NLME = json.loads((Path(__file__).parents[2] / "reference/forecast/nlme.json").read_text())
PLAIN = OutcomeScale(-50, 100, False, "none", 0.0)
CENTER = 1.5


@pytest.fixture(scope="module")
def straight(courses):
    """Groups for the model that nlme fitted: 1, clock, intake and their product; the score itself."""
    histories = read_histories(courses(), outcome="score", time="weeks", client="client").followed()
    intake = PLAIN.internal(histories.intake)
    basis = MeanBasis(1.0, (), float(intake.mean()), float(intake.std()), ())
    return histories, basis, list(fitting._groups(histories, PLAIN, basis, CENTER))


def parameters_of_nlme() -> np.ndarray:
    """nlme's optimum in our parameters: its slope is on the clock itself, ours on the clock about its centre."""
    shift = np.array([[1.0, CENTER], [0.0, 1.0]])
    factor = np.linalg.cholesky(shift @ np.array(NLME["G"]) @ shift.T)
    error, fading = NLME["sigma"] * np.sqrt([NLME["nugget"], 1 - NLME["nugget"]])
    return np.array(
        [
            np.log(error),
            np.log(fading),
            np.log(NLME["range"]),
            np.log(factor[0, 0]),
            factor[1, 0],
            np.log(factor[1, 1]),
        ]
    )


def log_likelihood(groups, parameters) -> float:
    rows = sum(int(group.own.sum()) for group in groups)
    return -fitting._mean_course(groups, parameters)[2] - rows / 2 * np.log(2 * np.pi)


def test_at_the_optimum_of_nlme_the_likelihood_is_that_of_nlme(straight):
    _, _, groups = straight
    assert sum(int(group.own.sum()) for group in groups) == NLME["rows"]
    assert log_likelihood(groups, parameters_of_nlme()) == pytest.approx(NLME["logLik"], abs=1e-6)


def test_the_search_ends_no_lower_than_nlme(straight):
    _, _, groups = straight
    found = minimize(
        lambda p: fitting._deviance(groups, p), parameters_of_nlme() * 0.7, jac=True, method="L-BFGS-B"
    )
    assert log_likelihood(groups, found.x) >= NLME["logLik"] - 1e-6


def test_the_gradient_is_the_slope_of_the_deviance(straight):
    _, _, groups = straight
    at = parameters_of_nlme() * 0.8
    steps = np.eye(6) * 1e-5
    numeric = [(fitting._deviance(groups, at + s)[0] - fitting._deviance(groups, at - s)[0]) / 2e-5 for s in steps]
    assert fitting._deviance(groups, at)[1] == pytest.approx(numeric, rel=1e-6, abs=1e-5)


@pytest.fixture(scope="module")
def known() -> CourseModel:
    basis = MeanBasis(2.0, (), 20.0, 5.0, ())
    scatter = Scatter(np.array([[2.0, -0.4], [-0.4, 0.5]]), 1.5, 4.0, 0.8, 1.2)
    return CourseModel(basis, np.array([10.0, -3.0, 2.0, -0.5]), np.zeros((4, 4)), scatter)


def joint(model: CourseModel, times: np.ndarray, intake: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of scores at these times, entry by entry."""
    s = model.scatter
    clock = [np.log1p(t / model.basis.unit) for t in times]
    level = (intake - model.basis.intake_center) / model.basis.intake_spread
    mean = np.array([model.coefficients @ [1, c, level, level * c] for c in clock])
    v = np.zeros((len(times), len(times)))
    for i, a in enumerate(clock):
        for j, b in enumerate(clock):
            z, w = np.array([1, a - s.clock_center]), np.array([1, b - s.clock_center])
            v[i, j] = z @ s.effects @ w + s.fading * np.exp(-abs(times[i] - times[j]) / s.fading_time)
        v[i, i] += s.error
    return mean, v


def test_predictions_condition_the_joint_normal_distribution(known):
    times = np.array([1.0, 2.5, 7.0, 9.0, 15.0])
    mean, v = joint(known, times, 24.0)
    seen = np.array([9.0, 8.0, 4.0])
    gain = v[3:, :3] @ np.linalg.inv(v[:3, :3])
    found, variance = known.predict(times[None, :3], seen[None], np.array([24.0]), times[None, 3:])
    assert found[0] == pytest.approx(mean[3:] + gain @ (seen - mean[:3]))
    assert variance[0] == pytest.approx(np.diag(v[3:, 3:] - gain @ v[:3, 3:]))


def test_without_scores_after_intake_the_prediction_is_the_mean_course(known):
    times = np.array([3.0, 10.0])
    mean, v = joint(known, times, 18.0)
    none = np.zeros((1, 0))
    found, variance = known.predict(none, none, np.array([18.0]), times[None])
    assert found[0] == pytest.approx(mean)
    assert variance[0] == pytest.approx(np.diag(v))


def test_the_deviance_is_the_normal_density(straight, known):
    """One client of a group against scipy's density, at coefficients found by least squares over that client."""
    _, _, groups = straight
    at = parameters_of_nlme()
    group = groups[-1]
    one = fitting._Group(*(value[:40] for value in (group.w, group.x, group.z, group.gap, group.both, group.own)))
    beta, _, half = fitting._mean_course([one], at)
    v, _, _ = fitting._covariance(one, at)
    density = 0.0
    for i in range(len(one.w)):
        own = one.own[i]
        density += multivariate_normal.logpdf(one.w[i][own], one.x[i][own] @ beta, v[i][np.ix_(own, own)])
    assert -half - one.own.sum() / 2 * np.log(2 * np.pi) == pytest.approx(density)


def test_scores_at_one_time_become_their_mean():
    found = histories_of(np.array([0, 0, 0]), np.array([0.0, 5.0, 5.0]), np.array([10.0, 6.0, 9.0]), ("a",))
    assert found.score[0].tolist() == [10.0, 7.5]
    assert found.merged == 1
    assert found.count.tolist() == [2]


@pytest.mark.parametrize("transform", ["none", "square root", "logarithm"])
@pytest.mark.parametrize("higher_is_better", [True, False])
def test_a_scale_takes_scores_there_and_back(transform, higher_is_better):
    scale = OutcomeScale(0, 63, higher_is_better, transform, 1)
    scores = np.linspace(0, 63, 64)
    assert scale.score(scale.internal(scores)) == pytest.approx(scores)
    assert (np.diff(scale.internal(scores)) < 0).all() == higher_is_better


@pytest.mark.parametrize("transform", ["none", "square root", "logarithm"])
def test_moments_are_those_of_many_draws(transform):
    scale = OutcomeScale(0, 63, False, transform, 1)
    mean, sd = (
        float(scale.internal(np.array([14.0]))[0]),
        {"none": 4.0, "square root": 0.6, "logarithm": 0.3}[transform],
    )
    draws = scale.score(np.random.default_rng(1).normal(mean, sd, 400_000))
    average, variance = scale.moments(np.array([mean]), np.array([sd**2]))
    assert average[0] == pytest.approx(draws.mean(), abs=0.03)
    assert variance[0] == pytest.approx(draws.var(), rel=0.02)


@pytest.mark.parametrize("transform", ["square root", "logarithm"])
def test_likelihoods_of_two_transforms_are_of_the_same_scores(transform):
    """A density on the internal scale times the slope of the transform is a density of scores: it holds one."""
    scale = OutcomeScale(0, 63, False, transform, 0)
    scores = np.linspace(0, 200, 400_001)
    inner = scale.internal(scores)
    center = float(scale.internal(np.array([20.0]))[0])
    density = np.exp(-0.5 * ((inner - center) / 0.3) ** 2) / (0.3 * np.sqrt(2 * np.pi))
    slope = np.exp([scale.log_slope(np.array([s])) for s in scores[::2000]])
    assert slope == pytest.approx(np.gradient(inner, scores)[::2000], rel=1e-2)
    assert np.trapezoid(density * np.gradient(inner, scores), scores) == pytest.approx(1.0, abs=2e-3)
