"""Wide files: one row per administration, a column for each item, several questionnaires side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from mbc.exchange.cells.text import REASON, blank_out, words_to_numbers
from mbc.exchange.files.messages import quote
from mbc.exchange.files.text_table import ROW
from mbc.exchange.header.columns import ROLES, Columns
from mbc.exchange.header.layout import Recognised
from mbc.exchange.header.options import ImportOptions
from mbc.exchange.header.questionnaires import (
    assumed_form_note,
    check_per_instrument,
    key_of,
    settle,
    stated_codings,
    stated_forms,
)
from mbc.exchange.rows.occasions import Occasions, read_occasions
from mbc.exchange.rows.parsed import (
    ADMINISTRATION_FAULTS,
    CELLS_SCHEMA,
    LAST_ROW,
    NUMBER,
    OCCASIONS_SCHEMA,
    ROWS,
    SCORES_SCHEMA,
    Records,
)
from mbc.exchange.rows.worded_answers import read_words

_NOT_READ = ("item", "value", "scale", "score")


@dataclass(frozen=True, slots=True)
class _Part:
    """One questionnaire of a wide file."""

    key: str
    items: tuple[str, ...]
    """Headers in the order of the form; none where only scores were kept."""
    scores: Mapping[str, str]
    """Scale -> header."""
    base: Occasions

    @property
    def headers(self) -> tuple[str, ...]:
        return (*self.items, *self.scores.values())


def read_wide(
    columns: Columns, recognised: Recognised, options: ImportOptions, *, keep_blank: bool = False
) -> Records:
    """Split a wide file; a row without an answer to a questionnaire is not an administration of it.

    Parameters
    ----------
    columns, recognised, options
        The header, its layout, and the user's options.
    keep_blank : bool
        Every row is an administration, also one without any answer.
    """
    check_per_instrument(options, recognised.keys)
    parts = list(_parts(columns, recognised, options))
    table = columns.table.frame
    texts, worded = _texts(columns, parts, options)
    settlement = settle(_occasions(parts, texts, keep_blank=keep_blank), options)
    occasions = settlement.frame
    faults = [part.base.faults.with_columns(instrument=pl.lit(part.key)) for part in parts]
    others = _other_questionnaires(columns, recognised.keys)
    of_format = pl.DataFrame(schema=_FAULTS)
    if columns.table.faults is not None:
        of_format = columns.table.faults.with_columns(instrument=pl.lit(None, pl.String)).select(*_FAULTS)
    by_row = pl.concat([pl.DataFrame(schema=_FAULTS), of_format, *faults, *(others for _ in faults[:1])])
    notes = dict.fromkeys(note for part in parts for note in part.base.notes)
    return Records(
        occasions=occasions.select(*OCCASIONS_SCHEMA),
        cells=_cells(occasions, texts, {part.key: dict(enumerate(part.items, 1)) for part in parts}, CELLS_SCHEMA),
        scores=_cells(occasions, texts, {part.key: part.scores for part in parts}, SCORES_SCHEMA),
        faults=pl.concat([_faults_in_order(occasions, by_row), settlement.faults]),
        headers={part.key: part.items for part in parts},
        blank_rows=tuple(table[ROW].filter(~table[ROW].is_in(occasions[ROW].implode()))),
        unread=_unread(columns, parts),
        notes=(
            *notes,
            *worded,
            *(assumed_form_note(key) for key in settlement.assumed if recognised.items.get(key)),
        ),
        orders={header: order for part in parts for header, order in part.base.orders.items()},
        stated=stated_codings(columns, recognised.keys, options),
        stated_forms=stated_forms(columns, recognised.keys, options),
    )


_FAULTS = {ROW: pl.Int64(), REASON: pl.String(), "instrument": pl.String()}


def _parts(columns: Columns, recognised: Recognised, options: ImportOptions) -> Iterator[_Part]:
    shared: Occasions | None = None
    for key in recognised.keys:
        own = columns.speaking_for(key)
        if own is not columns:
            base = read_occasions(own, options)
        else:
            base = shared = shared or read_occasions(columns, options)
        yield _Part(key, recognised.items.get(key, ()), recognised.scores.get(key, {}), base)


def _texts(columns: Columns, parts: Sequence[_Part], options: ImportOptions) -> tuple[pl.DataFrame, list[str]]:
    """Answers and scores as text, with blanks as the user named them and words as the numbers they stand for."""
    headers = list(dict.fromkeys(header for part in parts for header in part.headers))
    texts = blank_out(columns.table.frame.select(ROW, *headers), headers, options.blank)
    notes: list[str] = []
    for part in parts:
        words = {**options.values.get("", {}), **options.values.get(part.key, {})}
        texts = words_to_numbers(texts, part.items, words)
        texts, read_as = read_words(texts, part.items, part.key, columns, options)
        notes += read_as
    return texts, notes


def _occasions(parts: Sequence[_Part], texts: pl.DataFrame, *, keep_blank: bool) -> pl.DataFrame:
    """One row per questionnaire that a row of the file answers."""
    answered = [
        part.base.frame.filter(
            pl.lit(value=True)
            if keep_blank
            else texts.select(pl.any_horizontal(pl.col(part.headers).is_not_null())).to_series()
        ).with_columns(instrument=pl.lit(part.key))
        for part in parts
    ]
    return (
        pl.concat(answered)
        .sort(ROW, maintain_order=True)
        .with_row_index(NUMBER)
        .with_columns(pl.col(ROW).alias(LAST_ROW), pl.lit(1, pl.Int64).alias(ROWS))
        .cast({NUMBER: pl.Int64})
    )


def _cells(
    occasions: pl.DataFrame,
    texts: pl.DataFrame,
    headers: Mapping[str, Mapping[Any, str]],
    schema: Mapping[str, pl.DataType],
) -> pl.DataFrame:
    """One row per non-blank cell, with the item or scale of its column."""
    name = "item" if "item" in schema else "scale"
    parts: list[pl.DataFrame] = [pl.DataFrame(schema=schema)]
    for key, places in headers.items():
        own = occasions.filter(pl.col("instrument") == key).select(NUMBER, ROW)
        own = own.join(
            texts.select(ROW, *dict.fromkeys(places.values())), on=ROW, how="left", maintain_order="left"
        )
        for place, header in places.items():
            cell = own.select(NUMBER, ROW, pl.lit(place, schema[name]).alias(name), pl.col(header).alias("text"))
            parts.append(cell.filter(pl.col("text").is_not_null()))
    return pl.concat(parts)


def _faults_in_order(occasions: pl.DataFrame, faults: pl.DataFrame) -> pl.DataFrame:
    """Faults by row and questionnaire -> faults by administration."""
    if faults.is_empty():
        return pl.DataFrame(schema=ADMINISTRATION_FAULTS)
    of_row = faults.filter(pl.col("instrument").is_null()).drop("instrument")
    of_one = faults.filter(pl.col("instrument").is_not_null())
    parts = [
        occasions.select(NUMBER, ROW).join(of_row, on=ROW, how="inner", maintain_order="left"),
        occasions.select(NUMBER, ROW, "instrument").join(
            of_one, on=[ROW, "instrument"], how="inner", maintain_order="left"
        ),
    ]
    return pl.concat([part.select(*ADMINISTRATION_FAULTS) for part in parts])


def _unread(columns: Columns, parts: Sequence[_Part]) -> tuple[str, ...]:
    used = {header for part in parts for header in part.headers}
    for part in parts:
        own = columns.speaking_for(part.key)
        used |= {header for role in ROLES if role not in _NOT_READ and (header := own.find(role)) is not None}
    used |= {header for role in ROLES if role not in _NOT_READ and (header := columns.find(role)) is not None}
    return tuple(name for name in columns.table.columns if name not in used)


def _other_questionnaires(columns: Columns, keys: Sequence[str]) -> pl.DataFrame:
    """Faults of rows whose column of questionnaires names another than the item columns."""
    header = columns.find("instrument")
    if header is None:
        return pl.DataFrame(schema=_FAULTS)
    refusals: dict[str, str] = {}
    texts = columns.table.frame[header]
    for text in texts.drop_nulls().unique(maintain_order=True):
        try:
            if key_of(text) not in keys:
                refusals[text] = (
                    f"{quote(header)}: '{quote(text)}', but the item columns are those of {', '.join(keys)}"
                )
        except ValueError as fault:
            refusals[text] = f"{quote(header)}: {fault}"
    reasons = texts.replace_strict(list(refusals), list(refusals.values()), default=None, return_dtype=pl.String)
    rows = columns.table.frame.select(ROW).with_columns(reasons.alias(REASON), instrument=pl.lit(None, pl.String))
    return rows.drop_nulls(REASON)
