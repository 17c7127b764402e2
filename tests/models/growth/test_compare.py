"""Comparing two fitted models: which distribution the likelihood ratio has, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from mbc import models
from mbc.errors import ModelError
from mbc.models.growth.comparison.compare_models import directions, mixture_p_value, mixture_weights
from mbc.models.growth.comparison.compared_fit import ComparedFit, DataMark
from tests.models.growth.test_fitted_rows import variant
from tests.models.result_examples import GROWTH, growth, scores

pytestmark = pytest.mark.long


# Fitzmaurice, Laird & Ware, Applied Longitudinal Analysis, 2nd ed., table C.1: critical values of the even mixture
# of chi-squares with q and q + 1 degrees of freedom.
@pytest.mark.parametrize(
    ("q", "level", "critical"),
    [
        (0, 0.05, 2.71), (0, 0.01, 5.41),
        (1, 0.05, 5.14), (1, 0.01, 8.27),
        (2, 0.05, 7.05), (2, 0.01, 10.50),
        (3, 0.05, 8.76), (3, 0.01, 12.48),
    ],
)  # fmt: skip
def test_mixtures_have_their_published_critical_values(q, level, critical):
    weights = mixture_weights(q, 1)
    assert mixture_p_value(critical + 0.005, weights) < level < mixture_p_value(critical - 0.006, weights)


TIMES = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])


def balanced(clients: int, slope_sd: float, seed: int) -> np.ndarray:
    """Draw scores at the same five times, (clients, times)."""
    rng = np.random.default_rng(seed)
    level, slope = rng.normal(20, 3, clients), rng.normal(-1, slope_sd, clients)
    return level[:, None] + slope[:, None] * TIMES + rng.normal(0, 2, (clients, TIMES.size))


def by_hand(y: np.ndarray) -> np.ndarray:
    """Likelihood ratio of an independent random slope, by hand.

    With balanced centred times a client's mean, its least-squares slope b_i and its residual sum of squares are
    independent; only the last two depend on the slope's variance t^2 and the residual's s^2. Free, they are
    fitted separately: s^2 = RSS / (n (T - 2)) and t^2 + s^2 / S = sum (b_i - mean b)^2 / n, S = sum of squared
    times. At t^2 = 0, s^2 = (RSS + S sum (b_i - mean b)^2) / (n (T - 1)). Zero where the free t^2 is negative.
    """
    n, size, square = y.shape[-2], TIMES.size, float(TIMES @ TIMES)
    slope = y @ TIMES / square
    left = y - y.mean(axis=-1, keepdims=True) - slope[..., None] * TIMES
    rss = (left**2).sum(axis=(-1, -2))
    spread = ((slope - slope.mean(axis=-1, keepdims=True)) ** 2).sum(axis=-1)
    free, held = rss / (n * (size - 2)), (rss + square * spread) / (n * (size - 1))
    ratio = n * (size - 1) * np.log(held) - n * np.log(square * spread / n) - n * (size - 2) * np.log(free)
    return np.where(square * spread / n > free, ratio, 0.0)


@pytest.mark.parametrize(("slope_sd", "seed"), [(0.5, 1), (0.2, 2), (0.0, 3), (0.0, 4)])
def test_an_independent_slope_is_tested_as_by_hand(slope_sd, seed):
    y = balanced(40, slope_sd, seed)
    data = pd.DataFrame(
        {
            "client": np.repeat(np.arange(40), TIMES.size),
            "week": np.tile(TIMES, 40),
            "score": y.ravel(),
        }
    )
    with np.errstate(all="ignore"), pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *args, **kwargs: None)  # a variance of zero is what is tested
        small = models.mixedlm("score ~ week", data, groups="client", reml=False)
        large = models.mixedlm(
            "score ~ week", data, groups="client", re_formula="~1", vc_formula={"week": "0 + week"}, reml=False
        )
    both = models.compare(large, small)
    expected = float(by_hand(y))
    assert both.statistic == pytest.approx(expected, abs=1e-5)
    assert both.p_value == pytest.approx(0.5 * chi2.sf(expected, 1) if expected > 0 else 1.0, abs=1e-5)
    assert both.weights == {0: 0.5, 1: 0.5}
    assert both.parameters == (4, 5)


def test_the_mixture_holds_its_level_where_a_chi_square_does_not():
    ratios = np.array([by_hand(balanced(60, 0.0, seed)) for seed in range(4000)])
    mixture, plain = mixture_weights(0, 1), mixture_weights(1, 0)
    rejected = np.mean([mixture_p_value(float(ratio), mixture) < 0.05 for ratio in ratios])
    assert rejected == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / 4000))
    assert np.mean([mixture_p_value(float(ratio), plain) < 0.05 for ratio in ratios]) < 0.035


def test_two_variances_at_once_are_bounded_from_above():
    # Projection of a standard normal matrix on the covariance matrices of size 2, in the metric of the sum of
    # squares: a circular cone of half-angle 45 degrees, whose weights are known (Shapiro, 1988).
    outer, inner = (1 - np.cos(np.pi / 4)) / 2, np.cos(np.pi / 4) / 2
    exact = {0: outer, 1: inner, 2: inner, 3: outer}
    assert sum(exact.values()) == pytest.approx(1)
    bound = mixture_weights(0, 3)
    assert bound == {2: 0.5, 3: 0.5}
    for statistic in (0.5, 2.0, 5.0, 9.0):
        assert mixture_p_value(statistic, exact) < mixture_p_value(statistic, bound)


def fit_of(**options: object) -> ComparedFit:
    """Make a description to compare."""
    mark = DataMark.of(np.arange(10.0), np.repeat(np.arange(5), 2), 5)
    base: dict[str, object] = {
        "label": "a",
        "fixed": frozenset({"(Intercept)", "week"}),
        "random": {"client": frozenset({"(Intercept)"})},
        "log_likelihood": -10.0,
        "reml": False,
        "converged": True,
        "data": mark,
    }
    return ComparedFit(**(base | options))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("larger", "free", "bounded"),
    [
        ({"fixed": frozenset({"(Intercept)", "week", "arm"})}, 1, 0),
        ({"random": {"client": frozenset({"(Intercept)", "week"})}}, 1, 1),
        ({"random": {"client": frozenset({"(Intercept)", "week", "week^2"})}}, 2, 3),
        ({"components": frozenset({"week"})}, 0, 1),
        ({"random": {"client": frozenset({"(Intercept)"}), "therapist": frozenset({"(Intercept)"})}}, 0, 1),
        (
            {
                "fixed": frozenset({"(Intercept)", "week", "arm"}),
                "random": {"client": frozenset({"(Intercept)", "week"})},
            },
            2,
            1,
        ),
    ],
)
def test_parameters_under_test_are_counted(larger, free, bounded):
    assert fit_of().is_within(fit_of(**larger))
    assert directions(fit_of(), fit_of(**larger)) == (free, bounded)


def test_a_random_slope_has_the_mixture_of_one_and_two_degrees_of_freedom():
    intercept = models.growth_curve(scores(), **GROWTH, covariates=["arm:time"], random="intercept")
    both = models.compare(growth(), intercept)
    gain = 2 * (growth().log_likelihood - intercept.log_likelihood)
    assert both.statistic == pytest.approx(gain)
    assert both.p_value == pytest.approx(0.5 * chi2.sf(gain, 1) + 0.5 * chi2.sf(gain, 2))
    assert both.aics == pytest.approx((intercept.aic, growth().aic))
    assert both.bics == pytest.approx((intercept.bic, growth().bic))
    table = both.to_frame()
    assert table["parameters"].to_list() == [intercept.n_parameters, growth().n_parameters]


def test_formula_and_curve_are_one_model():
    curve = models.growth_curve(scores(), **GROWTH)
    intercept = models.mixedlm("score ~ week", scores(), groups="client")
    slope = models.mixedlm("score ~ week", scores(), groups="client", re_formula="~week")
    assert models.compare(curve, intercept).p_value == pytest.approx(models.compare(slope, intercept).p_value)


def test_fixed_effects_have_a_chi_square_under_maximum_likelihood():
    plain = models.growth_curve(scores(), **GROWTH, reml=False)
    arm = models.growth_curve(scores(), **GROWTH, covariates=["arm:time"], reml=False)
    both = models.compare(plain, arm)
    assert both.p_value == pytest.approx(chi2.sf(2 * (arm.log_likelihood - plain.log_likelihood), 2))
    assert not both.conservative


def test_extensions_are_compared_with_the_plain_model():
    plain = models.growth_curve(scores(), **GROWTH, random="intercept", covariates=["arm"])
    serial = models.compare(plain, variant("serial"))
    assert serial.p_value == pytest.approx(variant("serial").p_value, rel=1e-6)
    slopes = models.growth_curve(scores(), **GROWTH)
    assert models.compare(slopes, variant("therapist")).weights == {0: 0.5, 1: 0.5}
    assert models.compare(slopes, variant("grouped")).weights == {1: 1.0}
    robust = models.compare(
        models.growth_curve(scores(), **GROWTH, random="intercept", covariates=["arm"], reml=False),
        variant("robust"),
    )
    gain = variant("robust").log_likelihood - variant("robust").normal_log_likelihood
    assert robust.statistic == pytest.approx(2 * max(gain, 0), abs=1e-4)


def test_two_outcomes_with_slopes_are_compared_with_intercepts_alone():
    columns = {"outcomes": ("score", "other"), "time": "week", "client": "client", "shape": "linear"}
    small, large = (models.paired_growth(scores(), **columns, random=random) for random in ("intercept", "slope"))
    both = models.compare(small, large)
    # Two slopes next to two intercepts: 4 free covariances, and a covariance matrix of size 2.
    assert both.weights == {6: 0.5, 7: 0.5}
    assert both.conservative
    assert both.statistic == pytest.approx(2 * (large.log_likelihood - small.log_likelihood))


def test_models_that_do_not_contain_each_other_have_criteria_and_no_p_value():
    linear = models.growth_curve(scores(), **GROWTH, reml=False)
    log = models.growth_curve(scores(), **(GROWTH | {"shape": "log"}), reml=False)
    both = models.compare(linear, log)
    assert both.statistic is both.p_value is None
    assert sorted(both.aics) == pytest.approx(sorted((linear.aic, log.aic)))
    assert "Neither model contains the other" in both.methods_text()


def test_what_cannot_be_compared_is_refused():
    restricted, likelihood = (
        models.growth_curve(scores(), **GROWTH),
        models.growth_curve(scores(), **GROWTH, reml=False),
    )
    with pytest.raises(ModelError, match="one model was fitted by REML"):
        models.compare(restricted, likelihood)
    with pytest.raises(ModelError, match=r"different fixed effects \(arm.*reml=False"):
        models.compare(restricted, growth())
    with pytest.raises(ModelError, match="351 scores of 64 clients"):
        models.compare(restricted, models.growth_curve(scores()[:-1], **GROWTH))
    shuffled = scores().assign(score=scores()["score"].to_numpy()[::-1])
    with pytest.raises(ModelError, match="as many, but not the same"):
        models.compare(restricted, models.growth_curve(shuffled, **GROWTH))
    with pytest.raises(ModelError, match="two fitted growth models, got str"):
        models.compare(restricted, "the other")
    with pytest.raises(ModelError, match="did not converge"):
        models.compare(_Made(fit_of(converged=False)), _Made(fit_of()))
    with pytest.raises(ModelError, match="did not end at the maximum"):
        models.compare(_Made(fit_of()), _Made(fit_of(components=frozenset({"week"}), log_likelihood=-11.0)))


class _Made:
    def __init__(self, description: ComparedFit) -> None:
        self.description = description

    def compared_fit(self) -> ComparedFit:
        return self.description
