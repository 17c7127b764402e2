"""A complete record as a folder of tidy files (or a workbook), and how it is imported.

::

    clinicians.csv clients.csv episodes.csv relationships.csv statuses.csv sessions.csv
    administrations/rses.csv ...    wide: client_id, taken_on, session_number, target, ..., rses_1 to rses_10
    totals.csv                      client_id, taken_on, instrument, scale, score
    goals.csv goal_ratings.csv events.csv

Any of them may be absent. Columns are those of the record's readers; clients, relationships and episodes are named
by their identifiers.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from mbc.errors import ImportRefused
from mbc.exchange.cells.text import REASON
from mbc.exchange.fhir.record_tables import ANSWERS
from mbc.exchange.files.messages import count_noun, join_names, quote
from mbc.exchange.files.text_table import ROW, TextTable
from mbc.exchange.header.columns import Columns
from mbc.exchange.header.layout import recognise
from mbc.exchange.header.options import ImportOptions
from mbc.exchange.own_definitions import definitions_of, keep_definitions
from mbc.exchange.plan.clients import find_episodes
from mbc.exchange.plan.duplicates import OCCASION, OUTCOME, within_file
from mbc.exchange.plan.to_store import as_records
from mbc.exchange.plan.withdrawals import name_withdrawals
from mbc.exchange.rows.check_answers import check
from mbc.exchange.rows.long import read_long, read_totals
from mbc.exchange.rows.parsed import READ_SCHEMA
from mbc.exchange.rows.wide import read_wide
from mbc.exchange.whole_record.record_files import ADMINISTRATIONS, RecordSource, read_record
from mbc.exchange.whole_record.table_files import AFTER, BEFORE, RecordTable, read_tables
from mbc.instruments import instrument
from mbc.instruments.library import own_text
from mbc.instruments.own.recorded import adding_recorded
from mbc.store import Client, Clinician, Episode, ImportSource, Outcome, Record, Store

_FILE = "file"
_AT_ONCE = 10_000  # administrations handed over at a time
_SELF = "self"
# Dates of a record folder are as they are: it may be a sample made for another day, or come from another clock.
_AS_RECORDED = ImportOptions(now=datetime(9999, 12, 31, tzinfo=UTC), exact_identifiers=True)


@dataclass(frozen=True, slots=True)
class RecordImport:
    """Result of importing a record folder."""

    counts: dict[str, dict[Outcome, int]]
    """Table -> records by outcome."""
    notes: tuple[str, ...]


def import_record(
    folder: str | Path,
    store: Store,
    *,
    by: str | None = None,
    supersede: str | None = None,
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
    clinician: str | None = None,
    display_name: str | None = None,
) -> RecordImport:
    """Import a record folder, or one table of it, into a store, in one transaction: all of it, or nothing.

    Running it again stores nothing twice.

    Parameters
    ----------
    folder : str or Path
        Laid out as above; or one of its tables by itself, such as ``goal_ratings.csv``.
    store : Store
        The record; it may hold other clients already.
    by : str, optional
        In whose name; whoever's view of the record this is when not given.
    supersede : str, optional
        Why what is on record with other content is corrected; without it that is a conflict.
    dry_run : bool
        Find out what would happen, and store nothing.
    progress : callable, optional
        Called with the number of administrations stored since the last call.
    clinician, display_name : str, optional
        Whose clients are those for whom the tables name nobody, and the name to register that clinician under.

    Raises
    ------
    ImportRefused
        When files cannot be read or rows cannot be stored; it carries them, with their reasons.
    Conflict
        When something is on record with other content and no reason to supersede is given.
    """
    folder = Path(folder)
    with definitions_of(store):
        read = read_record(folder)
        with adding_recorded(read.definitions):
            return _import(
                folder,
                read,
                store,
                by,
                supersede=supersede,
                dry_run=dry_run,
                progress=progress,
                owner=(clinician, display_name),
            )


def _import(
    folder: Path,
    read: RecordSource,
    store: Store,
    by: str | None,
    *,
    supersede: str | None,
    dry_run: bool,
    progress: Callable[[int], None] | None,
    owner: tuple[str | None, str | None],
) -> RecordImport:
    tables = {table.name: table for table in read_tables(read.tables)}
    files = list(read.tables.values())
    frame = _administrations(read)
    if not files:
        raise ImportRefused(f"'{quote(folder, longest=200)}' contains no table of a record, such as clients.csv.")
    frame = name_withdrawals(_with_people(frame, tables, store), store)
    frame = within_file(frame, lambda: [frame.select("answers", "totals")])
    _refuse(folder, tables.values(), frame)
    storable = frame.filter(pl.col(OUTCOME) == "stored")
    source = ImportSource(quote(folder.name, longest=200) or "record", _digest(files), kind=read.kind)
    counts: dict[str, dict[Outcome, int]] = {}
    try:
        with store.writing(by=by, source=source) as record:
            clinician, display_name = owner
            if clinician is not None and display_name is not None:
                record.add(Clinician(clinician, display_name), supersede=supersede)
            for name in BEFORE:
                if name in tables:
                    records = _assigned(tables[name].records, clinician)
                    counts[name] = dict(Counter(record.add_all(records, supersede=supersede)))
            outcomes: Counter[Outcome] = Counter()
            keep_definitions(record, storable["instrument"])
            for part in storable.iter_slices(_AT_ONCE):
                outcomes.update(record.add_frame(as_records(part, flags=True), supersede=supersede))
                if progress is not None:
                    progress(len(part))
            counts["administrations"] = dict(outcomes)
            for name in AFTER:
                if name in tables:
                    counts[name] = dict(Counter(record.add_all(tables[name].records, supersede=supersede)))
            _undo(dry_run=dry_run)
    except _OnlyTryingError:
        pass
    counts = {table: outcomes for table, outcomes in counts.items() if outcomes}
    return RecordImport(counts, (*read.notes, *_notes(tables.values(), frame), *_other_definitions(read)))


def _assigned(records: Iterable[Record], clinician: str | None) -> list[Record]:
    """Name the clinician of clients and episodes that name nobody."""
    return [
        replace(record, clinician_id=clinician)
        if clinician is not None and isinstance(record, (Client, Episode)) and record.clinician_id is None
        else record
        for record in records
    ]


class _OnlyTryingError(Exception):
    """A dry run is over: its transaction is undone."""


def _undo(*, dry_run: bool) -> None:
    if dry_run:
        raise _OnlyTryingError


def _administrations(source: RecordSource) -> pl.DataFrame:
    """Read every questionnaire's table and the kept totals; ``file`` says where each administration is from."""
    parts: list[pl.DataFrame] = []
    for name, table in source.tables.items():
        if not name.startswith(ADMINISTRATIONS):
            continue
        options = replace(_AS_RECORDED, instruments=(name.removeprefix(ADMINISTRATIONS),))
        columns = _columns(table)
        read = check(
            read_wide(columns, recognise(columns, options), options, keep_blank=True), trusted=True
        ).administrations
        parts.append(_with_blank_answers(read).with_columns(pl.lit(table.name).alias(_FILE)))
    if ANSWERS in source.tables:
        table = source.tables[ANSWERS]
        columns = _columns(table)
        read = check(read_long(columns, _AS_RECORDED, keep_blank=True), trusted=True).administrations
        alone = pl.col("answers").is_null() & pl.col("totals").is_not_null()
        parts.append(
            pl.concat([_with_blank_answers(read.filter(~alone)), read.filter(alone)]).with_columns(
                pl.lit(table.name).alias(_FILE)
            )
        )
    frame = pl.concat([pl.DataFrame(schema={**READ_SCHEMA, _FILE: pl.String()}), *parts])
    if "totals" not in source.tables:
        return frame
    table = source.tables["totals"]
    totals = check(read_totals(_columns(table), _AS_RECORDED), trusted=True).administrations
    return _with_totals(frame, totals.with_columns(pl.lit(table.name).alias(_FILE)))


def _columns(table: TextTable) -> Columns:
    """Let a record name episodes and versions itself, which other files may not."""
    return Columns(table, {name: name for name in ("episode_id", "version") if name in table.columns})


def _with_blank_answers(read: pl.DataFrame) -> pl.DataFrame:
    """Give a questionnaire that was handed in empty a blank for each of its items."""
    blank = [None if key is None else [None] * len(instrument(key).items) for key in read["instrument"]]
    nothing = pl.Series("nothing", blank, READ_SCHEMA["answers"])
    return read.with_columns(pl.coalesce("answers", nothing).alias("answers"))


def _with_totals(frame: pl.DataFrame, totals: pl.DataFrame) -> pl.DataFrame:
    """Put recorded totals with the answers of the same occasion; the others are administrations of their own."""
    accepted = totals.filter(pl.col(REASON).is_null()).select(*OCCASION, pl.col("totals").alias("kept"))
    frame = frame.join(accepted, on=OCCASION, how="left", nulls_equal=True, maintain_order="left")
    frame = frame.with_columns(pl.coalesce("kept", "totals").alias("totals")).drop("kept")
    alone = totals.join(frame.select(OCCASION), on=OCCASION, how="anti", nulls_equal=True)
    return pl.concat([frame, alone.select(frame.columns)])


def _with_people(frame: pl.DataFrame, tables: dict[str, RecordTable], store: Store) -> pl.DataFrame:
    """Refuse administrations of clients and relationships that are neither in the folder nor on record."""
    clients = {*store.clients()["client_id"], *_named(tables, "clients", "client_id")}
    relationships = {
        _SELF,
        *store.relationships()["relationship_id"],
        *_named(tables, "relationships", "relationship_id"),
    }
    target = pl.col("target").fill_null(_SELF)
    absent = (
        pl.when(~pl.col("client_id").is_in(list(clients)))
        .then(pl.format("client {} is neither in clients.csv nor on record", "client_id"))
        .when(~target.is_in(list(relationships)))
        .then(pl.format("target {} is neither in relationships.csv nor on record", target))
    )
    frame = frame.with_columns(target.alias("target"), pl.coalesce(REASON, absent).alias(REASON))
    return find_episodes(frame, store, also=_episodes(tables))


def _named(tables: dict[str, RecordTable], table: str, field: str) -> list[str]:
    return [getattr(record, field) for record in tables[table].records] if table in tables else []


def _episodes(tables: dict[str, RecordTable]) -> pl.DataFrame | None:
    if "episodes" not in tables:
        return None
    ids, days = ("client_id", "episode_id"), ("referred_on", "started_on", "ended_on")
    schema = {**dict.fromkeys(ids, pl.String()), **dict.fromkeys(days, pl.Date())}
    rows = [tuple(getattr(record, name) for name in schema) for record in tables["episodes"].records]
    return pl.DataFrame(rows, schema=schema, orient="row")


def _refuse(folder: Path, tables: Iterable[RecordTable], frame: pl.DataFrame) -> None:
    faults = [fault for table in tables for fault in table.faults]
    refused = frame.filter(pl.col(OUTCOME) == "refused").select(_FILE, ROW, REASON)
    faults += [f"{file}, row {row}: {reason}" for file, row, reason in refused.iter_rows()]
    if faults:
        raise ImportRefused(
            f"'{quote(folder.name)}': {count_noun(len(faults), 'row')} refused; nothing was stored. "
            "Correct them, or remove them from the file.",
            faults,
        )


def _notes(tables: Iterable[RecordTable], frame: pl.DataFrame) -> tuple[str, ...]:
    notes = [
        f"{table.name}.csv: columns not used: {join_names(table.unread)}." for table in tables if table.unread
    ]
    twice = frame.filter(pl.col(OUTCOME) == "duplicate")
    if not twice.is_empty():
        notes.append(f"{len(twice)} administrations appear twice with the same content; each is stored once.")
    return tuple(notes)


def _other_definitions(read: RecordSource) -> Iterator[str]:
    """Say which definitions that the record brings along are not the ones in use here."""
    for key, text in sorted(read.definitions.items()):
        if own_text(key) != text:
            yield f"The definition of '{key}' in the imported record was not used: another one is in use here."


def _digest(files: Iterable[TextTable]) -> str:
    listed = sorted(f"{file.name} {file.sha256}" for file in files)
    return hashlib.sha256("\n".join(listed).encode()).hexdigest()
