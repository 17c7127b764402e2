"""Sums per design: clients with the same times and covariates are one row, so that a fit needs no row per client.

Let design d be n_d clients with one S_d = Z'Z and one Z'X, and u_i = Z'y_i of client i. The likelihood is
quadratic in B_i = Z'[X y_i] at given S, so that it sees these clients only through

    n_d,    sum u_i,    sum u_i u_i'    (and, over all designs, sum y'y)

since sum over i of (Z'X, u_i) (Z'X, u_i)' contains nothing else. The same sum comes from a few columns: one of
n_d^(1/2) (Z'X, mean of u), and one of (0, r) for each r r' that sum u_i u_i' - n_d (mean u)(mean u)' consists of.
They take the clients' place in every sum of the likelihood, with n_d and 0 as the number of clients that count in
those of log|V| and Q. This is exact, as for clients of one design in `mbc.models.growth.design.identical_designs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from mbc.errors import ModelError
from mbc.models.growth.data.client_sums import ClientSums
from mbc.models.growth.data.grouped_sums import (
    PREFIX,
    ScaledRows,
    changing_covariate,
    client_table,
    product_names,
    scaled_rows,
)
from mbc.models.growth.data.shapes import Shape
from mbc.models.growth.matrices import Floats

MOST_DESIGNS = 1_000_000  # rows that come back at most
_DIGITS = 1e10  # sums of scaled time terms that agree to ten decimals are of the same times
_SMALLEST = 1e-14  # relative: directions in which the clients of a design do not differ but by rounding


def design_sums(
    table: nw.LazyFrame[Any], shape: Shape, *, outcome: str, time: str, client: str, covariates: Sequence[str] = ()
) -> ClientSums:
    """Aggregate a lazy table into sums per design; one row per design comes back.

    Clients are of one design where they have as many scores, the same sums of the time terms and of their
    products (to ten decimals, the terms scaled to a few units), and the same covariates. Those sums are all that
    the likelihood knows of the times.

    Raises
    ------
    ModelError
        If there are more than `MOST_DESIGNS`, or a covariate changes within a client.
    """
    scaled = scaled_rows(table, shape, outcome=outcome, time=time, client=client, covariates=covariates)
    clients = client_table(scaled)
    by = _keys(scaled)
    grouped = clients.with_columns(*_key_columns(scaled)).group_by(*by).agg(*_aggregates(scaled))
    designs = grouped.head(MOST_DESIGNS + 1).collect().to_polars().sort(by)
    if designs.height > MOST_DESIGNS:
        raise ModelError(
            f"these rows have more than {MOST_DESIGNS:,} designs (clients with the same times and covariates), "
            "too many to be brought together. Use times that clients share, such as whole weeks or the number of "
            "the occasion, and covariates of a few values; or leave out sums_per='design'."
        )
    _refuse_changing(designs, scaled)
    return _columns(designs, scaled)


def _keys(scaled: ScaledRows) -> list[str]:
    """Columns that tell designs apart."""
    k = len(scaled.basis.centre)
    sums = [*(f"u{a}" for a in range(1, k + 1)), *product_names(k)]
    return ["rows", *(f"key_{name}" for name in sums), *(f"low{i}" for i in range(len(scaled.covariates)))]


def _key_columns(scaled: ScaledRows) -> list[nw.Expr]:
    """Make the sums of times whole numbers, and the products of sums of a client's scores."""
    k = len(scaled.basis.centre)
    keys = [
        (nw.col(f"{PREFIX}{name}") * _DIGITS).round(0).cast(nw.Int64()).alias(f"key_{name}")
        for name in [*(f"u{a}" for a in range(1, k + 1)), *product_names(k)]
    ]
    outcome = [nw.col(f"{PREFIX}{name}") for name in _outcome_names(k)]
    pairs = [(outcome[a] * outcome[b]).alias(f"outer{a}_{b}") for a in range(k + 1) for b in range(a + 1)]
    changes = [
        (nw.col(f"low{i}") != nw.col(f"high{i}")).cast(nw.Int64()).alias(f"changes{i}")
        for i in range(len(scaled.covariates))
    ]
    return [*keys, *pairs, *changes]


def _outcome_names(k: int) -> list[str]:
    """Columns of a client's u'y: of the constant first."""
    return ["y", *(f"u{a}y" for a in range(1, k + 1))]


def _aggregates(scaled: ScaledRows) -> list[nw.Expr]:
    k = len(scaled.basis.centre)
    sums = [*(f"u{a}" for a in range(1, k + 1)), *product_names(k), *_outcome_names(k), "yy"]
    return [
        nw.len().alias("clients"),
        *(nw.col(f"{PREFIX}{name}").sum().alias(f"sum_{name}") for name in sums),
        *(nw.col(f"outer{a}_{b}").sum() for a in range(k + 1) for b in range(a + 1)),
        *(nw.col(f"changes{i}").sum() for i in range(len(scaled.covariates))),
    ]


def _refuse_changing(designs: pl.DataFrame, scaled: ScaledRows) -> None:
    for i, name in enumerate(scaled.covariates):
        clients = int(designs[f"changes{i}"].sum())
        if clients:
            raise changing_covariate(name, f"{clients:,} client{'' if clients == 1 else 's'}")


def _columns(designs: pl.DataFrame, scaled: ScaledRows) -> ClientSums:
    """Columns that stand for the clients of each design."""
    k = len(scaled.basis.centre)
    clients = designs["clients"].cast(pl.Float64).to_numpy()
    uu = _time_products(designs, clients, k)
    total = np.array([designs[f"sum_{name}"].to_numpy() for name in _outcome_names(k)])
    outer = np.empty((designs.height, k + 1, k + 1))
    for a in range(k + 1):
        for b in range(a + 1):
            outer[:, a, b] = outer[:, b, a] = designs[f"outer{a}_{b}"].to_numpy()
    root = np.sqrt(clients)
    design, rest = _differences(outer, total, clients)
    columns = np.concatenate([np.arange(designs.height), design])
    stands_for = np.concatenate([clients, np.zeros(design.size)])
    values = {name: _values(designs[f"low{i}"])[columns] for i, name in enumerate(scaled.covariates)}
    return ClientSums(
        ids=np.empty(0, dtype=object),
        uu=np.ascontiguousarray(uu[:, :, columns]),
        uy=np.concatenate([total / root, rest], axis=1),
        yy=float(designs["sum_yy"].sum()),
        basis=scaled.basis,
        outcome_centre=scaled.centre,
        outcome_spread=scaled.spread,
        covariates=values,
        dropped=scaled.dropped,
        declared=scaled.declared,
        stands_for=stands_for,
    )


def _time_products(designs: pl.DataFrame, clients: Floats, k: int) -> Floats:
    """Sum u u' of one client of each design, (k + 1, k + 1, designs)."""
    uu = np.empty((k + 1, k + 1, designs.height))
    uu[0, 0] = designs["rows"].cast(pl.Float64).to_numpy()
    for a in range(1, k + 1):
        uu[0, a] = uu[a, 0] = designs[f"sum_u{a}"].to_numpy() / clients
        for b in range(1, a + 1):
            uu[a, b] = uu[b, a] = designs[f"sum_u{a}u{b}"].to_numpy() / clients
    return uu


def _differences(outer: Floats, total: Floats, clients: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Find what the clients of a design differ by: the design of each r, and r; sum r r' is their scatter."""
    size = outer.shape[1]
    mean = total.T / clients[:, None]
    scatter = outer - clients[:, None, None] * mean[:, :, None] * mean[:, None, :]
    eigenvalues, vectors = np.linalg.eigh(scatter)
    first: Floats = size - np.minimum(clients - 1, size)  # n clients differ in n - 1 directions at most
    least: Floats = _SMALLEST * np.einsum("daa->d", outer)
    differ = (np.arange(float(size)) >= first[:, None]) & (eigenvalues > least[:, None])
    design, place = differ.nonzero()
    return design, (vectors[design, :, place] * np.sqrt(eigenvalues[design, place])[:, None]).T


def _values(column: pl.Series) -> NDArray[Any]:
    """Turn a covariate into floats or text, as for sums per client."""
    if column.dtype.is_numeric():
        return column.cast(pl.Float64).to_numpy()
    return np.array(column.to_list(), dtype=object)
