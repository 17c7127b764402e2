"""How far does what a growth model concludes depend on why clients left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.distributions import two_sided
from mbc.models.dropout.clients import BoolArray
from mbc.models.dropout.endings import PLANNED, Endings, read_endings
from mbc.models.dropout.group_means import Estimand, Means
from mbc.models.dropout.sentences import Question, sensitivity_sentence
from mbc.models.dropout.sources import Source, source_of_result
from mbc.models.growth.growth_curve import GrowthCurve
from mbc.models.results.result import Result
from mbc.models.results.tables import Backend
from mbc.models.results.tables import frame as native_frame

Reason = Literal["nobody_left", "cancels", "not_shown"]
Measure = Literal["change", "score"]


@dataclass(frozen=True, slots=True)
class LeaversAndMean:
    """One group at the time asked about."""

    group: str  # "all" where no groups are distinguished
    n: int  # clients on the list
    n_left: int  # dropped out before that time
    n_planned: int  # ended as planned before that time
    mean: float  # expected, leaving explained by the scores seen before
    standard_error: float
    exposure: float  # points that one point of delta adds to the mean
    shifted: bool  # whether delta applies to this group


@dataclass(frozen=True, slots=True)
class AtDelta(Result):
    """The conclusion at one delta."""

    delta: float
    estimate: float
    standard_error: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class DropoutSensitivity(Result):
    """A mean, or a difference of two groups, under missing at random and departures from it."""

    groups: tuple[LeaversAndMean, ...]
    question: Question
    exposure: float  # what one point of delta adds to the estimate
    variances: tuple[float, float, float]  # v0 + 2 v1 delta + v2 delta^2
    tipping_point: float | None  # delta that makes the estimate ``against``
    interval_tipping_point: float | None  # delta on the way there at which the interval reaches ``against``
    n: int
    n_left: int
    n_planned: int
    n_going_on: int  # no ending on record and no score since: taken as missing at random
    sentence: str
    method: str = "pattern mixture on a growth model, delta added to the courses of those who left"
    source: str = "Little (1993), doi:10.1080/01621459.1993.10594302"
    reason: Reason | None = None  # why there is no tipping point, or why the interval's is 0

    @property
    def estimate(self) -> float:
        """Under missing at random."""
        means = [group.mean for group in self.groups]
        return means[0] if len(means) == 1 else means[0] - means[1]

    @checked
    def at_delta(self, delta: float) -> AtDelta:
        """Estimate with its interval where those who left deviate by ``delta``."""
        return _at(self.estimate, self.exposure, self.variances, delta, two_sided(self.question.confidence))

    @checked
    def to_frame(self, deltas: Sequence[float] = (0.0,), *, backend: Backend | None = None) -> Any:
        """Make a table, one row per delta: delta, estimate, standard_error, lower, upper."""
        return native_frame(self._at_deltas(deltas), backend or self.input_backend or "polars")

    def _columns(self) -> dict[str, Any]:
        """Give the row of delta 0."""
        return self._at_deltas((0.0,))

    def _at_deltas(self, deltas: Sequence[float]) -> dict[str, Any]:
        rows = [self.at_delta(float(delta)) for delta in deltas]
        names = ("delta", "estimate", "standard_error", "lower", "upper")
        return {name: pl.Series([getattr(row, name) for row in rows], dtype=pl.Float64) for name in names}


@checked
def dropout_sensitivity(  # noqa: PLR0913 - options are keyword-only
    fit: GrowthCurve | object,
    frame: object,
    *,
    at: float,
    time: str | None = None,
    client: str | None = None,
    measure: Measure = "change",
    start: float = 0.0,
    ended: str | None = None,
    planned: Sequence[object] = PLANNED,
    planned_weight: float = 0.0,
    per: Literal["client", "time"] = "client",
    grace: float = 0.0,
    group: str | None = None,
    active: object = None,
    shift: Literal["active", "all"] = "active",
    estimand: Estimand = "course",
    against: float = 0.0,
    higher_is_better: bool | None = None,
    confidence: float = 0.95,
) -> DropoutSensitivity:
    """Ask a growth model how its conclusion changes if those who left deviate from expectation by delta.

    Parameters
    ----------
    fit : GrowthCurve, or a result of `mixedlm`
        The mean and its uncertainty come from there; a growth curve holds client sums, no rows.
    frame : table
        The rows it was fitted to, and clients without any score: who was last seen when, and how therapy ended.
        Any kind that narwhals knows; one grouped aggregation.
    at, start : float
        In the unit of the time column; ``start`` is where therapy, and a change, begins.
    time, client : str, optional
        For a formula model, which does not say which columns these are.
    measure : {"change", "score"}
        Mean change from ``start`` to ``at``, or the mean score at ``at``.
    ended, planned
        Column that says how therapy ended (blank while it goes on), and its values that mean a planned ending.
        Without ``ended`` whoever has no score from ``at - grace`` on counts as having dropped out.
    planned_weight : float
        What delta is multiplied with for planned endings: 0 takes them as expected, -1 lets them deviate the
        other way, which is what ending because one is well enough would mean.
    per : {"client", "time"}
        Delta is added once, or for every unit of time since the last score.
    group, active, shift
        A covariate of the model with two groups: the difference ``active`` - other is looked at, and delta applies
        to the active group's leavers or to ``"all"``.
    estimand : {"course", "scores"}
        Where everybody is expected at ``at``: on the model's course (sessions at any time; groups differ in
        nothing but the group), or, for planned occasions, those with a score at ``at`` on that score and the
        others as expected given their own (groups as they are).
    against : float
        The value that reverses the conclusion, in points.
    higher_is_better : bool, optional
        For the sentence.
    confidence : float

    Returns
    -------
    DropoutSensitivity

    Raises
    ------
    ModelError, FrameError
        If the table is not the one fitted, a group is not a covariate, or an option is not one of those above.

    Notes
    -----
    ``estimate(delta) = MAR + delta e``, e the mean over clients of weight x (1 or time since leaving). Its
    variance carries sampling and imputation: ``v0 + 2 v1 delta + v2 delta^2`` from each client's influence on the
    coefficients and on e, which is what multiple imputation comes to with many data sets. With
    ``estimand="course"`` v0 is the model's own, so that delta 0 is `GrowthCurve.predict_mean`. Variances are taken
    as known.

    References
    ----------
    .. [1] Little (1993), doi:10.1080/01621459.1993.10594302.
    .. [2] Carpenter & Kenward (2013), Multiple Imputation and its Application, chapter 10.

    Examples
    --------
    >>> import polars as pl
    >>> from mbc import models
    >>> scores = pl.DataFrame({
    ...     "client": [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 5, 6],
    ...     "week": [0, 2, 6, 0, 3, 6, 0, 1, 6, 0, 2, 0, 1, 0],
    ...     "score": [21, 18, 12, 17, 16, 11, 25, 20, 16, 14, 12, 20, 19, 22],
    ... })
    >>> columns = {"outcome": "score", "time": "week", "client": "client"}
    >>> fit = models.growth_curve(scores, **columns, shape="linear", random="intercept")
    >>> found = models.dropout_sensitivity(fit, scores, at=6, higher_is_better=False)
    >>> found.n_left, round(found.estimate, 1), round(found.tipping_point, 1)
    (3, -7.5, 15.0)
    """
    _check(measure, per, shift, estimand)
    source = source_of_result(fit, time, client, group)
    question = Question(
        time=source.columns[1],
        at=float(at),
        start=float(start),
        measure=measure,
        per=per,
        against=against,
        confidence=confidence,
        higher_is_better=higher_is_better,
        endings_known=ended is not None,
        active_only=shift == "active",
        planned_weight=planned_weight,
    )
    people = _people(source, frame, group, ended, planned, float(at) if estimand == "scores" else None)
    away = np.isnan(people.last) | (people.last < at - grace)
    if estimand == "scores":
        away = away & np.isnan(people.score)
    dropped, ended_well = away & ~people.planned & ~people.going_on, away & people.planned
    since = np.maximum(at - np.where(np.isnan(people.last), start, people.last), 0.0) if per == "time" else 1.0
    exposure = np.asarray((dropped + planned_weight * ended_well) * since, dtype=np.float64)
    means = Means(source, people, question, estimand)
    made = [
        means.group(name, given, inside, exposure if shift == "all" or k == 0 else np.zeros(len(exposure)))
        for k, (name, given, inside) in enumerate(_arms(people, group, active))
    ]
    groups = tuple(
        LeaversAndMean(
            group=group.name,
            n=int(group.inside.sum()),
            n_left=int((dropped & group.inside).sum()),
            n_planned=int((ended_well & group.inside).sum()),
            mean=group.mean,
            standard_error=math.sqrt(means.contrast([group])[2][0]),
            exposure=float(group.exposure[group.inside].mean()),
            shifted=shift == "all" or k == 0,
        )
        for k, group in enumerate(made)
    )
    return _answer(question, groups, means.contrast(made), int((away & people.going_on).sum()))


def _answer(
    question: Question,
    groups: tuple[LeaversAndMean, ...],
    estimates: tuple[float, float, tuple[float, float, float]],
    n_going_on: int,
) -> DropoutSensitivity:
    """Give what reverses the conclusion, in numbers and in words."""
    estimate, share, variances = estimates
    quantile = two_sided(question.confidence)
    reason, tipping, reached = _tipping(estimate, share, variances, question.against, quantile)
    at_zero = _at(estimate, share, variances, 0.0, quantile)
    return DropoutSensitivity(
        groups=groups,
        question=question,
        exposure=share,
        variances=variances,
        tipping_point=tipping,
        interval_tipping_point=reached,
        n=sum(group.n for group in groups),
        n_left=sum(group.n_left for group in groups),
        n_planned=sum(group.n_planned for group in groups),
        n_going_on=n_going_on,
        sentence=sensitivity_sentence(
            question,
            [(group.group, group.n, group.n_left, group.n_planned) for group in groups],
            (at_zero.estimate, at_zero.lower, at_zero.upper),
            (tipping, reached),
            reason,
        ),
        reason=reason,
    )


def _people(
    source: Source,
    frame: object,
    group: str | None,
    ended: str | None,
    planned: Sequence[object],
    at: float | None,
) -> Endings:
    """Read who is on the list, with the covariates of the model."""
    if group is not None and group not in source.covariates:
        raise ModelError(
            f"group {group!r} is not a covariate of this model, which has "
            f"{', '.join(source.covariates) or 'none'}. "
            "Fit it with covariates=(group, 'group:time') so that the groups may differ."
        )
    client, time, outcome = source.columns
    return read_endings(
        frame,
        client=client,
        time=time,
        outcome=outcome,
        at=at,
        ended=ended,
        planned=planned,
        covariates=source.covariates,
    )


def _check(measure: str, per: str, shift: str, estimand: str) -> None:
    for name, value, accepted in (
        ("measure", measure, ("change", "score")),
        ("per", per, ("client", "time")),
        ("shift", shift, ("active", "all")),
        ("estimand", estimand, ("course", "scores")),
    ):
        if value not in accepted:
            raise ModelError(f"{name} must be {accepted[0]!r} or {accepted[1]!r}, got {value!r}.")
    if estimand == "scores" and measure == "change":
        raise ModelError("estimand='scores' is for one occasion: use measure='score'.")


def _arms(people: Endings, group: str | None, active: object) -> list[tuple[str, dict[str, object], BoolArray]]:
    """Name the groups, the active one first, with the covariate that says so, and mark their clients."""
    if group is None:
        return [("all", {}, np.ones(len(people.ids), dtype=bool))]
    values = people.covariates[group]
    kinds: list[object] = sorted(set(values.tolist()))
    if len(kinds) != 2:
        raise ModelError(f"Column '{group}' must contain two groups, got {', '.join(map(str, kinds[:6]))}.")
    wanted = active if values.dtype.kind == "f" else str(active)
    if wanted not in kinds:
        raise ModelError(f"active must be one of the groups ({kinds[0]}, {kinds[1]}), got {active!r}.")
    order = [wanted, next(kind for kind in kinds if kind != wanted)]
    names = [f"{kind:g}" if isinstance(kind, float) else str(kind) for kind in order]
    return [
        (name, {group: kind}, np.asarray(values == kind, dtype=bool))
        for name, kind in zip(names, order, strict=True)
    ]


def _at(
    estimate: float, share: float, variances: tuple[float, float, float], delta: float, quantile: float
) -> AtDelta:
    v0, v1, v2 = variances
    error = math.sqrt(max(v0 + 2 * v1 * delta + v2 * delta * delta, 0.0))
    there = estimate + share * delta
    return AtDelta(delta, there, error, there - quantile * error, there + quantile * error)


def _tipping(
    estimate: float, share: float, variances: tuple[float, float, float], against: float, quantile: float
) -> tuple[Reason | None, float | None, float | None]:
    """Delta at which the estimate is ``against``, and the first on the way at which the interval reaches it."""
    gap, square = estimate - against, quantile * quantile
    v0, v1, v2 = variances
    significant = gap * gap > square * v0
    if v2 == 0 and share == 0:
        return "nobody_left", None, None
    if abs(share) < 1e-12:  # both groups lose as much, or planned endings outweigh dropouts
        return "cancels", None, None
    tipping = -gap / share
    if not significant:
        return "not_shown", tipping, 0.0
    roots = np.roots([share * share - square * v2, 2 * (gap * share - square * v1), gap * gap - square * v0])
    real = [
        float(root.real)
        for root in roots
        if abs(root.imag) < 1e-12 * max(1.0, abs(root)) and root.real * tipping > 0
    ]
    return None, tipping, min(real, key=abs)
