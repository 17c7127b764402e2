"""How tables of a record come in: any engine, days as whole numbers, one name and type for each column."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import narwhals.stable.v2 as nw
import polars as pl

from mbc.errors import FrameError
from mbc.frames import open_frame, require
from mbc.outcomes.applicability import about_current_relationships

if TYPE_CHECKING:
    from mbc.instruments import Instrument

Lazy = nw.LazyFrame[Any]

INFORMANT_COLUMN, CLIENT = "informant", "client"  # what others answered about a client is no outcome of theirs
# Columns that a table must have, and those it may have: name -> type. A "day" is a date, a moment or ISO text.
_TABLES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "episodes": (
        {"episode_id": "text", "client_id": "text", "referred_on": "day", "ended_on": "day"},
        {"clinician_id": "text", "started_on": "day", "ending": "text", "counted_on": "day", "clinic": "text"},
    ),
    "sessions": (
        {"episode_id": "text", "held_on": "day", "attended": "yes or no"},
        {"client_id": "text", "number": "number"},
    ),
    "scores": (
        {"client_id": "text", "instrument": "text", "scale": "text", "taken_on": "day", "score": "number"},
        {"administration_id": "number", "episode_id": "text", "target": "text", INFORMANT_COLUMN: "text"},
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
_STATED = ("form", "coding")  # of each row of answers, where the table has them
_EMPTY = pl.DataFrame({"client_id": []}, schema={"client_id": pl.String})


@dataclass(frozen=True, slots=True)
class Source:
    """The tables of a record, lazy, with day numbers instead of dates."""

    episodes: Lazy
    """episode_id, client_id, clinic, clinician_id, referred, started, ended, since, counted (day numbers), ending.

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
    keep: Callable[[Lazy], Lazy]
    """Computes a table once that is used many times, where its engine can."""


class KeptTables(dict[str, Any]):
    """Tables of a record whose engine computes the scores once, for every report that is made of them."""

    def __init__(self, tables: Mapping[str, Any], keep: Callable[[Any], Any]) -> None:
        super().__init__(tables)
        self.keep = keep
        self.source: Source | None = None


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
        with a column for each item, which is scored first, in the form and coding that each row states);
        ``totals``, laid out as scores, of questionnaires of which only the total was kept; ``statuses`` and
        ``goals`` where there are any. All of one engine.

    Raises
    ------
    FrameError
        If a table is missing, of another engine than the rest, or has a column of the wrong type.
    MissingItems
        If a table lacks a column.
    """
    if isinstance(frames, KeptTables):
        if frames.source is None:
            frames.source = _opened(frames, frames.keep)
        return frames.source
    return _opened(frames, lambda table: table)


def _opened(frames: Mapping[str, Any], keep_native: Callable[[Any], Any]) -> Source:
    def keep(table: Lazy) -> Lazy:
        native = keep_native(table.to_native())
        return cast(
            "Lazy", nw.from_native(native.collect().lazy() if isinstance(native, pl.LazyFrame) else native)
        )

    def keep_scored(table: Lazy) -> Lazy:
        return cast("Lazy", nw.from_native(keep_native(table.to_native())))

    given = dict(frames)
    unknown = sorted(set(given) - {*_TABLES, "answers", "totals"})
    if unknown:
        raise FrameError(f"Unknown tables {unknown}: a report reads {', '.join((*_TABLES, 'answers', 'totals'))}.")
    if "answers" in given:
        if "scores" in given:
            raise FrameError("Give either 'scores' or 'answers', not both: scores are made from the answers.")
        given["scores"] = _scored(given.pop("answers"), keep_scored)
    missing = [name for name in _NEEDED if name not in given]
    if missing:
        raise FrameError(f"A report needs the tables {', '.join(_NEEDED)}; missing: {', '.join(missing)}.")
    opened = {name: open_frame(table) for name, table in given.items()}
    kinds = {name: _engine(frame) for name, frame in opened.items()}
    if len(set(kinds.values())) > 1:
        raise FrameError(f"All tables must be of one engine; these are {kinds}.")
    like = opened["episodes"]
    read = {name: _read(name, _lazy(frame)) for name, frame in opened.items() if name != "totals"}
    if "totals" in opened:
        read["scores"] = _with_totals(read["scores"], _read("scores", _lazy(opened["totals"])), keep)
    scores = _scores(read["scores"])
    if "statuses" in read:
        scores = about_current_relationships(scores, read["statuses"], _about_relationships(), keep_scored)
    return Source(
        episodes=_episodes(read["episodes"]),
        sessions=read["sessions"],
        scores=scores,
        statuses=read.get("statuses", _none(like, "statuses")),
        goals=read.get("goals", _none(like, "goals")),
        kind=given["episodes"],
        keep=keep,
    )


def _about_relationships() -> list[str]:
    from mbc.instruments import instrument, keys  # noqa: PLC0415 - only where statuses are on record

    return [key for key in keys() if instrument(key).applicability.needs_relationship]


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
    _refuse_values(name, frame, {**needed, **may})
    columns: list[nw.Expr] = []
    for column, kind in {**needed, **may}.items():
        if column in schema:
            columns.append(_typed(name, column, kind, schema[column]))
        else:
            columns.append(_absent(kind).alias(_renamed(column, kind)))
    return frame.select(columns)


# What a text, or a whole number, may say; a blank is nothing.
ACCEPTED = {
    "day": (r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?$", "days such as 2026-06-30"),
    "yes or no": (r"^(true|false|yes|no|1|0)$", "true or false, yes or no, 1 or 0"),
    "number": (r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$", "numbers such as 12 or 12.5"),
}


def _refuse_values(table: str, frame: Lazy, columns: Mapping[str, str]) -> None:
    """Refuse texts that are no day, number, yes or no, and whole numbers that are neither 0 nor 1.

    One row per table comes back: the first refused value of each column.
    """
    schema = frame.collect_schema()
    faults: list[nw.Expr] = []
    for column, kind in columns.items():
        if column not in schema or kind not in ACCEPTED:
            continue
        value, dtype = nw.col(column), schema[column]
        if dtype == nw.String:
            wrong = (value != "") & ~accepted_text(value, kind)
        elif kind == "yes or no" and dtype.is_integer():
            wrong = ~value.is_in([0, 1])
        else:
            continue
        faults.append(nw.when(wrong.fill_null(value=False)).then(value.cast(nw.String)).min().alias(column))
    if not faults:
        return
    for column, value in frame.select(*faults).collect().to_polars().row(0, named=True).items():
        if value is not None:
            accepted = ACCEPTED[columns[column]][1]
            raise FrameError(
                f"Column '{column}' of '{table}' has {value!r}, which is not accepted. It must contain {accepted}."
            )


def accepted_text(value: nw.Expr, kind: str) -> nw.Expr:
    """Whether a text is one of its kind; of a day, whether the calendar has it."""
    written = value.str.to_lowercase().str.contains(ACCEPTED[kind][0].replace("T ", "t "))
    if kind != "day":
        return written
    text = nw.when(written).then(value)
    year, month, day = (text.str.slice(start, size).cast(nw.Int64) for start, size in ((0, 4), (5, 2), (8, 2)))
    leap = ((year % 4 == 0) & (year % 100 != 0)) | (year % 400 == 0)
    longest = (
        nw.when(month.is_in([4, 6, 9, 11])).then(nw.lit(30))
        .when(month == 2).then(nw.when(leap).then(nw.lit(29)).otherwise(nw.lit(28)))
        .otherwise(nw.lit(31))
    )  # fmt: skip
    return written & ((month >= 1) & (month <= 12) & (day >= 1) & (day <= longest)).fill_null(value=False)


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
        return nw.when(value != "").then(value.str.to_lowercase().is_in(["true", "yes", "1"]))
    if dtype != nw.Boolean and not dtype.is_integer():
        raise FrameError(f"Column '{column}' of '{table}' must be true or false, got {dtype}.")
    return value if dtype == nw.Boolean else value == 1


def _number(table: str, column: str, dtype: Any) -> nw.Expr:
    value = nw.col(column)
    if dtype == nw.String:  # a file without rows, or all blank, has no other type
        return nw.when(value != "").then(value).cast(nw.Float64)
    if not dtype.is_numeric():
        raise FrameError(f"Column '{column}' of '{table}' must contain numbers, got {dtype}.")
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
            f"Column '{column}' of '{table}' must contain days (dates, or text such as 2026-06-30), got {dtype}."
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
    own = nw.col(INFORMANT_COLUMN).fill_null(CLIENT) == CLIENT
    return frame.filter(~nw.col("score").is_null(), ~nw.col("taken").is_null(), own).with_columns(
        place=nw.col("administration_id").fill_null(0.0), about=nw.col("target").fill_null("self")
    )


def _with_totals(scores: Lazy, totals: Lazy, keep: Callable[[Lazy], Lazy]) -> Lazy:
    """Add totals of questionnaires of which the answers were not kept."""
    same = ["client_id", "instrument", "taken", "target"]
    named = totals.with_columns(nw.col("target").fill_null("self"))
    scored = scores.with_columns(nw.col("target").fill_null("self")).select(same)
    answered = scored.join(named.select(same).unique(), on=same, how="semi").unique()  # few: totals are
    only = named.join(answered, on=same, how="anti").select(scores.collect_schema().names())
    return nw.concat([scores, keep(only)], how="vertical")


def _scored(answers: Any, keep: Callable[[Lazy], Lazy]) -> Any:
    if not isinstance(answers, Mapping) or not answers:
        raise FrameError("'answers' must be a mapping from an instrument's key to its table of answers.")
    tables = cast("Mapping[str, Any]", answers)
    parts = [part for key, table in tables.items() for part in _scores_of(key, table, keep)]
    return nw.concat(parts, how="vertical").to_native()


def _scores_of(key: str, table: Any, keep: Callable[[Lazy], Lazy]) -> Iterator[Any]:
    """Score a table of answers: each item order and answer coding that its rows state, and the client's own.

    What is kept has a row per administration, so that the answers are read once for all scales.
    """
    from mbc.instruments import instrument, score, score_stated  # noqa: PLC0415 - only where answers are scored

    chosen, frame = instrument(key), open_frame(table)
    if INFORMANT_COLUMN in frame.collect_schema():
        frame = frame.filter(nw.col(INFORMANT_COLUMN) == CLIENT)
    stated = [name for name in _STATED if name in frame.collect_schema()]
    pairs = _distinct(frame, stated) if stated else []
    if not pairs:
        yield from _scales(chosen, open_frame(score(frame.to_native(), key)), keep)
    for pair in pairs:
        rows = frame.filter(*(_is(name, value) for name, value in pair.items()))
        yield from _scales(
            chosen,
            open_frame(
                score_stated(
                    rows.to_native(), key, form=pair.get("form") or None, coding=pair.get("coding") or None
                )
            ),
            keep,
        )


def _distinct(frame: Any, names: list[str]) -> list[dict[str, str | None]]:
    pairs = frame.select(*(nw.col(name).cast(nw.String) for name in names)).unique()
    collected = pairs.collect() if isinstance(pairs, nw.LazyFrame) else pairs
    rows = cast("list[dict[str, str | None]]", collected.to_polars().to_dicts())
    return sorted(rows, key=lambda row: [value or "" for value in row.values()])


def _is(name: str, value: str | None) -> nw.Expr:
    return nw.col(name).is_null() if value is None else nw.col(name).cast(nw.String) == value


def _scales(chosen: Instrument, scored: Any, keep: Callable[[Lazy], Lazy]) -> Iterator[Any]:
    key, names = chosen.key, scored.collect_schema().names()
    kept = [
        name for name in ("client_id", "episode_id", "administration_id", "target", "taken_on") if name in names
    ]
    made = [f"{key}_{scale.key}{end}" for scale in chosen.scales for end in ("", "_maximum")]
    scored = keep(scored.select(*kept, *(name for name in made if name in names)))
    for scale in chosen.scales:
        highest = f"{key}_{scale.key}_maximum"  # below it where an item does not apply: that is another metric
        rows = scored
        if highest in names:
            full = nw.col(highest).is_null() | (nw.col(highest) >= scale.range[1])
            rows = scored.filter(full)
        yield rows.select(
            *kept,
            nw.lit(key).alias("instrument"),
            nw.lit(scale.key).alias("scale"),
            nw.col(f"{key}_{scale.key}").cast(nw.Float64).alias("score"),
        )
