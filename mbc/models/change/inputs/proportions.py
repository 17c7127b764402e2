"""How sure a rate is, given how many people it rests on."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.distributions import two_sided
from mbc.models.results.result import Result


@dataclass(frozen=True, slots=True)
class Proportion(Result):
    """A rate with its interval; all ``None`` when nobody was counted."""

    count: int
    n: int
    estimate: float | None  # 0 to 1
    lower: float | None
    upper: float | None
    confidence: float


@checked
def wilson_interval(k: int, n: int, confidence: float = 0.95) -> Proportion:
    """Give the Wilson score interval of ``k`` out of ``n``.

    Parameters
    ----------
    k, n : int
        People with the outcome, and people counted; 0 <= k <= n.
    confidence : float
        Two-sided coverage, 0 to 1.

    Raises
    ------
    ModelError
        If ``k`` is not between 0 and ``n``.

    References
    ----------
    .. [1] Wilson (1927), doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> rate = wilson_interval(8, 10)
    >>> round(rate.lower, 4), round(rate.upper, 4)
    (0.4902, 0.9433)
    """
    if not 0 <= k <= n:
        raise ModelError(f"k must be between 0 and n, got k={k}, n={n}.")
    if not 0.0 < confidence < 1.0:
        raise ModelError(f"confidence must be in (0, 1), got {confidence:g}. Is it a percentage?")
    if n == 0:
        return Proportion(0, 0, None, None, None, confidence)
    lower, upper = wilson_bounds(k / n, n, confidence)
    return Proportion(k, n, k / n, lower, upper, confidence)


def wilson_bounds(p: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Give the Wilson score interval of a share of ``n`` people; ``n`` may be an effective number.

    Examples
    --------
    >>> [round(bound, 4) for bound in wilson_bounds(0.8, 10)]
    [0.4902, 0.9433]
    """
    z = two_sided(confidence)
    scale = 1.0 + z * z / n
    centre = (p + z * z / (2 * n)) / scale
    half = z / scale * math.sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n))
    return 0.0 if p == 0 else max(0.0, centre - half), 1.0 if p == 1 else min(1.0, centre + half)
