"""Which variances do the data rule out: profile-likelihood intervals of standard deviations and correlations.

Symmetric intervals around a variance are poor: its likelihood is skewed and stops at zero. The profile holds one
parameter, maximises the likelihood over all others, and keeps the values whose deviance is not much higher.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.optimize import minimize as scipy_minimize

from mbc.models.change.inputs.distributions import chi_square_quantile
from mbc.models.growth.design.design import Design
from mbc.models.growth.fit.deviance import Evaluation, evaluate
from mbc.models.growth.matrices import Floats, triangular
from mbc.models.results.result import Result


@dataclass(frozen=True, slots=True)
class Interval(Result):
    """A standard deviation or correlation with its interval."""

    name: str
    quantity: str  # "standard deviation" or "correlation"
    estimate: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class FixedParameter:
    """One parameter held at a value; the others are the entries of the factor of G, and log sigma.

    Effects are ordered so that the held one (or the held pair) comes first: its standard deviation is then the
    first entry of the factor, a correlation the direction of its second row. There the first two standard
    deviations enter by their size alone: with one of them negative a correlation held at r would be
    evaluated at -r.
    """

    order: tuple[int, ...]
    kind: str  # "deviation", "correlation", "residual"

    def unpack(self, free: Floats, value: float) -> tuple[Floats, float, Callable[[Floats, float], Floats]]:
        """Factor, log sigma, and the map from their gradients to that of the free numbers."""
        q = len(self.order)
        rows, columns = _triangle(q)
        lower = np.zeros((q, q))
        if self.kind == "residual":
            lower[rows, columns] = free
            return lower, math.log(value), lambda slope, _: slope[rows, columns]
        log_sigma = float(free[-1])
        if self.kind == "deviation":
            lower[0, 0] = value
            lower[rows[1:], columns[1:]] = free[:-1]
            return lower, log_sigma, lambda slope, last: np.append(slope[rows[1:], columns[1:]], last)
        turn = math.sqrt(max(1 - value * value, 0.0))
        signs = np.where(free[:2] < 0, -1.0, 1.0)
        first, second_sd = (signs * free[:2]).tolist()
        lower[0, 0], lower[1, 0], lower[1, 1] = first, second_sd * value, second_sd * turn
        lower[rows[3:], columns[3:]] = free[2:-1]

        def gradient(slope: Floats, last: float) -> Floats:
            second = slope[1, 0] * value + slope[1, 1] * turn
            pair = signs * np.array([slope[0, 0], second])
            return np.concatenate([pair, slope[rows[3:], columns[3:]], [last]])

        return lower, log_sigma, gradient

    def pack(self, lower: Floats, log_sigma: float) -> Floats:
        """Free numbers of a factor."""
        rows, columns = _triangle(len(lower))
        entries = lower[rows, columns]
        if self.kind == "residual":
            return entries
        if self.kind == "deviation":
            return np.append(entries[1:], log_sigma)
        second = math.hypot(lower[1, 0], lower[1, 1])
        return np.concatenate([[abs(float(entries[0])), second], entries[3:], [log_sigma]])

    def starts(self, warm: Floats, cold: Floats) -> list[Floats]:
        """Where to search from: the last optimum, that of the model, and other sizes of what the held one leaves.

        A held parameter often leaves two optima: one with the other effect large, one with it near zero.
        """
        if self.kind == "residual":
            return [warm, cold, 0.3 * cold]
        scale = np.ones((4, warm.size))
        first = 1 if self.kind == "correlation" else 0
        scale[0, first:-1], scale[1, first:-1] = 0.1, 3.0
        scale[2, 0], scale[3, 0] = 0.3, -1.0  # the last turns a correlation of what is held with the rest
        return [warm, cold, *(cold * row for row in scale)]


@dataclass(frozen=True, slots=True)
class Profile:
    """The deviance with one parameter held, as a function of its value; internal outcome scale."""

    design: Design
    held: FixedParameter
    reml: bool

    def minimum(self, value: float, starts: list[Floats]) -> tuple[float, Floats]:
        """Least deviance with the parameter at this value, and where; the best of several searches."""
        searches = [self._search(value, start) for start in starts]
        return min(searches, key=lambda search: search[0])

    def _search(self, value: float, start: Floats) -> tuple[float, Floats]:
        order = list(self.held.order)
        into = self.design.z_map[:, order]

        def objective(free: Floats) -> tuple[float, Floats]:
            lower, log_sigma, chain = self.held.unpack(free, value)
            sigma2 = math.exp(2 * min(max(log_sigma, -50.0), 50.0))
            at = evaluate(self.design.statistics, triangular(into @ lower) / math.sqrt(sigma2), reml=self.reml)
            if not math.isfinite(at.deviance):
                return 1e300, np.zeros_like(free)
            deviance, slope, along = natural_deviance(at, sigma2)
            by_factor = 2 * into.T @ slope @ into @ lower / sigma2
            by_log_sigma = 2 * sigma2 * along - float((by_factor * lower).sum())
            return deviance, chain(by_factor, by_log_sigma)

        minimum = scipy_minimize(objective, start, jac=True, method="BFGS", options={"gtol": 1e-6, "maxiter": 200})
        return float(minimum.fun), np.asarray(minimum.x)


@functools.cache
def _triangle(q: int) -> tuple[np.ndarray[Any, np.dtype[np.intp]], np.ndarray[Any, np.dtype[np.intp]]]:
    """Rows and columns of a lower triangle; asked for at every step of every search."""
    return np.tril_indices(q)


def _inside(lower: Floats, sigma: float) -> Floats:
    """Move a factor off the edge: at a diagonal entry of zero the slope is zero, and a search stays."""
    least = 0.1 * max(float(np.abs(lower).max()), 0.1 * sigma)
    out = lower.copy()
    diagonal = np.diag(lower)
    np.fill_diagonal(out, np.where(np.abs(diagonal) < least, least, diagonal))
    return out


def natural_deviance(at: Evaluation, sigma2: float) -> tuple[float, Floats, float]:
    """Deviance at a residual variance that is not profiled out; its slopes by Psi and by sigma^2."""
    df, r = at.residual_df, at.prss
    deviance = at.deviance - df * (1 + math.log(r / df)) + df * math.log(sigma2) + r / sigma2
    slope = at.slope + (df / r - 1 / sigma2) * at.residual_gram()
    return deviance, slope, df / sigma2 - r / sigma2**2


def profile_intervals(design: Design, at: Evaluation, *, reml: bool, level: float) -> tuple[Interval, ...]:
    """Profile every standard deviation and correlation, then the residual's standard deviation.

    References
    ----------
    .. [1] Bates et al. (2015), doi:10.18637/jss.v067.i01, section 5.1.
    """
    q, scale = len(design.z_names), design.outcome_spread
    sigma = math.sqrt(at.sigma2)
    factor = sigma * design.z_back @ at.factor
    g = factor @ factor.T
    out: list[Interval] = []
    critical = chi_square_quantile(1, level)

    def search(held: FixedParameter, estimate: float, low: float, high: float) -> tuple[float, float]:
        start = held.pack(_inside(triangular(factor[list(held.order)]), sigma), math.log(sigma))
        profile = Profile(design, held, reml)
        return (
            _crossing(profile, at.deviance, critical, estimate, start, low),
            _crossing(profile, at.deviance, critical, estimate, start, high),
        )

    for i in range(q):
        order = (i, *(j for j in range(q) if j != i))
        deviation = math.sqrt(g[i, i])
        lower, upper = search(FixedParameter(order, "deviation"), deviation, 0.0, math.inf)
        out.append(
            Interval(design.z_names[i], "standard deviation", deviation * scale, lower * scale, upper * scale)
        )
    for i in range(q):
        for j in range(i):
            both = math.sqrt(g[i, i] * g[j, j])
            if not both > 0:
                continue
            order = (j, i, *(k for k in range(q) if k not in {i, j}))
            name, correlation = f"{design.z_names[j]}, {design.z_names[i]}", float(g[i, j]) / both
            lower, upper = search(FixedParameter(order, "correlation"), correlation, -1.0, 1.0)
            out.append(Interval(name, "correlation", correlation, lower, upper))
    lower, upper = search(FixedParameter(tuple(range(q)), "residual"), sigma, 0.0, math.inf)
    out.append(Interval("residual", "standard deviation", sigma * scale, lower * scale, upper * scale))
    return tuple(out)


def _crossing(
    profile: Profile, least: float, critical: float, estimate: float, start: Floats, bound: float
) -> float:
    """Walk from the estimate towards the bound until the deviance has risen by ``critical``; then close in."""
    towards = 1.0 if bound > estimate else -1.0
    room = abs(bound - estimate)
    if not room > 1e-9 * max(1.0, abs(estimate)):
        return bound
    step = 0.25 * (abs(estimate) if math.isinf(bound) or bound == 0 else room) or 0.1
    inside, warm, done = 0.0, start, 0.0
    for _ in range(60):
        step = min(step, room - inside)
        # At the bound itself the factor is degenerate: stop a hair before.
        place = inside + (step if inside + step < room else step * (1 - 1e-6))
        deviance, point = profile.minimum(estimate + towards * place, profile.held.starts(warm, start))
        rise = deviance - least
        if rise >= critical:
            return _closed_in(profile, least + critical, estimate, towards, (inside, place), [warm, point])
        if place >= room * (1 - 1e-5):
            return bound
        # Deviance is nearly quadratic in the distance: aim a little beyond where it should cross.
        aim = place * math.sqrt(critical / rise) * 1.05 if rise > 1e-8 else 2 * place
        inside, warm, done = place, point, rise
        step = min(max(aim - place, 0.1 * place), 2 * place)
    return estimate + towards * inside if done else bound


def _closed_in(
    profile: Profile,
    target: float,
    estimate: float,
    towards: float,
    between: tuple[float, float],
    starts: list[Floats],
) -> float:
    """Root between two distances from the estimate."""

    def excess(distance: float) -> float:
        if distance <= 0:
            return -1.0
        return profile.minimum(estimate + towards * distance, starts)[0] - target

    return estimate + towards * float(brentq(excess, *between, rtol=1e-7, xtol=1e-9 * between[1]))
