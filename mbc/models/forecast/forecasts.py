"""A forecast of one client, in score points and in chances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from mbc.models.growth.matrices import Floats
from mbc.models.results.facts import default_columns
from mbc.models.results.result import Result


@dataclass(frozen=True, slots=True)
class Probability:
    """A chance, with the 95 % interval that the number of clients behind it leaves."""

    value: float  # 0 to 1
    lower: float
    upper: float

    def __str__(self) -> str:
        return f"{self.value:.0%} ({self.lower:.0%} to {self.upper:.0%})"


@dataclass(frozen=True, slots=True)
class Forecast(Result):
    """Where one client's scores are heading, from what was known at one session."""

    session: int  # scores known; 1 at intake
    intake: float
    latest: float
    at: float | None  # time since the first score; None: when the course ends, whenever that is
    expected: float | None  # score points; None where no forecast can be made
    lower: float | None
    upper: float | None
    level: float  # coverage of the band
    improvement: float | None  # expected change since intake in score points; positive is better
    improved: Probability | None  # of reliable improvement since intake
    deteriorated: Probability | None  # of reliable deterioration since intake
    goal: Probability | None  # of being at the goal or beyond it; None without a goal
    clients: float  # effective number of clients with such courses, behind band and chances
    training_clients: int
    model: str  # version of the model
    reason: str = ""  # why there is no forecast
    note: str = ""  # what to keep in mind of the band: that few clients began where this one did

    def _columns(self) -> dict[str, Any]:
        """One row: the forecast, its band, and each chance with its interval."""
        columns = dict(default_columns(self))
        for name in ("improved", "deteriorated", "goal"):
            chance: Probability | None = getattr(self, name)
            values = (None, None, None) if chance is None else (chance.value, chance.lower, chance.upper)
            for suffix, value in zip(("", "_lower", "_upper"), values, strict=True):
                columns[f"{name}{suffix}"] = pl.Series(f"{name}{suffix}", [value], dtype=pl.Float64)
        return columns


@dataclass(frozen=True, slots=True)
class CoursePath(Result):
    """The course that clients with this intake score took: a mean and a band for single scores."""

    intake: float
    time: Floats
    expected: Floats
    lower: Floats
    upper: Floats
    level: float
    clients: float  # least effective number of clients behind the band
    training_clients: int
    note: str = ""  # that few clients began here, and the band is wider for it

    def _columns(self) -> dict[str, Any]:
        """Columns time, expected, lower, upper."""
        return {"time": self.time, "expected": self.expected, "lower": self.lower, "upper": self.upper}
