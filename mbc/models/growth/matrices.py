"""Small matrices: factors and triangles of a covariance."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

Floats = NDArray[np.floating[Any]]

dpotrf, dtrtri = cast("Any", lapack).dpotrf, cast("Any", lapack).dtrtri


def cholesky(matrix: Floats) -> Floats | None:
    """Factor a symmetric matrix, reading its lower triangle; None where it is not positive definite.

    LAPACK directly: for the 2 x 2 to 20 x 20 matrices here, numpy's checks cost several times the work.

    Examples
    --------
    >>> cholesky(np.array([[4.0, 2.0], [2.0, 5.0]])).tolist()
    [[2.0, 0.0], [1.0, 2.0]]
    >>> cholesky(np.array([[1.0, 2.0], [2.0, 1.0]])) is None
    True
    """
    factor, failed = cast("tuple[Floats, int]", dpotrf(matrix, lower=1))
    return None if failed else factor


def inverse_factor(factor: Floats) -> Floats:
    """Invert a lower-triangular matrix.

    Examples
    --------
    >>> inverse_factor(np.array([[2.0, 0.0], [1.0, 2.0]])).tolist()
    [[0.5, 0.0], [-0.25, 0.5]]
    """
    return cast("tuple[Floats, int]", dtrtri(factor, lower=1))[0]


def triangular(factor: Floats) -> Floats:
    """Find the lower-triangular L with L L' = factor factor' and no negative diagonal.

    Examples
    --------
    >>> abs(triangular(np.array([[0.0, 2.0], [1.0, 3.0]]))).round(12).tolist()
    [[2.0, 0.0], [3.0, 1.0]]
    """
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
    columns, rows = np.triu_indices(len(lower))
    return lower[rows, columns]
