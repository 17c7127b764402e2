"""Is a client on track: a state, and the reason for it in words.

The forecast decides, not the distance from the expected course: distance alone ranks clients worse. One session is
never enough: a flag must occur at two consecutive sessions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from mbc.models.forecast.calibration.last_score_outcomes import Rule
from mbc.models.forecast.forecasts import Forecast, Probability
from mbc.models.forecast.train import FIRST_SIGNAL, Thresholds
from mbc.models.results.facts import default_columns
from mbc.models.results.result import Result

State = Literal["insufficient data", "on track", "watch", "not on track"]
Concern = Literal["no response", "deterioration"]


@dataclass(frozen=True, slots=True)
class Signal(Result):
    """Whether a client is on track, and why it is said."""

    state: State
    reason: str
    concern: Concern | None  # what is feared, where something is
    session: int
    improvement: float | None  # expected change by the end, score points, positive is better: ranks clients
    forecast: Forecast | None

    def _columns(self) -> dict[str, Any]:
        """One row: state, concern, session, improvement, and the reason in words."""
        return {**default_columns(self), "reason": [self.reason]}


@dataclass(frozen=True, slots=True)
class SignalRules:
    """What is watched for: the rule of change, thresholds, and whether a response is looked for at all."""

    rule: Rule
    thresholds: Thresholds
    response: bool  # False where intake was on the healthy side already: nothing to respond to
    decimals: int = 0  # in which scores are written
    sessions: int = FIRST_SIGNAL  # at which enough clients still went on, where the model learned

    def is_worse(self, forecast: Forecast) -> bool:
        """Whether the latest score is reliably worse than the first."""
        first, latest = np.array([forecast.intake]), np.array([forecast.latest])
        return bool(self.rule.deteriorated(first, latest)[0])

    def concern(self, forecast: Forecast) -> Concern | None:
        """Say what one session's forecast and score speak for."""
        worse, better = forecast.deteriorated, forecast.improved
        limit = self.thresholds.deterioration
        if self.is_worse(forecast) or (worse and limit is not None and worse.value >= limit):
            return "deterioration"
        limit = self.thresholds.improvement
        if self.response and better and limit is not None and 0 < better.value < limit:
            return "no response"
        return None


def signal_of(forecasts: Sequence[Forecast], rules: SignalRules) -> Signal:
    """Judge the latest forecast beside the one before it.

    Parameters
    ----------
    forecasts : sequence of Forecast
        Of the last one or two sessions, in order.
    rules : SignalRules
    """
    now = forecasts[-1]
    if now.expected is None:
        return Signal("insufficient data", now.reason, None, now.session, None, None)
    if rules.sessions < FIRST_SIGNAL <= now.session:
        few = (
            f"This model learned from courses of under {FIRST_SIGNAL + 1} scores: it does not apply to longer "
            "ones."
        )
        return Signal("insufficient data", few, None, now.session, None, now)
    if now.session < FIRST_SIGNAL:
        need = (
            f"a signal needs {FIRST_SIGNAL} scores, {now.session} {'is' if now.session == 1 else 'are'} on record."
        )
        return Signal("insufficient data", need[0].upper() + need[1:], None, now.session, now.improvement, now)
    concern = rules.concern(now)
    before = rules.concern(forecasts[-2]) if len(forecasts) > 1 and now.session > FIRST_SIGNAL else None
    state: State = "on track"
    if concern and before:
        state = "not on track"
    elif concern or before:
        state = "watch"
    reason = " ".join(filter(None, (_reason(now, concern, before, rules), now.note)))
    return Signal(state, reason, concern, now.session, now.improvement, now)


def _reason(now: Forecast, concern: Concern | None, before: Concern | None, rules: SignalRules) -> str:
    about, low, high = (f"{score or 0.0:.{rules.decimals}f}" for score in (now.expected, now.lower, now.upper))
    heading = f"From {now.session} scores: about {about} at the end ({low} to {high})."
    points = f"{rules.rule.reliable_change:.{rules.decimals + 1}f}".rstrip("0").rstrip(".")
    if concern == "deterioration" and rules.is_worse(now):
        body = f"The latest score is {points} points or more worse than the first"
    elif concern == "deterioration" and now.deteriorated is not None:
        limit = rules.thresholds.deterioration or 0.0
        chance = now.deteriorated
        body = f"The chance of ending {points} points or more worse is {chance}, over the line of {limit:.0%}"
    elif concern == "no response" and now.improved is not None:
        limit = rules.thresholds.improvement or 0.0
        body = (
            f"The chance of improving by {points} points or more is {now.improved}, under the line of {limit:.0%}"
        )
    elif before:
        return f"{heading} It was flagged at the previous session, but not now."
    else:
        chance = f" {_improving(now.improved, points)}" if now.improved and rules.response else ""
        return f"{heading}{chance} Nothing suggests that this client is off track."
    if before == concern:
        return f"{heading} {body}, at two sessions in a row."
    if before:
        feared = "deterioration" if before == "deterioration" else "too little improvement"
        return f"{heading} {body}. At the previous session, {feared} was forecast."
    return f"{heading} {body}, at this session only; one session is not enough for a signal."


def _improving(chance: Probability, points: str) -> str:
    if not chance.value:
        return f"From this intake the scale has no room for an improvement of {points} points."
    return f"The chance of improving by {points} points or more is {chance}."
