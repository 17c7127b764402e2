"""Each client's cross-products of the time basis and the outcome: all that a growth model keeps of the rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mbc.errors import ModelError
from mbc.models.growth.matrices import Floats
from mbc.models.growth.rows import Rows
from mbc.models.growth.shapes import Shape


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
        raw = self.shape.columns(time, self.origin)
        out = np.empty((raw.shape[0] + 1, raw.shape[1]))
        out[0] = 1.0
        np.subtract(raw, self.centre[:, None], out=out[1:])
        out[1:] /= self.spread[:, None]
        return out

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
        found = [mean_and_deviation(column) for column in raw]
        if some.size < time.size and not all(deviation > 0 for _, deviation in found):
            raw = shape.columns(time, origin)
            found = [mean_and_deviation(column) for column in raw]
        deviations = np.array([deviation for _, deviation in found])
        return Basis(shape, origin, np.array([mean for mean, _ in found]), spread_of(deviations, shape.name))


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
            "or no row lies beyond a knot. Growth needs scores at two times or more."
        )
    return deviations


@dataclass(frozen=True, slots=True)
class ClientSums:
    """Cross-products per client of u and the centred outcome y; a client is a column."""

    ids: NDArray[Any]  # (clients,)
    uu: Floats  # sum u_a u_b, (k + 1, k + 1, clients)
    uy: Floats  # sum u_a y, (k + 1, clients)
    yy: float  # sum y^2 over all rows
    basis: Basis
    outcome_centre: float  # subtracted from the outcome, then divided by:
    outcome_spread: float
    covariates: dict[str, NDArray[Any]]  # one value per client
    dropped: int

    @property
    def counts(self) -> Floats:
        """Rows per client."""
        return self.uu[0, 0]

    @property
    def rows(self) -> int:
        """Rows over all clients."""
        return round(float(self.counts.sum()))


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
    k1, clients = len(basis.centre) + 1, rows.clients
    uu, uy = np.empty((k1, k1, clients)), np.empty((k1, clients))
    yy = 0.0
    for part, row in _chunks(rows):
        codes = rows.codes[row] - part.start
        size = part.stop - part.start
        u = basis.columns(rows.time[row])
        y = (rows.outcome[row] - centre) / spread
        uu[0, 0, part] = np.bincount(codes, minlength=size)
        uy[0, part] = np.bincount(codes, y, minlength=size)
        yy += float(y @ y)
        for a in range(1, k1):
            uu[0, a, part] = uu[a, 0, part] = np.bincount(codes, u[a], minlength=size)
            uy[a, part] = np.bincount(codes, u[a] * y, minlength=size)
            for b in range(1, a + 1):
                uu[b, a, part] = uu[a, b, part] = np.bincount(codes, u[a] * u[b], minlength=size)
    return ClientSums(rows.ids, uu, uy, yy, basis, centre, spread, rows.covariates, rows.dropped)


_CHUNK = 8192  # rows: below the size where OpenBLAS gives a dot product to other threads


def _chunks(rows: Rows) -> list[tuple[slice, slice]]:
    """Clients and their rows, in pieces; one piece where clients' rows are scattered."""
    n = rows.codes.size
    if not rows.contiguous or n <= 2 * _CHUNK:
        return [(slice(0, rows.clients), slice(0, n))]
    cuts = np.unique(rows.codes[_CHUNK::_CHUNK])
    ends = np.searchsorted(rows.codes, cuts)
    clients = [0, *cuts.tolist(), rows.clients]
    edges = [0, *ends.tolist(), n]
    return [
        (slice(clients[i], clients[i + 1]), slice(edges[i], edges[i + 1]))
        for i in range(len(edges) - 1)
        if edges[i + 1] > edges[i]
    ]
