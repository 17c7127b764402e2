"""Check the folders of a registry before anything is counted: columns, types, keys, references, days, answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw

from mbc.errors import SettingsError
from mbc.exchange.files.manifest import Manifest, read_manifest
from mbc.exchange.files.messages import count_noun, join_names, quote
from mbc.exchange.files.output import MANIFEST
from mbc.outcomes.engines import Engine, Reader, naming_damaged_files, table_engine
from mbc.outcomes.record_folders import CLINIC, SUFFIXES, require_folders, table_file
from mbc.outcomes.registry.answers import answer_faults, questionnaires
from mbc.outcomes.registry.columns import OpenTable, column_faults, day_faults, is_missing, open_table
from mbc.outcomes.registry.layout import ADMINISTRATIONS, ANSWERS, PARQUET_LAYOUT, TABLES, Layout


@dataclass(frozen=True, slots=True)
class FolderCheck:
    """What was found in one folder."""

    clinic: str
    rows: dict[str, int]
    """Table -> rows; of questionnaires by their key."""
    faults: tuple[str, ...]
    notes: tuple[str, ...]
    """What is no fault, but changes what is counted."""
    definitions: dict[str, str]
    """Questionnaire -> digest of the definition of the clinic's own that it was answered with."""


@dataclass(frozen=True, slots=True)
class RegistryCheck:
    """What was found in the folders of a registry."""

    folders: tuple[FolderCheck, ...]
    faults: tuple[str, ...]
    """All faults, those of single folders first, then those between folders."""

    @property
    def notes(self) -> tuple[str, ...]:
        """All notes."""
        return tuple(note for folder in self.folders for note in folder.notes)


def check_folders(
    paths: Sequence[Path], engine: Engine = "polars", *, today: dt.date | None = None
) -> RegistryCheck:
    """Check record folders before they are reported together.

    Parameters
    ----------
    paths : sequence of Path
        A folder per clinic, as `mbc export --format parquet` writes it.
    engine : {"polars", "duckdb", "spark"}
        What reads and counts; only counts and a few examples come back.
    today : date, optional
        No day may lie after it; the present day by default.

    Returns
    -------
    RegistryCheck
        Faults name the file, how many rows have them, and the first of them.

    Raises
    ------
    SettingsError
        If a path is not a folder, two folders have the same name, or the engine is not installed.
    """
    require_folders(paths)
    read = table_engine(engine).read
    last = today or dt.date.today()  # noqa: DTZ011 - days are the clinic's own
    folders = tuple(_check(path, read, last) for path in paths)
    faults = [fault for folder in folders for fault in folder.faults]
    return RegistryCheck(folders, (*faults, *_between(folders)))


def _check(path: Path, read: Reader, today: dt.date) -> FolderCheck:
    faults: list[str] = list(_manifest_faults(path))
    notes: list[str] = []
    tables: dict[str, OpenTable] = {}
    rows: dict[str, int] = {}
    for layout in TABLES:
        try:
            file = table_file(path, layout.name)
        except SettingsError as fault:
            faults.append(f"{path.name}: {fault}")
            continue
        if file is None:
            if layout.needed:
                faults.append(f"{path.name}: the table '{layout.name}' is missing.")
            continue
        table = _opened(path, file, read, layout, faults)
        if table is not None:
            tables[layout.name] = table
    answers = _answer_tables(path, read, faults, notes)
    if not answers and "scores" not in tables:
        faults.append(f"{path.name}: neither '{ADMINISTRATIONS}/KEY' nor 'scores' is there: nothing to report.")
    definitions: dict[str, str] = {}
    try:
        with naming_damaged_files([path]):
            for table in (*tables.values(), *answers.values()):
                rows[table.name] = table.rows
                faults += column_faults(table)
                faults += day_faults(table, today)
                faults += _key_faults(table)
                faults += _reference_faults(table, tables)
            for key, table in answers.items():
                faults += answer_faults(table, key)
            notes += _clients_without_episode(path, tables, answers)
            definitions = questionnaires(path, read)
    except SettingsError as fault:
        faults.append(str(fault))
    return FolderCheck(path.name, rows, tuple(faults), tuple(notes), definitions)


def _manifest_faults(path: Path) -> Iterator[str]:
    place = f"{path.name}/{MANIFEST}"
    try:
        manifest = read_manifest(path) or Manifest()
    except ValueError:
        yield f"{place} cannot be read. Copy it again, or export the folder again."
        return
    if manifest.include_safety:
        yield f"{path.name} was exported with --include-safety: a registry accepts no safety data. Leave it out."
    if manifest.layout > PARQUET_LAYOUT:
        yield f"{path.name} has layout {manifest.layout}; this mbc knows {PARQUET_LAYOUT}. Upgrade mbc."
    missing = [(name, "was exported and is missing") for name in manifest.missing(path)]
    for name, what in (*missing, *((name, "changed after the export") for name in manifest.changed(path))):
        yield (
            f"{path.name}/{quote(name, longest=200)} {what}. Copy it again, or export the folder again; "
            f"if that was on purpose, delete its line under 'sha256' in {place}."
        )


def _opened(path: Path, file: Path, read: Reader, layout: Layout, faults: list[str]) -> OpenTable | None:
    place = f"{path.name}/{file.relative_to(path).as_posix()}"
    try:
        table, missing = open_table(place, file.stem, read(file), layout)
    except SettingsError as fault:  # it names the file
        faults.append(str(fault))
        return None
    except Exception as fault:  # noqa: BLE001 - each engine has its own errors for a damaged file
        faults.append(f"{place} cannot be read as a table ({type(fault).__name__}). Is it complete?")
        return None
    if missing:
        faults.append(f"{place} lacks {join_names(missing)}; it has {join_names(table.names)}.")
    return table


def _answer_tables(path: Path, read: Reader, faults: list[str], notes: list[str]) -> dict[str, OpenTable]:
    from mbc.errors import UnknownInstrument  # noqa: PLC0415
    from mbc.instruments import instrument  # noqa: PLC0415

    made: dict[str, OpenTable] = {}
    for file in sorted((path / ADMINISTRATIONS).glob("*")):
        if file.suffix not in SUFFIXES:
            continue
        place = f"{path.name}/{ADMINISTRATIONS}/{quote(file.name)}"
        try:
            known = instrument(file.stem)
        except UnknownInstrument:
            notes.append(f"{place}: there is no definition of '{quote(file.stem)}' here, so it is not counted.")
            continue
        if known.safety_channel:
            faults.append(
                f"{place} belongs to the safety channel, which a registry does not accept. Delete the file."
            )
            continue
        if file.stem in made:
            faults.append(f"{path.name} has the answers of {file.stem} twice, as .csv and .parquet.")
            continue
        table = _opened(path, file, read, ANSWERS, faults)
        if table is not None:
            made[file.stem] = table
    return made


def _key_faults(table: OpenTable) -> Iterator[str]:
    """Find rows that share what names a row."""
    key = [name for name in (CLINIC, *table.layout.key) if name in table.names]
    unsure = {"number", "client_id"} & set(table.layout.key) - set(key) and table.name == "sessions"
    if unsure or not set(key) - {CLINIC}:
        return  # two appointments on a day are distinguished by their numbers alone
    named = next(name for name in key if name != CLINIC)
    shared = table.frame.group_by(*key).agg(nw.len().alias("n")).filter(nw.col("n") > 1)
    counted = shared.select(
        nw.len().alias("keys"),
        nw.col("n").sum().alias("rows"),
        nw.col(named).min().alias("first"),
    )
    row = _single_row(counted)
    if row["keys"]:
        yield (
            f"{table.place}: {count_noun(int(row['rows']), 'row')} share {join_names(key)} with another "
            f"(first: '{quote(row['first'])}'); each may be there once."
        )


def _reference_faults(table: OpenTable, tables: dict[str, OpenTable]) -> Iterator[str]:
    """Find rows that name a row of another table that is not there."""
    for column, other in table.layout.refers:
        target = tables.get(other)
        if target is None or column not in table.names or column not in target.names:
            continue
        on = [column, *([CLINIC] if CLINIC in table.names and CLINIC in target.names else [])]
        known = target.frame.select(on).unique()
        lost = table.frame.filter(~is_missing(column)).select(on).join(known, on=on, how="anti")
        row = _single_row(lost.select(nw.len().alias("rows"), nw.col(column).min().alias("first")))
        if row["rows"]:
            yield (
                f"{table.place}: {count_noun(int(row['rows']), 'row')} name a '{column}' that is not in {other} "
                f"(first: '{quote(row['first'])}')."
            )


def _clients_without_episode(
    path: Path, tables: dict[str, OpenTable], answers: dict[str, OpenTable]
) -> Iterator[str]:
    episodes = tables.get("episodes")
    if episodes is None or "client_id" not in episodes.names:
        return
    seen = [table for table in (tables.get("scores"), *answers.values()) if table and "client_id" in table.names]
    if not seen:
        return
    people = nw.concat([table.frame.select("client_id") for table in seen], how="vertical").unique()
    lost = people.join(episodes.frame.select("client_id").unique(), on="client_id", how="anti")
    count = int(_single_row(lost.select(nw.len().alias("rows")))["rows"])
    if count:
        words = count_noun(count, "client has", "clients have")
        yield f"{path.name}: {words} scores but no episode of care, and are in no report."


def _between(folders: Sequence[FolderCheck]) -> Iterator[str]:
    """Find what cannot be put together: scores here and answers there, definitions of one name that differ."""
    with_scores = [folder.clinic for folder in folders if "scores" in folder.rows]
    if 0 < len(with_scores) < len(folders):
        without = next(folder.clinic for folder in folders if "scores" not in folder.rows)
        yield f"{with_scores[0]} has the table 'scores' and {without} has not: all need the same."
    first: dict[str, tuple[str, str]] = {}
    for folder in folders:
        for key, definition in folder.definitions.items():
            clinic, known = first.setdefault(key, (folder.clinic, definition))
            if known != definition:
                yield (
                    f"'{key}' is defined differently at {folder.clinic} ({definition[:12]}) than at {clinic} "
                    f"({known[:12]}): its scores cannot be combined."
                )


def _single_row(frame: Any) -> dict[str, Any]:
    return frame.collect().to_polars().row(0, named=True)
