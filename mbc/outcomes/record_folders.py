"""Record folders as tables of an engine: a clinic each, or many clinics together, without a store."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw

from mbc.errors import SettingsError, UnknownInstrument
from mbc.instruments import instrument
from mbc.outcomes.engines import Engine, Reader, table_engine
from mbc.outcomes.source import KeptTables

_TABLES = ("episodes", "sessions", "statuses", "scores", "totals")
_NEEDED = ("episodes", "sessions")
_NAMES = ("client_id", "episode_id", "clinician_id", "relationship_id")
_TARGET = "target"
SUFFIXES = (".parquet", ".csv")
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
    if len({path.name for path in paths}) < len(paths):
        raise SettingsError("Two folders have one name: their clients could not be distinguished. Rename one.")
    tables_of = table_engine(engine, master)
    parts = [_folder(path, tables_of.read, apart=len(paths) > 1) for path in paths]
    frames: dict[str, Any] = {}
    for name in _TABLES:
        tables = [part[name] for part in parts if name in part]
        if name in _NEEDED and len(tables) < len(parts):
            raise SettingsError(f"Each folder needs the tables {' and '.join(_NEEDED)} as CSV or Parquet.")
        if tables:
            frames[name] = tables_of.keep(_joined(tables))
    _refuse_mixture([path.name for path, part in zip(paths, parts, strict=True) if "scores" in part], len(parts))
    answers = _answers(parts, instruments)
    if "scores" in frames:  # those of totals among them
        frames.pop("totals", None)
    elif answers:
        frames["answers"] = answers
    return KeptTables(frames, tables_of.keep)


def _refuse_mixture(with_scores: Sequence[str], folders: int) -> None:
    if 0 < len(with_scores) < folders:
        raise SettingsError(
            f"{len(with_scores)} of {folders} folders have the table 'scores' (first: '{with_scores[0]}'), the "
            "others answers. All need the same: delete 'scores' where answers are to count."
        )


def _answers(parts: Sequence[dict[str, Any]], instruments: Collection[str] | None) -> dict[str, Any]:
    """Put the answers to each questionnaire together."""
    answers: dict[str, list[Any]] = {}
    for part in parts:
        for key, table in part["answers"].items():
            if instruments is None or key in instruments:
                answers.setdefault(key, []).append(table)
    return {key: _joined(tables) for key, tables in answers.items()}


def _folder(path: Path, read: Reader, *, apart: bool) -> dict[str, Any]:
    if not path.is_dir():
        raise SettingsError(f"'{path.name}' is not a folder; a record folder holds a file for each table.")
    prefix = f"{path.name}/" if apart else ""
    tables: dict[str, Any] = {}
    for name in _TABLES:
        file = table_file(path, name)
        if file is not None:
            tables[name] = _named(read(file), prefix)
    if "episodes" in tables and CLINIC not in tables["episodes"].collect_schema().names():
        tables["episodes"] = tables["episodes"].with_columns(nw.lit(path.name).alias(CLINIC))
    tables["answers"] = {
        file.stem: _named(read(file), prefix)
        for file in sorted((path / "administrations").glob("*"))
        if file.suffix in SUFFIXES and _is_outcome(file.stem)
    }
    return tables


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


def _named(table: Any, prefix: str) -> Any:
    frame: Any = nw.from_native(table)
    columns = frame.collect_schema().names()
    start: list[nw.Expr] = [nw.lit(prefix)] if prefix else []
    if CLINIC in columns:  # a folder with the rows of many clinics
        start += [nw.col(CLINIC).cast(nw.String), nw.lit("/")]
    if not start:
        return frame
    named = {name: nw.concat_str(*start, nw.col(name).cast(nw.String)) for name in _NAMES if name in columns}
    if _TARGET in columns:  # a relationship, by its name, or the person
        target = nw.col(_TARGET).cast(nw.String)
        about = nw.when(target != "self").then(nw.concat_str(*start, target)).otherwise(target)
        named[_TARGET] = about
    return frame.with_columns(expression.alias(name) for name, expression in named.items())


def _joined(tables: Sequence[Any]) -> Any:
    if len(tables) == 1:
        return tables[0].to_native()
    shared = [
        name
        for name in tables[0].collect_schema().names()
        if all(name in table.collect_schema().names() for table in tables)
    ]
    return nw.concat([table.select(shared) for table in tables], how="vertical").to_native()
