"""What scores are compared with: measurement error, expected course, likely end, cutoff, goals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from mbc.care.values.course import Segment, Trajectory
from mbc.figures.client_page.colours import LIGHT
from mbc.figures.client_page.sheet import Sheet, Trace

_WEEK = dt.timedelta(days=7)


def not_asked(sheet: Sheet, course: Trajectory) -> list[Trace]:
    """Hatch the stretches in which the questionnaire is not asked; they are never zeros."""
    low, high = course.range
    traces: list[Trace] = []
    for span in course.not_applicable:
        first, last = max(span.start, sheet.first), min(span.end or sheet.last, sheet.last)
        pattern = {"shape": "/", "size": 7, "solidity": 0.15, "fgcolor": LIGHT.hatch, "bgcolor": "rgba(0,0,0,0)"}
        traces.append(
            sheet.box("not asked", first, last, low, high, fillpattern=pattern, meta={"reason": span.reason})
        )
        middle = first + (last - first) / 2
        if (last - first).days > 0.15 * (sheet.last - sheet.first).days:
            place = low + 0.08 * (high - low) if course.higher_is_better else high - 0.08 * (high - low)
            traces.append(
                sheet.trace(
                    "words", [middle], [place], mode="text", text=[span.reason], textfont={"color": LIGHT.ink}
                )
            )
    return traces


def measurement_bands(sheet: Sheet, course: Trajectory) -> list[Trace]:
    """Fill what measurement error alone explains around each segment's first score."""
    traces: list[Trace] = []
    for segment in course.segments:
        if segment.noise is None or segment.baseline is None:
            continue
        last = max(end_of(sheet, course, segment), segment.baseline.taken_on + _WEEK)
        traces.append(
            sheet.box(
                "noise",
                segment.baseline.taken_on,
                last,
                segment.noise.lower,
                segment.noise.upper,
                fillcolor=LIGHT.noise,
            )
        )
    return traces


def end_of(sheet: Sheet, course: Trajectory, segment: Segment) -> dt.date:
    """Give the last day that a segment is drawn on: the axis's, while it is open."""
    if segment is course.current:
        return sheet.last
    return min(segment.ended_on or segment.occasions[-1].taken_on, sheet.last)


def expected_courses(sheet: Sheet, course: Trajectory) -> list[Trace]:
    """Draw the course of clients who began with the same score: from intake, never from later scores."""
    return [
        sheet.trace(
            "expected",
            curve.dates,
            _rounded(curve.mean),
            line={"color": LIGHT.expected, "width": 1.75, "dash": "dash"},
            meta={"clients": curve.n_clients},
        )
        for curve in course.curves
    ]


def likely_end(sheet: Sheet, course: Trajectory) -> list[Trace]:
    """Fill the fan from the latest score to the end of care."""
    fan = course.forecast
    if fan is None:
        return []
    days = [*fan.dates, *fan.dates[::-1]]
    values = [*fan.upper, *fan.lower[::-1]]
    return [
        sheet.trace(
            "fan",
            days,
            _rounded(values),
            line={"width": 0},
            fill="toself",
            fillcolor=LIGHT.fan,
            meta={"level": fan.level},
        )
    ]


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 2) for value in values]


def level_lines(sheet: Sheet, course: Trajectory) -> list[Trace]:
    """Draw cutoffs and goals."""
    traces = [
        sheet.trace(
            "cutoff",
            [sheet.first, sheet.last],
            [line.value] * 2,
            line={"color": LIGHT.cutoff, "width": 1.75, "dash": "dashdot"},
        )
        for line in course.cutoffs
    ]
    for goal in course.goals:
        first = min(max(goal.set_on, sheet.first), sheet.last)
        last = min(goal.until or sheet.last, sheet.last)
        traces.append(
            sheet.trace(
                "goal",
                [first, last],
                [goal.value] * 2,
                line={"color": LIGHT.goal, "width": 2, "dash": "dot"},
                meta={"goal": goal.goal_id},
            )
        )
    return traces
