"""How well keyed items go together, from their covariances: alpha, and items that run against the rest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MANY_ROWS = 200  # complete questionnaires; fewer say little about how items go together
_STANDARD_ERRORS = 4.0  # below zero, before a correlation counts as negative
_SEVERAL, _SINGLE = 0.15, 0.3  # how far below zero several items, or a single one, must be


def alpha_of(covariance: NDArray[np.float64], signs: NDArray[np.float64]) -> float | None:
    """Cronbach's alpha of items counted with these signs; None where their sum does not vary.

    Examples
    --------
    >>> round(alpha_of(np.array([[1.0, 0.5], [0.5, 1.0]]), np.ones(2)), 3)
    0.667
    """
    count, total = len(signs), float(signs @ covariance @ signs)
    if count < 2 or total <= 1e-12 * float(np.trace(covariance)):
        return None
    return count / (count - 1) * (1 - float(np.trace(covariance)) / total)


def item_rest_of(covariance: NDArray[np.float64], signs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlation of each item with the sum of the others, all with these signs; 0 where either is constant.

    Examples
    --------
    >>> item_rest_of(np.array([[1.0, 0.5], [0.5, 1.0]]), np.array([1.0, -1.0]))
    array([-0.5, -0.5])
    """
    own = np.diag(covariance)
    with_sum = signs * (covariance @ signs)
    rest = float(signs @ covariance @ signs) - 2 * with_sum + own
    scale = np.sqrt(np.maximum(own * rest, 0.0))
    return np.divide(with_sum - own, scale, out=np.zeros_like(scale), where=scale > 0)


def run_against(correlations: NDArray[np.float64], rows: int) -> list[int]:
    """Places of items that run against the rest of their scale beyond chance, as under a wrong key or item order.

    Parameters
    ----------
    correlations : ndarray, shape (items,)
        Of each item with the rest.
    rows : int
        Complete questionnaires.

    Notes
    -----
    At least 200 questionnaires, a correlation four standard errors (``1 / sqrt(rows)``) below zero, and below -.15
    where there are several such items, -.3 where there is a single one: an item that hardly belongs to its scale
    is no sign of a wrong key. A convention of ours; its false alarms are measured in the tests.

    Examples
    --------
    >>> run_against(np.array([0.5, -0.4, 0.6]), 400), run_against(np.array([0.5, -0.4, 0.6]), 40)
    ([1], [])
    """
    if rows < MANY_ROWS:
        return []
    noise = _STANDARD_ERRORS / float(np.sqrt(rows))
    several = np.flatnonzero(correlations < -max(_SEVERAL, noise)).tolist()
    return several if len(several) > 1 else [n for n in several if correlations[n] < -max(_SINGLE, noise)]
