"""Is a client on track: the clinic's own expected courses applied to one segment.

One model per scale is learned from everybody's scores in their present care, once, and asked about each client.
It forecasts; a chart's expected course is an illustration.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from mbc.care.course.noise import Noise
from mbc.care.values.course import Segment
from mbc.errors import ModelError
from mbc.instruments import Instrument, Scale
from mbc.models import ExpectedCourse, Signal, expected_course

LEAST_TO_LEARN = 40  # as `mbc.models.expected_course` needs
MOST_CLIENTS = 3000  # that a model is learned from: more sharpen nothing and cost time


@dataclass(frozen=True, slots=True)
class NoOutlook:
    """Why nothing is forecast on a scale."""

    reason: str
    was_learned: bool = False  # True: there are records enough, and the model that they gave is of no use


def healthy_line(scale: Scale) -> float | None:
    """Give the line at and beyond which an intake is healthy, in score points; None where none is published.

    A model takes a score on its line as healthy. Where the published rule takes it as distressed (10 or more on
    the PHQ-9), the line is moved to the healthy side by less than two scores can differ.
    """
    cutoff = scale.cutoff
    if cutoff is None or not cutoff.distressed(cutoff.value):
        return None if cutoff is None else cutoff.value
    return cutoff.value + (1e-6 if scale.higher_is_better else -1e-6)


def learn(
    frame: pl.DataFrame, instrument: Instrument, scale: Scale, noise: Noise | None
) -> ExpectedCourse | NoOutlook:
    """Learn the expected course of a scale from the clinic's records.

    Parameters
    ----------
    frame : DataFrame
        As `mbc.care.forecast.training_scores.followed_scores` gives it.
    instrument, scale : Instrument, Scale
        Range, direction and cutoff are theirs.
    noise : Noise or None
        What counts as a reliable change: the same as on the chart. Without it the records' own scatter is used.

    Returns
    -------
    ExpectedCourse or NoOutlook
        The latter with too few clients, and where the last value forecasts clients left out as well.
    """
    several = frame.filter(pl.len().over("client") >= 2)["client"].n_unique()
    if several < LEAST_TO_LEARN:
        on_record = f"{several} {'is' if several == 1 else 'are'} on record"
        return NoOutlook(f"It needs {LEAST_TO_LEARN} clients with two scores or more on this scale; {on_record}.")
    try:
        course = expected_course(
            frame,
            outcome="score",
            time="time",
            client="client",
            higher_is_better=scale.higher_is_better,
            score_range=(float(scale.range[0]), float(scale.range[1])),
            reliable_change=None if noise is None else noise.threshold,
            cutoff=healthy_line(scale),
            measure=f"{instrument.name}, {scale.title}",
            time_unit="weeks",
        )
    except ModelError as fault:
        return NoOutlook(str(fault))
    if not course.card.is_useful:
        words = "The clinic's own model forecasts no better than carrying the last value forward; it is not used."
        return NoOutlook(words, was_learned=True)
    return course


def outlooks(course: ExpectedCourse, segments: Sequence[Segment]) -> list[Signal]:
    """Ask the model about segments that are still open, each with a score at least."""
    return course.signals([_history(segment) for segment in segments])


def _history(segment: Segment) -> tuple[list[float], list[float]]:
    known = [(occasion.taken_on, occasion.score) for occasion in segment.occasions if occasion.score is not None]
    return [(day - known[0][0]).days / 7.0 for day, _ in known], [score for _, score in known]
