"""How life events and changes of relationship status are drawn: shapes in a strip, keyed by letter."""

from __future__ import annotations

from collections.abc import Sequence

from mbc.care import words
from mbc.care.values.course import VALENCE_NOTES, Mark
from mbc.figures.axis import Position
from mbc.figures.canvas import Canvas
from mbc.figures.text import plain, short_day

_MOST_ROWS = 4
_ROOM = 0.085  # share of the axis that a marker and its letter need on a phone
_SHAPES = {"growth": "triangle-up", "hard": "diamond", "neutral": "circle"}
_STATUS_SHAPE = "square"


def add_marks(canvas: Canvas) -> None:
    """Draw the marks in the strip over the scores, a thin line down from each, and their key as a legend."""
    if not canvas.course.marks:
        return
    rows = _rows(canvas)
    for name, kind in (("Events", "event"), ("Relationship status", "status")):
        chosen = [(mark, row) for mark, row in zip(canvas.course.marks, rows, strict=True) if mark.kind == kind]
        if chosen:
            _add_strip(canvas, name, chosen)
    for mark in canvas.course.marks:
        _add_key(canvas, mark)
    for day in sorted({mark.on for mark in canvas.course.marks}):
        _add_drop(canvas, canvas.time.at(day))


def shape(mark: Mark) -> str:
    """Choose the marker: a square for a status, else by valence.

    Examples
    --------
    >>> import datetime as dt
    >>> shape(Mark(dt.date(2025, 6, 12), "event", "Ended R1", "growth"))
    'triangle-up'
    """
    return _STATUS_SHAPE if mark.kind == "status" else _SHAPES[mark.valence]


def _colour(canvas: Canvas, mark: Mark) -> str:
    palette = canvas.palette
    valence = {"growth": palette.growth, "hard": palette.hard, "neutral": palette.neutral}
    return palette.neutral if mark.kind == "status" else valence[mark.valence]


def rows_of(canvas: Canvas) -> int:
    """Count the rows of the strip."""
    return max(_rows(canvas), default=-1) + 1


def _rows(canvas: Canvas) -> list[int]:
    # Neighbours that would touch go to the next row of the strip.
    marks = canvas.course.marks
    if not marks:
        return []
    first, last = canvas.days or (marks[0].on, marks[-1].on)
    room = max((last - first).days, 7) * _ROOM
    ends = [float("-inf")] * _MOST_ROWS
    rows: list[int] = []
    for mark in marks:
        day = float(mark.on.toordinal())
        row = next((i for i, end in enumerate(ends) if day >= end), ends.index(min(ends)))
        ends[row] = day + room
        rows.append(row)
    return rows


def _add_strip(canvas: Canvas, name: str, chosen: Sequence[tuple[Mark, int]]) -> None:
    marks = [mark for mark, _ in chosen]
    canvas.trace(
        x=[canvas.time.at(mark.on) for mark in marks],
        y=[rows_of(canvas) - 1 - row for _, row in chosen],
        yaxis="y2",
        name=name,
        showlegend=False,  # each mark has its own line in the key
        mode="markers+text",
        marker={
            "symbol": [shape(mark) for mark in marks],
            "size": 11,
            "color": [_colour(canvas, mark) for mark in marks],
        },
        text=[mark.key for mark in marks],
        textposition="middle right",
        textfont={"size": 12, "color": canvas.palette.ink},
        hovertext=[f"{words.day(mark.on)}<br>{plain(mark.words)}" for mark in marks],
        hoverinfo="text",
        meta={"labels": [mark.words for mark in marks]},
    )


def _add_key(canvas: Canvas, mark: Mark) -> None:
    canvas.trace(
        x=[None],
        y=[None],
        name=_in_key(mark),
        legend="legend2",
        mode="markers",
        marker={"symbol": shape(mark), "size": 10, "color": _colour(canvas, mark)},
        hoverinfo="skip",
        meta={"role": "key"},
    )


def _in_key(mark: Mark) -> str:
    return f"{mark.key}  {short_day(mark.on)}: {plain(mark.label, 36)}{VALENCE_NOTES[mark.valence]}"


def _add_drop(canvas: Canvas, at: Position) -> None:
    canvas.figure.add_shape(
        type="line",
        x0=at,
        x1=at,
        y0=0,
        y1=1,
        yref="y domain",
        layer="below",
        line={"color": canvas.palette.quiet, "width": 1, "dash": "dot"},
    )
