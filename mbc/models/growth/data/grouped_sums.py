"""The same client sums from a table that is not in memory: one grouped aggregation, wherever the rows live.

The expressions keep to what runs alike on polars, duckdb, ibis and Spark: product columns first, then plain sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from mbc.errors import FrameError, ModelError
from mbc.models.growth.data.client_sums import Basis, ClientSums
from mbc.models.growth.data.rows import declared_levels, refuse_duplicates, require_columns
from mbc.models.growth.data.shapes import BINS, Quantiles, Shape, binned_quantiles
from mbc.models.growth.matrices import Floats

PREFIX = "mbc_growth_"


@dataclass(frozen=True, slots=True)
class ScaledRows:
    """Complete rows of a table that is not in memory, with the constants that centre and scale them."""

    rows: nw.LazyFrame[Any]  # client, t, y, w0, w1, ... (covariates)
    basis: Basis
    centre: float  # of the outcome
    spread: float
    covariates: tuple[str, ...]
    dropped: int
    declared: dict[str, tuple[str, ...]]  # order of levels


def grouped_sums(
    table: nw.LazyFrame[Any], shape: Shape, *, outcome: str, time: str, client: str, covariates: Sequence[str] = ()
) -> ClientSums:
    """Aggregate a lazy table into client sums; only one row per client comes back."""
    scaled = scaled_rows(table, shape, outcome=outcome, time=time, client=client, covariates=covariates)
    sums = _arrays(client_table(scaled).collect())
    order = np.argsort(sums["client"], kind="stable")
    return _assemble({name: values[order] for name, values in sums.items()}, scaled)


def scaled_rows(
    table: nw.LazyFrame[Any], shape: Shape, *, outcome: str, time: str, client: str, covariates: Sequence[str] = ()
) -> ScaledRows:
    """Open the complete rows of a lazy table and find what centres and scales them.

    The constants are rough (means of the times, a quarter of a range): they keep the cross-products harmless and
    leave no trace in the results.
    """
    opened = _opened(table, outcome, time, client, covariates)
    rows = opened.filter(nw.col("complete")).drop("complete")
    low, high, mean, centre, bottom, top, n, total = _ranges(opened)
    if not n:
        raise ModelError(f"no row has all of {', '.join([outcome, time, client, *covariates])}.")
    if not top > bottom:
        raise ModelError(f"every score is {centre:g}: there is no variation to model.")
    shape = shape.placed(_binned(rows, low, high))
    basis = _rough_basis(shape, low, high, mean)
    schema = table.collect_schema()
    declared = {name: order for name in covariates if (order := declared_levels(schema[name])) is not None}
    return ScaledRows(rows, basis, centre, (top - bottom) / 4, tuple(covariates), int(total - n), declared)


def lazy_quantiles(
    table: nw.LazyFrame[Any],
    shares: list[float],
    *,
    outcome: str,
    time: str,
    client: str,
    covariates: Sequence[str] = (),
) -> Floats:
    """Find quantiles of the times of the complete rows."""
    opened = _opened(table, outcome, time, client, covariates)
    low, high, *_ = _ranges(opened)
    return _binned(opened.filter(nw.col("complete")), low, high)(shares)


def _opened(
    table: nw.LazyFrame[Any], outcome: str, time: str, client: str, covariates: Sequence[str]
) -> nw.LazyFrame[Any]:
    """Rows under our own names, and in ``complete`` whether each has every value."""
    schema = table.collect_schema()
    require_columns(list(schema), [outcome, time, client, *covariates])
    if len(set(schema)) < len(schema):
        refuse_duplicates(list(schema))
    for name in (outcome, time):
        if not schema[name].is_numeric():
            raise FrameError(f"column {name!r} must contain numbers, it contains {schema[name]}.")
    words = {name for name in covariates if not (schema[name].is_numeric() or schema[name] == nw.Boolean)}
    picked = [
        nw.col(client).alias("client"),
        nw.col(time).cast(nw.Float64()).alias("t"),
        nw.col(outcome).cast(nw.Float64()).alias("y"),
    ]
    picked += [
        (nw.col(name) if name in words else nw.col(name).cast(nw.Float64())).alias(f"w{i}")
        for i, name in enumerate(covariates)
    ]
    complete = ~nw.col("client").is_null()
    for name in ("t", "y", *(f"w{i}" for i in range(len(covariates)))):
        complete = complete & ~nw.col(name).is_null()
    for name in ("t", "y", *(f"w{i}" for i, name in enumerate(covariates) if name not in words)):
        complete = complete & ~nw.col(name).is_nan().fill_null(value=True)
    return table.select(*picked).with_columns(complete=complete)


def _ranges(opened: nw.LazyFrame[Any]) -> tuple[float, ...]:
    """Range of the time, its mean, mean and range of the outcome, the number of complete rows and of all rows."""
    complete = (nw.when(nw.col("complete")).then(nw.col(name)).alias(name) for name in ("t", "y"))
    known = opened.select(*complete)
    t, y = nw.col("t"), nw.col("y")
    extremes = known.select(
        t.min().alias("a"),
        t.max().alias("b"),
        t.mean().alias("c"),
        y.mean().alias("d"),
        y.min().alias("e"),
        y.max().alias("f"),
        t.count().alias("n"),
        nw.len().alias("total"),
    ).collect()
    values = [extremes[name].to_list()[0] for name in ("a", "b", "c", "d", "e", "f", "n", "total")]
    if values[-2] and not np.isfinite(np.array(values, dtype=np.float64)).all():
        raise FrameError("the outcome or the time contains an infinite number; both must be finite.")
    return tuple(float(value or 0) for value in values)


def _binned(rows: nw.LazyFrame[Any], low: float, high: float) -> Quantiles:
    """Count rows per part of the range, when a shape asks."""

    def quantiles(shares: list[float]) -> Floats:
        part = ((nw.col("t") - low) / (high - low) * BINS).floor().cast(nw.Int64()).alias("part")
        parts = rows.select(part).group_by("part").agg(nw.len().alias("rows")).collect()
        counts = np.zeros(BINS)
        np.add.at(counts, np.minimum(parts["part"].to_numpy(), BINS - 1), parts["rows"].to_numpy())
        return binned_quantiles(counts, low, high)(shares)

    return quantiles


def _rough_basis(shape: Shape, low: float, high: float, mean: float) -> Basis:
    if not high > low:
        raise ModelError(f"every row has time {low:g}. Growth needs scores at two times or more.")
    grid = shape.columns(np.concatenate([np.linspace(low, high, 33), [mean]]), mean)
    spread = (grid.max(axis=1) - grid.min(axis=1)) / 4
    return Basis(shape, mean, grid[:, -1], np.where(spread > 0, spread, 1.0))


def product_names(k: int) -> list[str]:
    """Name the sums of products of k time terms with each other: u1u1, u2u1, u2u2, ...

    Examples
    --------
    >>> product_names(2)
    ['u1u1', 'u2u1', 'u2u2']
    """
    return [f"u{a}u{b}" for a in range(1, k + 1) for b in range(1, a + 1)]


def client_table(scaled: ScaledRows) -> nw.LazyFrame[Any]:
    """Sum the rows of each client, where they are.

    Returns
    -------
    LazyFrame
        client, rows; with the prefix `PREFIX` the sums of y, u1, ..., of `product_names`, of u1y, ... and of yy;
        low0, high0, ...: the range of each covariate.
    """
    basis = scaled.basis
    terms = basis.shape.expressions(nw.col("t"), basis.origin)
    k = len(terms)
    rows = scaled.rows.with_columns(
        ((nw.col("y") - scaled.centre) / scaled.spread).alias("y"),
        *(
            ((term - float(c)) / float(s)).alias(f"u{a}")
            for a, (term, c, s) in enumerate(zip(terms, basis.centre, basis.spread, strict=True), start=1)
        ),
    )
    names = [f"u{a}" for a in range(1, k + 1)]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[: i + 1]]
    products = {f"{a}{b}": nw.col(a) * nw.col(b) for a, b in pairs}
    products |= {f"{name}y": nw.col(name) * nw.col("y") for name in names}
    products["yy"] = nw.col("y") * nw.col("y")
    rows = rows.with_columns(*(product.alias(name) for name, product in products.items()))
    summed = [nw.col(name).sum().alias(f"{PREFIX}{name}") for name in ["y", *names, *products]]
    ranges = [
        bound
        for i in range(len(scaled.covariates))
        for bound in (nw.col(f"w{i}").min().alias(f"low{i}"), nw.col(f"w{i}").max().alias(f"high{i}"))
    ]
    return rows.group_by("client").agg(nw.len().alias("rows"), *summed, *ranges)


def _arrays(sums: nw.DataFrame[Any]) -> dict[str, NDArray[Any]]:
    """Columns as arrays, under their names without the prefix."""
    out: dict[str, NDArray[Any]] = {}
    for name in sums.columns:
        values = sums[name].to_list() if not sums[name].dtype.is_numeric() else sums[name].to_numpy()
        out[name.removeprefix(PREFIX)] = np.asarray(values, dtype=object if isinstance(values, list) else None)
    return out


def _assemble(columns: dict[str, NDArray[Any]], scaled: ScaledRows) -> ClientSums:
    """Fill the arrays of `ClientSums`."""
    k, clients = len(scaled.basis.centre), len(columns["client"])
    uu, uy = np.empty((k + 1, k + 1, clients)), np.empty((k + 1, clients))
    uu[0, 0], uy[0] = columns["rows"], columns["y"]
    for a in range(1, k + 1):
        uu[0, a] = uu[a, 0] = columns[f"u{a}"]
        uy[a] = columns[f"u{a}y"]
        for b in range(1, a + 1):
            uu[a, b] = uu[b, a] = columns[f"u{a}u{b}"]
    values: dict[str, NDArray[Any]] = {}
    for i, name in enumerate(scaled.covariates):
        low, high = columns[f"low{i}"], columns[f"high{i}"]
        if (low != high).any():
            who = columns["client"][int(np.flatnonzero(low != high)[0])]
            raise changing_covariate(name, f"client {who}")
        values[name] = low
    yy = float(np.sum(columns["yy"].astype(np.float64)))
    return ClientSums(
        columns["client"],
        uu,
        uy,
        yy,
        scaled.basis,
        scaled.centre,
        scaled.spread,
        values,
        scaled.dropped,
        scaled.declared,
    )


def changing_covariate(name: str, within: str) -> ModelError:
    """Refuse a covariate that is not the client's own."""
    return ModelError(
        f"covariate {name!r} changes within {within}; growth_curve takes covariates that belong to "
        "the client. For one that changes from session to session use mixedlm with a formula."
    )
