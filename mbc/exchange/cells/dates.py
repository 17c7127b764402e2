"""Which day, and which moment, a date column means: never by guessing between day and month."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Literal

from mbc.errors import ImportRefused, SettingsError
from mbc.exchange.files.messages import join_names, quote

EARLIEST_YEAR = 1900
Order = Literal["day-month", "month-day"]
_MONTHS = 12
_FEWEST_OPEN = 10  # dates that could be read both ways, for each that could not

_TIME = (
    r"(?:[T ]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d+))?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*(?:(?P<zone>Z|z|(?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2})?|UTC|GMT)"
    r"|(?P<named>[A-Z]{2,5}|[A-Z][a-z]+/[A-Za-z_]+))?)?"
)
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})(?P<s>[-/.])(?P<month>\d{1,2})(?P=s)(?P<day>\d{1,2})" + _TIME)
_COMPACT = re.compile(r"(?P<year>(?:19|20)\d{2})(?P<month>\d{2})(?P<day>\d{2})" + _TIME)
_DOTTED = re.compile(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})" + _TIME)
_SLASHED = re.compile(r"(?P<first>\d{1,2})(?P<s>[/-])(?P<second_part>\d{1,2})(?P=s)(?P<year>\d{4})" + _TIME)
_SHORT_YEAR = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{2}\b.*")
_SERIAL = re.compile(r"\d{5}([.,]\d+)?")  # Excel counts days from 1899-12-30: 45000 is in 2023


class DateFault(ValueError):
    """A text that is not an acceptable date; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The calendar day as written, and the moment in UTC where the text names a zone."""

    day: date
    at: datetime | None
    time_dropped: bool = False
    """A time of day without a zone, or with one known only by name, is dropped: it does not define a moment."""


@dataclass(frozen=True, slots=True)
class OrderFound:
    """Whether the day or the month comes first, and how many dates show it."""

    order: Order
    deciding: tuple[str, ...]
    """Texts that can be read in no other way."""
    open: int
    """Texts that could be read in both."""

    @property
    def note(self) -> str | None:
        """What to say of a column that is read with the month first."""
        if self.order == "day-month" or not self.open:
            return None
        total = len(self.deciding) + self.open
        return (
            f"is read with the month first: {len(self.deciding)} of {total} dates can only be read that way, such "
            f"as {join_names(self.deciding[:1])}. If the day is first: --date-format '%d/%m/%Y'."
        )


def order_of(texts: Iterable[str], name: str) -> OrderFound | None:
    """Say whether ``03/04/2026``-like texts put the day or the month first; None when there are none.

    Parameters
    ----------
    texts : iterable of str
        Every different text of the column: one day above 12 settles it for all.
    name : str
        The column, for the message.

    Raises
    ------
    ImportRefused
        When no text settles it, or two texts settle it differently.

    Examples
    --------
    >>> order_of(["03/04/2026", "25/04/2026"], "date").order
    'day-month'
    """
    slashed = [(text, match) for text in texts if (match := _SLASHED.fullmatch(text))]
    day_first = [text for text, match in slashed if int(match["first"]) > 12]
    month_first = [text for text, match in slashed if int(match["second_part"]) > 12]
    either = [
        text
        for text, match in slashed
        if int(match["first"]) != int(match["second_part"])
        and max(int(match["first"]), int(match["second_part"])) <= _MONTHS
    ]
    repair = "Choose with --date-format '%d/%m/%Y' or '%m/%d/%Y', or write 2026-01-31."
    if day_first and month_first:
        raise ImportRefused(
            f"Column '{quote(name)}' mixes two date orders: {join_names(day_first[:1])} puts the day first, "
            f"{join_names(month_first[:1])} the month. {repair}"
        )
    if either and not day_first and not month_first:
        raise ImportRefused(
            f"Column '{quote(name)}' contains dates such as {join_names(either[:1])}: is the day or the month "
            f"first? Nothing in the column shows which. {repair}"
        )
    deciding = day_first or month_first
    if deciding and len(either) >= _FEWEST_OPEN * len(deciding):  # of days drawn at random three in five decide
        raise ImportRefused(
            f"Column '{quote(name)}': only {len(deciding)} of {len(deciding) + len(either)} dates show whether "
            f"the day or the month comes first ({join_names(deciding[:1])}). That may be a typing error. {repair}"
        )
    if not slashed:
        return None
    return OrderFound("month-day" if month_first else "day-month", tuple(deciding), len(either))


def read_moment(text: str, *, order: Order | None = None, date_format: str | None = None, now: datetime) -> Moment:
    """Read one date or date with time.

    Parameters
    ----------
    text : str
        ``2026-01-31``, ``20260131``, ``31.01.2026``, ``31/01/2026`` and the same with a time, which may name a
        zone.
    order : {"day-month", "month-day"}, optional
        Result of `order_of` for the column.
    date_format : str, optional
        A ``strptime`` format; then only that is accepted.
    now : datetime
        With its zone; nothing after it is accepted.

    Raises
    ------
    DateFault
        When the text is not a date, or one before 1900 or in the future.

    Examples
    --------
    >>> now = datetime(2026, 6, 1, tzinfo=UTC)
    >>> late = read_moment("2026-01-31T23:30:00-05:00", now=now)
    >>> str(late.day), str(late.at)
    ('2026-01-31', '2026-02-01 04:30:00+00:00')
    >>> read_moment("31.01.2026", now=now).day
    datetime.date(2026, 1, 31)
    """
    moment = _by_format(text, date_format) if date_format else _by_shape(text, order)
    if moment.day.year < EARLIEST_YEAR:
        raise DateFault(f"'{quote(text)}' is before {EARLIEST_YEAR}")
    if moment.at > now if moment.at else moment.day > now.date():
        raise DateFault(f"'{quote(text)}' is in the future (today is {now.date()})")
    return moment


def check_format(date_format: str) -> None:
    """Refuse a format that names no day, month and year.

    Raises
    ------
    SettingsError
        When it does not.
    """
    named = set(re.findall(r"%-?([A-Za-z])", date_format))
    complete = named & {"x", "c", "D", "F"} or (
        named & {"d", "j"} and named & {"m", "b", "B", "j"} and named & {"Y", "y"}
    )
    if not complete:
        raise SettingsError(
            f"--date-format '{quote(date_format)}' must name day, month and year, such as '%d.%m.%Y' or "
            "'%m/%d/%Y'."
        )


def _by_format(text: str, date_format: str) -> Moment:
    try:
        read = datetime.strptime(text, date_format)  # noqa: DTZ007 - a zone is kept when the format names one
    except ValueError:
        raise DateFault(f"'{quote(text)}' is not a date of the form {quote(date_format)}") from None
    at = read.astimezone(UTC) if read.tzinfo else None
    return Moment(read.date(), at, time_dropped=at is None and read.time() != time())


def _by_shape(text: str, order: Order | None) -> Moment:
    for shape in (_YEAR_FIRST, _COMPACT, _DOTTED):
        if match := shape.fullmatch(text):
            return _moment(match, match["month"], match["day"], text)
    if match := _SLASHED.fullmatch(text):
        first, second = match["first"], match["second_part"]
        month, day = (first, second) if order == "month-day" else (second, first)
        return _moment(match, month, day, text)
    if _SERIAL.fullmatch(text):
        raise DateFault(f"'{quote(text)}' looks like a spreadsheet's day number; format the column as a date")
    if _SHORT_YEAR.fullmatch(text):
        raise DateFault(f"'{quote(text)}' has a two-digit year; write four digits, or give the --date-format")
    raise DateFault(f"'{quote(text)}' is not a date; accepted are 2026-01-31, 31.01.2026, or --date-format")


def _moment(match: re.Match[str], month: str, day: str, text: str) -> Moment:
    try:
        on = date(int(match["year"]), int(month), int(day))
        if match["hour"] is None:
            return Moment(on, None)
        clock = datetime.combine(on, _clock(match), tzinfo=_zone(match["zone"]))
    except (ValueError, OverflowError):
        raise DateFault(f"'{quote(text)}' is not a valid date") from None
    if clock.tzinfo is None:
        return Moment(on, None, time_dropped=clock.time() != time())
    return Moment(on, clock.astimezone(UTC))


def _clock(match: re.Match[str]) -> time:
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError("not an hour on a twelve-hour clock")
        hour = hour % 12 + (12 if match["half"][0] in "pP" else 0)
    microsecond = int((match["fraction"] or "0").ljust(6, "0")[:6])
    return time(hour, int(match["minute"]), int(match["second"] or 0), microsecond)


def _zone(text: str | None) -> timezone | None:
    if text is None:
        return None
    if text in {"Z", "z", "UTC", "GMT"}:
        return UTC
    sign, hours, minutes = re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?", text).groups()  # type: ignore[union-attr]
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
    return timezone(-offset if sign == "-" else offset)
