"""What is due by a plan of measures follows from its days, the answers, the pauses and how the client lives."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mbc.care import caseload, client_review
from mbc.care.plan.battery import askings_a_week, read_battery
from mbc.care.plan.client_plan import client_plan
from mbc.care.plan.schedule import Sessions, schedule_of
from mbc.errors import SettingsError
from mbc.store import (
    Administration,
    Client,
    Episode,
    MeasurePause,
    PlannedMeasure,
    Relationship,
    RelationshipStatus,
    Session,
    Store,
)

START = date(2026, 1, 5)


def on(day: int) -> date:
    """The day so many days after the plan's start."""
    return START + timedelta(days=day)


def stands(today: int, answered=(), *, sessions=(), last=0, pauses=(), away=(), **plan):
    planned = PlannedMeasure("C1", "rses", START, **plan)
    return schedule_of(
        planned, name="RSES", answered=[on(day) for day in answered],
        sessions=Sessions(tuple((on(day), number) for day, number in sessions), last or len(sessions)),
        pauses=[MeasurePause("C1", on(a), on(b)) for a, b in pauses],
        away=[(on(a), None if b is None else on(b), "single") for a, b in away], today=on(today),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("today", "answered", "state", "due", "missed"),
    [
        (0, (), "due", 0, 0),  # the first day
        (7, (), "due", 0, 0),  # a week later still due
        (8, (), "overdue", 0, 0),
        (14, (), "due", 14, 1),  # the next asking has come: the one before was missed
        (13, (1,), "later", 14, 0),
        (13, (11,), "due", 14, 0),  # three days early counts for the next
        (20, (0, 14), "later", 28, 0),
        (30, (0, 14), "due", 28, 0),
        (60, (0, 29), "due", 56, 2),  # 14 and 42 passed without an answer
    ],
)
def test_every_two_weeks(today, answered, state, due, missed):
    found = stands(today, answered, every_days=14)
    if (today, answered) == (13, (11,)):
        assert found.missed == 0
        assert found.coming[0].on == on(28), "an answer shortly before counts for the asking of that day"
        return
    assert (found.state, found.due_on, found.missed) == (state, on(due), missed)


def test_a_burst_of_askings_within_the_first_fortnight_and_then_the_usual_rhythm():
    coming = [asking.on for asking in stands(-1, every_days=28, baseline_askings=3).coming]
    assert coming[:5] == [on(0), on(5), on(9), on(28), on(56)]


def test_a_pause_and_a_time_without_a_relationship_have_no_askings():
    paused = stands(20, (0,), every_days=7, pauses=[(5, 30)])
    assert (paused.state, paused.missed, paused.coming[0].on) == ("paused", 0, on(35))
    assert paused.words == "paused; next on 9 February 2026"
    single = stands(20, (0,), every_days=7, away=[(5, None)])
    assert (single.state, single.missed, single.due_on, single.coming) == ("not applicable", 0, None, ())
    assert single.words == "not asked while single"
    again = stands(30, (0,), every_days=7, away=[(5, 25)])
    assert (again.state, again.due_on, again.missed) == ("due", on(28), 0)


def test_an_ended_plan_asks_for_nothing():
    ended = stands(40, (0,), every_days=7, ends_on=on(20))
    assert (ended.state, ended.due_on, ended.coming) == ("ended", None, ())


def test_before_some_sessions_and_every_so_many():
    held = [(0, 1), (7, 2)]
    found = stands(8, sessions=held, before_sessions="3 8")
    assert (found.state, found.words) == ("due", "due before session 3")
    assert [asking.before_session for asking in found.coming] == [3, 8]
    assert found.coming[1].on - found.coming[0].on == timedelta(days=35), "five sessions, a week apart as usual"
    answered = stands(8, (8,), sessions=held, before_sessions="3 8")
    assert (answered.state, answered.words) == ("later", "next before session 8")
    every = stands(8, (0,), sessions=held, every_sessions=4)
    assert [asking.before_session for asking in every.coming[:2]] == [5, 9]
    passed = stands(30, sessions=[(0, 1), (7, 2), (14, 3), (21, 4), (28, 5)], every_sessions=2)
    assert (passed.missed, passed.due_on, passed.state) == (2, on(28), "due")


@given(st.integers(1, 40), st.integers(0, 200), st.lists(st.integers(0, 200), max_size=12), st.integers(0, 4))
def test_each_asking_is_answered_missed_open_or_to_come(every, today, answered, burst):
    found = stands(today, answered, every_days=every, baseline_askings=burst or None)
    assert found.missed >= 0
    assert all(asking.on > on(today) for asking in found.coming)
    assert [a.on for a in found.coming] == sorted(a.on for a in found.coming)
    fewer = stands(today, [], every_days=every, baseline_askings=burst or None)
    assert found.missed <= fewer.missed, "an answer never makes more of them missed"
    if found.is_due:
        assert found.due_on <= on(today)


@pytest.fixture
def store():
    with Store.create("sqlite://") as made:
        with made.writing() as record:
            record.add_all([Client("C1"), Client("C2"), Relationship("R1", "C1", "R1")])
            record.add_all([Episode(f"E{n}", f"C{n}", started_on=START) for n in (1, 2)])
            record.add(RelationshipStatus("C1", "dating", START, "R1"))
            record.add_all([Session("C1", "E1", 1, START), Session("C1", "E1", 2, on(7))])
            record.add_all(read_battery().planned("C1", START))
            record.add(Administration("C1", "who5", START, (3, 3, 3, 3, 3)))
        yield made


def test_worklist_review_and_plan_say_the_same(store):
    plan = client_plan(store, "C1", as_of=on(30))
    review = client_review(store, "C1", as_of=on(30))
    rows = {row.client_id: row for row in caseload(store, as_of=on(30)).rows}
    assert review.plan == plan
    assert review.due == tuple(measure.name for measure in plan.due)
    assert "WHO-5" in review.due
    due_soon = {name for name, day in rows["C1"].due if day <= on(30)}
    assert due_soon == {measure.name for measure in plan.due if measure.due_on <= on(30)}
    (who5,) = [each for each in review.completeness if each.instrument == "who5"]
    assert (who5.due_on, who5.missed, who5.due) == (plan.of("who5").due_on, plan.of("who5").missed, True)
    assert (rows["C2"].due, client_plan(store, "C2", as_of=on(30))) == ((), None)


def test_single_clients_are_not_asked_about_a_relationship(store):
    assert client_plan(store, "C1", as_of=on(30)).of("csi4").is_due
    with store.writing() as record:
        record.add(RelationshipStatus("C1", "ended", on(10), "R1", step_forward=True))
        record.add(RelationshipStatus("C1", "single", on(10)))
    csi = client_plan(store, "C1", as_of=on(30)).of("csi4")
    assert (csi.state, csi.words.partition(";")[0]) == ("not applicable", "not asked while single")


def test_nothing_is_due_once_care_has_ended(store):
    with store.writing() as record:
        record.end_episode("E1", on=on(20), ending="planned")
    review = client_review(store, "C1", as_of=on(30))
    assert (review.due, review.plan) == ((), None)


def test_the_battery_that_mbc_brings_along_keeps_its_core_short():
    battery = read_battery()
    core = [each for each in battery.planned("C1", START) if each.instrument in battery.core]
    by_hand = (5 / 7 * 7 + 9 / 14 * 7 + 4 / 14 * 7 + 10 / 28 * 7) * 8 / 60  # items a week, eight seconds each
    assert battery.minutes_a_week(core) == pytest.approx(by_hand)
    assert by_hand < battery.core_minutes == 3.0
    assert askings_a_week(PlannedMeasure("C1", "rses", START, every_sessions=2), 14) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[measure]", "cannot be read as TOML"),
        ("core_minutes = 3", "plans nothing"),
        ("speed = 3", "'speed' is not known"),
        ('[[measure]]\ninstrument = "rsess"\nevery_days = 7', "measure 1: .*rsess"),
        ('[[measure]]\ninstrument = "rses"', "measure 1: The plan for rses has no schedule"),
        ('[[measure]]\ninstrument = "rses"\nevery = 7', "measure 1: 'every' is not known"),
        ('seconds_per_item = 0\n[[measure]]\ninstrument = "rses"\nevery_days = 7', "must be above 0"),
        (
            '[[measure]]\ninstrument = "csi32"\ncore = true\nevery_days = 7',
            "core battery takes 4.3 minutes",
        ),
    ],
)
def test_a_battery_that_cannot_be_is_refused(tmp_path, text, says):
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=says):
        read_battery(path)
