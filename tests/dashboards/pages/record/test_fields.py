"""What a field of a form accepts, and what it says of the rest."""

from __future__ import annotations

from datetime import date

import pytest

from dashboards.forms.fields import Choice, Field, read
from mbc.errors import StoreError

TODAY = date(2026, 3, 20)


@pytest.mark.parametrize(
    ("typed", "value"),
    [("7", 7.0), (" 7.5 ", 7.5), ("7,5", 7.5), ("+3", 3.0), ("-2", -2.0), ("0", 0.0), ("", None)],
)
def test_numbers_are_read_with_a_point_or_a_comma(typed: str, value: float | None):
    assert Field("n", "", "number", required=False).read(typed) == value


@pytest.mark.parametrize("typed", ["seven", "1,000", "1.2.3", "1e5", "NaN", "inf", "7-8", "\N{SUPERSCRIPT TWO}"])
def test_what_could_be_read_in_two_ways_is_not_a_number(typed: str):
    with pytest.raises(StoreError, match="Enter a number"):
        Field("n", "", "number").read(typed)


def test_bounds_are_part_of_what_is_accepted():
    field = Field("n", "", "number", least=0, most=10)
    assert (field.read("0"), field.read("10")) == (0.0, 10.0)
    for typed in ("-0.1", "10.1"):
        with pytest.raises(StoreError, match="from 0 to 10"):
            field.read(typed)


@pytest.mark.parametrize("typed", ["20.3.2026", "2026-02-30", "2026-03", "today", "0001-01-01", "1899-12-31"])
def test_a_day_is_a_valid_date_since_1900(typed: str):
    with pytest.raises(StoreError):
        Field("d", "", "day", most=TODAY).read(typed)


def test_a_day_that_has_not_come_is_refused_where_it_must_have():
    field = Field("d", "", "day", most=TODAY)
    assert field.read("2026-03-20") == TODAY
    with pytest.raises(StoreError, match="is after 2026-03-20"):
        field.read("2026-03-21")


def test_a_text_is_one_line_and_as_long_as_is_kept():
    field = Field("t", "", longest=5)
    assert field.read("  a \n b ") == "a b"
    for typed, words in (("abcdef", "6 characters"), ("a\x00b", "control characters"), (" ", "required")):
        with pytest.raises(StoreError, match=words):
            field.read(typed)


def test_every_fault_of_a_form_is_named_at_once_and_what_is_right_is_kept():
    fields = (
        Field("day", "", "day"),
        Field("n", "", "number"),
        Field("c", "", "choice", choices=(Choice("a", "A"),)),
        Field("t", ""),
        Field("k", "", "check"),
    )
    reading = read(fields, {"day": "soon", "n": "1", "c": "b", "t": "", "k": "yes"})
    assert set(reading.faults) == {"day", "c", "t"}
    assert (reading.number("n"), reading.check("k"), reading.text("t")) == (1.0, True, "")
