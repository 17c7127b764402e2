"""Single answers: every response by item, what moved most, and nothing of the safety channel."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from mbc.care.client.moved_items import item_strips, moved_most
from mbc.store import Administration, Client, Clinician, Store

PASSWORD = "a long enough sentence for a test"
FIRST = dt.date(2026, 1, 5)
LATER = FIRST + dt.timedelta(weeks=2)
# RSES form b has another item order than form a, and coding 1-4 is one above 0-3.
RSES = (0, 1, 1, 2, 1, 1, 2, 1, 1, 0)


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    with Store.create(f"sqlite:///{tmp_path / 'clinic.db'}") as made:
        with made.writing(by="test") as record:
            record.add(Clinician("K1", "Dr Ash"))
            record.add(Client("C1", None, "K1", FIRST))
            record.add_all(
                [
                    Administration("C1", "phq9", FIRST, (0, 1, 1, 1, 0, 0, 0, 0, 0)),
                    Administration("C1", "phq9", LATER, (3, 1, None, 1, 0, 0, 0, 0, 3)),
                    Administration("C1", "rses", FIRST, RSES, form="a", coding="0-3"),
                    Administration("C1", "rses", LATER, tuple(n + 1 for n in RSES), form="a", coding="1-4"),
                    Administration("C1", "csi4", FIRST, (6, 5, 5, 5), target="self"),
                    Administration("C1", "ecr_s", FIRST, (1, 7, 4, 4, 4, 4, 4, 7, 4, 4, 4, 4)),
                    Administration("C1", "ecr_s", LATER, (3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4)),
                    Administration("C1", "hits", FIRST, (5, 5, 5, 5)),
                    Administration("C1", "hits", LATER, (1, 1, 1, 1)),
                ]
            )
        made.accounts.add("ash", PASSWORD, "clinician", "K1", permissions=["safety:read"])
        made.accounts.add("birch", PASSWORD, "clinician", "K1")
        yield made


def strips(store: Store, who: str):
    return {(strip.instrument, strip.item): strip for strip in item_strips(store.as_user(who), "C1")}


def test_every_answer_is_there_in_the_default_coding_and_a_blank_is_a_gap(store: Store):
    seen = strips(store, "ash")
    assert seen["phq9", "i1"].answers == (0, 3)
    assert seen["phq9", "i3"].answers == (1, None)
    assert seen["phq9", "i3"].moved is None
    assert seen["rses", "i1"].answers == (0, 0)  # the same answer, written in two codings
    assert seen["rses", "i1"].days == (FIRST, LATER)
    assert seen["phq9", "i1"].label == "interest and pleasure"  # ours, never the authors' wording


def test_what_raises_a_flag_and_what_belongs_to_the_safety_channel_is_never_read(store: Store):
    for who in ("ash", "birch"):
        seen = strips(store, who)
        assert ("phq9", "i9") not in seen
        assert not any(instrument == "hits" for instrument, _ in seen)


def test_answers_next_to_a_risk_item_are_for_those_who_may_read_them(store: Store):
    assert any(instrument == "phq9" for instrument, _ in strips(store, "ash"))
    assert not any(instrument == "phq9" for instrument, _ in strips(store, "birch"))


def test_the_items_that_moved_most_come_first_and_know_which_way_is_better(store: Store):
    moved = moved_most(item_strips(store.as_user("ash"), "C1"))
    # shares of the range: PHQ-9 i1 3/3, ECR-S i2 and i8 3/6, i1 2/6
    assert [(strip.instrument, strip.moved) for strip in moved] == [("phq9", 3), ("ecr_s", -3), ("ecr_s", -3)]
    assert [strip.improved for strip in moved] == [
        False,
        True,  # needing less reassurance
        False,  # fearing abandonment "rarely" less: the item is reverse-keyed
    ]
    assert [strip.item for strip in moved] == ["i1", "i2", "i8"]


def test_small_moves_and_other_relationships_are_not_compared(store: Store):
    with store.writing(by="test") as record:
        record.add(Administration("C1", "rses", LATER + dt.timedelta(weeks=2), RSES, form="a", coding="0-3"))
    assert not [strip for strip in moved_most(item_strips(store, "C1")) if strip.instrument in ("rses", "csi4")]


def test_days_outside_the_present_care_are_left_out(store: Store):
    later = item_strips(store, "C1", since=LATER)
    assert all(strip.days == (LATER,) for strip in later)
    assert moved_most(later) == ()
