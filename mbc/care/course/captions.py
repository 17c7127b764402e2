"""A course in plain sentences that a clinician can read aloud: what changed clearly, and what is missing.

Never alarmist: a single clearly worse score is "one questionnaire so far". Never only first to last: the range of
the scores between them is always given. Nothing of the safety channel: a trajectory does not contain it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from mbc.care import words
from mbc.care.values.course import CutoffLine, Occasion, Segment, Span, Trajectory
from mbc.care.words import count, day, join_list, number, sentence

_MOST_GROWTH = 4


def caption(course: Trajectory) -> str:
    """Put a course into words: first what a clinician needs in two minutes, then everything else.

    Parameters
    ----------
    course : Trajectory
        Its own ``summary`` and ``caption`` are not read.
    """
    return " ".join(part for part in (summary(course), details(course)) if part)


def summary(course: Trajectory) -> str:
    """Say where the client stands and how they came there, in one or two sentences."""
    live = course.current
    if live is not None:
        return _joined(_verdict(course, live))
    closed = [_closed(course, segment) for segment in course.segments[-1:]]
    return _joined([*(closed or [_opening(course)]), _not_applicable(course)])


def details(course: Trajectory) -> str:
    """Say the rest: how many answered, what lay in between, cutoff, expectation, gaps and doubts."""
    live = course.current
    parts = [_opening(course), _earlier(course)] if course.segments else [_earlier(course)]
    summarised = course.segments[-1:] if live is None else ()
    for segment in course.segments:
        if segment is live:
            parts += _about(course, segment)
        elif segment not in summarised:
            parts.append(_closed(course, segment))
    parts += [_gaps(course), "" if live is None else _not_applicable(course)]
    parts += [_set_aside(course), _growth(course), _doubts(course)]
    return _joined(parts)


def _joined(parts: Iterable[str]) -> str:
    return " ".join(sentence(part) for part in parts if part)


def _opening(course: Trajectory) -> str:
    occasions = course.occasions
    if not occasions:
        return f"{course.title}: no answers on record"
    first, last = occasions[0].taken_on, occasions[-1].taken_on
    when = f"on {day(first)}" if first == last else f"from {_on(course, first)} to {day(last)}"
    notes = [
        (sum(occasion.score is None for occasion in occasions), "had too few answers for a score"),
        (sum(occasion.prorated for occasion in occasions), "prorated"),
        (sum(occasion.recorded for occasion in occasions), "known only as a total"),
    ]
    remarks = join_list([f"{amount} {note}" for amount, note in notes if amount])
    if all(occasion.answered == occasion.items is not None for occasion in occasions):
        remarks = "every item answered"
    return f"{course.title}, {count(len(occasions), 'occasion')} {when}" + (f"; {remarks}" if remarks else "")


def _earlier(course: Trajectory) -> str:
    known = [
        occasion for segment in course.earlier for occasion in segment.occasions if occasion.score is not None
    ]
    if not known:
        return ""
    known.sort(key=lambda occasion: occasion.taken_on)
    scores = [occasion.score or 0.0 for occasion in known]
    low, high = number(min(scores), course.decimals), number(max(scores), course.decimals)
    ran = f"a score of {low}" if low == high else f"scores from {low} to {high}"
    last = day(known[-1].taken_on)
    return f"In earlier care, until {last}: {ran} on {count(len(known), 'occasion')}, not drawn and not compared"


def _verdict(course: Trajectory, segment: Segment) -> list[str]:
    """Describe the change in the segment that is still open: where from, where to, clear or not, and its shape."""
    known = [occasion for occasion in segment.occasions if occasion.score is not None]
    whose = f"With {segment.label}: " if segment.label else ""
    if len(known) == 1:
        return [f"{whose}one score so far, {_at(course, known[0])}; change is judged from the second score on"]
    if segment.since_baseline is None:
        return []
    ends = f"from {_at(course, known[0])} to {_at(course, known[-1])}"
    return [f"{whose}{ends}: {verdict_words(course, segment)}", _shape(course, segment)]


def verdict_words(course: Trajectory, segment: Segment) -> str:
    """Put the verdict into words, with since when it has stood, or what it lacks."""
    judgement = segment.judgement
    since = "" if judgement.since is None else f" since {_on(course, judgement.since)}"
    match segment.verdict:
        case "clearly better":
            return f"clearly better{since}"
        case "clearly worse":
            run = judgement.in_a_row
            return f"clearly worse{since}" + (f", {run} questionnaires in a row" if run > 1 else "")
        case "better once":
            return "better once, not yet confirmed"
        case "worse once":
            return "worse once, not yet confirmed: look again next time"
        case "no clear change":
            return "no clear change"
        case "not known":
            return "measurement error is not known, so change is not judged"


def _shape(course: Trajectory, segment: Segment) -> str:
    """Name what lay between the ends: the deepest setback, the largest sudden gain, else a plateau."""
    parts: list[str] = []
    shape = segment.shape
    if shape.setbacks:
        setback = max(shape.setbacks, key=lambda setback: abs(setback.best - setback.lowest))
        best, lowest = number(setback.best, course.decimals), number(setback.lowest, course.decimals)
        worse = "fell" if course.higher_is_better else "rose"
        after = _after(course, setback.best_on, setback.lowest_on)
        regained = "not yet regained" if setback.regained_on is None else f"regained by {setback.regained_on:%B}"
        parts.append(f"{worse} from {best} to {lowest}{after} by {_on(course, setback.lowest_on)}, {regained}")
    if shape.jumps:
        jump = max(shape.jumps, key=lambda jump: jump.points)
        parts.append(
            f"sudden gain of {words.points(jump.points, course.decimals)} by {_on(course, jump.after_on)}"
        )
    if not parts and shape.plateau is not None and segment.verdict != "no clear change":
        first, last = shape.plateau
        parts.append(f"level from {_on(course, first)} to {_on(course, last)}")
    return "; ".join(parts)


def _after(course: Trajectory, first: dt.date, last: dt.date) -> str:
    """Name the last hard event or change of status in some days: what a setback came after."""
    marks = [mark for mark in course.marks if first <= mark.on <= last and mark.valence != "growth"]
    hard = [mark for mark in marks if mark.valence == "hard"] or [mark for mark in marks if mark.kind == "status"]
    return f" after '{hard[-1].label}'" if hard else ""


def _about(course: Trajectory, segment: Segment) -> list[str]:
    """Say what else there is to know of the segment that is still open."""
    known = [occasion for occasion in segment.occasions if occasion.score is not None]
    between = _between(course, known) if segment.since_baseline is not None else ""
    return [
        _needed(segment),
        _index(course, segment),
        _since_last(course, segment),
        _chance(segment),
        between,
        _cutoff(course, known[0], known[-1]),
        _against_expected(course, segment, known[-1]),
        course.outlook or course.no_forecast_words,
        *(_goal(course, goal.label, goal.value, known[-1]) for goal in course.goals if goal.until is None),
    ]


def _needed(segment: Segment) -> str:
    """Say how many further scores it takes to tell."""
    needed = segment.judgement.sessions_needed
    if segment.verdict not in ("no clear change", "better once", "worse once"):
        return ""
    if needed is None:
        return ""
    return f"At the current level, about {count(needed, 'more score')} would be needed to tell"


def _index(course: Trajectory, segment: Segment) -> str:
    """Name the reliable change index, which compares the first score and the latest alone."""
    change = segment.since_baseline
    if change is None or change.threshold is None:
        return ""
    limit = words.points(change.threshold, max(course.decimals, 1))
    return f"Latest score compared with the first score only: {change.words} (limit {limit})"


def _chance(segment: Segment) -> str:
    """Say how likely it is that the true level is better than at the start, from all scores."""
    p_better = segment.judgement.p_better
    if p_better is None:
        return ""
    likely, side = (p_better, "better") if p_better >= 0.5 else (1 - p_better, "worse")
    percent = "more than 99" if likely > 0.99 else f"about {100 * likely:.0f}"
    return f"Based on all scores, the probability that the true level is {side} than at the start is {percent} %"


def _on(course: Trajectory, when: dt.date) -> str:
    # The year is said once, with the last day; other days only need theirs when it differs.
    last = course.window[1] if course.window else course.occasions[-1].taken_on
    return day(when, year=when.year != last.year)


def _at(course: Trajectory, occasion: Occasion) -> str:
    note = ""
    if occasion.recorded:
        note = " (a recorded total)"
    elif occasion.answered != occasion.items:
        note = f" ({occasion.answered} of {occasion.items} items answered)"
    return f"{number(occasion.score or 0, course.decimals)} on {_on(course, occasion.taken_on)}{note}"


def _between(course: Trajectory, known: Sequence[Occasion]) -> str:
    later = known[1:]
    scores = [occasion.score or 0.0 for occasion in known]
    low, high = number(min(scores), course.decimals), number(max(scores), course.decimals)
    reach = f"Scores ranged from {low} to {high}" if len(known) > 2 else ""
    judged = [occasion for occasion in later if occasion.inside_noise is not None]
    if len(judged) < 2:
        return reach
    inside = sum(bool(occasion.inside_noise) for occasion in judged)
    which = "all" if inside == len(judged) else "none" if inside == 0 else f"{inside}"
    tail = f"{which} of the {len(judged)} scores after the first showed no clear change from it"
    return f"{reach}; {tail}"


def _since_last(course: Trajectory, segment: Segment) -> str:
    change = segment.since_last
    if change is None or (segment.baseline and change.before_on == segment.baseline.taken_on):
        return ""
    return f"Since the previous questionnaire ({_on(course, change.before_on)}): {change.words}"


def _cutoff(course: Trajectory, first: Occasion, latest: Occasion) -> str:
    if not course.cutoffs or latest.score is None or first.score is None:
        return ""
    if any(occasion.maximum is not None and occasion.maximum < course.range[1] for occasion in (first, latest)):
        return "The cutoff is for the full questionnaire, and some of its items do not apply"
    line = course.cutoffs[0]
    sides = {"<": "below", "<=": "at or below", ">": "above", ">=": "at or above"}
    marked = f"the range '{line.label}' ({sides[line.side]} {number(line.value, course.decimals)})"
    was, is_now = _distressed(line, first.score), _distressed(line, latest.score)
    if first is latest or was == is_now:
        return f"{'The' if first is latest else 'As at the start, the latest'} score is {_where(is_now)} {marked}"
    return f"The first score was {_where(was)} {marked}; the latest is {_where(is_now)} it"


def _where(inside: bool) -> str:  # noqa: FBT001 - reads as a word
    return "inside" if inside else "outside"


def _distressed(line: CutoffLine, score: float) -> bool:
    beyond = {
        "<": score < line.value,
        "<=": score <= line.value,
        ">": score > line.value,
        ">=": score >= line.value,
    }
    return beyond[line.side]


def _against_expected(course: Trajectory, segment: Segment, latest: Occasion) -> str:
    curve = next((curve for curve in course.curves if curve.target == segment.target), None)
    band = None if curve is None else curve.at(latest.taken_on)
    if curve is None or band is None or latest.score is None:
        return ""
    _, low, high = band
    if low <= latest.score <= high:
        place = "within the range"
    else:
        place = "better than" if (latest.score > high) == course.higher_is_better else "worse than"
    reach = f"{number(low, course.decimals)} to {number(high, course.decimals)}"
    return f"{place.capitalize()} expected of clients who began with this score ({reach})"


def _goal(course: Trajectory, label: str, value: float, latest: Occasion) -> str:
    if latest.score is None:
        return ""
    left = value - latest.score if course.higher_is_better else latest.score - value
    place = "reached" if left <= 0 else f"{words.points(left, course.decimals)} to go"
    return f"Goal '{label}' ({number(value, course.decimals)}): {place}"


def _closed(course: Trajectory, segment: Segment) -> str:
    """Say, in one sentence, how a segment went that is no longer the current one."""
    known = [occasion for occasion in segment.occasions if occasion.score is not None]
    if not known:
        return ""
    scores = [occasion.score or 0.0 for occasion in known]
    low, high = number(min(scores), course.decimals), number(max(scores), course.decimals)
    ran = f"a score of {low}" if low == high else f"scores from {low} to {high}"
    name = f"With {segment.label}" if segment.label else "Where no relationship was recorded"
    when = f"{_on(course, known[0].taken_on)} to {_on(course, known[-1].taken_on)}"
    text = f"{name}: {ran} on {count(len(known), 'occasion')}, {when}"
    if segment.ended_on is None:
        return text
    return f"{text}; the line stops there because that relationship ended on {_on(course, segment.ended_on)}"


def _gaps(course: Trajectory) -> str:
    if not course.gaps:
        return ""
    spans = [f"{_on(course, span.start)} to {_on(course, span.end)}" for span in course.gaps if span.end]
    return f"No answers from {join_list(spans)}"


def _not_applicable(course: Trajectory) -> str:
    if not course.not_applicable:
        return ""
    last = course.window[1] if course.window else None
    parts = [_while(course, span, last=last is not None and span.end == last) for span in course.not_applicable]
    return f"Not asked {join_list(parts)}; this is not a worsening"


def _while(course: Trajectory, span: Span, *, last: bool) -> str:
    state = "after the separation" if span.reason == "separated" else span.reason
    state = "after the relationship ended" if span.reason == "ended" else state
    state = state if state.startswith("after") else f"while {state}"
    if span.end is None or last:
        return f"{state} (since {_on(course, span.start)})"
    return f"{state} ({_on(course, span.start)} to {_on(course, span.end)})"


def _set_aside(course: Trajectory) -> str:
    if not course.set_aside:
        return ""
    return f"{count(len(course.set_aside), 'questionnaire')} answered in that period not counted"


def _growth(course: Trajectory) -> str:
    marks = [mark for mark in course.marks if mark.valence == "growth"]
    items = [f"{mark.label} ({_on(course, mark.on)})" for mark in marks[-_MOST_GROWTH:]]
    more = f"; and {len(marks) - _MOST_GROWTH} earlier" if len(marks) > _MOST_GROWTH else ""
    return f"Recorded as growth: {'; '.join(items)}{more}" if items else ""


def _doubts(course: Trajectory) -> str:
    doubts: list[str] = []
    if any(segment.noise is not None and not segment.noise.verified for segment in course.segments):
        doubts.append("noise band")
    if any(not line.verified for line in course.cutoffs):
        doubts.append("cutoff")
    text = f"Not verified at the source: {join_list(doubts)}" if doubts else ""
    if course.current is not None and course.current.since_baseline is not None and course.current.noise is None:
        text = "The measurement error of this scale is not known, so change cannot be judged" + (
            f". {text}" if text else ""
        )
    return text
