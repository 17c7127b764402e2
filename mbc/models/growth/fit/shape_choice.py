"""Which shape of growth do these scores speak for: maximum-likelihood AIC on the same rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mbc.errors import ModelError
from mbc.models.growth.data.shapes import (
    Linear,
    Log,
    NaturalSpline,
    Piecewise,
    Polynomial,
    Quantiles,
    Shape,
    SquareRoot,
)
from mbc.models.growth.data.source import Source
from mbc.models.growth.fit.estimates import reported_deviance
from mbc.models.growth.fit.fit_model import Fitted, fit_sums

CANDIDATES: tuple[Shape, ...] = (Linear(), Log(), SquareRoot(), Polynomial(2), Piecewise(), NaturalSpline(3))
SEARCHED = [share / 20 for share in range(1, 20)]  # quantiles of the times where a knot is tried


@dataclass(frozen=True, slots=True)
class TriedShape:
    """One shape that was tried."""

    shape: str
    parameters: int  # a searched knot counts as one
    log_likelihood: float | None
    aic: float | None
    reason: str  # why it could not be fitted; empty where it was


@dataclass(frozen=True, slots=True)
class Model:
    """What stays the same while shapes are tried."""

    time: str
    covariates: Sequence[str]
    random: Sequence[str]

    def fit(self, source: Source, shape: Shape, *, reml: bool) -> Fitted:
        """Fit one shape."""
        return fit_sums(
            source.sums(shape), time=self.time, covariates=self.covariates, random=self.random, reml=reml
        )


def choose_shape(source: Source, model: Model) -> tuple[Shape, tuple[TriedShape, ...]]:
    """Try every candidate by maximum likelihood and take the lowest AIC.

    Returns
    -------
    shape : Shape
        With its knots.
    tried : tuple of TriedShape
        Lowest AIC first; then those that could not be fitted, with the reason.
    """
    fits: list[tuple[float, Shape, TriedShape]] = []
    failed: list[TriedShape] = []
    for candidate in CANDIDATES:
        try:
            searched = isinstance(candidate, Piecewise) and not candidate.knots
            fitted = searched_knot(source, model) if searched else model.fit(source, candidate, reml=False)
        except ModelError as error:
            failed.append(TriedShape(candidate.name, 0, None, None, str(error)))
            continue
        likelihood, count = _likelihood(fitted), _parameters(fitted) + int(searched)
        aic = 2 * count - 2 * likelihood
        shape = fitted.sums.basis.shape
        fits.append((aic, shape, TriedShape(shape.name, count, likelihood, aic, "")))
    if not fits:
        raise ModelError(f"no shape could be fitted. The first reason: {failed[0].reason}")
    fits.sort(key=lambda entry: entry[0])
    return fits[0][1], tuple([entry[2] for entry in fits] + failed)


def searched_knot(source: Source, model: Model) -> Fitted:
    """Fit a bend at each of nineteen quantiles of the times, and keep the likeliest."""
    best: Fitted | None = None
    reason = "there are too few times for a knot"
    for knot in candidate_knots(source.quantiles):
        try:
            fitted = model.fit(source, Piecewise((knot,)), reml=False)
        except ModelError as error:
            reason = str(error)
            continue
        if fitted.report.converged and (best is None or _likelihood(fitted) > _likelihood(best)):
            best = fitted
    if best is None:
        raise ModelError(f"no knot could be placed: {reason}.")
    return best


def candidate_knots(quantiles: Quantiles) -> list[float]:
    """Distinct places for a knot."""
    return sorted({float(knot) for knot in quantiles(SEARCHED)})


def _likelihood(fitted: Fitted) -> float:
    if not fitted.report.converged:
        return -math.inf
    return -0.5 * reported_deviance(fitted.design, fitted.optimum, reml=fitted.reml)


def _parameters(fitted: Fitted) -> int:
    q = len(fitted.random)
    return len(fitted.design.x_names) + q * (q + 1) // 2 + 1
