"""What happened, on the same axis as the scores: relationships, events, sessions, questionnaires."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from mbc.care.values.course import Mark
from mbc.care.values.review import ClientReview, StatusPeriod
from mbc.figures.client_page.colours import LIGHT
from mbc.figures.client_page.sheet import Chart, Sheet, Trace, frame
from mbc.figures.text import plain, short_day

TIMELINE_HEIGHT = 132  # pixels
_SHAPES = {"growth": "triangle-up", "hard": "diamond", "neutral": "circle"}
_COLOURS = {"growth": LIGHT.goal, "hard": LIGHT.cutoff, "neutral": LIGHT.quiet}
_ROOM = 0.0105  # share of the axis per letter
_LONGEST = 24  # letters


@dataclass(frozen=True, slots=True)
class Lives:
    """What the timeline shows."""

    periods: tuple[StatusPeriod, ...]
    marks: tuple[Mark, ...]
    kept: tuple[dt.date, ...]  # sessions
    missed: tuple[dt.date, ...]
    questionnaires: tuple[dt.date, ...]
    today: dt.date


def lives_of(review: ClientReview) -> Lives:
    """Gather what the timeline of a client shows."""
    courses = review.trajectories
    days = {occasion.taken_on for course in courses for occasion in course.occasions}
    return Lives(
        periods=review.timeline,
        marks=courses[0].marks if courses else (),
        kept=tuple(day for day, attended in review.visits if attended),
        missed=tuple(day for day, attended in review.visits if not attended),
        questionnaires=tuple(sorted(days)),
        today=review.as_of,
    )


def timeline_chart(lives: Lives, sheet: Sheet) -> Chart:
    """Draw a client's timeline.

    Parameters
    ----------
    lives : Lives
    sheet : Sheet
        The axis of the page's charts.

    Returns
    -------
    dict
        A plotly figure as plain data, as of :func:`course_tile`.
    """
    traces = [
        *_relationships(sheet, lives.periods),
        *_events(sheet, [mark for mark in lives.marks if mark.kind == "event"]),
        _row(
            sheet, "sessions kept", lives.kept, 1, {"symbol": "line-ns", "line": {"width": 2, "color": LIGHT.ink}}
        ),
        _row(
            sheet,
            "sessions missed",
            lives.missed,
            1,
            {"symbol": "x-thin", "line": {"width": 2, "color": LIGHT.cutoff}},
        ),
        _row(
            sheet, "questionnaires", lives.questionnaires, 0, {"symbol": "circle", "size": 5, "color": LIGHT.score}
        ),
    ]
    if sheet.first <= lives.today <= sheet.last:
        line = {"color": LIGHT.score, "width": 1.5}
        traces.append(sheet.trace("today", [lives.today] * 2, [-0.5, 4.4], line=line))
    layout = frame(
        height=TIMELINE_HEIGHT,
        margin={"l": 84, "r": 6, "t": 2, "b": 18},
        size=11,
        meta={"range": [0, 1], "up_is_better": True, "sessions": sheet.session_axis(), "rows": True},
        xaxis=sheet.time_axis(small=True),
        yaxis={
            "range": [-0.5, 4.5],
            "tickvals": [0, 1, 2.5, 4],
            "ticktext": ["Questionnaires", "Sessions", "Events", "Relationship"],
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
    )
    return {"data": traces, "layout": layout}


def _relationships(sheet: Sheet, periods: Sequence[StatusPeriod]) -> list[Trace]:
    traces: list[Trace] = []
    for period in periods:
        first, last = max(period.since, sheet.first), min(period.until or sheet.last, sheet.last)
        if first >= last:
            continue
        over = period.relationship_id is not None and period.status in ("ended", "widowed")
        if over:
            continue
        fill = LIGHT.relationship if period.relationship_id is not None else "rgba(0,0,0,0)"
        edge = {"color": LIGHT.quiet, "width": 1, "dash": "solid" if period.relationship_id else "dot"}
        box = sheet.box("relationship", first, last, 3.6, 4.4, fillcolor=fill)
        traces.append(box | {"line": edge})
        label = f"{period.label}, {period.status}" if period.label else period.status
        share = (last - first).days / max((sheet.last - sheet.first).days, 1)
        if share >= _ROOM * len(label):
            middle = first + (last - first) / 2
            traces.append(
                sheet.trace(
                    "words", [middle], [4], mode="text", text=[plain(label)], textfont={"color": LIGHT.ink}
                )
            )
    return traces


def _events(sheet: Sheet, marks: Sequence[Mark]) -> list[Trace]:
    length = max((sheet.last - sheet.first).days, 1)
    ends = [0.0, 0.0]
    traces: list[Trace] = []
    for mark in marks:
        if not sheet.first <= mark.on <= sheet.last:
            continue
        at = (mark.on - sheet.first).days / length
        label = plain(mark.label, _LONGEST)
        left = at < 0.72
        wide = _ROOM * (len(label) + 3)
        start = at if left else at - wide
        row = next((i for i, end in enumerate(ends) if start >= end), None)
        text = label if row is not None else ""
        row = row if row is not None else ends.index(min(ends))
        ends[row] = max(ends[row], at + (wide if left and text else 0.03))
        traces.append(
            sheet.trace(
                "event",
                [mark.on],
                [2.9 - 0.8 * row],
                mode="markers+text",
                text=[f" {text} " if text else ""],
                textposition="middle right" if left else "middle left",
                textfont={"size": 10, "color": LIGHT.ink},
                marker={"symbol": _SHAPES[mark.valence], "size": 8, "color": _COLOURS[mark.valence]},
                hovertext=[f"{short_day(mark.on)}: {plain(mark.words)}"],
                hoverinfo="text",
            )
        )
    return traces


def _row(sheet: Sheet, role: str, days: Sequence[dt.date], row: float, marker: Chart) -> Trace:
    shown = [day for day in days if sheet.first <= day <= sheet.last]
    return sheet.trace(
        role, shown, [row] * len(shown), mode="markers", marker={"size": 8, "color": LIGHT.ink, **marker}
    )
