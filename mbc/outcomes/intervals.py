"""How sure a rate is when clients of one clinician resemble each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mbc.models.change.inputs.distributions import normal_quantile, t_quantile

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Clustered:
    """A proportion with its limits, clients counted within clinicians."""

    estimate: float
    lower: float
    upper: float
    clusters: int  # clinicians with somebody in the denominator
    design_effect: float  # variance relative to independent clients; 1 where clustering cannot be seen


def clustered_interval(numerators: Sequence[int], denominators: Sequence[int]) -> Clustered | None:
    """Give a proportion and its limits from the counts of each cluster.

    Parameters
    ----------
    numerators, denominators : sequence of int
        Counts of each clinician. Clusters without anybody in the denominator are left out.

    Returns
    -------
    Clustered or None
        None where the denominator is zero.

    Notes
    -----
    The variance of a ratio between k clusters is ``k / (k - 1) * sum((x_i - p n_i)^2) / n^2``, the linearised
    variance of a ratio estimator (Cochran 1977, Sampling Techniques). The design effect is that divided by
    ``p (1 - p) / n``, and never taken below 1: with few clinicians a value below 1 is chance. Wilson's limits are
    then computed for ``n / design effect`` people. Where it is above 1, the normal quantile is replaced by that of
    t with k - 1 degrees of freedom (as Korn & Graubard 1998 do for exact limits). With one cluster, or all alike,
    the limits are Wilson's (1927).

    Examples
    --------
    >>> alike = clustered_interval([12], [32])
    >>> round(alike.lower, 4), round(alike.upper, 4)
    (0.2293, 0.5475)
    >>> clustered_interval([12, 0], [16, 16]).design_effect > 10
    True
    """
    pairs = [(x, n) for x, n in zip(numerators, denominators, strict=True) if n > 0]
    total = sum(n for _, n in pairs)
    if total == 0:
        return None
    estimate = sum(x for x, _ in pairs) / total
    effect = _design_effect(pairs, estimate, total)
    z = normal_quantile(0.5 + LEVEL / 2)
    if effect > 1:
        z = t_quantile(len(pairs) - 1, 0.5 + LEVEL / 2)
    lower, upper = _wilson(estimate, total / effect, z)
    return Clustered(estimate, lower, upper, len(pairs), effect)


def _design_effect(pairs: Sequence[tuple[int, int]], estimate: float, total: int) -> float:
    clusters = len(pairs)
    independent = estimate * (1 - estimate) / total
    if clusters < 2 or independent == 0:
        return 1.0
    between = sum((x - estimate * n) ** 2 for x, n in pairs) * clusters / (clusters - 1) / total**2
    return max(1.0, between / independent)


def _wilson(estimate: float, size: float, z: float) -> tuple[float, float]:
    square = z * z / size
    middle = (estimate + square / 2) / (1 + square)
    half = z * math.sqrt(estimate * (1 - estimate) / size + square / (4 * size)) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)
