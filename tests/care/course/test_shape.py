"""Setbacks, sudden gains and plateaus of courses whose shape is known."""

from __future__ import annotations

import datetime as dt

from mbc.care.course.noise import Noise
from mbc.care.course.shape import shaped
from mbc.care.values.course import Occasion, Segment
from mbc.instruments import instrument

START = dt.date(2025, 1, 6)
NOISE = Noise(5.0, False, "", "", "high")


def shape_of(key: str, *scores: float):
    occasions = tuple(
        Occasion(i, day(i), i + 1, float(score), 10, 10, False, False, "self") for i, score in enumerate(scores)
    )
    segment = Segment("self", "", occasions, None, occasions[0], None, None, None)
    return shaped(segment, instrument(key).main_scale, NOISE).shape


def day(i: int) -> dt.date:
    return START + dt.timedelta(weeks=2 * i)


def test_a_fall_beyond_measurement_error_is_a_setback_until_it_is_regained():
    (setback,) = shape_of("rses", 12, 16, 9, 6, 10, 15, 18).setbacks
    assert (setback.best, setback.lowest) == (16, 6)
    assert (setback.best_on, setback.lowest_on, setback.regained_on) == (day(1), day(3), day(5))
    assert shape_of("rses", 12, 16, 9, 6, 10, 15, 18).days_to_regain == (28,)


def test_a_setback_that_lasts_is_open():
    (setback,) = shape_of("rses", 16, 8, 9).setbacks
    assert setback.regained_on is None


def test_lower_scores_are_better_on_a_symptom_scale():
    (setback,) = shape_of("gad7", 10, 6, 14, 6).setbacks
    assert (setback.best, setback.lowest, setback.regained_on) == (6, 14, day(3))


def test_a_fall_within_measurement_error_is_none():
    assert shape_of("rses", 16, 11, 16).setbacks == ()


def test_a_leap_is_a_sudden_gain_and_a_slope_is_none():
    (jump,) = shape_of("rses", 12, 13, 12, 12, 21, 22, 21, 22).jumps
    assert (jump.before_on, jump.after_on, jump.points) == (day(3), day(4), 9)
    assert shape_of("rses", 10, 12, 14, 16, 18, 20, 22, 24).jumps == ()


def test_the_longest_level_stretch_is_the_plateau():
    assert shape_of("rses", 10, 11, 12, 11, 12, 20, 21, 20).plateau == (day(0), day(4))
    assert shape_of("rses", 10, 16, 10, 16, 10).plateau is None
