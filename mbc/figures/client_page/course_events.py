"""What is named on the enlarged chart: events, severity, setbacks, sudden gains, plateaus, every line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from mbc.care import words
from mbc.care.values.course import Mark, Segment, Trajectory
from mbc.figures.client_page.colours import LIGHT
from mbc.figures.client_page.sheet import Chart, Sheet, Trace
from mbc.figures.text import plain, short_day

_ROWS = 4  # of words above the chart
_ABOVE, _ROW = 0.05, 0.07  # shares of the scale's range
_ROOM = 0.0085  # share of the axis per letter
_LONGEST = 32  # letters
_LABEL_GAP = 0.045  # share of the scale's range between two words at the side
_COLOURS = {"growth": LIGHT.goal, "hard": LIGHT.cutoff, "neutral": LIGHT.quiet}


def severity_bands(sheet: Sheet, course: Trajectory, bands: Sequence[tuple[float, str]]) -> list[Trace]:
    """Fill every second range of severity, and name them all at the left."""
    traces: list[Trace] = []
    starts = [start for start, _ in bands]
    for i, (start, label) in enumerate(bands):
        low = max(start, course.range[0])
        high = starts[i + 1] if i + 1 < len(starts) else course.range[1]
        if i % 2:
            traces.append(sheet.box("severity", sheet.first, sheet.last, low, high, fillcolor=LIGHT.severity))
        traces.append(
            sheet.trace(
                "severity words",
                [sheet.first],
                [(low + high) / 2],
                mode="text",
                text=[plain(label)],
                textposition="middle right",
                textfont={"size": 10, "color": LIGHT.quiet},
            )
        )
    return traces


def event_lines(sheet: Sheet, course: Trajectory) -> list[Trace]:
    """Draw a thin line for each event, its words above the chart."""
    low, high = course.range
    traces: list[Trace] = []
    marks = _marks(sheet, course)
    for mark, row in zip(marks, _rows(sheet, marks), strict=True):
        top = high + (high - low) * (_ABOVE + _ROW * row)
        traces.append(
            sheet.trace(
                "event line",
                [mark.on, mark.on],
                [low, top],
                line={"color": _COLOURS[mark.valence], "width": 1, "dash": "dot"},
            )
        )
        traces.append(
            sheet.trace(
                "event",
                [mark.on],
                [top],
                mode="text",
                text=[" " + _event_words(mark)],
                textposition="middle right" if _is_left(sheet, mark.on) else "middle left",
                textfont={"size": 11, "color": _COLOURS[mark.valence]},
                hovertext=[f"{words.day(mark.on)}<br>{plain(mark.words)}"],
                hoverinfo="text",
            )
        )
    return traces


def room_for_events(sheet: Sheet, course: Trajectory) -> float:
    """Give the share of the scale's range that the words above the chart need."""
    rows = max(_rows(sheet, _marks(sheet, course)), default=-1) + 1
    return _ABOVE + _ROW * rows if rows else 0.04


def _marks(sheet: Sheet, course: Trajectory) -> list[Mark]:
    return [mark for mark in course.marks if mark.kind == "event" and sheet.first <= mark.on <= sheet.last] + [
        mark for mark in course.marks if mark.kind == "status" and sheet.first <= mark.on <= sheet.last
    ]


def _event_words(mark: Mark) -> str:
    return f"{plain(mark.label, _LONGEST)}, {short_day(mark.on)}"


def _is_left(sheet: Sheet, day: dt.date) -> bool:
    return (day - sheet.first).days < 0.6 * (sheet.last - sheet.first).days


def _rows(sheet: Sheet, marks: Sequence[Mark]) -> list[int]:
    """Put words that would touch in different rows."""
    length = max((sheet.last - sheet.first).days, 1)
    taken: list[list[tuple[float, float]]] = [[] for _ in range(_ROWS)]
    rows: list[int] = []
    for mark in marks:
        at = (mark.on - sheet.first).days / length
        wide = _ROOM * (len(_event_words(mark)) + 1)
        span = (at, at + wide) if _is_left(sheet, mark.on) else (at - wide, at)
        row = next((i for i, used in enumerate(taken) if all(span[1] <= a or b <= span[0] for a, b in used)), 0)
        taken[row].append(span)
        rows.append(row)
    return rows


def add_shape_marks(sheet: Sheet, course: Trajectory) -> list[Trace]:
    """Mark and name setbacks, sudden gains and plateaus of every segment that is drawn."""
    traces: list[Trace] = []
    for segment in course.segments:
        traces += [*_plateau(sheet, course, segment), *_setbacks(sheet, course, segment)]
        traces += _sudden_gains(sheet, course, segment)
    return traces


def _plateau(sheet: Sheet, course: Trajectory, segment: Segment) -> list[Trace]:
    if segment.shape.plateau is None:
        return []
    first, last = segment.shape.plateau
    inside = [
        point.score for point in segment.occasions if point.score is not None and first <= point.taken_on <= last
    ]
    low, high = course.range
    place = min(inside) - 0.06 * (high - low)
    side = "bottom"
    if place < low + 0.05 * (high - low):
        place, side = max(inside) + 0.06 * (high - low), "top"
    return [
        sheet.trace(
            "plateau",
            [first, last],
            [place] * 2,
            mode="lines+text",
            line={"color": LIGHT.quiet, "width": 3},
            text=[f"plateau, {words.count(len(inside), 'score')} within measurement error", ""],
            textposition=f"{side} right",
            textfont={"size": 11, "color": LIGHT.quiet},
        )
    ]


def _setbacks(sheet: Sheet, course: Trajectory, segment: Segment) -> list[Trace]:
    traces: list[Trace] = []
    for setback in segment.shape.setbacks:
        size = words.number(abs(setback.best - setback.lowest), course.decimals)
        after = "not yet regained" if setback.regained_on is None else f"regained {short_day(setback.regained_on)}"
        traces.append(
            _named_point(
                sheet,
                "setback",
                setback.lowest_on,
                setback.lowest,
                f"setback of {size}, {after}",
                LIGHT.cutoff,
                symbol="triangle-down-open",
                below=course.higher_is_better,
            )
        )
    return traces


def _sudden_gains(sheet: Sheet, course: Trajectory, segment: Segment) -> list[Trace]:
    traces: list[Trace] = []
    by_day = {point.taken_on: point.score for point in segment.occasions if point.score is not None}
    for jump in segment.shape.jumps:
        size = words.number(jump.points, course.decimals)
        traces.append(
            _named_point(
                sheet,
                "sudden gain",
                jump.after_on,
                by_day[jump.after_on],
                f"sudden gain of {size}",
                LIGHT.goal,
                symbol="triangle-up-open",
                below=not course.higher_is_better,
            )
        )
    return traces


def _named_point(
    sheet: Sheet, role: str, day: dt.date, value: float, text: str, colour: str, *, symbol: str, below: bool
) -> Trace:
    return sheet.trace(
        role,
        [day],
        [round(value, 2)],
        mode="markers+text",
        text=[text],
        textposition=("bottom " if below else "top ") + ("right" if _is_left(sheet, day) else "left"),
        textfont={"size": 11, "color": colour},
        marker={"symbol": symbol, "size": 15, "color": colour, "line": {"width": 2, "color": colour}},
    )


def side_labels(course: Trajectory) -> list[Chart]:
    """Write each line's words at the right end of the chart, none over another."""
    live = course.current
    labels: list[tuple[float, str, str]] = []
    if course.forecast is not None:
        fan = course.forecast
        about, low, high = (
            words.number(values[-1], min(course.decimals, 1)) for values in (fan.mean, fan.lower, fan.upper)
        )
        labels.append((fan.mean[-1], f"likely end {about} ({low} to {high}, {fan.level:.0%})", LIGHT.score))
    labels += [(curve.mean[-1], "expected from intake", LIGHT.expected) for curve in course.curves[-1:]]
    labels += [
        (line.value, f"cutoff {words.number(line.value, course.decimals)}", LIGHT.cutoff)
        for line in course.cutoffs
    ]
    labels += [
        (goal.value, f"goal {words.number(goal.value, course.decimals)}", LIGHT.goal)
        for goal in course.goals
        if goal.until is None
    ]
    if (
        live is not None
        and live.noise is not None
        and live.baseline is not None
        and live.baseline.score is not None
    ):
        start = words.number(live.baseline.score, course.decimals)
        error = words.number(live.noise.threshold, 1)
        labels.append((live.baseline.score, f"first score {start} \N{PLUS-MINUS SIGN} {error}", LIGHT.quiet))
    return [_side_label(at, place, text, colour) for at, place, text, colour in _apart(course, labels)]


def _apart(course: Trajectory, labels: Sequence[tuple[float, str, str]]) -> list[tuple[float, float, str, str]]:
    """Move words apart upwards, in scale points."""
    gap = _LABEL_GAP * (course.range[1] - course.range[0])
    placed: list[tuple[float, float, str, str]] = []
    for value, text, colour in sorted(labels):
        place = max(value, placed[-1][1] + gap) if placed else value
        placed.append((value, place, text, colour))
    return placed


def _side_label(value: float, place: float, text: str, colour: str) -> Chart:
    return {
        "name": f"at {value:.2f}",
        "x": 1.005,
        "xref": "x domain",
        "xanchor": "left",
        "y": round(place, 2),
        "yref": "y",
        "yanchor": "middle",
        "text": text,
        "showarrow": False,
        "align": "left",
        "font": {"size": 11, "color": colour},
    }
