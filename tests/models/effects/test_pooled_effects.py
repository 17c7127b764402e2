"""Pooled effects: a published example, second derivations, and what follows from rounding."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from mbc import figures, models
from mbc.errors import ModelError
from mbc.models.effects.heterogeneity import generalised_q
from mbc.models.effects.pooled_proportions import logits_of

# Colditz et al. (1994): BCG vaccine against tuberculosis, 13 trials; cases and others, vaccinated and not.
BCG = np.array(
    [
        (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761),
        (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232),
        (17, 1699, 65, 1600), (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825),
    ],
    dtype=float,
)  # fmt: skip
CASES, OTHERS, CONTROL_CASES, CONTROL_OTHERS = BCG.T
Y = np.log(CASES / (CASES + OTHERS)) - np.log(CONTROL_CASES / (CONTROL_CASES + CONTROL_OTHERS))
V = 1 / CASES - 1 / (CASES + OTHERS) + 1 / CONTROL_CASES - 1 / (CONTROL_CASES + CONTROL_OTHERS)


def test_log_risk_ratios_of_the_bcg_trials_are_those_of_metafor():
    """As the package metafor prints them for these data: rma(yi, vi), with confint()."""
    normal = models.pool_effects(Y, V, interval="normal")
    expected = (-0.7145, 0.1798, -1.0669, -0.3622, 0.3132, 0.1197, 1.1115, 152.2330, 92.22, 81.92, 97.68)
    pooled = (
        normal.estimate, normal.standard_error, normal.lower, normal.upper, normal.tau2, normal.tau2_lower,
        normal.tau2_upper, normal.q, normal.i2, normal.i2_lower, normal.i2_upper,
    )  # fmt: skip
    for number, digits in zip(zip(pooled, expected, strict=True), [4] * 8 + [2] * 3, strict=True):
        assert round(number[0], digits) == number[1]
    assert normal.q_df == 12
    fixed = models.pool_effects(Y, V, effects="fixed")
    assert [round(number, 4) for number in (fixed.estimate, fixed.lower, fixed.upper)] == [
        -0.4303,
        -0.5097,
        -0.3509,
    ]
    assert fixed.prediction_lower is None
    assert fixed.tau2 == normal.tau2


def test_reml_is_the_fixed_point_of_its_estimating_equation():
    """Second derivation: the equation of Viechtbauer (2005), iterated, with nothing of mbc in it."""
    tau2 = 1.0
    for _ in range(500):
        w = 1 / (V + tau2)
        mean = (w * Y).sum() / w.sum()
        tau2 = (w**2 * ((Y - mean) ** 2 - V)).sum() / (w**2).sum() + 1 / w.sum()
    pooled = models.pool_effects(Y, V, interval="hartung-knapp-unmodified")
    assert pooled.tau2 == pytest.approx(tau2, rel=1e-9)
    assert pooled.estimate == pytest.approx(mean, rel=1e-9)
    error = math.sqrt((w * (Y - mean) ** 2).sum() / 12 / w.sum())
    assert pooled.standard_error == pytest.approx(error, rel=1e-9)
    assert (pooled.lower, pooled.upper) == pytest.approx(stats.t(12, mean, error).interval(0.95), rel=1e-9)
    prediction = stats.t(11, mean, math.hypot(error, math.sqrt(tau2))).interval(0.95)
    assert (pooled.prediction_lower, pooled.prediction_upper) == pytest.approx(prediction, rel=1e-9)
    assert pooled.p_value == pytest.approx(stats.t(12).sf(abs(mean / error)) * 2, rel=1e-9)


def test_paule_mandel_solves_its_equation_and_limits_solve_theirs():
    pooled = models.pool_effects(Y, V, estimator="paule-mandel", interval="hartung-knapp-unmodified")
    assert generalised_q(Y, V, pooled.tau2) == pytest.approx(12, rel=1e-9)
    assert round(pooled.tau2, 4) == 0.3181
    normal = models.pool_effects(Y, V, estimator="paule-mandel", interval="normal")
    assert pooled.standard_error == pytest.approx(normal.standard_error, rel=1e-9)  # the scatter is 1 there
    for limit, probability in ((pooled.tau2_lower, 0.975), (pooled.tau2_upper, 0.025)):
        assert generalised_q(Y, V, limit) == pytest.approx(stats.chi2(12).ppf(probability), rel=1e-9)


@pytest.mark.parametrize("estimator", ["reml", "paule-mandel"])
def test_equal_variances_have_a_closed_form(estimator):
    effects, variance = np.array([0.1, 0.9, 0.4, -0.6, 1.3]), 0.2
    pooled = models.pool_effects(effects, [variance] * 5, estimator=estimator)
    assert pooled.tau2 == pytest.approx(effects.var(ddof=1) - variance, rel=1e-8)
    assert pooled.estimate == pytest.approx(effects.mean())
    assert pooled.standard_error == pytest.approx(effects.std(ddof=1) / math.sqrt(5), rel=1e-8)
    alike = models.pool_effects([0.5] * 4, [0.1, 0.2, 0.3, 0.4], estimator=estimator)
    assert alike.tau2 == alike.tau2_lower == alike.i2 == 0
    # agreement by chance does not make an estimate certain, unless that is asked for
    assert alike.standard_error == pytest.approx(1 / math.sqrt(10 + 5 + 10 / 3 + 2.5))
    unmodified = models.pool_effects([0.5] * 4, [0.1, 0.2, 0.3, 0.4], interval="hartung-knapp-unmodified")
    assert unmodified.standard_error == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_units_do_not_matter(factor):
    pooled = models.pool_effects(Y * factor, V * factor**2)
    here = models.pool_effects(Y, V)
    assert pooled.estimate == pytest.approx(here.estimate * factor, rel=1e-8)
    assert pooled.tau2 == pytest.approx(here.tau2 * factor**2, rel=1e-7)
    assert pooled.i2_upper == pytest.approx(here.i2_upper, rel=1e-8)


def test_two_studies_have_no_prediction_interval_and_say_so():
    pooled = models.pool_effects([0.1, 0.3], [0.01, 0.02], studies=["north", "south"])
    assert pooled.prediction_lower is None
    assert "needs three studies" in pooled.summary()
    assert pooled.to_frame()["study"].to_list() == ["north", "south"]
    assert pooled.to_frame()["weight"].sum() == pytest.approx(100)


def test_proportions_are_pooled_as_logits_and_given_back_as_shares():
    counts, totals = np.array([30.0, 12.0, 55.0]), np.array([60.0, 40.0, 90.0])
    pooled = models.pool_proportions(counts, totals)
    logits = models.pool_effects(np.log(counts / (totals - counts)), 1 / counts + 1 / (totals - counts))
    assert pooled.estimate == pytest.approx(1 / (1 + math.exp(-logits.estimate)))
    assert pooled.upper == pytest.approx(1 / (1 + math.exp(-logits.upper)))
    assert pooled.studies[1].estimate == 0.3
    ends = models.pool_proportions([0, 40, 25], [20, 40, 50])
    assert 0 < ends.lower < ends.upper < 1


@pytest.mark.parametrize(("count", "of"), [(20, 50), (60, 90), (40, 200)])
def test_the_variance_that_rounding_adds_is_that_of_all_counts_that_round_so(count, of):
    possible = itertools.product(range(count - 2, count + 3), range(of - 2, of + 3))
    spread = np.var([math.log(x / (n - x)) for x, n in possible])
    arrays = np.array([float(count)]), np.array([float(of)])
    added = logits_of(*arrays, 5)[1] - logits_of(*arrays, 1)[1]
    assert added[0] == pytest.approx(spread, rel=0.05)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: models.pool_effects([0.1], [0.2]), "at least 2 studies"),
        (lambda: models.pool_effects([0.1, 0.2], [0.2]), "same length"),
        (lambda: models.pool_effects([0.1, math.nan], [0.2, 0.1]), "estimates must be given.*position 1"),
        (lambda: models.pool_effects([0.1, 0.2], [0.2, None]), "variances must be given"),
        (lambda: models.pool_effects([0.1, 0.2], [0.2, -0.1]), "above 0.*got -0.1"),
        (lambda: models.pool_effects([0.1, 0.2], [0.2, 0.0]), "above 0"),
        (lambda: models.pool_effects([0.1, 0.2], [0.2, 0.1], studies=["a", "a"]), "2 different names"),
        (lambda: models.pool_effects([0.1, 0.2], [0.2, 0.1], estimator="remle"), "Did you mean 'reml'"),
        (lambda: models.pool_proportions([5, 11], [10, 10]), "11 of 10"),
        (lambda: models.pool_proportions([5, 2.5], [10, 10]), "whole numbers"),
        (lambda: models.pool_proportions([5, None], [10, 10]), "hidden count cannot be pooled"),
        (lambda: models.pool_proportions([5, 0], [10, 0]), "0 of 0"),
        (lambda: models.pool_proportions([5, 7], [10, 10], rounded_to=5), "multiples of rounded_to=5, got 7"),
        (lambda: models.pool_proportions([5, 7], [10, 10], rounded_to=0), "rounded_to must be at least 1"),
    ],
)
def test_what_cannot_be_pooled_is_refused(call, message):
    with pytest.raises(ModelError, match=message):
        call()


def test_a_forest_has_each_study_the_pooled_effect_and_where_another_is_expected():
    pooled = models.pool_proportions([30, 12, 55], [60, 40, 90], studies=["north", "south", "west"])
    (series,) = figures.forest(pooled, reference=None).drawing.series("Estimate")
    assert series.x[:3] == pytest.approx((50.0, 30.0, 100 * 55 / 90))
    assert series.x[3:] == pytest.approx((100 * pooled.estimate,) * 2)
    assert figures.forest({"A": pooled, "B": pooled}).drawing.series("Estimate")[0].x[0] == 100 * pooled.estimate
    effects = models.pool_effects([0.1, 0.3], [0.01, 0.02])
    assert len(figures.forest(effects).drawing.series("Estimate")[0].x) == 3
