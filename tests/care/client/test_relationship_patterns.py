"""Own change and satisfaction, relationship by relationship: the four stories."""

from __future__ import annotations

import datetime as dt

import pytest

from mbc.care import client_review
from mbc.care.client.relationship_patterns import STORIES, Comparison, relationship_patterns, story_of
from mbc.care.values.course import Change, Verdict

DAY = dt.date(2026, 1, 5)
BETTER, WORSE, SAME = "clearly better", "clearly worse", "no clear change"


def comparison(verdict: Verdict) -> Comparison:
    size = {BETTER: 2.0, WORSE: -2.0}.get(verdict, 0.2)
    change = Change(10, DAY, 10 + size, DAY + dt.timedelta(days=70), size, 1.0, verdict, "")
    return Comparison("self-esteem", change, verdict, size, 0)


@pytest.mark.parametrize(
    ("own", "satisfaction", "story"),
    [
        (BETTER, BETTER, "growing in it"),
        (BETTER, SAME, "growing in it"),
        (BETTER, WORSE, "growth without satisfaction"),
        (SAME, BETTER, "satisfaction without growth"),
        (WORSE, BETTER, "satisfaction without growth"),
        (WORSE, SAME, "losing ground"),
        (SAME, WORSE, "losing ground"),
        (SAME, SAME, "no clear change"),
    ],
)
def test_the_story_follows_from_the_two_verdicts(own: Verdict, satisfaction: Verdict, story: str):
    assert story_of(comparison(own), comparison(satisfaction)) == story
    assert story in STORIES


def test_without_two_scores_of_both_there_is_no_story():
    assert story_of(None, comparison(BETTER)) == "not known"
    assert story_of(comparison(BETTER), None) == "not known"


@pytest.mark.long
def test_each_relationship_is_compared_within_its_own_days(sample):
    first, second = relationship_patterns(client_review(sample, "D-ANXIOUS-SECURE"))
    assert (first.label, first.ended, second.label, second.ended) == ("R1", dt.date(2026, 5, 30), "R2", None)
    assert first.satisfaction is not None
    assert second.satisfaction is not None
    assert first.satisfaction.change.after_on <= first.ended < second.satisfaction.change.before_on
    # the first and last CSI-16 of each relationship, as the record has them
    for pattern, course in ((first, "R1"), (second, "R2")):
        review = client_review(sample, "D-ANXIOUS-SECURE")
        (segment,) = [
            segment
            for trajectory in review.trajectories
            if trajectory.instrument == "csi16"
            for segment in trajectory.segments
            if segment.label == course
        ]
        scores = [occasion.score for occasion in segment.occasions if occasion.score is not None]
        assert pattern.satisfaction is not None
        assert (pattern.satisfaction.change.before, pattern.satisfaction.change.after) == (scores[0], scores[-1])


def test_a_client_without_a_relationship_has_no_pattern(sample):
    assert relationship_patterns(client_review(sample, "D-SINGLE-PREPARING")) == ()


@pytest.mark.long
def test_a_relationship_has_the_verdict_of_its_chart(sample):
    for client_id in ("D-ANXIOUS-SECURE", "D-NOT-ON-TRACK", "D-DOWN-THEN-UP"):
        review = client_review(sample, client_id)
        charted = {
            segment.label: segment.verdict
            for course in review.trajectories
            if course.construct == "relationship_satisfaction"
            for segment in course.segments
        }
        for pattern in relationship_patterns(review):
            if pattern.satisfaction is not None:
                assert pattern.satisfaction.verdict == charted[pattern.label]
