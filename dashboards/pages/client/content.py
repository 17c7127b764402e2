"""What a client's page adds to the words of the review: marks, tables, places on the page."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from dashboards.components.sparklines import spark_mask
from dashboards.components.wording import Mood, day_words, mood
from mbc.care import words
from mbc.care.client.review_words import latest_words, since_last_time, since_start
from mbc.care.values.course import TABLE_COLUMNS, Mark, Trajectory
from mbc.care.values.review import ClientReview


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One scale in one row: the latest score, and how it changed."""

    chart: str  # names the chart this line leads to
    title: str
    latest: str
    since_start: str
    start_mood: Mood
    since_last: str
    last_mood: Mood
    spark: str | None


def anchor(course: Trajectory) -> str:
    """Give the place on the page that links lead to."""
    return f"chart-{course.instrument}-{course.scale}"


def summary_row(course: Trajectory) -> SummaryRow:
    """Sum up the present state of one scale."""
    now = course.current
    start_words, start_verdict = since_start(course)
    last_words, last_verdict = since_last_time(course)
    return SummaryRow(
        chart=anchor(course),
        title=course.title,
        latest=latest_words(course),
        since_start=start_words,
        start_mood=mood(start_verdict),
        since_last=last_words,
        last_mood=mood(last_verdict),
        spark=None if now is None else spark_mask([occasion.score for occasion in now.occasions], course.range),
    )


_HEADINGS = {
    "date": "Date",
    "session": "Session",
    "target": "About",
    "score": "Score",
    "change": "From baseline",
    "inside_noise": "Clear change",
    "band": "Band",
    "answered": "Answered",
    "note": "Note",
}


def table_rows(course: Trajectory) -> tuple[list[str], list[list[str]]]:
    """Give the table under a chart: headings, and rows of text.

    Columns in which nothing is on record are left out.
    """
    entries = [dict(zip(TABLE_COLUMNS, row, strict=True)) for row in course.table_rows()]
    names = [
        name for name in _HEADINGS if name in ("date", "score") or any(row[name] is not None for row in entries)
    ]
    if all(row["target"] == "self" for row in entries) and "target" in names:
        names.remove("target")
    rows = [[_text(name, row[name], course.decimals) for name in names] for row in entries]
    return [_HEADINGS[name] for name in names], rows


def _text(name: str, value: object, decimals: int) -> str:
    if value is None:
        return "–"
    if name == "date":
        return day_words(value if isinstance(value, dt.date) else None)
    if name == "inside_noise":
        return {"yes": "no", "no": "yes"}[str(value)]
    if name in ("score", "change"):
        return words.number(float(str(value)), decimals, signed=name == "change")
    return str(value)


def events_of(review: ClientReview) -> tuple[Mark, ...]:
    """Give every event once, newest first; changes of relationship are in the timeline."""
    marks = {mark for course in review.trajectories for mark in course.marks if mark.kind == "event"}
    return tuple(sorted(marks, key=lambda mark: (mark.on, mark.label), reverse=True))


def mark_shape(mark: Mark) -> str:
    """Name the shape that a mark has on the chart: a class of the style sheet.

    Examples
    --------
    >>> mark_shape(Mark(dt.date(2026, 2, 16), "event", "Ended R1", "growth", "A"))
    'growth'
    """
    return "status" if mark.kind == "status" else mark.valence
