"""Who the client was with decides what a questionnaire about a relationship can be about."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from mbc.care.course.relationships import Timeline, timelines
from mbc.care.values.course import Span
from mbc.care.values.review import StatusPeriod
from mbc.instruments import instrument

CSI, RSES = instrument("csi16"), instrument("rses")
JAN, MAR, MAY, JUL = (dt.date(2025, month, 1) for month in (1, 3, 5, 7))


def line(*rows: tuple[str | None, str, dt.date]) -> Timeline:
    statuses = pl.DataFrame(
        [("C1", whose, status, since) for whose, status, since in rows],
        schema={"client_id": pl.String, "relationship_id": pl.String, "status": pl.String, "since": pl.Date},
        orient="row",
    )
    known = sorted({whose for whose, _, _ in rows if whose})
    relationships = pl.DataFrame(
        {"relationship_id": known, "client_id": ["C1"] * len(known), "label": [one.upper() for one in known]},
        schema={"relationship_id": pl.String, "client_id": pl.String, "label": pl.String},
    )
    return timelines(statuses, relationships).get("C1", Timeline())


LEFT = line(("r1", "partnered", JAN), ("r1", "ended", MAR), (None, "single", MAR), ("r2", "dating", JUL))


def test_each_status_holds_until_the_next_of_the_same_relationship():
    assert LEFT.of("r1") == (
        StatusPeriod("r1", "R1", "partnered", JAN, MAR),
        StatusPeriod("r1", "R1", "ended", MAR, None),
    )


def test_being_single_ends_when_a_relationship_begins():
    (single,) = LEFT.of(None)
    assert (single.since, single.until) == (MAR, JUL)


@pytest.mark.parametrize(
    ("day", "status"),
    [(JAN, "partnered"), (MAR, "single"), (MAY, "single"), (JUL, "dating"), (dt.date(2024, 1, 1), "")],
)
def test_the_status_of_a_day_is_the_current_relationships_first(day, status):
    assert LEFT.status_on(day) == status


def test_a_relationship_that_is_over_does_not_take_answers_and_one_that_goes_on_does():
    assert LEFT.target_on(CSI, "r1", JAN) == "r1"
    assert LEFT.target_on(CSI, "r1", MAY) is None
    assert LEFT.target_on(CSI, "r2", JUL) == "r2"


def test_answers_that_name_no_relationship_belong_to_the_current_one():
    assert LEFT.target_on(CSI, "self", JAN) == "r1"
    assert LEFT.target_on(CSI, "self", JUL) == "r2"
    assert LEFT.target_on(CSI, "self", MAY) is None  # single: not applicable


def test_with_two_current_relationships_an_unnamed_answer_is_nobodys():
    both = line(("r1", "married", JAN), ("r2", "dating", MAR))
    assert both.target_on(CSI, "self", MAY) == "self"


def test_what_is_not_on_record_does_not_forbid():
    assert Timeline().target_on(CSI, "self", JAN) == "self"
    assert Timeline().target_on(CSI, "r9", JAN) == "r9"
    assert LEFT.target_on(CSI, "r1", dt.date(2024, 1, 1)) == "r1"


def test_self_esteem_applies_always():
    assert LEFT.target_on(RSES, "self", MAY) == "self"
    assert LEFT.not_applicable(RSES, JAN, JUL) == ()


def test_the_stretch_between_two_relationships_is_not_applicable():
    assert LEFT.not_applicable(CSI, JAN, dt.date(2025, 9, 1)) == (Span(MAR, JUL, "single"),)


def test_the_last_stretch_stays_open_when_asked_up_to_now():
    alone = line((None, "single", JAN))
    assert alone.not_applicable(CSI, MAR, None) == (Span(MAR, None, "single"),)


def test_separated_counts_as_over_until_the_record_says_otherwise():
    again = line(("r1", "married", JAN), ("r1", "separated", MAR), ("r1", "married", MAY))
    assert again.not_applicable(CSI, JAN, JUL) == (Span(MAR, MAY, "separated"),)
    assert again.ended_on("r1") is None
    assert again.target_on(CSI, "r1", JUL) == "r1"


def test_a_relationship_ended_when_it_was_first_over():
    over = line(("r1", "married", JAN), ("r1", "separated", MAR), ("r1", "ended", MAY))
    assert over.ended_on("r1") == MAR
