"""One verdict, from all scores: held at two occasions in a row, or sure from all of them."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from mbc.care.course.noise import noise_of
from mbc.care.course.relationships import Timeline
from mbc.care.course.segments import split
from mbc.care.course.verdicts import judged
from mbc.care.values.course import Occasion
from mbc.instruments import instrument
from mbc.models import true_change_course

START = dt.date(2025, 1, 6)


def segment_of(key: str, *scores: float | None, days: int = 14):
    definition = instrument(key)
    occasions = [
        Occasion(i, START + dt.timedelta(days=days * i), i + 1, score, 10, 10, False, False, "self")
        for i, score in enumerate(scores)
    ]
    noise = noise_of(definition, definition.main_scale)
    segments, _ = split(occasions, definition, definition.main_scale, Timeline(), noise)
    return judged(segments, definition.main_scale, noise, sessions_needed=True)[0]


@pytest.mark.parametrize(
    ("scores", "verdict"),
    [
        ((12,), "not known"),  # nothing to compare with
        ((12, 13), "no clear change"),
        ((12, 20), "better once"),
        ((12, 20, 20), "clearly better"),
        ((12, 20, 12, 20), "better once"),
        ((12, 20, None, 20), "clearly better"),  # a blank sheet neither confirms nor denies
        ((20, 12), "worse once"),
        ((20, 12, 13), "clearly worse"),
        ((12, 20, 20, 12), "no clear change"),
    ],
)
def test_the_verdict_of_the_latest_score(scores, verdict):
    assert segment_of("rses", *scores).verdict == verdict


def test_many_small_steps_are_clear_from_all_scores_before_two_are_beyond_the_index():
    scores = [12, 12, 13, 12, 13, 14, 15, 15, 16, 16, 17, 17, 17, 17]  # never beyond 5.6 points
    judgement = segment_of("rses", *scores).judgement
    assert judgement.in_a_row == 0
    course = true_change_course(
        scores, [14.0 * i for i in range(len(scores))], higher_is_better=True, sd=6.78, reliability=0.911, gap=14,
        score_range=(0, 30),
    )  # fmt: skip
    assert judgement.p_better == pytest.approx(course.p_better)
    assert (judgement.verdict == "clearly better") == (course.p_better >= 0.95)


def test_a_scale_with_a_published_reliable_change_alone_is_judged_by_two_in_a_row():
    assert segment_of("phq9", 18, 10).verdict == "better once"
    judgement = segment_of("phq9", 18, 10, 9).judgement
    assert (judgement.verdict, judgement.p_better) == ("clearly better", None)
    assert judgement.since == START + dt.timedelta(days=28)


def test_since_is_the_first_day_of_the_present_run():
    judgement = segment_of("phq9", 18, 10, 10, 18, 10, 10, 9).judgement
    assert judgement.since == START + dt.timedelta(days=14 * 5)
    assert judgement.last_better == START + dt.timedelta(days=14 * 6)


def test_a_clinic_judged_at_once_is_judged_as_one_by_one():
    definition = instrument("rses")
    noise = noise_of(definition, definition.main_scale)
    rng = np.random.default_rng(5)
    courses = [tuple(float(x) for x in rng.integers(5, 26, size=rng.integers(1, 9))) for _ in range(30)]
    alone = [segment_of("rses", *course) for course in courses]
    together = judged(alone, definition.main_scale, noise)
    for one, other in zip(alone, together, strict=True):
        assert (one.judgement.verdict, one.judgement.since) == (other.judgement.verdict, other.judgement.since)
        assert one.judgement.p_better == pytest.approx(other.judgement.p_better, nan_ok=True)


def test_two_questionnaires_on_one_day_are_judged_without_the_model():
    assert segment_of("rses", 12, 20, 20, days=0).judgement.p_better is None


def test_a_course_that_is_nearly_clear_says_how_many_more_scores_would_tell():
    assert segment_of("rses", 12, 12, 13, 13, 14, 15, 16, 17, 17).judgement.sessions_needed == 12
