"""The words of one client's review, for the page, for paper and for the command line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mbc.care import words
from mbc.care.client.state import FLAG_IS_RIGHT
from mbc.care.course.captions import verdict_words
from mbc.care.forecast.clinic_models import NOT_YET
from mbc.care.values.course import VALENCE_NOTES, Change, Mark, Segment, Trajectory, Verdict
from mbc.care.values.review import ClientReview, GoalProgress, StatusPeriod
from mbc.care.words import day_words


def facts(review: ClientReview, *, reader: str | None = None) -> str:
    """Describe who this is and on which day it is read, in a line.

    Parameters
    ----------
    review : ClientReview
    reader : str, optional
        The clinician who reads it, who need not be told that the client is theirs.
    """
    parts = [review.client_id] if review.alias else []
    parts += [review.relationship] if review.relationship else []
    parts += [f"session {review.last_session_number}"] if review.last_session_number else []
    parts += [review.clinician] if review.clinician and review.clinician_id != reader else []
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
    """Say how far the goals are, what is due today, which homework is open, and how the alliance is."""
    parts = [goals_words(review.goals)] if review.goals else []
    if review.closed is None:
        parts += [f"Due today: {words.join_list(review.due)}"] if review.due else []
        waiting = sum(mark.waiting for mark in review.strips)
        parts += [f"Homework: {waiting} open"] if waiting else []
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


def verdict_line(course: Trajectory) -> tuple[str, Verdict | None]:
    """Give the verdict of a measure in a few words, and the verdict itself where there is one."""
    live = course.current
    if live is None or live.latest is None:
        return not_asked_words(course), None
    if live.since_baseline is None:
        return "first score", None
    whose = f" with {live.label}" if live.label and live.verdict == "no clear change" else ""
    return f"{_short_verdict(live)}{whose}", live.verdict


def _short_verdict(live: Segment) -> str:
    since = live.judgement.since
    if live.verdict == "not known":
        return "change not judged"
    return live.verdict if since is None else f"{live.verdict} since {since.day} {since:%b}"


def not_asked_words(course: Trajectory) -> str:
    """Say why there is no current score.

    A relationship that is over, or being single, is never a worsening.
    """
    if not course.not_applicable:
        return "no score yet" if course.empty else "no current score"
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


def not_yet_words(courses: Iterable[Trajectory]) -> str:
    """Say that the clinic's model is still to be made; "" where it is there, or cannot be had."""
    return next((reason for course in courses if (reason := course.no_forecast) in NOT_YET.values()), "")


def needed_words(course: Trajectory) -> str:
    """Say how many more scores would settle what is not clear yet."""
    live = course.current
    needed = None if live is None else live.judgement.sessions_needed
    if live is None or needed is None or live.judgement.is_clear:
        return ""
    return f"At the current level, about {words.count(needed, 'more score')} would be needed to tell."


def heading_words(course: Trajectory) -> str:
    """Name an enlarged chart: what, with what, its range, and which way is better."""
    low, high = (words.number(end, course.decimals) for end in course.range)
    better = "higher" if course.higher_is_better else "lower"
    return f"{course.title} ({low} to {high}, {better} is better)"


def latest_words(course: Trajectory) -> str:
    """Give the latest score and its day, or why there is none."""
    now = course.current
    latest = None if now is None else now.latest
    if latest is None or latest.score is None:
        return not_asked_words(course)
    return f"{words.number(latest.score, course.decimals)} on {day_words(latest.taken_on)}"


def since_start(course: Trajectory) -> tuple[str, Verdict | None]:
    """Give the verdict from all scores, as the caption words it."""
    now = course.current
    if now is None or now.since_baseline is None:
        return "", None
    return verdict_words(course, now), now.verdict


def since_last_time(course: Trajectory) -> tuple[str, Verdict | None]:
    """Word the change from the previous questionnaire in one line; the caption has the details."""
    change = None if course.current is None else course.current.since_last
    return ("", None) if change is None else (_change_words(change), change.verdict)


def _change_words(change: Change) -> str:
    unknown = ", measurement error unknown" if change.verdict == "not known" and change.points else ""
    return f"{change.words}{unknown}"


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


def mark_words(mark: Mark) -> str:
    """Describe what a mark stands for.

    Examples
    --------
    >>> import datetime as dt
    >>> mark_words(Mark(dt.date(2026, 2, 16), "event", "Ended R1", "growth", "A"))
    '16 Feb 2026: Ended R1 (growth)'
    """
    note = "" if mark.kind == "status" else VALENCE_NOTES[mark.valence]
    return f"{day_words(mark.on)}: {mark.label}{note}"
