"""What the record decides by itself is what the definitions say: channel, and flags, for any answers."""

from __future__ import annotations

import json
from datetime import date

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mbc.errors import AccessDenied, StoreError
from mbc.instruments import all_keys, instrument, risk_flags
from mbc.store import Administration, Client, Clinician, Store
from mbc.store.schema.records import Event
from mbc.store.schema.safety_rules import shipped_rules
from scripts.safety_rules import FILE, rules

DAY = date(2026, 5, 1)
FLAGGED = [key for key in sorted(all_keys()) if instrument(key).flags]


def test_the_rules_are_those_of_the_catalogue():
    assert json.loads(FILE.read_text(encoding="utf-8")) == rules(), "run: python scripts/safety_rules.py"


@pytest.mark.parametrize("key", FLAGGED)
@given(data=st.data())
def test_the_record_raises_the_flags_that_the_definition_raises(key, data):
    definition = instrument(key)
    form = data.draw(st.sampled_from(definition.forms))
    coding = data.draw(st.sampled_from(definition.codings))
    answer = st.one_of(st.none(), st.integers(-1, 8).map(float))
    answers = data.draw(st.tuples(*(answer for _ in definition.items)))
    ranges = [coding.accepted(definition.item(item)) for item in form.order]
    readable = [a is not None and low <= a <= high for a, (low, high) in zip(answers, ranges, strict=True)]
    assume(any(readable) or not any(a is not None for a in answers))  # where none is, the record asks, to be safe
    columns = definition.item_columns(form.key)
    frame = pl.DataFrame([answers], schema=dict.fromkeys(columns, pl.Float64), orient="row")
    scored = risk_flags(frame, definition, form=form.key, coding=coding.key)
    spoken = {flag.item: scored[f"{key}_flag_{flag.item}"].item() for flag in definition.flags}
    raised = shipped_rules()[key].raised(answers, {}, form=form.key, coding=coding.key)
    assert {flag.item: flag.kind for flag in raised} == {item: kind for item, kind in spoken.items() if kind}


@pytest.fixture
def clinic():
    with Store.create("sqlite://") as store:
        with store.writing(by="intake") as record:
            record.add_all([Clinician("K1", "Dr. One"), Client("C1", clinician_id="K1")])
        store.accounts.add("ann", "four plain words here", "clinician", "K1")
        yield store


def test_item_9_raises_its_flag_however_it_came_in(clinic):
    with clinic.as_user("ann").writing() as record:
        record.add(Administration("C1", "phq9", DAY, (0,) * 8 + (3,)))
    assert clinic.safety_flags()["item", "kind"].rows() == [("i9", "risk")]


def test_a_safety_screen_cannot_come_into_the_care_channel(clinic):
    screen = Administration("C1", "hits", DAY, (5, 5, 5, 5))
    with pytest.raises(AccessDenied), clinic.as_user("ann").writing() as record:
        record.add(screen)
    with clinic.writing() as record:
        record.add(screen)
    assert clinic.answers("hits").is_empty()
    assert clinic.answers("hits", channel="safety").height == 4
    with pytest.raises(StoreError, match="hits belongs to the safety channel"), clinic.writing() as record:
        record.add(Administration("C1", "hits", date(2026, 5, 2), (1, 1, 1, 1), channel="care"))


def test_answers_in_an_order_that_does_not_exist_are_refused_where_one_of_them_may_raise_a_flag(clinic):
    with pytest.raises(StoreError, match="phq9 has no form 'b'"), clinic.writing() as record:
        record.add(Administration("C1", "phq9", DAY, (0,) * 9, form="b"))


def test_safety_events_are_written_and_read_with_the_permission_only(clinic):
    with clinic.writing() as record:
        record.add(Event("V1", "C1", DAY, "Safety plan", "made"))
        record.add(Event("V2", "C1", DAY, "work", "new work"))
    assert clinic.events().height == 2
    assert clinic.as_user("ann").events()["event_id"].to_list() == ["V2"]
    with pytest.raises(AccessDenied), clinic.as_user("ann").writing() as record:
        record.add(Event("V3", "C1", DAY, "safety plan", "reviewed"))
