"""C1 is married in R1; C2 left R1 on 15 January and has dated R2 since March; C3 is single."""

from __future__ import annotations

from datetime import date

import pytest

from mbc.exchange import plan_import
from mbc.store import Client, Episode, Relationship, RelationshipStatus

HEADER = "client,date,target,csi4_1,csi4_2,csi4_3,csi4_4\n"


def targets(store, write, now, *rows: str, **options) -> list[str]:
    text = HEADER + "".join(f"{row},3,3,3,3\n" for row in rows)
    done = plan_import(write(text), store, now=now, **options).apply(store)
    return done.administrations["target"].to_list()


def test_a_label_or_an_identifier_names_the_relationship(store, write, now):
    rows = ("C1,2026-01-05,R1", "C2,2026-01-06,r2", "C2,2026-01-07,C2.R1", "C1,2026-01-08,Self")
    assert targets(store, write, now, *rows) == ["C1.R1", "C2.R2", "C2.R1", "self"]


@pytest.mark.parametrize(
    ("row", "target"),
    [
        ("C1,2026-01-05,", "C1.R1"),
        ("C2,2026-01-14,", "C2.R1"),
        ("C2,2026-01-15,", "self"),  # over, and the next has not begun
        ("C2,2026-03-01,", "C2.R2"),
        ("C1,2019-12-31,", "self"),  # before it began
        ("C3,2026-01-05,", "self"),
    ],
)
def test_silence_means_the_one_relationship_current_on_that_day(store, write, now, row, target):
    assert targets(store, write, now, row) == [target]


def test_two_current_relationships_leave_it_open(store, write, now):
    with store.writing() as record:
        record.add(RelationshipStatus("C2", "dating", date(2026, 2, 1), "C2.R1"))
    plan = plan_import(write(HEADER + "C2,2026-04-01,,3,3,3,3\n"), store, now=now)
    assert plan.administrations["target"].to_list() == ["self"]
    assert any("1 administration of csi4 without a relationship's name" in note for note in plan.notes)


def test_questionnaires_about_oneself_ask_for_no_relationship(store, write, rses_text, now):
    plan = plan_import(write(rses_text([("C1", "2026-01-05", [1] * 10)])), store, now=now)
    assert plan.administrations["target"].to_list() == ["self"]


def test_a_file_met_again_after_a_relationship_was_recorded_is_a_duplicate_still(store, write, now):
    assert targets(store, write, now, "C3,2026-01-05,") == ["self"]
    with store.writing() as record:
        record.add(Relationship("C3.R1", "C3", "R1"))
        record.add(RelationshipStatus("C3", "dating", date(2025, 6, 1), "C3.R1"))
    again = plan_import(write(HEADER + "C3,2026-01-05,,3,3,3,3\nC3,2026-01-12,,3,3,3,3\n"), store, now=now)
    assert again.administrations.select("target", "outcome").rows() == [("self", "duplicate"), ("C3.R1", "stored")]


def test_a_new_relationship_is_registered_only_when_asked(store, write, now):
    assert (
        targets(store, write, now, "C3,2026-01-05,R1", "C3,2026-01-12,R1", new_relationships=True) == ["C3.R1"] * 2
    )
    assert store.relationships(client_id="C3").rows() == [("C3.R1", "C3", "R1", "partner")]


def test_new_clients_and_their_relationships_come_together(store, write, now):
    options = {"clinician": "K1", "new_relationships": True}
    assert targets(store, write, now, "N1,2026-01-05,R1", **options) == ["N1.R1"]
    again = plan_import(write(HEADER + "N1,2026-01-05,R1,3,3,3,3\n"), store, now=now, **options)
    assert (again.counts["duplicate"], again.new_clients, again.new_relationships) == (1, 0, 0)


def test_an_administration_names_the_episode_its_day_lies_in(store, write, now):
    with store.writing() as record:
        record.add(Client("E1", clinician_id="K1"))
        record.add(Episode("E1.1", "E1", started_on=date(2025, 1, 1), ended_on=date(2025, 6, 30)))
        record.add(Episode("E1.2", "E1", referred_on=date(2025, 12, 1)))
    days = ("2024-12-31", "2025-06-30", "2025-07-01", "2026-01-05")
    targets(store, write, now, *(f"E1,{day}," for day in days))
    assert store.administrations(client_id="E1")["episode_id"].to_list() == [None, "E1.1", None, "E1.2"]
