"""Chances are corrected by what came to clients left out, and everybody gets a forecast."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from mbc.models import expected_course
from mbc.models.forecast.calibration.chances import ChanceCorrection, fit_correction

pytestmark = pytest.mark.long

COLUMNS = {"outcome": "score", "time": "weeks", "client": "client"}


def _told(truth: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return truth, rng.random(truth.size) < truth


def test_chances_that_are_too_sure_are_drawn_in():
    rng = np.random.default_rng(1)
    logit = rng.normal(0, 1.5, 4000)
    truth, came = _told(1 / (1 + np.exp(-logit)), 2)
    corrected = fit_correction(1 / (1 + np.exp(-2 * logit)), came, np.arange(4000)).of(
        1 / (1 + np.exp(-2 * logit))
    )
    assert np.abs(corrected - truth).mean() < 0.02
    for low, high in ((0.0, 0.1), (0.1, 0.4), (0.4, 0.8)):
        some = (corrected > low) & (corrected <= high)
        assert corrected[some].mean() == pytest.approx(came[some].mean(), abs=0.04)


def test_outcomes_that_nothing_foretold_raise_low_chances():
    rng = np.random.default_rng(3)
    chance = rng.beta(0.4, 0.4, 6000)
    came = rng.random(6000) < 0.85 * chance + 0.15 * 0.5
    low = chance < 0.05
    corrected = fit_correction(chance, came, np.arange(6000)).of(chance)
    assert chance[low].mean() < 0.02
    assert corrected[low].mean() == pytest.approx(came[low].mean(), abs=0.025)


def test_few_clients_hardly_change_a_chance_and_no_room_stays_no_room():
    chance = np.array([0.0, 0.1, 0.5, 0.9])
    fitted = fit_correction(np.array([0.1, 0.9]), np.array([True, False]), np.array([0, 1]))
    assert fitted.of(chance)[0] == 0.0
    assert np.abs(fitted.of(chance) - chance).max() < 0.2
    assert (np.diff(fitted.of(chance)) > 0).all()
    assert fit_correction(np.zeros(3), np.zeros(3, dtype=bool), np.arange(3)) == ChanceCorrection()


def test_a_client_with_many_rows_counts_once():
    chance = np.concatenate([np.full(200, 0.3), np.full(200, 0.7)])
    came = np.concatenate([np.zeros(200, dtype=bool), np.ones(200, dtype=bool)])
    twice = fit_correction(np.tile(chance, 2), np.tile(came, 2), np.tile(np.arange(400), 2))
    assert twice.of(chance) == pytest.approx(fit_correction(chance, came, np.arange(400)).of(chance), abs=1e-3)


@pytest.mark.slow  # a simulation
def test_bands_of_clients_who_began_beyond_anybody_learned_from_hold_their_level(courses):
    # learned from those who began at 22 or less, asked of those who began higher
    everybody = courses(400, seed=21, whole=True)
    first = pl.col("score").sort_by("weeks").first().over("client")
    model = expected_course(
        everybody.filter(first <= 22), **COLUMNS, higher_is_better=False, score_range=(0, 40), reliable_change=6
    )
    beyond = everybody.filter(first > model.card.intake[1])
    held: list[bool] = []
    for (_,), own in beyond.sort("client", "weeks").group_by("client", maintain_order=True):
        scores, times = own["score"].to_list(), own["weeks"].to_list()
        for k in range(3, len(scores)):
            forecast = model.forecast(times[:k], scores[:k])
            assert forecast.expected is not None
            assert forecast.note
            held.append(forecast.lower <= scores[-1] <= forecast.upper)
    assert len(held) > 60
    assert np.mean(held) >= 0.8
