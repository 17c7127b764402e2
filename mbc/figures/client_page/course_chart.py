"""One scale of a client, as a tile among others or enlarged, drawn from the same values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from mbc.care import words
from mbc.care.values.course import Occasion, Segment, Trajectory
from mbc.figures.client_page.colours import LIGHT
from mbc.figures.client_page.course_events import (
    add_shape_marks,
    event_lines,
    room_for_events,
    severity_bands,
    side_labels,
)
from mbc.figures.client_page.course_lines import (
    expected_courses,
    level_lines,
    likely_end,
    measurement_bands,
    not_asked,
)
from mbc.figures.client_page.sheet import Chart, Sheet, Trace, frame
from mbc.figures.text import plain

TILE_HEIGHT, LARGE_HEIGHT = 124, 430  # pixels
_STEPS = (0.5, 1, 2, 5, 10, 20, 25, 50)
_MOST_STEPS = 7
_SYMBOLS = {True: "circle-open", False: "circle"}  # hollow: prorated, or known only as a total


def course_tile(course: Trajectory, sheet: Sheet) -> Chart:
    """Draw a scale as a tile: scores, measurement band, cutoff, goal, expected course and likely end.

    Parameters
    ----------
    course : Trajectory
        From `mbc.care.client_review`.
    sheet : Sheet
        The time axis that all tiles share: `shared_sheet`.

    Returns
    -------
    dict
        A plotly figure as plain data, in calendar days, for a light page. ``layout.meta`` holds the scale's range,
        which way is better, and the axis of sessions.
    """
    traces = [
        *not_asked(sheet, course),
        *measurement_bands(sheet, course),
        *expected_courses(sheet, course),
        *likely_end(sheet, course),
        *level_lines(sheet, course),
        *scores(sheet, course, size=4),
    ]
    margin = {"l": 28, "r": 6, "t": 4, "b": 18}
    layout = frame(height=TILE_HEIGHT, margin=margin, size=10, meta=_meta(sheet, course))
    return {"data": traces, "layout": layout | _axes(sheet, course, small=True)}


def enlarged_course(course: Trajectory, sheet: Sheet, bands: Sequence[tuple[float, str]] = ()) -> Chart:
    """Draw a scale by itself: with events, severity bands, setbacks, sudden gains and plateaus, each named.

    Parameters
    ----------
    course : Trajectory
    sheet : Sheet
    bands : sequence of (float, str)
        Where each range of severity begins, in scale points, lowest first, and its name.

    Returns
    -------
    dict
        As of `course_tile`.
    """
    traces = [
        *severity_bands(sheet, course, bands),
        *not_asked(sheet, course),
        *measurement_bands(sheet, course),
        *expected_courses(sheet, course),
        *likely_end(sheet, course),
        *level_lines(sheet, course),
        *event_lines(sheet, course),
        *scores(sheet, course, size=8),
        *add_shape_marks(sheet, course),
    ]
    margin = {"l": 44, "r": 205, "t": 8, "b": 40}
    layout = frame(height=LARGE_HEIGHT, margin=margin, size=12, meta=_meta(sheet, course))
    layout["annotations"] = side_labels(course)
    layout |= _axes(sheet, course, small=False)
    low, high = course.range
    layout["yaxis"]["range"][1] = high + (high - low) * room_for_events(sheet, course)
    return {"data": traces, "layout": layout}


def _meta(sheet: Sheet, course: Trajectory) -> Chart:
    low, high = course.range
    return {
        "title": course.title,
        "measure": course.measure,
        "range": [low, high],
        "up_is_better": course.higher_is_better,
        "sessions": sheet.session_axis(),
    }


def _axes(sheet: Sheet, course: Trajectory, *, small: bool) -> Chart:
    low, high = course.range
    pad = (high - low) * 0.04
    score = {
        "range": [low - pad, high + pad],
        "gridcolor": LIGHT.grid,
        "zeroline": False,
        "fixedrange": True,
        "tickcolor": LIGHT.quiet,
        "tickvals": [low, _middle(low, high), high] if small else _ticks(low, high),
    }
    return {"xaxis": sheet.time_axis(small=small), "yaxis": score}


def _middle(low: float, high: float) -> float:
    """Give the middle of a range; of a long one a whole number, whose label has room beside a tile.

    Examples
    --------
    >>> _middle(0, 3), _middle(0, 27), _middle(0, 81)
    (1.5, 13, 40)
    """
    return (low + high) / 2 if high - low <= 10 else (low + high) // 2


def _ticks(low: float, high: float) -> list[float]:
    """Give the ends of a range and round numbers between them, eight at most.

    Examples
    --------
    >>> _ticks(0, 27), _ticks(1, 7)
    ([0, 5, 10, 15, 20, 27], [1, 2, 3, 4, 5, 6, 7])
    """
    step = next((step for step in _STEPS if (high - low) / step <= _MOST_STEPS), high - low)
    first = low if step <= 1 else step * -(-low // step)
    between = [first + step * i for i in range(_MOST_STEPS + 1)]
    return [low, *(tick for tick in between if low + step / 2 < tick < high - step / 2), high]


def scores(sheet: Sheet, course: Trajectory, *, size: int) -> list[Trace]:
    """Draw each segment's scores by themselves; the latest of the current segment is larger."""
    return [_scores(sheet, course, segment, size) for segment in course.segments]


def _scores(sheet: Sheet, course: Trajectory, segment: Segment, size: int) -> Trace:
    drawn: list[tuple[dt.date, Occasion | None]] = []
    for occasion in segment.occasions:
        before = drawn[-1][0] if drawn else occasion.taken_on
        if (occasion.taken_on - before).days > course.gap_days:
            drawn.append((before + (occasion.taken_on - before) / 2, None))
        drawn.append((occasion.taken_on, occasion))
    latest = segment.latest if segment is course.current else None
    points = [point for _, point in drawn]
    trace = sheet.trace(
        "score",
        [day for day, _ in drawn],
        [None if point is None or point.score is None else round(point.score, 2) for point in points],
        name=segment.label or course.measure,
        mode="lines+markers",
        connectgaps=False,
        line={"color": LIGHT.score, "width": 2},
        marker={
            "color": LIGHT.score,
            "size": [size + (3 if point is not None and point is latest else 0) for point in points],
            "symbol": [_SYMBOLS[point is not None and (point.prorated or point.recorded)] for point in points],
        },
        meta={"inside": [None if point is None else point.inside_noise for point in points]},
    )
    trace["meta"]["sessions"] = [_session(sheet, day, point) for day, point in drawn]
    if size > 4:
        trace |= {
            "hovertext": ["" if point is None else describe_point(course, segment, point) for point in points],
            "hoverinfo": "text",
        }
    return trace


def _session(sheet: Sheet, day: dt.date, point: Occasion | None) -> float:
    place = sheet.sessions.at(day) if point is None else sheet.sessions.of(point)
    return round(place, 2) if isinstance(place, float) else 0.0


def describe_point(course: Trajectory, segment: Segment, occasion: Occasion) -> str:
    """Describe one score in a line per fact, as it is read aloud at the arrow keys."""
    if occasion.score is None:
        return f"{words.day(occasion.taken_on)}: too few answers for a score"
    lines = [f"<b>{words.number(occasion.score, course.decimals)}</b> on {words.day(occasion.taken_on)}"]
    if segment.label:
        lines[0] += f", {plain(segment.label)}"
    place = [] if occasion.session_number is None else [f"session {occasion.session_number}"]
    if occasion.recorded:
        place.append("recorded total")
    elif occasion.answered is not None:
        place.append(f"{occasion.answered} of {occasion.items} answered" + (", prorated" * occasion.prorated))
    lines += ["; ".join(place)] if place else []
    lines += [occasion.band] if occasion.band else []
    if occasion.change is not None and segment.baseline is not None and occasion is not segment.baseline:
        clear = {True: "no clear change", False: "a clear change", None: "measurement error unknown"}
        change = words.number(occasion.change, course.decimals, signed=True)
        lines.append(f"{change} from the first score, {clear[occasion.inside_noise]}")
    elif occasion is segment.baseline:
        lines.append("first score")
    return "<br>".join(lines)
