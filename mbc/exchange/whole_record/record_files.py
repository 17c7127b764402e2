"""A complete record in any export format: its tables, as text, by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path, PurePosixPath

import polars as pl

from mbc.errors import EmptyTable, ImportRefused
from mbc.exchange.fhir.record_tables import is_our_bundle, read_bundle
from mbc.exchange.files.delimited import read_text_table
from mbc.exchange.files.excel import open_workbook, sheet_table
from mbc.exchange.files.formula_escape import unescape_formulas, unescape_not_available
from mbc.exchange.files.manifest import Manifest, read_manifest
from mbc.exchange.files.messages import count_noun, join_names, quote
from mbc.exchange.files.output import MANIFEST
from mbc.exchange.files.parquet import read_parquet
from mbc.exchange.files.spss import read_spss
from mbc.exchange.files.text_table import ROW, TextTable
from mbc.exchange.files.workbook import Workbook
from mbc.exchange.files.workbook_guard import check_archive
from mbc.exchange.open_file import first_bytes
from mbc.exchange.own_definitions import DEFINITIONS, texts_of_lines
from mbc.exchange.redcap.record_forms import read_redcap_record
from mbc.exchange.whole_record.table_files import AFTER, BEFORE
from mbc.instruments import keys

ADMINISTRATIONS = "administrations/"
ABOUT = "mbc record"
_EXPLAINING = frozenset({"about", "codebook", "scores", "repeating"})
_TABLE_SUFFIXES = frozenset({".csv", ".parquet", ".sav", ".tsv"})
_TABLES = (*BEFORE, *AFTER, "totals", DEFINITIONS)


@dataclass(frozen=True, slots=True)
class RecordSource:
    """The tables of a record; ``administrations/rses`` is one questionnaire, wide."""

    name: str
    kind: str
    tables: dict[str, TextTable]
    definitions: dict[str, str] = field(default_factory=dict[str, str])
    """Key -> text of the definition file of a questionnaire of the clinic's own."""
    notes: tuple[str, ...] = ()
    """What is unusual about its files."""

    @classmethod
    def of(cls, name: str, kind: str, tables: Iterable[tuple[str, TextTable]]) -> RecordSource:
        """Take the tables that a reader found, and the definitions out of them."""
        by_name = dict(tables)
        lines = by_name.pop(DEFINITIONS, None)
        if lines is None:
            return cls(name, kind, by_name)
        if not {"instrument", "text"} <= set(lines.columns):
            raise ImportRefused(f"'{quote(lines.name)}' lacks a column; 'instrument' and 'text' are needed.")
        return cls(name, kind, by_name, texts_of_lines(lines.frame))


def is_record(path: Path) -> bool:
    """Say whether a path is a complete record rather than a file of answers."""
    if path.is_dir() or _single_table(path) is not None:
        return True
    if path.suffix.casefold() == ".json":
        return is_our_bundle(first_bytes(path))
    if path.suffix.casefold() != ".xlsx":
        return False
    try:
        check_archive(path)
        return _is_ours(open_workbook(path))
    except ImportRefused:
        return False  # reported when it is read


def read_record(path: Path) -> RecordSource:
    """Read the tables of a record.

    Raises
    ------
    ImportRefused
        When there is no record there, or a table cannot be read.
    """
    if path.is_dir():
        manifest = _manifest(path)
        notes = _notes_since_export(path, manifest)
        source = RecordSource.of(path.name, f"{manifest.format} record", _FOLDERS[manifest.format](path))
        return replace(source, notes=notes)
    if not path.exists():
        raise ImportRefused(
            f"'{quote(path, longest=200)}' is not a folder; a record folder contains one file per table."
        )
    if (single := _single_table(path)) is not None:
        return RecordSource.of(path.name, "single table", [(path.stem, single)])
    if is_our_bundle(first_bytes(path)):
        return RecordSource.of(path.name, "fhir record", read_bundle(path))
    return RecordSource.of(path.name, "excel record", _workbook(path))


def _single_table(path: Path) -> TextTable | None:
    """Read a file that is one table of a record by itself: named as the table, with a column that only it has."""
    kind, reader = {**BEFORE, **AFTER}.get(path.stem), _SINGLE.get(path.suffix.casefold())
    if kind is None or reader is None or not path.is_file():
        return None
    try:
        table = reader(path)
    except ImportRefused:
        return None  # reported when it is read as any other file
    answers = any(re.fullmatch(r".+_\d+", name) for name in table.columns)
    own = {each.name for each in fields(kind)} - {"client_id", "clinician_id"}
    return None if answers or "instrument" in table.columns or not own & set(table.columns) else table


def _manifest(folder: Path) -> Manifest:
    damaged = ImportRefused(
        f"'{quote(folder.name)}': its {MANIFEST} is damaged. Copy it again, or export the folder again."
    )
    try:
        manifest = read_manifest(folder) or Manifest(format="csv")
    except ValueError as fault:
        raise damaged from fault
    if not manifest.format:
        raise damaged
    if manifest.format not in _FOLDERS:
        raise ImportRefused(
            f"'{quote(folder.name)}' is an export as {quote(manifest.format)}, which cannot be imported as a "
            "record."
        )
    return manifest


def _notes_since_export(folder: Path, manifest: Manifest) -> tuple[str, ...]:
    """Say which files changed after the export; refuse a folder that lost a part of the record."""
    tables = [
        name
        for name in manifest.missing(folder)
        if PurePosixPath(name).suffix in _TABLE_SUFFIXES and PurePosixPath(name).stem not in _EXPLAINING
    ]
    if tables:
        lost = count_noun(len(tables), "file of the export is", "files of the export are")
        raise ImportRefused(
            f"'{quote(folder.name)}': {lost} missing: {join_names(tables)}. Copy the folder again; if that was "
            f"on purpose, delete what is missing under 'sha256' in {MANIFEST}."
        )
    changed = manifest.changed(folder)
    if not changed:
        return ()
    counted = f"{count_noun(len(changed), 'file')} changed after the export"
    return (f"{counted}: {join_names(changed)}. If nobody did that on purpose, copy the folder again.",)


def _csv(folder: Path) -> Iterator[tuple[str, TextTable]]:
    yield from _files(folder, "csv", lambda path: _unescape(read_text_table(path, strip=False)))


def _parquet(folder: Path) -> Iterator[tuple[str, TextTable]]:
    yield from _files(folder, "parquet", lambda path: read_parquet(path, strip=False))


def _spss(folder: Path) -> Iterator[tuple[str, TextTable]]:
    yield from _files(folder, "sav", lambda path: read_spss(path, strip=False))


def _files(folder: Path, suffix: str, read: Callable[[Path], TextTable]) -> Iterator[tuple[str, TextTable]]:
    for name in _TABLES:
        if (path := folder / f"{name}.{suffix}").exists() and (table := _with_rows(read, path)) is not None:
            yield name, table
    for path in sorted((folder / "administrations").glob(f"*.{suffix}")):
        if (table := _with_rows(read, path)) is not None:
            yield f"{ADMINISTRATIONS}{path.stem}", replace(table, name=f"{ADMINISTRATIONS}{path.name}")


def _with_rows(read: Callable[[Path], TextTable], path: Path) -> TextTable | None:
    """Read a table of a record; None where it has no rows: nothing of this kind is on record."""
    try:
        return read(path)
    except EmptyTable:
        return None


def _bids(folder: Path) -> Iterator[tuple[str, TextTable]]:
    people = _tsv(folder / "participants.tsv")
    clients = dict(people.frame.select("participant_id", "client_id").iter_rows())
    named = people.frame.drop("participant_id")
    yield "clients", replace(people, columns=tuple(named.columns[1:]), frame=named)
    for name in _TABLES:
        if (path := folder / "sourcedata" / f"{name}.tsv").exists() and (
            table := _with_rows(_tsv, path)
        ) is not None:
            yield name, table
    for path in sorted((folder / "phenotype").glob("*.tsv")):
        if path.stem == "scores":
            continue
        name = path.stem if path.stem == "totals" else f"{ADMINISTRATIONS}{path.stem}"
        yield name, _with_clients(_tsv(path), clients)


def _with_clients(table: TextTable, clients: dict[str, str]) -> TextTable:
    who = pl.col("participant_id").replace_strict(clients, default=None, return_dtype=pl.String).alias("client_id")
    frame = table.frame.with_columns(who).drop("participant_id", "session_id")
    return replace(table, columns=tuple(name for name in frame.columns if name != ROW), frame=frame)


def _tsv(path: Path) -> TextTable:
    table = read_text_table(path, separator="\t", strip=False)
    return _unescape(replace(table, frame=unescape_not_available(table.frame)))


def _workbook(path: Path) -> Iterator[tuple[str, TextTable]]:
    check_archive(path)
    book = open_workbook(path)
    if not _is_ours(book):
        raise ImportRefused(f"'{quote(path.name)}' is not a record: it was not exported in that format.")
    for sheet in book.sheet_names:
        if sheet in _TABLES:
            try:
                yield sheet, _unescape(sheet_table(path, book, sheet, strip=False))
            except EmptyTable:
                continue
        elif (answers := _answers(path, book, sheet)) is not None:
            yield answers


def _answers(path: Path, book: Workbook, sheet: str) -> tuple[str, TextTable] | None:
    """Read a questionnaire's sheet, by the name of its items: its own may be cut; None for what somebody added."""
    if sheet in _EXPLAINING:
        return None
    try:
        table = _unescape(sheet_table(path, book, sheet, strip=False))
    except ImportRefused:
        if sheet in keys():
            raise
        return None
    first = next((name for name in table.columns if name.endswith("_1")), None)
    if first is None or "client_id" not in table.columns:
        return None
    return f"{ADMINISTRATIONS}{first.removesuffix('_1')}", table


def _is_ours(book: Workbook) -> bool:
    return book.first_cell == ABOUT


def _unescape(table: TextTable) -> TextTable:
    return replace(table, frame=unescape_formulas(table.frame))


_SINGLE: dict[str, Callable[[Path], TextTable]] = {
    ".csv": lambda path: _unescape(read_text_table(path)),
    ".tsv": lambda path: _unescape(read_text_table(path)),
    ".parquet": lambda path: read_parquet(path, strip=False),
    ".sav": lambda path: read_spss(path, strip=False),
}

_FOLDERS: dict[str, Callable[[Path], Iterator[tuple[str, TextTable]]]] = {
    "csv": _csv,
    "parquet": _parquet,
    "spss": _spss,
    "bids": _bids,
    "redcap": read_redcap_record,
}
