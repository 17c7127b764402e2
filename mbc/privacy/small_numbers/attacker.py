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

    Raises
    ------
    ArithmeticError
        If the solver finds no counts that could be, or counts that could not: the published counts contradict each
        other, or it failed.

    Examples
    --------
    >>> rule = SmallNumberRule("nhs5", 5)
    >>> shown = {"all": Shown(15), "improved": Shown(10), "same": Shown(10), "worse": Shown(None, small=True)}
    >>> feasible_range({"worse": 1}, shown, [Relation("all", ("improved", "same", "worse"))], rule)
    (1.0, 1.0)
    """
    problem = _Problem.of(shown, relations, rule)
    goal = problem.goal(quantity)
    return _least(goal, problem), -_least(-goal, problem)


def limiting_counts(
    quantity: Mapping[str, int], shown: Mapping[str, Shown], relations: Iterable[Relation], rule: SmallNumberRule
) -> set[str]:
    """Name the counts whose published values limit a sum of counts: to hide any other changes nothing.

    A bound whose multiplier is zero in an optimal solution of the dual program can be taken away without a change
    of the optimum (complementary slackness). Fractions of people are allowed here, so that where whole numbers
    alone limit the quantity, a count may be missing.

    Parameters
    ----------
    quantity, shown, relations, rule
        As of `feasible_range`, which has to be finite.

    Examples
    --------
    >>> rule = SmallNumberRule("nhs5", 5)
    >>> shown = {"all": Shown(15), "same": Shown(10), "worse": Shown(None), "other": Shown(20)}
    >>> sorted(limiting_counts({"worse": 1}, shown, [Relation("all", ("same", "worse"))], rule))
    ['all', 'same']
    """
    problem = _Problem.of(shown, relations, rule)
    goal = problem.goal(quantity)
    exact = problem.high == 0
    limiting: set[str] = set()
    for sign in (1, -1):
        made = optimize.linprog(
            sign * goal,
            A_ub=-problem.rows[~exact],
            b_ub=np.zeros(int((~exact).sum())),
            A_eq=problem.rows[exact],
            b_eq=np.zeros(int(exact.sum())),
            bounds=[(float(low), float(high)) for low, high in problem.bounds],
        )
        if made.success:
            multipliers: Floats = made.lower.marginals - made.upper.marginals
            limiting.update(
                name for name, size in zip(problem.names, multipliers, strict=True) if abs(size) > _TINY
            )
    return limiting


_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class _Problem:
    """Published counts as bounds, relations as rows: zero or more, and no more than ``high``."""

    names: list[str]
    rows: Floats
    high: Floats
    bounds: Floats

    @classmethod
    def of(cls, shown: Mapping[str, Shown], relations: Iterable[Relation], rule: SmallNumberRule) -> _Problem:
        names = list(shown)
        place = {name: i for i, name in enumerate(names)}
        known = [each for each in relations if each.total in place and all(part in place for part in each.parts)]
        rows = np.zeros((len(known), len(names)))
        for row, relation in zip(rows, known, strict=True):
            row[place[relation.total]] = 1
            for part in relation.parts:
                row[place[part]] -= 1
        high = np.array([0.0 if relation.exact else np.inf for relation in known])
        return cls(names, rows, high, np.array([shown[name].possible(rule) for name in names], dtype=float))

    def goal(self, quantity: Mapping[str, int]) -> Floats:
        return np.array([quantity.get(name, 0) for name in self.names], dtype=float)

    def allows(self, counts: Floats) -> bool:
        """Whether counts lie within their bounds and are related as they must be."""
        low, high = self.bounds[:, 0], self.bounds[:, 1]
        over = self.rows @ counts
        within = (counts >= low) & (counts <= high)
        return bool(within.all()) and bool(((over >= 0) & (over <= self.high)).all())


def _least(goal: Floats, problem: _Problem) -> float:
    made = _solve(goal, problem)
    if made.status == _UNBOUNDED or (made.status == _NOT_TOLD and _solve(0 * goal, problem).success):
        return -np.inf
    if made.x is None:
        raise ArithmeticError(f"The published counts contradict each other: {made.message}")
    counts: Floats = np.rint(made.x)
    if not problem.allows(counts):
        raise ArithmeticError("The solver gave counts that contradict those that were published.")
    return float(goal @ counts)


_UNBOUNDED, _NOT_TOLD = 3, 4  # the solver may say "unbounded or infeasible", which a goal of nothing decides


def _solve(goal: Floats, problem: _Problem) -> optimize.OptimizeResult:
    return optimize.milp(
        goal,
        constraints=optimize.LinearConstraint(problem.rows, 0.0, problem.high) if len(problem.rows) else (),
        integrality=np.ones(len(goal), dtype=np.int64),
        bounds=optimize.Bounds(problem.bounds[:, 0], problem.bounds[:, 1]),
    )
