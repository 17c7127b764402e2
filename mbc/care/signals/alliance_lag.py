"""Does a better alliance come before a better score, or after one? Within clients; exploratory."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from mbc.care.course.charted_scales import ALLIANCE
from mbc.care.course.client_record import INFORMANT
from mbc.care.scoring.scores import scores
from mbc.errors import AccessDenied
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.instruments import all_keys
from mbc.instruments import instrument as load
from mbc.instruments.short_names import short_name
from mbc.models import lagged_effects
from mbc.models.lagged.effects import LaggedEffect, LaggedEffects
from mbc.store import Store

EXPLORATORY = (
    "This is exploratory. It compares each client with themselves, and what comes first in time need not be a "
    "cause: both may follow something that nobody asked about. In simulations without any effect 6 to 9 of 100 "
    "such findings were made all the same."
)


@dataclass(frozen=True, slots=True)
class AllianceLag:
    """The alliance and one scale, session by session."""

    alliance: str  # "WAI-SR"
    outcome: str  # "RSES"
    effects: LaggedEffects | None  # None: nobody rated both on a day
    higher_is_better: bool

    @property
    def words(self) -> tuple[str, ...]:
        """What was found, as sentences that can be read aloud."""
        if self.effects is None:
            return (f"Nobody answered {self.alliance} and {self.outcome} on the same day: nothing can be said.",)
        forward, backward = self.effects.forward, self.effects.backward
        if forward is None or backward is None:
            return (
                f"Too few sessions with both: {self.effects.n} clients have enough of them, and 50 are needed.",
                EXPLORATORY,
            )
        first = self._direction(forward, f"rated the alliance higher than usual, {self.outcome} was", "next time")
        second = self._direction(
            backward, f"had a higher {self.outcome} than usual, the alliance was rated", "next time"
        )
        side = "Higher is better." if self.higher_is_better else f"Lower is better on {self.outcome}."
        basis = f"From {self.effects.n} clients, {self.effects.pairs} pairs of sessions. {side}"
        return (first, second, basis, EXPLORATORY)

    def _direction(self, effect: LaggedEffect, when: str, then: str) -> str:
        if not effect.detected:
            return f"When clients {when} no different {then}, as far as these sessions can tell."
        way = "higher" if effect.estimate > 0 else "lower"
        return (
            f"When clients {when} {way} {then}: {abs(effect.estimate):.2f} points for a point "
            f"({effect.lower:.2f} to {effect.upper:.2f})."
        )


@with_definitions_of_record
def alliance_lag(store: Store, outcome: str = "rses", *, samples: int = 500) -> AllianceLag:
    """Set the alliance against one scale, from one session to the next, within clients.

    Parameters
    ----------
    store : Store
    outcome : str
        A questionnaire, or one of its scales: "rses", "ecr_s.anxiety".
    samples : int
        Bootstrap samples of clients.

    Raises
    ------
    AccessDenied
        If this view sees no persons.
    """
    if not store.can_read("answers"):
        raise AccessDenied("This compares sessions of clients whom your account does not see.")
    key, _, named = outcome.partition(".")
    chosen = load(key)
    scale = chosen.scale(named or None)
    table = scores(store, invalid="null").filter(pl.col("informant") == INFORMANT).drop_nulls("score")
    rated = [load(each) for each in all_keys() if load(each).construct == ALLIANCE]
    used = next((each for each in rated if not table.filter(instrument=each.key).is_empty()), rated[0])
    both = _of(table, used.key, used.main_scale.key, "alliance").join(
        _of(table, chosen.key, scale.key, "outcome"), on=["client_id", "taken_on"]
    )
    effects = None
    if not both.is_empty():
        effects = lagged_effects(
            both, client="client_id", time="taken_on", x="alliance", y="outcome", samples=samples
        )
    return AllianceLag(short_name(used.key), short_name(chosen.key), effects, scale.higher_is_better)


def _of(table: pl.DataFrame, key: str, scale: str, name: str) -> pl.DataFrame:
    rows = table.filter(instrument=key, scale=scale).unique(["client_id", "taken_on"], keep="last")
    return rows.select("client_id", "taken_on", pl.col("score").alias(name))
