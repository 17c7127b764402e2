"""Columns of a registry's tables: whether they are there, of the right kind, filled, and days in order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw

from mbc.exchange.files.messages import count_noun, quote
from mbc.frames import open_frame
from mbc.outcomes.registry.layout import Column, Layout
from mbc.outcomes.source import ACCEPTED, Lazy, accepted_text

FIRST_DAY = dt.date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class OpenTable:
    """One table of a folder, lazy."""

    place: str
    """Folder and file, for messages."""
    name: str
    frame: Lazy
    layout: Layout
    names: tuple[str, ...]
    rows: int


def open_table(place: str, name: str, native: Any, layout: Layout) -> tuple[OpenTable, list[str]]:
    """Open a table, and name the needed columns that it lacks."""
    frame = open_frame(native)
    lazy: Lazy = frame if isinstance(frame, nw.LazyFrame) else frame.lazy()
    names = tuple(str(column) for column in lazy.collect_schema().names())
    rows = int(lazy.select(nw.len().alias("rows")).collect().to_polars()["rows"][0])
    lacking = [column.name for column in layout.columns if column.needed and column.name not in names]
    return OpenTable(place, name, lazy, layout, names, rows), lacking


def is_missing(column: str) -> nw.Expr:
    """Whether a cell holds nothing."""
    return nw.col(column).is_null() | (nw.col(column).cast(nw.String) == "").fill_null(value=False)


def column_faults(table: OpenTable) -> Iterator[str]:
    """Find columns of another kind than the layout says, blanks where none may be, and texts that are no value."""
    schema = table.frame.collect_schema()
    checks: dict[str, tuple[nw.Expr, str]] = {}
    for column in table.layout.columns:
        if column.name not in table.names:
            continue
        dtype = schema[column.name]
        if table.rows and not _fits(dtype, column):
            yield f"{table.place}: '{column.name}' contains {dtype}; it must contain {_words(column)}."
            continue
        if column.needed and column.name not in {"ended_on", "score", "referred_on"}:
            checks[f"blank {column.name}"] = (is_missing(column.name), f"have no '{column.name}'")
        if dtype == nw.String and column.kind != "text":
            wrong = ~is_missing(column.name) & ~accepted_text(nw.col(column.name), column.kind)
            checks[f"text {column.name}"] = (wrong, f"have a '{column.name}' that is not one of {_words(column)}")
    yield from _counted(table, checks)


def day_faults(table: OpenTable, today: dt.date) -> Iterator[str]:
    """Find days before 1900, after today, and care that ended before it began."""
    schema = table.frame.collect_schema()
    checks: dict[str, tuple[nw.Expr, str]] = {}
    days = {
        column.name: _iso(column.name, schema[column.name])
        for column in table.layout.columns
        if column.kind == "day" and column.name in table.names and _fits(schema[column.name], column)
    }
    for name, day in days.items():
        outside = (day < FIRST_DAY.isoformat()) | (day > today.isoformat())
        checks[f"range {name}"] = (outside, f"have a '{name}' before {FIRST_DAY.year} or after {today}")
    for first, last in table.layout.ordered:
        if first in days and last in days:
            checks[f"{first} {last}"] = (days[first] > days[last], f"have a '{first}' after '{last}'")
    yield from _counted(table, checks)


def _iso(name: str, dtype: Any) -> nw.Expr:
    """Write a day as text whose order is that of time."""
    if dtype == nw.String:
        return nw.when(nw.col(name) != "").then(nw.col(name).str.slice(0, 10))
    return nw.col(name).cast(nw.Date).cast(nw.String)


def _counted(table: OpenTable, checks: dict[str, tuple[nw.Expr, str]]) -> Iterator[str]:
    """Count the rows of each fault in one pass, with the first row's name as an example."""
    if not checks or not table.rows:
        return
    named = next((name for name in table.layout.key if name in table.names), None)
    columns: list[nw.Expr] = []
    for place, (fault, _) in enumerate(checks.values()):
        flag = fault.fill_null(value=False)
        columns.append(flag.cast(nw.Int64).alias(f"n{place}"))
        if named is not None:
            columns.append(nw.when(flag).then(nw.col(named).cast(nw.String)).alias(f"e{place}"))
    flags = table.frame.select(*columns)
    wanted = [
        nw.col(name).sum() if name[0] == "n" else nw.col(name).min() for name in flags.collect_schema().names()
    ]
    row = flags.select(*wanted).collect().to_polars().row(0, named=True)
    for place, (_, words) in enumerate(checks.values()):
        if row[f"n{place}"]:
            example = row.get(f"e{place}")
            first = "" if example is None else f" (first: {named} '{quote(example)}')"
            yield f"{table.place}: {count_noun(int(row[f'n{place}']), 'row')} {words}{first}."


def _fits(dtype: Any, column: Column) -> bool:
    if dtype == nw.Unknown or column.kind == "text" or dtype == nw.String:
        return True  # ids may be numbers; what a text says is looked at
    if column.kind == "day":
        return dtype in {nw.Date, nw.Datetime} or dtype == nw.Datetime
    if column.kind == "number":
        return bool(dtype.is_numeric())
    return dtype == nw.Boolean or bool(dtype.is_integer())


def _words(column: Column) -> str:
    return ACCEPTED[column.kind][1]
