"""The state of a client, from all their scales: on track, watch, not on track, or no forecast, and why.

One scale alone says little: of clients flagged on any one scale a third were improving. So the client's progress
is averaged over their scales, in standard deviations of first scores, and compared with a quarter of one: the
least improvement that was counted as any in validation (docs/validation.md). A lasting clear worsening is flagged
with or without a forecast; a scale that is clearly better, or began too well to improve, is not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mbc.care.client.goals import known_scale
from mbc.care.values.course import OnTrack, Segment
from mbc.care.values.review import ClientState
from mbc.care.words import count, join_list, lower_first
from mbc.instruments import Scale
from mbc.instruments import instrument as load

LEAST_SCORES = 4  # on some scale, before anything is said of a client
UNIMPROVED = 0.15  # standard deviations; average progress below this is none
_LAST_TIME = 0.25  # and was already below this a session ago
_RECENT_WEEKS = 3.0  # the weight of a score falls to 1/e in this time before the latest
_MOST_WEIGHT = 8  # scores: more make a scale no more certain
_LEAST_ROOM = 0.4  # share of scales on which a client began where improvement was to be wished
_ON_GOAL = 2.0  # weight of a scale that a goal is set on
FLAG_IS_RIGHT = "correct for about nine in ten simulated clients"


@dataclass(frozen=True, slots=True)
class ScaleCourse:
    """One scale of a client's present care, as far as their state depends on it."""

    scale: Scale
    segment: Segment  # the current one, judged
    spread: float | None  # standard deviation of clients' first scores, scale points; None where not known
    forecast: OnTrack = "insufficient data"
    on_goal: bool = False  # whether a goal of the client's is set on it

    @property
    def name(self) -> str:
        """What it measures, inside a sentence: "self-esteem"."""
        return lower_first(self.scale.title)


def goal_scales(goals: Iterable[Mapping[str, object]]) -> frozenset[str]:
    """Name the scales that goals still kept are set on, as "rses.total".

    Parameters
    ----------
    goals : iterable of mapping
        Rows of the record's goals.
    """
    names: set[str] = set()
    for row in goals:
        name = known_scale(str(row["scale"])) if row["scale"] is not None else None
        if name is None or row["retired_on"] is not None:
            continue
        key, _, scale = name.partition(".")
        names.add(f"{key}.{load(key).scale(scale or None).key}")
    return frozenset(names)


def client_state(courses: Sequence[ScaleCourse], *, why_none: str = "") -> ClientState:
    """Say whether a client is on track.

    Parameters
    ----------
    courses : sequence of ScaleCourse
        Scales that apply now, each with its current segment.
    why_none : str
        What to say where no scale has a current segment.

    Returns
    -------
    ClientState
        Reasons in words, the most important first. ``progress`` is the average change for the better since the
        start, in standard deviations of first scores; None where none could be averaged.
    """
    longest = max((_scored(course.segment) for course in courses), default=0)
    if longest < LEAST_SCORES:
        few = why_none or f"{count(longest, 'score')} so far; a state needs {LEAST_SCORES} on at least one scale"
        return ClientState("no forecast", (few,), None, len(courses))
    progress = _progress(courses, back=0)
    worse = [course for course in courses if course.segment.verdict == "clearly worse"]
    better = [course for course in courses if course.segment.verdict == "clearly better"]
    state = ClientState("on track", (), progress, len(courses))
    reasons = [_worse(course) for course in sorted(worse, key=lambda course: -course.segment.judgement.in_a_row)]
    stuck = _unimproved(courses, progress)
    if stuck and progress is not None:
        reasons.append(_stuck_words(courses, progress))
    doubtful = [course for course in courses if _is_doubtful(course)]
    if (worse and not better) or stuck:
        return replace(state, state="not on track", reasons=tuple(reasons))
    if doubtful:
        reasons.append(f"forecast not on track: {join_list([course.name for course in doubtful])}")
    once = [course.name for course in courses if course.segment.verdict == "worse once"]
    if once:
        reasons.append(f"worse once, not yet confirmed: {join_list(once)}")
    if worse or (doubtful and (progress is None or progress < 2 * _LAST_TIME)):
        return replace(state, state="watch", reasons=tuple(reasons))
    if progress is None:
        unknown = "too few clients on record for comparison"
        return replace(state, state="no forecast", reasons=(*reasons, unknown))
    return replace(state, reasons=tuple(reasons) if once else ())


def _unimproved(courses: Sequence[ScaleCourse], progress: float | None) -> bool:
    """Whether average progress is none, now and a session ago, and there was room for it."""
    if progress is None or progress >= UNIMPROVED:
        return False
    before = _progress(courses, back=1)
    if before is not None and before >= _LAST_TIME:
        return False
    return sum(_has_room(course) for course in courses) >= _LEAST_ROOM * len(courses)


def _progress(courses: Sequence[ScaleCourse], *, back: int) -> float | None:
    """Average change for the better since the start, without the scores of the latest day where ``back`` is 1."""
    latest = max(course.segment.occasions[-1].taken_on for course in courses)
    total = weights = 0.0
    for course in courses:
        if not course.spread:
            continue
        known = [
            (occasion.taken_on, occasion.score)
            for occasion in course.segment.occasions
            if occasion.score is not None and not (back and occasion.taken_on == latest)
        ]
        if len(known) < 2:
            continue
        last = known[-1][0]
        parts = [math.exp(-(last - day).days / 7.0 / _RECENT_WEEKS) for day, _ in known]
        level = sum(part * score for part, (_, score) in zip(parts, known, strict=True)) / sum(parts)
        change = (level - known[0][1]) / course.spread
        weight = min(len(known), _MOST_WEIGHT) * (_ON_GOAL if course.on_goal else 1.0)
        total += weight * (change if course.scale.higher_is_better else -change)
        weights += weight
    return round(total / weights, 6) if weights else None  # the order of the scales leaves no trace


def _has_room(course: ScaleCourse) -> bool:
    """Whether the client began where improvement was to be wished."""
    first = course.segment.baseline
    if first is None or first.score is None:
        return True
    if course.scale.cutoff is not None:
        return course.scale.cutoff.distressed(first.score)
    best = course.scale.range[1] if course.scale.higher_is_better else course.scale.range[0]
    return course.spread is None or abs(best - first.score) >= course.spread


def _is_doubtful(course: ScaleCourse) -> bool:
    """Whether a scale's own forecast asks to be watched: not where it is clearly better, or has no room."""
    return (
        course.forecast == "not on track"
        and course.segment.verdict not in ("clearly better", "clearly worse")
        and _has_room(course)
    )


def _scored(segment: Segment) -> int:
    return sum(occasion.score is not None for occasion in segment.occasions)


def _worse(course: ScaleCourse) -> str:
    run = course.segment.judgement.in_a_row
    return f"{course.name} clearly worse" + (f" ({run} in a row)" if run > 1 else "")


def _stuck_words(courses: Sequence[ScaleCourse], progress: float) -> str:
    over = f"on average over {count(len(courses), 'measure')}" if len(courses) > 1 else f"of {courses[0].name}"
    return f"worse than at the start {over}" if progress < -UNIMPROVED else f"no improvement {over}"
