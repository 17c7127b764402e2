"""Who lacks a score at the occasion asked about, and what is known of everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mbc.errors import ModelError
from mbc.models.change.inputs.score_arrays import FloatArray
from mbc.models.change.inputs.tidy_frames import read_columns, refuse_nobody, with_finite_scores

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Clients:
    """Everybody in a long table: rows with a score, what belongs to the client, the score at one time."""

    rows: pl.DataFrame  # those with a score, under the names of the table
    people: pl.DataFrame  # one row per client, sorted
    codes: IntArray  # client of each row
    time: FloatArray
    score: FloatArray
    at: float
    outcome: FloatArray  # score at that time, NaN where missing; shape (n_clients,)
    last: FloatArray  # time of the last score, NaN where there is none

    @property
    def missing(self) -> BoolArray:
        """Who lacks the score."""
        return np.isnan(self.outcome)

    def column(self, name: str) -> NDArray[Any]:
        """One value per client: numbers as floats, the rest as text."""
        values = self.people[name]
        if values.dtype.is_numeric() or values.dtype == pl.Boolean:
            return np.asarray(values.cast(pl.Float64).to_numpy(), dtype=float)
        return np.array([None if value is None else str(value) for value in values.to_list()], dtype=object)


def read_clients(
    data: object, *, client: str, time: str, score: str, at: float | None, others: Sequence[str]
) -> Clients:
    """Read a long table; ``others`` are columns that belong to the client.

    Raises
    ------
    ModelError
        If a column is missing, time is not a number, a client has two rows at one time, no row has the time
        ``at``, or a client's column changes or is blank.
    """
    names = list(dict.fromkeys([client, time, score, *others]))
    table = read_columns(data, {name: name for name in names})
    for name in (time, score):
        table = with_finite_scores(table, name, name)
    refuse_nobody(table, client, client)
    table = table.drop_nulls([client, time])
    twice = table.group_by(client, time).len().filter(pl.col("len") > 1)
    if twice.height:
        raise ModelError(
            f"{twice.height} pairs of '{client}' and '{time}' occur more than once. Keep one row each."
        )
    people = _people(table, client, list(others))
    then = _time(table, time, at)
    rows = table.drop_nulls(score).sort(client, time)
    place = people.select(client).with_row_index("place")
    codes = rows.join(place, on=client, how="left", maintain_order="left")["place"]
    at_end = rows.filter(pl.col(time) == then).select(client, outcome=score)
    last = rows.group_by(client).agg(pl.col(time).max().alias("last"))
    wide = people.select(client).join(at_end, on=client, how="left", maintain_order="left")
    wide = wide.join(last, on=client, how="left", maintain_order="left")
    return Clients(
        rows=rows,
        people=people,
        codes=np.asarray(codes.to_numpy(), dtype=np.int64),
        time=np.asarray(rows[time].to_numpy(), dtype=float),
        score=np.asarray(rows[score].to_numpy(), dtype=float),
        at=then,
        outcome=_floats(wide["outcome"]),
        last=_floats(wide["last"]),
    )


def _people(table: pl.DataFrame, client: str, others: list[str]) -> pl.DataFrame:
    for name in others:
        values = table.group_by(client).agg(pl.col(name).drop_nulls().n_unique().alias("values")).sort(client)
        odd = values.filter(pl.col("values") != 1)
        if odd.height:
            first = odd.row(0, named=True)
            what = "no value" if first["values"] == 0 else f"{first['values']} values"
            raise ModelError(
                f"'{name}' must be constant within a client; {first[client]} has {what} ({odd.height} such "
                "clients)."
            )
    firsts = [pl.col(name).drop_nulls().first() for name in others]
    return table.group_by(client).agg(*firsts).sort(client)


def _time(table: pl.DataFrame, time: str, at: float | None) -> float:
    if not table.height:
        raise ModelError("The table has no rows.")
    times = table[time].unique().sort()
    if at is None:
        return float(times[-1])
    if float(at) not in set(times.to_list()):
        listed = ", ".join(f"{time:g}" for time in times.head(8).to_list())
        raise ModelError(f"at={at:g} does not occur in column '{time}', which has {listed}.")
    return float(at)


def _floats(values: pl.Series) -> FloatArray:
    return np.asarray(values.fill_null(float("nan")).to_numpy(), dtype=float)
