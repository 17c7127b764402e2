"""Escape texts that a spreadsheet program would run as formulas, and undo it.

A cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return is run by spreadsheet programs
(OWASP, "CSV Injection"). Such texts get an apostrophe in front; a text that has apostrophes there already gets one
more, so that taking one away always gives the text that was.
"""

from __future__ import annotations

import polars as pl

# Both match the same texts, the second of those with an apostrophe more: escaping can always be undone.
_DANGEROUS = r"^[\s']*[=+\-@＝＋－＠]|^'*[\t\r\n]"
_TAMED = r"^'([\s']*[=+\-@＝＋－＠]|'*[\t\r\n])"


NOT_AVAILABLE = "n/a"
"""How BIDS writes a blank."""


def escape_not_available(frame: pl.DataFrame) -> pl.DataFrame:
    """Put an apostrophe before texts that BIDS would take for a blank.

    Examples
    --------
    >>> texts = pl.DataFrame({"label": ["n/a", "'n/a", "plain", None]})
    >>> escape_not_available(texts)["label"].to_list()
    ["'n/a", "''n/a", 'plain', None]
    >>> unescape_not_available(escape_not_available(texts)).equals(texts)
    True
    """
    text = pl.col(pl.String)
    return frame.with_columns(
        pl.when(text.str.contains(f"^'*{NOT_AVAILABLE}$")).then("'" + text).otherwise(text).name.keep()
    )


def unescape_not_available(frame: pl.DataFrame) -> pl.DataFrame:
    """Make what BIDS writes for a blank null, and take that apostrophe away."""
    text = pl.col(pl.String)
    named = pl.when(text.str.contains(f"^'+{NOT_AVAILABLE}$")).then(text.str.slice(1)).otherwise(text)
    return frame.with_columns(pl.when(text != NOT_AVAILABLE).then(named).name.keep())


def escape_formulas(frame: pl.DataFrame) -> pl.DataFrame:
    """Put an apostrophe before texts that a spreadsheet would run; numbers stay numbers.

    Examples
    --------
    >>> texts = pl.DataFrame({"label": ["=1+1", "'=1", "plain", None], "n": [-1, 2, 3, 4]})
    >>> escape_formulas(texts)["label"].to_list()
    ["'=1+1", "''=1", 'plain', None]
    >>> unescape_formulas(escape_formulas(texts)).equals(texts)
    True
    """
    text = pl.col(pl.String)
    return frame.with_columns(pl.when(text.str.contains(_DANGEROUS)).then("'" + text).otherwise(text).name.keep())


def unescape_formulas(frame: pl.DataFrame) -> pl.DataFrame:
    """Take the apostrophe away again."""
    text = pl.col(pl.String)
    return frame.with_columns(
        pl.when(text.str.contains(_TAMED)).then(text.str.slice(1)).otherwise(text).name.keep()
    )
