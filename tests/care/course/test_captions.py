"""Captions can be read aloud: they name noise, never alarm on one week, and never say only first to last."""

from __future__ import annotations

import datetime as dt

import pytest

from mbc.care import CohortModels, client_review, client_trajectory
from mbc.store import Administration, Client, Store

START = dt.date(2025, 1, 6)
_ALARM = ("alarm", "danger", "fail", "urgent", "warning", "relapse", "!")
_SAFETY = ("suicid", "self-harm", "self harm", "better off dead", "hurting", "safety", "risk", "violen", "abus")


@pytest.fixture
def told(tmp_path):
    """Caption of a made course of PHQ-9 totals, a week apart."""

    def tell(*scores: float) -> str:
        with Store.create(f"sqlite:///{tmp_path}/{len(list(tmp_path.iterdir()))}.db") as made:
            with made.writing(by="test") as record:
                record.add(Client("C1"))
                for n, score in enumerate(scores):
                    day = START + dt.timedelta(weeks=n)
                    record.add(Administration("C1", "phq9", day, totals={"total": score}))
            return client_trajectory(made, "C1", "phq9").caption

    return tell


def test_one_bad_week_is_one_occasion_and_not_a_setback(told):
    text = told(8, 9, 8, 15)
    assert "7 points worse, more than measurement error alone explains" in text
    assert "one occasion so far: look again next time" in text
    assert not any(word in text.lower() for word in _ALARM)


def test_several_in_a_row_are_counted(told):
    assert "The last 3 scores all lay there" in told(8, 15, 16, 15)


def test_a_small_move_is_within_what_measurement_error_alone_explains(told):
    text = told(10, 9, 7)
    assert "3 points better, within what measurement error alone explains" in text
    assert "2 points better, within what measurement error alone explains" in text  # since the time before


def test_the_course_between_first_and_last_is_always_told(told):
    assert "In between, scores ran from 5 to 20" in told(10, 20, 5, 10)


def test_a_single_score_is_no_change(told):
    assert "One score so far" in told(10)


def test_an_improvement_that_has_not_held_says_so(told):
    assert "has not yet held for two occasions in a row" in told(15, 15, 5)
    assert "first held for two occasions in a row from 13 January" in told(15, 5, 5)


def test_the_cutoff_says_where_first_and_latest_lie(told):
    assert "The first score was inside the range marked" in told(15, 5)
    assert "As at the start, the latest score is outside the range marked" in told(5, 6)


def test_counts_and_gaps_and_periods_are_named(store):
    text = client_trajectory(store, "C1", "rses").caption
    assert "9 occasions" in text
    assert "1 had too few answers for a score" in text
    assert "No answers from 17 March to 26 May 2025" in text.replace("26 May:", "26 May 2025:")
    assert "(a recorded total)" in text


def test_an_ending_is_growth_and_the_line_stops_there(store):
    text = client_trajectory(store, "C2", "csi16").caption
    assert "the line stops there, for that relationship ended on 17 March" in text
    assert "Recorded as growth: Ended R1 (17 March)" in text
    assert "Not applicable while single (17 March to 26 May)" in text
    assert "it is no worsening" in text


def test_an_unverified_norm_is_called_so(store):
    assert "Unverified at its source: the noise band" in client_trajectory(store, "C2", "csi16").caption


def test_without_a_noise_figure_the_caption_does_not_judge(sample):
    text = client_trajectory(sample, "D-ANXIOUS-SECURE", "ecr_s", "anxiety").caption
    assert "How much of a change is measurement error is not known for this scale" in text
    assert "more than measurement error" not in text


def test_nothing_of_the_safety_channel_and_nothing_alarming_in_any_caption_of_the_sample(sample):
    models = CohortModels(sample)
    flagged = set(sample.safety_flags()["client_id"])
    assert flagged
    told = [d for d in sample.clients()["client_id"] if d.startswith("D-")]
    for client_id in sorted(flagged | set(told))[:40]:
        review = client_review(sample, client_id, cohort=models)
        texts = [course.caption for course in review.trajectories]
        texts += [review.headline, *(f"{one.text} {one.reason}" for one in review.questions)]
        for text in texts:
            assert text
            assert not any(word in text.lower() for word in (*_SAFETY, *_ALARM)), text


def test_the_caption_says_how_likely_the_change_is_a_true_one(store):
    # RSES 12 to 23: SD 6.78, alpha .911, so the error of the difference is 6.78 * sqrt(2 * .089) = 2.8605;
    # 11 -+ 1.96 * 2.8605 = 5.4 to 16.6, and 11 / 2.8605 = 3.8 standard errors are beyond 99 %
    course = client_trajectory(store, "C1", "rses")
    assert (course.segments[0].baseline.score, course.segments[0].latest.score) == (12, 23)
    assert "the chance of a true improvement since the first score is more than 99 %" in course.caption
    assert "(true change +5.4 to +16.6 points, 95 % interval)" in course.caption


def test_where_no_reliability_is_published_no_chance_is_given(store):
    assert "chance" not in client_trajectory(store, "C1", "phq9").caption
