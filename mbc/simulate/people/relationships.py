"""Which relationships the clients are in, when they end and begin, and what that does to people.

Leaving can be growth: about four endings in ten are chosen, and those clients stand better afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from mbc.simulate.people.population import position
from mbc.simulate.streams import Bools, Floats, Ints, Stream

NEVER: Final = 10_000  # a week that does not come
# How clients live when they come, in a hundred.
SITUATIONS: Final = {"single": 22, "dating": 12, "partnered": 16, "cohabiting": 23, "married": 24, "separated": 3}
KINDS: Final = tuple(SITUATIONS)
LASTING: Final = np.array([0.5, 0.15, 0.6, 1.0, 1.8, 0.2])  # how long each has lasted, beside the others
SINGLE: Final = KINDS.index("single")
DATING: Final = KINDS.index("dating")
MARRIED: Final = KINDS.index("married")
SEPARATED: Final = KINDS.index("separated")
BREAK_UP: Final = 0.007  # chance a week, for those in a relationship
MEETING: Final = 0.010  # chance a week of a new relationship, for those without one
ALONE_FIRST: Final = 7  # weeks between an ending and a new beginning, at least


@dataclass(frozen=True, slots=True)
class Relationships:
    """One entry per client in every field; weeks are calendar weeks."""

    situation: Ints  # at the start of the record: position in KINDS
    since: Ints  # days that this situation had lasted by then
    ended: Ints  # week in which the first relationship ends, or NEVER
    chosen: Bools  # the ending was the client's own step forward
    new_relationship: Ints  # week in which a new relationship begins, or NEVER
    moved_in: Ints  # week in which a dating couple moves in together, or NEVER

    @property
    def attached(self) -> Bools:
        """Who was in a relationship at the start of the record."""
        return (self.situation != SINGLE) & (self.situation != SEPARATED)

    @property
    def has_relationship(self) -> Bools:
        """Whose record begins with a relationship, lasting or left."""
        return self.situation != SINGLE

    def current(self, weeks: int) -> Ints:
        """Tell the number of the relationship a client is in by week: 1 for R1, 2 for R2, 0 for none.

        Returns
        -------
        ndarray, shape (clients, weeks)
        """
        week = np.arange(weeks)
        first = self.attached[:, None] & (week < self.ended[:, None])
        later = week >= self.new_relationship[:, None]
        return np.where(first, 1, np.where(later, 1 + self.has_relationship[:, None], 0))


def draw_relationships(seed: int, clients: int, weeks: int) -> Relationships:
    """Draw each client's situation and what becomes of it within the record."""
    stream = Stream(seed, "relationships")
    situation = stream.choice(list(SITUATIONS.values()), clients)
    attached = (situation != SINGLE) & (situation != SEPARATED)
    left = _waiting(stream, BREAK_UP, clients)
    ended = np.where(attached & (left >= 4) & (left < weeks - 1), left, NEVER)
    wait = _waiting(stream, MEETING, clients)
    free = np.where(attached, ended + ALONE_FIRST, 3)
    new_relationship = np.where(free + wait < weeks - 2, free + wait, NEVER)
    moved = stream.integers(8, 80, clients)
    return Relationships(
        situation=situation,
        since=np.round((120 + 2600 * stream.uniform(clients) ** 2) * LASTING[situation]).astype(np.int64),
        ended=ended,
        chosen=stream.chance(0.42, clients),
        new_relationship=new_relationship,
        moved_in=np.where((situation == DATING) & (moved < weeks - 2) & (ended == NEVER), moved, NEVER),
    )


def _waiting(stream: Stream, hazard: float, clients: int) -> Ints:
    """Whole weeks until something with a constant weekly chance happens."""
    return np.floor(np.log(stream.uniform(clients)) / np.log1p(-hazard)).astype(np.int64)


def relationship_effects(seed: int, relationships: Relationships, path: Floats) -> Floats:
    """Add to the true courses what endings and beginnings do to people.

    Satisfaction sinks in the weeks before an ending, and begins again, higher, with a new relationship. Mood,
    self-esteem, worry and attachment anxiety are shaken by an ending; a chosen one leaves them better later on.

    Parameters
    ----------
    seed : int
        The clinic's seed.
    relationships : Relationships
        Who is in which, and when it ends.
    path : ndarray, shape (clients, constructs, weeks)
        True courses, + is better, in intake SDs; not changed.
    """
    clients, _, weeks = path.shape
    week = np.arange(weeks)
    since_end = week - relationships.ended[:, None]
    since_new = week - relationships.new_relationship[:, None]
    shaken = np.where(since_end >= 0, np.exp(-np.maximum(since_end, 0) / 5.0), 0.0)
    relief = np.where(since_end >= 0, 1.0 - np.exp(-np.maximum(since_end, 0) / 8.0), 0.0)
    chosen = relationships.chosen[:, None]
    change = np.where(chosen, 0.35 * relief - 0.45 * shaken, -0.10 * relief - 0.85 * shaken)
    changed = path.copy()
    for construct in ("self_esteem", "low_mood", "worry", "anxiety", "wellbeing"):
        changed[:, position(construct), :] += change
    satisfaction = position("satisfaction")
    sinking = 1.2 / (1.0 + np.exp(-np.clip((since_end + 4.0) / 1.5, -30, 30)))
    new_level = 0.9 + 0.4 * Stream(seed, "new relationships").normal(clients, 1)
    honeymoon = new_level + 0.3 * np.exp(-np.maximum(since_new, 0) / 6.0)
    changed[:, satisfaction, :] = np.where(since_new >= 0, honeymoon, path[:, satisfaction, :] - sinking)
    return changed
