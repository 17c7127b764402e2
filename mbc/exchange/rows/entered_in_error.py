"""Which rows of a table say of themselves that they must not count: entered in error, void, deleted."""

from __future__ import annotations

import polars as pl

from mbc.exchange.cells.text import IN_ERROR, REASON
from mbc.exchange.files.messages import quote, quote_expr
from mbc.exchange.files.text_table import ROW
from mbc.exchange.header.columns import Columns, fold

_STATUS = frozenset(
    fold(name)
    for name in ("status", "record status", "response status", "entry status", "form status", "row status",
                 "questionnaire status", "administration status", "validity")
)  # fmt: skip
_VOID = frozenset(
    fold(word)
    for word in ("entered in error", "in error", "error", "void", "voided", "deleted", "withdrawn", "retracted",
                 "invalid", "cancelled", "canceled")
)  # fmt: skip
_MARKS = frozenset(
    fold(name)
    for name in ("entered in error", "in error", "void", "voided", "is voided", "deleted", "is deleted",
                 "withdrawn", "retracted")
)  # fmt: skip
_YES = frozenset({"1", "1.0", "true", "t", "yes", "y", "x"})


def rows_in_error(columns: Columns) -> pl.DataFrame:
    """Find rows whose status is that of an error, or that are marked as void: `FAULTS_SCHEMA`."""
    taken = set(columns.given.values())
    parts: list[pl.DataFrame] = []
    table = columns.table
    for header in table.columns:
        name = fold(header)
        if header in taken or name not in _STATUS | _MARKS:
            continue
        text = pl.col(header).cast(pl.String).str.strip_chars().str.to_lowercase()
        words = table.frame.select(ROW, text.alias("text")).drop_nulls("text")
        counts = {word for word in words["text"].unique() if _is_void(name, word)}
        if counts:
            reason = pl.format(
                "{}, as its {} says ('{}')",
                pl.lit(f"it was {IN_ERROR}"),
                pl.lit(quote(header)),
                quote_expr(pl.col("text")),
            )
            own = words.filter(pl.col("text").is_in(list(counts)))
            parts.append(own.select(ROW, reason.alias(REASON)))
    return pl.concat([pl.DataFrame(schema={ROW: pl.Int64(), REASON: pl.String()}), *parts])


def _is_void(name: str, word: str) -> bool:
    return (name in _STATUS and fold(word) in _VOID) or (name in _MARKS and word in _YES)
