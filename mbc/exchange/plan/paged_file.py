"""A file read page by page, with what only all its pages together can tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from mbc.errors import ImportRefused
from mbc.exchange.files.delimited_pages import NotPlain, TextPages, is_long
from mbc.exchange.files.text_table import TextTable
from mbc.exchange.header.coding_from_choices import coding_by_choices
from mbc.exchange.header.columns import Columns
from mbc.exchange.header.layout import Recognised, recognise
from mbc.exchange.header.options import ImportOptions, Layout
from mbc.exchange.header.row_numbers import refuse_row_numbers
from mbc.exchange.header.survey_tools import survey_tool
from mbc.exchange.redcap import is_eav, is_redcap
from mbc.exchange.rows.answer_doubts import doubt
from mbc.exchange.rows.check_answers import check, notes_of
from mbc.exchange.rows.long import read_long, read_totals
from mbc.exchange.rows.parsed import Kind, Reading, Records, Seen
from mbc.exchange.rows.wide import read_wide

ANSWERED = ("answers", "totals")
"""The columns that are not held in memory for a long file."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A file, read and checked.

    Of a long file what was read is held without answers and totals; those come page by page, in the same order, as
    often as they are asked for.
    """

    reading: Reading
    layout: Layout
    name: str
    sha256: str
    kind: str
    notes: tuple[str, ...]
    noun: str
    answered: Callable[[], Iterable[pl.DataFrame]]

    def with_answers(self, administrations: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Yield the administrations with their answers and totals, a page at a time."""
        start = 0
        rest = administrations.drop(ANSWERED, strict=False)
        for page in self.answered():
            yield rest.slice(start, len(page)).hstack(page)
            start += len(page)


def read_parts(table: TextTable, options: ImportOptions) -> Parts:
    """Read a table that is in memory."""
    columns = _columns(table, options)
    recognised = recognise(columns, options)
    refuse_row_numbers(columns)
    options, coded = coding_by_choices(columns, recognised.items, options)
    reading = check(_read_records(columns, recognised, options))
    reading = replace(reading, notes=notes_of(reading, table.noun))
    answered = reading.administrations.select(ANSWERED)
    return Parts(
        reading=reading,
        layout=recognised.layout,
        name=table.name,
        sha256=table.sha256,
        kind=table.kind,
        notes=(*table.notes, *coded),
        noun=table.noun,
        answered=lambda: [answered],
    )


def read_pages(path: Path, options: ImportOptions) -> Parts | None:
    """Read a long file a page at a time; None where it has to be read at once, which also gives the right message.

    A wide file only: the answers of a long one that belong together may be pages apart.
    """
    if (
        options.dictionary is not None
        or options.encoding is not None
        or options.start_date is not None
        or not is_long(path)
        or (options.items and not options.instruments)
    ):
        return None
    try:
        return _read_pages(TextPages(path, options.separator), options)
    except (NotPlain, ImportRefused):
        return None


def _read_pages(pages: TextPages, options: ImportOptions) -> Parts:
    readings = [_compact(reading) for reading in _checked(pages, options, None)]
    combined = _combine(readings)
    seen = combined.seen
    if any(part.unfit or doubt(part) or part.doubts_scores for part in seen.values()):  # only all rows show it
        readings = [_compact(reading) for reading in _checked(pages, options, seen)]
        combined = _combine(readings)
    combined = replace(combined, notes=notes_of(combined, "row"))
    return Parts(
        reading=combined,
        layout="wide",
        name=pages.path.name,
        sha256=pages.sha256,
        kind="csv",
        notes=(),
        noun="row",
        answered=lambda: (part.administrations.select(ANSWERED) for part in _checked(pages, options, seen)),
    )


def _checked(pages: TextPages, options: ImportOptions, seen: Mapping[Kind, Seen] | None) -> Iterator[Reading]:
    recognised: Recognised | None = None
    for table in pages:
        if recognised is None and survey_tool(table) is not None:
            raise NotPlain
        columns = _columns(table, options)
        if recognised is None:
            recognised = recognise(columns, options)
            refuse_row_numbers(columns)
            if recognised.layout != "wide" or is_eav(table) or is_redcap(table):
                raise NotPlain
        yield check(_read_records(columns, recognised, options), seen=seen)


def _compact(reading: Reading) -> Reading:
    return replace(reading, administrations=reading.administrations.drop(ANSWERED))


def _combine(readings: list[Reading]) -> Reading:
    """Put pages together.

    Raises
    ------
    NotPlain
        When they do not agree on the order of day and month.
    """
    if not any(reading.blank_rows or len(reading.administrations) for reading in readings):
        raise NotPlain
    seen: dict[Kind, Seen] = {}
    orders: dict[str, str] = {}
    for reading in readings:
        for kind, part in reading.seen.items():
            seen[kind] = seen[kind].and_then(part) if kind in seen else part
        for header, order in reading.orders.items():
            if orders.setdefault(header, order) != order:
                raise NotPlain
    notes = (note for reading in readings for note in reading.notes)
    return replace(
        readings[0],
        administrations=pl.concat([reading.administrations for reading in readings]),
        seen=seen,
        blank_rows=tuple(row for reading in readings for row in reading.blank_rows),
        notes=tuple({_about(note): note for note in reversed(list(notes))}.values())[::-1],
    )


def _about(note: str) -> str:
    """Leave out the example of a note: it is another on each page."""
    return note.partition(", such as ")[0]


def _columns(table: TextTable, options: ImportOptions) -> Columns:
    mapped = dict(options.columns)
    if options.start_date is not None:
        mapped.pop("taken_on", None)  # the column that was counted; the days that it gave are in its place
    return Columns(table, {**table.given, **mapped}).without(options.ignore)


def _read_records(columns: Columns, recognised: Recognised, options: ImportOptions) -> Records:
    match recognised.layout:
        case "wide":
            return read_wide(columns, recognised, options)
        case "long":
            return read_long(columns, options)
        case "totals":
            return read_totals(columns, options)
