"""Learn an expected course the plain way: one client after the other, dense matrices, every row weighed by itself.

What `mbc.models.expected_course` computes by groups of clients, sums of products and whole arrays is written here
as its formulas stand. Scales, the basis of the mean course, the ends of courses and the correction of chances have
tests of their own and are taken over.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.stats import norm

from mbc.models.forecast.calibration.chances import fit_correction
from mbc.models.forecast.course_model.landmarks import Endings
from mbc.models.forecast.course_model.mean_basis import mean_basis
from mbc.models.forecast.course_model.outcome_scale import OutcomeScale
from mbc.models.forecast.course_model.rounded_numbers import rounded

SHARES = np.array([0.01, 0.025, *np.arange(1, 20) / 20, 0.975, 0.99])


class PlainCourse:
    """The course model of some clients, each a pair of arrays: times since intake, scores."""

    def __init__(self, clients, scale: OutcomeScale, start=None, parameters=None):
        self.scale = scale
        later = np.concatenate([time[1:] for time, _ in clients])
        self.basis = mean_basis(later, scale.internal(np.array([score[0] for _, score in clients])))
        self.center = self.basis.clock(later).mean()
        self.rows = [
            (time[1:], scale.internal(score[1:]), self.columns(time[1:], score[0])) for time, score in clients
        ]
        self.spread = np.concatenate([w for _, w, _ in self.rows]).std()
        typical = np.median([time[-1] for time, _ in clients]) / 4
        self.usual = np.log(
            [0.4 * self.spread, 0.5 * self.spread, typical, 0.5 * self.spread, 1, 0.2 * self.spread]
        )
        if parameters is None:
            first = self.usual if start is None else start
            parameters = minimize(self.penalised, first, method="BFGS", options={"gtol": 1e-3}).x
        self.at(parameters)

    def columns(self, time, intake):
        return self.basis.columns(time[None], self.scale.internal(np.array([intake])))[0]

    def at(self, parameters):
        """Take these parameters: the mean course is generalised least squares; half the deviance is given back."""
        self.parameters = parameters
        weighed = [
            (x, w, np.linalg.inv(self.covariance(t) + self.error * np.eye(t.size))) for t, w, x in self.rows
        ]
        self.uncertainty = np.linalg.inv(sum(x.T @ v @ x for x, _, v in weighed))
        self.beta = self.uncertainty @ sum(x.T @ v @ w for x, w, v in weighed)
        left = [(w - x @ self.beta, v) for x, w, v in weighed]
        return 0.5 * sum(r @ v @ r - np.linalg.slogdet(v)[1] for r, v in left)

    def penalised(self, parameters):
        away = (parameters - self.usual) / [1, 1, 1, 1, self.spread, 1]
        return self.at(parameters) + 0.125 * float(away @ away)

    def log_likelihood(self, parameters):
        scores = self.scale.score(np.concatenate([w for _, w, _ in self.rows]))
        return -self.at(parameters) - 0.5 * scores.size * np.log(2 * np.pi) + self.scale.log_slope(scores)

    @property
    def error(self):
        return np.exp(2 * self.parameters[0])

    def covariance(self, time):
        """What lasts and what fades, without the error of measurement."""
        _, fading, span, level, tie, slope = self.parameters
        z = np.column_stack([np.ones(time.size), self.basis.clock(time) - self.center])
        factor = z @ np.array([[np.exp(level), 0.0], [tie, np.exp(slope)]])
        return factor @ factor.T + np.exp(2 * fading) * np.exp(-np.abs(time[:, None] - time) / np.exp(span))

    def forecast(self, time, score, at):
        """Mean and variance of scores at later times, from the scores so far."""
        k, intake = time.size - 1, score[0]
        every = np.concatenate([time[1:], at])
        v, x = self.covariance(every), self.columns(every, intake)
        gain = np.linalg.solve(v[:k, :k] + self.error * np.eye(k), v[:k, k:]).T
        free = x[k:] - gain @ x[:k]
        mean = gain @ self.scale.internal(score[1:]) + free @ self.beta
        around = v[k:, k:] - gain @ v[:k, k:] + free @ self.uncertainty @ free.T
        return self.scale.moments(mean, around.diagonal() + self.error)

    def forecast_end(self, time, score, endings):
        mean, variance = self.forecast(time, score, endings.ahead(time[-1:])[0])
        return mean.mean(), np.sqrt(variance.mean() + mean.var())


@dataclass
class Judged:
    """One forecast of the last score of a client left out."""

    client: int
    fold: int
    session: int
    intake: float
    latest: float
    expected: float
    spread: float
    final: float


def judged(clients, scale, fold, start):
    """Forecast each client by a model of the other folds, from every session before the last."""
    out = []
    for number in np.unique(fold):
        others = [clients[i] for i in np.flatnonzero(fold != number)]
        course, endings = PlainCourse(others, scale, start), Endings.of(np.array([t[-1] for t, _ in others]))
        for i in np.flatnonzero(fold == number):
            time, score = clients[i]
            for k in range(1, time.size):
                forecast = course.forecast_end(time[:k], score[:k], endings)
                out.append(Judged(i, number, k, score[0], score[k - 1], *forecast, score[-1]))
    return out


def kernel(coordinate, point, width):
    away = np.abs(coordinate - point)
    return np.exp(-0.5 * ((away - away.min()) / width) ** 2)


def local_line(coordinate, x, y, point, width):
    """Weighted ridge regression about a point; gives the function of x."""
    weight = kernel(coordinate, point, width)
    weight /= weight.max()
    center, level = weight @ x / weight.sum(), weight @ y / weight.sum()
    spread = np.sqrt(weight @ (x - center) ** 2 / weight.sum()) + 1e-9
    z = (x - center) / spread
    gram = z.T @ (weight[:, None] * z) + 5.0 * np.eye(x.shape[1])
    slopes = np.linalg.solve(gram, z.T @ (weight * (y - level)))
    return lambda at: level + (at - center) / spread @ slopes


class PlainForecasts:
    """Forecasts corrected and calibrated on clients left out."""

    def __init__(self, rows: list[Judged], course: PlainCourse, endings: Endings, clients):
        self.course, self.endings, self.scale = course, endings, course.scale
        column = {name: np.array([getattr(row, name) for row in rows]) for name in Judged.__dataclass_fields__}
        along = np.log(column["session"])
        still = np.bincount(column["session"])
        self.grid = np.log(np.arange(1, np.flatnonzero(still >= min(20, still[1]))[-1] + 1))
        pair = np.column_stack([column["intake"], column["latest"]])
        off, own = column["final"] - column["expected"], column["expected"][:, None]
        self.lines = [
            (local_line(along, own, off, at, 0.35), local_line(along, pair, column["final"], at, 0.2))
            for at in self.grid
        ]
        severity = self.scale.distance(column["intake"])
        first = self.scale.distance(np.array([score[0] for _, score in clients]))
        self.thirds = rounded(np.quantile(first, [1 / 3, 2 / 3]))
        third = np.searchsorted(self.thirds, severity)
        error = np.array([(row.final - self.expected(row)) / row.spread for row in rows])
        self.quantiles = np.array(
            [
                [self.spread_at(along, third == j, error, column["client"], at) for j in range(3)]
                for at in self.grid
            ]
        )

    @staticmethod
    def spread_at(along, own, error, client, point):
        """Quantiles of standardised errors about a point: in a third, or in all where it has few clients."""
        weight = kernel(along, point, 0.35) * own
        for _ in range(2):
            per_client = np.array([weight[client == who].sum() for who in np.unique(client)])
            n = per_client.sum() ** 2 / (per_client @ per_client)
            if n >= 40:
                break
            weight = kernel(along, point, 0.35)
        rows = sorted((e, w) for e, w in zip(error, weight, strict=True) if w > 0)
        values, share = np.array(rows).T
        share = share / share.sum()
        rank = ((np.cumsum(share) - 0.5 * share) * n + 0.5) / (n + 1)
        return rounded(np.interp(SHARES, rank, values))

    def expected(self, row):
        pair = np.array([row.intake, row.latest])
        correction = [line(np.array([row.expected])) for line, _ in self.lines]
        regression = [line(pair) for _, line in self.lines]
        along = np.log(row.session)
        course = row.expected + np.interp(along, self.grid, correction)
        return 0.7 * course + 0.3 * np.interp(along, self.grid, regression)

    def distribution(self, row):
        """Expected score within the scale, spread, and quantiles of the standardised error."""
        third = np.searchsorted(self.thirds, self.scale.distance(np.array(row.intake)))
        along = np.log(row.session)
        quantiles = [np.interp(along, self.grid, column) for column in self.quantiles[:, third].T]
        return np.clip(self.expected(row), self.scale.low, self.scale.high), row.spread, np.array(quantiles)

    def chance_of_at_most(self, row, score):
        """Chance of a last score at or under a value, where low scores are good; half a step is allowed for."""
        if score < self.scale.low:
            return 0.0
        expected, spread, quantiles = self.distribution(row)
        z = (score + 0.5 * self.scale.step - expected) / spread
        for edge, outside in ((0, z < quantiles[0]), (-1, z > quantiles[-1])):
            if outside:
                return norm.cdf(norm.ppf(SHARES[edge]) * max(abs(z / quantiles[edge]), 1.0))
        return np.interp(z, quantiles, SHARES)

    def band(self, row, level):
        expected, spread, quantiles = self.distribution(row)
        ends = np.interp([0.5 - level / 2, 0.5 + level / 2], SHARES, quantiles)
        return np.clip(expected + spread * ends, self.scale.low, self.scale.high)

    def row(self, time, score):
        return Judged(
            0, 0, time.size, score[0], score[-1], *self.course.forecast_end(time, score, self.endings), 0.0
        )


def correction_of(rows: list[Judged], course, endings, clients, reliable_change):
    """Correct chances of improvement, judged on folds that had no part in the calibration."""
    chances, came, who = [], [], []
    for number in sorted({row.fold for row in rows}):
        others = PlainForecasts([row for row in rows if row.fold != number], course, endings, clients)
        for row in (row for row in rows if row.fold == number):
            chances.append(others.chance_of_at_most(row, row.intake - reliable_change))
            came.append(row.intake - row.final >= reliable_change - 1e-9)
            who.append(row.client)
    return fit_correction(np.array(chances), np.array(came), np.array(who))
