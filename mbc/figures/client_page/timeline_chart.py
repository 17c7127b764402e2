"""What happened, on the axis of the scores: relationships, events, conflicts, homework, alliance, sessions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mbc.care.course.charted_scales import ALLIANCE
from mbc.care.values.course import Mark, Trajectory
from mbc.care.values.review import ClientReview, RepairBand, StatusPeriod, StripKind, StripMark
from mbc.care.words import number
from mbc.figures.client_page.colours import LIGHT
from mbc.figures.client_page.sheet import Chart, Sheet, Trace, frame
from mbc.figures.text import plain, short_day

TIMELINE_HEIGHT, _ROW_HEIGHT = 132, 22  # pixels
_SHAPES = {"growth": "triangle-up", "hard": "diamond", "neutral": "circle"}
_COLOURS = {"growth": LIGHT.goal, "hard": LIGHT.cutoff, "neutral": LIGHT.quiet}
_STRIPS: dict[StripKind, tuple[str, int, str]] = {  # symbol, size, colour
    "homework done": ("circle", 7, LIGHT.score),
    "homework open": ("circle-open", 7, LIGHT.score),
    "homework not done": ("x-thin", 7, LIGHT.cutoff),
    "small win": ("star", 9, LIGHT.goal),
    "conflict": ("diamond", 8, LIGHT.cutoff),
    "conflict repaired": ("diamond-open", 8, LIGHT.quiet),
    "rupture": ("square", 7, LIGHT.cutoff),
    "rupture repaired": ("square-open", 7, LIGHT.quiet),
}
_ROWS: tuple[tuple[str, tuple[StripKind, ...]], ...] = (  # over the sessions, where there is something to show
    ("Alliance", ("rupture", "rupture repaired")),
    ("Homework, wins", ("homework done", "homework open", "homework not done", "small win")),
    ("Conflicts", ("conflict", "conflict repaired")),
)
TIME_TO_REPAIR = "Time to repair"
_ROOM = 0.0105  # share of the axis per letter
_LONGEST = 24  # letters


@dataclass(frozen=True, slots=True)
class AllianceRating:
    """How the client rated the work with the therapist on a day."""

    on: dt.date
    share: float  # of the scale's range, 0 to 1
    words: str
    fell: bool  # by more than measurement error since the rating before: perhaps a rupture


@dataclass(frozen=True, slots=True)
class Lives:
    """What the timeline shows."""

    periods: tuple[StatusPeriod, ...]
    marks: tuple[Mark, ...]
    kept: tuple[dt.date, ...]  # sessions
    missed: tuple[dt.date, ...]
    questionnaires: tuple[dt.date, ...]
    today: dt.date
    alliance: tuple[AllianceRating, ...] = ()
    strips: tuple[StripMark, ...] = ()
    repair: RepairBand | None = None

    @property
    def rows(self) -> list[str]:
        """The rows between sessions and events that have something to show, from the lowest."""
        kinds = {mark.kind for mark in self.strips}
        shown = [name for name, own in _ROWS if kinds.intersection(own) or (name == "Alliance" and self.alliance)]
        return [*shown, TIME_TO_REPAIR] if self.repair is not None else shown


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
        alliance=alliance_ratings(courses),
        strips=review.strips,
        repair=review.repair_band,
    )


def repair_caption(review: ClientReview, *, drawn: bool) -> str:
    """Say how long repair takes, and where the chart is drawn, what its band and diamonds are."""
    if review.repair_band is None or not drawn:
        return review.repair_words
    diamonds = ", a diamond one outside it" if review.repair_band.outside else ""
    return f"{review.repair_words} On the row {TIME_TO_REPAIR} the grey band is the usual range{diamonds}."


def alliance_ratings(courses: Sequence[Trajectory]) -> tuple[AllianceRating, ...]:
    """Take the ratings of the alliance from the scales of a client; the first such scale is drawn."""
    course = next((course for course in courses if course.construct == ALLIANCE), None)
    if course is None:
        return ()
    low, high = course.range
    ratings: list[AllianceRating] = []
    for segment in course.segments:
        before: float | None = None
        for occasion in segment.occasions:
            if occasion.score is None:
                continue
            change = 0.0 if before is None else occasion.score - before
            worse = -change if course.higher_is_better else change
            fell = segment.noise is not None and worse > segment.noise.threshold
            rated = f"Alliance {occasion.score:.{course.decimals}f}" + (", fell clearly" if fell else "")
            ratings.append(AllianceRating(occasion.taken_on, (occasion.score - low) / (high - low), rated, fell))
            before = occasion.score
    return tuple(ratings)


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
        A plotly figure as plain data, as of `course_tile`. The alliance has a row where it was rated or
        strained; homework with small wins, and conflicts, have one where there are any; the hours to repair have
        one, from 0 upwards, where there are limits: a band behind them, and a diamond outside it.
    """
    rows = lives.rows
    above = float(len(rows))  # what the rows over these are moved up by
    traces = [
        *_relationships(sheet, lives.periods, 4 + above),
        *_events(sheet, [mark for mark in lives.marks if mark.kind == "event"], 2.9 + above),
        *_alliance(sheet, lives.alliance, 2),
        *_strips(sheet, lives.strips, {name: 2 + place for place, name in enumerate(rows)}),
        *_repair(sheet, lives.repair, 1 + len(rows)),
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
        traces.append(sheet.trace("today", [lives.today] * 2, [-0.5, 4.4 + above], line=line))
    layout = frame(
        height=TIMELINE_HEIGHT + round(_ROW_HEIGHT * above),
        margin={"l": 94, "r": 6, "t": 2, "b": 18},
        size=11,
        meta={"range": [0, 1], "up_is_better": True, "sessions": sheet.session_axis(), "rows": True},
        xaxis=sheet.time_axis(small=True),
        yaxis={
            "range": [-0.5, 4.5 + above],
            "tickvals": [0, 1, *range(2, 2 + len(rows)), 2.5 + above, 4 + above],
            "ticktext": ["Questionnaires", "Sessions", *rows, "Events", "Relationship"],
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
    )
    return {"data": traces, "layout": layout}


def _relationships(sheet: Sheet, periods: Sequence[StatusPeriod], row: float) -> list[Trace]:
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
        box = sheet.box("relationship", first, last, row - 0.4, row + 0.4, fillcolor=fill)
        traces.append(box | {"line": edge})
        label = f"{period.label}, {period.status}" if period.label else period.status
        share = (last - first).days / max((sheet.last - sheet.first).days, 1)
        if share >= _ROOM * len(label):
            middle = first + (last - first) / 2
            traces.append(
                sheet.trace(
                    "words", [middle], [row], mode="text", text=[plain(label)], textfont={"color": LIGHT.ink}
                )
            )
    return traces


def _events(sheet: Sheet, marks: Sequence[Mark], top: float) -> list[Trace]:
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
        if row is not None:
            ends[row] = at + (wide if left else 0.03)
        height = 0.5 if row is None else row  # without room for its words: between the rows, over nobody else's
        traces.append(
            sheet.trace(
                "event",
                [mark.on],
                [top - 0.8 * height],
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


def _alliance(sheet: Sheet, ratings: Sequence[AllianceRating], row: float) -> list[Trace]:
    shown = [rating for rating in ratings if sheet.first <= rating.on <= sheet.last]
    if not shown:
        return []
    return [
        sheet.trace(
            "alliance",
            [rating.on for rating in shown],
            [row - 0.35 + 0.7 * rating.share for rating in shown],
            mode="lines+markers",
            line={"color": LIGHT.ink, "width": 1},
            marker={
                "symbol": ["diamond" if rating.fell else "circle" for rating in shown],
                "size": [8 if rating.fell else 4 for rating in shown],
                "color": [LIGHT.cutoff if rating.fell else LIGHT.ink for rating in shown],
            },
            hovertext=[f"{short_day(rating.on)}: {plain(rating.words)}" for rating in shown],
            hoverinfo="text",
        )
    ]


def _repair(sheet: Sheet, band: RepairBand | None, row: float) -> list[Trace]:
    """Draw the hours to repair on the highest row, before the limits that they usually stay in."""
    if band is None:
        return []
    shown = [repair for repair in band.series if sheet.first <= repair[0] <= sheet.last]
    if not shown:
        return []
    most = max(band.upper, *(hours for _, hours in band.series))

    def height(hours: float) -> float:
        return row - 0.4 + 0.8 * hours / most

    def points(role: str, repairs: Sequence[tuple[dt.date, float]], **about: Any) -> Trace:
        days, places = [day for day, _ in repairs], [height(hours) for _, hours in repairs]
        hover = [f"{short_day(day)}: {number(hours, 1)} h until repaired" for day, hours in repairs]
        return sheet.trace(role, days, places, hovertext=hover, hoverinfo="text", **about)

    first, last = max(band.series[0][0], sheet.first), shown[-1][0]
    limits = sheet.box("repair limits", first, last, height(band.lower), height(band.upper), fillcolor=LIGHT.noise)
    edge = {"color": LIGHT.quiet, "width": 1, "dash": "dot"}
    small = {"symbol": "circle", "size": 4, "color": LIGHT.ink}
    traces = [
        limits | {"line": edge},
        points("repair", shown, mode="lines+markers", line={"color": LIGHT.ink, "width": 1}, marker=small),
    ]
    if outside := [repair for repair in band.outside if sheet.first <= repair[0] <= sheet.last]:
        large = {"symbol": "diamond", "size": 8, "color": LIGHT.cutoff}
        traces.append(points("repair outside", outside, mode="markers", marker=large))
    return traces


def _strips(sheet: Sheet, marks: Sequence[StripMark], rows: dict[str, int]) -> list[Trace]:
    """Draw the entries of the working day, one trace for each kind."""
    traces: list[Trace] = []
    for name, kinds in _ROWS:
        for kind in kinds:
            shown = [mark for mark in marks if mark.kind == kind and sheet.first <= mark.on <= sheet.last]
            if not shown:
                continue
            symbol, size, colour = _STRIPS[kind]
            line = {"width": 2, "color": colour}
            traces.append(
                sheet.trace(
                    kind,
                    [mark.on for mark in shown],
                    [rows[name]] * len(shown),
                    mode="markers",
                    marker={"symbol": symbol, "size": size, "color": colour, "line": line},
                    hovertext=[f"{short_day(mark.on)}: {plain(mark.words)}" for mark in shown],
                    hoverinfo="text",
                )
            )
    return traces


def _row(sheet: Sheet, role: str, days: Sequence[dt.date], row: float, marker: Chart) -> Trace:
    shown = [day for day in days if sheet.first <= day <= sheet.last]
    return sheet.trace(
        role, shown, [row] * len(shown), mode="markers", marker={"size": 8, "color": LIGHT.ink, **marker}
    )
