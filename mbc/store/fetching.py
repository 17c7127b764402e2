"""How rows become a frame: whole columns at a time, with types that follow from the tables."""

from __future__ import annotations

from typing import Any

import polars as pl
from sqlalchemy import Boolean, ColumnElement, Connection, Date, DateTime, Double, Integer, Select, String

from mbc.store.tables import UtcDateTime

_AT_ONCE = 10_000  # rows held as Python objects at a time: few enough to stay in the processor's cache
_MOMENT = pl.Datetime("us", "UTC")


def fetch(connection: Connection, query: Select[*tuple[Any, ...]]) -> pl.DataFrame:
    """Fetch a query's rows, column by column, with types that follow from the tables.

    The driver's rows are read as they come and converted whole columns at a time.
    """
    schema = {column.name: _dtype(column) for column in query.selected_columns}
    cursor: Any = connection.execute(query).cursor
    parts: list[pl.DataFrame] = []
    while rows := cursor.fetchmany(_AT_ONCE):
        columns = zip(schema.items(), zip(*rows, strict=True), strict=True)
        parts.append(pl.DataFrame([_series(name, dtype, values) for (name, dtype), values in columns]))
    return pl.concat(parts) if parts else pl.DataFrame(schema=schema)


def _dtype(column: ColumnElement[Any]) -> pl.DataType | type[pl.DataType]:
    kinds = (
        (Boolean, pl.Boolean),
        (Integer, pl.Int64),
        (Double, pl.Float64),
        (String, pl.String),
        (Date, pl.Date),
    )
    for kind, dtype in kinds:
        if isinstance(column.type, kind):
            return dtype
    if isinstance(column.type, (DateTime, UtcDateTime)):
        return _MOMENT
    raise TypeError(f"no column type for {column.name}: {column.type!r}")


def _series(name: str, dtype: Any, values: tuple[Any, ...]) -> pl.Series:
    first = next((value for value in values if value is not None), None)
    if isinstance(first, str) and dtype == pl.Date:  # SQLite keeps days as text,
        return pl.Series(name, values, pl.String).str.to_date("%Y-%m-%d")
    if isinstance(first, str) and dtype == _MOMENT:  # moments as text in UTC,
        moments = pl.Series(name, values, pl.String).str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us")
        return moments.dt.replace_time_zone("UTC")
    if dtype == pl.Boolean and not isinstance(first, bool):  # and truth as 0 or 1
        return pl.Series(name, values, pl.Int8).cast(pl.Boolean)
    return pl.Series(name, values, dtype)
