"""Each client's cross-products of the time basis and the outcome: all that a growth model keeps of the rows."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mbc.errors import ModelError
from mbc.models.growth.data.rows import Rows
from mbc.models.growth.data.shapes import Shape
from mbc.models.growth.matrices import Floats, symmetric_pairs


@dataclass(frozen=True, slots=True)
class Basis:
    """A time basis made harmless: u = [1, (columns - centre) / spread], about an origin near the data.

    Raw cross-products of calendar years or epoch seconds lose all digits; these do not.
    """

    shape: Shape
    origin: float
    centre: Floats  # (k,)
    spread: Floats  # (k,)

    def columns(self, time: Floats) -> Floats:
        """Evaluate u at these times, (k + 1, n)."""
        out = np.empty((self.centre.size + 1, time.size))
        out[0] = 1.0
        self.fill(out[1:], time)
        return out

    def fill(self, out: Floats, time: Floats) -> None:
        """Write u at these times into ``out``, without the constant; (k, n)."""
        np.subtract(self.shape.columns(time, self.origin), self.centre[:, None], out=out)
        out /= self.spread[:, None]

    def to_raw(self) -> Floats:
        """Matrix T: [1, terms of the shape] = u @ T."""
        size = self.spread.size + 1
        affine = np.zeros((size, size))
        affine[0, 0], affine[0, 1:] = 1.0, self.centre
        affine.ravel()[size + 1 :: size + 1] = self.spread
        return affine @ self.shape.about_zero(self.origin)

    @staticmethod
    def about(shape: Shape, time: Floats) -> Basis:
        """Centre and scale on these times, or on some of them where they are many."""
        some = sampled(time)
        origin, _ = mean_and_deviation(some)
        raw = shape.columns(some, origin)
        moments = [mean_and_deviation(column) for column in raw]
        if some.size < time.size and not all(deviation > 0 for _, deviation in moments):
            raw = shape.columns(time, origin)
            moments = [mean_and_deviation(column) for column in raw]
        deviations = np.array([deviation for _, deviation in moments])
        return Basis(shape, origin, np.array([mean for mean, _ in moments]), spread_of(deviations, shape.name))


ENOUGH = 20_000  # rows that give the constants which centre and scale; they leave no trace in the results


def sampled(values: Floats) -> Floats:
    """Take some of the values where they are many; by the golden section, which falls in step with no schedule."""
    if values.size <= 2 * ENOUGH:
        return values
    return values[(np.arange(ENOUGH) * 0.6180339887498949 % 1.0 * values.size).astype(np.intp)]


def mean_and_deviation(values: Floats) -> tuple[float, float]:
    """Mean and standard deviation, without numpy's detours."""
    mean = float(np.add.reduce(values)) / values.size
    rest = values - mean
    rest *= rest  # no dot product: BLAS would wake its threads for a long one
    return mean, math.sqrt(float(np.add.reduce(rest)) / values.size)


def spread_of(deviations: Floats, name: str) -> Floats:
    """Divisors for the columns; a column that never varies is refused."""
    if not (deviations > 0).all():
        raise ModelError(
            f"time never varies in at least one column of shape {name!r}: every row has the same time, "
            "or no row is beyond a knot. Growth needs scores at two times or more."
        )
    return deviations


@dataclass(frozen=True, slots=True)
class ClientSums:
    """Cross-products per client of u and the centred outcome y; a client is a column.

    In sums per design some columns stand for many clients, see `mbc.models.growth.data.design_sums`.
    """

    ids: NDArray[Any]  # (clients,); empty in sums per design
    uu: Floats  # sum u_a u_b, (k + 1, k + 1, clients)
    uy: Floats  # sum u_a y, (k + 1, clients)
    yy: float  # sum y^2 over all rows
    basis: Basis
    outcome_centre: float  # subtracted from the outcome, then divided by:
    outcome_spread: float
    covariates: dict[str, NDArray[Any]]  # one value per client
    dropped: int
    declared: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])  # order of levels
    stands_for: Floats | None = None  # clients of each column, in sums per design; None where that is one

    @property
    def counts(self) -> Floats:
        """Rows per client of each column."""
        return self.uu[0, 0]

    @property
    def rows(self) -> int:
        """Rows over all clients."""
        return round(float(self.counts.sum() if self.stands_for is None else self.counts @ self.stands_for))

    @property
    def clients(self) -> int:
        """How many clients the columns stand for."""
        return self.uu.shape[2] if self.stands_for is None else round(float(self.stands_for.sum()))

    @property
    def designs(self) -> int | None:
        """How many designs were met; None in sums per client."""
        return None if self.stands_for is None else int(np.count_nonzero(self.stands_for))


def sum_rows(rows: Rows, shape: Shape) -> ClientSums:
    """Sum over each client's rows, centred and scaled on all of them."""
    centre, spread = mean_and_deviation(sampled(rows.outcome))
    if not spread > 0:
        centre, spread = mean_and_deviation(rows.outcome)
    if not spread > 0:
        raise ModelError(f"every score is {centre:g}: there is no variation to model.")
    return sums_about(rows, Basis.about(shape, rows.time), centre, spread)


def sums_about(rows: Rows, basis: Basis, centre: float, spread: float) -> ClientSums:
    """Sum over each client's rows, chunk by chunk so that products never leave the cache."""
    k, clients = len(basis.centre), rows.clients
    lower = [(a, b) for a in range(1, k + 1) for b in range(1, a + 1)]
    sums = np.empty((2 + 2 * k + len(lower), clients))  # of y, u y, 1, u, and u u'
    yy = 0.0
    for part, row in _chunks(rows):
        products = np.empty((len(sums) - 1, row.stop - row.start))
        y, u = products[0], products[k + 1 : 2 * k + 1]
        np.subtract(rows.outcome[row], centre, out=y)
        y /= spread
        basis.fill(u, rows.time[row])
        np.multiply(u, y, out=products[1 : k + 1])
        for place, (a, b) in enumerate(lower, start=2 * k + 1):
            np.multiply(u[a - 1], u[b - 1], out=products[place])
        yy += float(y @ y)
        by_client = _added(products, rows, part, row.start)
        sums[: k + 1, part], sums[k + 2 :, part] = by_client[: k + 1], by_client[k + 1 :]
    sums[k + 1] = rows.lengths
    if k == 1:
        uu = symmetric_pairs(sums[2:])
    else:
        uu = np.empty((k + 1, k + 1, clients))
        uu[0], uu[1:, 0] = sums[k + 1 : 2 * k + 2], sums[k + 2 : 2 * k + 2]
        for (a, b), column in zip(lower, sums[2 * k + 2 :], strict=True):
            uu[a, b] = uu[b, a] = column
    return ClientSums(
        rows.ids, uu, sums[: k + 1], yy, basis, centre, spread, rows.covariates, rows.dropped, rows.declared
    )


def _added(products: Floats, rows: Rows, part: slice, start: int) -> Floats:
    """Add up each client's part of every row of products; (rows, clients of the part)."""
    if rows.first is None:
        sums = [np.bincount(rows.codes, product, minlength=rows.clients) for product in products]
        return np.array(sums, dtype=np.float64)
    return np.add.reduceat(products, rows.first[part] - start, axis=1)


_CHUNK = 8192  # rows: below the size where OpenBLAS gives a dot product to other threads


def _chunks(rows: Rows) -> list[tuple[slice, slice]]:
    """Clients and their rows, in pieces; one piece where clients' rows are scattered."""
    n = rows.time.size
    if rows.first is None or n <= 2 * _CHUNK:
        return [(slice(0, rows.clients), slice(0, n))]
    cuts = np.unique(np.searchsorted(rows.first, np.arange(_CHUNK, n, _CHUNK)))
    cuts = cuts[cuts < rows.clients]
    clients = [0, *cuts.tolist(), rows.clients]
    edges = [0, *rows.first[cuts].tolist(), n]
    return [(slice(clients[i], clients[i + 1]), slice(edges[i], edges[i + 1])) for i in range(len(edges) - 1)]
