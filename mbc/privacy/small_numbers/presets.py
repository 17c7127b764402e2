"""Which counts are too small to be published: the rules of public bodies, or a clinic's own."""

from __future__ import annotations

from typing import Literal

from mbc.errors import SettingsError

Preset = Literal["nhs5", "cms11"]
SMALLEST_PUBLISHED: dict[Preset, int] = {
    # NHS England's rule for Talking Therapies: counts under 5 are not shown.
    "nhs5": 5,
    # Centers for Medicare & Medicaid Services: cells of 1 to 10 are not shown; zero may be.
    "cms11": 11,
}


def smallest_published(k: int | Preset) -> int:
    """Read a preset's name or a plain number as the smallest publishable count.

    Raises
    ------
    SettingsError
        When ``k`` is neither a known preset nor an integer of at least 3.

    Examples
    --------
    >>> smallest_published("cms11"), smallest_published(5)
    (11, 5)
    """
    if isinstance(k, str):
        if k not in SMALLEST_PUBLISHED:
            known = ", ".join(SMALLEST_PUBLISHED)
            raise SettingsError(f"There is no suppression preset {k!r}; there are {known}, or a number from 3.")
        return SMALLEST_PUBLISHED[k]
    if k < 3:
        raise SettingsError(
            f"The smallest published count must be at least 3, got {k}: a hidden cell would be a 1."
        )
    return k
