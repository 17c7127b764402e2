"""What is the result over data sets in which the unseen scores are drawn, and shifted by delta."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.score_arrays import FloatArray
from mbc.models.dropout.clients import BoolArray, Clients, IntArray
from mbc.models.dropout.expectation import Growth, arms_of, fit_growth, growth_model, read_model_clients
from mbc.models.dropout.rubin_rules import Pooled, pool_rubin
from mbc.models.dropout.unseen_scores import unseen
from mbc.models.growth.data.shapes import Shape, ShapeName
from mbc.models.growth.fit.fit_model import NotConverged
from mbc.models.growth.growth_curve import GrowthCurve
from mbc.models.results.result import Result

Reason = Literal["nothing_missing", "not_converged"]
Deltas = float | Sequence[float]
_TRIES = 3  # bootstrap samples whose growth model does not converge are drawn again, this many times over


@dataclass(frozen=True, slots=True)
class DeltaImputation(Result):
    """Results pooled over imputed data sets, one per delta."""

    deltas: tuple[float, ...]
    pooled: tuple[Pooled, ...]
    tipping_point: (
        float | None
    )  # first delta, by straight lines between those tried, whose interval reaches against
    against: float
    at: float
    n: int
    n_missing: int
    n_failed: int  # bootstrap samples drawn again because their growth model did not converge
    imputations: int
    seed: int
    method: str = "multiple imputation from a growth model, clients bootstrapped; Rubin's rules"
    source: str = "Carpenter & Kenward (2013), Multiple Imputation and its Application"
    reason: Reason | None = None

    def _columns(self) -> dict[str, Any]:
        """Make a table, one row per delta."""
        names = (
            "estimate",
            "standard_error",
            "degrees_of_freedom",
            "lower",
            "upper",
            "p_value",
            "missing_information",
        )
        columns = {"delta": pl.Series(self.deltas[: len(self.pooled)], dtype=pl.Float64)}
        for name in names:
            columns[name] = pl.Series([getattr(pooled, name) for pooled in self.pooled], dtype=pl.Float64)
        return columns


@checked
def delta_imputation(  # noqa: PLR0913 - options are keyword-only
    data: object,
    *,
    client: str,
    time: str,
    score: str,
    delta: Deltas = 0.0,
    per: Literal["client", "time"] = "client",
    delta_by: str | None = None,
    delta_weights: Mapping[object, float] | None = None,
    at: float | None = None,
    group: str | None = None,
    active: object = None,
    adjust: Sequence[str] = (),
    against: float = 0.0,
    covariates: Sequence[str] | None = None,
    shape: ShapeName | Shape = "log",
    random: Sequence[str] = ("intercept", "slope"),
    imputations: int = 20,
    seed: int = 0,
    confidence: float = 0.95,
) -> DeltaImputation:
    """Impute what is missing, shift it by delta, analyse each data set, and pool.

    Parameters
    ----------
    data, client, time, score, at, group, active, against, covariates, shape, random
        As for `pattern_mixture`.
    delta : float or sequence of float
        Scale points added to imputed scores; several give one result each, from the same draws.
    per : {"client", "time"}
        Once, or for every unit of time since the client's last score.
    delta_by, delta_weights
        A column of the client and, per value of it, what delta is multiplied with (0 for values not named): by
        group, ``{"active": 1}``; by how therapy ended, ``{"dropout": 1, "planned": -0.5}``. Without them delta
        applies to the active group, or to everybody where there are no groups.
    adjust : sequence of str
        Columns of the client in the analysis of each data set, besides the group.
    imputations, seed : int
    confidence : float

    Returns
    -------
    DeltaImputation
        The estimate is the difference of the groups (or the mean) at ``at``, by least squares.

    Notes
    -----
    Per imputation: draw clients with replacement, fit the growth model to them, draw each missing score from its
    normal distribution given the client's own scores at those parameters, add delta.
    """
    if imputations < 2:
        raise ModelError(f"imputations must be at least 2, got {imputations}.")
    deltas = tuple(float(value) for value in (delta if isinstance(delta, Sequence) else (delta,)))
    model = growth_model(covariates, group, shape, random, reml=False)
    columns = (client, time, score)
    clients = read_model_clients(data, columns, at, [group, delta_by, *adjust], model)
    arms = arms_of(clients, group, active)
    shift = _shift(clients, arms, delta_by, delta_weights, per)
    design = _analysis(clients, arms, adjust)
    sizes = (clients.at, clients.people.height, int(clients.missing.sum()))
    if not sizes[2]:
        regression = _least_squares(design, clients.outcome)
        made = pool_rubin(
            [regression[0]] * 2,
            [regression[1]] * 2,
            complete_df=design.shape[0] - design.shape[1],
            confidence=confidence,
        )
        return DeltaImputation(deltas[:1], (made,), None, against, *sizes, 0, 0, seed, reason="nothing_missing")
    rng = np.random.default_rng(seed)
    drawn, failed = _draws(clients, columns, model, rng, imputations)
    if len(drawn) < 2:
        return DeltaImputation(deltas, (), None, against, *sizes, failed, len(drawn), seed, reason="not_converged")
    pooled: list[Pooled] = []
    for regression in deltas:
        filled = [np.where(clients.missing, scores + regression * shift, clients.outcome) for scores in drawn]
        results = [_least_squares(design, scores) for scores in filled]
        estimates, variances = [estimate for estimate, _ in results], [variance for _, variance in results]
        df = design.shape[0] - design.shape[1]
        pooled.append(pool_rubin(estimates, variances, complete_df=df, confidence=confidence))
    tipping = _reaches(deltas, pooled, against)
    return DeltaImputation(deltas, tuple(pooled), tipping, against, *sizes, failed, len(drawn), seed)


def _shift(
    clients: Clients,
    arms: list[tuple[str, BoolArray]],
    delta_by: str | None,
    weights: Mapping[object, float] | None,
    per: str,
) -> FloatArray:
    """Give what delta is multiplied with, per client."""
    if per not in {"client", "time"}:
        raise ModelError(f"per must be 'client' or 'time', got {per!r}.")
    if (delta_by is None) != (weights is None):
        raise ModelError("delta_by (a column) and delta_weights (its values' weights) must be given together.")
    base = arms[0][1].astype(float)
    if delta_by is not None and weights is not None:
        values = clients.people[delta_by].to_list()
        unknown = [arm for arm in weights if arm not in set(values)]
        if unknown:
            raise ModelError(f"delta_weights names {unknown[0]!r}, which column '{delta_by}' does not contain.")
        base = np.array([float(weights.get(arm, 0.0)) for arm in values])
    if per == "client":
        return base
    first = float(clients.time.min()) if clients.time.size else clients.at
    since = clients.at - np.where(np.isnan(clients.last), first, clients.last)
    return base * np.maximum(since, 0.0)


def _analysis(clients: Clients, arms: list[tuple[str, BoolArray]], adjust: Sequence[str]) -> FloatArray:
    """Design of the analysis; the estimate belongs to its first column."""
    n = clients.people.height
    others: list[FloatArray] = []
    for name in adjust:
        values = clients.column(name)
        if values.dtype.kind == "f":
            others.append(values - values.mean())
        else:
            indicators = [(values == level).astype(float) for level in sorted(set(values.tolist()))[1:]]
            others += [indicator - indicator.mean() for indicator in indicators]
    own = [np.ones(n)] if len(arms) == 1 else [arms[0][1].astype(float), np.ones(n)]
    design = np.stack([*own, *others], axis=1)
    if np.linalg.matrix_rank(design) < design.shape[1] or n <= design.shape[1]:
        raise ModelError(
            f"{n} clients are too few to separate the group from {', '.join(adjust) or 'nothing else'}."
        )
    return design


def _least_squares(design: FloatArray, outcome: FloatArray) -> tuple[float, float]:
    inverse = np.linalg.inv(design.T @ design)
    slopes = inverse @ (design.T @ outcome)
    rest = outcome - design @ slopes
    variance = float(rest @ rest) / (design.shape[0] - design.shape[1])
    return float(slopes[0]), variance * float(inverse[0, 0])


def _draws(
    clients: Clients,
    columns: tuple[str, str, str],
    model: Growth,
    rng: np.random.Generator,
    imputations: int,
) -> tuple[list[FloatArray], int]:
    drawn: list[FloatArray] = []
    failed = 0
    while len(drawn) < imputations and failed <= _TRIES * imputations:
        try:
            fit = _resampled_fit(clients, columns, model, rng)
            drawn.append(unseen(fit, clients).draw(rng))
        except (ModelError, NotConverged):
            failed += 1
    return drawn, failed


def _resampled_fit(
    clients: Clients, columns: tuple[str, str, str], model: Growth, rng: np.random.Generator
) -> GrowthCurve:
    """Fit the growth model to clients drawn with replacement; one drawn twice counts as two."""
    n = clients.people.height
    chosen = rng.integers(0, n, n)
    counts = np.bincount(clients.codes, minlength=n)
    firsts = np.cumsum(counts) - counts
    sizes = counts[chosen]
    row: IntArray = np.arange(int(sizes.sum())) + np.repeat(firsts[chosen] - (np.cumsum(sizes) - sizes), sizes)
    who = pl.Series(columns[0], np.repeat(np.arange(n), sizes))
    sample = clients.rows[row].with_columns(who)
    with warnings.catch_warnings():
        warnings.simplefilter("error", NotConverged)
        return fit_growth(sample, columns, model)


def _reaches(deltas: tuple[float, ...], pooled: Sequence[Pooled], against: float) -> float | None:
    """First delta, going away from zero, at which the interval contains ``against``."""
    order = sorted(range(len(deltas)), key=lambda k: abs(deltas[k]))
    gaps = [_gap(pooled[k], against) for k in order]
    steps = [deltas[k] for k in order]
    if gaps and gaps[0] <= 0:
        return steps[0]
    for k in range(1, len(gaps)):
        if gaps[k] <= 0 and steps[k] * steps[k - 1] >= 0 and math.isfinite(gaps[k - 1]):
            return steps[k - 1] + (steps[k] - steps[k - 1]) * gaps[k - 1] / (gaps[k - 1] - gaps[k])
    return None


def _gap(pooled: Pooled, against: float) -> float:
    """How far the nearer limit lies beyond ``against``; negative where the interval contains it."""
    return max(pooled.lower - against, against - pooled.upper)
