"""The revision of a record: another one after everything that is written, and after nothing else."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from mbc.errors import AccessDenied
from mbc.store import (
    Administration,
    Client,
    Demographics,
    Event,
    Goal,
    GoalRating,
    Homework,
    SafetyChange,
    SafetyPlan,
    Session,
    Store,
)

DAY = date(2026, 1, 9)
LATER = DAY + timedelta(days=1)
GOOD_PASSWORD = "harbour lamp, seven geese"


def hold(store, number: int, *, attended: bool = True, supersede: str | None = None):
    with store.writing(by="ann") as record:
        day = DAY + timedelta(days=number)
        record.add(Session("C1", "C1-E1", number, day, attended), supersede=supersede)


def test_it_changes_with_every_writing_of_any_process_and_with_nothing_else(clinic, url):
    seen = [clinic.revision()]
    assert clinic.answers().height >= 0
    assert clinic.revision() == seen[0]  # reading changes nothing
    hold(clinic, 2)
    seen.append(clinic.revision())
    hold(clinic, 2, attended=False, supersede="written down wrongly")
    seen.append(clinic.revision())
    with Store.open(url) as another:
        hold(another, 3)
    seen.append(clinic.revision())
    clinic.erase("C2", reason="asked for")
    seen.append(clinic.revision())
    assert len(set(seen)) == len(seen)


def test_a_users_view_does_not_tell_that_something_was_written(clinic):
    clinic.accounts.add("one", GOOD_PASSWORD, "clinician", "T1")
    with pytest.raises(AccessDenied):
        clinic.as_user("one").revision()


CARE = {
    "a session": lambda: [Session("C1", "C1-E1", 9, DAY)],
    "a questionnaire": lambda: [Administration("C1", "phq9", LATER, (1,) * 9)],
    "a goal": lambda: [Goal("C1-G9", "C1", "sleep", DAY)],
    "its rating": lambda: [GoalRating("C1-G9", DAY, 3)],
    "an event": lambda: [Event("C1-V9", "C1", DAY, "move", "a new flat")],
    "homework": lambda: [Homework("C1-H9", "C1", DAY, "a walk")],
}
SAFETY = {
    "a questionnaire": lambda: [Administration("C1", "hits", LATER, (1, 1, 1, 1))],
    "an event": lambda: [Event("C1-V8", "C1", DAY, "safety: call", "called")],
    "a plan": lambda: [SafetyPlan("C1", LATER)],
    "a change after a signal": lambda: [SafetyChange("C1-S1", "C1", DAY)],
}


def add(store: Store, rows) -> None:
    with store.writing(by="ann") as record:
        record.add_all(rows)


def states(store: Store) -> tuple[str, dict[str, str]]:
    return store.care_revision(), store.care_states()


def test_the_care_channels_revision_changes_with_each_kind_of_care_data_for_that_client_alone(clinic):
    for rows in CARE.values():
        revision, before = states(clinic)
        add(clinic, rows())
        after_revision, after = states(clinic)
        assert after_revision != revision
        assert {client for client in before if after[client] != before[client]} == {"C1"}


def test_it_changes_with_what_is_replaced_withdrawn_or_erased(clinic):
    seen = [states(clinic)]
    hold(clinic, 2)
    seen.append(states(clinic))
    hold(clinic, 2, attended=False, supersede="written down wrongly")
    seen.append(states(clinic))
    add(clinic, [Homework("C1-H9", "C1", DAY, "a walk")])
    seen.append(states(clinic))
    assert len({revision for revision, _ in seen}) == len({of["C1"] for _, of in seen}) == len(seen)
    with clinic.writing(by="ann") as record:
        record.withdraw_entry(Homework, "C1-H9", reason="of somebody else")
    assert states(clinic) == seen[-2]  # everything is as it was
    clinic.erase("C2", reason="asked for")
    assert clinic.care_revision() not in [revision for revision, _ in seen]


def test_it_does_not_change_with_anything_of_the_safety_channel(clinic):
    before = states(clinic)
    for rows in SAFETY.values():
        everything = clinic.revision()
        add(clinic, rows())
        assert clinic.revision() != everything  # something was written
        assert states(clinic) == before
    with clinic.writing(by="ann") as record:  # demographics need a permission of their own too
        record.add(Demographics("C1", LATER, payer="self"), supersede="another payer")
    assert states(clinic) == before


def test_a_users_view_names_the_state_of_what_it_reads_and_of_nothing_else(clinic):
    clinic.accounts.add("ash", GOOD_PASSWORD, "clinician", "T1")
    mine = clinic.as_user("ash")
    before = mine.care_revision()
    add(clinic, [Client("C77", clinician_id=None)])
    assert mine.care_revision() == before
    assert "C77" not in mine.care_states()
    assert mine.care_states("C77") == {}
