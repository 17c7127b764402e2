"""How numbers, days and free words are written on a chart."""

from __future__ import annotations

import datetime as dt
import html
import textwrap

MINUS = "\N{MINUS SIGN}"


def number(value: float, decimals: int = 0, *, signed: bool = False) -> str:
    """Write a score: at most ``decimals`` places, no trailing zeros, a true minus sign.

    Examples
    --------
    >>> number(18.0, 1), number(3.25, 2), number(-4, signed=True), number(0, signed=True)
    ('18', '3.25', '−4', '0')
    """
    text = f"{value:.{decimals}f}" if decimals else f"{value:.1f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    text = "0" if text in {"-0", ""} else text
    if signed and not text.startswith("-") and text != "0":
        text = f"+{text}"
    return text.replace("-", MINUS)


def day_words(day: dt.date) -> str:
    """Write a day in full.

    Examples
    --------
    >>> day_words(dt.date(2025, 6, 2))
    '2 June 2025'
    """
    return f"{day.day} {day:%B %Y}"


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
