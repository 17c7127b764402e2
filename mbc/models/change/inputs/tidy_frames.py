"""Read tidy frames: one row per client and occasion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl

from mbc.arguments import checked
from mbc.errors import FrameError, ModelError, nearest
from mbc.frames import open_frame
from mbc.models.change.inputs.score_arrays import FloatArray
from mbc.models.results.result import Result


def read_columns(data: object, columns: dict[str, str]) -> pl.DataFrame:
    """Take the named columns out of any frame, under our own names.

    Parameters
    ----------
    data : frame
        Whatever narwhals knows, lazy ones included.
    columns : dict
        Our name -> the name in the frame.

    Raises
    ------
    ModelError
        If it is not a frame, or a column is missing; names the nearest.
    """
    try:
        table = open_frame(data)
    except FrameError as error:
        raise ModelError(f"data must be a table with columns of different names. {error}") from None
    schema = table.collect_schema()
    present = schema.names()
    for name in columns.values():
        if name not in present:
            near = ", ".join(nearest(name, present)) or ", ".join(map(str, present[:8]))
            raise ModelError(f"The table has no column '{name}'. Did you mean: {near}?")
        refuse_unreadable(name, schema[name])
    picked = table.select([nw.col(name).alias(ours) for ours, name in columns.items()])
    eager = picked.collect() if isinstance(picked, nw.LazyFrame) else picked
    rows = eager.to_polars()
    for ours, name in columns.items():
        refuse_infinite(rows[ours], name)
    return rows


def refuse_unreadable(name: str, dtype: nw.dtypes.DType) -> None:
    """Refuse a column of lists, structures or complex numbers, by its name."""
    if dtype.is_nested() or dtype == nw.Unknown:
        kind = "lists or structures" if dtype.is_nested() else "values of a type that cannot be read"
        raise ModelError(
            f"Column '{name}' contains {kind}; it must contain numbers, text or dates, one value per row."
        )


def refuse_infinite(column: pl.Series, name: str) -> None:
    """Refuse a column with an infinite number, by its name."""
    endless = int(column.is_infinite().sum()) if column.dtype.is_float() else 0
    if endless:
        raise ModelError(
            f"Column '{name}' contains {endless} infinite number(s); times and scores must be finite."
        )


def refuse_nobody(rows: pl.DataFrame, column: str, name: str) -> None:
    """Refuse rows that do not say whose they are; ``column`` is called ``name`` by the caller."""
    values = rows[column]
    nobody = values.null_count() + (int(values.is_nan().sum()) if values.dtype.is_float() else 0)
    if nobody:
        raise ModelError(f"{nobody} row(s) have no '{name}'. Fill it in, or leave these rows out.")


def long_scores(data: object, *, client: str, time: str, score: str, group: str | None = None) -> pl.DataFrame:
    """Read scores in long form, sorted by client and time; rows without a score are left out.

    Raises
    ------
    ModelError
        If a client has two scores at one time, or scores are not numbers.
    """
    columns = {"client": client, "time": time, "score": score} | ({} if group is None else {"group": group})
    rows = with_finite_scores(read_columns(data, columns), score)
    refuse_nobody(rows, "client", client)
    if rows["time"].dtype == pl.String:
        raise ModelError(
            f"Column '{time}' must contain numbers or dates, or declare its order (polars Enum); it contains "
            "text, which would sort '10' before '2'."
        )
    refuse_duplicates(rows, client, time)
    return rows.filter(pl.col("score").is_not_null() & pl.col("time").is_not_null()).sort(
        "client", "time", maintain_order=True
    )


def with_finite_scores(rows: pl.DataFrame, name: str, column: str = "score") -> pl.DataFrame:
    """Turn a column of scores into floats, NaN as null.

    Raises
    ------
    ModelError
        If it does not hold numbers, or one is infinite; names the column as the caller does.
    """
    dtype = rows[column].dtype
    if not (dtype.is_numeric() or dtype == pl.Null):
        raise ModelError(f"Column '{name}' must contain numbers, got {dtype}. Convert it first.")
    rows = rows.with_columns(pl.col(column).cast(pl.Float64).fill_nan(None))
    endless = int(rows[column].is_infinite().sum())
    if endless:
        raise ModelError(f"Column '{name}' contains {endless} infinite number(s); scores must be finite.")
    return rows


def refuse_duplicates(rows: pl.DataFrame, client: str, time: str) -> None:
    """Refuse two rows of one client at one time; columns are client and time, called so by the caller."""
    twice = rows.filter(pl.col("time").is_not_null()).group_by("client", "time").len().filter(pl.col("len") > 1)
    if twice.height:
        first = twice.sort("client", "time").row(0)
        raise ModelError(
            f"{twice.height} pairs of '{client}' and '{time}' occur more than once, the first {first[0]} at "
            f"{first[1]}. Keep one score per client and time."
        )


@dataclass(frozen=True, slots=True, eq=False)
class Pairs(Result):
    """Two occasions side by side, one row per client; those lacking a score are kept, and counted."""

    table: pl.DataFrame  # client, pre, post (and group)
    n: int
    n_complete: int
    lacking_pre: tuple[Any, ...]  # clients
    lacking_post: tuple[Any, ...]

    def _columns(self) -> dict[str, Any]:
        """Columns client, pre, post (and group); one row per client."""
        return dict(self.table.to_dict())

    @property
    def pre(self) -> FloatArray:
        """Scores before, NaN where there is none."""
        return np.asarray(self.table["pre"].to_numpy(), dtype=float)

    @property
    def post(self) -> FloatArray:
        """Scores after, NaN where there is none."""
        return np.asarray(self.table["post"].to_numpy(), dtype=float)

    @property
    def group(self) -> pl.Series | None:
        """The group of each client, if one was named."""
        return self.table["group"] if "group" in self.table.columns else None


@checked
def pre_post_pairs(
    data: object, *, client: str, time: str, score: str, pre: object, post: object, group: str | None = None
) -> Pairs:
    """Put two named occasions of a long table side by side.

    Parameters
    ----------
    data : frame
        One row per client and occasion.
    client, time, score, group : str
        Its columns.
    pre, post : value of ``time``
        Which occasion is which. Nothing is guessed: "post" sorts before "pre".

    Raises
    ------
    ModelError
        If an occasion does not occur, or a client has it twice.

    Examples
    --------
    >>> import polars as pl
    >>> data = pl.DataFrame({"who": [1, 1, 2], "when": ["pre", "post", "pre"], "das": [90.5, 97.0, 74.0]})
    >>> made = pre_post_pairs(data, client="who", time="when", score="das", pre="pre", post="post")
    >>> made.table.rows(), made.lacking_post
    ([(1, 90.5, 97.0), (2, 74.0, None)], (2,))
    """
    columns = {"client": client, "time": time, "score": score} | ({} if group is None else {"group": group})
    rows = with_finite_scores(read_columns(data, columns), score)
    refuse_nobody(rows, "client", client)
    refuse_duplicates(rows, client, time)
    occasions = rows["time"].unique().to_list()
    for name, wanted in (("pre", pre), ("post", post)):
        if wanted not in occasions:
            listed = ", ".join(str(value) for value in sorted(occasions, key=str)[:8])
            raise ModelError(f"{name}={wanted!r} does not occur in column '{time}', which has {listed}.")
    people = rows.select("client", *(["group"] if group else [])).unique("client", maintain_order=True)
    for name, wanted in (("pre", pre), ("post", post)):
        at_occasion = rows.filter(pl.col("time") == wanted).select("client", pl.col("score").alias(name))
        people = people.join(at_occasion, on="client", how="left", maintain_order="left")
    people = people.select("client", "pre", "post", *(["group"] if group else []))
    return Pairs(
        table=people,
        n=people.height,
        n_complete=people.drop_nulls(["pre", "post"]).height,
        lacking_pre=tuple(people.filter(pl.col("pre").is_null())["client"].to_list()),
        lacking_post=tuple(people.filter(pl.col("post").is_null())["client"].to_list()),
    )
