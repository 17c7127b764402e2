"""What course an intake score leads one to expect, where a client is heading, and whether that is on track."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.proportions import wilson_bounds
from mbc.models.forecast import model_file
from mbc.models.forecast.calibration.last_score_outcomes import Prognosis, Rule
from mbc.models.forecast.calibration.left_out_forecasts import SHARES
from mbc.models.forecast.course_model.histories import Histories, one_history, read_histories, stacked
from mbc.models.forecast.course_model.landmarks import Landmarks, cut, forecast_end
from mbc.models.forecast.forecasts import CoursePath, Forecast, Probability
from mbc.models.forecast.model_card import Card, SessionRecord, card_of
from mbc.models.forecast.signals import Signal, SignalRules, signal_of
from mbc.models.forecast.train import (
    Calibrated,
    Thresholds,
    require_reliable,
    score_range_of,
    train,
)
from mbc.models.growth.inference.prediction import as_times
from mbc.models.results.facts import records
from mbc.models.results.result import Result

_FOLDS = 5
_AT_ONCE = 512  # forecasts made together
_ROUNDING = 1e-6  # score points; a model file holds the ends of a scale to 12 digits
_MOST_LEVEL = 1 - 2 * float(SHARES[0])  # the outermost quantiles that a model holds


@dataclass(frozen=True, slots=True)
class ExpectedCourse(Result):
    """A course model that was fitted to clients and calibrated on clients left out of the fit.

    It contains no client's own numbers. `forecast` and `signal` take one client's scores; `expected` an intake
    score.
    """

    model: Calibrated
    rule: Rule
    thresholds: Thresholds
    card: Card
    cutoff: float | None  # score points; an intake on its healthy side has nothing to respond to
    version: str  # a digest of everything else

    def _columns(self) -> dict[str, Any]:
        """One row per session: how forecasts made there turned out, for clients left out of the fit."""
        return records(self.card.sessions, SessionRecord)

    @checked
    def expected(self, intake: float, times: ArrayLike, *, level: float = 0.8) -> CoursePath:
        """Draw the course of clients with this intake score.

        Parameters
        ----------
        intake : float
            First score.
        times : array_like
            Times since the first score, in the unit that the model was fitted in.
        level : float
            Coverage of the band for single scores, between 0 and 0.98.

        Raises
        ------
        ModelError
            If the scale has no such score, or a time is before the first score.
        """
        _require_level(level)
        if off := self._off_scale(one_history([0.0], [intake]), 0):
            raise ModelError(off)
        at = as_times(times)
        if (at < 0).any():
            raise ModelError(f"times count from the first score and are 0 or more, got {at.min():g}.")
        scale = self.model.fit.scale
        none = np.zeros((1, 0))
        first = np.array([intake])
        mean, variance = self.model.fit.model.predict(none, none, scale.internal(first), at[None])
        expected, around = scale.moments(mean[0], variance[0])
        clock = self.model.fit.model.basis.clock(at)
        quantiles, clients = self.model.on_course.at(clock, np.full(at.size, float(scale.distance(first)[0])))
        few, wider = self.model.sparse(first)
        prognosis = Prognosis(expected, np.sqrt(around) * wider, quantiles, clients, scale)
        lower, upper = prognosis.quantile(0.5 - level / 2), prognosis.quantile(0.5 + level / 2)
        behind = float(min(clients.min(), few[0]))
        note = self._sparse_note(intake)
        return CoursePath(intake, at, expected, lower, upper, level, behind, self.card.clients, note)

    @checked
    def forecast(
        self,
        times: ArrayLike,
        scores: ArrayLike,
        *,
        at: float | None = None,
        goal: float | None = None,
        level: float = 0.8,
    ) -> Forecast:
        """Forecast one client from the scores known so far.

        Parameters
        ----------
        times, scores : array_like
            All scores so far with their times, in the unit that the model was fitted in; the first is the intake.
        at : float, optional
            A time since the first score; otherwise the end of the course, whenever that will be.
        goal : float, optional
            A score to be at or beyond.
        level : float
            Coverage of the band, between 0 and 0.98.

        Returns
        -------
        Forecast
            Without an expected score, and with the reason, where none can be made.
        """
        _require_level(level)
        self._require_reachable(at, goal)
        return self._forecast(one_history(times, scores), at, goal, level)

    @checked
    def signal(self, times: ArrayLike, scores: ArrayLike) -> Signal:
        """Say whether a client is on track, and why.

        Parameters
        ----------
        times, scores : array_like
            As in `forecast`.
        """
        return self.signals([(times, scores)])[0]

    @checked
    def signals(self, clients: Sequence[tuple[ArrayLike, ArrayLike]]) -> list[Signal]:
        """Say of many clients at once whether they are on track; far quicker than one by one.

        Parameters
        ----------
        clients : sequence of (times, scores)
            As in `forecast`.
        """
        histories = [one_history(times, scores) for times, scores in clients]
        sessions = [int(history.count[0]) for history in histories]
        wanted = [(count - back, i, back) for i, count in enumerate(sessions) for back in (1, 0) if count > back]
        wanted.sort()  # courses of like length together: they are filled up to the longest
        made: dict[tuple[int, int], Forecast] = {}
        for first in range(0, len(wanted), _AT_ONCE):
            some = wanted[first : first + _AT_ONCE]
            together = stacked([cut(histories[i], session) for session, i, _ in some])
            forecasts = self._to_forecasts(together, self._at_end(together), at=None, goal=None, level=0.8)
            made |= {(i, back): forecast for (_, i, back), forecast in zip(some, forecasts, strict=True)}
        return [
            signal_of([made[i, back] for back in (1, 0) if (i, back) in made], self._watching(histories[i]))
            for i in range(len(histories))
        ]

    @checked
    def save(self, path: str | Path) -> None:
        """Write the model to a file that another clinic can use: it contains no client's own numbers."""
        model_file.write(Path(path), model_file.plain(self))

    @classmethod
    @checked
    def load(cls, path: str | Path) -> ExpectedCourse:
        """Read a model file.

        Raises
        ------
        ModelError
            If it is not a model file, has a later format, or was changed.
        """
        return model_file.built(cls, model_file.read(Path(path)), "model")

    def _forecast(self, history: Histories, at: float | None, goal: float | None, level: float) -> Forecast:
        reason = self._off_scale(history, 0) or self._unreachable(float(history.end[0]), at)
        if reason:
            return self._none(history, 0, at, level, reason)
        prognosis = self._at_end(history) if at is None else self._at_time(history, at)
        return self._to_forecasts(history, prognosis, at=at, goal=goal, level=level)[0]

    def _none(self, histories: Histories, i: int, at: float | None, level: float, reason: str) -> Forecast:
        return Forecast(
            session=int(histories.count[i]),
            intake=float(histories.intake[i]),
            latest=float(histories.last[i]),
            at=at,
            expected=None,
            lower=None,
            upper=None,
            level=level,
            improvement=None,
            improved=None,
            deteriorated=None,
            goal=None,
            clients=0.0,
            training_clients=self.card.clients,
            model=self.version,
            reason=reason,
        )

    def _to_forecasts(
        self,
        histories: Histories,
        prognosis: Prognosis,
        *,
        at: float | None,
        goal: float | None,
        level: float,
    ) -> list[Forecast]:
        """Put the prognosis of each client into words and numbers."""
        intake = histories.intake
        lower, upper = prognosis.quantile(0.5 - level / 2), prognosis.quantile(0.5 + level / 2)
        improvement = self.rule.gain(intake, prognosis.expected)
        chances = [prognosis.chance_improved(intake, self.rule), prognosis.chance_deteriorated(intake, self.rule)]
        if goal is not None:
            chances.append(prognosis.at_least_as_good(np.full(intake.size, float(goal))))
        made: list[Forecast] = []
        for i, clients in enumerate(prognosis.clients.tolist()):
            if off := self._off_scale(histories, i):
                made.append(self._none(histories, i, at, level, off))
                continue
            shares = [min(max(float(chance[i]), 0.0), 1.0) for chance in chances]
            improved, deteriorated, *of_goal = (Probability(p, *wilson_bounds(p, clients)) for p in shares)
            made.append(
                Forecast(
                    session=int(histories.count[i]),
                    intake=float(intake[i]),
                    latest=float(histories.last[i]),
                    at=at,
                    expected=float(prognosis.expected[i]),
                    lower=float(lower[i]),
                    upper=float(upper[i]),
                    level=level,
                    improvement=float(improvement[i]),
                    improved=improved,
                    deteriorated=deteriorated,
                    goal=of_goal[0] if of_goal else None,
                    clients=clients,
                    training_clients=self.card.clients,
                    model=self.version,
                    note=self._sparse_note(float(intake[i])),
                )
            )
        return made

    def _at_end(self, history: Histories) -> Prognosis:
        ends = self.model.endings.ahead(history.end)
        expected, spread = forecast_end(self.model.fit, history, ends)
        client = np.arange(len(history))
        rows = Landmarks(client, history.count, history.intake, history.last, expected, spread, expected)
        return self.model.prognosis(rows)

    def _at_time(self, history: Histories, at: float) -> Prognosis:
        scale, course = self.model.fit.scale, self.model.fit.model
        later = history.time[:, 1:], scale.internal(history.score[:, 1:])
        mean, variance = course.predict(*later, scale.internal(history.intake), np.array([[at]]))
        expected, around = scale.moments(mean[:, 0], variance[:, 0])
        if history.count[0] == 1:
            table, along = self.model.on_course, course.basis.clock(np.array([at]))
        else:
            table, along = self.model.ahead, np.log1p((at - history.end) / course.basis.unit)
        few, wider = self.model.sparse(history.intake)
        quantiles, clients = table.at(along, scale.distance(history.intake))
        return Prognosis(expected, np.sqrt(around) * wider, quantiles, np.minimum(clients, few), scale)

    def _sparse_note(self, intake: float) -> str:
        low, high = self.model.intake_range
        if low <= intake <= high:
            return ""
        _, wider = self.model.sparse(np.array([intake]))
        return (
            f"Fewer than five of the clients this model was fitted to began outside {low:.4g} to {high:.4g}, "
            f"as this one did with {intake:.4g}: the band is {float(wider[0]):.1f} times as wide for it."
        )

    def _off_scale(self, history: Histories, i: int) -> str:
        """Say which of a client's scores the questionnaire cannot have."""
        low, high = self.model.fit.scale.low, self.model.fit.scale.high
        for score in history.score[i, : int(history.count[i])].tolist():
            if not low - _ROUNDING <= score <= high + _ROUNDING:
                return f"A score of {score:.4g} is outside the scale, {low:.4g} to {high:.4g}."
        return ""

    def _require_reachable(self, at: float | None, goal: float | None) -> None:
        low, high = self.model.fit.scale.low, self.model.fit.scale.high
        if at is not None and not np.isfinite(at):
            raise ModelError(f"at must be a finite time, got {at}.")
        if goal is not None and not low - _ROUNDING <= goal <= high + _ROUNDING:
            raise ModelError(f"goal must be a score of the scale, {low:.4g} to {high:.4g}, got {goal:.4g}.")

    def _unreachable(self, now: float, at: float | None) -> str:
        if at is None:
            return ""
        longest = float(self.model.endings.quantiles[-1])
        if at <= now:
            return f"Time {at:.4g} is not in the future: the latest score is at {now:.4g}."
        if at > longest:
            return f"Time {at:.4g} is beyond {longest:.4g}, the longest follow-up of any client."
        return ""

    def _watching(self, history: Histories) -> SignalRules:
        intake, line = float(history.intake[0]), self.cutoff
        response = line is None or (intake < line if self.rule.higher_is_better else intake > line)
        decimals = 0 if self.model.fit.scale.step >= 0.5 else 1
        sessions = round(float(np.exp(self.model.at_end.grid[-1])))
        return SignalRules(self.rule, self.thresholds, response, decimals, sessions)


@checked
def expected_course(  # noqa: PLR0913 - options are keyword-only
    frame: Any,
    *,
    outcome: str,
    time: str,
    client: str,
    higher_is_better: bool,
    score_range: tuple[float, float] | None = None,
    reliable_change: float | None = None,
    cutoff: float | None = None,
    folds: int = _FOLDS,
    seed: int = 0,
    measure: str = "the score",
    time_unit: str = "units of time",
) -> ExpectedCourse:
    """Learn the expected course of a measure from clients who were followed.

    Parameters
    ----------
    frame : table
        Long: one row per score; pandas, polars, pyarrow, duckdb or Spark. A client's first score is the intake.
    outcome, time, client : str
        Columns: the score, the time (any unit; counted from each client's first score), the client.
    higher_is_better : bool
        Which end of the scale is the healthy one.
    score_range : tuple of float, optional
        Lowest and highest possible score; otherwise the lowest and highest in the table.
    reliable_change : float, optional
        Score points; a change of at least this much is reliable. Otherwise it is taken from the scatter of these
        records, and the model card (``.card``) says so.
    cutoff : float, optional
        Score points. Clients whose intake is on its healthy side, or on it, are watched for deterioration only.
    folds, seed : int
        Clients are assigned to folds at random; each fold is forecast by a model of the others.
    measure, time_unit : str
        Named on the model card.

    Returns
    -------
    ExpectedCourse
        ``expected(intake, times)`` draws the course of clients with this first score, ``forecast(times, scores)``
        says where one client is likely to be, ``signal(times, scores)`` whether that is on track. ``card`` says on
        how many clients it rests and how right it was for those left out; ``save`` and `ExpectedCourse.load` keep
        it in a file.

    Raises
    ------
    FrameError
        If a column is absent or does not contain numbers.
    ModelError
        If fewer than 40 clients have two scores, or the numbers cannot be right.

    Notes
    -----
    Scores after intake, given intake: on the scale (as they are, square root or logarithm of the distance from the
    healthy end) on which they are likeliest, the mean course is a natural spline in log time and in intake with
    their products; around it, clients differ in level and slope, and a fluctuation that fades exponentially with
    time keeps neighbouring scores alike (a Gaussian process [1]_, fitted by maximum likelihood). The end of the
    course is not known beforehand: forecasts are averaged over known ends. Clients left out of the fit then
    give a linear correction by session (landmarking, [2]_); seven tenths of the corrected forecast and three of a
    regression on intake and latest score are averaged, since a forecast that leans on one model alone loses where
    that model is wrong ([5]_). Quantiles of the standardised errors of clients left out give bands and chances
    (cross-conformal prediction, [3]_).

    Examples
    --------
    Forty-two clients whose self-esteem rises at different speeds:

    >>> import numpy as np, pandas as pd
    >>> random = np.random.default_rng(1)
    >>> client, week = np.repeat(np.arange(42), 3), np.tile([0, 4, 8], 42)
    >>> score = 12 + np.repeat(random.normal(0, 3, 42), 3) + np.repeat(random.uniform(0, 0.8, 42), 3) * week
    >>> score = (score + random.normal(0, 1.5, 126)).clip(0, 30)
    >>> frame = pd.DataFrame({"client": client, "week": week, "score": score})
    >>> model = expected_course(
    ...     frame, outcome="score", time="week", client="client", higher_is_better=True, score_range=(0, 30),
    ...     reliable_change=5.6, folds=2, time_unit="weeks",
    ... )
    >>> path = model.expected(12, [4, 8])
    >>> [round(value) for value in path.expected]
    [14, 15]
    >>> model.signal([0, 4], [12, 11]).reason
    'A signal needs 3 scores, 2 are on record.'

    References
    ----------
    .. [1] Diggle, Heagerty, Liang & Zeger (2002), Analysis of Longitudinal Data, 2nd ed., section 5.2: random
       effects, serial correlation and measurement error together.
    .. [2] van Houwelingen (2007), doi:10.1111/j.1467-9469.2006.00529.x: dynamic prediction by landmarking.
    .. [3] Vovk (2015), doi:10.1007/s10472-013-9368-4: cross-conformal predictors.
    .. [4] Finch, Lambert & Schaalje (2001), doi:10.1002/cpp.286: expected courses by intake with tolerance bands.
    .. [5] Bates & Granger (1969), doi:10.1057/jors.1969.103: the combination of forecasts.
    """
    histories = read_histories(frame, outcome=outcome, time=time, client=client)
    low, high = score_range_of(histories, score_range)
    require_reliable(reliable_change)
    if not 2 <= folds <= max(len(histories), 2):
        raise ModelError(f"folds must be between 2 and the number of clients ({len(histories)}), got {folds}.")
    trained = train(
        histories,
        low=low,
        high=high,
        higher_is_better=higher_is_better,
        reliable_change=reliable_change,
        folds=folds,
        seed=seed,
    )
    followed = histories.followed()
    source = "as given" if reliable_change is not None else "from the scatter of these records; no value was given"
    card = card_of(
        trained,
        measure=measure,
        time_unit=time_unit,
        source=source,
        scores=int(followed.count.sum()),
    )
    parts = (trained.model, trained.rule, trained.thresholds, card, None if cutoff is None else float(cutoff))
    return ExpectedCourse(*parts, version=model_file.digest(parts))


def _require_level(level: float) -> None:
    if not 0 < level < 1:
        raise ModelError(f"level must be between 0 and 1, got {level}. Is it a percentage?")
    if level > _MOST_LEVEL:
        raise ModelError(f"level must be {_MOST_LEVEL:g} at most, got {level}: higher levels were not calibrated.")


__all__ = ["CoursePath", "ExpectedCourse", "Forecast", "Probability", "Signal", "expected_course"]
