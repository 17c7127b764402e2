"""How a course ran between its ends: setbacks, sudden gains, plateaus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise

import polars as pl

from mbc.care.course.noise import Noise
from mbc.care.values.course import Jump, Occasion, Segment, Setback, Shape
from mbc.instruments import Scale
from mbc.models import sudden_gains

_Z = 1.959963984540054 * 2**0.5  # a reliable change at 95 % is this many standard errors of measurement
LEAST_PLATEAU_DAYS = 42
LEAST_PLATEAU_SCORES = 4
_LEAST_FOR_JUMPS = 6  # three scores on either side


def shaped(segment: Segment, scale: Scale, noise: Noise | None) -> Segment:
    """Add to a segment how it ran; nothing where measurement error is not known."""
    if noise is None:
        return segment
    known = [occasion for occasion in segment.occasions if occasion.score is not None]
    sign = 1.0 if scale.higher_is_better else -1.0
    shape = Shape(
        setbacks=_setbacks(known, sign, noise.threshold),
        jumps=_jumps(known, scale, noise.threshold),
        plateau=_plateau(known, noise.threshold),
    )
    return replace(segment, shape=shape)


def _setbacks(known: Sequence[Occasion], sign: float, threshold: float) -> tuple[Setback, ...]:
    """Find every fall from the best score so far by more than ``threshold``, and when it was regained."""
    if not known:
        return ()
    setbacks: list[Setback] = []
    best, lowest = known[0], None
    for occasion in known[1:]:
        below = sign * (_score(best) - _score(occasion))
        if lowest is None:
            if below > threshold:
                lowest = occasion
            elif below <= 0:
                best = occasion
            continue
        if below <= threshold / _Z:
            setbacks.append(_setback(best, lowest, occasion.taken_on))
            best, lowest = (occasion if below <= 0 else best), None
        elif sign * (_score(occasion) - _score(lowest)) < 0:
            lowest = occasion
    if lowest is not None:
        setbacks.append(_setback(best, lowest, None))
    return tuple(setbacks)


def _setback(best: Occasion, lowest: Occasion, regained_on: date | None) -> Setback:
    return Setback(best.taken_on, _score(best), lowest.taken_on, _score(lowest), regained_on)


def _jumps(known: Sequence[Occasion], scale: Scale, threshold: float) -> tuple[Jump, ...]:
    """Find sudden gains (`mbc.models.sudden_gains`); each is larger than measurement error."""
    scores, days = [_score(occasion) for occasion in known], [occasion.taken_on for occasion in known]
    sign = 1.0 if scale.higher_is_better else -1.0
    large = any(sign * (after - before) > threshold for before, after in pairwise(scores))
    if not large or len(known) < _LEAST_FOR_JUMPS:
        return ()
    table = sudden_gains(
        pl.DataFrame({"client": "client", "row": range(len(known)), "score": scores}),
        client="client",
        time="row",
        score="score",
        higher_is_better=scale.higher_is_better,
        cutoff=threshold,
        sessions="rows",
        scale_origin=float(scale.range[1] if scale.higher_is_better else scale.range[0]),
    ).table
    return tuple(
        Jump(days[int(row["before"])], days[int(row["after"])], abs(float(row["magnitude"])))
        for row in table.iter_rows(named=True)
    )


def _plateau(known: Sequence[Occasion], threshold: float) -> tuple[date, date] | None:
    """Find the longest stretch in which all scores lie within ``threshold`` of each other."""
    longest: tuple[date, date] | None = None
    start = 0
    for end in range(len(known)):
        scores = [_score(occasion) for occasion in known[start : end + 1]]
        while max(scores) - min(scores) > threshold:
            start += 1
            scores = scores[1:]
        first, last = known[start].taken_on, known[end].taken_on
        long_enough = len(scores) >= LEAST_PLATEAU_SCORES and (last - first).days >= LEAST_PLATEAU_DAYS
        if long_enough and (longest is None or last - first > longest[1] - longest[0]):
            longest = (first, last)
    return longest


def _score(occasion: Occasion) -> float:
    assert occasion.score is not None  # noqa: S101 - chosen by the caller
    return occasion.score
