"""One client's course on one scale: segments, noise, marks, gaps and what does not apply."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from mbc.care import client_trajectory
from mbc.care.values.course import Trajectory
from mbc.errors import DefinitionError, NotInRecord, UnknownInstrument
from mbc.instruments import instrument
from mbc.instruments.short_names import short_name

START = dt.date(2025, 1, 6)


def week(n: int) -> dt.date:
    return START + dt.timedelta(weeks=n)


@pytest.fixture(scope="module")
def esteem(store) -> Trajectory:
    return client_trajectory(store, "C1", "rses")


@pytest.fixture(scope="module")
def satisfaction(store) -> Trajectory:
    return client_trajectory(store, "C2", "csi16")


def test_occasions_come_by_day_with_score_and_count(esteem):
    assert [one.score for one in esteem.occasions] == [12, 11, 8, None, 14, 21, 22, 24, 23]
    assert [one.taken_on for one in esteem.occasions] == [week(n) for n in (0, 2, 4, 5, 6, 8, 10, 20, 21)]
    assert esteem.occasions[3].answered == 7


def test_the_baseline_is_the_first_score_and_change_counts_from_it(esteem):
    (segment,) = esteem.segments
    assert segment.baseline.score == 12
    assert [one.change for one in segment.occasions] == [None, -1, -4, None, 2, 9, 10, 12, 11]


def test_moves_within_the_band_are_inside_noise(esteem):
    # 1.96 * 6.78 * sqrt(2 (1 - 0.911)) = 5.6 points
    inside = [one.inside_noise for one in esteem.segments[0].occasions]
    assert inside == [None, True, True, None, True, False, False, False, False]


def test_an_improvement_must_hold_for_two_occasions_in_a_row(esteem):
    judgement = esteem.segments[0].judgement
    # 12 at first; 21, 22, 24 and 23 lie above it by more than 5.6 points: clear from the second of them on
    assert (judgement.verdict, judgement.in_a_row, judgement.since) == ("clearly better", 4, week(10))


def test_change_since_the_last_occasion_is_judged_too(esteem):
    change = esteem.segments[0].since_last
    assert (change.before, change.after, change.verdict) == (24, 23, "no clear change")


def test_a_long_silence_is_a_gap(esteem):
    # occasions 2, 2, 1, 1, 2, 2, 10 and 1 weeks apart: the median is 2 weeks, six weeks is the shortest gap
    assert esteem.gap_days == 42
    assert [(one.start, one.end) for one in esteem.gaps] == [(week(10), week(20))]


def test_a_goal_set_on_the_scale_is_a_line(esteem):
    (goal,) = esteem.goals
    assert (goal.value, goal.label) == (25, "feel at home in my own skin")


def test_events_are_marks_and_the_safety_channels_are_not(esteem):
    assert [(mark.key, mark.label, mark.valence) for mark in esteem.marks] == [("A", "Joined a choir", "growth")]


def test_the_table_under_the_chart_says_what_the_chart_shows(esteem):
    table = esteem.to_frame()
    assert table.columns == [
        "date", "session", "score", "band", "answered", "change", "inside_noise", "note", "target",
    ]  # fmt: skip
    assert table["answered"].to_list()[:4] == ["10 of 10", "10 of 10", "10 of 10", "7 of 10"]
    assert table["inside_noise"].to_list() == [None, "yes", "yes", None, "yes", "no", "no", "no", "no"]
    assert table["note"].to_list()[3] == "too few answers for a score"
    assert table["note"].to_list()[-1] == "recorded total"


def test_satisfaction_is_segmented_by_relationship(satisfaction):
    first, second = satisfaction.segments
    assert (first.label, [one.score for one in first.occasions]) == ("R1", [40, 36, 20])
    assert (second.label, [one.score for one in second.occasions]) == ("R2", [60, 64])


def test_satisfaction_stops_when_the_relationship_ends(satisfaction):
    first = satisfaction.segments[0]
    assert first.ended_on == week(10)
    assert max(one.taken_on for one in first.occasions) < week(10)


def test_a_new_relationship_has_its_own_baseline(satisfaction):
    second = satisfaction.segments[1]
    assert (second.baseline.score, second.since_baseline.points) == (60, 4)
    assert satisfaction.current is second


def test_answers_that_name_nobody_go_to_the_current_relationship(satisfaction):
    assert [one.target for one in satisfaction.segments[1].occasions] == ["C2-R2", "C2-R2"]


def test_answers_given_while_single_are_set_aside_and_never_a_zero(satisfaction):
    (aside,) = satisfaction.set_aside
    assert aside.taken_on == week(12)
    row = satisfaction.to_frame().filter(date=week(12)).to_dicts()[0]
    assert (row["score"], row["note"]) == (None, "not applicable that day")


def test_the_time_between_relationships_does_not_apply(satisfaction):
    (span,) = satisfaction.not_applicable
    assert (span.start, span.end, span.reason) == (week(10), week(20), "single")


def test_the_end_of_a_relationship_is_marked_once_as_status_and_once_as_growth(satisfaction):
    found = [(mark.on, mark.kind, mark.label, mark.valence) for mark in satisfaction.marks]
    assert found == [
        (week(10), "event", "Ended R1", "growth"),
        (week(10), "status", "R1: ended", "neutral"),
        (week(20), "status", "R2: dating", "neutral"),
    ]


def test_a_single_client_has_an_empty_chart_that_says_why(store):
    course = client_trajectory(store, "C4", "csi16")
    assert course.empty
    assert course.segments == ()
    assert "not asked while single" in course.caption.lower()


def test_self_esteem_goes_on_through_the_end_of_a_relationship(sample):
    course = client_trajectory(sample, "D-ANXIOUS-SECURE", "rses")
    assert len(course.segments) == 1
    assert course.not_applicable == ()


def test_every_chart_of_a_client_spans_the_same_days(store):
    spans = {client_trajectory(store, "C2", key).window for key in ("csi16", "phq9", "rses")}
    assert spans == {(week(0), week(27))}


def test_change_counts_from_the_present_care_and_earlier_care_is_told_apart(store):
    course = client_trajectory(store, "C5", "rses")
    (segment,) = course.segments
    assert [one.score for one in segment.occasions] == [14, 16]
    assert segment.since_baseline.points == 2
    assert course.window == (week(0), week(2))
    assert [one.score for one in course.earlier[0].occasions] == [5, 9]
    assert "In earlier care, until 25 March 2024: scores from 5 to 9 on 2 occasions" in course.caption
    assert course.to_frame()["note"].to_list() == ["earlier care, recorded total"] * 2 + [None] * 2
    assert course.sessions[0] == (week(0), 1)


def test_unknown_client_instrument_and_scale_are_refused(store):
    with pytest.raises(NotInRecord):
        client_trajectory(store, "C9", "rses")
    with pytest.raises(UnknownInstrument, match="rses"):
        client_trajectory(store, "C1", "rsess")
    with pytest.raises(DefinitionError, match="total"):
        client_trajectory(store, "C1", "rses", "sum")


@pytest.mark.parametrize(
    ("key", "name"), [("csi16", "CSI-16"), ("ecr_s", "ECR-S"), ("phq9", "PHQ-9"), ("rses", "RSES")]
)
def test_questionnaires_are_called_as_in_the_field(key, name):
    assert short_name(key) == name


@pytest.mark.long
@pytest.mark.parametrize("every", [2, pytest.param(1, marks=pytest.mark.slow)])
def test_nothing_of_the_sample_is_drawn_where_it_does_not_apply(sample, every):
    drawn = 0
    changed = sample.statuses().filter(pl.col("status").is_in(["ended", "separated", "single"]))
    for client_id in changed["client_id"].unique().sort()[::every]:
        for key in ("csi16", "ras"):
            course = client_trajectory(sample, client_id, key)
            drawn += len(course.occasions)
            for one in course.occasions:
                assert not any(
                    span.start <= one.taken_on < (span.end or dt.date.max) for span in course.not_applicable
                )
    assert drawn > 100


@pytest.mark.long
def test_without_a_published_figure_noise_comes_from_the_clinics_own_records(sample, sample_models):
    alone = client_trajectory(sample, "D-ANXIOUS-SECURE", "ecr_s", "anxiety")
    assert alone.segments[0].noise is None
    assert alone.segments[0].since_baseline.verdict == "not known"
    beside = client_trajectory(sample, "D-ANXIOUS-SECURE", "ecr_s", "anxiety", cohort=sample_models)
    assert "this clinic's own records" in beside.segments[0].noise.source
    assert beside.segments[0].since_baseline.verdict == "clearly better"


@pytest.mark.long
def test_a_published_figure_goes_before_the_clinics_own(sample, sample_models):
    found = client_trajectory(sample, "D-ANXIOUS-SECURE", "rses", cohort=sample_models)
    norm = instrument("rses").main_scale.change_norm
    assert found.segments[0].noise.threshold == pytest.approx(
        1.959964 * norm.sd * (2 * (1 - norm.reliability)) ** 0.5
    )
