"""What the cells of a column mean: read once for each different text, however many rows hold it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import polars as pl

from mbc.exchange.files.text_table import ROW

REASON = "reason"
IN_ERROR = "entered in error"
"""What the reason of a row contains that should never have been recorded, in every format."""
FAULTS_SCHEMA = {ROW: pl.Int64(), REASON: pl.String()}

# What programs write for "not answered"; only the user can say so of a file.
MISSING_TEXTS = frozenset({"na", "n/a", "#n/a", "nan", "null", "none", "-", ".", "missing"})
_NUMBER = r"^[+-]?(\d+([.,]\d*)?|[.,]\d+)$"


def no_faults() -> pl.DataFrame:
    """Faults of a file that has none: one row per fault is its row number and the reason."""
    return pl.DataFrame(schema=FAULTS_SCHEMA)


def by_text(
    cells: pl.Series, read: Callable[[str], Any], *, dtype: pl.DataType | type[pl.DataType]
) -> tuple[pl.Series, pl.Series]:
    """Read a text column through a function that raises ValueError for what it refuses.

    Parameters
    ----------
    cells : polars.Series of String
        Blank cells are null and stay null.
    read : callable
        Called once per different text.
    dtype : polars data type
        Of the values.

    Returns
    -------
    values, reasons : polars.Series
        A refused cell has a null value and its reason; all others have a null reason.

    Examples
    --------
    >>> values, reasons = by_text(pl.Series(["3", "x", None, "3"]), int, dtype=pl.Int64)
    >>> values.to_list(), reasons.is_not_null().to_list()
    ([3, None, None, 3], [False, True, False, False])
    """
    texts = cells.drop_nulls().unique(maintain_order=True)
    values: list[Any] = []
    reasons: list[str | None] = []
    for text in texts:
        try:
            values.append(read(text))
            reasons.append(None)
        except ValueError as fault:
            values.append(None)
            reasons.append(str(fault))
    read_values = cells.replace_strict(texts, pl.Series(values, dtype=dtype), default=None, return_dtype=dtype)
    if not any(reasons):
        return read_values, pl.repeat(None, len(cells), dtype=pl.String, eager=True)
    why = cells.replace_strict(texts, pl.Series(reasons, dtype=pl.String), default=None, return_dtype=pl.String)
    return read_values, why


def faults(rows: pl.Series, reasons: pl.Series) -> pl.DataFrame:
    """Keep the rows that have a reason."""
    frame = pl.DataFrame({ROW: rows.cast(pl.Int64), REASON: reasons.cast(pl.String)})
    return frame.filter(pl.col(REASON).is_not_null())


def number(column: str) -> pl.Expr:
    """Read a text column's numbers, with decimal point or comma; null where a cell is blank or no number.

    Examples
    --------
    >>> frame = pl.DataFrame({"a": ["3", "2,5", ".5", "1.234,5", "often", None]})
    >>> frame.select(number("a"))["a"].to_list()
    [3.0, 2.5, 0.5, None, None, None]
    """
    text = pl.col(column)
    cleaned = text.str.replace(",", ".", literal=True).str.strip_suffix(".")
    return pl.when(text.str.contains(_NUMBER)).then(cleaned.cast(pl.Float64, strict=False)).alias(column)


def blank_out(frame: pl.DataFrame, columns: Iterable[str], codes: Iterable[str]) -> pl.DataFrame:
    """Make the texts that stand for "not answered" blank, as the user named them."""
    codes = [code.strip().casefold() for code in codes]
    if not codes:
        return frame
    return frame.with_columns(
        pl.when(~pl.col(name).str.to_lowercase().is_in(codes)).then(pl.col(name)) for name in columns
    )


def words_to_numbers(frame: pl.DataFrame, columns: Iterable[str], words: Mapping[str, float]) -> pl.DataFrame:
    """Put the numbers that the user gave for answers in words, whatever the case of the letters.

    Examples
    --------
    >>> frame = pl.DataFrame({"a": ["Agree", "agree ", "3", None]})
    >>> words_to_numbers(frame, ["a"], {"AGREE": 2})["a"].to_list()
    ['2', '2', '3', None]
    """
    if not words:
        return frame
    folded = {" ".join(word.casefold().split()): f"{number:g}" for word, number in words.items()}
    text = pl.col(list(columns))
    return frame.with_columns(text.str.strip_chars().str.to_lowercase().replace(folded).pipe(_or_as_it_was, text))


def _or_as_it_was(replaced: pl.Expr, text: pl.Expr) -> pl.Expr:
    return pl.when(replaced == text.str.strip_chars().str.to_lowercase()).then(text).otherwise(replaced)
