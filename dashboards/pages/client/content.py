"""The text of a client's page: the present state, the source of each line, all scores."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from dashboards.components.sparklines import spark_mask
from dashboards.components.wording import Mood, day_words, mood
from mbc.care import words
from mbc.care.course.captions import verdict_words
from mbc.care.values.course import VALENCE_NOTES, Change, Confidence, CutoffLine, Mark, Trajectory
from mbc.care.values.review import ClientReview, GoalProgress, StatusPeriod
from mbc.instruments import instrument


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


@dataclass(frozen=True, slots=True)
class Origin:
    """One line of a chart, and its source."""

    name: str
    words: str
    source: str
    doubt: str  # "" where the number was checked at its source


def chart_key(course: Trajectory) -> str:
    """Name a chart: the questionnaire and its scale."""
    return f"{course.instrument}.{course.scale}"


def anchor(course: Trajectory) -> str:
    """Give the place on the page that links lead to."""
    return f"chart-{course.instrument}-{course.scale}"


def facts(review: ClientReview) -> str:
    """Describe the client and the course of care in one line."""
    parts = [review.client_id] if review.alias else []
    parts += [review.status] if review.status else []
    parts += [f"clinician: {review.clinician}"] if review.clinician else []
    parts.append(words.count(review.sessions_attended, "session") + " attended")
    parts += [f"{review.sessions_missed} missed"] if review.sessions_missed else []
    parts += [f"last session {day_words(review.last_session)}"] if review.last_session else []
    return " · ".join(parts)


def summary_row(course: Trajectory) -> SummaryRow:
    """Sum up the present state of one scale."""
    now = course.current
    latest = None if now is None else now.latest
    start_words, start_mood = _since_start(course)
    last_words, last_mood = _change(None if now is None else now.since_last)
    if latest is None or latest.score is None:
        latest_words = _why_nothing(course)
    else:
        latest_words = f"{words.number(latest.score, course.decimals)} on {day_words(latest.taken_on)}"
    return SummaryRow(
        chart=anchor(course),
        title=course.title,
        latest=latest_words,
        since_start=start_words,
        start_mood=start_mood,
        since_last=last_words,
        last_mood=last_mood,
        spark=None if now is None else spark_mask([occasion.score for occasion in now.occasions], course.range),
    )


def _since_start(course: Trajectory) -> tuple[str, Mood]:
    """Give the verdict from all scores, as the caption words it."""
    now = course.current
    if now is None or now.since_baseline is None:
        return "", "unknown"
    return verdict_words(course, now), mood(now.verdict)


def _change(change: Change | None) -> tuple[str, Mood]:
    """Word a change in one line; the caption under the chart has the details."""
    if change is None:
        return "", "unknown"
    unknown = ", measurement error unknown" if change.verdict == "not known" and change.points else ""
    return f"{change.words}{unknown}", mood(change.verdict)


def _why_nothing(course: Trajectory) -> str:
    if course.segments and course.not_applicable:
        return f"not applicable: {course.not_applicable[-1].reason}"
    return "no score yet"


def origins(course: Trajectory) -> tuple[Origin, ...]:
    """Give the source of each line of a chart."""
    lines = [
        Origin("Measurement error", segment.noise.label, segment.noise.source, _doubt(segment.noise.confidence))
        for segment in course.segments[:1]
        if segment.noise is not None
    ]
    lines += [
        Origin(
            "Cutoff",
            f"{words.number(cutoff.value, course.decimals)}: {cutoff.label}",
            cutoff.source,
            _doubt(cutoff.confidence),
        )
        for cutoff in course.cutoffs
    ]
    for curve in course.curves[:1]:
        made_of = f"this clinic's own records ({words.count(curve.n_clients, 'client')})"
        lines.append(
            Origin(
                "Expected from intake", f"clients who began with this score, {curve.level:.0%} range", made_of, ""
            )
        )
    lines += [Origin("Goal", goal.label, "set with the client", "") for goal in course.goals]
    return (*lines, Origin("Questionnaire", course.name, instrument(course.instrument).licence.statement, ""))


def _cutoff_words(line: CutoffLine, decimals: int) -> str:
    return f"{words.number(line.value, decimals)}: {line.label}"


def _doubt(confidence: Confidence) -> str:
    return "not yet verified at the source" if confidence == "unverified" else ""


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
    frame = course.to_frame()
    names = [name for name in _HEADINGS if frame[name].null_count() < frame.height or name in ("date", "score")]
    if set(frame["target"]) <= {"self"}:
        names.remove("target")
    rows = [[_text(name, row[name], course.decimals) for name in names] for row in frame.to_dicts()]
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


def period_words(period: StatusPeriod) -> str:
    """Describe one period of a relationship.

    Examples
    --------
    >>> import datetime as dt
    >>> period_words(StatusPeriod("r1", "R1", "dating", dt.date(2025, 1, 6), None))
    'R1: dating, since 6 Jan 2025'
    """
    who = f"{period.label}: " if period.label else ""
    if period.until is None:
        return f"{who}{period.status}, since {day_words(period.since)}"
    return f"{who}{period.status}, {day_words(period.since)} to {day_words(period.until)}"


def goal_words(goal: GoalProgress) -> str:
    """Describe when a goal was set, and when and why it was retired."""
    ended = f", retired {day_words(goal.retired_on)}" if goal.retired_on else ""
    reason = f" ({goal.retired_reason})" if goal.retired_reason else ""
    return f"Set {day_words(goal.set_on)}{ended}{reason}."


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


def mark_words(mark: Mark) -> str:
    """Describe what a mark stands for.

    Examples
    --------
    >>> mark_words(Mark(dt.date(2026, 2, 16), "event", "Ended R1", "growth", "A"))
    '16 Feb 2026: Ended R1 (growth)'
    """
    note = "" if mark.kind == "status" else VALENCE_NOTES[mark.valence]
    return f"{day_words(mark.on)}: {mark.label}{note}"
