"""Where a day falls on a chart's time axis: on the calendar, or between sessions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mbc.care.values.course import Occasion, Trajectory

Axis = Literal["calendar", "session"]
Position = dt.date | float

# A questionnaire belongs to a session when it was answered within a week of it: the days before count too,
# because many clinics send it ahead.
_NEAR_DAYS = 7


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """A time axis for one course.

    Parameters
    ----------
    kind : {"calendar", "session"}
    knots : tuple of (date, float)
        Days and session numbers, both rising; not used on the calendar.
    title : str
        What the axis counts.
    """

    kind: Axis
    knots: tuple[tuple[dt.date, float], ...]
    title: str

    def at(self, day: dt.date) -> Position:
        """Place a day; between two sessions by the share of days passed, outside them by the nearest pace.

        Examples
        --------
        >>> knots = ((dt.date(2025, 1, 1), 1.0), (dt.date(2025, 1, 11), 2.0))
        >>> TimeAxis("session", knots, "Session").at(dt.date(2025, 1, 6))
        1.5
        """
        if self.kind == "calendar":
            return day
        return _interpolate(self.knots, day)

    def of(self, occasion: Occasion) -> Position:
        """Place an occasion: at its session where it has one, else by its day."""
        if self.kind == "session" and occasion.session_number is not None:
            number = float(occasion.session_number)
            for day, known in self.knots:
                if known == number and abs((day - occasion.taken_on).days) <= _NEAR_DAYS:
                    return number
        return self.at(occasion.taken_on)


def time_axis(course: Trajectory, kind: Axis) -> TimeAxis:
    """Choose the axis; without sessions on record the occasions themselves are counted."""
    if kind == "calendar":
        return TimeAxis("calendar", (), "")
    if len(course.sessions) >= 2:
        return TimeAxis("session", tuple((day, float(n)) for day, n in course.sessions), "Session")
    days = sorted({occasion.taken_on for occasion in course.occasions})
    return TimeAxis("session", tuple((day, i + 1.0) for i, day in enumerate(days)), "Occasion")


def halfway(left: Position, right: Position) -> Position:
    """Find the middle of two positions of one axis: both are days, or both are numbers.

    Examples
    --------
    >>> halfway(dt.date(2025, 1, 1), dt.date(2025, 1, 11)), halfway(1.0, 2.0)
    (datetime.date(2025, 1, 6), 1.5)
    """
    if isinstance(left, dt.date) and isinstance(right, dt.date):
        return left + (right - left) / 2
    if isinstance(left, dt.date) or isinstance(right, dt.date):
        raise TypeError("a date and a number belong on different axes")
    return left + (right - left) / 2


def _interpolate(knots: Sequence[tuple[dt.date, float]], day: dt.date) -> float:
    if len(knots) < 2:
        return knots[0][1] if knots else 0.0
    after = next((i for i, (known, _) in enumerate(knots) if known >= day), len(knots) - 1)
    after = max(after, 1)
    (day0, x0), (day1, x1) = knots[after - 1], knots[after]
    days = (day1 - day0).days
    return x1 if days == 0 else x0 + (x1 - x0) * (day - day0).days / days
