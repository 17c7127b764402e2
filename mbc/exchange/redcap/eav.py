"""REDCap's export with a row per value (EAV), turned into the usual one: a row per record, event and instance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from mbc.errors import ImportRefused
from mbc.exchange.files.messages import count_noun, quote
from mbc.exchange.files.text_table import ROW, TextTable
from mbc.exchange.redcap.dictionary import Dictionary, Field

RECORD, FIELD, VALUE = "record", "field_name", "value"
_WHERE = (RECORD, "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance")


def is_eav(table: TextTable) -> bool:
    """Say whether a table is REDCap's export with a row per value."""
    return {RECORD, FIELD, VALUE} <= set(table.columns) <= {*_WHERE, FIELD, VALUE}


def from_eav(table: TextTable, dictionary: Dictionary | None) -> TextTable:
    """Turn a row per value into a row per record, event and instance.

    Of a check box there is a row for each choice that was ticked; they become the columns ``field___code`` of the
    usual export. Which fields are check boxes is for the dictionary to say; without it, those with several values.

    Parameters
    ----------
    table : TextTable
        record, redcap_event_name and the like where the project has them, field_name, value.
    dictionary : Dictionary, optional
        Of the project.

    Raises
    ------
    ImportRefused
        When a field that is no check box has two values in one place.
    """
    where = [name for name in _WHERE if name in table.columns]
    rows = table.frame.filter(pl.col(RECORD).is_not_null() & pl.col(FIELD).is_not_null())
    several = rows.filter(pl.struct(*where, FIELD).is_duplicated())[FIELD].unique().to_list()
    known: Mapping[str, Field] = dictionary.by_name if dictionary else {}
    boxes = {name for name, field in known.items() if field.kind == "checkbox"} if known else set(several)
    _refuse_two_values(table, rows, where, [name for name in several if name not in boxes])
    ticked = rows.filter(pl.col(FIELD).is_in(list(boxes)))
    code = pl.col(VALUE).str.to_lowercase().str.replace_all("[^a-z0-9_]", "_")
    column = pl.concat_str(pl.col(FIELD), pl.lit("___"), code)
    ticked = ticked.with_columns(column.alias(FIELD), pl.lit("1").alias(VALUE))
    single = rows.filter(~pl.col(FIELD).is_in(list(boxes)))
    cells = pl.concat([single, ticked])
    wide = cells.pivot(on=FIELD, index=where, values=VALUE, aggregate_function="first")
    firsts = rows.group_by(where, maintain_order=True).agg(pl.col(ROW).min())
    wide = firsts.join(wide, on=where, how="left", nulls_equal=True, maintain_order="left")
    first_field = next(iter(known), None)
    if first_field is not None and first_field not in wide.columns:
        wide = wide.rename({RECORD: first_field})
    elif first_field is not None:
        wide = wide.drop(RECORD)
    absent = [column for name in boxes if name in known for code in known[name].choices
              if (column := known[name].column(code)) not in wide.columns]  # fmt: skip
    wide = wide.with_columns(pl.lit("0").alias(name) for name in absent)
    note = f"A row per value: {count_noun(len(rows), 'value')} combined into {count_noun(len(wide), 'row')}."
    return replace(
        table,
        columns=tuple(name for name in wide.columns if name != ROW),
        frame=wide.select(ROW, pl.all().exclude(ROW)),
        notes=(*table.notes, note),
    )


def _refuse_two_values(table: TextTable, rows: pl.DataFrame, where: list[str], fields: list[str]) -> None:
    again = rows.filter(pl.col(FIELD).is_in(fields) & pl.struct(*where, FIELD).is_duplicated())
    if not again.is_empty():
        raise ImportRefused(
            f"'{quote(table.name)}' has two values of '{quote(again[FIELD][0])}' in one place (row "
            f"{again[ROW][0]} and row {again[ROW][1]}), and it is not a check box. Export it again, or delete one."
        )
