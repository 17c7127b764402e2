"""Record folders as tables of an engine: a clinic each, or many clinics together, without a store."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw

from mbc.errors import SettingsError, UnknownInstrument
from mbc.exchange.files.messages import quote
from mbc.instruments import instrument
from mbc.outcomes.engines import FOLDER, SUFFIXES, Engine, TableEngine, folder_of, table_engine
from mbc.outcomes.source import KeptTables

_TABLES = ("episodes", "sessions", "statuses", "scores", "totals")
_NEEDED = ("episodes", "sessions")
_NAMES = ("client_id", "episode_id", "clinician_id", "relationship_id")
_TARGET = "target"
CLINIC = "clinic"
"""Column of the tables of a folder that holds many clinics; else the folder's name is the clinic's."""


def read_folders(
    paths: Sequence[Path],
    engine: Engine = "polars",
    *,
    master: str | None = None,
    instruments: Collection[str] | None = None,
) -> dict[str, Any]:
    """Open record folders as the tables that a report is made from.

    Parameters
    ----------
    paths : sequence of Path
        Folders laid out as `mbc export` writes them, CSV or Parquet: ``episodes``, ``sessions``, ``statuses``
        where there are any, and ``administrations/KEY`` with the answers of each questionnaire, with ``totals``
        where only these were kept, or ``scores``.
        With several, the names of clients, episodes and clinicians are kept apart by the folder's name. A folder
        may hold many clinics, with a column ``clinic`` in every table.
    engine : {"polars", "duckdb", "spark"}
        What reads and computes. The rows stay with it.
    master : str, optional
        Address of a Spark cluster, as ``spark://host:7077``; by default the one that Spark is set up for.
    instruments : collection of str, optional
        Keys of the questionnaires that are read; all by default.

    Returns
    -------
    dict
        For `mbc.outcomes.report`. Answers are scored at the first report; duckdb and Spark keep the scores for
        those that follow.

    Raises
    ------
    SettingsError
        If a folder lacks a table, has two of one name, or the engine is not installed.
    """
    require_folders(paths)
    tables_of = table_engine(engine, master)
    files = {name: _files(paths, name) for name in _TABLES}
    if any(len(files[name]) < len(paths) for name in _NEEDED):
        raise SettingsError(f"Each folder needs the tables {' and '.join(_NEEDED)} as CSV or Parquet.")
    _refuse_mixture([file.parent.name for file in files["scores"]], len(paths))
    apart = len(paths) > 1
    frames = {
        name: tables_of.keep(_table(tables_of, parts, name=name, apart=apart))
        for name, parts in files.items()
        if parts
    }
    if "scores" in frames:  # those of totals among them
        frames.pop("totals", None)
    else:
        answers = {
            key: parts for key, parts in _answer_files(paths).items() if not instruments or key in instruments
        }
        if answers:
            frames["answers"] = {
                key: _table(tables_of, parts, name=key, apart=apart) for key, parts in answers.items()
            }
    return KeptTables(frames, tables_of.keep)


def require_folders(paths: Sequence[Path]) -> None:
    """Refuse what is no folder, and folders whose clients could not be kept apart."""
    if len({path.name for path in paths}) < len(paths):
        raise SettingsError(
            "Two folders have the same name: their clients could not be distinguished. Rename one."
        )
    for path in paths:
        if quote(path.name, longest=len(path.name)) != path.name:
            raise SettingsError(
                f"The name of the folder '{quote(path.name)}' has characters that cannot be shown. Rename it."
            )
        if not path.is_dir():
            raise SettingsError(f"'{quote(path.name)}' is not a folder: each clinic has one, a file per table.")


def _files(paths: Sequence[Path], name: str) -> list[Path]:
    """Find the files of a table, one for each folder that has it."""
    return [file for path in paths if (file := table_file(path, name)) is not None]


def _answer_files(paths: Sequence[Path]) -> dict[str, list[Path]]:
    """Find the files of each questionnaire; those of the safety channel are no outcomes."""
    files: dict[str, list[Path]] = {}
    for path in paths:
        for file in sorted((path / "administrations").glob("*")):
            if file.suffix in SUFFIXES and _is_outcome(file.stem):
                files.setdefault(file.stem, []).append(file)
    return files


def _refuse_mixture(with_scores: Sequence[str], folders: int) -> None:
    if 0 < len(with_scores) < folders:
        raise SettingsError(
            f"{len(with_scores)} of {folders} folders have the table 'scores' (first: '{with_scores[0]}'), the "
            "others answers. All need the same: delete 'scores' where answers are to count."
        )


def _table(tables_of: TableEngine, files: Sequence[Path], *, name: str, apart: bool) -> Any:
    """Open the files of one table as one; names of clients and others are those of their clinic."""
    if tables_of.open_all is not None and apart and all(file.suffix == ".parquet" for file in files):
        frame: Any = nw.from_native(tables_of.open_all(files))
        return _of_clinics(frame, nw.col(FOLDER), name, apart=True).drop(FOLDER).to_native()
    return _joined(
        [
            _of_clinics(nw.from_native(tables_of.read(file)), nw.lit(folder_of(file)), name, apart=apart)
            for file in files
        ]
    )


def _is_outcome(key: str) -> bool:
    try:
        return not instrument(key).safety_channel
    except UnknownInstrument:
        return False


def table_file(folder: Path, name: str) -> Path | None:
    """Find the file of a table; a folder that has it twice is refused."""
    files = [folder / f"{name}{suffix}" for suffix in SUFFIXES if (folder / f"{name}{suffix}").exists()]
    if len(files) > 1:
        raise SettingsError(f"'{folder.name}' has {name} twice, as {' and '.join(file.suffix for file in files)}.")
    return files[0] if files else None


def _of_clinics(frame: Any, folder: nw.Expr, table: str, *, apart: bool) -> Any:
    columns = frame.collect_schema().names()
    parts: list[nw.Expr] = [folder, nw.lit("/")] if apart else []
    if CLINIC in columns:  # a folder with the rows of many clinics
        parts += [nw.col(CLINIC).cast(nw.String), nw.lit("/")]
    named: dict[str, nw.Expr] = {}
    if parts:
        named = {name: nw.concat_str(*parts, nw.col(name).cast(nw.String)) for name in _NAMES if name in columns}
    if parts and _TARGET in columns:  # a relationship, by its name, or the person
        target = nw.col(_TARGET).cast(nw.String)
        named[_TARGET] = nw.when(target != "self").then(nw.concat_str(*parts, target)).otherwise(target)
    if table == "episodes" and CLINIC not in columns:
        named[CLINIC] = folder
    return frame.with_columns(expression.alias(name) for name, expression in named.items()) if named else frame


def _joined(tables: Sequence[Any]) -> Any:
    """Put the rows of folders below each other, in the columns that all of them have.

    A column that is blank throughout is text in a CSV file, and counts may be whole numbers in one folder and not
    in another: where the types of a column differ, it becomes numbers, or else text, which reports read as well.
    """
    if len(tables) == 1:
        return tables[0].to_native()
    schemas = [table.collect_schema() for table in tables]
    shared = [name for name in schemas[0].names() if all(name in schema for schema in schemas)]
    unlike: dict[str, Any] = {}
    for name in shared:
        types = [schema[name] for schema in schemas]
        if any(dtype != types[0] for dtype in types):
            unlike[name] = nw.Float64 if all(dtype.is_numeric() for dtype in types) else nw.String
    columns = [nw.col(name).cast(unlike[name]) if name in unlike else nw.col(name) for name in shared]
    return nw.concat([table.select(columns) for table in tables], how="vertical").to_native()
