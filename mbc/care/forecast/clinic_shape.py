"""How uneven courses of a clinic's clients are on one scale: medians over many, nobody's own figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import polars as pl

from mbc.care.course.shape import LEAST_PLATEAU_SCORES, Point, plateau, setbacks
from mbc.instruments import Scale

LEAST_CLIENTS = 20  # behind each figure; with fewer it is left out
LEAST_SCORES = LEAST_PLATEAU_SCORES  # of a course, before anything is said of its shape
_START = dt.date(2000, 1, 3)  # courses are counted in days from their first score


@dataclass(frozen=True, slots=True)
class ClinicShape:
    """Medians over the courses of a clinic's clients on one scale."""

    n_clients: int  # with scores enough
    scores: float  # of a course
    setbacks: float  # larger than measurement error, in a course
    days_to_regain: float | None  # of clients with a setback that was regained; None: fewer than 20 of them
    plateau_days: float | None  # longest plateau, of clients with one; None: fewer than 20 of them


def clinic_shape(courses: pl.DataFrame, scale: Scale, threshold: float | None) -> ClinicShape | None:
    """Sum up how the courses of many clients ran; None where measurement error is not known, or they are too few.

    Parameters
    ----------
    courses : DataFrame
        As `mbc.care.forecast.training_scores.courses_of` gives them.
    scale : Scale
    threshold : float or None
        The largest change that measurement error explains, scale points.
    """
    if threshold is None:
        return None
    long_enough = courses.filter(pl.len().over("unit") >= LEAST_SCORES)
    # of a client with several courses, such as relationships, the one with most scores counts
    counts = long_enough.group_by("client_id", "unit", maintain_order=True).len()
    chosen = counts.sort("len", descending=True, maintain_order=True).unique("client_id", keep="first")["unit"]
    kept = long_enough.filter(pl.col("unit").is_in(chosen.implode()))
    groups = [_points(group) for _, group in kept.group_by("unit", maintain_order=True)]
    if len(groups) < LEAST_CLIENTS:
        return None
    falls = [setbacks(points, threshold, higher_is_better=scale.higher_is_better) for points in groups]
    regained = [
        [(each.regained_on - each.lowest_on).days for each in fall if each.regained_on is not None]
        for fall in falls
    ]
    stretches = [stretch for points in groups if (stretch := plateau(points, threshold)) is not None]
    return ClinicShape(
        n_clients=len(groups),
        scores=median(len(points) for points in groups),
        setbacks=median(len(fall) for fall in falls),
        days_to_regain=_median([median(days) for days in regained if days]),
        plateau_days=_median([(last - first).days for first, last in stretches]),
    )


def _points(group: pl.DataFrame) -> list[Point]:
    ordered = group.sort("weeks").select("weeks", "score")
    return [(_START + dt.timedelta(days=round(7 * weeks)), score) for weeks, score in ordered.iter_rows()]


def _median(values: Sequence[float]) -> float | None:
    return float(median(values)) if len(values) >= LEAST_CLIENTS else None
