"""How rows become a frame: whole columns at a time, with types that follow from the tables."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain, islice
from typing import Any

import polars as pl
from sqlalchemy import Boolean, ColumnElement, Connection, Date, DateTime, Double, Integer, Select, String

from mbc.store.schema.column_types import UtcDateTime

# Rows of the driver that are alive at once: fewer than the 700 new tuples that set off Python's search for cycles,
# which would walk everything else in memory again and again.
_ALIVE = 500
_AT_ONCE = 50_000  # rows whose values become columns at a time
_MOMENT = pl.Datetime("us", "UTC")


def fetch(connection: Connection, query: Select[*tuple[Any, ...]]) -> pl.DataFrame:
    """Fetch a query's rows, column by column, with types that follow from the tables."""
    schema = {column.name: _dtype(column) for column in query.selected_columns}
    cursor: Any = connection.execute(query).cursor
    rows = chain.from_iterable(iter(partial(cursor.fetchmany, _ALIVE), []))
    parts = [
        pl.DataFrame(
            [
                _series(name, dtype, values[place :: len(schema)])
                for place, (name, dtype) in enumerate(schema.items())
            ]
        )
        for values in _flattened(rows)
    ]
    return pl.concat(parts) if parts else pl.DataFrame(schema=schema)


def _flattened(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[Any]]:
    while values := list(chain.from_iterable(islice(rows, _AT_ONCE))):
        yield values


def _dtype(column: ColumnElement[Any]) -> pl.DataType:
    kinds = (
        (Boolean, pl.Boolean()),
        (Integer, pl.Int64()),
        (Double, pl.Float64()),
        (String, pl.String()),
        (Date, pl.Date()),
    )
    for kind, dtype in kinds:
        if isinstance(column.type, kind):
            return dtype
    if isinstance(column.type, (DateTime, UtcDateTime)):
        return _MOMENT
    raise TypeError(f"no column type for {column.name}: {column.type!r}")


def _series(name: str, dtype: pl.DataType, values: list[Any]) -> pl.Series:
    first = next((value for value in values if value is not None), None)
    if isinstance(first, str) and dtype == pl.Date:  # SQLite keeps days as text,
        return pl.Series(name, values, pl.String).str.to_date("%Y-%m-%d")
    if isinstance(first, str) and dtype == _MOMENT:  # moments as text in UTC,
        moments = pl.Series(name, values, pl.String).str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us")
        return moments.dt.replace_time_zone("UTC")
    if dtype == pl.Boolean and not isinstance(first, bool):  # and truth as 0 or 1
        return pl.Series(name, values, pl.Int8).cast(pl.Boolean)
    return pl.Series(name, values, dtype)
