"""How days, statuses and verdicts are written on a page."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from mbc.care.values.course import Verdict
from mbc.care.words import day_words

__all__ = ["Mood", "ago_words", "day_words", "full_day", "mood"]

Mood = Literal["better", "worse", "same", "unknown"]  # a class of the style sheet, which adds the mark in front

_MOODS: dict[Verdict, Mood] = {
    "clearly better": "better",
    "clearly worse": "worse",
    "better once": "same",
    "worse once": "same",
    "no clear change": "same",
    "not known": "unknown",
}


def mood(verdict: Verdict | None) -> Mood:
    """Give the mark shown before a verdict.

    Examples
    --------
    >>> mood("no clear change"), mood(None)
    ('same', 'unknown')
    """
    return "unknown" if verdict is None else _MOODS[verdict]


def full_day(day: dt.date) -> str:
    """Write a day with its weekday.

    Examples
    --------
    >>> full_day(dt.date(2026, 11, 28))
    'Sat 28 Nov 2026'
    """
    return f"{day:%a} {day.day} {day:%b %Y}"


def ago_words(days: int | None) -> str:
    """Write how long ago something was.

    Examples
    --------
    >>> ago_words(0), ago_words(1), ago_words(12), ago_words(40), ago_words(None)
    ('today', 'yesterday', '12 days ago', '6 weeks ago', 'not yet')
    """
    if days is None:
        return "not yet"
    if days < 2:
        return ("today", "yesterday")[max(days, 0)]
    return f"{days} days ago" if days < 21 else f"{round(days / 7)} weeks ago"
