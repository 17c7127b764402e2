"""Record folders as tables of an engine: a clinic each, or many clinics together, without a store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, get_args

import narwhals.stable.v2 as nw
import polars as pl

from mbc.errors import SettingsError, UnknownInstrument
from mbc.instruments import instrument

Engine = Literal["polars", "duckdb", "spark"]
ENGINES: tuple[Engine, ...] = get_args(Engine)
_TABLES = ("episodes", "sessions", "statuses", "scores", "totals")
_NEEDED = ("episodes", "sessions")
_NAMES = ("client_id", "episode_id", "clinician_id", "relationship_id")
_SUFFIXES = (".parquet", ".csv")
Reader = Callable[[Path], Any]


def read_folders(paths: Sequence[Path], engine: Engine = "polars") -> dict[str, Any]:
    """Open record folders as the tables that a report is made from.

    Parameters
    ----------
    paths : sequence of Path
        Folders laid out as `mbc export` writes them, CSV or Parquet: ``episodes``, ``sessions``, ``statuses``
        where there are any, and ``administrations/KEY`` with the answers of each questionnaire, with ``totals``
        where only these were kept, or ``scores``.
        With several, the names of clients, episodes and clinicians are kept apart by the folder's name.
    engine : {"polars", "duckdb", "spark"}
        What reads and computes. The rows stay with it.

    Returns
    -------
    dict
        For `mbc.outcomes.report`.

    Raises
    ------
    SettingsError
        If a folder lacks a table, has two of one name, or the engine is not installed.
    """
    if len({path.name for path in paths}) < len(paths):
        raise SettingsError("Two folders have one name: their clients could not be distinguished. Rename one.")
    read = _reader(engine)
    parts = [_folder(path, read, apart=len(paths) > 1) for path in paths]
    frames: dict[str, Any] = {}
    for name in _TABLES:
        tables = [part[name] for part in parts if name in part]
        if name in _NEEDED and len(tables) < len(parts):
            raise SettingsError(f"Each folder needs the tables {' and '.join(_NEEDED)} as CSV or Parquet.")
        if tables:
            frames[name] = _joined(tables)
    answers: dict[str, list[Any]] = {}
    for part in parts:
        for key, table in part["answers"].items():
            answers.setdefault(key, []).append(table)
    if "scores" in frames:  # those of totals among them
        frames.pop("totals", None)
    else:
        frames["answers"] = {key: _joined(tables) for key, tables in answers.items()}
    return frames


def _folder(path: Path, read: Reader, *, apart: bool) -> dict[str, Any]:
    if not path.is_dir():
        raise SettingsError(f"'{path.name}' is not a folder; a record folder holds a file for each table.")
    prefix = f"{path.name}/" if apart else ""
    tables: dict[str, Any] = {}
    for name in _TABLES:
        file = _file(path, name)
        if file is not None:
            tables[name] = _named(read(file), prefix)
    tables["answers"] = {
        file.stem: _named(read(file), prefix)
        for file in sorted((path / "administrations").glob("*"))
        if file.suffix in _SUFFIXES and _is_outcome(file.stem)
    }
    return tables


def _is_outcome(key: str) -> bool:
    try:
        return not instrument(key).safety_channel
    except UnknownInstrument:
        return False


def _file(folder: Path, name: str) -> Path | None:
    files = [folder / f"{name}{suffix}" for suffix in _SUFFIXES if (folder / f"{name}{suffix}").exists()]
    if len(files) > 1:
        raise SettingsError(f"'{folder.name}' has {name} twice, as {' and '.join(file.suffix for file in files)}.")
    return files[0] if files else None


def _named(table: Any, prefix: str) -> Any:
    frame: Any = nw.from_native(table)
    if not prefix:
        return frame
    names = [name for name in _NAMES if name in frame.collect_schema().names()]
    return frame.with_columns(
        nw.concat_str(nw.lit(prefix), nw.col(name).cast(nw.String)).alias(name) for name in names
    )


def _joined(tables: Sequence[Any]) -> Any:
    if len(tables) == 1:
        return tables[0].to_native()
    shared = [
        name
        for name in tables[0].collect_schema().names()
        if all(name in table.collect_schema().names() for table in tables)
    ]
    return nw.concat([table.select(shared) for table in tables], how="vertical").to_native()


def _reader(engine: Engine) -> Reader:
    read = _engine_reader(engine)

    def read_file(file: Path) -> Any:
        if not file.stat().st_size:
            raise SettingsError(f"'{file.name}' is empty: a table without rows has its header still.")
        return read(file)

    return read_file


def _engine_reader(engine: Engine) -> Reader:
    if engine == "polars":
        return lambda file: (
            pl.scan_parquet(file) if file.suffix == ".parquet" else pl.scan_csv(file, try_parse_dates=True)
        )
    if engine == "duckdb":
        connection = _module("duckdb").connect()
        return lambda file: (
            connection.read_parquet(str(file)) if file.suffix == ".parquet" else connection.read_csv(str(file))
        )
    session = _module("pyspark.sql").SparkSession.builder.appName("mbc outcomes").getOrCreate()
    return lambda file: (
        session.read.parquet(str(file))
        if file.suffix == ".parquet"
        else session.read.csv(str(file), header=True, inferSchema=True)
    )


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError:
        package = name.partition(".")[0]
        raise SettingsError(f"The engine needs {package}, which is not installed: pip install {package}") from None
