"""Would the result hold if those who dropped out had done worse than those who stayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import polars as pl

from mbc.arguments import checked
from mbc.models.change.inputs.score_arrays import (
    FloatArray,
)
from mbc.models.dropout.clients import BoolArray, Clients
from mbc.models.dropout.expectation import arms_of, fit_growth, growth_model, read_model_clients
from mbc.models.dropout.unseen_scores import unseen
from mbc.models.growth.data.shapes import Shape, ShapeName
from mbc.models.growth.growth_curve import GrowthCurve
from mbc.models.results.result import Result
from mbc.models.results.tables import Backend, frame

Reason = Literal["nothing_missing", "nobody_observed"]


@dataclass(frozen=True, slots=True)
class GroupMean:
    """One group at the occasion asked about."""

    group: str  # "all" where no groups are distinguished
    n: int
    n_missing: int
    observed: float | None  # mean of the scores that are there
    expected: float | None  # mean of what those who are missing would have had, given their own scores
    mean: float | None  # both, each by its share
    shifted: bool  # whether delta applies to this group

    def at(self, delta: float) -> float | None:
        """Mean if those who are missing lie ``delta`` points beyond what is expected of them."""
        if self.mean is None:
            return None
        return self.mean + (delta * self.n_missing / self.n if self.shifted else 0.0)


@dataclass(frozen=True, slots=True)
class PatternMixture(Result):
    """Means over observed and missing clients, and how far the missing must deviate to reverse a result."""

    groups: tuple[GroupMean, ...]
    completers: float | None  # difference (or mean) of those seen
    estimate: float | None  # the same with the missing as expected: missing at random
    tipping_point: float | None  # delta, scale points, that makes the estimate ``against``
    against: float
    at: float  # time of the occasion
    n: int
    n_missing: int
    fit: GrowthCurve = field(repr=False)
    method: str = "pattern mixture, delta added to the conditional means of a growth model"
    source: str = "Little (1993), doi:10.1080/01621459.1993.10594302"
    reason: Reason | None = None  # why there is no tipping point

    @checked
    def at_delta(self, delta: float) -> float | None:
        """Difference (or mean) if the missing lie ``delta`` scale points beyond what is expected of them."""
        means = [group.at(delta) for group in self.groups]
        if any(mean is None for mean in means):
            return None
        first = float(means[0] or 0.0)
        return first if len(means) == 1 else first - float(means[1] or 0.0)

    @checked
    def to_frame(self, deltas: Sequence[float] = (0.0,), *, backend: Backend | None = None) -> Any:
        """Make a table, one row per delta: each group's mean and their difference."""
        return frame(self._at_deltas(deltas), backend or self.input_backend or "polars")

    def _columns(self) -> dict[str, Any]:
        """Give the row of delta 0."""
        return self._at_deltas((0.0,))

    def _at_deltas(self, deltas: Sequence[float]) -> dict[str, Any]:
        rows: dict[str, pl.Series] = {"delta": pl.Series(list(deltas), dtype=pl.Float64)}
        for group in self.groups:
            rows[f"mean_{group.group}"] = pl.Series([group.at(delta) for delta in deltas], dtype=pl.Float64)
        rows["estimate"] = pl.Series([self.at_delta(delta) for delta in deltas], dtype=pl.Float64)
        return rows


@checked
def pattern_mixture(  # noqa: PLR0913 - options are keyword-only
    data: object,
    *,
    client: str,
    time: str,
    score: str,
    at: float | None = None,
    group: str | None = None,
    active: object = None,
    shift: Literal["active", "all"] = "active",
    against: float = 0.0,
    covariates: Sequence[str] | None = None,
    shape: ShapeName | Shape = "log",
    random: Sequence[str] = ("intercept", "slope"),
    reml: bool = True,
) -> PatternMixture:
    """Find how much worse than expected the missing must be to reverse a result.

    Parameters
    ----------
    data : frame
        One row per client and planned occasion; a row without a score is a missed one.
    client, time, score : str
        Its columns; time is a number.
    at : float, optional
        The occasion compared; the last one unless given.
    group : str, optional
        Column with two groups; without it the mean of everybody is looked at.
    active : value of ``group``
        The group whose mean comes first in the difference.
    shift : {"active", "all"}
        Who of the missing deviates from expectation: the active group's, or everybody's.
    against : float
        The estimate that would reverse the result, in scale points: 0 for a difference.
    covariates, shape, random, reml
        Of the growth model: see `mbc.models.growth_curve`. The group is a covariate unless others are named.

    Returns
    -------
    PatternMixture

    Raises
    ------
    ModelError
        If columns have the wrong type, or there are not two groups.

    Notes
    -----
    ``mean = p_seen * mean_seen + p_missing * (mean_expected + delta)``. What is expected of a client who is
    missing follows from the client's own earlier scores (best linear unbiased prediction). How large
    delta is cannot be learnt from the data: ask whether the tipping point is believable. Those who ended by plan
    are expected to deviate the other way from those who dropped out: see `delta_imputation`.
    """
    model = growth_model(covariates, group, shape, random, reml=reml)
    clients = read_model_clients(data, (client, time, score), at, [group], model)
    arms = arms_of(clients, group, active)
    fit = fit_growth(clients.rows, (client, time, score), model)
    expected = unseen(fit, clients).mean
    groups = tuple(
        _group_mean(clients, expected, inside, name, shifted=shift == "all" or k == 0)
        for k, (name, inside) in enumerate(arms)
    )
    observed = [group.observed for group in groups]
    means = [group.mean for group in groups]
    estimate = _difference(means)
    reason, tipping = _tipping(groups, estimate, against)
    return PatternMixture(
        groups=groups,
        completers=_difference(observed),
        estimate=estimate,
        tipping_point=tipping,
        against=against,
        at=clients.at,
        n=clients.people.height,
        n_missing=int(clients.missing.sum()),
        fit=fit,
        reason=reason,
    )


def _group_mean(
    clients: Clients, expected: FloatArray, inside: BoolArray, name: str, *, shifted: bool
) -> GroupMean:
    lost, scored = inside & clients.missing, inside & ~clients.missing
    n, n_missing = int(inside.sum()), int(lost.sum())
    observed = float(clients.outcome[scored].mean()) if scored.any() else None
    unseen_mean = float(expected[lost].mean()) if n_missing else None
    total = float(np.where(clients.missing, expected, clients.outcome)[inside].mean()) if n else None
    return GroupMean(name, n, n_missing, observed, unseen_mean, total, shifted)


def _difference(means: Sequence[float | None]) -> float | None:
    available = [mean for mean in means if mean is not None]
    if len(available) < len(means):
        return None
    return available[0] if len(available) == 1 else available[0] - available[1]


def _tipping(
    groups: tuple[GroupMean, ...], estimate: float | None, against: float
) -> tuple[Reason | None, float | None]:
    shares = [group.n_missing / group.n if group.shifted and group.n else 0.0 for group in groups]
    slope = shares[0] if len(shares) == 1 else shares[0] - shares[1]
    if estimate is None:
        return "nobody_observed", None
    if slope == 0:
        return "nothing_missing", None
    return None, (against - estimate) / slope
