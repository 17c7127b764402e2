"""How a trajectory chart is framed: axes, titles, legends, and the caption it carries for alternative text."""

from __future__ import annotations

import datetime as dt
from typing import Any

from mbc.figures.canvas import Canvas
from mbc.figures.marks import rows_of
from mbc.figures.text import plain
from mbc.figures.theme import FONT

_MOST_TICKS = 6
_HEIGHT = 420  # pixels
_PER_MARK = 19  # a phone shows one mark of the key per line ...
_PER_ENTRY, _ENTRIES = 16, 4  # ... and, of the entries over the chart beyond four, about one
_PER_ROW = 0.055  # share of the chart's height for one row of the strip of marks


def lay_out(canvas: Canvas, *, better_is_up: bool) -> None:
    """Frame the chart."""
    course, palette = canvas.course, canvas.palette
    marks = len(course.marks)
    traces: Any = canvas.figure.data
    entries = sum(trace.showlegend is not False and trace.legend is None for trace in traces)
    canvas.figure.update_layout(
        template="none",
        font={"family": FONT, "size": 13, "color": palette.ink},
        paper_bgcolor=palette.paper,
        plot_bgcolor=palette.paper,
        height=_HEIGHT + _PER_MARK * marks + _PER_ENTRY * max(entries - _ENTRIES, 0),
        autosize=True,
        margin={"l": 44, "r": 12, "t": 12, "b": 56},
        hovermode="closest",
        hoverlabel={"bgcolor": palette.paper, "bordercolor": palette.quiet, "font": {"color": palette.ink}},
        dragmode=False,
        showlegend=True,
        # The title heads the legend, so that neither can run into the other on a phone.
        legend=_legend(y=1.015, yanchor="bottom", title=_title(course.title)),
        legend2=_legend(y=0, yanchor="bottom", yref="container"),
        meta={"title": course.title, "caption": course.caption, "description": course.caption},
    )
    canvas.figure.update_layout(xaxis=_time_axis(canvas), yaxis=_score_axis(canvas, better_is_up=better_is_up))
    if marks:
        canvas.figure.update_layout(yaxis2=_strip_axis(rows_of(canvas)))
    if course.empty:
        _add_empty_note(canvas)


def _title(text: str) -> dict[str, object]:
    return {"text": f"<b>{plain(text)}</b>", "side": "top", "font": {"size": 15}}


def _legend(**place: object) -> dict[str, object]:
    return {
        "orientation": "h",
        "x": 0,
        "xanchor": "left",
        "font": {"size": 12},
        "itemclick": False,
        "itemdoubleclick": False,
        "bgcolor": "rgba(0,0,0,0)",
        **place,
    }


def _time_axis(canvas: Canvas) -> dict[str, object]:
    about: dict[str, object] = {
        "nticks": _MOST_TICKS,
        "showgrid": False,
        "showline": True,
        "linecolor": canvas.palette.quiet,
        "ticks": "outside",
        "tickcolor": canvas.palette.quiet,
        "fixedrange": True,
        "zeroline": False,
        "anchor": "y",
        "automargin": True,
    }
    if canvas.reach is not None and canvas.days is not None:
        about["range"] = _padded(canvas)
    if canvas.time.kind == "session":
        about |= {
            "title": {"text": canvas.time.title, "standoff": 4, "font": {"size": 13}},
            "tickvals": _session_ticks(canvas),
        }
    else:
        about["type"] = "date"
    return about


def _session_ticks(canvas: Canvas) -> list[int]:
    """Give the first session and then round numbers, six at most."""
    numbers = [round(position) for position in canvas.reach or () if isinstance(position, float)]
    last = max(numbers, default=1)
    step = next((candidate for candidate in (1, 2, 5, 10, 20, 50) if last / candidate <= _MOST_TICKS), 100)
    return sorted({1, *range(step, last + 1, step)} - ({2} if step == 2 else set()))


def _padded(canvas: Canvas) -> list[object]:
    assert canvas.days is not None  # noqa: S101 - the caller looked
    first, last = canvas.days
    last = max(last, first + dt.timedelta(days=7))
    pad = max((last - first).days * 0.03, 1)
    if canvas.time.kind == "calendar":
        half_days = dt.timedelta(hours=round(pad * 24))
        midnight = dt.time(0)
        return [
            dt.datetime.combine(first, midnight) - half_days,
            dt.datetime.combine(last, midnight) + half_days * 2,
        ]
    left, right = canvas.reach or (0.0, 1.0)
    assert isinstance(left, float) and isinstance(right, float)  # noqa: S101, PT018
    room = max((right - left) * 0.03, 0.2)
    return [left - room, right + room * 2]


def _score_axis(canvas: Canvas, *, better_is_up: bool) -> dict[str, object]:
    course = canvas.course
    low, high = course.range
    pad = (high - low) * 0.04
    inverted = better_is_up and not course.higher_is_better
    span = [low - pad, high + pad]
    return {
        "title": {
            "text": axis_words(higher_is_better=course.higher_is_better, inverted=inverted),
            "standoff": 4,
            "font": {"size": 13},
        },
        "range": span[::-1] if inverted else span,
        "domain": [0, 1 - _PER_ROW * rows_of(canvas) - 0.02] if course.marks else [0, 1],
        "nticks": _MOST_TICKS,
        "gridcolor": canvas.palette.grid,
        "linecolor": canvas.palette.quiet,
        "showline": True,
        "zeroline": False,
        "fixedrange": True,
        "automargin": True,
    }


def axis_words(*, higher_is_better: bool, inverted: bool) -> str:
    """Say which way is better.

    Examples
    --------
    >>> axis_words(higher_is_better=False, inverted=True)
    'Score (axis inverted: up is better)'
    """
    if inverted:
        return "Score (axis inverted: up is better)"
    return "Score (up is better)" if higher_is_better else "Score (down is better)"


def _strip_axis(rows: int) -> dict[str, object]:
    return {
        "domain": [1 - _PER_ROW * rows, 1],
        "range": [-0.6, rows - 0.4],
        "visible": False,
        "fixedrange": True,
        "anchor": "x",
    }


def _add_empty_note(canvas: Canvas) -> None:
    canvas.figure.add_annotation(
        text="No score on record",
        x=0.5,
        y=0.5,
        xref="x domain",
        yref="y domain",
        showarrow=False,
        bgcolor=canvas.palette.paper,
    )
