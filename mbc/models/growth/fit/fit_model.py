"""Fit one growth model to client sums, wherever their rows live."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mbc.errors import ModelError
from mbc.models.growth.data.client_sums import ClientSums
from mbc.models.growth.design.design import Design, Terms, design_of, random_columns, terms_of
from mbc.models.growth.design.identical_designs import aggregated
from mbc.models.growth.fit.deviance import Evaluation, evaluate
from mbc.models.growth.fit.estimates import internal_factor
from mbc.models.growth.fit.identification import require_identified
from mbc.models.growth.fit.information import second_derivatives
from mbc.models.growth.fit.optimiser import FitReport, minimise
from mbc.models.growth.fit.starts import best_of, first_factor, is_singular


class NotConverged(RuntimeWarning):
    """A growth model's search ended before its optimum; its estimates are withheld."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """The parts of a fit, in the engine's own scale; `GrowthCurve` speaks of it in the units of the data."""

    sums: ClientSums
    terms: Terms
    random: tuple[int, ...]  # columns of the time basis that vary between clients
    design: Design
    optimum: Evaluation
    report: FitReport
    reml: bool

    @property
    def singular(self) -> bool:
        """Whether some variance is zero or some correlation is one."""
        return is_singular(self.design, self.optimum)

    def at(self, theta: Sequence[float]) -> Fitted:
        """Evaluate the same model at lme4's theta instead of its optimum."""
        q = len(self.random)
        if len(theta) != q * (q + 1) // 2:
            raise ModelError(f"theta needs {q * (q + 1) // 2} numbers for {q} random effects, got {len(theta)}.")
        factor = internal_factor(self.design, np.asarray(theta, dtype=np.float64))
        there = evaluate(self.design.statistics, factor, reml=self.reml)
        if not math.isfinite(there.deviance):
            raise ModelError(f"the deviance is not finite at theta = {list(theta)}.")
        given = tuple(float(value) for value in theta)
        report = FitReport(
            converged=True, message="theta was given, not fitted", evaluations=1, start=given, end=given, log=()
        )
        return Fitted(self.sums, self.terms, self.random, self.design, there, report, self.reml)


def warn_unless_converged(report: FitReport, model: str) -> None:
    """Warn, with the model's name and its log, where a search ended before its optimum."""
    if not report.converged:
        warnings.warn(f"{model}: {report}", NotConverged, stacklevel=4)


def fit_sums(
    sums: ClientSums, *, time: str, covariates: Sequence[str], random: Sequence[str], reml: bool
) -> Fitted:
    """Expand the sums into a design and minimise its deviance; warns where the search fails."""
    terms = terms_of(sums, time, covariates)
    chosen = random_columns(random, ("intercept", *sums.basis.shape.terms(time)))
    design = design_of(sums, terms, chosen)
    at, report = fit_design(design, reml=reml)
    warn_unless_converged(report, "growth model")
    return Fitted(sums, terms, chosen, design, at, report, reml)


def fit_design(design: Design, *, reml: bool) -> tuple[Evaluation, FitReport]:
    """Minimise a design's deviance, over distinct designs where many clients share one."""
    statistics = aggregated(design.statistics) or design.statistics
    start = evaluate(statistics, first_factor(design, statistics), reml=reml)
    require_identified(design, start)
    return best_of(
        lambda first: minimise(
            lambda factor: evaluate(statistics, factor, reml=reml),
            first,
            exact=lambda at, along: second_derivatives(statistics, at, along, reml=reml),
        ),
        start,
        design,
        clients=statistics.clients,
    )
