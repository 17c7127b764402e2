"""Latent change against a general optimiser and numerical integration; trends of many clients at once."""

import math

import numpy as np
import polars as pl
import pytest
from scipy import integrate, optimize

from mbc import models
from mbc.errors import ModelError

ITEMS = [
    models.GradedItem(1.5, (-1.0, 0.0, 1.2)), models.GradedItem(2.2, (-0.5, 0.4, 1.5)),
    models.GradedItem(0.9, (-1.8, 0.1, 2.0)), models.GradedItem(1.1, (-0.2, 0.9, 1.4)),
]  # fmt: skip
ANSWERS = [1, 2, 0, 3]


def likelihood(theta: float, answers=ANSWERS) -> float:
    """Samejima's model written out once more, with no shared code."""
    product = 1.0
    for item, answer in zip(ITEMS, answers, strict=True):
        at_least = (
            [1.0] + [1 / (1 + math.exp(-item.discrimination * (theta - b))) for b in item.thresholds] + [0.0]
        )
        product *= at_least[answer] - at_least[answer + 1]
    return product


def test_posterior_mean_by_numerical_integration():
    def density(theta):
        return likelihood(theta) * math.exp(-(theta**2) / 2)

    total = integrate.quad(density, -8, 8)[0]
    mean = integrate.quad(lambda t: t * density(t), -8, 8)[0] / total
    square = integrate.quad(lambda t: t * t * density(t), -8, 8)[0] / total
    made = models.latent_scores([ANSWERS], ITEMS)
    assert made.theta[0] == pytest.approx(mean, abs=1e-6)
    assert made.standard_error[0] == pytest.approx(math.sqrt(square - mean**2), abs=1e-6)


def test_maximum_likelihood_by_a_general_optimiser():
    made = models.latent_scores([ANSWERS], ITEMS, estimator="ml")
    best = optimize.minimize_scalar(
        lambda t: -math.log(likelihood(t)), bounds=(-5, 5), method="bounded", options={"xatol": 1e-12}
    )
    assert made.theta[0] == pytest.approx(best.x, abs=1e-6)
    # Expected information = sum over all answer patterns of P (d log P)^2.
    h, information = 1e-5, 0.0
    for pattern in np.ndindex(4, 4, 4, 4):
        p = likelihood(made.theta[0], pattern)
        slope = (likelihood(made.theta[0] + h, pattern) - likelihood(made.theta[0] - h, pattern)) / (2 * h)
        information += slope**2 / p
    assert made.standard_error[0] == pytest.approx(1 / math.sqrt(information), rel=1e-6)


def test_warm_s_estimate_is_less_biased_outwards_than_maximum_likelihood():
    pattern = [[3, 3, 2, 3]]
    ml, wle = (models.latent_scores(pattern, ITEMS, estimator=name).theta[0] for name in ("ml", "wle"))
    assert 0 < wle < ml


def test_change_of_the_latent_trait():
    before, after = [3, 3, 3, 2], [1, 0, 1, 0]
    change = models.irt_change(before, after, ITEMS, higher_is_better=False)
    one, two = (models.latent_scores([x], ITEMS) for x in (before, after))
    expected = (two.theta - one.theta) / np.sqrt(one.standard_error**2 + two.standard_error**2)
    assert change.index == pytest.approx(expected)
    assert change.category.tolist() == ["improved"]


def test_all_highest_answers_have_no_maximum_likelihood_estimate():
    change = models.irt_change([[3, 3, 3, 3]], [[1, 0, 1, 0]], ITEMS, estimator="ml", higher_is_better=False)
    assert change.reason.tolist() == ["not_estimable"]
    nothing = models.irt_change([[np.nan] * 4], [[1, 0, 1, 0]], ITEMS, higher_is_better=False)
    assert nothing.reason.tolist() == ["missing_pre"]


def test_answers_coded_from_1_are_refused():
    with pytest.raises(ModelError, match="lowest answer coded 1"):
        models.latent_scores([[4, 4, 4, 4]], ITEMS)
    with pytest.raises(ModelError, match="increasing"):
        models.GradedItem(1.0, (1.0, 0.0))


def test_trends_of_many_clients_are_least_squares_lines():
    rng = np.random.default_rng(6)
    rows = [
        {"who": who, "week": float(week), "score": 20 - slope * week + rng.normal()}
        for who, slope in (("a", 1.0), ("b", 0.0), ("c", -0.8)) for week in (0, 1, 2, 4, 5, 8)
    ]  # fmt: skip
    data = pl.DataFrame([*rows, {"who": "d", "week": 0.0, "score": 12.0}]).sample(fraction=1, shuffle=True, seed=2)
    made = models.reliable_trend(data=data, client="who", time="week", sem=1.2, higher_is_better=False)
    table = made.to_frame()
    assert table["category"].to_list() == ["improved", "unchanged", "deteriorated", None]
    assert table["reason"].to_list()[3] == "too_few_scores"
    one = data.filter(who="a")
    slope, intercept = np.polyfit(one["week"], one["score"], 1)
    assert (table["slope"][0], table["intercept"][0]) == pytest.approx((slope, intercept))


def test_a_trend_needs_numbers_for_time():
    data = pl.DataFrame({"client": ["a", "a"], "time": ["x", "y"], "score": [1.0, 2.0]})
    with pytest.raises(ModelError, match="must contain numbers"):
        models.reliable_trend(data=data, sem=1)


def test_the_error_of_one_score_from_repeated_baselines():
    rng = np.random.default_rng(9)
    true = rng.normal(20, 6, (4000, 1))
    seen = true + rng.normal(0, 2.5, (4000, 3))
    seen[::5, 2] = np.nan
    assert models.within_person_sem(seen) == pytest.approx(2.5, abs=0.06)
    assert models.within_person_sem([[3.0], [4.0]]) is None


def test_baselines_of_unequal_number():
    change = models.mean_baseline_change(
        [[20, 22, np.nan], [20, np.nan, np.nan], [np.nan] * 3],
        [[12.0], [19.0], [9.0]],
        sem=2.0,
        higher_is_better=False,
    )
    assert change.standard_error[:2].tolist() == pytest.approx([2 * math.sqrt(1.5), 2 * math.sqrt(2)])
    assert change.reason.tolist() == [None, None, "missing_pre"]
