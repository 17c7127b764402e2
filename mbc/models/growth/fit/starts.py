"""Where does a search begin, and is there a better optimum elsewhere: more starts where one cannot be trusted.

The deviance of a mixed model may have several minima. It has one on ordinary data, where the search ends inside
the covariance matrices after a handful of steps. With few clients, or few scores a client, it may have one on each
side of the border (a correlation of one and of minus one, say), and one search finds only the nearest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product

import numpy as np

from mbc.models.growth.design.design import Design
from mbc.models.growth.design.statistics import Statistics
from mbc.models.growth.fit.deviance import Evaluation
from mbc.models.growth.fit.moments import moment_factor
from mbc.models.growth.fit.optimiser import SLOW, FitReport
from mbc.models.growth.matrices import Floats

Search = Callable[[Floats | Evaluation], tuple[Evaluation, FitReport]]

TRUSTED = SLOW + 1  # evaluations within which an ordinary search ends
FEW_CLIENTS = 30  # with so few no search is ordinary
MANY_CLIENTS = 5000  # so many scores leave one optimum; each further search would cost as much as the first


def average_information(design: Design) -> Floats:
    """Sum the diagonals of S over clients, (q,)."""
    q = design.statistics.q
    total = np.zeros(q)
    for block in design.statistics.blocks:
        total += np.diagonal(block.s.sum(axis=2) if block.count is None else block.s @ block.count)
    return total


def starting_factor(design: Design) -> Floats:
    """Start where each effect, at the average client, has five times the variance that its estimate would have."""
    average = average_information(design) / design.statistics.people
    return np.diag(np.sqrt(5.0 / np.where(average > 0, average, 1.0)))


def is_singular(design: Design, at: Evaluation) -> bool:
    """Tell whether Psi has lost a direction, in units of the average client's information."""
    diagonal: list[float] = at.factor.diagonal().tolist()
    if min(diagonal) > 0.01 * max(1.0, float(np.abs(at.factor).max())):
        return False
    weight = np.sqrt(average_information(design) / max(design.statistics.people, 1))
    values = np.linalg.eigvalsh(weight[:, None] * (at.factor @ at.factor.T) * weight)
    return bool(values[0] < 1e-8 * max(1.0, float(values[-1])))


def first_factor(design: Design, statistics: Statistics) -> Floats:
    """Start at rough variances by moments, or at a fixed guess where moments give none."""
    factor = moment_factor(statistics)
    return starting_factor(design) if factor is None else factor


def best_of(search: Search, start: Evaluation, design: Design, *, clients: int) -> tuple[Evaluation, FitReport]:
    """Search from ``start``, and from elsewhere if clients are few or that search was long or ended singular."""
    at, report = search(start)
    ordinary = report.converged and report.evaluations <= TRUSTED and clients > FEW_CLIENTS
    if clients > MANY_CLIENTS or (ordinary and not is_singular(design, at)):
        return at, report
    evaluations, searches = report.evaluations, 1
    for factor in other_starts(starting_factor(design)):
        there, other = search(factor)
        evaluations, searches = evaluations + other.evaluations, searches + 1
        better = there.deviance < at.deviance - 1e-9 if other.converged == report.converged else other.converged
        if better:
            at, report = there, other
    return at, replace(report, evaluations=evaluations, searches=searches)


def other_starts(factor: Floats) -> Iterator[Floats]:
    """Factors far from a diagonal one and from each other, with variance in few or many directions.

    Examples
    --------
    >>> [start.round(1).tolist() for start in other_starts(np.eye(1))]
    [[[10.0]], [[0.1]]]
    >>> len(list(other_starts(np.eye(2)))), len(list(other_starts(np.eye(3))))
    (6, 9)
    """
    q, size = len(factor), factor.diagonal()
    yield np.diag(10.0 * size)
    yield np.diag(0.1 * size)
    if q == 1:
        return
    for kept in range(q):  # one effect alone
        yield np.diag(np.where(np.arange(q) == kept, 10.0, 0.05) * size)
    if q > MOST_SIGNS:
        return
    for signs in product((1.0, -1.0), repeat=q - 1):  # effects that go together, or against each other
        lower = 0.2 * np.eye(q)
        lower[:, 0] = [1.0, *signs]
        yield lower * size[:, None]


MOST_SIGNS = 4  # effects whose signs are all tried
