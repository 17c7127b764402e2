"""How tables of a record come in: any engine, days as whole numbers, one name and type for each column."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import narwhals.stable.v2 as nw
import polars as pl

from mbc.errors import FrameError
from mbc.frames import open_frame, require

Lazy = nw.LazyFrame[Any]

# Columns that a table must have, and those it may have: name -> type. A "day" is a date, a moment or ISO text.
_TABLES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "episodes": (
        {"episode_id": "text", "client_id": "text", "referred_on": "day", "ended_on": "day"},
        {"clinician_id": "text", "started_on": "day", "ending": "text", "counted_on": "day"},
    ),
    "sessions": (
        {"episode_id": "text", "held_on": "day", "attended": "yes or no"},
        {"client_id": "text", "number": "number"},
    ),
    "scores": (
        {"client_id": "text", "instrument": "text", "scale": "text", "taken_on": "day", "score": "number"},
        {"administration_id": "number", "episode_id": "text", "target": "text"},
    ),
    "statuses": (
        {"client_id": "text", "status": "text", "since": "day"},
        {"relationship_id": "text", "step_forward": "yes or no"},
    ),
    "goals": (
        {"client_id": "text", "goal_id": "text", "set_on": "day", "reached": "yes or no"},
        {},
    ),
}
_NEEDED = ("episodes", "sessions", "scores")
_EMPTY = pl.DataFrame({"client_id": []}, schema={"client_id": pl.String})


@dataclass(frozen=True, slots=True)
class Source:
    """The tables of a record, lazy, with day numbers instead of dates."""

    episodes: Lazy
    """episode_id, client_id, clinician_id, referred, started, ended, since, counted (day numbers), ending.

    ``counted`` is the day on which a finished episode is counted: the day it ended, unless the table has a column
    ``counted_on`` for what was entered late.
    """
    sessions: Lazy
    """episode_id, held (day number), number, attended."""
    scores: Lazy
    """client_id, episode_id, instrument, scale, taken (day number), score, place (order of recording), target."""
    statuses: Lazy
    """client_id, relationship_id, status, since (day number), step_forward."""
    goals: Lazy
    """client_id, goal_id, set (day number), reached: whether the latest rating is at the target."""
    kind: Any
    """A table that came in, whose kind a result is handed back as."""


def day_number(day: dt.date) -> int:
    """Count days from the first of January 1970.

    Examples
    --------
    >>> day_number(dt.date(1970, 1, 2)), day_number(dt.date(2026, 6, 30))
    (1, 20634)
    """
    return day.toordinal() - _EPOCH


_EPOCH = dt.date(1970, 1, 1).toordinal()


def open_source(frames: Mapping[str, Any]) -> Source:
    """Take in the tables of a record.

    Parameters
    ----------
    frames : mapping of str to table
        ``episodes``, ``sessions`` and ``scores`` (or ``answers``: a mapping from an instrument's key to a table
        with a column for each item, which is scored first); ``statuses`` and ``goals`` where there are any. All
        of one engine.

    Raises
    ------
    FrameError
        If a table is missing, of another engine than the rest, or has a column of the wrong type.
    MissingItems
        If a table lacks a column.
    """
    given = dict(frames)
    unknown = sorted(set(given) - {*_TABLES, "answers"})
    if unknown:
        raise FrameError(f"Unknown tables {unknown}: a report reads {', '.join((*_TABLES, 'answers'))}.")
    if "answers" in given:
        if "scores" in given:
            raise FrameError("Give either 'scores' or 'answers', not both: scores are made from the answers.")
        given["scores"] = _scored(given.pop("answers"))
    missing = [name for name in _NEEDED if name not in given]
    if missing:
        raise FrameError(f"A report needs the tables {', '.join(_NEEDED)}; missing: {', '.join(missing)}.")
    opened = {name: open_frame(table) for name, table in given.items()}
    kinds = {name: _engine(frame) for name, frame in opened.items()}
    if len(set(kinds.values())) > 1:
        raise FrameError(f"All tables must be of one engine; these are {kinds}.")
    like = opened["episodes"]
    read = {name: _read(name, _lazy(frame)) for name, frame in opened.items()}
    return Source(
        episodes=_episodes(read["episodes"]),
        sessions=read["sessions"],
        scores=_scores(read["scores"]),
        statuses=read.get("statuses", _none(like, "statuses")),
        goals=read.get("goals", _none(like, "goals")),
        kind=given["episodes"],
    )


def _engine(frame: Any) -> str:
    # tables in memory are brought to one engine anyway; those that live elsewhere stay where they are
    return str(frame.implementation) if isinstance(frame, nw.LazyFrame) else "in memory"


def _lazy(frame: Any) -> Lazy:
    if isinstance(frame, nw.LazyFrame):
        return cast("Lazy", frame)
    return cast("Lazy", nw.from_native(frame.to_polars().lazy()))


def _none(like: Any, name: str) -> Lazy:
    """Make a table without rows, on the engine of another: nothing of this kind is on record."""
    needed, may = _TABLES[name]
    some = _lazy(like).select("client_id").filter(nw.col("client_id").is_null() & ~nw.col("client_id").is_null())
    types = {"text": nw.String, "number": nw.Float64, "yes or no": nw.Boolean, "day": nw.Int64}
    columns = [
        nw.lit(None).cast(types[kind]).alias(_renamed(column, kind))
        for column, kind in {**needed, **may}.items()
        if column != "client_id"
    ]
    return some.with_columns(columns)


def _read(name: str, frame: Lazy) -> Lazy:
    needed, may = _TABLES[name]
    require(frame, needed, f"The table '{name}'")
    schema = frame.collect_schema()
    columns: list[nw.Expr] = []
    for column, kind in {**needed, **may}.items():
        if column in schema:
            columns.append(_typed(name, column, kind, schema[column]))
        else:
            columns.append(_absent(kind).alias(_renamed(column, kind)))
    return frame.select(columns)


def _renamed(column: str, kind: str) -> str:
    return column.removesuffix("_on") if kind == "day" else column


def _absent(kind: str) -> nw.Expr:
    types = {"text": nw.String, "number": nw.Float64, "yes or no": nw.Boolean, "day": nw.Int64}
    return nw.lit(None).cast(types[kind])


def _typed(table: str, column: str, kind: str, dtype: Any) -> nw.Expr:
    value = nw.col(column)
    if dtype == nw.Unknown or (kind == "day" and dtype == nw.Object):
        made = _absent(kind)
    elif kind == "text":
        made = value.cast(nw.String)
    elif kind == "day":
        made = _day(table, column, dtype)
    elif kind == "yes or no":
        made = _yes_or_no(table, column, dtype)
    else:
        made = _number(table, column, dtype)
    return made.alias(_renamed(column, kind))


def _yes_or_no(table: str, column: str, dtype: Any) -> nw.Expr:
    value = nw.col(column)
    if dtype == nw.String:
        return value.str.to_lowercase() == "true"
    if dtype != nw.Boolean and not dtype.is_integer():
        raise FrameError(f"Column '{column}' of '{table}' must be true or false, got {dtype}.")
    return value if dtype == nw.Boolean else value == 1


def _number(table: str, column: str, dtype: Any) -> nw.Expr:
    value = nw.col(column)
    if dtype == nw.String:  # a file without rows, or all blank, has no other type
        return nw.when(value != "").then(value).cast(nw.Float64)
    if not dtype.is_numeric():
        raise FrameError(f"Column '{column}' of '{table}' must hold numbers, got {dtype}.")
    number = value.cast(nw.Float64)
    return number.fill_nan(None) if dtype.is_float() else number


def _day(table: str, column: str, dtype: Any) -> nw.Expr:
    value = nw.col(column)
    if dtype == nw.String:
        text = nw.when(value != "").then(value)
        parts = (text.str.slice(0, 4), text.str.slice(5, 2), text.str.slice(8, 2))
        return _civil(*(part.cast(nw.Int64) for part in parts))
    if dtype != nw.Date and dtype != nw.Datetime:  # noqa: PLR1714 - narwhals types compare with the class
        raise FrameError(
            f"Column '{column}' of '{table}' must hold days (dates, or text such as 2026-06-30), got {dtype}."
        )
    return _civil(*(part.cast(nw.Int64) for part in (value.dt.year(), value.dt.month(), value.dt.day())))


def _civil(year: nw.Expr, month: nw.Expr, day: nw.Expr) -> nw.Expr:
    """Count days from the first of January 1970, from the parts of a date of the Gregorian calendar.

    Years are taken to begin in March, so that the leap day is the last of its year: whole numbers only, and
    therefore the same on every engine.
    """
    early = nw.when(month <= 2).then(nw.lit(1)).otherwise(nw.lit(0))
    march_year = year - early
    since_march = month - 3 + 12 * early
    of_year = (153 * since_march + 2) // 5 + day - 1
    return 365 * march_year + march_year // 4 - march_year // 100 + march_year // 400 + of_year - _FIRST_OF_1970


_FIRST_OF_1970 = 719_468  # days from the first of March of the year 0 to the first of January 1970


def _episodes(frame: Lazy) -> Lazy:
    since = nw.coalesce(nw.col("referred"), nw.col("started"))
    return frame.with_columns(since=since, counted=nw.coalesce(nw.col("counted"), nw.col("ended")))


def _scores(frame: Lazy) -> Lazy:
    return frame.filter(~nw.col("score").is_null(), ~nw.col("taken").is_null()).with_columns(
        place=nw.col("administration_id").fill_null(0.0), about=nw.col("target").fill_null("self")
    )


def _scored(answers: Any) -> Any:
    if not isinstance(answers, Mapping) or not answers:
        raise FrameError("'answers' must be a mapping from an instrument's key to its table of answers.")
    tables = cast("Mapping[str, Any]", answers)
    parts = [part for key, table in tables.items() for part in _scores_of(key, table)]
    return nw.concat(parts, how="vertical").to_native()


def _scores_of(key: str, table: Any) -> Iterator[Any]:
    from mbc.instruments import instrument, score  # noqa: PLC0415 - only where answers are to be scored

    chosen = instrument(key)
    scored = open_frame(score(table, key))
    names = scored.collect_schema().names()
    kept = [
        name for name in ("client_id", "episode_id", "administration_id", "target", "taken_on") if name in names
    ]
    for scale in chosen.scales:
        yield scored.select(
            *kept,
            nw.lit(key).alias("instrument"),
            nw.lit(scale.key).alias("scale"),
            nw.col(f"{key}_{scale.key}").cast(nw.Float64).alias("score"),
        )
