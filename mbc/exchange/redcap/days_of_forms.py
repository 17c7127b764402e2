"""The day of each questionnaire of a REDCap project: a survey's time stamp, or the date of its form."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from mbc.exchange.files.messages import count_noun, name_rows, quote
from mbc.exchange.files.text_table import ROW, TextTable
from mbc.exchange.header.options import ImportOptions
from mbc.exchange.header.questionnaires import item_pattern
from mbc.exchange.redcap.dictionary import Dictionary
from mbc.instruments import instrument, keys

_NOT_COMPLETED = "[not completed]"


def with_days(
    table: TextTable, dictionary: Dictionary | None, options: ImportOptions
) -> tuple[TextTable, dict[str, str], list[str]]:
    """Find the column with the day of each questionnaire.

    A form may be filled in by the client, with a time stamp, or typed in by staff, with a date: where a form has
    both, the date is used where the time stamp is blank.

    Returns
    -------
    table, days, notes
        The completed table, ``rses_taken_on`` and the like -> column, and what was filled in.
    """
    stamps = [name for name in table.columns if name.endswith("_timestamp")]
    table = replace(
        table,
        frame=table.frame.with_columns(
            pl.when(pl.col(name) != _NOT_COMPLETED).then(pl.col(name)).alias(name) for name in stamps
        ),
    )
    if "taken_on" in options.columns:  # the user's word is for all of them
        return table, {}, []
    forms = forms_of(table, dictionary)
    days: dict[str, str] = {}
    notes: dict[str, None] = {}
    replaced: set[str] = set()
    for key in keys():
        asked = {forms[header] for header in items_of(table, key, options) if header in forms}
        if len(asked) != 1:
            continue
        (form,) = asked
        stamp = f"{form}_timestamp"
        dates = [field.name for field in dictionary.in_form(form) if field.is_date] if dictionary else []
        dates = [name for name in dates if name in table.columns]
        has_stamps = stamp in table.columns and table.frame[stamp].is_not_null().any()
        if has_stamps and len(dates) == 1:
            table, note = _completed(table, stamp, dates[0])
            replaced.add(dates[0])
            if note is not None:
                notes[note] = None
        if has_stamps:
            days[f"{key}_taken_on"] = stamp
        elif len(dates) == 1:
            days[f"{key}_taken_on"] = dates[0]
    in_use = {*days.values(), *options.columns.values()}
    left = tuple(name for name in table.columns if name not in replaced or name in in_use)
    return replace(table, columns=left, frame=table.frame.select(ROW, *left)), days, list(notes)


def _completed(table: TextTable, stamp: str, day: str) -> tuple[TextTable, str | None]:
    """Use the date of a form where it has no time stamp."""
    frame = table.frame
    rows = frame.filter(pl.col(stamp).is_null() & pl.col(day).is_not_null())[ROW].to_list()
    note = (
        f"{count_noun(len(rows), 'row')} without '{quote(stamp)}' were given the date from '{quote(day)}' "
        f"({name_rows(rows)})."
    )
    frame = frame.with_columns(pl.coalesce(stamp, day).alias(stamp))
    return replace(table, frame=frame), note if rows else None


def forms_of(table: TextTable, dictionary: Dictionary | None) -> dict[str, str]:
    """Column -> form: by the dictionary, else the form whose ``_complete`` column comes next."""
    if dictionary is not None:
        return {name: field.form for name, field in dictionary.by_name.items()}
    forms: dict[str, str] = {}
    waiting: list[str] = []
    for name in table.columns:
        if name.endswith("_complete"):
            forms |= dict.fromkeys(waiting, name.removesuffix("_complete"))
            waiting = []
        else:
            waiting.append(name)
    return forms


def items_of(table: TextTable, key: str, options: ImportOptions) -> list[str]:
    """List the columns with answers to a questionnaire."""
    mapped = [options.columns[name] for name in instrument(key).item_columns() if name in options.columns]
    pattern = item_pattern(key)
    return mapped or [name for name in table.columns if pattern.fullmatch(name)]
