"""Which named scoring rules exist beyond what a TOML file can say."""

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


def _products(keyed: Sequence[nw.Expr]) -> list[nw.Expr]:
    return [keyed[i] * keyed[i + 1] for i in range(0, len(keyed) - 1, 2)]


def _mean_product_range(spans: Sequence[Span]) -> Span:
    pairs = [(spans[i], spans[i + 1]) for i in range(0, len(spans) - 1, 2)]
    corners = [[a * b for a in one for b in other] for one, other in pairs]
    return sum(map(min, corners)) / len(pairs), sum(map(max, corners)) / len(pairs)


ALGORITHMS: dict[str, Algorithm] = {
    "mean_of_products": Algorithm(
        units=_products,
        reachable=_mean_product_range,
        averages=True,
        says="neighbouring items are multiplied in pairs, and the products averaged",
    ),
}
