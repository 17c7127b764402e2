"""What a chart shows of a model: the course expected from intake, and the forecast from the last score on.

Both are of one model. The expected course is that of clients who began with the same score; it is never fitted to
the client's own later scores, so that a client who gets worse leaves it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import numpy as np

from mbc.care.values.course import CourseCurve, Segment
from mbc.care.words import count, day
from mbc.errors import ModelError
from mbc.instruments import Scale
from mbc.models import ExpectedCourse, Forecast, Signal

LEVEL = 0.8  # the band in which four in five single scores are expected
AHEAD_DAYS = 56  # length of the fan that is drawn
_STEPS = 20  # points per expected course


def expected_from_intake(
    model: ExpectedCourse, segment: Segment, scale: Scale, until: dt.date
) -> CourseCurve | None:
    """Draw the course of clients whose first score was this segment's; None where the model has no such score."""
    first = segment.baseline
    if first is None or first.score is None:
        return None
    reach = max((until - first.taken_on).days, 7)
    days = sorted({round(step) for step in np.linspace(0, reach, _STEPS)})
    try:
        path = model.expected(first.score, np.array(days) / 7.0, level=LEVEL)
    except ModelError:
        return None
    return CourseCurve(
        target=segment.target,
        dates=tuple(first.taken_on + dt.timedelta(days=day) for day in days),
        mean=_kept(path.expected, scale),
        lower=_kept(path.lower, scale),
        upper=_kept(path.upper, scale),
        level=path.level,
        n_clients=path.training_clients,
        label="Expected from intake",
    )


def forecast_ahead(ahead: Forecast | None, segment: Segment, scale: Scale) -> CourseCurve | None:
    """Draw where the score is likely to end, whenever that is, as a fan from the latest score.

    The length of the fan says nothing: the day on which care ends is not known.

    Parameters
    ----------
    ahead : Forecast or None
        From all scores of the segment, for the end of care; None where there is none.
    segment : Segment
        With a score.
    scale : Scale
    """
    latest = segment.latest
    if ahead is None or ahead.expected is None or ahead.lower is None or ahead.upper is None or latest is None:
        return None
    return CourseCurve(
        target=segment.target,
        dates=(latest.taken_on, latest.taken_on + dt.timedelta(days=AHEAD_DAYS)),
        mean=_kept((ahead.latest, ahead.expected), scale),
        lower=_kept((ahead.latest, ahead.lower), scale),
        upper=_kept((ahead.latest, ahead.upper), scale),
        level=ahead.level,
        n_clients=ahead.training_clients,
        label="Likely end",
    )


def _kept(values: Iterable[float], scale: Scale) -> tuple[float, ...]:
    low, high = scale.range
    return tuple(float(min(max(value, low), high)) for value in values)


def outlook_words(signal: Signal) -> str:
    """Say what the forecast asks for, and how often it comes otherwise; "" where it asks for nothing."""
    ahead = signal.forecast
    if ahead is None or signal.state not in ("watch", "not on track"):
        return ""
    times = "at two sessions in a row" if signal.state == "not on track" else "for the first time"
    chance = {"no response": ahead.improved, "deterioration": ahead.deteriorated, None: None}[signal.concern]
    if chance is None or not 0 < chance.value < 1:
        return times
    how = "still improved clearly" if signal.concern == "no response" else "ended clearly worse"
    return f"{times}; of clients with such a course about 1 in {max(round(1 / chance.value), 1)} {how}"


def whose(model: ExpectedCourse, made_on: dt.date | None) -> str:
    """Name the clients behind a model, and the day of the clinic's own."""
    where = f"in model file {model.version}" if made_on is None else f"of this clinic, on {day(made_on)}"
    return f"{count(model.card.clients, 'client')} {where}"
