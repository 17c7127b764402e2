"""What scores are drawn against: measurement noise, cutoff, goals, the expected course, where nothing applies."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from mbc.care import words
from mbc.care.values.course import CourseCurve, CutoffLine, GoalLine, NoiseBand, Segment, Span
from mbc.figures.axis import Position, halfway
from mbc.figures.canvas import Canvas
from mbc.figures.text import plain

_WEEK = dt.timedelta(days=7)
_ROOM_FOR_WORDS = 0.14  # share of a phone's chart that a status needs


def add_noise(canvas: Canvas) -> None:
    """Draw the band of measurement error around each segment's baseline."""
    segments = [
        segment for segment in canvas.course.segments if segment.noise is not None and segment.baseline is not None
    ]
    for index, segment in enumerate(segments):
        noise = segment.noise
        assert noise is not None  # noqa: S101 - chosen above
        left, right = _own_reach(canvas, segment)
        canvas.trace(
            x=[left, right, right, left, left],
            y=[noise.lower, noise.lower, noise.upper, noise.upper, noise.lower],
            name="Measurement error",
            legendgroup="noise",
            legendrank=4,
            showlegend=index == 0,
            mode="lines",
            fill="toself",
            fillcolor=canvas.palette.noise,
            line={"color": canvas.palette.quiet, "width": 1, "dash": "dot"},
            hoveron="fills",
            hoverinfo="text",
            text=_noise_text(canvas, noise),
            meta={"target": segment.target, "source": noise.source, "verified": noise.verified},
        )


def _noise_text(canvas: Canvas, noise: NoiseBand) -> str:
    span = f"{canvas.points(noise.lower)} to {canvas.points(noise.upper)}"
    return f"{span}: {plain(noise.label)}<br>{plain(noise.source)}{_doubt(verified=noise.verified)}"


def _doubt(*, verified: bool) -> str:
    return "" if verified else " (unverified)"


def _own_reach(canvas: Canvas, segment: Segment) -> tuple[Position, Position]:
    # From the baseline to the segment's last day on the chart, a week at least.
    start = segment.baseline.taken_on if segment.baseline else segment.occasions[0].taken_on
    ahead = [day for curve in canvas.course.curves if curve.target == segment.target for day in curve.dates]
    end = max([segment.occasions[-1].taken_on, start + _WEEK, *ahead])
    return canvas.time.at(start), canvas.time.at(end)


def add_curves(canvas: Canvas) -> None:
    """Draw the expected course, dashed, in its prediction band."""
    for index, curve in enumerate(canvas.course.curves):
        xs = [canvas.time.at(day) for day in curve.dates]
        canvas.trace(
            x=xs + xs[::-1],
            y=[*curve.upper, *curve.lower[::-1]],
            name="Expected range",
            legendgroup="course",
            showlegend=False,
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=_faint(canvas.palette.course),
            hoverinfo="skip",
            meta={"target": curve.target, "level": curve.level},
        )
        canvas.trace(
            x=xs,
            y=list(curve.mean),
            name="Expected course",
            legendgroup="course",
            legendrank=5,
            showlegend=index == 0,
            mode="lines",
            line={"color": canvas.palette.course, "width": 2.5, "dash": "dash"},
            hovertext=[_course_text(canvas, curve, i) for i in range(len(xs))],
            hoverinfo="text",
            meta={"target": curve.target, "n_clients": curve.n_clients},
        )


def add_forecast(canvas: Canvas) -> None:
    """Draw where the score is likely to end, as a fan from the latest one."""
    fan = canvas.course.forecast
    if fan is None:
        return
    xs = [canvas.time.at(day) for day in fan.dates]
    canvas.trace(
        x=xs + xs[::-1],
        y=[*fan.upper, *fan.lower[::-1]],
        name=f"Likely end ({fan.level:.0%})",
        legendgroup="forecast",
        legendrank=3,
        mode="lines",
        line={"color": canvas.palette.score, "width": 1},
        fill="toself",
        fillcolor=_faint(canvas.palette.score),
        hoveron="fills",
        hoverinfo="text",
        text=f"Likely end: {canvas.points(fan.mean[-1])} ({canvas.points(fan.lower[-1])} to "
        f"{canvas.points(fan.upper[-1])})",
        meta={"target": fan.target, "level": fan.level},
    )


def _course_text(canvas: Canvas, curve: CourseCurve, i: int) -> str:
    span = f"{canvas.points(curve.lower[i])} to {canvas.points(curve.upper[i])}"
    return (
        f"{plain(curve.label)}, {words.day(curve.dates[i])}: {canvas.points(curve.mean[i])}"
        f"<br>{curve.level:.0%} of single scores: {span}<br>learned from {curve.n_clients} clients"
    )


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.16)"


def add_lines(canvas: Canvas) -> None:
    """Draw cutoff and goal lines, each with its words on the line."""
    if canvas.reach is None:
        return
    for cutoff in canvas.course.cutoffs:
        _add_cutoff(canvas, cutoff, canvas.reach)
    for goal in canvas.course.goals:
        _add_goal(canvas, goal, canvas.reach)


_SIDES = {"<": "below", "<=": "at or below", ">": "above", ">=": "at or above"}


def _add_cutoff(canvas: Canvas, cutoff: CutoffLine, reach: tuple[Position, Position]) -> None:
    value = canvas.points(cutoff.value)
    meaning = f"{_SIDES[cutoff.side]} {value}, {plain(cutoff.label)}{_doubt(verified=cutoff.verified)}"
    _add_line(
        canvas,
        "Cutoff",
        reach,
        cutoff.value,
        {"color": canvas.palette.cutoff, "width": 2, "dash": "longdash"},
        on_line=f"Cutoff {value}",
        in_key=f"Cutoff: {meaning}",
        on_hover=f"Cutoff: {meaning}<br>{plain(cutoff.source)}",
        meta={"source": cutoff.source, "verified": cutoff.verified},
    )


def _add_goal(canvas: Canvas, goal: GoalLine, reach: tuple[Position, Position]) -> None:
    first, last = canvas.days or (goal.set_on, goal.set_on)
    left = canvas.time.at(min(max(goal.set_on, first), last))
    right = reach[1] if goal.until is None else canvas.time.at(min(goal.until, last))
    value = canvas.points(goal.value)
    _add_line(
        canvas,
        "Goal",
        (left, right),
        goal.value,
        {"color": canvas.palette.goal, "width": 2, "dash": "dashdot"},
        on_line=f"Goal {value}",
        in_key=f"Goal: {plain(goal.label, 40)}",
        on_hover=f"Goal: {plain(goal.label)} ({value})",
        meta={"goal": goal.goal_id},
    )


def _add_line(  # noqa: PLR0913 - three texts for three places
    canvas: Canvas,
    name: str,
    reach: tuple[Position, Position],
    value: float,
    line: dict[str, object],
    *,
    on_line: str,
    in_key: str,
    on_hover: str,
    meta: dict[str, object],
) -> None:
    canvas.trace(
        x=list(reach),
        y=[value] * 2,
        name=name,
        showlegend=False,
        mode="lines",
        line=line,
        hovertext=[on_hover] * 2,
        hoverinfo="text",
        meta=meta,
    )
    key = {"x": [None], "y": [None], "mode": "lines", "line": line, "legendrank": 7, "hoverinfo": "skip"}
    canvas.trace(name=in_key, meta={"role": "key"}, **key)
    side, above = _free_corner(canvas, value)
    canvas.figure.add_annotation(
        x=0 if side == "left" else 1,
        xref="x domain",
        xanchor=side,
        y=value,
        yref="y",
        yanchor="bottom" if above else "top",
        text=on_line,
        showarrow=False,
        font={"size": 12, "color": canvas.palette.ink},  # the ink, not the line's colour: it reads on either page
        bgcolor=canvas.palette.paper,
        opacity=0.9,
        borderpad=1,
        yshift=2 if above else -2,
    )


_LABEL_WIDTH, _LABEL_HEIGHT = 0.24, 0.10  # shares of a phone's chart that a line's words take


def _free_corner(canvas: Canvas, value: float) -> tuple[Literal["left", "right"], bool]:
    """Choose the end of a line, and its side, where the words hide the fewest scores."""
    low, high = canvas.course.range
    tall = (high - low) * _LABEL_HEIGHT

    def hidden(corner: tuple[Literal["left", "right"], bool]) -> int:
        side, above = corner
        bottom, top = (value, value + tall) if above else (value - tall, value)
        return sum(
            occasion.score is not None
            and bottom <= occasion.score <= top
            and (_share(canvas, occasion.taken_on) <= _LABEL_WIDTH) == (side == "left")
            and not _LABEL_WIDTH < _share(canvas, occasion.taken_on) < 1 - _LABEL_WIDTH
            for occasion in canvas.course.occasions
        )

    corners: list[tuple[Literal["left", "right"], bool]] = [
        ("right", True),
        ("left", True),
        ("right", False),
        ("left", False),
    ]
    return min(corners, key=hidden)


def _share(canvas: Canvas, day: dt.date) -> float:
    """How far along the chart a day lies, 0 to 1."""
    first, last = canvas.days or (day, day)
    return (day - first).days / max((last - first).days, 1)


def add_not_applicable(canvas: Canvas) -> None:
    """Hatch the stretches in which the questionnaire does not apply; they are never zeros."""
    if canvas.reach is None or canvas.days is None:
        return
    for index, span in enumerate(canvas.course.not_applicable):
        _add_span(canvas, span, first=index == 0)


def _add_span(canvas: Canvas, span: Span, *, first: bool) -> None:
    days = canvas.days
    assert days is not None  # noqa: S101 - the caller looked
    left = canvas.time.at(span.start)
    right = canvas.time.at(max(days[1], span.start + _WEEK) if span.end is None else span.end)
    low, high = canvas.course.range
    days_long = ((span.end or days[1]) - span.start).days
    if days_long >= _ROOM_FOR_WORDS * (days[1] - days[0]).days:
        _add_reason(canvas, span.reason, left, right)
    canvas.trace(
        x=[left, right, right, left, left],
        y=[low, low, high, high, low],
        name="Not applicable",
        legendgroup="not applicable",
        legendrank=6,
        showlegend=first,
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor="rgba(0,0,0,0)",
        fillpattern={
            "shape": "/",
            "size": 10,
            "solidity": 0.12,
            "fgcolor": canvas.palette.quiet,
            "bgcolor": "rgba(0,0,0,0)",
        },
        hoveron="fills",
        hoverinfo="text",
        text=f"Does not apply: {plain(span.reason)}",
        meta={"reason": span.reason},
    )


def _add_reason(canvas: Canvas, reason: str, left: Position, right: Position) -> None:
    canvas.figure.add_annotation(
        x=halfway(left, right),
        y=0.04,
        yref="y domain",
        yanchor="bottom",
        text=plain(reason),
        showarrow=False,
        font={"size": 12, "color": canvas.palette.ink},
        bgcolor=canvas.palette.paper,
    )
