"""A version is replaced by whoever has seen it: `Writing.add(..., replaces=)`."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from mbc.errors import AccessDenied, Conflict, NotInRecord, StoreError
from mbc.store import Client, Clinician, Event, Goal, Store

GOAL = Goal("G-1", "C001", "Say what I need", date(2026, 1, 5), 2, 8)


@pytest.fixture
def record(filled) -> Store:
    return filled(fill_record)


def fill_record(store: Store) -> None:
    with store.writing() as writing:
        writing.add_all([Clinician("K1", "Dr Ash"), Clinician("K2", "Dr Birch")])
        writing.add_all([Client("C001", None, "K1"), Client("C002", None, "K2"), GOAL])
    store.accounts.add("ash", "nine otters, a lantern", "clinician", "K1")
    store.accounts.add("birch", "nine otters, a lantern", "clinician", "K2")
    store.accounts.add("oak", "nine otters, a lantern", "supervisor", supervises=["K1"])


def target(store: Store) -> float:
    return store.goals()["target"][0]


def write_both(store: Store) -> None:
    with store.writing() as writing:
        writing.add(Event("EV1", "C001", date(2026, 1, 6), "work", "New job"))
        writing.add(replace(GOAL, target=9.0), supersede="aims higher", replaces=GOAL)


def test_the_version_that_was_seen_is_replaced(record: Store):
    with record.as_user("ash").writing() as writing:
        assert writing.add(replace(GOAL, target=9.0), supersede="aims higher", replaces=GOAL) == "superseding"
    assert target(record) == 9.0


def test_another_version_is_not_replaced_and_nothing_is_written(record: Store):
    with record.writing() as writing:
        writing.add(replace(GOAL, target=3.0), supersede="meanwhile")
    with pytest.raises(Conflict, match="goal has been changed"):
        write_both(record.as_user("ash"))
    assert (target(record), record.events().height) == (3.0, 0)


def test_what_is_on_record_already_is_a_duplicate_whatever_was_seen(record: Store):
    changed = replace(GOAL, target=9.0)
    with record.writing() as writing:
        writing.add(changed, supersede="aims higher")
    with record.writing() as writing:
        assert writing.add(changed, supersede="aims higher", replaces=GOAL) == "duplicate"


def test_versions_of_somebody_elses_tell_nothing(record: Store):
    for who, fault in (("birch", NotInRecord), ("oak", AccessDenied)):
        with pytest.raises(fault), record.as_user(who).writing() as writing:
            writing.add(replace(GOAL, target=9.0), supersede="x", replaces=GOAL)
    with pytest.raises(StoreError, match="cannot replace"), record.writing() as writing:
        writing.add(GOAL, supersede="x", replaces=Client("C001"))
    assert target(record) == 8.0
