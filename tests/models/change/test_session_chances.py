"""Chances after each score, for whoever has the scores at hand: the same numbers as the public function."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from mbc import models
from mbc.errors import ModelError
from mbc.models.change.occasions.session_chances import session_chances

GAP = 14.0
NORMS = models.Norms(sd=6.78, reliability=0.911)
OPTIONS = {"score_range": (0.0, 30.0), "step": 1.0, "confidence": 0.95}


def courses_of(seed: int, clients: int = 25) -> list[tuple[list[float], list[float]]]:
    """Draw clients with uneven gaps, some of whose scores lie at an end of the scale."""
    rng = np.random.default_rng(seed)
    courses = []
    for _ in range(clients):
        number = int(rng.integers(1, 20))
        times = np.cumsum(rng.integers(1, 40, number)).astype(float)
        level = rng.uniform(0, 30) + rng.normal(0, 0.8) * np.arange(number)
        scores = np.clip(np.round(level + rng.normal(0, 3, number)), 0, 30)
        courses.append((times.tolist(), scores.tolist()))
    return courses


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_the_numbers_are_those_of_true_change_course(higher_is_better):
    courses = courses_of(seed=8)
    variation = models.ScoreVariation.from_norms(NORMS, gap=GAP)
    chances = session_chances(courses, variation, higher_is_better=higher_is_better, horizon=24, **OPTIONS)
    rows = [
        {"client": i, "time": time, "score": score}
        for i, (times, scores) in enumerate(courses)
        for time, score in zip(times, scores, strict=True)
    ]
    options = {"higher_is_better": higher_is_better, "variation": variation, **OPTIONS}
    table = pl.DataFrame(rows)
    each = models.true_change_course(data=table, each_session=True, **options).to_frame(backend="polars")
    last = models.true_change_course(data=table, horizon=24, **options).to_frame(backend="polars")
    for i, p_better in enumerate(chances.p_better):
        expected = each.filter(client=i)["p_better"].cast(pl.Float64).fill_null(math.nan).to_numpy()
        np.testing.assert_allclose(p_better, expected, rtol=1e-12)
        needed = last.filter(client=i)["sessions_needed"].item()
        assert chances.sessions_needed[i] == pytest.approx(math.nan if needed is None else needed, nan_ok=True)
    assert any(np.isfinite(chances.sessions_needed)), "no client is near enough to a clear change"


def test_without_a_horizon_no_further_sessions_are_counted_and_no_courses_have_no_chances():
    variation = models.ScoreVariation.from_norms(NORMS, gap=GAP)
    chances = session_chances(courses_of(seed=3), variation, higher_is_better=True, horizon=0, **OPTIONS)
    assert np.isnan(chances.sessions_needed).all()
    assert session_chances([], variation, higher_is_better=True, horizon=0, **OPTIONS).p_better == ()


@pytest.mark.parametrize(
    ("course", "words"),
    [
        (([0.0, 0.0], [10.0, 12.0]), "Times must rise"),
        (([7.0, 0.0], [10.0, 12.0]), "Times must rise"),
        (([0.0], [10.0, 12.0]), "a time for each score"),
        (([], []), "at least one score"),
        (([0.0, 7.0], [10.0, math.inf]), "finite"),
        (([0.0, 7.0], [10.0, 31.0]), "outside score_range"),
    ],
)
def test_a_course_that_cannot_be_is_refused(course, words):
    variation = models.ScoreVariation.from_norms(NORMS, gap=GAP)
    with pytest.raises(ModelError, match=words):
        session_chances([course], variation, higher_is_better=True, horizon=0, **OPTIONS)
