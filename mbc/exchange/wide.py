"""Wide files: one row per administration, a column for each item, several questionnaires side by side."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from mbc.exchange.cells import REASON, blank_out
from mbc.exchange.columns import ROLES, Columns
from mbc.exchange.occasions import read_occasions
from mbc.exchange.options import ImportOptions
from mbc.exchange.questionnaires import assumed_form_note, check_per_instrument, key_of, settled
from mbc.exchange.reading import (
    CELLS_SCHEMA,
    LAST_ROW,
    NUMBER,
    OCCASIONS_SCHEMA,
    ROWS,
    SCORES_SCHEMA,
    Records,
    met_in_rows,
)
from mbc.exchange.shown import shown
from mbc.exchange.tables import ROW

_NOT_READ = ("item", "value", "scale", "score")


def read_wide(columns: Columns, items: Mapping[str, tuple[str, ...]], options: ImportOptions) -> Records:
    """Take a wide file apart; a row without an answer to a questionnaire is no administration of it."""
    check_per_instrument(options, items)
    base = read_occasions(columns, options)
    headers = [header for group in items.values() for header in group]
    table = columns.table.frame
    texts = blank_out(table.select(ROW, *headers), headers, options.missing)
    occasions = _occasions(base.frame, texts, items)
    settlement = settled(occasions, options)
    occasions = settlement.frame
    by_row = pl.concat([base.faults, _other_questionnaires(columns, tuple(items))])
    used = {columns.find(role) for role in ROLES if role not in _NOT_READ} | set(headers)
    return Records(
        occasions=occasions.select(*OCCASIONS_SCHEMA),
        cells=_cells(occasions, texts, items),
        scores=pl.DataFrame(schema=SCORES_SCHEMA),
        met=pl.concat([met_in_rows(occasions, by_row), settlement.met]),
        headers=dict(items),
        blank_rows=tuple(table[ROW].filter(~table[ROW].is_in(occasions[ROW].implode()))),
        unread=tuple(name for name in columns.table.columns if name not in used),
        notes=(*base.notes, *(assumed_form_note(key) for key in settlement.assumed)),
    )


def _occasions(base: pl.DataFrame, texts: pl.DataFrame, items: Mapping[str, tuple[str, ...]]) -> pl.DataFrame:
    """One row per questionnaire that a row of the file answers."""
    answered = [
        base.filter(texts.select(pl.any_horizontal(pl.col(group).is_not_null())).to_series()).with_columns(
            instrument=pl.lit(key)
        )
        for key, group in items.items()
    ]
    return (
        pl.concat(answered)
        .sort(ROW, maintain_order=True)
        .with_row_index(NUMBER)
        .with_columns(pl.col(ROW).alias(LAST_ROW), pl.lit(1, pl.Int64).alias(ROWS))
        .cast({NUMBER: pl.Int64})
    )


def _cells(occasions: pl.DataFrame, texts: pl.DataFrame, items: Mapping[str, tuple[str, ...]]) -> pl.DataFrame:
    parts: list[pl.DataFrame] = []
    for key, group in items.items():
        mine = occasions.filter(pl.col("instrument") == key).select(NUMBER, ROW)
        mine = mine.join(texts.select(ROW, *group), on=ROW, how="left", maintain_order="left")
        for n, header in enumerate(group, start=1):
            item = mine.select(NUMBER, ROW, pl.lit(n, pl.Int64).alias("item"), pl.col(header).alias("text"))
            parts.append(item.filter(pl.col("text").is_not_null()))
    return pl.concat([pl.DataFrame(schema=CELLS_SCHEMA), *parts])


def _other_questionnaires(columns: Columns, keys: tuple[str, ...]) -> pl.DataFrame:
    """Faults of rows whose column of questionnaires names another than the item columns."""
    header = columns.find("instrument")
    if header is None:
        return pl.DataFrame(schema={ROW: pl.Int64, REASON: pl.String})
    said: dict[str, str] = {}
    texts = columns.table.frame[header]
    for text in texts.drop_nulls().unique(maintain_order=True):
        try:
            if key_of(text) not in keys:
                said[text] = (
                    f"{shown(header)}: '{shown(text)}', but the item columns are those of {', '.join(keys)}"
                )
        except ValueError as fault:
            said[text] = f"{shown(header)}: {fault}"
    reasons = texts.replace_strict(list(said), list(said.values()), default=None, return_dtype=pl.String)
    return columns.table.frame.select(ROW).with_columns(reasons.alias(REASON)).drop_nulls()
