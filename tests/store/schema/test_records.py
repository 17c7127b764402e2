"""Records refuse what cannot be, and say what can."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from mbc.errors import StoreError
from mbc.store import (
    Administration,
    Client,
    Clinician,
    Episode,
    Event,
    Flag,
    Goal,
    GoalRating,
    ImportSource,
    Relationship,
    RelationshipStatus,
    Session,
)

DAY = date(2026, 1, 5)
FIRST = datetime.min.replace(tzinfo=UTC)
NO_ZONE = datetime(2026, 1, 5, 9, 30)  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Client("Anna Smith"), "client_id is 'Anna Smith'; accepted are"),
        (lambda: Client(""), "client_id is ''"),
        (lambda: Client("C" * 65), "1 to 64"),
        (lambda: Client("=cmd"), "client_id is '=cmd'"),
        (lambda: Client("C1\n"), r"client_id is 'C1\\n'"),
        (lambda: Client(1), "client_id is 1;"),
        (lambda: Client("C1", alias="two\nlines"), "control characters are not kept"),
        (lambda: Client("C1", alias="right\u202eleft"), "control characters are not kept"),
        (lambda: Client("C1", alias="x" * 501), "501 characters; at most 500"),
        (lambda: Client("C1", registered_on="2026-01-05"), "registered_on is '2026-01-05'; it must be a datetime"),
        (lambda: Clinician("T1", " "), "display_name is ' '; it must be a short text"),
        (
            lambda: Episode("E1", "C1", started_on=DAY, ended_on=date(2025, 1, 1)),
            "ended_on .* is before started_on",
        ),
        (lambda: Relationship("self", "C1", "R1"), "'self' is reserved for answers about the client"),
        (lambda: RelationshipStatus("C1", "complicated", DAY), "accepted are single, dating"),
        (lambda: Session("C1", "E1", 0, DAY), "number is 0; it must be an integer from 1"),
        (lambda: Session("C1", "E1", True, DAY), "number is True"),
        (lambda: Flag("i9", "bad"), "accepted are risk, ask"),
        (lambda: Administration("C1", "rses", DAY), "needs answers or totals, but has neither"),
        (lambda: Administration("C1", "rses", DAY, ("three",)), "an answer is 'three'; it must be a number"),
        (lambda: Administration("C1", "rses", DAY, (math.inf,)), "an answer is infinite"),
        (lambda: Administration("C1", "rses", DAY, "0123"), "a sequence in the form's item order"),
        (lambda: Administration("C1", "rses", DAY, (0,) * 1001), "1001 answers; at most 1000"),
        (lambda: Administration("C1", "rses", DAY, totals={"total": None}), "Total 'total' is blank"),
        (lambda: Administration("C1", "rses", DAY, totals={"a b": 1}), "scale is 'a b'"),
        (lambda: Administration("C1", "rses", datetime(2026, 1, 5, tzinfo=UTC), (1,)), "it must be a datetime"),
        (lambda: Administration("C1", "rses", date(199, 1, 5), (1,)), "before 1900"),
        (lambda: Administration("C1", "rses", DAY, (1,), taken_at=NO_ZONE), "must have a time zone"),
        (lambda: Administration("C1", "rses", DAY, (1,), channel="x"), "accepted are care, safety"),
        (lambda: Administration("C1", "rses", DAY, (1,), taken_at=FIRST), "before 1900"),
        (lambda: Administration("C1", "rses", DAY, (1,), source_line=-1), "source_line is -1"),
        (lambda: Client("C1", alias="half \ud800"), "control characters are not kept"),
        (lambda: ImportSource("x.csv", "abc"), "64 hexadecimal digits"),
        (lambda: Goal("G1", "C1", "speak up", DAY, baseline="low"), "baseline is 'low'"),
        (lambda: Goal("G1", "C1", "speak up", DAY, retired_on=date(2025, 1, 1)), "is before set_on"),
        (lambda: GoalRating("G1", DAY, math.nan), "rating is missing"),
        (lambda: Event("V1", "C1", DAY, "move", "moved", "good"), "accepted are growth, hard, neutral"),
    ],
)
def test_what_cannot_be_is_refused(make, says):
    with pytest.raises(StoreError, match=says):
        make()


def test_nan_is_a_blank_and_zero_is_not():
    taken = Administration("C1", "rses", DAY, (0, math.nan, None))
    assert taken.answers == (0.0, None, None)


def test_answers_of_any_sequence_kind_are_taken():
    wanted = (1.0, 2.0)
    for answers in ([1, 2], np.array([1, 2]), pl.Series([1, 2]), (x for x in (1, 2))):
        assert Administration("C1", "rses", DAY, answers).answers == wanted


def test_a_record_cannot_be_changed_from_outside():
    totals = {"total": 3.0}
    taken = Administration("C1", "rses", DAY, totals=totals)
    totals["total"] = 30.0
    assert taken.totals["total"] == 3.0
