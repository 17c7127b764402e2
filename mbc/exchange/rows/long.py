"""Long files: one row per answer, or per score where only totals were recorded."""

from __future__ import annotations

import polars as pl

from mbc.exchange.cells.text import REASON, blank_out, by_text, faults, words_to_numbers
from mbc.exchange.files.messages import quote
from mbc.exchange.files.text_table import ROW
from mbc.exchange.header.columns import ROLES, Columns
from mbc.exchange.header.options import ImportOptions
from mbc.exchange.header.questionnaires import (
    assumed_form_note,
    check_per_instrument,
    chosen,
    item_number,
    key_of,
    scale_key,
    settle,
    stated_codings,
    stated_forms,
)
from mbc.exchange.rows.occasions import read_occasions
from mbc.exchange.rows.parsed import (
    ADMINISTRATION_FAULTS,
    CELLS_SCHEMA,
    KEYS,
    LAST_ROW,
    NUMBER,
    OCCASIONS_SCHEMA,
    ROWS,
    SCORES_SCHEMA,
    Records,
    faults_of_administrations,
)
from mbc.exchange.rows.worded_answers import read_words
from mbc.instruments import instrument

_PARTS = {"item": "value", "scale": "score"}


def read_long(columns: Columns, options: ImportOptions, *, keep_blank: bool = False) -> Records:
    """Split a file of answers: client, date, questionnaire, item, value.

    Where it also has columns of scale and score, a row may hold a recorded score instead.
    """
    columns.need_all(["item", "value"])
    scores = columns.find("score") is not None and columns.find("scale") is not None
    return _read(columns, options, ("item", "scale") if scores else ("item",), keep_blank=keep_blank)


def read_totals(columns: Columns, options: ImportOptions) -> Records:
    """Split a file of recorded scores: client, date, questionnaire, scale, score."""
    columns.need("score")
    return _read(columns, options, ("scale",), keep_blank=False)


def _read(columns: Columns, options: ImportOptions, parts: tuple[str, ...], *, keep_blank: bool) -> Records:
    base = read_occasions(columns, options)
    keys, unknown = _questionnaires(columns, options)
    check_per_instrument(options, keys.drop_nulls().unique(maintain_order=True))
    texts = {part: _texts(columns, _PARTS[part], keys, options) for part in parts}
    worded: tuple[str, ...] = ()
    if "item" in texts:
        texts["item"], worded = _worded(columns, texts["item"], keys, options)
    filled = pl.select(pl.any_horizontal(column.is_not_null() for column in texts.values())).to_series()
    occasions, numbered = _grouped(base.frame.with_columns(keys.alias("instrument"), filled.alias("filled")))
    settlement = settle(occasions, options)
    occasions = settlement.frame
    cells = {"item": pl.DataFrame(schema=CELLS_SCHEMA), "scale": pl.DataFrame(schema=SCORES_SCHEMA)}
    by_row = [base.faults, unknown, *([] if columns.table.faults is None else [columns.table.faults])]
    for part, text in texts.items():
        names, misnamed = _parts(columns, part, numbered["instrument"])
        own_rows = numbered.with_columns(names.alias(part), text.alias("text"))
        if len(parts) > 1:  # a row of the other part leaves this one's columns blank
            misnamed = pl.select(pl.when(text.is_not_null()).then(misnamed)).to_series()
        by_row.append(faults(own_rows[ROW], misnamed))
        cells[part] = own_rows.select(*cells[part].columns).filter(
            pl.col("text").is_not_null() & pl.col(part).is_not_null()
        )
    faulty_rows = [] if columns.table.faults is None else columns.table.faults[ROW].to_list()
    answered = numbered.filter(pl.col("filled") | pl.col(ROW).is_in(faulty_rows))[NUMBER].unique()
    blank = pl.Series([False]) if keep_blank else ~occasions[NUMBER].is_in(answered.implode())
    used = {columns.find(role) for role in ROLES if role not in {*_PARTS, *_PARTS.values()}}
    used |= {columns.find(role) for part in parts for role in (part, _PARTS[part])}
    return Records(
        occasions=occasions.filter(~blank).select(*OCCASIONS_SCHEMA),
        cells=cells["item"],
        scores=cells["scale"],
        faults=pl.concat([faults_of_administrations(numbered, pl.concat(by_row)), settlement.faults]).select(
            *ADMINISTRATION_FAULTS
        ),
        headers={},
        blank_rows=() if keep_blank else tuple(occasions.filter(blank)[ROW]),
        unread=tuple(name for name in columns.table.columns if name not in used),
        notes=(*base.notes, *worded, *(assumed_form_note(key) for key in settlement.assumed if "item" in parts)),
        orders=base.orders,
        stated=_stated(columns, keys, options),
        stated_forms=stated_forms(columns, keys.drop_nulls().unique(), options),
    )


def _stated(columns: Columns, keys: pl.Series, options: ImportOptions) -> frozenset[str]:
    """Questionnaires whose coding the user states, or the file in each of its rows."""
    header = columns.find("coding")
    stated = stated_codings(columns, (), options)
    if header is None:
        return stated
    rows = pl.DataFrame({"key": keys, "coding": columns.table.frame[header]}).drop_nulls("key")
    complete = rows.group_by("key").agg(pl.col("coding").is_not_null().all())
    return stated | frozenset(complete.filter("coding")["key"])


def _texts(columns: Columns, amount: str, keys: pl.Series, options: ImportOptions) -> pl.Series:
    """Answers or scores as text, with blanks as the user named them and words as the numbers they stand for."""
    header = columns.need(amount)
    texts = blank_out(columns.table.frame.select(header), [header], options.blank).with_columns(keys.alias("key"))
    for key, words in options.values.items() if amount == "value" else ():
        read = words_to_numbers(texts, [header], words)[header]
        texts = texts.with_columns(pl.when(pl.lit(not key) | (pl.col("key") == key)).then(read).otherwise(header))
    return texts[header]


def _worded(
    columns: Columns, texts: pl.Series, keys: pl.Series, options: ImportOptions
) -> tuple[pl.Series, tuple[str, ...]]:
    """Read answers in words, questionnaire by questionnaire."""
    notes: list[str] = []
    frame = pl.DataFrame({"text": texts, "key": keys})
    for key in keys.drop_nulls().unique(maintain_order=True):
        own = frame.select(pl.when(pl.col("key") == key).then("text").alias("own"))
        read, read_as = read_words(own, ["own"], key, columns, options)
        if read_as:
            notes += read_as
            frame = frame.with_columns(pl.coalesce(read["own"], "text").alias("text"))
    return frame["text"], tuple(notes)


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
            raise ValueError(f"'{quote(text)}' is not among the selected questionnaires ({', '.join(named)})")
        return key

    keys, reasons = by_text(table[header], read, dtype=pl.String)
    reasons = pl.select(
        pl.when(table[header].is_null())
        .then(pl.lit("the questionnaire is blank"))
        .otherwise(pl.format("{}: {}", pl.lit(quote(header)), reasons))
    ).to_series()
    return keys, faults(table[ROW], reasons)


def _grouped(records: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One row per administration, and the records with the number of theirs."""
    # most of these columns are constant within a file, and need not be compared row by row
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


def _parts(columns: Columns, part: str, keys: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Item number or scale of each row, as its questionnaire counts and names them, and why it is missing."""
    header = columns.find(part)
    texts = columns.table.frame[header] if header else pl.repeat(None, len(keys), dtype=pl.String, eager=True)
    distinct = pl.DataFrame({"key": keys, "text": texts}).unique(maintain_order=True).drop_nulls("key")
    dtype = pl.Int64() if part == "item" else pl.String()
    read: list[tuple[int | str | None, str | None]] = []
    for key, text in distinct.iter_rows():
        try:
            read.append((_item(key, text) if part == "item" else _scale(key, text), None))
        except ValueError as fault:
            read.append((None, str(fault)))
    distinct = distinct.with_columns(
        pl.Series("name", [name for name, _ in read], dtype=dtype),
        pl.Series(REASON, [reason for _, reason in read], dtype=pl.String),
    )
    named = pl.DataFrame({"key": keys, "text": texts}).join(
        distinct, on=["key", "text"], how="left", nulls_equal=True, maintain_order="left"
    )
    return named["name"], named[REASON]


def _item(key: str, text: str | None) -> int:
    items = len(instrument(key).items)
    number = None if text is None else item_number(text, key)
    if number is None or not 1 <= number <= items:
        given = "blank" if text is None else f"'{quote(text)}'"
        raise ValueError(f"the item is {given}; {instrument(key).name} has items 1 to {items}")
    return number


def _scale(key: str, text: str | None) -> str:
    return scale_key(instrument(key), text)
