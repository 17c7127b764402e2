"""How a client's own scores are drawn: every occasion a marker, lines only where they may be joined."""

from __future__ import annotations

from mbc.care import words
from mbc.care.values.course import Occasion, Segment
from mbc.figures.axis import Position
from mbc.figures.canvas import Canvas
from mbc.figures.text import plain

SYMBOLS = {"Score": "circle", "Prorated": "circle-open", "Recorded total": "square-open"}


def add_scores(canvas: Canvas) -> None:
    """Draw each segment by itself; hollow markers are explained in the legend where there are any."""
    for index, segment in enumerate(canvas.course.segments):
        _add_segment(canvas, segment, first=index == 0)
    kinds = {_kind(occasion) for occasion in canvas.course.occasions if occasion.score is not None}
    for name in ("Prorated", "Recorded total"):
        if name in kinds:
            canvas.trace(
                x=[None],
                y=[None],
                name=name,
                mode="markers",
                marker=_marker(canvas, SYMBOLS[name]),
                hoverinfo="skip",
                meta={"role": "key"},
            )


def _add_segment(canvas: Canvas, segment: Segment, *, first: bool) -> None:
    drawn = list(_with_gaps(canvas, segment))
    canvas.trace(
        x=[x for x, _ in drawn],
        y=[None if occasion is None else occasion.score for _, occasion in drawn],
        name="Score",
        legendgroup="score",
        legendrank=1,
        showlegend=first,
        mode="lines+markers",
        connectgaps=False,
        line={"color": canvas.palette.score, "width": 2.5},
        marker=_marker(
            canvas, ["circle" if occasion is None else SYMBOLS[_kind(occasion)] for _, occasion in drawn]
        ),
        hovertext=["" if occasion is None else _hover(canvas, occasion, segment) for _, occasion in drawn],
        hoverinfo="text",
        meta={"target": segment.target, "label": segment.label},
    )


def _with_gaps(canvas: Canvas, segment: Segment) -> list[tuple[Position, Occasion | None]]:
    # A long silence is a point without a value, half-way: the line stops there.
    drawn: list[tuple[Position, Occasion | None]] = []
    before: Occasion | None = None
    for occasion in segment.occasions:
        if before is not None and (occasion.taken_on - before.taken_on).days > canvas.course.gap_days:
            middle = before.taken_on + (occasion.taken_on - before.taken_on) / 2
            drawn.append((canvas.time.at(middle), None))
        drawn.append((canvas.time.of(occasion), occasion))
        before = occasion
    return drawn


def _marker(canvas: Canvas, symbol: str | list[str]) -> dict[str, object]:
    colour = canvas.palette.score
    return {"symbol": symbol, "size": 9, "color": colour, "line": {"width": 2, "color": colour}}


def _kind(occasion: Occasion) -> str:
    if occasion.recorded:
        return "Recorded total"
    return "Prorated" if occasion.prorated else "Score"


def _hover(canvas: Canvas, occasion: Occasion, segment: Segment) -> str:
    if occasion.score is None:
        return ""
    head = f"<b>{canvas.points(occasion.score)}</b> on {words.day(occasion.taken_on)}"
    lines = [head + (f", {plain(segment.label)}" if segment.label else "")]
    place = [] if occasion.session_number is None else [f"session {occasion.session_number}"]
    if occasion.recorded:
        place.append("recorded total")
    elif occasion.answered is not None:
        place.append(
            f"{occasion.answered} of {occasion.items} answered" + (", prorated" if occasion.prorated else "")
        )
    lines += ["; ".join(place)] if place else []
    if segment.baseline is not None and occasion.administration_id == segment.baseline.administration_id:
        lines.append("baseline")
    elif occasion.change is not None:
        noise = {True: ", no clear change", False: ", a clear change", None: ""}[occasion.inside_noise]
        lines.append(f"{canvas.points(occasion.change, signed=True)} from baseline{noise}")
    return "<br>".join(lines)
