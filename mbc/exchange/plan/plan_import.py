"""From a file to a plan: what is in it, whose it is, and how it compares with the record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from mbc.errors import ImportRefused
from mbc.exchange.cells.text import REASON
from mbc.exchange.files.messages import quote
from mbc.exchange.files.text_table import ROW
from mbc.exchange.header.options import ImportOptions, Layout
from mbc.exchange.open_file import first_bytes, kind_of, open_table
from mbc.exchange.own_definitions import definitions_of
from mbc.exchange.plan.import_plan import ImportPlan, Proposal, make_plan
from mbc.exchange.plan.paged_file import Parts, read_pages, read_parts
from mbc.store import ImportSource, Store

_FIRST_DAY = date(1950, 1, 1)


def plan_import(
    path: str | Path,
    store: Store | None = None,
    *,
    layout: Layout | None = None,
    instrument: str | Iterable[str] | None = None,
    items: str | None = None,
    form: str | Mapping[str, str] | None = None,
    coding: str | Mapping[str, str] | None = None,
    columns: Mapping[str, str] | None = None,
    **more: Any,
) -> ImportPlan:
    """Say what importing a CSV file would do. Nothing is stored.

    Parameters
    ----------
    path : str or Path
        Delimited text: comma, semicolon, tab or bar; UTF-8, UTF-16 or Western European; decimal point or comma.
    store : Store, optional
        The record to compare with; without one, only the file itself is judged.
    layout : {"wide", "long", "totals"}, optional
        One row per administration with a column per item; one row per answer (client, date, instrument, item,
        value); or per score (client, date, instrument, scale, score). Recognised from the header when not given.
    instrument : str or iterable of str, optional
        Questionnaires to read; recognised from the columns when not given.
    items : str, optional
        How item columns are named: ``"Q{n}"``.
    form, coding : str or mapping, optional
        Item order and answer coding; a mapping says it questionnaire by questionnaire.
    columns : mapping, optional
        Canonical name (``client_id``, ``taken_on``, ``rses_1`` ...) -> header in the file.
    **more
        The other fields of ``ImportOptions``: ``date_format``, ``separator``, ``blank``,
        ``clinician``, ``display_name``, ``new_relationships``, ``supersede``, ``now``.

    Returns
    -------
    ImportPlan
        One row per administration with its outcome and reason.

    Raises
    ------
    ImportRefused
        When the file cannot be read as a table of answers at all.
    MissingItems
        When item columns are not there.
    UnknownInstrument
        When there is no such questionnaire.
    SettingsError
        When an option is wrong.
    """
    options = ImportOptions(
        layout=layout,
        instruments=_several(instrument),
        items=items,
        form=_by_instrument(form),
        coding=_by_instrument(coding),
        columns=columns or {},
        **more,
    )
    with definitions_of(store):
        plan = read_plan(path, store, options)
        return plan if store is None else plan.compare_with(store)


def read_plan(path: str | Path, store: Store | None, options: ImportOptions) -> ImportPlan:
    """Plan an import as far as the file and the people on record decide it; occasions are not compared yet."""
    with definitions_of(store):
        return _plan(Path(path), store, options)


def _plan(path: Path, store: Store | None, options: ImportOptions) -> ImportPlan:
    parts = _parts(path, options)
    if parts.kind == "redcap":  # most rows are of other forms and events: blanks there say nothing
        parts = replace(parts, reading=replace(parts.reading, blank_rows=()))
    if parts.reading.administrations.is_empty():
        raise ImportRefused(f"'{quote(parts.name)}' contains no answers: every row is blank.")
    parts = replace(parts, notes=(*parts.notes, *_early_days(parts)))
    source = ImportSource(quote(parts.name, longest=200), parts.sha256, parts.kind)
    return make_plan(Proposal(parts, options, source), store)


def _early_days(parts: Parts) -> tuple[str, ...]:
    """Ask about days before any questionnaire was printed: a small number shown as a date, or a date of birth."""
    days = parts.reading.administrations.filter(pl.col(REASON).is_null() & (pl.col("taken_on") < _FIRST_DAY))
    if days.is_empty():
        return ()
    first = days.sort("taken_on", ROW).row(0, named=True)
    which = f"{len(days)} of the dates are" if len(days) > 1 else "one date is"
    where = f"{first['taken_on']} ({parts.noun} {first[ROW]})"
    return (f"Is the year right? {which[0].upper()}{which[1:]} before {_FIRST_DAY.year}: {where}.",)


def _parts(path: Path, options: ImportOptions) -> Parts:
    if kind_of(first_bytes(path)) == "text" and (pages := read_pages(path, options)) is not None:
        return pages
    return read_parts(open_table(path, options), options)


def _several(names: str | Iterable[str] | None) -> tuple[str, ...]:
    if names is None:
        return ()
    return (names,) if isinstance(names, str) else tuple(names)


def _by_instrument(value: str | Mapping[str, str] | None) -> Mapping[str, str]:
    if value is None:
        return {}
    return {"": value} if isinstance(value, str) else value
