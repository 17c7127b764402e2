"""Frequencies and distributions that rest on at least k people each: smaller groups are pooled or left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from mbc.simulate.streams import Stream

Floats = npt.NDArray[np.float64]


def values_of(value: object) -> tuple[Any, ...]:
    """Give the parts of a category that is a tuple; nothing of any other."""
    return cast("tuple[Any, ...]", value) if isinstance(value, tuple) else ()


@dataclass(frozen=True, slots=True)
class Categories:
    """Values with how often each occurs; every one of them was seen in at least k people."""

    values: tuple[object, ...]
    weights: tuple[float, ...]
    left_out: int  # people whose value was neither kept nor pooled

    def draw(self, stream: Stream, count: int, default: object = None) -> list[object]:
        """Draw values; the default where no value is shared by enough people."""
        if not self.values:
            return [default] * count
        return [self.values[position] for position in stream.choice(self.weights, count)]


def pool_categories(
    values: Sequence[object], people: Sequence[object], k: int, *, pooled: object = None
) -> Categories:
    """Count values; those of fewer than k people are pooled into one value, or left out.

    Parameters
    ----------
    values, people : sequence
        A value and the person it is of, row by row.
    k : int
        Least number of people behind a value.
    pooled : object, optional
        What rare values become, where at least k people have one; None: they are left out.

    Examples
    --------
    >>> kinds = pool_categories(["a", "a", "b", "c"], ["P1", "P2", "P3", "P4"], 2, pooled="other")
    >>> kinds.values, kinds.weights
    (('a', 'other'), (2.0, 2.0))
    """
    owners: dict[object, set[object]] = {}
    counts: dict[object, int] = {}
    for value, person in zip(values, people, strict=True):
        owners.setdefault(value, set()).add(person)
        counts[value] = counts.get(value, 0) + 1
    kept = {value: float(counts[value]) for value in counts if len(owners[value]) >= k}
    rare = [value for value in counts if value not in kept]
    rare_people: set[object] = set[object]().union(*(owners[value] for value in rare))
    if pooled is not None and (len(rare_people) >= k or (rare and pooled in kept)):
        kept[pooled] = kept.get(pooled, 0.0) + sum(counts[value] for value in rare)
        rare_people = set()
    ordered = sorted(kept, key=str)
    return Categories(tuple(ordered), tuple(kept[value] for value in ordered), len(rare_people))


@dataclass(frozen=True, slots=True)
class Distribution:
    """A distribution of numbers as mean, spread and weight of groups of neighbouring values, k people in each."""

    means: tuple[float, ...]
    spreads: tuple[float, ...]
    weights: tuple[float, ...]

    def draw(self, stream: Stream, count: int, default: float = 0.0) -> Floats:
        """Draw numbers: within a group from a normal distribution, no further than half-way to the next group."""
        if not self.means:
            return np.full(count, default)
        means = np.array(self.means)
        group = stream.choice(self.weights, count)
        drawn = means[group] + np.array(self.spreads)[group] * stream.normal(count)
        between = (means[1:] + means[:-1]) / 2
        low = np.concatenate([[means[0] - 2 * self.spreads[0]], between])
        high = np.concatenate([between, [means[-1] + 2 * self.spreads[-1]]])
        return np.clip(drawn, low[group], high[group])


def pool_numbers(values: Sequence[float], people: Sequence[object], k: int) -> Distribution:
    """Cut numbers, in their order, into groups of at least k people each; a value of k people is its own group.

    Examples
    --------
    >>> pool_numbers([7, 7, 7, 14, 15], ["P1", "P2", "P3", "P4", "P5"], 2).means
    (7.0, 14.5)
    """
    by_value: dict[float, list[object]] = {}
    for value, person in zip(values, people, strict=True):
        by_value.setdefault(float(value), []).append(person)
    groups: list[tuple[list[float], set[object]]] = []
    current: list[float] = []
    owners: set[object] = set()
    for value in sorted(by_value):
        if current and len(set(by_value[value])) >= k and len(owners) < k and groups:
            groups[-1] = (groups[-1][0] + current, groups[-1][1] | owners)
            current, owners = [], set()
        current = current + [value] * len(by_value[value])
        owners = owners | set(by_value[value])
        if len(owners) >= k:
            groups.append((current, owners))
            current, owners = [], set()
    if current and groups:
        groups[-1] = (groups[-1][0] + current, groups[-1][1] | owners)
    return Distribution(
        tuple(float(np.mean(group)) for group, _ in groups),
        tuple(float(np.std(group)) for group, _ in groups),
        tuple(float(len(group)) for group, _ in groups),
    )
