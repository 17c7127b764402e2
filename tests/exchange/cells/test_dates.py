from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from mbc.errors import ImportRefused, SettingsError
from mbc.exchange.cells.dates import DateFault, check_format, order_of, read_moment


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-01-31", date(2026, 1, 31)),
        ("2026/1/31", date(2026, 1, 31)),
        ("20260131", date(2026, 1, 31)),
        ("31.01.2026", date(2026, 1, 31)),
        ("31.1.2026 14:30", date(2026, 1, 31)),
        ("2026-01-31 14:30:05.250", date(2026, 1, 31)),
        ("2026-01-31T09:05 PM", date(2026, 1, 31)),
        ("2024-02-29", date(2024, 2, 29)),
        ("1900-01-01", date(1900, 1, 1)),
        ("2026-06-01", date(2026, 6, 1)),
    ],
)
def test_days_as_people_and_programs_write_them(text, day, now):
    moment = read_moment(text, now=now)
    assert (moment.day, moment.at) == (day, None)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-01-31T14:30Z", datetime(2026, 1, 31, 14, 30, tzinfo=UTC)),
        ("2026-01-31T14:30:00+01:00", datetime(2026, 1, 31, 13, 30, tzinfo=UTC)),
        ("2026-01-31 23:30-0500", datetime(2026, 2, 1, 4, 30, tzinfo=UTC)),
        ("31.01.2026 14:30 +02", datetime(2026, 1, 31, 12, 30, tzinfo=UTC)),
    ],
)
def test_a_moment_with_a_zone_is_kept_and_its_day_stays_the_local_one(text, at, now):
    moment = read_moment(text, now=now)
    assert (moment.day, moment.at) == (date(2026, 1, 31), at)


def test_a_time_without_a_zone_is_dropped_and_said(now):
    assert read_moment("2026-01-31 14:30", now=now).time_dropped
    assert not read_moment("2026-01-31 00:00:00", now=now).time_dropped


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("soon", "is not a date; accepted are 2026-01-31"),
        ("2026-02-30", "is not a valid date"),
        ("2026-13-01", "is not a valid date"),
        ("2026-01-01T25:00Z", "is not a valid date"),
        ("1899-12-31", "is before 1900"),
        ("0001-01-01", "is before 1900"),
        ("2026-06-02", "is in the future"),
        ("2026-06-01T12:00:01Z", "is in the future"),
        ("46053", "a spreadsheet's day number"),
        ("31.01.26", "a two-digit year"),
        ("1/2/26", "a two-digit year"),
        ("31-Jan-2026", "--date-format"),
        ("\x1b[31m2026", "'�[31m2026' is not a date"),
    ],
)
def test_what_is_no_acceptable_day_is_refused_with_its_text(text, words, now):
    with pytest.raises(DateFault) as fault:
        read_moment(text, now=now, order="day-month")
    assert words in str(fault.value)


def test_one_day_above_twelve_settles_the_order_of_the_column(now):
    assert order_of(["03/04/2026", "25/04/2026"], "date").order == "day-month"
    assert order_of(["03/04/2026", "04/25/2026"], "date").order == "month-day"
    assert order_of(["03/03/2026"], "date").order == "day-month"  # the same day either way
    assert order_of(["2026-01-31"], "date") is None
    assert read_moment("03/04/2026", order="day-month", now=now).day == date(2026, 4, 3)
    assert read_moment("03-04-2026", order="month-day", now=now).day == date(2026, 3, 4)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["03/04/2026", "05/06/2025"], "is the day or the month first? Nothing in the column shows which"),
        (["13/04/2026", "04/13/2026"], "mixes two date orders"),
    ],
)
def test_an_order_that_stays_open_is_asked_for_not_guessed(texts, words):
    with pytest.raises(ImportRefused, match="date-format") as refused:
        order_of(texts, "date")
    assert words in str(refused.value)


def test_a_named_format_is_the_only_one_accepted(now):
    assert read_moment("31-Jan-2026", date_format="%d-%b-%Y", now=now).day == date(2026, 1, 31)
    assert read_moment("03/04/26", date_format="%m/%d/%y", now=now).day == date(2026, 3, 4)
    with pytest.raises(DateFault, match="not a date of the form"):
        read_moment("2026-01-31", date_format="%d-%b-%Y", now=now)


@pytest.mark.parametrize("date_format", ["%d", "%d/%m", "dd.mm.yyyy", "%H:%M"])
def test_a_format_must_name_a_whole_date(date_format):
    with pytest.raises(SettingsError, match="must name day, month and year"):
        check_format(date_format)


@pytest.mark.parametrize(("text", "moment"), [
    ("2026/01/05 2:22:33 PM GMT+1", "2026-01-05 13:22:33+00:00"),  # as Google Forms writes it
    ("2026/01/05 2:22:33 PM GMT-10:30", "2026-01-06 00:52:33+00:00"),
    ("2026-01-05 14:22 UTC+2", "2026-01-05 12:22:00+00:00"),
    ("2026-01-05T23:30:00.000000-05:00", "2026-01-06 04:30:00+00:00"),
])  # fmt: skip
def test_a_zone_by_its_offset_gives_the_moment_and_the_day_stays_local(text, moment, now):
    read = read_moment(text, now=now)
    assert (str(read.day), str(read.at)) == ("2026-01-05", moment)


@pytest.mark.parametrize(
    "text", ["2026/01/05 2:22:33 PM EST", "2026-01-05 14:22 CEST", "2026-01-05 9:00 Europe/Berlin"]
)
def test_a_zone_that_is_only_named_keeps_the_day(text, now):
    read = read_moment(text, now=now)
    assert (str(read.day), read.at, read.time_dropped) == ("2026-01-05", None, True)


def test_one_slip_does_not_turn_a_column_round():
    open_days = [f"{month:02}/{day:02}/2026" for month in range(1, 12) for day in (2, 12) if month != day]
    with pytest.raises(ImportRefused, match=r"only 1 of .* That may be a typing error"):
        order_of([*open_days, "01/15/2026"], "date")


def test_a_column_read_with_the_month_first_says_so():
    found = order_of(["01/15/2026", "01/20/2026", "02/03/2026"], "date")
    assert found is not None
    assert "2 of 3 dates can only be read that way, such as '01/15/2026'" in str(found.note)
    assert order_of(["15/01/2026", "02/03/2026"], "date").note is None  # pyright: ignore[reportOptionalMemberAccess]
