"""Which functions of time a growth curve is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import narwhals.stable.v2 as nw
import numpy as np

from mbc.errors import ModelError, nearest
from mbc.models.growth.matrices import Floats

Quantiles = Callable[[list[float]], Floats]

ShapeName = Literal["linear", "log", "sqrt", "quadratic", "cubic", "polynomial", "piecewise", "spline", "auto"]


class Shape(Protocol):
    """A basis of time: what ``growth_curve(shape=...)`` takes."""

    @property
    def name(self) -> str:
        """How tables call it."""
        ...

    def terms(self, time: str) -> tuple[str, ...]:
        """Names of the columns for a time column of that name; the first is what ``"slope"`` means."""
        ...

    def columns(self, time: Floats, origin: float) -> Floats:
        """Columns at these times, computed about ``origin``; shape (k, n)."""
        ...

    def about_zero(self, origin: float) -> Floats:
        """Matrix R, shape (k + 1, k + 1): [1, terms] = [1, columns(., origin)] @ R."""
        ...

    def expressions(self, time: nw.Expr, origin: float) -> list[nw.Expr]:
        """Build the columns for a table that is not in memory."""
        ...

    def placed(self, quantiles: Quantiles) -> Shape:
        """Place knots, where the shape has any to find, at quantiles of the times."""
        ...


@dataclass(frozen=True, slots=True)
class Linear:
    """The same change in every unit of time."""

    name: str = "linear"

    def terms(self, time: str) -> tuple[str, ...]:
        """One term: time itself."""
        return (time,)

    def columns(self, time: Floats, origin: float) -> Floats:
        """Time since ``origin``."""
        return (time - origin)[None]

    def about_zero(self, origin: float) -> Floats:
        """Undo the shift."""
        return np.array([[1.0, origin], [0.0, 1.0]])

    def expressions(self, time: nw.Expr, origin: float) -> list[nw.Expr]:
        """Time since ``origin``."""
        return [time - origin]

    def placed(self, quantiles: Quantiles) -> Linear:
        """Has no knots."""
        return self


@dataclass(frozen=True, slots=True)
class Log:
    """Change that slows: log(1 + time), with time 0 at intake (the dose-response curve)."""

    name: str = "log"

    def terms(self, time: str) -> tuple[str, ...]:
        """One term: log(1 + time)."""
        return (f"log1p({time})",)

    def columns(self, time: Floats, origin: float) -> Floats:
        """log(1 + time); the origin plays no part."""
        if time.size and not time.min() > -1:
            raise ModelError(
                f"shape 'log' is log(1 + time) and needs times > -1, got {time.min():g}. "
                "Count time from intake (intake = 0), or take shape='linear'."
            )
        shifted = time + 1.0  # half the time of log1p, which is exact to more digits only near zero
        return np.log(shifted, out=shifted)[None]

    def about_zero(self, origin: float) -> Floats:
        """Nothing to undo."""
        return np.eye(2)

    def expressions(self, time: nw.Expr, origin: float) -> list[nw.Expr]:
        """log(1 + time)."""
        return [(time + 1.0).log()]

    def placed(self, quantiles: Quantiles) -> Log:
        """Has no knots."""
        return self


@dataclass(frozen=True, slots=True)
class SquareRoot:
    """Change that slows less than the logarithm: the square root of time."""

    name: str = "sqrt"

    def terms(self, time: str) -> tuple[str, ...]:
        """One term: the square root of time."""
        return (f"sqrt({time})",)

    def columns(self, time: Floats, origin: float) -> Floats:
        """Square root of time; the origin plays no part."""
        if time.size and time.min() < 0:
            raise ModelError(
                f"shape 'sqrt' needs times >= 0, got {time.min():g}. "
                "Count time from intake (intake = 0), or take shape='linear'."
            )
        return np.sqrt(time)[None]

    def about_zero(self, origin: float) -> Floats:
        """Nothing to undo."""
        return np.eye(2)

    def expressions(self, time: nw.Expr, origin: float) -> list[nw.Expr]:
        """Square root of time."""
        return [time.sqrt()]

    def placed(self, quantiles: Quantiles) -> SquareRoot:
        """Has no knots."""
        return self


@dataclass(frozen=True, slots=True)
class Polynomial:
    """Powers of time up to ``degree``; turns outside the data, so never for a forecast."""

    degree: int = 2

    def __post_init__(self) -> None:
        if not 1 <= self.degree <= 6:
            raise ModelError(f"a polynomial's degree must be 1 to 6, got {self.degree}.")

    @property
    def name(self) -> str:
        """How tables call it."""
        return f"polynomial({self.degree})"

    def terms(self, time: str) -> tuple[str, ...]:
        """Powers 1 to ``degree``."""
        return (time, *(f"{time}^{power}" for power in range(2, self.degree + 1)))

    def columns(self, time: Floats, origin: float) -> Floats:
        """Powers of the time since ``origin``."""
        return (time - origin) ** np.arange(1, self.degree + 1)[:, None]

    def about_zero(self, origin: float) -> Floats:
        """Apply the binomial theorem: t^j = sum_i C(j, i) (t - c)^i c^(j - i)."""
        out = np.zeros((self.degree + 1, self.degree + 1))
        out[0, 0] = 1.0
        for power in range(1, self.degree + 1):
            out[: power + 1, power] = np.convolve(out[:power, power - 1], [origin, 1.0])
        return out

    def expressions(self, time: nw.Expr, origin: float) -> list[nw.Expr]:
        """Powers of the time since ``origin``, by products."""
        powers = [time - origin]
        while len(powers) < self.degree:
            powers.append(powers[-1] * (time - origin))
        return powers

    def placed(self, quantiles: Quantiles) -> Polynomial:
        """Has no knots."""
        return self


@dataclass(frozen=True, slots=True)
class Piecewise:
    """Straight pieces that meet at ``knots``; the later terms are *changes* of slope at each knot."""

    knots: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if any(a >= b for a, b in zip(self.knots, self.knots[1:], strict=False)):
            raise ModelError(f"knots must be increasing, got {self.knots}.")

    @property
    def name(self) -> str:
        """How tables call it."""
        return f"piecewise({', '.join(f'{knot:g}' for knot in self.knots)})"

    def terms(self, time: str) -> tuple[str, ...]:
        """Time, then time after each knot."""
        return (time, *(f"{time} after {knot:g}" for knot in self.knots))

    def columns(self, time: Floats, origin: float) -> Floats:
        """Time since ``origin``, then time since each knot where positive."""
        after = np.maximum(time - np.array(self.knots).reshape(-1, 1), 0.0)
        return np.vstack([(time - origin)[None], after])

    def about_zero(self, origin: float) -> Floats:
        """Undo the shift of the first column."""
        out = np.eye(len(self.knots) + 2)
        out[0, 1] = origin
        return out

    def expressions(self, time: nw.Expr, origin: float) -> list[nw.Expr]:
        """Time since ``origin``, then time since each knot where positive."""
        return [time - origin, *(_positive(time - knot) for knot in self.knots)]

    def placed(self, quantiles: Quantiles) -> Piecewise:
        """Without knots, one at the median of the times."""
        return self if self.knots else replace(self, knots=(float(quantiles([0.5])[0]),))


@dataclass(frozen=True, slots=True)
class NaturalSpline:
    """Natural cubic spline: smooth, and straight beyond its outer knots.

    Parameters
    ----------
    df : int
        Number of columns; ``df + 1`` knots at quantiles of the times unless ``knots`` are given.
    knots : tuple of float
        All knots, outer ones included, rising.

    References
    ----------
    .. [1] Hastie, Tibshirani & Friedman (2009), The Elements of Statistical Learning, eq. 5.4-5.5: the
       truncated-power basis N1 = t, N_k+1 = d_k(t) - d_K-1(t).
    """

    df: int = 3
    knots: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.knots and (len(self.knots) < 3 or any(np.diff(self.knots) <= 0)):
            raise ModelError(f"a natural spline needs at least 3 increasing knots, got {self.knots}.")
        if self.df < 2:
            raise ModelError(f"a natural spline needs df >= 2, got {self.df}. One column is shape='linear'.")

    @property
    def name(self) -> str:
        """How tables call it."""
        return f"spline({len(self.knots) - 1 if self.knots else self.df})"

    def terms(self, time: str) -> tuple[str, ...]:
        """Time, then the bends."""
        bends = (len(self.knots) if self.knots else self.df + 1) - 2
        return (time, *(f"{time} bend {i + 1}" for i in range(bends)))

    def columns(self, time: Floats, origin: float) -> Floats:
        """Time since ``origin``, then the truncated cubic terms, in units of the knots' span."""
        first, last = self.knots[0], self.knots[-1]
        span = last - first
        cubes = np.maximum((time - np.array(self.knots)[:, None]) / span, 0.0) ** 3
        gap = (last - np.array(self.knots[:-1])) / span
        d = (cubes[:-1] - cubes[-1]) / gap[:, None]
        return np.vstack([(time - origin)[None], (d[:-1] - d[-1]) * span])

    def about_zero(self, origin: float) -> Floats:
        """Undo the shift of the first column."""
        out = np.eye(len(self.knots))
        out[0, 1] = origin
        return out

    def expressions(self, time: nw.Expr, origin: float) -> list[nw.Expr]:
        """Build the columns as `columns` does."""
        first, last = self.knots[0], self.knots[-1]
        span = last - first
        steps = [_positive((time - knot) / span) for knot in self.knots]
        cubes = [step * step * step for step in steps]
        gaps = [(last - knot) / span for knot in self.knots[:-1]]
        d = [(cube - cubes[-1]) / gap for cube, gap in zip(cubes[:-1], gaps, strict=True)]
        return [time - origin, *((term - d[-1]) * span for term in d[:-1])]

    def placed(self, quantiles: Quantiles) -> NaturalSpline:
        """Outer knots at the 5 % and 95 % quantiles of the times, the others evenly between in rank."""
        if self.knots:
            return self
        knots = np.unique(quantiles(np.linspace(0.05, 0.95, self.df + 1).tolist()))
        if knots.size < 3:
            raise ModelError(
                f"a natural spline with df={self.df} needs at least 3 distinct knots; "
                f"these times give {knots.size}. Give knots=, or take a simpler shape."
            )
        return replace(self, knots=tuple(float(knot) for knot in knots))


def _positive(value: nw.Expr) -> nw.Expr:
    return nw.when(value > 0.0).then(value).otherwise(0.0)


BINS = 1000  # knots are placed to a thousandth of the times' range, so that every engine finds the same


def binned_quantiles(counts: Floats, low: float, high: float) -> Quantiles:
    """Find quantiles of times from how many lie in each of `BINS` equal parts of their range."""
    reached = np.cumsum(counts) / counts.sum()

    def quantiles(shares: list[float]) -> Floats:
        place = np.searchsorted(reached, np.asarray(shares) - 1e-12)
        return low + (place + 0.5) * (high - low) / BINS

    return quantiles


_NAMED: dict[str, Shape] = {
    "linear": Linear(),
    "log": Log(),
    "sqrt": SquareRoot(),
    "polynomial": Polynomial(2),
    "quadratic": Polynomial(2),
    "cubic": Polynomial(3),
    "piecewise": Piecewise(),
    "spline": NaturalSpline(3),
}


def shape_of(shape: str | Shape) -> Shape:
    """Look a shape up by its name.

    Examples
    --------
    >>> shape_of("log").terms("weeks")
    ('log1p(weeks)',)
    >>> Piecewise((4,)).columns(np.array([0.0, 4.0, 6.0]), origin=0.0).tolist()
    [[0.0, 4.0, 6.0], [0.0, 0.0, 2.0]]
    """
    if not isinstance(shape, str):
        return shape
    if shape not in _NAMED:
        near = nearest(shape, _NAMED)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ModelError(f"shape must be one of {', '.join(_NAMED)}, auto, or a Shape; got {shape!r}.{hint}")
    return _NAMED[shape]
