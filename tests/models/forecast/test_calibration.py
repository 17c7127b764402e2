"""Bands and chances from clients left out: ranks, tails, lines, thresholds."""

from __future__ import annotations

import numpy as np
import pytest

from mbc.models.forecast.calibration.left_out_forecasts import SHARES, fit_line, fit_spreads, share_below
from mbc.models.forecast.calibration.screening_accuracy import (
    area_under_curve,
    best_threshold,
    resampled_area,
    screen,
)

TOY = np.array([0.9, 0.8, 0.7, 0.55, 0.5, 0.4, 0.35, 0.2, 0.15, 0.1])
HAPPENED = np.array([1, 1, 0, 1, 0, 1, 0, 0, 0, 0], dtype=bool)
EVERYWHERE = np.array([1e9, 2e9])  # all intakes lie in the first third


def test_without_neighbours_quantiles_are_the_split_conformal_ranks():
    """The ceil((n + 1) p)-th smallest of n residuals: n = 199, so that (n + 1) p is whole."""
    errors = np.random.default_rng(2).normal(size=199)
    found = fit_spreads(np.zeros(199), np.zeros(199), errors, np.arange(199), np.zeros(1), EVERYWHERE)
    ranks = np.round(SHARES * 200).astype(int) - 1
    assert found.quantiles[0, 0] == pytest.approx(np.sort(errors)[ranks], rel=6e-3)  # kept to three digits
    assert found.clients[0, 0] == pytest.approx(199)


def test_several_rows_of_one_client_are_one_client():
    errors = np.random.default_rng(3).normal(size=300)
    found = fit_spreads(np.zeros(300), np.zeros(300), errors, np.arange(300) // 3, np.zeros(1), EVERYWHERE)
    assert found.clients[0, 0] == pytest.approx(100)


def test_a_third_with_few_clients_takes_all():
    intake = np.r_[np.zeros(100), np.full(10, 50.0)]
    errors = np.random.default_rng(4).normal(size=110)
    found = fit_spreads(np.zeros(110), intake, errors, np.arange(110), np.zeros(1), np.array([20.0, 40.0]))
    assert found.clients[0].tolist() == pytest.approx([100, 110, 110])
    assert found.quantiles[0, 1].tolist() == found.quantiles[0, 2].tolist()


def test_the_share_below_undoes_the_quantiles():
    quantiles = np.tile(np.linspace(-2, 2.5, SHARES.size), (3, 1))
    at = quantiles[0, [0, 7, 22]]
    assert share_below(quantiles, at) == pytest.approx(SHARES[[0, 7, 22]])


def test_beyond_the_outer_quantiles_chances_go_on_falling():
    quantiles = np.tile(np.linspace(-2, 2, SHARES.size), (4, 1))
    low = share_below(quantiles, np.array([-2.0, -2.5, -4.0, -9.0]))
    assert low[0] == pytest.approx(0.01)
    assert (np.diff(low) < 0).all()
    assert (low >= 0).all()
    assert share_below(quantiles, -np.array([-2.0, -2.5, -4.0, -9.0])) == pytest.approx(1 - low)


def test_a_local_line_finds_the_line_of_each_place():
    rng = np.random.default_rng(5)
    place = np.repeat([0.0, 2.0], 4000)
    x = rng.normal(10, 3, (8000, 2))
    y = np.where(place == 0, 5 + 0.5 * x[:, 0] - 0.2 * x[:, 1], 1 + 0.9 * x[:, 0])
    line = fit_line(place, x, y, np.array([0.0, 2.0]), width=0.2)
    assert line.at(np.array([0.0]), np.array([[12.0, 8.0]]))[0] == pytest.approx(5 + 6 - 1.6, abs=0.02)
    assert line.at(np.array([2.0]), np.array([[12.0, 8.0]]))[0] == pytest.approx(1 + 10.8, abs=0.02)


def test_the_toy_case_of_ranking_and_screening():
    """Worked by hand: 21 of 24 pairs in order; at 0.5 three of four cases and four of six others are right."""
    assert area_under_curve(TOY, HAPPENED) == pytest.approx(0.875)
    found = screen(TOY >= 0.5, HAPPENED)
    assert (found.sensitivity, found.specificity) == (0.75, pytest.approx(2 / 3))
    assert (found.ppv, found.npv) == (0.6, 0.8)


def test_ties_count_half():
    assert area_under_curve(np.ones(6), np.array([1, 1, 0, 0, 0, 0], dtype=bool)) == 0.5


def test_nobody_to_count_gives_no_number():
    assert area_under_curve(TOY, np.zeros(10, dtype=bool)) is None
    found = screen(np.zeros(3, dtype=bool), np.zeros(3, dtype=bool))
    assert (found.sensitivity, found.ppv, found.specificity) == (None, None, 1.0)
    assert best_threshold(TOY, np.ones(10, dtype=bool)) is None


def test_the_resampled_area_is_the_area_of_the_sample_drawn():
    rng = np.random.default_rng(6)
    value, happened = np.round(rng.normal(size=60), 1), rng.random(60) < 0.4
    weights = rng.multinomial(60, np.full(60, 1 / 60), size=20).astype(float)
    for weight, found in zip(weights, resampled_area(value, happened, weights), strict=True):
        drawn = np.repeat(np.arange(60), weight.astype(int))
        assert found == pytest.approx(area_under_curve(value[drawn], happened[drawn]))


def test_the_threshold_is_the_best_of_all_by_trial():
    rng = np.random.default_rng(7)
    happened = rng.random(200) < 0.3
    value = np.round(rng.normal(size=200) + happened, 1)

    def gain(limit: float) -> float:
        found = screen(value >= limit, happened)
        return (found.sensitivity or 0) + (found.specificity or 0)

    best = best_threshold(value, happened)
    assert best is not None
    assert gain(best) == pytest.approx(max(gain(limit) for limit in np.unique(value)))


def test_no_more_are_flagged_than_allowed():
    rng = np.random.default_rng(8)
    happened = rng.random(300) < 0.7
    value = rng.normal(size=300) + happened
    limit = best_threshold(value, happened, most=0.25)
    assert limit is not None
    assert 0 < np.mean(value >= limit) <= 0.25
