"""What an attacker could conclude of hidden counts, from everything that was published and how it adds up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from mbc.privacy.small_numbers.rounded_counts import SmallNumberRule

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Relation:
    """How true counts are related: the parts add up to the total, or are at most the total."""

    total: str
    parts: tuple[str, ...]
    exact: bool = True
    kinds: bool = True
    """Whether the parts are kinds of people: then it is kept back that all of a group are of one kind."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One count as it was published: rounded, or hidden."""

    rounded: int | None  # None: hidden
    small: bool = False  # hidden because it is from 1 to k - 1; else to protect another

    def possible(self, rule: SmallNumberRule) -> tuple[float, float]:
        """Give what the count could be, to somebody who knows the rule and why it is hidden."""
        if self.rounded is not None:
            return rule.possible(self.rounded)
        return (1, rule.smallest - 1) if self.small else (0, np.inf)


def feasible_range(
    quantity: Mapping[str, int], shown: Mapping[str, Shown], relations: Iterable[Relation], rule: SmallNumberRule
) -> tuple[float, float]:
    """Give the lowest and highest value that a sum of counts could have.

    Parameters
    ----------
    quantity : mapping of str to int
        Name of a count -> its factor: ``{"recovered": 1}``, or ``{"judged": 1, "recovered": -1}`` for the others.
    shown : mapping of str to Shown
        Everything that was published.
    relations : iterable of Relation
        What is publicly known of how the counts hang together.
    rule : SmallNumberRule

    Returns
    -------
    tuple of float
        Found by integer programming; infinite where nothing bounds the quantity.

    Examples
    --------
    >>> rule = SmallNumberRule("nhs5", 5)
    >>> shown = {"all": Shown(15), "improved": Shown(10), "same": Shown(10), "worse": Shown(None, small=True)}
    >>> feasible_range({"worse": 1}, shown, [Relation("all", ("improved", "same", "worse"))], rule)
    (1.0, 1.0)
    """
    names = list(shown)
    place = {name: i for i, name in enumerate(names)}
    rows: list[Floats] = []
    low: list[float] = []
    high: list[float] = []
    for relation in relations:
        if relation.total not in place or any(part not in place for part in relation.parts):
            continue
        row = np.zeros(len(names))
        row[place[relation.total]] = 1
        for part in relation.parts:
            row[place[part]] -= 1
        rows.append(row)
        low.append(0.0)
        high.append(0.0 if relation.exact else np.inf)
    bounds = np.array([shown[name].possible(rule) for name in names], dtype=float)
    goal = np.zeros(len(names))
    for name, factor in quantity.items():
        goal[place[name]] = factor
    return _least(goal, rows, low, high, bounds), -_least(-goal, rows, low, high, bounds)


def _least(goal: Floats, rows: list[Floats], low: list[float], high: list[float], bounds: Floats) -> float:
    constraints = optimize.LinearConstraint(np.array(rows), low, high) if rows else ()
    made = optimize.milp(
        goal,
        constraints=constraints,
        integrality=np.ones(len(goal), dtype=np.int64),
        bounds=optimize.Bounds(bounds[:, 0], bounds[:, 1]),
    )
    if made.status == 3:  # unbounded
        return -np.inf
    if made.x is None:
        raise ArithmeticError(f"The published counts contradict each other: {made.message}")
    return float(round(made.fun))
