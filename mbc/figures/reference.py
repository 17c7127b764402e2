"""What scores are drawn against: measurement noise, cutoff, goals, the expected course, where nothing applies."""

from __future__ import annotations

import datetime as dt

from mbc.care import words
from mbc.care.course import CourseCurve, CutoffLine, GoalLine, NoiseBand, Segment, Span
from mbc.figures.axis import Position
from mbc.figures.canvas import Canvas
from mbc.figures.text import plain

_WEEK = dt.timedelta(days=7)


def add_noise(canvas: Canvas) -> None:
    """Draw, around each segment's baseline, the band that measurement error alone explains."""
    found = [one for one in canvas.course.segments if one.noise is not None and one.baseline is not None]
    for index, segment in enumerate(found):
        noise = segment.noise
        assert noise is not None  # noqa: S101 - chosen above
        left, right = _own_reach(canvas, segment)
        canvas.trace(
            x=[left, right, right, left, left],
            y=[noise.lower, noise.lower, noise.upper, noise.upper, noise.lower],
            name="Measurement noise",
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
    ahead = [day for one in canvas.course.curves if one.target == segment.target for day in one.dates]
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


def _course_text(canvas: Canvas, curve: CourseCurve, i: int) -> str:
    span = f"{canvas.points(curve.lower[i])} to {canvas.points(curve.upper[i])}"
    return (
        f"{plain(curve.label)} on {words.day(curve.dates[i])}: {canvas.points(curve.mean[i])}"
        f"<br>{curve.level:.0%} of single scores: {span}<br>fitted to {curve.n_clients} clients"
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


def _add_cutoff(canvas: Canvas, cutoff: CutoffLine, reach: tuple[Position, Position]) -> None:
    doubt = _doubt(verified=cutoff.verified)
    canvas.trace(
        x=list(reach),
        y=[cutoff.value] * 2,
        name="Cutoff",
        showlegend=False,  # its words stand on the line
        mode="lines",
        line={"color": canvas.palette.cutoff, "width": 2, "dash": "longdash"},
        hovertext=[f"{plain(cutoff.label)}<br>{plain(cutoff.source)}{doubt}"] * 2,
        hoverinfo="text",
        meta={"source": cutoff.source, "verified": cutoff.verified},
    )
    _label(canvas, f"{plain(cutoff.label, 34)}{doubt}", cutoff.value, canvas.palette.cutoff)


def _add_goal(canvas: Canvas, goal: GoalLine, reach: tuple[Position, Position]) -> None:
    first, last = canvas.days or (goal.set_on, goal.set_on)
    left = canvas.time.at(min(max(goal.set_on, first), last))
    right = reach[1] if goal.until is None else canvas.time.at(min(goal.until, last))
    text = f"Goal: {plain(goal.label)} ({canvas.points(goal.value)})"
    canvas.trace(
        x=[left, right],
        y=[goal.value] * 2,
        name="Goal",
        showlegend=False,
        mode="lines",
        line={"color": canvas.palette.goal, "width": 2, "dash": "dashdot"},
        hovertext=[text] * 2,
        hoverinfo="text",
        meta={"goal": goal.goal_id},
    )
    _label(canvas, f"Goal: {plain(goal.label, 26)}", goal.value, canvas.palette.goal)


def _label(canvas: Canvas, text: str, value: float, colour: str) -> None:
    # At the left foot of its line; the ink, not the line's colour, so that it reads on either page.
    canvas.figure.add_annotation(
        x=0,
        xref="x domain",
        xanchor="left",
        y=value,
        yref="y",
        yanchor="bottom",
        text=text,
        showarrow=False,
        align="left",
        font={"size": 12, "color": canvas.palette.ink},
        bgcolor=canvas.palette.paper,
        opacity=0.92,
        bordercolor=colour,
        borderwidth=1,
        borderpad=2,
        yshift=3,
    )


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
