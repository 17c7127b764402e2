"""Scores of many clients over time from a file: a row per score, or a row per client with a column per time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from mbc.errors import ImportRefused, MissingItems, nearest
from mbc.exchange.files.messages import count_noun, join_names, quote
from mbc.exchange.files.text_table import ROW
from mbc.exchange.header.options import ImportOptions
from mbc.exchange.open_file import open_table

_CLIENTS = ("client_id", "client", "id", "participant_id", "participant", "subject", "record_id", "case_id")
_TIMES = {
    "days": ("days", "day", "day_offset"),
    "weeks": ("weeks", "week"),
    "months": ("months", "month"),
    "sessions": ("session", "session_number", "occasion", "wave"),
    "units of time": ("time",),
}
_DATES = ("date", "taken_on", "day_taken", "completed_on")
_BLANK = ("", "na", "n/a", "nan", "null", "none", ".", "-")
_MOST_FAULTS = 1000


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """Scores in time: columns ``client`` (text), ``time`` and ``score`` (numbers)."""

    frame: pl.DataFrame
    time_unit: str  # days, weeks, months, sessions or units of time
    score: str  # the column that was read, or the columns' common name
    notes: tuple[str, ...] = ()


def read_scores(
    path: str | Path,
    *,
    client: str | None = None,
    time: str | None = None,
    score: str | None = None,
    wide: Mapping[str, float] | None = None,
) -> ScoreTable:
    """Read scores of clients over time.

    Parameters
    ----------
    path : str or Path
        CSV, Excel, SPSS, Parquet: whatever `open_table` reads.
    client, time, score : str, optional
        Columns; recognised by their names when not given. Times are numbers, or days as YYYY-MM-DD.
    wide : mapping of str to float, optional
        Score column -> its time, for a file with one row per client. Without a client column every row is one.

    Raises
    ------
    ImportRefused
        If the file cannot be read, or holds what is not a number, row by row.
    MissingItems
        If a column is not there, or cannot be distinguished from others.
    """
    table = open_table(path, ImportOptions())
    frame = table.frame
    names = [name for name in frame.columns if name != ROW]
    if wide:
        return _wide(frame, names, client, wide)
    who = _column("client", client, names, _CLIENTS)
    assert who is not None  # noqa: S101 - refused otherwise
    when, unit = _time_column(time, names)
    what = score or _only_score(frame, [name for name in names if name not in {who, when}])
    _column("score", what, names, ())
    _require_different({"client": who, "time": when, "score": what})
    days = _is_dates(frame[when])
    unit = "days" if days else unit
    values = frame.select(
        pl.col(ROW),
        _filled(who).alias("client"),
        (
            pl.col(when).str.strip_chars().str.to_date("%Y-%m-%d", strict=False).to_physical().cast(pl.Float64)
            if days
            else _number(when)
        ).alias("time"),
        _number(what).alias("score"),
    )
    _refuse(frame, values, {"time": when, "score": what})
    return _score_table(values, unit, what)


def _wide(frame: pl.DataFrame, names: Sequence[str], client: str | None, wide: Mapping[str, float]) -> ScoreTable:
    for name in wide:
        _column("score", name, names, ())
    who = _column("client", client, names, _CLIENTS, needed=False)
    named = frame.with_columns((pl.col(ROW).cast(pl.String) if who is None else _filled(who)).alias("client"))
    parts: list[pl.DataFrame] = []
    for name, at in wide.items():
        part = named.select(pl.col(ROW), "client", pl.lit(float(at)).alias("time"), _number(name).alias("score"))
        _refuse(named, part, {"score": name})
        parts.append(part)
    scores = _score_table(pl.concat(parts), "units of time", "the score")
    note = () if who is not None else ("All rows were treated as one client: there is no client column.",)
    return ScoreTable(scores.frame, scores.time_unit, scores.score, (*scores.notes, *note))


def _score_table(values: pl.DataFrame, unit: str, score: str) -> ScoreTable:
    complete = values.drop_nulls(["client", "time", "score"])
    left = values.height - complete.height
    if complete.is_empty():
        raise ImportRefused("No row has a client, a time and a score. Are the columns the right ones?")
    notes = (f"{count_noun(left, 'row')} without a client, a time or a score left out.",) if left else ()
    return ScoreTable(complete.select("client", "time", "score"), unit, score, notes)


def _filled(name: str) -> pl.Expr:
    """Text of cells without spaces around it, which would make two people of one; null where blank or NA."""
    text = pl.col(name).str.strip_chars()
    return pl.when(text.str.to_lowercase().is_in(_BLANK)).then(None).otherwise(text)


def _number(name: str) -> pl.Expr:
    return _filled(name).cast(pl.Float64, strict=False)


def _is_dates(column: pl.Series) -> bool:
    first = column.to_frame().select(_filled(column.name)).to_series().drop_nulls().head(50)
    return bool(first.len()) and not first.str.to_date("%Y-%m-%d", strict=False).is_null().any()


def _require_different(columns: Mapping[str, str]) -> None:
    roles: dict[str, str] = {}
    for role, name in columns.items():
        if name in roles:
            raise MissingItems(
                f"Column '{quote(name)}' cannot be both the {roles[name]} and the {role}. "
                f"Name them with --{roles[name]} COLUMN and --{role} COLUMN."
            )
        roles[name] = role


def _refuse(frame: pl.DataFrame, values: pl.DataFrame, columns: Mapping[str, str]) -> None:
    """Refuse the file when a cell holds what is neither a number nor blank."""
    faults: list[str] = []
    for role, name in columns.items():
        text = frame[name].str.strip_chars()
        stands = text.is_not_null() & ~text.str.to_lowercase().is_in(_BLANK)
        number = values[role]
        wrong = stands & (number.is_null() | ~number.is_finite().fill_null(value=True))
        for row, cell in frame.filter(wrong).select(ROW, name).head(_MOST_FAULTS).iter_rows():
            faults.append(f"row {row}: {quote(name)} is '{quote(cell)}', which is not a number")
    if faults:
        raise ImportRefused(
            f"{count_noun(len(faults), 'cell')} cannot be read as numbers. Times are numbers or days as "
            "YYYY-MM-DD; a blank cell or NA is 'not answered'. Nothing was computed.",
            faults,
        )


def _column(
    role: str, given: str | None, names: Sequence[str], known: Sequence[str], *, needed: bool = True
) -> str | None:
    if given is not None:
        if given in names:
            return given
        near = nearest(given, names)
        hint = f" Did you mean '{quote(near[0])}'?" if near else ""
        raise MissingItems(f"No column '{quote(given)}'; the file has {join_names(names)}.{hint}")
    folded = {name.casefold(): name for name in reversed(names)}
    for name in known:
        if name in folded:
            return folded[name]
    if not needed:
        return None
    raise MissingItems(
        f"Which column names the {role}? The file has {join_names(names)}. Name it with --{role} COLUMN."
    )


def _time_column(given: str | None, names: Sequence[str]) -> tuple[str, str]:
    kinds = [("days", _DATES), *_TIMES.items()]
    if given is not None:
        _column("time", given, names, ())
        for unit, known in kinds:
            if given.casefold() in known:
                return given, unit
        return given, "units of time"
    folded = {name.casefold(): name for name in reversed(names)}
    for unit, known in kinds:
        for name in known:
            if name in folded:
                return folded[name], unit
    raise MissingItems(f"Which column is the time? The file has {join_names(names)}. Name it with --time COLUMN.")


def _only_score(frame: pl.DataFrame, names: Sequence[str]) -> str:
    able = [name for name in names if frame.select(_number(name).is_not_null().any()).item()]
    if len(able) == 1 or len(names) == 1:
        return (able or [*names])[0]
    for name in able:
        if name.casefold() in {"score", "total"}:
            return name
    raise MissingItems(
        f"Which column is the score? {join_names(able or names)} could be. Name it with --score COLUMN."
    )
