"""How well does a number predict an outcome: discrimination, a threshold, and its error rates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mbc.models.growth.matrices import Floats


@dataclass(frozen=True, slots=True)
class Screening:
    """The accuracy of a threshold; proportions are None where nobody can be counted."""

    n: int
    cases: int  # with the outcome
    flagged: float | None  # share of all
    sensitivity: float | None
    specificity: float | None
    ppv: float | None  # share of the flagged who had the outcome
    npv: float | None


def area_under_curve(value: Floats, outcome: NDArray[np.bool_]) -> float | None:
    """Chance that one with the outcome has a higher value than one without; ties count half.

    Returns None where everybody or nobody has the outcome.

    References
    ----------
    .. [1] Hanley & McNeil (1982), doi:10.1148/radiology.143.1.7063747: the area is the Wilcoxon statistic.

    Examples
    --------
    >>> p = np.array([0.9, 0.8, 0.7, 0.55, 0.5, 0.4, 0.35, 0.2, 0.15, 0.1])
    >>> area_under_curve(p, np.array([1, 1, 0, 1, 0, 1, 0, 0, 0, 0], dtype=bool))
    0.875
    """
    cases = int(np.count_nonzero(outcome))
    others = outcome.size - cases
    if not cases or not others:
        return None
    ranks = pl.Series(value).rank("average").to_numpy()[outcome].sum()
    return float((ranks - cases * (cases + 1) / 2) / (cases * others))


def screen(flag: NDArray[np.bool_], outcome: NDArray[np.bool_]) -> Screening:
    """Count what a flag got right.

    Examples
    --------
    >>> flag, outcome = np.array([1, 1, 0, 0], dtype=bool), np.array([1, 0, 0, 0], dtype=bool)
    >>> found = screen(flag, outcome)
    >>> found.sensitivity, found.ppv, round(found.specificity, 3)
    (1.0, 0.5, 0.667)
    """
    both = int(np.count_nonzero(flag & outcome))
    flagged, cases = int(np.count_nonzero(flag)), int(np.count_nonzero(outcome))
    neither = flag.size - flagged - cases + both
    return Screening(
        n=flag.size,
        cases=cases,
        flagged=_share(flagged, flag.size),
        sensitivity=_share(both, cases),
        specificity=_share(neither, flag.size - cases),
        ppv=_share(both, flagged),
        npv=_share(neither, flag.size - flagged),
    )


def best_threshold(value: Floats, outcome: NDArray[np.bool_], *, most: float = 1.0) -> float | None:
    """Find the value at or above which to flag so that sensitivity + specificity is largest.

    Parameters
    ----------
    value : ndarray, shape (n,)
    outcome : ndarray of bool, shape (n,)
    most : float
        Largest share that may be flagged.

    Returns
    -------
    float or None
        None where everybody or nobody has the outcome.

    References
    ----------
    .. [1] Youden (1950), doi:10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3.
    """
    cases = int(np.count_nonzero(outcome))
    if not cases or cases == outcome.size:
        return None
    order = np.argsort(-value, kind="stable")
    hits = np.cumsum(outcome[order]) / cases
    alarms = np.cumsum(~outcome[order]) / (outcome.size - cases)
    ends = np.append(np.diff(value[order]) != 0, True)  # a threshold takes all of equal value
    allowed = ends & (np.arange(1, outcome.size + 1) <= most * outcome.size)
    if not allowed.any():
        return None
    gain = np.where(allowed, hits - alarms, -np.inf)
    return float(value[order][int(np.argmax(gain))])


def _share(part: int, total: int) -> float | None:
    return part / total if total else None


def resampled_area(value: Floats, outcome: NDArray[np.bool_], weights: Floats) -> Floats:
    """Area under the curve in samples that draw each person so many times, ``weights`` (samples, people).

    NaN where a sample holds only people with, or only people without the outcome.
    """
    order = np.argsort(value, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(value[order]) != 0))
    drawn = weights[:, order]
    cases = np.add.reduceat(drawn * outcome[order], starts, axis=1)
    others = np.add.reduceat(drawn * ~outcome[order], starts, axis=1)
    below = np.cumsum(others, axis=1) - 0.5 * others
    pairs = cases.sum(axis=1) * others.sum(axis=1)
    return np.divide((cases * below).sum(axis=1), pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)
