"""Engines that read and compute: how each opens a file, and how it keeps a table that is used many times."""

from __future__ import annotations

import atexit
import csv
import shutil
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any, Literal, get_args

import polars as pl

from mbc.errors import MbcError, SettingsError
from mbc.exchange.files.messages import join_names, quote
from mbc.outcomes.working_folder import make_working_folder

Engine = Literal["polars", "duckdb", "spark"]
ENGINES: tuple[Engine, ...] = get_args(Engine)
DUCKDB_MEMORY = "400MB"
"""What duckdb may take for tables and joins; the process takes about as much again."""
_PARQUET = b"PAR1"  # at both ends of every Parquet file
FOLDER = "mbc_folder"
SUFFIXES = (".parquet", ".csv")
Reader = Callable[[Path], Any]


@dataclass(frozen=True, slots=True)
class TableEngine:
    """How an engine opens a file, without reading its rows, and computes a table once."""

    open_file: Reader
    keep: Callable[[Any], Any]
    open_all: Callable[[Sequence[Path]], Any] | None = None
    """Opens many Parquet files by one scan, with the name of each row's folder as `FOLDER`."""

    def read(self, file: Path) -> Any:
        """Open one file.

        Raises
        ------
        SettingsError
            If it is empty, or a Parquet file that is not complete.
        """
        _refuse_incomplete(file)
        return self.open_file(file)


def folder_of(file: Path) -> str:
    """Name the record folder that a file lies in.

    Examples
    --------
    >>> folder_of(Path("north/episodes.csv")), folder_of(Path("north/administrations/phq9.csv"))
    ('north', 'north')
    """
    folder = file.parent.parent if file.parent.name == "administrations" else file.parent
    return folder.name


def _refuse_incomplete(file: Path) -> None:
    """Refuse a file without content, a Parquet file without its beginning or end, a CSV file with faulty rows."""
    size = file.stat().st_size
    if not size:
        raise SettingsError(f"'{quote(_place(file))}' is empty: a table without rows still needs its header.")
    if file.suffix != ".parquet":
        if fault := _csv_fault(file):
            raise SettingsError(f"'{quote(_place(file))}' {fault} Copy it again, or export it again.")
        return
    with file.open("rb") as opened:
        first = opened.read(len(_PARQUET))
        opened.seek(max(size - len(_PARQUET), 0))
        last = opened.read()
    if (first, last) != (_PARQUET, _PARQUET):
        raise SettingsError(
            f"'{quote(_place(file))}' is not a complete Parquet file. Copy it again, or export it again."
        )


@contextmanager
def naming_damaged_files(folders: Iterable[Path]) -> Generator[None]:
    """Where an engine fails, but refused nothing, name the files that cannot be read to the end.

    Each engine has its own errors for a file that was damaged in its middle, and few of them name it. So the files
    are read again, one after the other, but only after a failure. If all of them can be read, the failure stays
    what it was.

    Parameters
    ----------
    folders : iterable of Path
        Record folders that the engine read from.

    Raises
    ------
    SettingsError
        If a file is damaged.
    """
    try:
        yield
    except MbcError:
        raise
    except Exception as fault:
        files = [file for folder in folders for file in (*folder.glob("*.*"), *folder.glob("administrations/*.*"))]
        damaged = [_place(file) for file in sorted(files) if file.suffix in SUFFIXES and _is_damaged(file)]
        if not damaged:
            raise
        remedy = (
            "Copy it again, or export it again." if len(damaged) == 1 else "Copy them again, or export them again."
        )
        raise SettingsError(f"{join_names(damaged)} cannot be read to the end. {remedy}") from fault


def _csv_fault(file: Path) -> str | None:
    """Say what is wrong with the rows of a CSV file: engines differ in what they then leave out or leave blank."""
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = csv.reader(opened, strict=True)
        try:
            width = len(next(rows))
            for row in rows:
                if row and len(row) != width:
                    return f"has {len(row)} values in line {rows.line_num}, and {width} columns."
        except UnicodeDecodeError:
            return f"is not UTF-8 text after line {rows.line_num}."
        except csv.Error as fault:
            return f"cannot be read as CSV at line {rows.line_num}: {fault}."
    return None


def _is_damaged(file: Path) -> bool:
    """Whether a Parquet or CSV file cannot be read to the end."""
    try:
        _scan(file).select(pl.all().hash().max()).collect(engine="streaming")
    except (OSError, pl.exceptions.PolarsError):
        return True
    return False


def _place(file: Path) -> str:
    """Where a file of a record folder is: the folder, and what the table is called there."""
    within = f"{file.parent.name}/{file.name}" if file.parent.name == "administrations" else file.name
    return f"{folder_of(file)}/{within}"


def table_engine(engine: Engine, master: str | None = None) -> TableEngine:
    """Start an engine.

    Parameters
    ----------
    engine : {"polars", "duckdb", "spark"}
    master : str, optional
        Address of a Spark cluster; by default the one that Spark is set up for.

    Raises
    ------
    SettingsError
        If the engine is not installed, a master is given to another than Spark, or Spark runs at another master.
    """
    if master is not None and engine != "spark":
        raise SettingsError("A master is the address of a Spark cluster: it requires the engine spark.")
    if engine == "polars":
        return TableEngine(_scan, lambda table: table)
    return _duckdb() if engine == "duckdb" else _spark(master)


def _scan(file: Path) -> pl.LazyFrame:
    if file.suffix == ".parquet":
        return pl.scan_parquet(file, glob=False)
    # Types from every row: a half point may come after a hundred whole ones. Days stay text, of which one form is
    # accepted: nothing decides between the fifth of January and the first of May.
    return pl.scan_csv(file, infer_schema_length=None, glob=False)


def _duckdb() -> TableEngine:
    """Tables that are used many times lie compressed in a private folder, which goes with the process."""
    connection = _module("duckdb").connect()
    spill = make_working_folder()
    atexit.register(_close, connection, spill)
    connection.execute("SET preserve_insertion_order = false")
    connection.execute("SET memory_limit = ?", [DUCKDB_MEMORY])
    connection.execute("SET temp_directory = ?", [str(spill)])
    connection.execute(f"ATTACH '{spill}/kept.duckdb' AS kept")
    connection.execute("USE kept")
    numbers = count()

    def open_file(file: Path) -> Any:
        if file.suffix == ".parquet":
            return connection.read_parquet(str(file))
        # as polars reads it: types from every row, days in one form, and no search for another kind of file
        return connection.read_csv(
            str(file), sample_size=-1, header=True, sep=",", quotechar='"', escapechar='"', date_format="%Y-%m-%d"
        )

    def open_all(files: Sequence[Path]) -> Any:
        for file in files:
            _refuse_incomplete(file)
        connection.execute("CREATE TEMP TABLE IF NOT EXISTS mbc_folders (filename VARCHAR, folder VARCHAR)")
        names = [str(file) for file in files]
        connection.executemany(
            "INSERT INTO mbc_folders VALUES (?, ?)", [[name, folder_of(Path(name))] for name in names]
        )
        rows = connection.read_parquet(names, filename=True, union_by_name=True)
        folders = connection.table("mbc_folders").distinct()
        return rows.join(folders, "filename").project(f"* EXCLUDE (filename, folder), folder AS {FOLDER}")

    def keep(table: Any) -> Any:
        name = f"mbc_table_{next(numbers)}"
        table.create(name)
        return connection.table(name)

    return TableEngine(open_file, keep, open_all)


def _close(connection: Any, spill: Path) -> None:
    """Close the tables first: what is written at the end has its folder still, and none is made again."""
    try:
        connection.close()
    finally:
        shutil.rmtree(spill, ignore_errors=True)


def _spark(master: str | None) -> TableEngine:
    builder = _module("pyspark.sql").SparkSession.builder.appName("mbc outcomes")
    session = (builder if master is None else builder.master(master)).getOrCreate()
    running = session.sparkContext.master
    if master is not None and running != master:  # Spark would go on there without a word
        raise SettingsError(
            f"Spark already runs in this process, at {running!r}; it cannot move to {master!r}. Stop that session "
            "first, or leave the master out."
        )

    def open_file(file: Path) -> Any:
        if file.suffix == ".parquet":
            return session.read.parquet(str(file))
        return session.read.csv(str(file), header=True, inferSchema=True)

    def keep(table: Any) -> Any:
        # persist() would keep the rows but not shorten the plan, which then outgrows the driver's memory
        if session.sparkContext.getCheckpointDir() is not None:
            return table.checkpoint(eager=False)
        return table.localCheckpoint(eager=False)

    return TableEngine(open_file, keep)


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError:
        package = name.partition(".")[0]
        raise SettingsError(f"The engine needs {package}, which is not installed: pip install {package}") from None
