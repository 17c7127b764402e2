"""How much more units differ than chance alone would make them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mbc.models.change.inputs.score_arrays import FloatArray

FEWEST_UNITS = 10
"""With fewer units their spread says too little: the limits stay those of chance."""
WINSORISED = 0.1


def overdispersion(counts: Sequence[int], sizes: Sequence[int], target: float) -> float:
    """Estimate the factor by which rates vary more than binomially, from winsorised z-scores.

    Parameters
    ----------
    counts, sizes : sequence of int
        Of each unit: clients with the outcome, and clients; sizes > 0.
    target : float
        The rate of all, 0 to 1.

    Returns
    -------
    float
        A factor of the variance, 1 or more; 1 for fewer than 10 units, or where every rate is 0 or 1.

    Notes
    -----
    ``z = (rate - target) / sqrt(target (1 - target) / n)``; the lowest and highest tenth of the z are set to the
    10 % and 90 % quantile, so that the units which a funnel is to show do not widen its limits; the factor is the
    mean of the squares [1]_. Below 1 it is not used.

    References
    ----------
    .. [1] Spiegelhalter (2005), Funnel plots for comparing institutional performance, doi:10.1002/sim.1970.

    Examples
    --------
    >>> overdispersion([20, 30] * 5, [50] * 10, 0.5)
    2.0
    """
    if len(counts) < FEWEST_UNITS or not 0 < target < 1:
        return 1.0
    n = np.array(sizes, dtype=float)
    z = (np.array(counts, dtype=float) / n - target) / np.sqrt(target * (1 - target) / n)
    return max(1.0, round(float(np.mean(_winsorised(z) ** 2)), 12))


def variance_beyond_chance(differences: Sequence[float], errors: Sequence[float]) -> float:
    """Estimate the variance by which units differ beyond chance, for the limits of a funnel of means.

    Parameters
    ----------
    differences, errors : sequence of float
        Of each unit: its difference from what is expected, and the standard error that it has by chance; > 0.

    Returns
    -------
    float
        0 or more; 0 for fewer than 10 units.

    Notes
    -----
    With ``z = difference / error``, winsorised as for rates, phi the mean of the I squares and
    ``w = 1 / error^2``: ``tau^2 = (I phi - (I - 1)) / (sum w - sum w^2 / sum w)``, 0 where that is negative [1]_.
    Limits about an expectation are ``z sqrt(error^2 + tau^2)`` from it.

    References
    ----------
    .. [1] Spiegelhalter (2005), Funnel plots for comparing institutional performance, doi:10.1002/sim.1970.

    Examples
    --------
    >>> round(variance_beyond_chance([2.0, -2.0] * 5, [1.0] * 10), 4)
    3.4444
    """
    if len(differences) < FEWEST_UNITS:
        return 0.0
    z = np.array(differences, dtype=float) / np.array(errors, dtype=float)
    w = 1 / np.array(errors, dtype=float) ** 2
    squares = float(np.sum(_winsorised(z) ** 2))
    return max(0.0, (squares - (z.size - 1)) / float(w.sum() - np.sum(w**2) / w.sum()))


def _winsorised(z: FloatArray) -> FloatArray:
    """Set the lowest and highest tenth to the 10 % and 90 % quantile."""
    return np.clip(z, *np.quantile(z, (WINSORISED, 1 - WINSORISED)))
