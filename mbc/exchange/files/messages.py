"""Quote text of a foreign file in a message: short, on one line, without terminal control characters."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import polars as pl

_LONGEST = 40
# Control characters, line and paragraph separators, and the marks that turn the reading direction round.
UNSAFE = "[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
_STANDS_FOR_UNSAFE = "\ufffd"
_ALWAYS_UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def quote(text: object, *, longest: int = _LONGEST) -> str:
    r"""Make one foreign text fit for a message.

    Parameters
    ----------
    text : object
        Anything; its ``str`` is shown.
    longest : int
        Characters kept; the rest becomes an ellipsis.

    Examples
    --------
    >>> quote("Q1\x1b[31m")
    'Q1�[31m'
    >>> quote("a" * 50)
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…'
    """
    safe = "".join(
        _STANDS_FOR_UNSAFE if unicodedata.category(character) in _ALWAYS_UNSAFE else character
        for character in str(text)[: longest + 1]
    )
    return safe if len(safe) <= longest else safe[: longest - 1] + "…"


def quote_expr(column: pl.Expr, *, longest: int = _LONGEST) -> pl.Expr:
    """Do the same to a column of texts."""
    safe = column.str.replace_all(UNSAFE, _STANDS_FOR_UNSAFE)
    return (
        pl.when(safe.str.len_chars() > longest).then(safe.str.slice(0, longest - 1) + pl.lit("…")).otherwise(safe)
    )


def join_names(names: Iterable[object], *, most: int = 12) -> str:
    """Write names from a file as a list that a person can read.

    Examples
    --------
    >>> join_names(["a", "b"])
    "'a', 'b'"
    >>> join_names(range(30), most=2)
    "'0', '1' and 28 more"
    """
    quoted = [f"'{quote(name)}'" for name in names]
    if len(quoted) <= most:
        return ", ".join(quoted)
    return ", ".join(quoted[:most]) + f" and {len(quoted) - most} more"


def count_noun(count: int, noun: str, plural: str | None = None) -> str:
    """Write a count with its noun.

    Examples
    --------
    >>> count_noun(1, "row"), count_noun(3, "row"), count_noun(2, "entry", "entries")
    ('1 row', '3 rows', '2 entries')
    """
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def join_numbers(rows: Iterable[int], *, most: int = 8) -> str:
    """Write row numbers as a short list.

    Examples
    --------
    >>> join_numbers([3, 4, 9])
    '3, 4, 9'
    """
    known = list(rows)
    text = ", ".join(str(row) for row in known[:most])
    return text if len(known) <= most else f"{text} and {len(known) - most} more"


def name_rows(rows: Iterable[int], noun: str = "row") -> str:
    """Name rows by their numbers.

    Examples
    --------
    >>> name_rows([3]), name_rows([3, 4, 9])
    ('row 3', 'rows 3, 4, 9')
    """
    known = list(rows)
    return f"{noun if len(known) == 1 else noun + 's'} {join_numbers(known)}"


def join_ranges(rows: Iterable[str], *, most: int = 50) -> str:
    """Write rows as ranges where they follow each other.

    Examples
    --------
    >>> join_ranges(["2", "3", "4", "7", "9-11"])
    '2-4, 7, 9-11'
    """
    spans: list[list[str]] = []
    for row in rows:
        follows = spans and row.isdecimal() and spans[-1][-1].isdecimal() and int(row) == int(spans[-1][-1]) + 1
        if follows:
            spans[-1][1:] = [row]
        else:
            spans.append([row])
    text = ", ".join("-".join(span) for span in spans[:most])
    return text if len(spans) <= most else f"{text} and {len(spans) - most} more"
