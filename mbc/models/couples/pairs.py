"""Which rows are couples: two people each, complete, in one order."""

from __future__ import annotations

import numpy as np
import polars as pl

from mbc.errors import ModelError
from mbc.models.change.inputs.score_arrays import FloatArray
from mbc.models.change.inputs.tidy_frames import read_columns, with_finite_scores


def read_pairs(data: object, columns: dict[str, str], role: str | None) -> tuple[FloatArray, tuple[str, ...], int]:
    """Read complete dyads as x1, x2, y1, y2, shape (n, 4); the roles; and how many dyads there are."""
    rows = read_columns(data, columns | ({} if role is None else {"role": role}))
    if columns["x"] == columns["y"]:
        raise ModelError(f"x and y are both {columns['x']!r}; give two different measures.")
    for name in ("x", "y"):
        rows = with_finite_scores(rows, columns[name], name)
    rows = rows.filter(pl.col("dyad").is_not_null())
    roles: tuple[str, ...] = ()
    if role is not None:
        rows = rows.filter(pl.col("role").is_not_null())
        kinds = sorted(rows["role"].unique().to_list())
        if rows.height and len(kinds) != 2:
            raise ModelError(f"Column '{role}' must contain two roles, got {', '.join(map(str, kinds[:6]))}.")
        roles = tuple(str(kind) for kind in kinds)
        rows = rows.sort("dyad", "role")
    else:
        rows = rows.sort("dyad", maintain_order=True)
    _refuse_crowds(rows, columns["dyad"], role)
    wide = rows.group_by("dyad", maintain_order=True).agg(
        pl.len().alias("people"),
        *(pl.col(name).get(k, null_on_oob=True).alias(f"{name}{k}") for name in ("x", "y") for k in (0, 1)),
    )
    complete = wide.filter(pl.col("people") == 2).drop_nulls().select("x0", "x1", "y0", "y1")
    return np.asarray(complete.to_numpy(), dtype=float), roles, wide.height


def _refuse_crowds(rows: pl.DataFrame, dyad: str, role: str | None) -> None:
    keys = ["dyad"] if role is None else ["dyad", "role"]
    most = 2 if role is None else 1
    crowd = rows.group_by(keys, maintain_order=True).len().filter(pl.col("len") > most)
    if crowd.height:
        first = crowd.row(0, named=True)
        what = f"{first['len']} people" if role is None else f"{first['len']} rows in the role '{first['role']}'"
        raise ModelError(f"'{dyad}' {first['dyad']} has {what}; take one occasion, with one row per partner.")
