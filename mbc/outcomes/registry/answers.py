"""Answers of a registry's questionnaires: forms, codings and ranges, and the definitions they were given with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw

from mbc.errors import DefinitionError
from mbc.exchange.files.messages import count_noun, join_names, quote
from mbc.exchange.own_definitions import DEFINITIONS, texts_of_lines
from mbc.instruments import Instrument, instrument
from mbc.outcomes.engines import Reader
from mbc.outcomes.record_folders import table_file
from mbc.outcomes.registry.columns import OpenTable, is_missing

_STATED = ("form", "coding", "version")


def answer_faults(table: OpenTable, key: str) -> Iterator[str]:
    """Find item columns that are missing, forms, codings and versions not known here, and answers out of range."""
    known = instrument(key)
    absent = [name for name in known.item_columns() if name not in table.names]
    if absent:
        yield f"{table.place} lacks {join_names(absent)}."
        return
    for stated, rows in _stated(table):
        version = stated.get("version")
        if version and version != known.version:
            yield (
                f"{table.place}: {count_noun(rows, 'row')} of version {quote(version)} of {key}; "
                f"here it is {known.version}. Export again with this mbc, or use that one."
            )
        try:
            columns = known.item_columns(known.form(stated.get("form")).key)
            coding = known.coding(stated.get("coding"))
        except DefinitionError as fault:
            yield f"{table.place}: {count_noun(rows, 'row')}: {fault}"
            continue
        yield from _out_of_range(table, known, stated, columns, coding)


def questionnaires(path: Path, read: Reader) -> dict[str, str]:
    """Digest the definitions of the clinic's own that lie in a folder."""
    file = table_file(path, DEFINITIONS)
    if file is None:
        return {}
    frame: Any = nw.from_native(read(file))
    lines = (frame.collect() if isinstance(frame, nw.LazyFrame) else frame).to_polars()
    if not {"instrument", "text"} <= set(lines.columns):
        return {}
    return {key: hashlib.sha256(text.encode()).hexdigest() for key, text in sorted(texts_of_lines(lines).items())}


def _stated(table: OpenTable) -> list[tuple[dict[str, str | None], int]]:
    """List which item orders, answer codings and versions the rows state, and how many rows each."""
    names = [name for name in _STATED if name in table.names]
    if not names:
        return [({}, table.rows)]
    texts = table.frame.select(*(nw.col(name).cast(nw.String) for name in names))
    counted = texts.group_by(*names).agg(nw.len().alias("rows")).collect().to_polars()
    made = [
        ({name: row[name] or None for name in names}, int(row["rows"])) for row in counted.iter_rows(named=True)
    ]
    return sorted(made, key=lambda each: [value or "" for value in each[0].values()])


def _out_of_range(
    table: OpenTable, known: Instrument, stated: dict[str, str | None], columns: tuple[str, ...], coding: Any
) -> Iterator[str]:
    schema = table.frame.collect_schema()
    rows = table.frame
    for name, value in stated.items():
        cell = nw.col(name).cast(nw.String)
        rows = rows.filter(is_missing(name) if value is None else cell == value)
    order = known.form(stated.get("form")).order
    checks: list[nw.Expr] = []
    for name, item in zip(columns, order, strict=True):
        low, high = coding.accepted(known.item(item))
        dtype = schema[name]
        if dtype == nw.String:
            wrong = ~is_missing(name) & ~nw.col(name).is_in([str(n) for n in range(int(low), int(high) + 1)])
        elif dtype.is_numeric():
            answer = nw.col(name).cast(nw.Float64)
            wrong = (answer < low) | (answer > high) | (answer > answer.floor())
        else:
            wrong = ~nw.col(name).is_null()
        checks.append(wrong.fill_null(value=False).cast(nw.Int64).alias(name))
    flags = rows.select(*checks)
    counts = flags.select(*(nw.col(name).sum() for name in columns)).collect().to_polars().row(0)
    for name, item, count in zip(columns, order, counts, strict=True):
        if count:
            low, high = coding.accepted(known.item(item))
            stands = f" (coding {coding.key})" if len(known.codings) > 1 else ""
            yield (
                f"{table.place}: {count_noun(int(count), 'row')} have an answer in '{name}' that is not accepted; "
                f"accepted: {low:g}-{high:g}{stands}."
            )
