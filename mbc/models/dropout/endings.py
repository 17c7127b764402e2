"""Who left, when, and how: one row per client, from a table of any kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from mbc.errors import FrameError, ModelError, nearest
from mbc.frames import open_frame, to_polars
from mbc.models.change.inputs.score_arrays import FloatArray
from mbc.models.change.inputs.tidy_frames import refuse_infinite, refuse_nobody, refuse_unreadable
from mbc.models.dropout.clients import BoolArray, IntArray

PLANNED = ("planned",)  # what a column that says how therapy ended is expected to call a planned ending


@dataclass(frozen=True, slots=True, eq=False)
class Endings:
    """Everybody on the list, with or without a score."""

    ids: list[Any]
    last: FloatArray  # time of the last score, NaN where there is none
    planned: BoolArray  # therapy ended as planned
    going_on: BoolArray  # no ending is on record, although endings are recorded
    score: FloatArray  # score at the time asked about, NaN where there is none
    covariates: dict[str, NDArray[Any]]  # floats, or text; one value per client
    n_blank: int  # clients left out, since a covariate of theirs is blank

    def places_in(self, ids: NDArray[Any]) -> IntArray:
        """Index of each client among these identifiers; -1 for those who are not among them."""
        index: Any = pd.Index(ids)
        return np.asarray(index.get_indexer(pd.Index(np.array(self.ids, dtype=ids.dtype))), dtype=np.int64)


def read_endings(
    table: object,
    *,
    client: str,
    time: str,
    outcome: str,
    at: float | None = None,
    ended: str | None = None,
    planned: Sequence[object] = PLANNED,
    covariates: Sequence[str] = (),
) -> Endings:
    """Gather the last score of every client, by one grouped aggregation wherever the rows live.

    Parameters
    ----------
    table : table
        Long; any kind that narwhals knows. Rows without a score count for who is on the list only.
    ended : str, optional
        Column that says how therapy ended; blank while it goes on. Without it nothing is known of endings.
    planned : sequence
        Its values that mean a planned ending; every other value is a dropout.

    Raises
    ------
    FrameError
        If a column is absent, or scores and times are not numbers.
    ModelError
        If a client ended in two ways or has two scores at ``at``, or no client ended as ``planned`` says.
    """
    rows = _rows(table, [client, time, outcome, *([ended] if ended else []), *covariates], (time, outcome))
    words = {name for name in covariates if not _is_number(rows, name)}
    picked = [
        nw.col(client).alias("client"),
        nw.col(time).cast(nw.Float64()).alias("t"),
        nw.col(outcome).cast(nw.Float64()).alias("y"),
        *(
            (nw.col(name) if name in words else nw.col(name).cast(nw.Float64())).alias(f"w{i}")
            for i, name in enumerate(covariates)
        ),
    ]
    if ended is not None:
        picked.append(_kind(rows, ended, planned).alias("kind"))
    long = rows.select(*picked).filter(~nw.col("client").is_null())
    observed = ~nw.col("y").is_null() & ~nw.col("y").is_nan() & ~nw.col("t").is_null() & ~nw.col("t").is_nan()
    long = long.with_columns(
        nw.when(observed).then(nw.col("t")).alias("seen"),
        *([] if at is None else [nw.when(observed & (nw.col("t") == at)).then(nw.col("y")).alias("score")]),
    )
    bounds = [f"w{i}" for i in range(len(covariates))] + (["kind"] if ended else [])
    per_client = (
        long.group_by("client")
        .agg(
            nw.col("seen").max().alias("last"),
            *([] if at is None else [nw.col("score").max(), nw.col("score").count().alias("scores")]),
            *(nw.col(name).min().alias(f"{name}_low") for name in bounds),
            *(nw.col(name).max().alias(f"{name}_high") for name in bounds),
        )
        .collect()
    )
    return _endings(to_polars(per_client).sort("client"), client, list(covariates), ended, at)


def _rows(table: object, needed: list[str], numbers: tuple[str, str]) -> nw.LazyFrame[Any]:
    """Open the table: one in memory as polars, one elsewhere where it is."""
    frame = open_frame(table)
    schema = frame.collect_schema()
    for name in needed:
        if name not in schema:
            near = nearest(name, list(schema))
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise FrameError(f"the table has no column {name!r}; it has {', '.join(map(str, schema))}.{hint}")
        refuse_unreadable(name, schema[name])
    for name in numbers:
        if not (schema[name].is_numeric() or schema[name] == nw.Object or schema[name] == nw.Categorical):
            raise FrameError(f"column {name!r} must contain numbers, it contains {schema[name]}.")
    picked = frame.select(list(dict.fromkeys(needed)))
    if isinstance(picked, nw.LazyFrame):
        return picked
    rows = to_polars(picked)
    refuse_nobody(rows, needed[0], needed[0])
    for name in numbers:
        if not rows[name].dtype.is_numeric() and rows[name].dtype != pl.Null:
            raise FrameError(f"column {name!r} must contain numbers, it contains {rows[name].dtype}.")
        refuse_infinite(rows[name], name)
    return nw.from_native(rows.lazy())


def _is_number(rows: nw.LazyFrame[Any], name: str) -> bool:
    kind = rows.collect_schema()[name]
    return kind.is_numeric() or kind == nw.Boolean()


def _kind(rows: nw.LazyFrame[Any], ended: str, planned: Sequence[object]) -> nw.Expr:
    """Code 1 for a planned ending, 0 for a dropout, null while therapy goes on: engines can order numbers."""
    values = [planned] if isinstance(planned, str) else list(planned)
    kind = rows.collect_schema()[ended]
    if kind == nw.Object():
        raise FrameError(f"column '{ended}' contains Python objects; how therapy ended must be text or numbers.")
    words = not (kind.is_numeric() or kind == nw.Boolean())
    column = nw.col(ended).cast(nw.String() if words else nw.Float64())
    values_present = rows.select(column.alias("ended")).unique().collect()["ended"].to_list()
    stated = [value for value in values_present if value is not None and value == value and value != ""]  # noqa: PLR0124  NaN
    chosen = [value for value in stated if value in values]
    if values and not chosen:
        raise ModelError(
            f"planned={values!r}: column '{ended}' has no such value; it has "
            f"{', '.join(repr(value) for value in sorted(stated, key=str)[:8]) or 'none'}. "
            "planned=() means that nobody ended as planned."
        )
    _refuse_misspelt(values, stated, chosen, ended)
    matches = column.is_in(chosen) if chosen else column.is_null() & ~column.is_null()
    blank = column.is_null() | ((column == "") if words else column.is_nan())
    return nw.when(~blank).then(nw.when(matches).then(nw.lit(1)).otherwise(nw.lit(0)))


def _refuse_misspelt(values: Sequence[object], stated: list[Any], chosen: list[Any], ended: str) -> None:
    """Refuse a planned ending that does not occur where one like it does, and would count as a dropout."""
    if list(values) == list(PLANNED):
        return
    others = [str(value) for value in stated if value not in chosen]
    for value in values:
        near = nearest(str(value), others, most=1) if value not in stated else []
        if near:
            raise ModelError(
                f"planned names {value!r}, which column '{ended}' does not contain; it has {near[0]!r}, which "
                "would "
                "count as a dropout. Write the values as they are in the column."
            )


def _endings(
    table: pl.DataFrame, client: str, covariates: list[str], ended: str | None, at: float | None
) -> Endings:
    """Check that what belongs to a client does not change, and leave out whom the model could not place."""
    for i, name in enumerate(covariates):
        _unchanging(table, f"w{i}", client, f"covariate {name!r} changes")
    if ended is not None:
        _unchanging(table, "kind", client, f"column '{ended}' has conflicting values")
    if at is not None:
        twice = table.filter(pl.col("scores") > 1)
        if twice.height:
            raise ModelError(f"{client} {twice['client'][0]!r} has {twice['scores'][0]} scores at {at:g}.")
    complete = table.drop_nulls([f"w{i}_low" for i in range(len(covariates))]) if covariates else table
    kind = complete["kind_low"] if ended is not None else pl.Series([None] * complete.height, dtype=pl.Int64)
    nobody = np.full(complete.height, np.nan)
    return Endings(
        ids=complete["client"].to_list(),
        last=_floats(complete["last"]),
        planned=np.asarray((kind == 1).fill_null(value=False).to_numpy(), dtype=bool),
        going_on=np.asarray(kind.is_null().to_numpy(), dtype=bool) & (ended is not None),
        score=nobody if at is None else _floats(complete["score"]),
        covariates={name: _values(complete[f"w{i}_low"]) for i, name in enumerate(covariates)},
        n_blank=table.height - complete.height,
    )


def _unchanging(table: pl.DataFrame, name: str, client: str, what: str) -> None:
    changed = table.filter(pl.col(f"{name}_low") != pl.col(f"{name}_high"))
    if changed.height:
        raise ModelError(f"{what} within {client} {changed['client'][0]!r} ({changed.height} such clients).")


def _floats(column: pl.Series) -> FloatArray:
    return np.asarray(column.cast(pl.Float64).fill_null(float("nan")).to_numpy(), dtype=float)


def _values(column: pl.Series) -> NDArray[Any]:
    if column.dtype.is_numeric():
        return _floats(column)
    return np.array([str(value) for value in column.to_list()], dtype=object)
