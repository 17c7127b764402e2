"""What the mean course is made of: a clock that slows, the intake score, and both together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mbc.models.forecast.course_model.rounded_numbers import rounded
from mbc.models.growth.data.shapes import NaturalSpline
from mbc.models.growth.matrices import Floats

_CLIENTS_PER_BEND = 50  # fewer clients than twice this do not bear a bend in the intake score


@dataclass(frozen=True, slots=True)
class MeanBasis:
    """Columns of the mean course: 1, clock (spline), intake (spline), intake x clock."""

    unit: float  # the clock is log(1 + time / unit); unit is the typical gap between scores
    clock_knots: tuple[float, ...]  # on the clock; empty: straight
    intake_center: float  # internal
    intake_spread: float  # internal
    intake_knots: tuple[float, ...]  # standardised; empty: straight

    def clock(self, time: Floats) -> Floats:
        """Tell the time that slows."""
        return np.log1p(np.maximum(time, 0.0) / self.unit)

    def columns(self, time: Floats, intake: Floats) -> Floats:
        """Columns at times, shape (n, t), for clients with internal intake values, (n,); gives (n, t, p)."""
        clock = self.clock(time)
        level = ((intake - self.intake_center) / self.intake_spread)[:, None]
        at = _bends(clock, self.clock_knots)
        of = _bends(level, self.intake_knots)
        both = [level * column for column in at[:2]]
        columns = np.empty((*clock.shape, 1 + len(at) + len(of) + len(both)))
        columns[..., 0] = 1.0
        for place, column in enumerate((*at, *of, *both), start=1):
            columns[..., place] = column
        return columns


def mean_basis(time: Floats, intake: Floats) -> MeanBasis:
    """Place the knots.

    Parameters
    ----------
    time : ndarray, shape (rows,)
        Times of the scores after intake.
    intake : ndarray, shape (n,)
        Internal intake values.
    """
    unit = _typical_gap(time)
    clock = np.log1p(time / unit)
    distinct = np.unique(clock).size
    clock_knots = _knots(clock, 4) if distinct > 4 else ()
    spread = float(intake.std()) or 1.0
    level = (intake - intake.mean()) / spread
    bends = min(3, len(intake) // _CLIENTS_PER_BEND)
    return MeanBasis(
        unit=unit,
        clock_knots=clock_knots,
        intake_center=float(intake.mean()),
        intake_spread=spread,
        intake_knots=_knots(level, bends + 1) if bends > 1 else (),
    )


def _typical_gap(time: Floats) -> float:
    # half of all scores lie before the median time, of which a tenth is a unit in which courses look alike
    gap = float(np.quantile(time, 0.1)) or float(np.median(time)) or 1.0
    return float(rounded(np.array(gap)))


def _knots(values: Floats, number: int) -> tuple[float, ...]:
    knots = np.unique(rounded(np.quantile(values, np.linspace(0.05, 0.95, number))))
    return tuple(knots.tolist()) if knots.size > 2 else ()


def _bends(values: Floats, knots: tuple[float, ...]) -> list[Floats]:
    """Columns of a natural spline, or the values themselves without knots."""
    if not knots:
        return [values]
    return [column.reshape(values.shape) for column in _spline(knots).columns(values.ravel(), 0.0)]


@lru_cache(maxsize=256)
def _spline(knots: tuple[float, ...]) -> NaturalSpline:
    return NaturalSpline(len(knots) - 1, knots)
