"""Small matrices: factors and triangles of a covariance."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


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
