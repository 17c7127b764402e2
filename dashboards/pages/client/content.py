"""The text of a client's page: the present state, the source of each line, all scores."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.components.sparklines import spark_mask
from dashboards.components.wording import Mood, day_words, mood
from mbc.care import words
from mbc.care.client.state import FLAG_IS_RIGHT
from mbc.care.course.captions import verdict_words
from mbc.care.values.course import VALENCE_NOTES, Change, Confidence, Mark, Segment, Trajectory, Verdict
from mbc.care.values.review import ClientReview, GoalProgress, StatusPeriod
from mbc.instruments import Instrument, instrument

_ARROWS: dict[Verdict, str] = {
    "clearly better": "\N{BLACK UP-POINTING TRIANGLE}",
    "clearly worse": "\N{BLACK DOWN-POINTING TRIANGLE}",
}


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


def anchor(course: Trajectory) -> str:
    """Give the place on the page that links lead to."""
    return f"chart-{course.instrument}-{course.scale}"


def facts(review: ClientReview) -> str:
    """Describe who this is and on which day it is read, in a line."""
    parts = [review.client_id] if review.alias else []
    parts += [review.relationship] if review.relationship else []
    parts += [f"session {review.last_session_number}"] if review.last_session_number else []
    parts += [review.clinician] if review.clinician else []
    parts.append(f"as of {review.as_of:%a} {day_words(review.as_of)}")
    return " \N{MIDDLE DOT} ".join(parts)


def state_words(review: ClientReview) -> str:
    """Name the state; where care has ended, that and how."""
    if review.closed is not None:
        ended_on, how = review.closed
        return f"Care ended {day_words(ended_on)}" + (f": {how}" if how else "")
    return review.state.state.capitalize()


def state_reasons(review: ClientReview) -> str:
    """Give the reasons of a state that no question repeats, and how often "not on track" is right."""
    if review.closed is None and review.state.state == "not on track":
        return words.sentence(FLAG_IS_RIGHT)
    if review.closed is not None or review.state.state not in ("watch", "no forecast"):
        return ""
    return words.sentence("; ".join(review.state.reasons))


def agenda(review: ClientReview) -> str:
    """Say how far the goals are, what is due today, and how the alliance is."""
    parts = [goals_words(review.goals)] if review.goals else []
    if review.closed is None:
        parts.append(f"Due today: {words.join_list(review.due)}" if review.due else "Nothing due today")
        parts += [alliance_words(course) for course in review.trajectories if course.construct == "alliance"][:1]
    return " \N{MIDDLE DOT} ".join(part for part in parts if part)


def goals_words(goals: Sequence[GoalProgress]) -> str:
    """Count the goals that are reached, among those kept and those reached before.

    Examples
    --------
    >>> goals_words([])
    'No goal on record'
    """
    counted = [goal for goal in goals if goal.retired_on is None or goal.reached]
    if not counted:
        return "No goal on record"
    return f"Goals: {sum(goal.reached for goal in counted)} of {len(counted)} reached"


def alliance_words(course: Trajectory) -> str:
    """Say whether the alliance moved since last time: a fall may be a rupture, a rise after it a repair."""
    live = course.current
    if live is None or live.since_last is None:
        return ""
    match live.since_last.verdict:
        case "clearly worse":
            return "Alliance fell since last time: a rupture?"
        case "clearly better":
            return "Alliance rose since last time"
        case _:
            return "Alliance steady" if live.since_last.verdict == "no clear change" else ""


def verdict_line(course: Trajectory) -> tuple[str, Mood]:
    """Give a tile's verdict, and its mark."""
    live = course.current
    if live is None or live.latest is None:
        return not_asked_words(course), "unknown"
    if live.since_baseline is None:
        return "first score", "unknown"
    whose = f" with {live.label}" if live.label and live.verdict == "no clear change" else ""
    return f"{_short_verdict(live)}{whose}", mood(live.verdict)


def _short_verdict(live: Segment) -> str:
    since = live.judgement.since
    if live.verdict == "not known":
        return "change not judged"
    if live.verdict in ("better once", "worse once"):
        return f"{live.verdict}, not yet confirmed"
    return live.verdict if since is None else f"{live.verdict} since {since.day} {since:%b}"


def not_asked_words(course: Trajectory) -> str:
    """Say why there is no present score.

    A relationship that is over, or being single, is never a worsening.
    """
    if not course.not_applicable:
        return "no score yet" if course.empty else "no present score"
    reason = course.not_applicable[-1].reason
    return f"not asked while {reason}" if reason in ("single", "separated") else f"not asked: {reason}"


def value_words(course: Trajectory) -> tuple[str, str]:
    """Give the latest score and its signed change from the first of its segment; "" where there is none."""
    live = course.current
    if live is None or live.latest is None or live.latest.score is None:
        return "", ""
    change = live.since_baseline
    moved = (
        "" if change is None or not change.points else words.number(change.points, course.decimals, signed=True)
    )
    return words.number(live.latest.score, course.decimals), moved


def needed_words(course: Trajectory) -> str:
    """Say how many more scores would settle what is not clear yet."""
    live = course.current
    needed = None if live is None else live.judgement.sessions_needed
    if live is None or needed is None or live.judgement.is_clear:
        return ""
    return f"If the level stays where it is, about {words.count(needed, 'more score')} would settle it."


def heading_words(course: Trajectory) -> str:
    """Name an enlarged chart: what, with what, its range, and which way is better."""
    low, high = (words.number(end, course.decimals) for end in course.range)
    better = "higher" if course.higher_is_better else "lower"
    return f"{course.title} ({low} to {high}, {better} is better)"


def summary_row(course: Trajectory) -> SummaryRow:
    """Sum up the present state of one scale."""
    now = course.current
    latest = None if now is None else now.latest
    start_words, start_mood = _since_start(course)
    last_words, last_mood = _change(None if now is None else now.since_last)
    if latest is None or latest.score is None:
        latest_words = not_asked_words(course)
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


def origins(course: Trajectory) -> tuple[Origin, ...]:
    """Give the source of each line of a chart, in full: authors, year and DOI."""
    definition = instrument(course.instrument)
    scale = definition.scale(course.scale)
    lines: list[Origin] = []
    noise = next((segment.noise for segment in course.segments if segment.noise is not None), None)
    if noise is not None:
        keys: tuple[str | None, ...] = ()
        if noise.source.startswith(CLINIC):
            keys = ()
        elif scale.change_norm is not None:
            keys = (scale.change_norm.source, scale.change_norm.reliability_source)
        elif scale.change is not None:
            keys = (scale.change.source,)
        source = full_sources(definition, keys) or noise.source
        lines.append(Origin("Measurement error", noise.label, source, _doubt(noise.confidence)))
    for cutoff in course.cutoffs:
        key = scale.cutoff.source if scale.cutoff is not None else None
        source = full_sources(definition, (key,)) or cutoff.source
        label = f"{words.number(cutoff.value, course.decimals)}: {cutoff.label}"
        lines.append(Origin("Cutoff", label, source, _doubt(cutoff.confidence)))
    if scale.bands:
        label = ", ".join(f"{band.label} from {words.number(band.start, course.decimals)}" for band in scale.bands)
        band = scale.bands[0]
        lines.append(Origin("Severity", label, full_sources(definition, (band.source,)), _doubt(band.confidence)))
    for curve in course.curves[:1]:
        made_of = f"this clinic's own records ({words.count(curve.n_clients, 'client')})"
        lines.append(Origin("Expected from intake", "clients who began with this score", made_of, ""))
    if course.forecast is not None:
        made_of = f"the same model ({words.count(course.forecast.n_clients, 'client')})"
        label = f"{course.forecast.level:.0%} of single scores"
        lines.append(Origin("Likely end", label, made_of, ""))
    lines += [Origin("Goal", goal.label, "set with the client", "") for goal in course.goals]
    licence = definition.licence.statement
    source = full_sources(definition, (scale.source,))
    return (*lines, Origin("Questionnaire", f"{course.name}. {licence}", source, ""))


CLINIC = "this clinic"


def full_sources(definition: Instrument, keys: Sequence[str | None]) -> str:
    """Cite sources in full; one that the definition does not list is left out.

    Examples
    --------
    >>> "(2001)" in full_sources(instrument("phq9"), ("kroenke2001",))
    True
    """
    known = {source.key: source for source in definition.sources}
    chosen = [known[key] for key in dict.fromkeys(keys) if key in known]
    return "; ".join(
        source.citation
        + (f" https://doi.org/{source.doi}" if source.doi and source.doi not in source.citation else "")
        for source in chosen
    )


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
    entries = course.to_frame().to_dicts()
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
