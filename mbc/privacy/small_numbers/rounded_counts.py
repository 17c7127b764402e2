"""Counts rounded for publication; everything else is computed from what was rounded."""

from __future__ import annotations

from dataclasses import dataclass

from mbc.privacy.small_numbers.presets import Preset, smallest_published

HIDDEN = "NULL"  # how NHS England writes a suppressed cell


@dataclass(frozen=True, slots=True)
class SmallNumberRule:
    """Counts from 1 to ``smallest - 1`` are hidden; the others are rounded to multiples of ``step``.

    The step is the smallest published count, so that the difference of two published counts is never between 1 and
    ``smallest - 1``.
    """

    name: str
    smallest: int

    @property
    def step(self) -> int:
        """What counts are rounded to."""
        return self.smallest

    def hides(self, count: int) -> bool:
        """Whether a count is too small to be published; zero is not."""
        return 0 < count < self.smallest

    def rounded(self, count: int) -> int:
        """Round to the nearest multiple of the step; halves go up.

        Examples
        --------
        >>> nhs5 = SmallNumberRule("nhs5", 5)
        >>> [nhs5.rounded(count) for count in (0, 5, 7, 8, 17, 18)]
        [0, 5, 5, 10, 15, 20]
        """
        return (2 * count + self.step) // (2 * self.step) * self.step

    def possible(self, published: int) -> tuple[int, int]:
        """Give the lowest and highest count that is published as this.

        Examples
        --------
        >>> SmallNumberRule("nhs5", 5).possible(5), SmallNumberRule("nhs5", 5).possible(20)
        ((5, 7), (18, 22))
        """
        if published == 0:
            return 0, 0
        lowest = published - self.step // 2
        return max(self.smallest, lowest), lowest + self.step - 1


def small_number_rule(preset: int | Preset) -> SmallNumberRule:
    """Give the rule of a preset, or of a clinic's own smallest count.

    Raises
    ------
    SettingsError
        When ``preset`` is neither a known preset nor an integer of at least 3.

    Examples
    --------
    >>> small_number_rule("cms11")
    SmallNumberRule(name='cms11', smallest=11)
    """
    smallest = smallest_published(preset)
    return SmallNumberRule(preset if isinstance(preset, str) else f"k={smallest}", smallest)


@dataclass(frozen=True, slots=True)
class PublishedShare:
    """A count of a group as it may be published; ``None`` is hidden."""

    count: int | None
    of: int | None

    @property
    def percent(self) -> float | None:
        """The share, computed from the rounded counts."""
        if self.count is None or not self.of:
            return None
        return 100 * min(self.count, self.of) / self.of

    def __str__(self) -> str:
        return HIDDEN if self.count is None or self.of is None else f"{self.count} of {self.of}"


def publish(count: int, of: int, rule: SmallNumberRule) -> PublishedShare:
    """Round a count and its group, and hide what is too small.

    Examples
    --------
    >>> nhs5 = small_number_rule("nhs5")
    >>> str(publish(7, 12, nhs5)), publish(7, 12, nhs5).percent
    ('5 of 10', 50.0)
    >>> str(publish(0, 12, nhs5)), str(publish(3, 20, nhs5))
    ('0 of 10', 'NULL')
    """
    if rule.hides(count) or rule.hides(of):
        return PublishedShare(None, None if rule.hides(of) else rule.rounded(of))
    return PublishedShare(rule.rounded(count), rule.rounded(of))
