"""Captions can be read aloud: they name measurement error, never alarm on one week, never only first to last."""

from __future__ import annotations

import datetime as dt

import pytest

from mbc.care import client_review, client_trajectory
from mbc.models import true_change_course
from mbc.store import Administration, Client, Store

START = dt.date(2025, 1, 6)
_ALARM = ("alarm", "danger", "fail", "urgent", "warning", "relapse", "!")
_SAFETY = ("suicid", "self-harm", "self harm", "better off dead", "hurting", "safety", "risk", "violen", "abus")


@pytest.fixture
def caption_of(tmp_path):
    """Caption of a made course of PHQ-9 totals, a week apart."""

    def write(*scores: float) -> str:
        with Store.create(f"sqlite:///{tmp_path}/{len(list(tmp_path.iterdir()))}.db") as made:
            with made.writing(by="test") as record:
                record.add(Client("C1"))
                for n, score in enumerate(scores):
                    day = START + dt.timedelta(weeks=n)
                    record.add(Administration("C1", "phq9", day, totals={"total": score}))
            return client_trajectory(made, "C1", "phq9").caption

    return write


def test_one_bad_week_is_not_yet_confirmed(caption_of):
    text = caption_of(8, 9, 8, 15)
    assert "7 points worse, a clear change" in text
    assert "worse once, not yet confirmed: look again next time" in text
    assert not any(word in text.lower() for word in _ALARM)


def test_several_in_a_row_are_counted(caption_of):
    assert "clearly worse since 20 January, 3 questionnaires in a row" in caption_of(8, 15, 16, 15)


def test_a_small_move_is_no_clear_change(caption_of):
    text = caption_of(10, 9, 7)
    assert "3 points better, no clear change" in text
    assert "2 points better, no clear change" in text  # since the previous questionnaire


def test_the_course_between_first_and_last_is_always_described(caption_of):
    assert "Scores ranged from 5 to 20" in caption_of(10, 20, 5, 10)


def test_a_single_score_is_no_change(caption_of):
    assert "One score so far" in caption_of(10)


def test_an_improvement_is_confirmed_by_a_second_questionnaire_or_called_unconfirmed(caption_of):
    assert "better once, not yet confirmed" in caption_of(15, 15, 5)
    assert "clearly better since 20 January" in caption_of(15, 5, 5)


def test_the_cutoff_says_where_first_and_latest_lie(caption_of):
    assert "The first score was inside the range" in caption_of(15, 5)
    assert "As at the start, the latest score is outside the range" in caption_of(5, 6)


def test_counts_and_gaps_and_periods_are_named(store):
    text = client_trajectory(store, "C1", "rses").caption
    assert "9 occasions" in text
    assert "1 had too few answers for a score" in text
    assert "No answers from 17 March to 26 May 2025" in text.replace("26 May.", "26 May 2025.")
    assert "(a recorded total)" in text


def test_an_ending_is_growth_and_the_line_stops_there(store):
    text = client_trajectory(store, "C2", "csi16").caption
    assert "the line stops there because that relationship ended on 17 March" in text
    assert "Recorded as growth: Ended R1 (17 March)" in text
    assert "Not asked while single (17 March to 26 May)" in text
    assert "this is not a worsening" in text


def test_an_unverified_norm_is_named(store):
    assert "Not verified at the source: noise band" in client_trajectory(store, "C2", "csi16").caption


def test_without_a_noise_figure_the_caption_does_not_judge(sample):
    text = client_trajectory(sample, "D-ANXIOUS-SECURE", "ecr_s", "anxiety").caption
    assert "The measurement error of this scale is not known" in text
    assert "clear change" not in text


@pytest.mark.long
@pytest.mark.parametrize("many", [3, pytest.param(7, marks=pytest.mark.slow)])
def test_nothing_of_the_safety_channel_and_nothing_alarming_in_any_caption_of_the_sample(
    sample, sample_models, many
):
    flagged = set(sample.safety_flags()["client_id"])
    assert flagged
    stories = [d for d in sample.clients()["client_id"] if d.startswith("D-")]
    for client_id in sorted({*stories[:many], *sorted(flagged)[:many]}):
        review = client_review(sample, client_id, cohort=sample_models)
        texts = [course.caption for course in review.trajectories]
        texts += [review.headline, *(f"{question.text} {question.reason}" for question in review.questions)]
        for text in texts:
            assert text
            assert not any(word in text.lower() for word in (*_SAFETY, *_ALARM)), text


def test_the_caption_gives_the_chance_from_all_scores(store):
    course = client_trajectory(store, "C1", "rses")
    known = [occasion for occasion in course.segments[0].occasions if occasion.score is not None]
    noise = course.segments[0].noise
    days = [(occasion.taken_on - known[0].taken_on).days for occasion in known]
    model = true_change_course(
        [occasion.score for occasion in known], days, higher_is_better=True, sd=6.78, reliability=0.911, gap=14,
        score_range=(0, 30),
    )  # fmt: skip
    assert noise.threshold == pytest.approx(1.96 * 6.78 * (2 * (1 - 0.911)) ** 0.5, abs=0.01)
    assert course.segments[0].judgement.p_better == pytest.approx(model.p_better)
    assert model.p_better > 0.99
    assert "the true level is better than at the start is more than 99 %" in course.caption


def test_where_no_reliability_is_published_no_chance_is_given(store):
    assert "chance" not in client_trajectory(store, "C1", "phq9").caption
