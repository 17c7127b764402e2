"""Which periods may be reported: any days to those who see the persons, full quarters and years to the others.

Two reports whose periods differ by one day reveal the client who came on that day, whatever each of them
suppresses. A period that is over and begins and ends with a calendar quarter or year cannot be moved by a day, nor
by waiting a day.
"""

from __future__ import annotations

import datetime as dt

from mbc.care.clinic.eligible_clients import Period
from mbc.errors import AccessDenied
from mbc.store import Store


def require_full_period(store: Store, start: dt.date | None, end: dt.date | None, *, today: dt.date) -> None:
    """Refuse a period to somebody who sees no persons, unless it is a calendar quarter or year that is over.

    Raises
    ------
    AccessDenied
        If it is not; the text names a period that may be asked for.
    """
    if (start is None and end is None) or start in {
        period.start for period in _ending(end) if end and end < today
    }:
        return
    example = quarter_before(today)
    store.audit.record("refused", asked="outcomes", fault="AccessDenied", start=start, end=end)
    raise AccessDenied(
        f"This view reports calendar quarters and years that are over, such as {example.start} to {example.end}; "
        f"requested: {start or 'the beginning'} to {end or 'the end'}. Periods a day apart would reveal "
        "single clients."
    )


def latest_full_period(last: dt.date, *, today: dt.date) -> Period:
    """Give the latest calendar quarter on record that is over.

    Examples
    --------
    >>> latest_full_period(dt.date(2026, 5, 3), today=dt.date(2026, 6, 1))
    Period(start=datetime.date(2026, 1, 1), end=datetime.date(2026, 3, 31))
    """
    its_own = _quarter_of(last)
    return its_own if its_own.end < today else quarter_before(last)


def quarter_before(day: dt.date) -> Period:
    """Give the calendar quarter before the one that a day lies in.

    Examples
    --------
    >>> quarter_before(dt.date(2026, 2, 1)).end
    datetime.date(2025, 12, 31)
    """
    return _quarter_of(_quarter_of(day).start - dt.timedelta(days=1))


def _quarter_of(day: dt.date) -> Period:
    last = 3 * ((day.month + 2) // 3)
    return Period(dt.date(day.year, last - 2, 1), dt.date(day.year, last, 30 if last in (6, 9) else 31))


def _ending(end: dt.date | None) -> list[Period]:
    """Quarters and years that end on a day."""
    if end is None:
        return []
    year, quarter = Period(dt.date(end.year, 1, 1), dt.date(end.year, 12, 31)), _quarter_of(end)
    return [period for period in (year, quarter) if period.end == end]
