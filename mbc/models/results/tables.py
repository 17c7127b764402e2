"""How a table is returned to the caller: as a frame of the wanted kind, as plain text, as HTML."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

import narwhals.stable.v2 as nw
import polars as pl

from mbc.errors import ModelError

Backend = Literal["polars", "pandas", "pyarrow"]

MOST_ROWS = 20  # of a table in a summary
_DIGITS = 4
_SMALLEST_P = "<0.0001"


def frame(columns: Mapping[str, pl.Series | Sequence[object]], backend: Backend = "polars") -> Any:
    """Make a native table of equally long columns."""
    table = pl.DataFrame(dict(columns))
    if backend == "polars":
        return table
    if backend == "pandas":
        return table.to_pandas()
    if backend == "pyarrow":
        return cast("Any", table.to_arrow())
    raise ModelError(f"backend must be 'polars', 'pandas' or 'pyarrow', got {backend!r}.")


def kind_of_table(value: object) -> Backend | None:
    """Say which kind of frame or column a value is; None for lists, arrays and tables that are not in memory.

    Examples
    --------
    >>> import pandas as pd
    >>> kind_of_table(pd.Series([1.0])), kind_of_table([1.0])
    ('pandas', None)
    """
    package = type(value).__module__.partition(".")[0]
    if package == "narwhals" and isinstance(value, nw.DataFrame | nw.LazyFrame | nw.Series):
        name = str(cast("Any", value).implementation.value)
        return cast("Backend", name) if name in {"polars", "pandas", "pyarrow"} else None
    if package == "polars":
        return "polars"
    if package == "pandas" and type(value).__name__ in {"DataFrame", "Series"}:
        return "pandas"
    return "pyarrow" if package == "pyarrow" else None


def number_text(value: object) -> str:
    """Write a value for people: four significant digits, a blank where there is none.

    Examples
    --------
    >>> number_text(-3.16228), number_text(1234567.0), number_text(None), number_text("improved")
    ('-3.162', '1234567', '', 'improved')
    """
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, float):
        return str(value)
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "infinite" if value > 0 else "-infinite"
    if abs(value) >= 10**_DIGITS:
        return f"{value:.0f}"
    return f"{value:.{_DIGITS}g}"


def text_table(table: pl.DataFrame, *, most: int = MOST_ROWS) -> str:
    """Write the first rows of a table as aligned text: numbers to the right, words to the left.

    Examples
    --------
    >>> print(text_table(pl.DataFrame({"term": ["week"], "estimate": [-1.2345678]})))
    term  estimate
    week    -1.235
    """
    names, cells = table.columns, _cells(table, most)
    right = [table.schema[name].is_numeric() for name in names]
    widths = [max(len(name), *(len(row[i]) for row in cells), 0) for i, name in enumerate(names)]

    def line(row: Sequence[str]) -> str:
        parts = [
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(row, widths, right, strict=True)
        ]
        return "  ".join(parts).rstrip()

    lines = [line(names), *(line(row) for row in cells)]
    if table.height > most:
        lines.append(f"... {table.height - most} more rows: to_frame()")
    return "\n".join(lines)


def html_table(table: pl.DataFrame, *, most: int = MOST_ROWS) -> str:
    """Write the first rows of a table as HTML; every text is escaped."""
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in table.columns)
    right = [table.schema[name].is_numeric() for name in table.columns]

    def cell(text: str, to_right: bool) -> str:  # noqa: FBT001 - one of two alignments
        return f'<td style="text-align:{"right" if to_right else "left"}">{html.escape(text)}</td>'

    rows = "".join(
        "<tr>" + "".join(cell(text, flag) for text, flag in zip(row, right, strict=True)) + "</tr>"
        for row in _cells(table, most)
    )
    rest = f"<p>{table.height - most} more rows: <code>to_frame()</code></p>" if table.height > most else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{rest}"


def _cells(table: pl.DataFrame, most: int) -> list[list[str]]:
    return [
        [_SMALLEST_P if _is_tiny(name, value) else number_text(value) for name, value in row.items()]
        for row in table.head(most).iter_rows(named=True)
    ]


def _is_tiny(name: str, value: object) -> bool:
    return name in {"p_value", "p_two_sided"} and isinstance(value, float) and value < 1e-4
