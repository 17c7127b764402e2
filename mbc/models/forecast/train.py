"""From clients' histories to a calibrated course model: everything is judged on clients left out of the fit."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from mbc.errors import ModelError
from mbc.models.forecast.calibration.chances import ChanceCorrection, fit_correction
from mbc.models.forecast.calibration.last_score_outcomes import Prognosis, Rule
from mbc.models.forecast.calibration.left_out_forecasts import WIDTH, LocalLine, Spreads, fit_line, fit_spreads
from mbc.models.forecast.calibration.screening_accuracy import best_threshold
from mbc.models.forecast.course_model.fit import CourseFit, candidate_scales, fit_course
from mbc.models.forecast.course_model.histories import Histories, Indices
from mbc.models.forecast.course_model.landmarks import (
    Endings,
    Landmarks,
    cut,
    landmarks,
    sessions_to_learn_from,
)
from mbc.models.forecast.course_model.rounded_numbers import rounded
from mbc.models.growth.matrices import Floats

LEAST_CLIENTS = 40  # followed; fewer leave no one to calibrate on
COURSE_SHARE = 0.7  # the rest is the regression's: what the two know differs, and neither is right everywhere
_REGRESSION_WIDTH = 0.2  # along log(session)
FIRST_SIGNAL = 3  # scores known; earlier ones say little about the end
_FROM_END = 4  # clients beyond the score that the range of intakes is counted from: none is described alone
_WIDEST = 3.0  # times as wide as elsewhere, for clients whom hardly anybody was like
_MOST_FOR_CALIBRATION = 10_000  # clients; quantiles are known well enough from these
_LEAST_AT_SESSION = 20  # clients still followed; beyond that session the last corrections are kept
_MOST_FLAGGED = 1 / 3  # of forecasts; alarms that sound for most clients are soon not heard
_LEAST_CHANCE = 0.25  # of deterioration: one in four at least, before anybody is alarmed
_LEAST_DETERIORATED = 10  # clients; fewer do not bear a line of their own
_EVEN_CHANCE = 0.5  # the line then: more likely than not


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A course model with what its forecasts of unseen clients were worth."""

    fit: CourseFit
    endings: Endings
    correction: LocalLine  # of the course model's error at the end, from its forecast; along log(session)
    regression: LocalLine  # of the end on intake and latest score; along log(session)
    at_end: Spreads  # along log(session)
    on_course: Spreads  # given intake only, along the clock
    ahead: Spreads  # given a few scores, along log(1 + time ahead / unit)
    intake_range: tuple[float, float]
    improvement: ChanceCorrection = field(default_factory=ChanceCorrection)
    deterioration: ChanceCorrection = field(default_factory=ChanceCorrection)

    def prognosis(self, rows: Landmarks) -> Prognosis:
        """Correct and calibrate forecasts of the end."""
        expected = _averaged(self.correction, self.regression, rows)
        quantiles, clients = self.at_end.at(np.log(rows.session), self.fit.scale.distance(rows.intake))
        low, high = self.fit.scale.low, self.fit.scale.high
        few, wider = self.sparse(rows.intake)
        return Prognosis(
            np.clip(expected, low, high),
            rows.spread * wider,
            quantiles,
            np.minimum(clients, few),
            self.fit.scale,
            self.improvement,
            self.deterioration,
        )

    def sparse(self, intake: Floats) -> tuple[Floats, Floats]:
        """Say how few clients began where these did, and how many times as wide bands must be for that.

        Within the range of intakes nothing is changed (infinite, and 1). Beyond, at most four clients began, and
        fewer the farther out: n = 4 exp(-d^2 / 2) at d standard deviations of intakes beyond. What n clients leave
        uncertain of a mean makes a band sqrt(1 + 1/n) times as wide, three times at most.
        """
        internal, basis = self.fit.scale.internal, self.fit.model.basis
        ends = np.sort(internal(np.array(self.intake_range)))
        at = internal(intake)
        beyond = np.maximum(np.maximum(ends[0] - at, at - ends[1]), 0.0) / basis.intake_spread
        outside = (intake < self.intake_range[0]) | (intake > self.intake_range[1])
        n = np.maximum(_FROM_END * np.exp(-0.5 * beyond**2), 1.0 / (_WIDEST**2 - 1.0))
        return np.where(outside, np.maximum(n, 1.0), np.inf), np.where(outside, np.sqrt(1.0 + 1.0 / n), 1.0)


def _averaged(correction: LocalLine, regression: LocalLine, rows: Landmarks) -> Floats:
    along = np.log(rows.session)
    course = rows.expected + correction.at(along, rows.expected[:, None])
    return COURSE_SHARE * course + (1 - COURSE_SHARE) * regression.at(along, _start_and_latest(rows))


def _start_and_latest(rows: Landmarks) -> Floats:
    return np.column_stack([rows.intake, rows.latest])


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a forecast raises a flag; None where the records say nothing about it."""

    improvement: float | None  # a chance of reliable improvement below this
    deterioration: float | None  # a chance of reliable deterioration of at least this


@dataclass(frozen=True, slots=True)
class Trained:
    """A calibrated model, and how it did on clients left out."""

    model: Calibrated
    thresholds: Thresholds
    unseen: Landmarks  # forecasts of clients left out of the fit
    prognosis: Prognosis  # the same, calibrated on yet other clients
    rule: Rule
    clients: int  # learned from
    fold: Indices  # of the clients left out in turn, as `unseen` numbers them


def train(
    histories: Histories,
    *,
    low: float,
    high: float,
    higher_is_better: bool,
    reliable_change: float | None,
    folds: int,
    seed: int,
) -> Trained:
    """Fit, forecast clients left out, calibrate on them, and choose thresholds.

    Parameters
    ----------
    histories : Histories
    low, high : float
        Lowest and highest score of the scale.
    higher_is_better : bool
    reliable_change : float or None
        Score points; None takes 1.96 sqrt(2) times the model's own measurement error at the median score.
    folds, seed : int
        Clients are dealt to this many folds, by a generator with this seed.
    """
    followed = histories.followed()
    if len(followed) < LEAST_CLIENTS:
        raise ModelError(
            f"An expected course needs {LEAST_CLIENTS} clients with two scores or more, got {len(followed)}. "
            "Use a model file from a larger clinic with the same questionnaire, or wait for more records."
        )
    fit = fit_course(followed, candidate_scales(low, high, higher_is_better=higher_is_better, step=histories.step))
    points = own_reliable_change(fit, followed) if reliable_change is None else float(reliable_change)
    rule = Rule(higher_is_better, points)
    judged = followed.of(np.arange(0, len(followed), -(-len(followed) // _MOST_FOR_CALIBRATION)))
    fold = assign_folds(len(judged), folds, seed)
    outside = [_left_out(judged, fit, fold, number) for number in range(folds)]
    unseen = Landmarks.joined([part.end for part in outside])
    model = _calibrated(fit, followed, outside)
    prognosis = _cross_calibrated(fit, followed, outside)
    better, worse = rule.improved(unseen.intake, unseen.final), rule.deteriorated(unseen.intake, unseen.final)
    corrections = {
        "improvement": fit_correction(prognosis.chance_improved(unseen.intake, rule), better, unseen.client),
        "deterioration": fit_correction(prognosis.chance_deteriorated(unseen.intake, rule), worse, unseen.client),
    }
    model, prognosis = replace(model, **corrections), replace(prognosis, **corrections)
    thresholds = _thresholds(unseen, prognosis, rule)
    return Trained(model, thresholds, unseen, prognosis, rule, len(followed), fold)


def score_range_of(histories: Histories, given: tuple[float, float] | None) -> tuple[float, float]:
    """Take the ends of the scale that were given, or those that were met.

    Raises
    ------
    ModelError
        If scores lie outside.
    """
    scores = histories.score[histories.scored]
    observed_range = float(scores.min()), float(scores.max())
    low, high = observed_range if given is None else (float(given[0]), float(given[1]))
    if not low < high:
        raise ModelError(f"the lowest score must be under the highest, got {low:g} and {high:g}.")
    if observed_range[0] < low or observed_range[1] > high:
        raise ModelError(
            f"scores reach from {observed_range[0]:g} to {observed_range[1]:g}, outside {low:g} to {high:g}. "
            "Does score_range belong to another questionnaire, or do the scores have another coding?"
        )
    return low, high


def require_reliable(points: float | None) -> None:
    """Refuse a reliable change that is none.

    Raises
    ------
    ModelError
        If it is not a finite number over 0.
    """
    if points is not None and not 0 < points < np.inf:
        raise ModelError(f"reliable_change must be > 0 score points and finite, got {points}.")


def own_reliable_change(fit: CourseFit, histories: Histories) -> float:
    """Find the change that measurement error alone exceeds in 5 % of pairs: 1.96 sqrt(2) SEM at the median score.

    The SEM is the model's error standard deviation, taken back to score points at the median score.
    """
    middle = float(np.median(histories.score[histories.scored]))
    sd = float(np.sqrt(fit.model.scatter.error))
    at = fit.scale.internal(np.array([middle]))
    up, down = fit.scale.score(at + sd), fit.scale.score(at - sd)
    return float(1.96 * np.sqrt(2.0) * np.abs(up - down)[0] / 2)


def assign_folds(n: int, folds: int, seed: int) -> Indices:
    """Deal n clients to folds at random, as evenly as can be.

    Examples
    --------
    >>> np.bincount(assign_folds(10, 5, seed=1)).tolist()
    [2, 2, 2, 2, 2]
    """
    return np.random.default_rng(seed).permutation(np.arange(n) % folds)


_Errors = tuple[Floats, Floats, Floats, Indices]  # coordinate, severity, standardised error, client


@dataclass(frozen=True, slots=True)
class _Outside:
    """Forecasts of one fold from the others."""

    fold: int
    end: Landmarks
    course: _Errors  # clock, intake, standardised error, client
    ahead: _Errors  # log lead, intake, standardised error, client


def _left_out(followed: Histories, full_fit: CourseFit, fold: Indices, number: int) -> _Outside:
    others, some = followed.of(fold != number), followed.of(fold == number)
    fit = fit_course(others, [full_fit.scale], start=full_fit.parameters)
    client = np.flatnonzero(fold == number)
    course, ahead = _errors(fit, some, client, full_fit)
    sessions = sessions_to_learn_from(int(some.count.max()))
    end = landmarks(fit, Endings.of(others.end), some, client=client, sessions=sessions)
    return _Outside(number, end, course, ahead)


def _errors(fit: CourseFit, some: Histories, client: Indices, full_fit: CourseFit) -> tuple[_Errors, _Errors]:
    """Standardised errors of every later score, from intake alone and from each session."""
    course: list[_Errors] = []
    ahead: list[_Errors] = []
    scale, clock, unit = fit.scale, full_fit.model.basis.clock, full_fit.model.basis.unit
    for session in sessions_to_learn_from(int(some.count.max())):
        there = np.flatnonzero(some.count > session)
        part = some.of(there)
        histories = cut(part, session)
        at = part.time[:, session:]
        mean, variance = fit.model.predict(
            histories.time[:, 1:], scale.internal(histories.score[:, 1:]), scale.internal(histories.intake), at
        )
        expected, around = scale.moments(mean, variance)
        error = (part.score[:, session:] - expected) / np.sqrt(around)
        own = part.scored[:, session:]
        who = np.broadcast_to(client[there][:, None], own.shape)[own]
        severity = np.broadcast_to(scale.distance(part.intake)[:, None], own.shape)[own]
        if session == 1:
            course.append((clock(at)[own], severity, error[own], who))
        else:
            lead = np.log1p(np.maximum(at - histories.end[:, None], 0.0) / unit)
            ahead.append((lead[own], severity, error[own], who))
    return _joined(course), _joined(ahead or course)


def _joined(parts: list[_Errors]) -> _Errors:
    a, b, c, d = zip(*parts, strict=True)
    return np.concatenate(a), np.concatenate(b), np.concatenate(c), np.concatenate(d)


def _calibrated(fit: CourseFit, followed: Histories, outside: list[_Outside]) -> Calibrated:
    rows = Landmarks.joined([part.end for part in outside])
    grid = _sessions(rows)
    severity = fit.scale.distance
    thirds = rounded(np.quantile(severity(followed.intake), [1 / 3, 2 / 3]))
    along = np.log(rows.session)
    correction = fit_line(along, rows.expected[:, None], rows.final - rows.expected, grid, width=WIDTH)
    regression = fit_line(along, _start_and_latest(rows), rows.final, grid, width=_REGRESSION_WIDTH)
    error = (rows.final - _averaged(correction, regression, rows)) / rows.spread
    course, ahead = (_joined([getattr(part, name) for part in outside]) for name in ("course", "ahead"))
    return Calibrated(
        fit=fit,
        endings=Endings.of(followed.end),
        correction=correction,
        regression=regression,
        at_end=fit_spreads(along, severity(rows.intake), error, rows.client, grid, thirds),
        on_course=fit_spreads(*course, _places(course[0]), thirds),
        ahead=fit_spreads(*ahead, _places(ahead[0]), thirds),
        intake_range=_intake_range(followed, fit),
    )


def _intake_range(followed: Histories, fit: CourseFit) -> tuple[float, float]:
    """Where enough clients began: up to half a standard deviation beyond the fifth from either end."""
    ordered = np.sort(followed.intake)
    margin = 0.5 * float(ordered.std())
    low, high = rounded(np.array([ordered[_FROM_END] - margin, ordered[-1 - _FROM_END] + margin])).tolist()
    return max(low, fit.scale.low), min(high, fit.scale.high)


def _cross_calibrated(fit: CourseFit, followed: Histories, outside: list[_Outside]) -> Prognosis:
    """Calibrate each fold's forecasts on the other folds: what a new client would have been shown."""
    parts = [
        _calibrated(fit, followed, [other for other in outside if other is not part]).prognosis(part.end)
        for part in outside
    ]
    return Prognosis(
        *(
            np.concatenate([getattr(p, name) for p in parts])
            for name in ("expected", "spread", "quantiles", "clients")
        ),
        scale=fit.scale,
    )


def _sessions(rows: Landmarks) -> Floats:
    """Log of the sessions that enough clients went beyond."""
    still = np.bincount(rows.session)
    last = int(np.flatnonzero(still >= min(_LEAST_AT_SESSION, still[1]))[-1])
    return np.log(np.arange(1, last + 1))


def _places(coordinate: Floats) -> Floats:
    return np.unique(rounded(np.quantile(coordinate, np.linspace(0.02, 0.98, 13))))


def _thresholds(rows: Landmarks, prognosis: Prognosis, rule: Rule) -> Thresholds:
    late = rows.session >= FIRST_SIGNAL
    improved, worse = rule.improved(rows.intake, rows.final), rule.deteriorated(rows.intake, rows.final)
    chance = prognosis.chance_improved(rows.intake, rule)
    room = late & (chance > 0)
    below = best_threshold(-chance[room], ~improved[room], most=_MOST_FLAGGED) if room.any() else None
    above = _EVEN_CHANCE
    if np.unique(rows.client[late & worse]).size >= _LEAST_DETERIORATED:
        threshold = best_threshold(
            prognosis.chance_deteriorated(rows.intake, rule)[late], worse[late], most=_MOST_FLAGGED
        )
        above = _EVEN_CHANCE if threshold is None else max(threshold, _LEAST_CHANCE)
    return Thresholds(None if below is None else -below, above)
