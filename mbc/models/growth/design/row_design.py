"""From any rows of X, Z and y to the statistics of one model: the entry point for formulas."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mbc.models.growth.design.design import Design, independent_columns, residualised
from mbc.models.growth.design.statistics import Statistics, blocked
from mbc.models.growth.matrices import Floats


def row_design(
    x: Floats,
    z: Floats,
    y: Floats,
    codes: NDArray[np.intp],
    *,
    x_names: Sequence[str],
    z_names: Sequence[str],
    centre_effects: bool = True,
) -> Design:
    """Centre, scale, take the least-squares fit off y, and sum products over clients.

    Parameters
    ----------
    x : ndarray, shape (n, p)
        Fixed-effect columns.
    z : ndarray, shape (n, q)
        Random-effect columns.
    y : ndarray, shape (n,)
        Outcome.
    codes : ndarray of int, shape (n,)
        Client of each row, 0, 1, ...
    x_names, z_names : sequence of str
        Names for the report.
    centre_effects : bool
        Whether the random effects' covariance is unstructured, so that Z may be centred.
    """
    inner_x, x_map, constant = _centred(x)
    inner_z, z_map, _ = _centred(z) if centre_effects else _scaled(z)
    centre = float(y.mean()) if constant is not None else 0.0
    spread = float((y - centre).std()) or 1.0
    outcome = (y - centre) / spread
    columns = np.vstack([inner_x, outcome])
    pooled = columns @ columns.T
    kept, fill = independent_columns(pooled[:-1, :-1])
    least, _ = residualised(pooled[np.ix_([*kept, -1], [*kept, -1])])
    columns = columns[[*kept, -1]]
    columns[-1] -= least @ columns[:-1]
    more, rest = residualised(columns @ columns.T)  # what rounding left of the fit
    columns[-1] -= more @ columns[:-1]
    least = least + more
    if constant is not None:
        least[kept.index(constant)] += centre / spread
    return Design(
        statistics_of(inner_z, columns, codes, rest),
        tuple(x_names[j] for j in kept),
        tuple(name for j, name in enumerate(x_names) if j not in kept),
        fill @ x_map[:, kept],
        tuple(z_names),
        z_map,
        least,
        spread,
    )


def statistics_of(z: Floats, columns: Floats, codes: NDArray[np.intp], pooled: Floats) -> Statistics:
    """Sum products of Z with itself and with the columns [X y] over each client's rows."""
    clients = int(codes[-1 if (codes[1:] >= codes[:-1]).all() else codes.argmax()]) + 1
    q, m = len(z), len(columns)
    s, b = np.empty((q, q, clients)), np.empty((q, m, clients))
    for i in range(q):
        for j in range(i + 1):
            s[i, j] = s[j, i] = np.bincount(codes, z[i] * z[j], minlength=clients)
        for j in range(m):
            b[i, j] = np.bincount(codes, z[i] * columns[j], minlength=clients)
    return Statistics(blocked(s, b), pooled, columns.shape[1])


def _centred(raw: Floats) -> tuple[Floats, Floats, int | None]:
    """Turn columns into rows, scaled, and centred if one of them is constant.

    Returns the inner columns (k, n), the matrix with raw = inner' @ it, and the constant's place.
    """
    low, high = raw.min(axis=0), raw.max(axis=0)
    constants = np.flatnonzero((low == high) & (low != 0))
    if not constants.size:
        return _scaled(raw)
    place = int(constants[0])
    mean = raw.mean(axis=0)
    inner = (raw - mean).T
    spread = inner.std(axis=1)
    spread = np.where(spread > 0, spread, 1.0)
    inner /= spread[:, None]
    inner[place] = 1.0
    back = np.diag(spread)
    back[place] = mean  # of the constant itself: its value
    return inner, back, place


def _scaled(raw: Floats) -> tuple[Floats, Floats, int | None]:
    size = np.sqrt((raw * raw).mean(axis=0))
    size = np.where(size > 0, size, 1.0)
    return (raw / size).T.copy(), np.diag(size), None
