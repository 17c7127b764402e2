"""How a day is written, on pages, in reports and in headings alike."""

from __future__ import annotations

import datetime as dt


def day(when: dt.date, *, year: bool = True) -> str:
    """Write a day.

    Examples
    --------
    >>> day(dt.date(2025, 6, 2)), day(dt.date(2025, 6, 2), year=False)
    ('2 June 2025', '2 June')
    """
    return f"{when.day} {when:%B %Y}" if year else f"{when.day} {when:%B}"


def day_words(when: dt.date | None) -> str:
    """Write a day in a few letters, so that no country reads it otherwise.

    Examples
    --------
    >>> day_words(dt.date(2025, 3, 4)), day_words(None)
    ('4 Mar 2025', '')
    """
    return "" if when is None else f"{when.day} {when:%b %Y}"
