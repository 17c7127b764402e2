"""The common form of every file: a header and cells of text, each row with its number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from mbc.errors import ImportRefused
from mbc.exchange.files.messages import quote

MOST_COLUMNS = 16_384  # as a spreadsheet has
MOST_CELLS = 50_000_000  # of a table that is held at once: half a million questionnaires of a hundred columns
ROW = "row in file"
"""Name of the column that numbers the rows as a spreadsheet does: the header is row 1, blank lines count."""

_EXACT = 2.0**53  # whole numbers up to this are exact as floats, and written without a fraction
_EXACT_SINGLE = 2.0**24 - 1  # and as floats of single precision: 16777217 is kept there as 16777216


@dataclass(frozen=True, slots=True)
class TextTable:
    """The cells of a table, all of them text; blank cells are null."""

    name: str
    """The file's name, without its folder."""
    sha256: str
    """Digest of the file's bytes."""
    columns: tuple[str, ...]
    """Header names as written, without surrounding white space; unnamed columns are ``column 7``."""
    repeated: tuple[str, ...]
    """Names that more than one column bears."""
    frame: pl.DataFrame
    """One row per record that has any cell; ``ROW`` numbers them; a repeated name bears ' (2)'."""
    notes: tuple[str, ...] = ()
    """What a reader of the result should know about the reading."""
    encoding: str | None = None
    separator: str | None = None
    kind: str = "csv"
    """The format, as provenance keeps it."""
    given: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the format itself says of its columns: canonical name -> header."""
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    """Header -> code -> label of the answers that the format says a question offers."""
    noun: str = "row"
    """What a record of the file is called: row, case, entry."""
    date_doubts: Mapping[str, str] = field(default_factory=dict[str, str])
    """Header -> why its dates cannot be trusted."""
    faults: pl.DataFrame | None = None
    """``ROW`` and reason of what the format itself makes unfit to be stored."""


def too_many_cells(path: Path, rows: int, columns: int, *, most: int) -> str:
    """Say that a table has more cells than are held at once."""
    return (
        f"'{quote(path.name)}' has {rows} rows and {columns} columns; at most {most} cells are read "
        "at once. Import it in parts."
    )


def unique_names(header: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Name every column once, and say which names were there more than once.

    Examples
    --------
    >>> unique_names(["a", "", "a"])
    (('a', 'column 2', 'a (2)'), ('a',))
    """
    if len(header) > MOST_COLUMNS:
        raise ImportRefused(
            f"The table has {len(header)} columns; at most {MOST_COLUMNS} are read. Import a part of it."
        )
    seen: Counter[str] = Counter({ROW: 1})
    names: dict[str, None] = {}
    for position, written in enumerate(header, start=1):
        name = written or f"column {position}"
        seen[name] += 1
        unique = name if seen[name] == 1 else f"{name} ({seen[name]})"
        while unique in names:
            unique += "'"
        names[unique] = None
    repeated = tuple(name for name, times in Counter(header).items() if name and times > 1)
    return tuple(names), repeated


def without_unnamed(
    header: Sequence[str], names: Sequence[str], frame: pl.DataFrame
) -> tuple[tuple[str, ...], pl.DataFrame]:
    """Drop columns that have neither a name nor a cell, as spreadsheets leave at the right."""
    empty = [
        name for name, written in zip(names, header, strict=True) if not written and frame[name].is_null().all()
    ]
    return tuple(name for name in names if name not in empty), frame.drop(empty)


def blank_to_null(names: Sequence[str], *, strip: bool = True) -> list[pl.Expr]:
    """Make cells of nothing but white space null, and take white space off the others."""
    cells = [pl.col(name) for name in names]
    return [pl.when(cell.str.contains(r"\S")).then(cell.str.strip_chars() if strip else cell) for cell in cells]


def numbered(frame: pl.DataFrame, names: Sequence[str], *, first_row: int, strip: bool = True) -> pl.DataFrame:
    """Give the rows of a table of text their numbers, and leave out those without any cell."""
    return (
        frame.with_columns(blank_to_null(names, strip=strip))
        .with_row_index(ROW, offset=first_row)
        .with_columns(pl.col(ROW).cast(pl.Int64))
        .filter(pl.any_horizontal(pl.col(name).is_not_null() for name in names))
    )


def as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Write typed columns as the text that their readers expect; NaN is blank.

    A number too large for its type to be exact is written with its exponent, so that nobody takes it for a whole
    number whose last digits can be trusted.

    Examples
    --------
    >>> from datetime import date
    >>> as_text(pl.DataFrame({"n": [3.0, 2.5], "day": [date(2026, 1, 5), None], "yes": [True, False]})).rows()
    [('3', '2026-01-05', 'true'), ('2.5', None, 'false')]
    """
    return frame.select(_as_text(pl.col(name), dtype).alias(name) for name, dtype in frame.schema.items())


def _as_text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype.is_float():
        number = column.fill_nan(None)
        most = _EXACT if dtype == pl.Float64 else _EXACT_SINGLE
        is_whole = (number == number.floor()) & (number.abs() <= most)
        as_whole = number.cast(pl.Int64, strict=False).cast(pl.String)
        as_number = number.cast(pl.String)  # the shortest text that is this number in its own type
        if dtype != pl.Float64:
            is_large = number.is_finite() & (number.abs() > most)
            as_number = pl.when(is_large).then(_with_exponent(number.cast(pl.Float64))).otherwise(as_number)
        return pl.when(is_whole).then(as_whole).otherwise(as_number)
    if isinstance(dtype, pl.Datetime):
        at_midnight = column.dt.time() == pl.time(0, 0, 0)
        if dtype.time_zone is not None:
            return column.dt.to_string("%Y-%m-%dT%H:%M:%S%.6f%:z")  # the day stays that of the place
        return (
            pl.when(at_midnight)
            .then(column.dt.to_string("%Y-%m-%d"))
            .otherwise(column.dt.to_string("%Y-%m-%dT%H:%M:%S%.6f"))
        )
    return column.cast(pl.String)


def _with_exponent(number: pl.Expr) -> pl.Expr:
    exponent = number.abs().log10().floor()
    return pl.format("{}e{}", (number / pl.lit(10.0).pow(exponent)).round(7), exponent.cast(pl.Int64))
