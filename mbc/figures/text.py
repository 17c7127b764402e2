"""How days and free words are written on a chart."""

from __future__ import annotations

import datetime as dt
import html
import textwrap


def short_day(day: dt.date) -> str:
    """Write a day where there is little room.

    Examples
    --------
    >>> short_day(dt.date(2025, 6, 2))
    '2 Jun'
    """
    return f"{day.day} {day:%b}"


def plain(text: str, most: int | None = None) -> str:
    """Free words as text: markup is shown, not obeyed; cut at a word when there is little room.

    Examples
    --------
    >>> plain("a <b>bold</b> word")
    'a &lt;b&gt;bold&lt;/b&gt; word'
    >>> plain("say what I need without apologising", 20)
    'say what I need …'
    """
    if most is not None and len(text) > most:
        text = textwrap.shorten(text, most, placeholder=" …")
    return html.escape(text, quote=False)
