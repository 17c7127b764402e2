"""How far a rate could be off because outcomes are missing: worst and best case, without any assumption."""

from __future__ import annotations


def bounds(certain: int, unknown: int, total: int) -> tuple[float, float] | None:
    """Give the lowest and highest rate that the missing outcomes could make.

    Parameters
    ----------
    certain : int
        People known to be in the numerator.
    unknown : int
        People of the denominator whose outcome is not known.
    total : int
        The denominator.

    Returns
    -------
    tuple of float, or None
        Worst case (none of the unknown) and best case (all of them), from 0 to 1; None where the denominator is 0.

    References
    ----------
    Manski, C. F. (1990). Nonparametric bounds on treatment effects. American Economic Review, 80, 319-323.

    Examples
    --------
    >>> bounds(6, 2, 17)
    (0.35294117647058826, 0.47058823529411764)
    """
    if total == 0:
        return None
    return certain / total, (certain + unknown) / total
