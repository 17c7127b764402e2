"""How a course ran between its ends: setbacks, sudden gains, plateaus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise

import numpy as np

from mbc.care.course.noise import Noise
from mbc.care.values.course import Jump, Occasion, Segment, Setback, Shape
from mbc.instruments import Scale
from mbc.models.courses.search import search_scores

_Z = 1.959963984540054 * 2**0.5  # a reliable change at 95 % is this many standard errors of measurement
LEAST_PLATEAU_DAYS = 42
LEAST_PLATEAU_SCORES = 4
_LEAST_FOR_JUMPS = 6  # three scores on either side
Point = tuple[date, float]


def shaped(segment: Segment, scale: Scale, noise: Noise | None) -> Segment:
    """Add to a segment how it ran; nothing where measurement error is not known."""
    if noise is None:
        return segment
    known = [occasion for occasion in segment.occasions if occasion.score is not None]
    points = [(occasion.taken_on, _score(occasion)) for occasion in known]
    shape = Shape(
        setbacks=setbacks(points, noise.threshold, higher_is_better=scale.higher_is_better),
        jumps=_jumps(known, scale, noise.threshold),
        plateau=plateau(points, noise.threshold),
    )
    return replace(segment, shape=shape)


def setbacks(points: Sequence[Point], threshold: float, *, higher_is_better: bool) -> tuple[Setback, ...]:
    """Find every fall from the best score so far by more than ``threshold``, and when it was regained.

    Parameters
    ----------
    points : sequence of (date, float)
        Days and scores that may be compared, by day.
    threshold : float
        The largest change that measurement error explains, scale points.
    higher_is_better : bool
    """
    if not points:
        return ()
    sign = 1.0 if higher_is_better else -1.0
    known: list[Setback] = []
    best, lowest = points[0], None
    for point in points[1:]:
        below = sign * (best[1] - point[1])
        if lowest is None:
            if below > threshold:
                lowest = point
            elif below <= 0:
                best = point
            continue
        if below <= threshold / _Z:
            known.append(Setback(*best, *lowest, point[0]))
            best, lowest = (point if below <= 0 else best), None
        elif sign * (point[1] - lowest[1]) < 0:
            lowest = point
    if lowest is not None:
        known.append(Setback(*best, *lowest, None))
    return tuple(known)


def _jumps(known: Sequence[Occasion], scale: Scale, threshold: float) -> tuple[Jump, ...]:
    """Find sudden gains (`mbc.models.sudden_gains`); each is larger than measurement error."""
    scores, days = [_score(occasion) for occasion in known], [occasion.taken_on for occasion in known]
    sign = 1.0 if scale.higher_is_better else -1.0
    large = any(sign * (after - before) > threshold for before, after in pairwise(scores))
    if not large or len(known) < _LEAST_FOR_JUMPS:
        return ()
    before, sizes = search_scores(
        np.array(scores),
        "gain",
        higher_is_better=scale.higher_is_better,
        cutoff=threshold,
        scale_origin=float(scale.range[1] if scale.higher_is_better else scale.range[0]),
    )
    return tuple(
        Jump(days[int(step)], days[int(step) + 1], abs(float(size)))
        for step, size in zip(before, sizes, strict=True)
    )


def plateau(points: Sequence[Point], threshold: float) -> tuple[date, date] | None:
    """Find the longest stretch in which all scores lie within ``threshold`` of each other."""
    longest: tuple[date, date] | None = None
    start = 0
    for end in range(len(points)):
        scores = [score for _, score in points[start : end + 1]]
        while max(scores) - min(scores) > threshold:
            start += 1
            scores = scores[1:]
        first, last = points[start][0], points[end][0]
        long_enough = len(scores) >= LEAST_PLATEAU_SCORES and (last - first).days >= LEAST_PLATEAU_DAYS
        if long_enough and (longest is None or last - first > longest[1] - longest[0]):
            longest = (first, last)
    return longest


def _score(occasion: Occasion) -> float:
    assert occasion.score is not None  # noqa: S101 - chosen by the caller
    return occasion.score
