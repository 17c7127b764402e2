"""Where clients are heading: learned from the clinic's own records, said only where it is worth saying."""

from __future__ import annotations

import datetime as dt

import pytest

from mbc.care import CohortModels, caseload, client_review, client_trajectory
from mbc.care.forecast.signals import NoOutlook, healthy_line, learn
from mbc.care.forecast.training_scores import followed_scores
from mbc.instruments import instrument
from mbc.models import ExpectedCourse
from mbc.models.forecast.model_card import Card

pytestmark = pytest.mark.long
DAY = dt.date(2026, 10, 2)  # the sample's last


@pytest.fixture(scope="module")
def models(sample_models) -> CohortModels:
    return sample_models


@pytest.fixture(scope="module")
def rses(models) -> ExpectedCourse:
    questionnaire = instrument("rses")
    found = models.course(questionnaire, questionnaire.main_scale)
    assert isinstance(found, ExpectedCourse)
    return found


def test_a_trajectory_says_what_the_model_says_of_its_scores(sample, models, rses):
    course = client_trajectory(sample, "D-WITHIN-NOISE", "rses", cohort=models)
    scores = followed_scores(sample, "rses")
    own = scores.filter(scores["client"] == "D-WITHIN-NOISE")
    signal = rses.signal(own["time"], own["score"])
    assert course.on_track == signal.state
    assert course.outlook.startswith(f"Forecast: {signal.state}")
    assert course.outlook in course.caption


def test_the_model_has_the_questionnaires_range_direction_and_reliable_change(rses):
    assert (rses.card.score_range, rses.card.higher_is_better) == ((0.0, 30.0), True)
    assert rses.rule.reliable_change == pytest.approx(5.6, abs=0.01)  # 1.96 sqrt(2) * 6.78 sqrt(1 - 0.911)


def test_a_reliable_change_is_the_same_in_the_outlook_as_on_the_chart(sample, models):
    """ECR-S has no published noise: the clinic's own growth model gives it, for both."""
    course = client_trajectory(sample, "D-WITHIN-NOISE", "ecr_s", "anxiety", cohort=models)
    questionnaire = instrument("ecr_s")
    model = models.course(questionnaire, questionnaire.scale("anxiety"))
    assert isinstance(model, ExpectedCourse)
    assert model.rule.reliable_change == pytest.approx(course.segments[0].noise.threshold)


def test_nothing_is_forecast_of_a_relationship_that_is_over(sample, models):
    course = client_trajectory(sample, "D-ANXIOUS-SECURE", "csi16", cohort=models)
    for segment in course.segments:
        if segment is not course.current:
            assert segment.ended_on is not None
    alone = client_trajectory(sample, "D-ANXIOUS-SECURE", "csi16")
    assert (alone.outlook, alone.on_track) == ("", "insufficient data")


def test_too_few_clients_give_no_outlook(sample):
    questionnaire = instrument("rses")
    few = followed_scores(sample, "rses").head(200)
    found = learn(few, questionnaire, questionnaire.main_scale, None)
    assert isinstance(found, NoOutlook)
    assert "needs 40 clients with two scores" in found.reason


def test_a_model_that_is_no_better_than_the_last_value_is_not_used(monkeypatch, sample):
    monkeypatch.setattr(Card, "is_useful", property(lambda _: False))
    questionnaire = instrument("rses")
    found = learn(followed_scores(sample, "rses"), questionnaire, questionnaire.main_scale, None)
    assert isinstance(found, NoOutlook)
    assert "no better than carrying the last value forward" in found.reason


@pytest.mark.parametrize("every", [12, pytest.param(4, marks=pytest.mark.slow)])
def test_caseload_and_review_give_a_client_one_state(sample, models, every):
    found = caseload(sample, as_of=DAY, cohort=models)
    in_care = [row for row in found.rows if row.closed is None]
    flagged = [row for row in in_care if row.state.state == "not on track"]
    assert 0 < len(flagged) < len(in_care) / 3  # 14 of these 38 have truly not improved
    for row in in_care[::every]:
        review = client_review(sample, row.client_id, as_of=DAY, cohort=models)
        assert review.state == row.state
        due = {name for name, due_on in row.due if due_on <= DAY}
        assert due == set(review.due)
        for cell in row.cells:
            course = next(
                one for one in review.trajectories if (one.instrument, one.scale) == (cell.instrument, cell.scale)
            )
            if cell.latest is not None:
                assert cell.verdict == course.current.verdict
    review = client_review(sample, flagged[0].client_id, as_of=DAY, cohort=models)
    assert review.questions[0].text.startswith("Are we working on what matters most")


def test_without_models_progress_is_counted_in_published_spreads(sample):
    row = next(row for row in caseload(sample, as_of=DAY).rows if row.client_id == "D-NOT-ON-TRACK")
    assert row.state.state == "not on track"
    assert client_trajectory(sample, row.client_id, "rses").on_track == "insufficient data"


@pytest.mark.parametrize("key", ["phq9", "gad7", "csi16"])
def test_a_score_on_the_published_line_is_healthy_only_where_the_rule_says_so(key):
    """10 on the PHQ-9 is a case (10 or more): somebody who begins there has something to respond to."""
    scale = instrument(key).main_scale
    line, cutoff = healthy_line(scale), scale.cutoff
    assert line is not None
    assert cutoff is not None
    for score in (cutoff.value - 1, cutoff.value, cutoff.value + 1):
        looked_for = score < line if scale.higher_is_better else score > line
        assert looked_for == cutoff.distressed(score)
