"""Which cells of a small table may be published: none that reveals a few people, none that can be recalculated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mbc.errors import SettingsError

Preset = Literal["nhs5", "cms11"]
SMALLEST_PUBLISHED: dict[Preset, int] = {
    # NHS England's rule for Talking Therapies: counts under 5 are not shown.
    "nhs5": 5,
    # Centers for Medicare & Medicaid Services: cells of 1 to 10 are not shown; zero may be.
    "cms11": 11,
}


@dataclass(frozen=True, slots=True)
class PublishedCounts:
    """Counts of one group of people, split into categories, as they may leave the clinic."""

    counts: dict[str, int | None]
    """Category -> people; ``None`` is suppressed. A zero stays a zero: it is a finding, not a gap."""
    total: int | None
    """People in the group; ``None`` when the group itself is too small."""
    smallest: int
    """The smallest count of people that may be shown (k)."""

    @property
    def suppressed(self) -> tuple[str, ...]:
        """Names of the categories that are not shown."""
        return tuple(name for name, count in self.counts.items() if count is None)


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


def suppress(counts: Mapping[str, int], *, k: int | Preset = 5, hide_first: Sequence[str] = ()) -> PublishedCounts:
    """Hide the small cells of a group that is split into categories, and enough others that none comes back.

    Counts from 1 to k - 1 are hidden (primary suppression). Whoever knows the total could subtract, so further
    categories follow, in an order that does not depend on the counts, until at least two are hidden and they
    hold at least 3k people together (complementary suppression); where even that cannot be had, the total is
    hidden. Zeros are shown. A group of fewer than k people is hidden altogether.

    The order and the factor 3 matter: hiding the smallest neighbour instead lets whoever knows the rule work
    cells back. The tests walk every table of four cells and find none that can be, the rule being known.

    Parameters
    ----------
    counts : mapping of str to int
        Category -> number of people. The categories are exclusive and exhaustive: they add up to the group.
    k : int or preset
        Smallest count that may be shown; 5 by default, at least 3.
    hide_first : sequence of str
        Categories to give up first as complements; the others follow in the order of ``counts``.

    Returns
    -------
    PublishedCounts

    Examples
    --------
    >>> counts = {"recovered": 12, "improved": 9, "unchanged": 20, "deteriorated": 2}
    >>> suppress(counts, hide_first=["unchanged"]).counts
    {'recovered': 12, 'improved': 9, 'unchanged': None, 'deteriorated': None}
    >>> suppress({"recovered": 12, "improved": 9, "unchanged": 20, "deteriorated": 0}).counts["deteriorated"]
    0
    """
    smallest = smallest_published(k)
    total = sum(counts.values())
    if total < smallest:
        return PublishedCounts(counts=dict.fromkeys(counts), total=None, smallest=smallest)
    hidden = {name for name, count in counts.items() if 0 < count < smallest}
    others = [name for name in dict.fromkeys((*hide_first, *counts)) if counts[name] >= smallest]
    needed = 3 * smallest
    while hidden and others and not _covers(hidden, counts, needed):
        hidden.add(others.pop(0))
    shown = {name: None if name in hidden else count for name, count in counts.items()}
    safe = not hidden or _covers(hidden, counts, needed)
    return PublishedCounts(counts=shown, total=total if safe else None, smallest=smallest)


def _covers(hidden: set[str], counts: Mapping[str, int], needed: int) -> bool:
    return len(hidden) >= 2 and sum(counts[name] for name in hidden) >= needed


def rounded_percent(part: int, total: int, *, step: int = 5) -> int:
    """Give a share in percent, rounded so coarsely that small differences cannot be recalculated.

    Examples
    --------
    >>> rounded_percent(38, 41)
    95
    """
    return round(100 * part / total / step) * step
