"""How numbers, days and lists are put into words that a clinician can read aloud."""

from __future__ import annotations

from collections.abc import Sequence

from mbc.days import day, day_words

__all__ = [
    "MINUS",
    "count",
    "day",
    "day_words",
    "join_list",
    "lower_first",
    "number",
    "points",
    "sentence",
    "span",
]

MINUS = "\N{MINUS SIGN}"


def number(value: float, decimals: int = 0, *, signed: bool = False) -> str:
    """Write a score: one decimal place at least where it has one, no trailing zeros, a true minus sign.

    Examples
    --------
    >>> number(18.0, 1), number(3.256, 2), number(-4, signed=True), number(0, signed=True), number(13.5)
    ('18', '3.26', '−4', '0', '13.5')
    """
    text = f"{value:.{max(decimals, 1)}f}".rstrip("0").rstrip(".")
    text = "0" if text in {"-0", ""} else text
    if signed and not text.startswith("-") and text != "0":
        text = f"+{text}"
    return text.replace("-", MINUS)


def points(value: float, decimals: int = 0) -> str:
    """Write an amount of score points, without its sign.

    Examples
    --------
    >>> points(-1), points(2.5), points(0)
    ('1 point', '2.5 points', '0 points')
    """
    text = number(abs(value), decimals)
    return f"{text} point" if text == "1" else f"{text} points"


def count(amount: int, thing: str, things: str | None = None) -> str:
    """Count things.

    Examples
    --------
    >>> count(1, "occasion"), count(3, "occasion"), count(2, "goal has", "goals have")
    ('1 occasion', '3 occasions', '2 goals have')
    """
    return f"{amount} {thing if amount == 1 else things or thing + 's'}"


def join_list(things: Sequence[str]) -> str:
    """Join things as in speech.

    Examples
    --------
    >>> join_list(["R1", "R2", "R3"]), join_list(["R1"])
    ('R1, R2 and R3', 'R1')
    """
    return things[0] if len(things) == 1 else f"{', '.join(things[:-1])} and {things[-1]}" if things else ""


def sentence(text: str) -> str:
    """Begin with a capital and end with a full stop.

    Examples
    --------
    >>> sentence("the latest is 18"), sentence("")
    ('The latest is 18.', '')
    """
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".?!" else ".")


def lower_first(text: str) -> str:
    """Write a title inside a sentence; abbreviations keep their capitals.

    Examples
    --------
    >>> lower_first("Self-esteem"), lower_first("GAD symptoms"), lower_first("")
    ('self-esteem', 'GAD symptoms', '')
    """
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def span(days: int) -> str:
    """Write a length of time as people say it.

    Examples
    --------
    >>> span(5), span(42), span(100), span(800)
    ('5 days', '6 weeks', '14 weeks', '2 years')
    """
    if days < 14:
        return count(days, "day")
    if days < 365 * 2:
        return count(round(days / 7), "week")
    return count(round(days / 365.25), "year")
