"""Which named rules exist beyond what a TOML file can say, within a scale and beyond it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import narwhals.stable.v2 as nw

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A rule that first makes units of the keyed items, then sums or averages the units."""

    units: Callable[[Sequence[nw.Expr]], list[nw.Expr]]
    reachable: Callable[[Sequence[Span]], Span]  # from the items' ranges, after reversal
    averages: bool
    says: str  # how the rule reads in words
    alike: Callable[[Sequence[str]], list[Sequence[str]]]  # items -> those that go together, as a scale's do


def _products(keyed: Sequence[nw.Expr]) -> list[nw.Expr]:
    return [keyed[i] * keyed[i + 1] for i in range(0, len(keyed) - 1, 2)]


def _mean_product_range(spans: Sequence[Span]) -> Span:
    pairs = [(spans[i], spans[i + 1]) for i in range(0, len(spans) - 1, 2)]
    corners = [[a * b for a in first for b in second] for first, second in pairs]
    return sum(map(min, corners)) / len(pairs), sum(map(max, corners)) / len(pairs)


ALGORITHMS: dict[str, Algorithm] = {
    "mean_of_products": Algorithm(
        units=_products,
        reachable=_mean_product_range,
        averages=True,
        says="neighbouring items are multiplied in pairs, and the products averaged",
        alike=lambda items: [items[0::2], items[1::2]],
    ),
}


@dataclass(frozen=True, slots=True)
class Procedure:
    """What can be asked of an instrument beyond the scores of one sheet."""

    function: str  # where it is: goals are arithmetic of ``mbc.models``, which no definition imports
    says: str  # what it does, in words


PROCEDURES: dict[str, Procedure] = {
    "phq9_algorithm": Procedure(
        "mbc.instruments.phq9_algorithm",
        "Counts the symptoms present on more than half the days (thoughts of death: on any day). Five or more, "
        "with low mood or lost interest among them, are a pattern of major depression; two to four, another "
        "depressive pattern. It is not a diagnosis: that takes an interview, about impairment, bereavement, "
        "mania and physical causes too.",
    ),
    "across_targets": Procedure(
        "mbc.instruments.across_targets",
        "Each relationship is scored by itself. A score across relationships is the mean over them, each counted "
        "once; the author cautions that this weighs all of them alike.",
    ),
    "goal_attainment": Procedure(
        "mbc.models.goal_attainment",
        "T = 50 + 10 sum(w x) / sqrt((1 - rho) sum(w^2) + rho (sum w)^2): attainment x from -2 to 2 (0 is the "
        "expected level), weights w, and rho the correlation expected between goals.",
    ),
    "goal_change": Procedure(
        "mbc.models.goal_change",
        "Mean over the goals rated both times, then and now; a goal set or dropped on the way is left out.",
    ),
}
