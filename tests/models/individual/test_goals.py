"""Goals: T scores of the standard table, ratings, and probabilities of reaching a target."""

import math

import numpy as np
import pytest

from mbc import models
from mbc.errors import ModelError

TABLE = "Kiresuk & Sherman (1968), formula and standard table"


@pytest.mark.parametrize(("levels", "weights", "expected"), [
    ((1, 1, 1), None, 63.69306394),
    ((-1, -1, -1), None, 36.30693606),
    ((2,), None, 70.0),
    ((1, 0, 0), None, 54.56435465),
    ((0, 1, -1, 2), (1, 2, 1, 3), 63.94433378),
    ((-2, -2, -2), None, 22.61387212),
])  # fmt: skip
def test_goal_attainment_t(validation, levels, weights, expected):
    made = models.goal_attainment(levels, weights=weights)
    name = f"GAS T of {' '.join(map(str, levels))}" + (f", weights {weights}" if weights else "")
    validation(name, TABLE, expected, made.t)


def test_the_scale_of_the_weights_cancels():
    one, ten = (models.goal_attainment([1, -1, 2], weights=[w, 2 * w, w]).t for w in (1, 10))
    assert one == pytest.approx(ten)


def test_no_goals_or_no_weight_is_no_score():
    assert models.goal_attainment([]).reason == "too_few_scores"
    assert models.goal_attainment([1, 2], weights=[0, 0]).t is None


def test_change_in_t_counts_the_goals_rated_both_times():
    made = models.goal_attainment([1, 2, 0], baseline=[-1, -2, None])
    assert made.goals == 2
    assert made.change == pytest.approx(made.t - made.baseline_t)


def test_many_people_at_once():
    made = models.goal_attainment([[1, 1, 1], [2, np.nan, np.nan], [np.nan] * 3])
    assert made.t[:2].tolist() == pytest.approx([63.69306394, 70.0])
    assert made.reason.tolist() == [None, None, "too_few_scores"]


def test_goals_set_later_are_left_out_and_counted():
    made = models.goal_change([[2, 3, None], [5, 5, 5]], [[6, 5, 8], [5, 4, 5]])
    assert made.change.tolist() == pytest.approx([3.0, -1 / 3])
    assert made.left_out.tolist() == [1, 0]
    assert made.category.tolist() == ["improved", "unchanged"]


def test_a_mean_change_of_exactly_the_published_size_counts():
    assert models.goal_change([0.0], [2.45]).category == "improved"
    assert models.goal_change([5.0], [2.0]).category == "deteriorated"


def test_probability_at_a_date_against_the_normal_integral():
    made = models.goal_probability(15, mean=13, sd=2, higher_is_better=False)
    assert made.probability == pytest.approx(0.5 * math.erfc(-1 / math.sqrt(2)))
    seen = models.goal_probability(15, mean=13, sd=2, residual_sd=3, higher_is_better=False)
    assert 0.5 < seen.probability < made.probability


def test_ever_by_a_date_is_likelier_than_at_the_date():
    covariance = 4 * np.array([[1, 0.9, 0.8], [0.9, 1, 0.9], [0.8, 0.9, 1]])
    at = models.goal_probability(10, mean=9, sd=2, higher_is_better=True).probability
    by = models.goal_probability_by(10, means=[9, 9, 9], covariance=covariance, higher_is_better=True)
    assert by > at


def test_no_forecast_from_two_scores_or_far_beyond_what_was_seen():
    few = models.goal_probability(10, mean=9, sd=2, higher_is_better=True, scores=2)
    far = models.goal_probability(10, mean=9, sd=2, higher_is_better=True, observed_span=4, ahead=9)
    assert (few.probability, few.reason) == (None, "too_few_scores")
    assert (far.probability, far.reason) == (None, "too_far_ahead")


def test_a_rating_from_0_to_10_is_not_a_level():
    with pytest.raises(ModelError, match="-2 to 2"):
        models.goal_attainment([7])
