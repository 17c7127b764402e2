"""Days of a study that are numbered and not dated: days, weeks or waves, counted from a start date."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

import polars as pl

from mbc.errors import ImportRefused, SettingsError
from mbc.exchange.files.messages import join_names, name_rows, quote
from mbc.exchange.files.text_table import ROW, TextTable
from mbc.exchange.header.columns import fold
from mbc.exchange.header.options import ImportOptions

_DAYS = ("day", "study day", "day number", "day no", "study day number", "day of study")
_WEEKS = ("week", "study week", "week number", "week no")
_WAVES = ("wave", "visit", "visit number", "time point", "timepoint", "measurement", "occasion")
_COLUMN = "day from the start date"
_NUMBER = re.compile(r"-?\d{1,5}(?:[.,]0+)?")


def with_study_days(table: TextTable, options: ImportOptions) -> TextTable:
    """Turn the numbers of a study's days, weeks or waves into dates, where a start date is given.

    Day 0, week 0 and wave 1 begin on the start date.

    Raises
    ------
    SettingsError
        If no column is of that kind, or it is of waves and nothing says how far they are apart.
    ImportRefused
        If a cell is no whole number.
    """
    if options.start_date is None:
        return table
    header, apart, first = _column_of(table, options)
    cells = table.frame[header]
    wrong = table.frame.filter(pl.Series([cell is not None and not _NUMBER.fullmatch(cell) for cell in cells]))
    if not wrong.is_empty():
        raise ImportRefused(
            f"Column '{quote(header)}' of '{quote(table.name)}' is counted from --start-date, but contains "
            f"'{quote(wrong[header][0])}' ({name_rows(wrong[ROW])}); whole numbers are accepted. Leave "
            "--start-date out if they are dates."
        )
    days = [None if cell is None else _day(options.start_date, cell, apart, first) for cell in cells]
    frame = table.frame.with_columns(pl.Series(_COLUMN, days, pl.String))
    last = max((day for day in days if day is not None), default=options.start_date.isoformat())
    note = (
        f"Days are counted from {options.start_date} by '{quote(header)}' ({_unit(apart, first)}), the same for "
        f"everybody; the last is {last}."
    )
    return replace(
        table,
        columns=(*table.columns, _COLUMN),
        frame=frame,
        given={**table.given, "taken_on": _COLUMN},
        notes=(*table.notes, note),
    )


def _column_of(table: TextTable, options: ImportOptions) -> tuple[str, int, int]:
    """Find the column, how many days its numbers are apart, and the number of the start date."""
    kinds = {fold(name): kind for kind, names in enumerate((_DAYS, _WEEKS, _WAVES)) for name in names}
    named = options.columns.get("taken_on")
    fits = [name for name in table.columns if (name == named if named is not None else fold(name) in kinds)]
    if len(fits) != 1:
        which = f"has {join_names(fits)}, any of which could be meant" if fits else "has no such column"
        raise SettingsError(
            f"--start-date counts the days of a column such as day, week or wave; '{quote(table.name)}' {which}. "
            "Name it: --map taken_on='its header'."
        )
    kind = kinds.get(fold(fits[0]), 0 if options.days_per_wave is None else 2)
    if kind == 2 and options.days_per_wave is None:
        raise SettingsError(f"How many days lie between two numbers of '{quote(fits[0])}'? --days-per-wave 28")
    if options.days_per_wave is not None:
        return fits[0], options.days_per_wave, 1
    return fits[0], (1, 7)[kind], 0


def _day(start: date, cell: str, apart: int, first: int) -> str:
    number = int(re.split("[.,]", cell)[0])
    return (start + timedelta(days=apart * (number - first))).isoformat()


def _unit(apart: int, first: int) -> str:
    if first:
        return f"number 1 is that day, each next one {apart} days later"
    return "day 0 is that day" if apart == 1 else "week 0 is that day"
