"""Are there more sudden gains than the same scores in random order would give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mbc.errors import ModelError
from mbc.models.change.inputs.score_arrays import FloatArray
from mbc.models.courses.sessions import Sessions


@dataclass(frozen=True, slots=True)
class Chance:
    """Gains found beside gains in each client's own scores, shuffled among that client's sessions."""

    observed: int
    expected: float  # mean over the permutations
    lower: int  # 2.5 % and 97.5 % of the permutations
    upper: int
    p_value: float  # share of orders with at least as many gains, the observed one among them
    permutations: int
    seed: int


def by_chance(
    sessions: Sessions, count: Callable[[FloatArray], int], *, observed: int, permutations: int, seed: int
) -> Chance:
    """Count gains in shuffled scores.

    Parameters
    ----------
    sessions : Sessions
    count : callable
        Scores in the layout of ``sessions`` -> number of gains.
    observed : int
    permutations : int
        At least 1; missed sessions stay where they are.
    seed : int

    Notes
    -----
    A client who improves steadily has, in random order, more large steps than in the true one: this asks whether
    gains are more frequent than without any order, not whether they exceed a steady course.
    """
    if permutations < 1:
        raise ModelError(f"permutations must be at least 1, got {permutations}.")
    rng = np.random.default_rng(seed)
    cells = np.flatnonzero(np.isfinite(sessions.scores))
    people = sessions.client[cells].astype(float)
    shuffled = sessions.scores.copy()
    counts = np.empty(permutations, dtype=np.int64)
    for k in range(permutations):
        order = np.argsort(people + rng.random(cells.size))
        shuffled[cells] = sessions.scores[cells[order]]
        counts[k] = count(shuffled)
    return Chance(
        observed=observed,
        expected=float(counts.mean()),
        lower=int(np.quantile(counts, 0.025, method="inverted_cdf")),
        upper=int(np.quantile(counts, 0.975, method="inverted_cdf")),
        p_value=(1 + int(np.count_nonzero(counts >= observed))) / (1 + permutations),
        permutations=permutations,
        seed=seed,
    )
