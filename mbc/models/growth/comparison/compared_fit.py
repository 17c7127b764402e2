"""What a comparison needs of a fitted model: its parameters by name, its likelihood, and which scores it saw."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mbc.models.growth.data.client_sums import ClientSums
from mbc.models.growth.matrices import Floats

_SAME = 1e-8  # relative


@dataclass(frozen=True, slots=True)
class DataMark:
    """Which scores a model was fitted to, as far as their sums show."""

    observations: int
    clients: int
    squares: float  # about the mean, in the units of the data
    client_totals: Floats  # of the outcome, sorted; empty where sums were taken per design
    moments: tuple[float, float]  # sum of the clients' totals, and sum of their squares

    @classmethod
    def of(cls, outcome: Any, codes: Any, clients: int) -> DataMark:
        """Sum up scores and the client of each."""
        scores = np.asarray(outcome, dtype=np.float64)
        totals = np.asarray(np.bincount(codes, scores, clients), dtype=np.float64)
        return cls.of_totals(scores.size, clients, float(((scores - scores.mean()) ** 2).sum()), totals)

    @classmethod
    def of_totals(cls, observations: int, clients: int, squares: float, totals: Floats) -> DataMark:
        """Take the clients' totals, in any order."""
        return cls(observations, clients, squares, np.sort(totals), (float(totals.sum()), float(totals @ totals)))

    @classmethod
    def of_sums(cls, sums: ClientSums) -> DataMark:
        """Take the same from client sums, or from sums per design."""
        root = 1.0 if sums.stands_for is None else np.sqrt(sums.stands_for)
        totals = sums.outcome_spread * sums.uy[0] + sums.outcome_centre * sums.counts * root
        off_centre = float((sums.uy[0] * root).sum())
        squares = sums.outcome_spread**2 * (sums.yy - off_centre**2 / sums.rows)
        if sums.stands_for is None:
            return cls.of_totals(sums.rows, sums.clients, squares, totals)
        moments = (float((totals * root).sum()), float(totals @ totals))
        return cls(sums.rows, sums.clients, squares, np.empty(0), moments)

    @property
    def total(self) -> float:
        """Sum of the outcomes."""
        return self.moments[0]

    def is_same(self, other: DataMark) -> bool:
        """Whether the scores are the same, as far as their sums show."""
        same = (self.observations, self.clients) == (other.observations, other.clients) and (
            abs(self.squares - other.squares) <= _SAME * max(self.squares, 1e-300)
        )
        if not (same and self.client_totals.size and other.client_totals.size):
            (total, products), (other_total, other_products) = self.moments, other.moments
            spread = max(products, 1e-300)
            return (
                same
                and abs(total - other_total) <= _SAME * math.sqrt(self.clients * spread)
                and abs(products - other_products) <= _SAME * spread
            )
        size = max(float(np.abs(self.client_totals).max(initial=0.0)), 1e-300)
        return bool((np.abs(self.client_totals - other.client_totals) <= _SAME * size).all())


@dataclass(frozen=True, slots=True)
class ResidualParameter:
    """Parameters of the residuals beyond one variance."""

    count: int
    on_border: bool  # whether the simpler model lies on the border of what they may be


@dataclass(frozen=True, slots=True)
class ComparedFit:
    """One of the models."""

    label: str
    fixed: frozenset[str]
    random: Mapping[str, frozenset[str]]  # unit ("client", "therapist") -> effects with all their covariances
    log_likelihood: float
    reml: bool
    converged: bool
    data: DataMark
    components: frozenset[str] = frozenset()  # independent variances
    residual: Mapping[str, ResidualParameter] = field(default_factory=dict[str, ResidualParameter])

    @property
    def parameters(self) -> int:
        """Fixed effects, variances and covariances, parameters of the residuals."""
        covariances = sum(len(effects) * (len(effects) + 1) // 2 for effects in self.random.values())
        residual = 1 + sum(parameter.count for parameter in self.residual.values())
        return len(self.fixed) + covariances + len(self.components) + residual

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return 2 * self.parameters - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion, with the number of scores."""
        return float(np.log(self.data.observations)) * self.parameters - 2 * self.log_likelihood

    def is_within(self, other: ComparedFit) -> bool:
        """Whether the other model becomes this one where some of its parameters are zero."""
        return (
            self.fixed <= other.fixed
            and all(effects <= other.random.get(unit, frozenset()) for unit, effects in self.random.items())
            and self.components <= other.components
            and set(self.residual) <= set(other.residual)
            and self.parameters < other.parameters
        )
