"""Long files: one row per answer, or per score where only totals were kept."""

from __future__ import annotations

import polars as pl

from mbc.exchange.cells import REASON, blank_out, by_text, faults
from mbc.exchange.columns import ROLES, Columns
from mbc.exchange.occasions import read_occasions
from mbc.exchange.options import ImportOptions
from mbc.exchange.questionnaires import (
    assumed_form_note,
    check_per_instrument,
    chosen,
    item_number,
    key_of,
    scale_key,
    settled,
)
from mbc.exchange.reading import (
    CELLS_SCHEMA,
    KEYS,
    LAST_ROW,
    MET_SCHEMA,
    NUMBER,
    OCCASIONS_SCHEMA,
    ROWS,
    SCORES_SCHEMA,
    Records,
    met_in_rows,
)
from mbc.exchange.shown import shown
from mbc.exchange.tables import ROW
from mbc.instruments import instrument


def read_long(columns: Columns, options: ImportOptions) -> Records:
    """Take a file of answers apart: client, date, questionnaire, item, value."""
    columns.need_all(["item", "value"])
    return _read(columns, options, part="item", amount="value")


def read_totals(columns: Columns, options: ImportOptions) -> Records:
    """Take a file of kept scores apart: client, date, questionnaire, scale, score."""
    columns.need("score")
    return _read(columns, options, part="scale", amount="score")


def _read(columns: Columns, options: ImportOptions, *, part: str, amount: str) -> Records:
    base = read_occasions(columns, options)
    table = columns.table.frame
    keys, unknown = _questionnaires(columns, options)
    check_per_instrument(options, keys.drop_nulls().unique(maintain_order=True))
    header = columns.need(amount)
    texts = blank_out(table.select(header), [header], options.missing)[header]
    records = base.frame.with_columns(keys.alias("instrument"), texts.alias("text"))
    occasions, numbered = _grouped(records)
    settlement = settled(occasions, options)
    occasions = settlement.frame
    names, misnamed = _parts(columns, part, numbered["instrument"])
    numbered = numbered.with_columns(names.alias(part))
    schema = CELLS_SCHEMA if part == "item" else SCORES_SCHEMA
    cells = numbered.select(*schema).filter(pl.col("text").is_not_null() & pl.col(part).is_not_null())
    by_row = pl.concat([base.faults, unknown, misnamed])
    answered = numbered.filter(pl.col("text").is_not_null())[NUMBER].unique()
    blank = ~occasions[NUMBER].is_in(answered.implode())
    used = {columns.find(role) for role in ("client_id", "taken_on", "taken_at", "instrument", part, amount)}
    used |= {columns.find(role) for role in ROLES if role not in {"item", "value", "scale", "score"}}
    return Records(
        occasions=occasions.filter(~blank).select(*OCCASIONS_SCHEMA),
        cells=cells if part == "item" else pl.DataFrame(schema=CELLS_SCHEMA),
        scores=cells if part == "scale" else pl.DataFrame(schema=SCORES_SCHEMA),
        met=pl.concat([met_in_rows(numbered, by_row), settlement.met]).select(*MET_SCHEMA),
        headers={},
        blank_rows=tuple(occasions.filter(blank)[ROW]),
        unread=tuple(name for name in columns.table.columns if name not in used),
        notes=(*base.notes, *(assumed_form_note(key) for key in settlement.assumed if part == "item")),
    )


def _questionnaires(columns: Columns, options: ImportOptions) -> tuple[pl.Series, pl.DataFrame]:
    """Questionnaire of each row: from its column, or the one that the user named."""
    table = columns.table.frame
    named = chosen(options)
    header = columns.find("instrument")
    if header is None and len(named) == 1:
        none = pl.DataFrame(schema={ROW: pl.Int64, REASON: pl.String})
        return pl.repeat(named[0], len(table), dtype=pl.String, eager=True), none
    header = columns.need("instrument")

    def read(text: str) -> str:
        key = key_of(text)
        if named and key not in named:
            raise ValueError(f"'{shown(text)}' is not among the questionnaires asked for ({', '.join(named)})")
        return key

    keys, reasons = by_text(table[header], read, dtype=pl.String)
    reasons = pl.select(
        pl.when(table[header].is_null())
        .then(pl.lit("the questionnaire is blank"))
        .otherwise(pl.format("{}: {}", pl.lit(shown(header)), reasons))
    ).to_series()
    return keys, faults(table[ROW], reasons)


def _grouped(records: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One row per administration, and the records with the number of theirs."""
    # most of these columns say the same throughout a file, and need not be compared row by row
    keys = [name for name in KEYS if records[name].n_unique() > 1] or ["client_id"]
    others = [name for name in KEYS if name not in keys]
    rows = pl.col(ROW)
    occasions = (
        records.group_by(keys, maintain_order=True)
        .agg(
            *map(pl.first, others), rows.min(), rows.max().alias(LAST_ROW), rows.count().cast(pl.Int64).alias(ROWS)
        )
        .with_row_index(NUMBER)
        .cast({NUMBER: pl.Int64})
    )
    numbered = records.join(
        occasions.select(NUMBER, *keys), on=keys, how="left", nulls_equal=True, maintain_order="left"
    )
    return occasions, numbered


def _parts(columns: Columns, part: str, keys: pl.Series) -> tuple[pl.Series, pl.DataFrame]:
    """Item number or scale of each row, as its questionnaire counts and names them."""
    header = columns.find(part)
    rows = columns.table.frame[ROW]
    texts = columns.table.frame[header] if header else pl.repeat(None, len(rows), dtype=pl.String, eager=True)
    said = pl.DataFrame({"key": keys, "text": texts}).unique(maintain_order=True).drop_nulls("key")
    dtype = pl.Int64() if part == "item" else pl.String()
    read: list[tuple[int | str | None, str | None]] = []
    for key, text in said.iter_rows():
        try:
            read.append((_item(key, text) if part == "item" else _scale(key, text), None))
        except ValueError as fault:
            read.append((None, str(fault)))
    said = said.with_columns(
        pl.Series("name", [name for name, _ in read], dtype=dtype),
        pl.Series(REASON, [reason for _, reason in read], dtype=pl.String),
    )
    named = pl.DataFrame({"key": keys, "text": texts}).join(
        said, on=["key", "text"], how="left", nulls_equal=True, maintain_order="left"
    )
    return named["name"], faults(rows, named[REASON])


def _item(key: str, text: str | None) -> int:
    items = len(instrument(key).items)
    number = None if text is None else item_number(text, key)
    if number is None or not 1 <= number <= items:
        said = "blank" if text is None else f"'{shown(text)}'"
        raise ValueError(f"the item is {said}; {instrument(key).name} has items 1 to {items}")
    return number


def _scale(key: str, text: str | None) -> str:
    return scale_key(instrument(key), text)
