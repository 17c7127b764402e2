"""Completed questionnaires column by column: what many administrations say, checked as strictly as each alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, get_args

import polars as pl

from mbc.store.database.batches import batches
from mbc.store.schema.records import WITHDRAWN, Administration, Channel, Flag, FlagKind
from mbc.store.schema.validation import ID, MOST_ITEMS

AT_ONCE = 10_000  # administrations held as Python objects at a time
# What a frame of administrations holds, by the names and in the meaning of `Administration`.
SCHEMA: dict[str, pl.DataType] = {
    "client_id": pl.String(),
    "instrument": pl.String(),
    "taken_on": pl.Date(),
    "answers": pl.List(pl.Float64()),
    "totals": pl.List(pl.Struct({"scale": pl.String(), "score": pl.Float64()})),
    "version": pl.String(),
    "form": pl.String(),
    "coding": pl.String(),
    "informant": pl.String(),
    "target": pl.String(),
    "taken_at": pl.Datetime("us", "UTC"),
    "session_number": pl.Int64(),
    "episode_id": pl.String(),
    "channel": pl.String(),
    "flags": pl.List(pl.Struct({"item": pl.String(), "kind": pl.String()})),
    "source_line": pl.Int64(),
}
_REQUIRED_IDS = ("client_id", "instrument", "version", "informant", "target")
_OPTIONAL_IDS = ("form", "coding", "episode_id")
_WHOLE_ID = rf"\A(?:{ID})\z"

Answers = Sequence[float | None]
Totals = Sequence[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Completed:
    """Administrations as columns, all sound; the place in each list is the administration."""

    client_id: list[str]
    instrument: list[str]
    taken_on: list[date]
    answers: list[Answers]
    totals: list[Totals]  # in the order of their scales
    version: list[str]
    form: list[str | None]
    coding: list[str | None]
    informant: list[str]
    target: list[str]
    taken_at: list[datetime | None]
    session_number: list[int | None]
    episode_id: list[str | None]
    channel: list[Channel | None]
    flags: list[tuple[Flag, ...]]
    source_line: list[int | None]

    def __len__(self) -> int:
        return len(self.client_id)

    def take(self, places: Sequence[int]) -> Completed:
        """Keep some of them, in the order of their places."""
        if len(places) == len(self):
            return self
        return Completed(*([column[place] for place in places] for column in map(self._column, _FIELDS)))

    def _column(self, name: str) -> list[Any]:
        return getattr(self, name)


_FIELDS = tuple(each.name for each in fields(Completed))
_NOTHING: tuple[Any, ...] = ()


def completed(batch: Sequence[Administration]) -> Completed:
    """Turn records, which checked themselves when they were made, into columns."""
    columns = {name: [getattr(each, name) for each in batch] for name in _FIELDS}
    columns["totals"] = [list(totals.items()) if totals else _NOTHING for totals in columns["totals"]]
    return Completed(**columns)


def in_batches(questionnaires: pl.DataFrame | Iterable[Administration]) -> Iterator[Completed]:
    """Cut records or a frame of any length into columns of bearable length.

    Raises
    ------
    StoreError
        As the record of the first row that is not sound would.
    """
    if isinstance(questionnaires, pl.DataFrame):
        for part in questionnaires.iter_slices(AT_ONCE):
            yield _completed_frame(part)
    else:
        for batch in batches(questionnaires):
            yield completed(batch)


def _completed_frame(frame: pl.DataFrame) -> Completed:
    """Turn a frame into columns; a row that no record could hold is refused as that record would be."""
    given = frame.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
    _refuse_unsound(given)
    answers = given["answers"]
    if answers.null_count() < len(answers):  # NaN is a blank, and there is no minus zero: as in a record
        given = given.with_columns(pl.col("answers").list.eval(pl.element().fill_nan(None) + 0.0))
    columns: dict[str, list[Any]] = {name: given[name].to_list() for name in SCHEMA}
    columns["answers"] = [_NOTHING if each is None else each for each in columns["answers"]]
    columns["totals"] = [_totals(each) if each else _NOTHING for each in columns["totals"]]
    columns["flags"] = [_flags(each) if each else _NOTHING for each in columns["flags"]]
    return Completed(**columns)


def _totals(listed: list[dict[str, Any]]) -> Totals:
    return sorted({total["scale"]: total["score"] + 0.0 for total in listed}.items())


def _flags(listed: Iterable[dict[str, Any]]) -> tuple[Flag, ...]:
    return tuple(Flag(flag["item"], flag["kind"]) for flag in listed)


def _refuse_unsound(given: pl.DataFrame) -> None:
    """Raise what the first unsound row's record raises: the columns only say which row that is."""
    sound = pl.select(pl.all_horizontal(*(check(given) for check in _CHECKS))).to_series()
    for place in (~sound).arg_true():
        fields: dict[str, Any] = given.row(int(place), named=True)
        fields["answers"] = fields["answers"] or ()
        fields["totals"] = {total["scale"]: total["score"] for total in fields["totals"] or ()}
        fields["flags"] = _flags(fields["flags"] or ())
        Administration(**fields)


def _ids_fit(given: pl.DataFrame) -> pl.Series:
    """Say row by row whether identifiers are such; each different text is looked at once."""
    sound = [given[name].is_not_null() for name in _REQUIRED_IDS]
    sound.append(given["version"] != WITHDRAWN)
    for name in (*_REQUIRED_IDS, *_OPTIONAL_IDS):
        texts = given[name].unique()
        unfit = texts.filter(~texts.str.contains(_WHOLE_ID))
        if len(unfit):
            sound.append(~given[name].is_in(unfit.implode()).fill_null(value=False))
    return pl.select(pl.all_horizontal(sound)).to_series()


def _days_fit(given: pl.DataFrame) -> pl.Series:
    moment = given["taken_at"].dt.year()
    return (given["taken_on"].dt.year() >= 1900).fill_null(value=False) & (
        (moment >= 1900) & (moment < 9999)
    ).fill_null(value=True)


def _numbers_fit(given: pl.DataFrame) -> pl.Series:
    session, line = given["session_number"], given["source_line"]
    return session.is_between(0, 100_000).fill_null(value=True) & line.is_between(0, 2**31 - 1).fill_null(
        value=True
    )


def _channel_fits(given: pl.DataFrame) -> pl.Series:
    return given["channel"].is_in(list(get_args(Channel))).fill_null(value=True)


def _answers_fit(given: pl.DataFrame) -> pl.Series:
    answers = given["answers"]
    fit = (answers.list.len() <= MOST_ITEMS).fill_null(value=True)
    if answers.explode().is_infinite().any():
        infinite = given.select(pl.col("answers").list.eval(pl.element().is_infinite()).list.any()).to_series()
        fit &= ~infinite.fill_null(value=False)
    return fit & (
        (answers.list.len() > 0).fill_null(value=False) | (given["totals"].list.len() > 0).fill_null(value=False)
    )


def _totals_fit(given: pl.DataFrame) -> pl.Series:
    return _parts_fit(given, "totals", _is_id("scale") & pl.col("score").is_finite())


def _flags_fit(given: pl.DataFrame) -> pl.Series:
    return _parts_fit(given, "flags", _is_id("item") & pl.col("kind").is_in(list(get_args(FlagKind))))


def _is_id(name: str) -> pl.Expr:
    return pl.col(name).str.contains(_WHOLE_ID)


def _parts_fit(given: pl.DataFrame, name: str, fits: pl.Expr) -> pl.Series:
    """Say row by row whether all parts of its list are such."""
    filled = given.select(name).with_row_index("place").filter(pl.col(name).list.len() > 0)
    parts = filled.explode(name).unnest(name)
    bad = parts.filter(~fits.fill_null(value=False))["place"].unique()
    return ~pl.int_range(len(given), dtype=pl.UInt32, eager=True).is_in(bad.implode())


_CHECKS: tuple[Callable[[pl.DataFrame], pl.Series], ...] = (
    _ids_fit,
    _days_fit,
    _numbers_fit,
    _channel_fits,
    _answers_fit,
    _totals_fit,
    _flags_fit,
)
