"""Everything that is shown of one client, and nothing of the safety channel."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

import pytest

from mbc.care import caseload, client_review, client_safety
from mbc.errors import NotInRecord
from mbc.store import Administration, Client, Clinician, Flag, Store

START = dt.date(2025, 1, 6)
PASSWORD = "a long enough sentence for a test"


def week(n: int) -> dt.date:
    return START + dt.timedelta(weeks=n)


@pytest.fixture(scope="module")
def ada(store):
    return client_review(store, "C1", as_of=week(24))


def test_constructs_come_in_reading_order_with_a_chart_per_scale(sample):
    review = client_review(sample, "D-ANXIOUS-SECURE")
    assert [one.construct for one in review.constructs][:3] == [
        "self_esteem",
        "relationship_satisfaction",
        "attachment",
    ]
    attachment = review.constructs[2]
    assert [course.scale for course in attachment.trajectories] == ["anxiety", "avoidance"]


def test_the_headline_names_what_moved_beyond_noise(ada):
    assert ada.headline == "Clearly better since the start: self-esteem. Since last time: no clear change."


def test_sessions_are_counted_held_and_missed(ada):
    assert (ada.sessions_attended, ada.sessions_missed, ada.last_session) == (10, 1, week(20))


def test_a_rated_goal_knows_its_movement(ada):
    goal = next(one for one in ada.goals if one.goal_id == "G2")
    assert (goal.movement, goal.reached) == (6, True)
    assert goal.words == "From 2 to 8 on 10 March 2025; the target of 8 is reached."


def test_a_goal_on_a_scale_is_rated_by_the_questionnaire(ada):
    goal = next(one for one in ada.goals if one.goal_id == "G1")
    assert goal.scale == "rses"
    assert goal.ratings[-1] == (week(21), 23)
    assert not goal.reached


def test_completeness_follows_the_clients_own_rhythm(ada):
    (esteem,) = ada.completeness
    assert (esteem.occasions, esteem.scored, esteem.blank_items) == (9, 8, 3)
    assert esteem.rhythm_days == 14  # intervals of 1 1 1 2 2 2 2 10 weeks: four in five are no longer than two
    assert esteem.missed == 4  # ten weeks of silence at that rhythm
    assert esteem.due


def test_a_questionnaire_that_does_not_apply_is_not_due(sample):
    review = client_review(sample, "D-DOWN-THEN-UP")
    satisfaction = next(one for one in review.completeness if one.instrument == "csi16")
    assert not satisfaction.applicable
    assert not satisfaction.due


def test_the_timeline_holds_every_status(store):
    review = client_review(store, "C2", as_of=week(28))
    assert [(one.label, one.status) for one in review.timeline] == [
        ("R1", "partnered"), ("", "single"), ("R1", "ended"), ("R2", "dating"),
    ]  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("every", [24, pytest.param(8, marks=pytest.mark.slow)])
def test_questions_are_three_at_most_and_each_has_a_reason(sample, every):
    for client_id in sample.clients()["client_id"][::every]:
        questions = client_review(sample, client_id).questions
        assert len(questions) <= 3
        assert all(one.text.endswith("?") and one.reason for one in questions)
        ours = [
            re.sub(r"'.*'", "", one.text).lower() for one in questions
        ]  # a goal is quoted in the client's words
        assert not any(word in text for text in ours for word in ("leave", "stay", "break up"))


def test_the_review_is_as_of_today(store):
    assert client_review(store, "C1").as_of == dt.date.today()  # noqa: DTZ011
    assert client_review(store, "C1", as_of=week(27)).as_of == week(27)


def test_a_closed_case_says_how_it_ended_and_asks_nothing(store):
    review = client_review(store, "C4", as_of=week(30))
    assert review.closed is not None
    assert (review.questions, review.due) == ((), ())


def test_how_the_client_lives_is_said_with_its_day(store):
    assert client_review(store, "C2", as_of=week(28)).relationship == "dating since 26 May"


def test_a_client_without_scores_has_a_review_too(store):
    review = client_review(store, "C3")
    assert (review.constructs, review.headline) == ((), "No scores on record yet.")


def test_a_review_is_of_the_present_care(store):
    review = client_review(store, "C5")
    assert (review.sessions_attended, [one.instrument for one in review.completeness]) == (3, ["rses"])


def test_an_unknown_client_is_not_on_record(store):
    with pytest.raises(NotInRecord):
        client_review(store, "C99")


@pytest.fixture
def flagged(tmp_path):
    with Store.create(f"sqlite:///{tmp_path}/flagged.db") as made:
        with made.writing(by="test") as record:
            record.add(Clinician("K1", "Dr. Ilse Marten"))
            record.add(Client("C1", clinician_id="K1"))
            flags = (Flag("i9"),)
            record.add(Administration("C1", "phq9", START, answers=(1,) * 8 + (2,), flags=flags))
        made.accounts.add("ilse", PASSWORD, "clinician", "K1")
        made.accounts.add("sam", PASSWORD, "clinician", "K1", permissions=("safety:read",))
        yield made


def test_the_safety_channel_is_read_apart_and_only_with_its_permission(flagged):
    assert client_safety(flagged.as_user("ilse"), "C1") is None
    (flag,) = client_safety(flagged.as_user("sam"), "C1").flags
    assert (flag.item, flag.kind, flag.raised_on) == ("i9", "risk", START)


def test_a_review_holds_nothing_of_the_safety_channel_whoever_asks(flagged):
    one, other = (client_review(flagged.as_user(name), "C1") for name in ("ilse", "sam"))
    assert dataclasses.asdict(one) == dataclasses.asdict(other)
    assert "i9" not in repr(one)


def test_the_alliance_is_beside_the_goals_and_never_counted_as_progress(tmp_path):
    """Self-esteem rises; the alliance falls from 5 to 1: the client is better, and the alliance has a line."""
    with Store.create(f"sqlite:///{tmp_path}/alliance.db") as made:
        with made.writing(by="test") as record:
            record.add_all([Clinician("K1", "Dr. One"), Client("C1", clinician_id="K1")])
            for n, level in enumerate((8, 9, 22, 23, 24, 24)):
                record.add(Administration("C1", "rses", week(n), totals={"total": level}))
        without = client_review(made, "C1", as_of=week(6))
        with made.writing(by="test") as record:
            for n, level in enumerate((5.0, 5.0, 4.8, 1.2, 1.1, 1.0)):
                record.add(Administration("C1", "wai_sr", week(n), totals={"total": level}))
        review = client_review(made, "C1", as_of=week(6))
        row = next(iter(caseload(made, as_of=week(6)).rows))
    assert "alliance" in [course.construct for course in review.trajectories]
    assert review.state == without.state == row.state
    assert review.headline == without.headline
    assert "self-esteem" in review.headline
