"""Fit the course model: maximum likelihood of the scatter, generalised least squares of the mean course."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from mbc.errors import ModelError
from mbc.models.forecast.course_model.fluctuation import CourseModel, Scatter
from mbc.models.forecast.course_model.histories import Histories
from mbc.models.forecast.course_model.mean_basis import MeanBasis, mean_basis
from mbc.models.forecast.course_model.outcome_scale import TRANSFORMS, OutcomeScale
from mbc.models.growth.matrices import Floats

MOST_FOR_SCATTER = 1500  # clients; six variances are known well enough from these, and the search stays short
_MOST_SCORES = 48  # of one client, for the same reason
_PENALTY = 0.125  # a standard deviation of 2 on the log scale: holds parameters that the data say nothing about


@dataclass(frozen=True, slots=True)
class CourseFit:
    """A course model, the scale it speaks on, and how well it fits."""

    scale: OutcomeScale
    model: CourseModel
    log_likelihood: float  # of the scores, whatever the transform
    parameters: Floats  # where the search ended; a start for a similar fit


@dataclass(frozen=True, slots=True)
class _Group:
    """Clients with about as many scores, padded to one length."""

    w: Floats  # (n, m), internal; 0 where there is none
    x: Floats  # (n, m, p); 0 where there is none
    z: Floats  # (n, m, 2); 0 where there is none
    gap: Floats  # (n, m, m)
    both: NDArray[np.bool_]  # (n, m, m): both cells hold a score
    own: NDArray[np.bool_]  # (n, m)


def fit_course(histories: Histories, scales: Sequence[OutcomeScale], *, start: Floats | None = None) -> CourseFit:
    """Fit the course model on each scale and keep the likeliest.

    Parameters
    ----------
    histories : Histories
        Clients with at least two scores.
    scales : sequence of OutcomeScale
        Transforms to try.
    start : ndarray, optional
        Where to start the search.
    """
    fits = [_fit(histories, scale, start) for scale in scales]
    return max(fits, key=lambda fit: fit.log_likelihood)


def candidate_scales(low: float, high: float, *, higher_is_better: bool, step: float) -> tuple[OutcomeScale, ...]:
    """List the transforms that are tried."""
    return tuple(OutcomeScale(low, high, higher_is_better, name, step) for name in TRANSFORMS)


def _fit(histories: Histories, scale: OutcomeScale, start: Floats | None) -> CourseFit:
    later = histories.scored.copy()
    later[:, 0] = False
    intake = scale.internal(histories.intake)
    times = histories.time[later]
    basis = mean_basis(times, intake)
    center = float(basis.clock(times).mean())
    groups = [_part(group, 1) for group in _groups(histories, scale, basis, center)]
    spread = float(np.concatenate([g.w[g.own] for g in groups]).std()) or 1.0
    typical = float(np.median(histories.end)) / 4 or 1.0
    guess = np.array([np.log(spread * 0.4), np.log(spread * 0.5), np.log(typical), np.log(spread * 0.5), 0.0,
                      np.log(spread * 0.2)])  # fmt: skip
    first = guess if start is None else start
    sample = _sample(groups)

    def objective(parameters: Floats) -> tuple[float, Floats]:
        value, slope = _deviance(sample, parameters)
        away = parameters - guess
        away[4] /= spread
        return value + _PENALTY * float(away @ away), slope + 2 * _PENALTY * away * _per(spread)

    # not L-BFGS-B: with six parameters its compiled steps wait for BLAS threads most of the time
    minimum: Any = minimize(objective, first, jac=True, method="BFGS", options={"maxiter": 100, "gtol": 1e-4})
    if not np.isfinite(minimum.fun):
        raise ModelError("The expected course could not be fitted: its likelihood is not finite on these scores.")
    beta, uncertainty, deviance = _mean_course(groups, minimum.x)
    scatter = _scatter(minimum.x, center)
    used = np.concatenate([scale.score(g.w[g.own]) for g in groups])
    constant = 0.5 * used.size * np.log(2 * np.pi)
    likelihood = -deviance - constant + scale.log_slope(used)
    return CourseFit(scale, CourseModel(basis, beta, uncertainty, scatter), float(likelihood), minimum.x)


def _per(spread: float) -> Floats:
    return np.array([1.0, 1.0, 1.0, 1.0, 1.0 / spread, 1.0])


def _scatter(parameters: Floats, center: float) -> Scatter:
    error, fading, time, level, tie, slope = parameters
    factor = np.array([[np.exp(level), 0.0], [tie, np.exp(slope)]])
    return Scatter(
        effects=factor @ factor.T,
        fading=float(np.exp(2 * fading)),
        fading_time=float(np.exp(time)),
        error=float(np.exp(2 * error)),
        clock_center=center,
    )


def _groups(histories: Histories, scale: OutcomeScale, basis: MeanBasis, center: float) -> Iterator[_Group]:
    """Cut clients by their number of scores, so that little of the padding is empty."""
    order = np.argsort(histories.count, kind="stable")
    counts = histories.count[order]
    start = 0
    while start < len(order):
        longest = max(int(counts[start]) + 1, int(1.25 * counts[start]))
        stop = int(np.searchsorted(counts, longest, side="right"))
        yield _group(histories.of(order[start:stop]), scale, basis, center)
        start = stop


def _group(some: Histories, scale: OutcomeScale, basis: MeanBasis, center: float) -> _Group:
    own, time = some.scored[:, 1:], some.time[:, 1:]
    x = basis.columns(time, scale.internal(some.intake)) * own[..., None]
    clock = basis.clock(time)
    z = np.stack([np.ones_like(clock), clock - center], axis=-1) * own[..., None]
    both = own[:, :, None] & own[:, None, :]
    return _Group(
        w=np.where(own, scale.internal(some.score[:, 1:]), 0.0),
        x=x,
        z=z,
        gap=np.where(both, np.abs(time[:, :, None] - time[:, None, :]), 0.0),
        both=both,
        own=own,
    )


def _sample(groups: list[_Group]) -> list[_Group]:
    """Keep some clients and scores of each group, where there are more than are needed."""
    clients = sum(len(g.w) for g in groups)
    step = -(-clients // MOST_FOR_SCATTER)
    return [_part(g, step) for g in groups]


def _part(group: _Group, step: int) -> _Group:
    """Keep every so many clients, and of long series scores three by three, so that short and long gaps stay."""
    m = int(group.w.shape[1])
    if step == 1 and m <= _MOST_SCORES:
        return group
    kept = np.arange(m)
    if m > _MOST_SCORES:
        starts = np.linspace(0, m - 3, _MOST_SCORES // 3).astype(int)
        kept = np.unique(starts[:, None] + np.arange(3))
    own, pairs = (
        np.ix_(np.arange(0, len(group.w), step), kept),
        np.ix_(np.arange(0, len(group.w), step), kept, kept),
    )
    return _Group(group.w[own], group.x[own], group.z[own], group.gap[pairs], group.both[pairs], group.own[own])


def _covariance(group: _Group, parameters: Floats) -> tuple[Floats, Floats, Floats]:
    """V, (n, m, m), padded with ones on the diagonal; the fading part; and the factor of the lasting part."""
    error, fading, time, level, tie, slope = parameters
    factor = np.array([[np.exp(level), 0.0], [tie, np.exp(slope)]])
    half = group.z @ factor
    faded = np.exp(2 * fading) * np.exp(-group.gap / np.exp(time)) * group.both
    v = half @ np.swapaxes(half, 1, 2) + faded
    place = np.arange(int(v.shape[1]))
    v[:, place, place] += np.where(group.own, np.exp(2 * error), 1.0)
    return v, faded, half


def _mean_course(groups: list[_Group], parameters: Floats) -> tuple[Floats, Floats, float]:
    """Coefficients, their covariance, and half the deviance without its constant."""
    p = groups[0].x.shape[2]
    xx, xw, ww, logs = np.zeros((p, p)), np.zeros(p), 0.0, 0.0
    for group in groups:
        v, _, _ = _covariance(group, parameters)
        logs += _half_log_determinant(v)
        both = np.concatenate([group.x, group.w[..., None]], axis=2)
        q = np.einsum("nia,nib->ab", both, np.linalg.inv(v) @ both)
        xx, xw, ww = xx + q[:p, :p], xw + q[:p, p], ww + float(q[p, p])
    uncertainty = np.linalg.pinv(xx, hermitian=True)
    beta = uncertainty @ xw
    return beta, uncertainty, 0.5 * (ww - float(xw @ beta)) + logs


def _half_log_determinant(v: Floats) -> float:
    # by LU: the Cholesky factors of many small matrices wait for BLAS threads most of the time
    sign, log = np.linalg.slogdet(v)
    if (sign <= 0).any():
        raise np.linalg.LinAlgError("a covariance is not positive definite")
    return 0.5 * float(log.sum())


def _deviance(groups: list[_Group], parameters: Floats) -> tuple[float, Floats]:
    """Half the deviance (constant apart) at the best mean course, and its gradient.

    With W = V^-1 - alpha alpha', alpha = V^-1 (w - X beta): d/dp = 1/2 sum(W * dV/dp).
    """
    try:
        kept = [(g, *_covariance(g, parameters)) for g in groups]
        inverse = [np.linalg.inv(v) for _, v, _, _ in kept]
        logs = sum(_half_log_determinant(v) for _, v, _, _ in kept)
    except np.linalg.LinAlgError:
        return np.inf, np.zeros(parameters.size)
    p = groups[0].x.shape[2]
    xx, xw = np.zeros((p, p)), np.zeros(p)
    for (group, *_), vi in zip(kept, inverse, strict=True):
        vx = vi @ group.x
        xx += np.einsum("nia,nib->ab", group.x, vx)
        xw += np.einsum("nia,ni->a", vx, group.w)
    beta = np.linalg.pinv(xx, hermitian=True) @ xw
    error, _, time, level, _, slope = parameters
    value, gradient = logs, np.zeros(parameters.size)
    for (group, _, faded, half), vi in zip(kept, inverse, strict=True):
        left = (group.w - group.x @ beta) * group.own
        alpha = np.einsum("nij,nj->ni", vi, left)
        value += 0.5 * float((alpha * left).sum())
        w = vi - alpha[:, :, None] * alpha[:, None, :]
        wz = np.einsum("nij,njb->nib", w, half)  # W Z L
        zwz = np.einsum("nia,nib->ab", group.z, wz)  # Z'W Z L
        trace = np.diagonal(w, axis1=1, axis2=2)[group.own].sum()
        gradient += [
            np.exp(2 * error) * trace,
            float((w * faded).sum()),
            0.5 * float((w * faded * group.gap).sum()) / np.exp(time),
            np.exp(level) * zwz[0, 0],
            zwz[1, 0],
            np.exp(slope) * zwz[1, 1],
        ]
    return value, gradient
