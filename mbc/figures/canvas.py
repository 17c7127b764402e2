"""What every part of a trajectory chart is drawn on: the figure, the course, its time axis, the palette."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from mbc.care import words
from mbc.care.values.course import Trajectory
from mbc.figures.axis import Position, TimeAxis
from mbc.figures.theme import Palette


@dataclass(frozen=True, slots=True)
class Canvas:
    """A chart in the making; parts add themselves to ``figure``."""

    figure: go.Figure
    course: Trajectory
    time: TimeAxis
    palette: Palette

    def points(self, value: float, *, signed: bool = False) -> str:
        """Write a value in the scale's own precision."""
        return words.number(value, self.course.decimals, signed=signed)

    @property
    def days(self) -> tuple[dt.date, dt.date] | None:
        """First and last day the chart shows; None when there is nothing to show."""
        course = self.course
        if course.window is not None and not course.curves:
            return course.window
        days = [*(course.window or ())]
        days += [occasion.taken_on for occasion in course.occasions]
        days += [mark.on for mark in course.marks]
        days += [day for curve in course.curves for day in curve.dates]
        days += [span.start for span in course.not_applicable]
        return (min(days), max(days)) if days else None

    @property
    def reach(self) -> tuple[Position, Position] | None:
        """Give the same two days as positions, a week apart at least."""
        if self.days is None:
            return None
        first, last = self.days
        last = max(last, first + dt.timedelta(days=7))
        return self.time.at(first), self.time.at(last)

    def trace(self, **about: Any) -> None:
        """Add a scatter trace."""
        self.figure.add_trace(go.Scatter(**about))
