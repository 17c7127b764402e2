"""What forecasts of clients left out of the fit were worth: their bias, and how far off they were.

A fitted variance is only an expectation; these tables show what happened to clients not used in the fit. They are
kept along a coordinate (the session, the time, or the time ahead) and by thirds of severity at intake, smoothed
along the coordinate, and hold no client's own numbers: only quantiles over at least a few dozen clients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mbc.models.change.inputs.distributions import normal_below, normal_quantile
from mbc.models.forecast.course_model.histories import Indices
from mbc.models.forecast.course_model.rounded_numbers import rounded
from mbc.models.growth.matrices import Floats

SHARES = np.array([0.01, 0.025, *np.arange(1, 20) / 20, 0.975, 0.99])
WIDTH = 0.35  # of the kernel along the coordinate, in log units: neighbours within about 40 % count
_LEAST_IN_THIRD = 40  # effective clients; with fewer, all thirds are taken together
_RIDGE = 5.0  # clients' worth of evidence for slopes of 0


@dataclass(frozen=True, slots=True)
class LocalLine:
    """A linear prediction whose coefficients drift along a coordinate: level + slopes'(x - center)."""

    grid: Floats  # (g,)
    center: Floats  # (g, p)
    level: Floats  # (g,)
    slopes: Floats  # (g, p)

    def at(self, coordinate: Floats, x: Floats) -> Floats:
        """Predict at coordinates (n,) from predictors (n, p)."""
        place = _place(coordinate, self.grid)
        below = place.astype(int)
        above = np.minimum(below + 1, self.grid.size - 1)
        part = place - below
        ends = [self.level[i] + ((x - self.center[i]) * self.slopes[i]).sum(axis=1) for i in (below, above)]
        return (1 - part) * ends[0] + part * ends[1]


@dataclass(frozen=True, slots=True)
class Spreads:
    """Quantiles of standardised forecast errors, by coordinate and third of severity at intake."""

    grid: Floats  # (g,)
    thirds: Floats  # (2,), severities between the thirds
    quantiles: Floats  # (g, 3, len(SHARES))
    clients: Floats  # (g, 3), effective number

    def at(self, coordinate: Floats, severity: Floats) -> tuple[Floats, Floats]:
        """Quantiles (n, len(SHARES)) and effective clients (n,) at each coordinate."""
        third = np.searchsorted(self.thirds, severity)
        place = _place(coordinate, self.grid)
        below = np.minimum(place.astype(int), max(self.grid.size - 2, 0))
        above = np.minimum(below + 1, self.grid.size - 1)
        part = np.where(above > below, place - below, 0.0)[:, None]
        quantiles = (1 - part) * self.quantiles[below, third] + part * self.quantiles[above, third]
        clients = np.minimum(self.clients[below, third], self.clients[above, third])
        return quantiles, clients


def fit_line(coordinate: Floats, x: Floats, y: Floats, grid: Floats, *, width: float) -> LocalLine:
    """Fit a line about each point of the grid by weighted least squares, its slopes shrunken a little towards 0.

    Parameters
    ----------
    coordinate : ndarray, shape (rows,)
    x : ndarray, shape (rows, p)
        Predictors.
    y : ndarray, shape (rows,)
    grid : ndarray, shape (g,)
        Where lines are wanted.
    width : float
        Standard deviation of the Gaussian kernel along the coordinate.
    """
    # rows at one coordinate weigh alike: what is needed of them are their sums of products
    places, place = np.unique(coordinate, return_inverse=True)
    origin = np.append(x.mean(axis=0), y.mean())
    rows = np.column_stack([np.ones(y.size), x - origin[:-1], y - origin[-1]])
    width_of_x = int(x.shape[1])
    sums = np.array(
        [[np.bincount(place, rows[:, a] * rows[:, b], places.size) for b in range(width_of_x + 2)]
         for a in range(width_of_x + 2)]
    )  # fmt: skip
    center, level, slopes = (
        np.zeros((grid.size, width_of_x)),
        np.zeros(grid.size),
        np.zeros((grid.size, width_of_x)),
    )
    for i, point in enumerate(grid):
        weight = _kernel(places, point, width)
        products = sums @ (weight / weight.max())
        total = products[0, 0]
        mean = products[0, 1:] / total
        around = products[1:, 1:] - total * np.outer(mean, mean)
        spread = np.sqrt(np.maximum(np.diagonal(around)[:-1], 0.0) / total) + 1e-9
        gram = around[:-1, :-1] / np.outer(spread, spread) + _RIDGE * np.eye(width_of_x)
        center[i], level[i] = origin[:-1] + mean[:-1], origin[-1] + mean[-1]
        slopes[i] = np.linalg.solve(gram, around[:-1, -1] / spread) / spread
    return LocalLine(grid, center, level, slopes)


def fit_spreads(
    coordinate: Floats, severity: Floats, standardised: Floats, client: Indices, grid: Floats, thirds: Floats
) -> Spreads:
    """Find the quantiles of standardised errors about each point of the grid.

    Parameters
    ----------
    coordinate, severity, standardised : ndarray, shape (rows,)
        Severity is the distance of the intake score from the healthy end, in score points; errors are
        (observed - expected) / spread of clients that the model had not seen.
    client : ndarray of int, shape (rows,)
        Whose they are; several rows of one client count less than as many clients.
    grid : ndarray
        Where quantiles are wanted.
    thirds : ndarray, shape (2,)
        Severities between the thirds.
    """
    third = np.searchsorted(thirds, severity)
    quantiles, clients = np.zeros((grid.size, 3, SHARES.size)), np.zeros((grid.size, 3))
    order = np.argsort(standardised, kind="stable")
    coordinate, third, standardised, client = coordinate[order], third[order], standardised[order], client[order]
    own = [np.flatnonzero(third == j) for j in range(3)]
    for i, point in enumerate(grid):
        kernel = _kernel(coordinate, point, WIDTH)
        for j, rows in enumerate(own):
            weight, values, n = kernel[rows], standardised[rows], _effective(kernel[rows], client[rows])
            if n < _LEAST_IN_THIRD:
                weight, values, n = kernel, standardised, _effective(kernel, client)
            quantiles[i, j] = rounded(_conformal(values, weight, n))
            clients[i, j] = n
    return Spreads(grid, thirds, quantiles, clients)


def share_below(quantiles: Floats, value: Floats) -> Floats:
    """Share of errors below a standardised value: interpolated, with normal tails beyond the outer quantiles.

    Parameters
    ----------
    quantiles : ndarray, shape (n, len(SHARES))
    value : ndarray, shape (n,)
    """
    below = np.clip((quantiles <= value[:, None]).sum(axis=1) - 1, 0, SHARES.size - 2)
    row = np.arange(value.size)
    start, step = quantiles[row, below], quantiles[row, below + 1] - quantiles[row, below]
    part = np.divide(value - start, step, out=np.ones(value.size), where=step > 0)
    share = SHARES[below] + np.clip(part, 0.0, 1.0) * (SHARES[below + 1] - SHARES[below])
    for edge, outside in ((0, value < quantiles[:, 0]), (-1, value > quantiles[:, -1])):
        reach = np.abs(quantiles[:, edge]) + 1e-9
        tail = normal_below(normal_quantile(float(SHARES[edge])) * np.maximum(np.abs(value) / reach, 1.0))
        share = np.where(outside, tail, share)
    return share


def quantile_at(quantiles: Floats, share: float) -> Floats:
    """Interpolate in rows of quantiles, (n, len(SHARES)), at one share."""
    below = int(np.clip(np.searchsorted(SHARES, share, side="right") - 1, 0, SHARES.size - 2))
    part = float(np.clip((share - SHARES[below]) / (SHARES[below + 1] - SHARES[below]), 0.0, 1.0))
    return (1.0 - part) * quantiles[:, below] + part * quantiles[:, below + 1]


def _place(coordinate: Floats, grid: Floats) -> Floats:
    # a coordinate that is a point of the grid is exactly there, also after a model was written to a file
    return np.round(np.interp(coordinate, grid, np.arange(grid.size)), 9)


def _kernel(coordinate: Floats, point: float, width: float) -> Floats:
    # the nearest rows always count, also for a point beyond them all
    away = np.abs(coordinate - point)
    return np.exp(-0.5 * ((away - away.min()) / width) ** 2)


def _effective(weight: Floats, client: Indices) -> float:
    """Kish's effective sample size over clients."""
    per_client = np.bincount(client, weight)
    squares = float(per_client @ per_client)
    return float(per_client.sum()) ** 2 / squares if squares else 0.0


def _conformal(ordered: Floats, weight: Floats, n: float) -> Floats:
    """Weighted quantiles at ranks (n + 1) p, as split-conformal prediction takes them."""
    held = weight > 0
    share = weight[held] / weight[held].sum()
    reached = ((np.cumsum(share) - 0.5 * share) * n + 0.5) / (n + 1)  # i / (n + 1) where all weigh the same
    return np.interp(SHARES, reached, ordered[held])
