"""Small matrices: factors and triangles of a covariance."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

Floats = NDArray[np.floating[Any]]

# LAPACK directly: for the 2 x 2 to 20 x 20 matrices here, numpy's checks cost several times the work.
_lapack = cast("Any", lapack)
dpotrf: Callable[..., tuple[Floats, int]] = _lapack.dpotrf
dposv: Callable[..., tuple[Floats, Floats, int]] = _lapack.dposv
dtrtri: Callable[..., tuple[Floats, int]] = _lapack.dtrtri
dgetrf: Callable[..., tuple[Floats, NDArray[np.int32], int]] = _lapack.dgetrf
dgetri: Callable[..., tuple[Floats, int]] = _lapack.dgetri


def cholesky(matrix: Floats) -> Floats | None:
    """Factor a symmetric matrix, reading its lower triangle; None where it is not positive definite.

    Examples
    --------
    >>> cholesky(np.array([[4.0, 2.0], [2.0, 5.0]])).tolist()
    [[2.0, 0.0], [1.0, 2.0]]
    >>> cholesky(np.array([[1.0, 2.0], [2.0, 1.0]])) is None
    True
    """
    factor, failed = dpotrf(matrix, lower=1)
    return None if failed else factor


def symmetric_pairs(rows: Floats) -> Floats:
    """See three rows (first, both, second) as a symmetric 2 x 2 matrix per column, (2, 2, n); only to be read.

    Examples
    --------
    >>> symmetric_pairs(np.array([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]))[:, :, 1].tolist()
    [[4.0, 5.0], [5.0, 6.0]]
    """
    if not rows.flags.c_contiguous:
        return rows[[0, 1, 1, 2]].reshape(2, 2, -1)
    down, along = rows.strides
    return np.ndarray((2, 2, rows.shape[1]), rows.dtype, rows, strides=(down, down, along))


def solve_positive(matrix: Floats, right: Floats) -> Floats:
    """Solve a positive definite system; a general one where rounding has taken that.

    Examples
    --------
    >>> solve_positive(np.array([[4.0, 2.0], [2.0, 5.0]]), np.array([2.0, 5.0])).tolist()
    [0.0, 1.0]
    """
    _, solution, failed = dposv(matrix, right, lower=1)
    return np.linalg.solve(matrix, right) if failed else solution


def inverse_factor(factor: Floats) -> Floats:
    """Invert a lower-triangular matrix.

    Examples
    --------
    >>> inverse_factor(np.array([[2.0, 0.0], [1.0, 2.0]])).tolist()
    [[0.5, 0.0], [-0.25, 0.5]]
    """
    return dtrtri(factor, lower=1)[0]


def inverse(matrix: Floats) -> Floats:
    """Invert a square matrix.

    Examples
    --------
    >>> inverse(np.array([[2.0, 1.0], [0.0, 4.0]])).tolist()
    [[0.5, -0.125], [0.0, 0.25]]
    """
    parts, pivots, failed = dgetrf(matrix)
    if failed:
        raise np.linalg.LinAlgError("singular matrix")
    return dgetri(parts, pivots)[0]


def log_determinant(matrix: Floats) -> float:
    """Logarithm of the absolute determinant of a square matrix.

    Examples
    --------
    >>> round(log_determinant(np.array([[0.0, 2.0], [3.0, 1.0]])), 12) == round(math.log(6), 12)
    True
    """
    return sum(math.log(abs(pivot)) for pivot in dgetrf(matrix)[0].diagonal().tolist())


def triangular(factor: Floats) -> Floats:
    """Find the lower-triangular L with L L' = factor factor' and no negative diagonal.

    Examples
    --------
    >>> abs(triangular(np.array([[0.0, 2.0], [1.0, 3.0]]))).round(12).tolist()
    [[2.0, 0.0], [3.0, 1.0]]
    """
    if len(factor) == 2:
        (a, b), (c, d) = factor.tolist()
        first = math.hypot(a, b)
        along = (a * c + b * d) / first if first > 0 else 0.0
        left = abs(a * d - b * c) / first if first > 0 else math.hypot(c, d)
        return np.array([[first, 0.0], [along, left]])
    lower = cast("Floats", np.linalg.qr(factor.T, mode="r")).T
    return lower * np.where(lower.diagonal() < 0, -1.0, 1.0)


def factor_of(covariance: Floats) -> Floats:
    """Find the lower-triangular factor of a positive semidefinite matrix."""
    values, vectors = np.linalg.eigh(covariance)
    return triangular(vectors * np.sqrt(np.maximum(values, 0.0)))


def by_columns(lower: Floats) -> Floats:
    """List a lower triangle by columns, as lme4 does.

    Examples
    --------
    >>> by_columns(np.array([[1.0, 0.0], [2.0, 3.0]])).tolist()
    [1.0, 2.0, 3.0]
    """
    columns, rows = triangle(len(lower))
    return lower[rows, columns]


@lru_cache
def triangle(size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Columns and rows of a lower triangle, by columns."""
    columns, rows = np.triu_indices(size)
    return columns, rows
