"""What each relationship went with: satisfaction in it, and how the client's own side changed meanwhile.

Growth and satisfaction are two things: a client may grow while a relationship gets no better, and be content
without growing. Each relationship is described by both; nothing here advises to stay or to leave.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mbc.care.course.noise import Noise, change_between, noise_of
from mbc.care.course.relationships import Timeline, is_current
from mbc.care.course.segments import segment_of
from mbc.care.course.verdicts import judged
from mbc.care.values.course import Change, Occasion, Trajectory, Verdict
from mbc.care.values.review import ClientReview
from mbc.instruments import Scale
from mbc.instruments import instrument as load

SATISFACTION = "relationship_satisfaction"
OWN_SIDE = ("self_esteem", "attachment")  # constructs of the client's own, the first that was measured is used

Story = Literal[
    "growing in it",
    "growth without satisfaction",
    "satisfaction without growth",
    "losing ground",
    "no clear change",
    "not known",
]
STORIES: dict[Story, str] = {
    "growing in it": "own side better, satisfaction not worse",
    "growth without satisfaction": "own side better, satisfaction worse",
    "satisfaction without growth": "satisfaction better, own side not",
    "losing ground": "own side or satisfaction worse, neither better",
    "no clear change": "neither clearly changed",
    "not known": "too few scores in this relationship",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """First and last score of one scale during one relationship."""

    measure: str  # "self-esteem"
    change: Change
    verdict: Verdict  # from all scores during the relationship, by the rule of the page
    improvement: float | None  # in multiples of what measurement error alone explains; above 1 is clear
    decimals: int


@dataclass(frozen=True, slots=True)
class RelationshipPattern:
    """One relationship, in care."""

    label: str  # "R1"
    began: dt.date
    ended: dt.date | None
    status: str  # the latest
    satisfaction: Comparison | None
    own_side: Comparison | None
    attachment_anxiety: Comparison | None
    story: Story


def relationship_patterns(review: ClientReview) -> tuple[RelationshipPattern, ...]:
    """Describe every relationship in which anything was measured, oldest first.

    Parameters
    ----------
    review : ClientReview
        From `mbc.care.client_review`.
    """
    by_relationship: dict[str, list[int]] = {}
    for i, period in enumerate(review.timeline):
        if period.relationship_id is not None:
            by_relationship.setdefault(period.relationship_id, []).append(i)
    patterns: list[RelationshipPattern] = []
    for relationship, places in by_relationship.items():
        periods = [review.timeline[i] for i in places]
        ended = None if is_current(periods[-1]) else periods[-1].since
        began = periods[0].since
        satisfaction = _of_target(review, relationship)
        own = _during(_first(review, OWN_SIDE), began, ended)
        anxiety = _during(_scale(review, "attachment", "anxiety"), began, ended)
        if satisfaction is None and own is None and anxiety is None:
            continue
        patterns.append(
            RelationshipPattern(
                label=periods[0].label,
                began=began,
                ended=ended,
                status=periods[-1].status,
                satisfaction=satisfaction,
                own_side=own,
                attachment_anxiety=anxiety,
                story=story_of(own, satisfaction),
            )
        )
    return tuple(patterns)


def story_of(own: Comparison | None, satisfaction: Comparison | None) -> Story:
    """Name the quadrant; changes within measurement error count as none."""
    if own is None or satisfaction is None or own.improvement is None or satisfaction.improvement is None:
        return "not known"
    own_change, satisfaction_change = _side(own), _side(satisfaction)
    if own_change > 0:
        return "growth without satisfaction" if satisfaction_change < 0 else "growing in it"
    if satisfaction_change > 0:
        return "satisfaction without growth"
    return "losing ground" if own_change < 0 or satisfaction_change < 0 else "no clear change"


def _side(comparison: Comparison) -> int:
    match comparison.verdict:
        case "clearly better":
            return 1
        case "clearly worse":
            return -1
        case _:
            return 0


def _noise(course: Trajectory) -> Noise | None:
    """Give the measurement error that the course itself was judged by: published, or the clinic's own."""
    band = next((segment.noise for segment in course.segments if segment.noise is not None), None)
    if band is None:
        return None
    instrument = load(course.instrument)
    published = noise_of(instrument, instrument.scale(course.scale))
    if published is not None and published.threshold == band.threshold:
        return published
    return Noise(band.threshold, inclusive=False, label=band.label, source=band.source, confidence=band.confidence)


def _first(review: ClientReview, constructs: Sequence[str]) -> Trajectory | None:
    return next(
        (course for construct in constructs for course in review.trajectories if course.construct == construct),
        None,
    )


def _scale(review: ClientReview, construct: str, scale: str) -> Trajectory | None:
    chosen = (course for course in review.trajectories if (course.construct, course.scale) == (construct, scale))
    return next(chosen, None)


def _of_target(review: ClientReview, relationship: str) -> Comparison | None:
    for course in review.trajectories:
        if course.construct != SATISFACTION:
            continue
        for segment in course.segments:
            if segment.target == relationship:
                return _compared(course, segment.occasions)
    return None


def _during(course: Trajectory | None, began: dt.date, ended: dt.date | None) -> Comparison | None:
    if course is None:
        return None
    last = ended or dt.date.max
    return _compared(course, [occasion for occasion in course.occasions if began <= occasion.taken_on <= last])


def _compared(course: Trajectory, occasions: Sequence[Occasion]) -> Comparison | None:
    known = [occasion for occasion in occasions if occasion.score is not None]
    if len(known) < 2:
        return None
    noise = _noise(course)
    change = change_between(
        known[0], known[-1], noise, higher_is_better=course.higher_is_better, decimals=course.decimals
    )
    if change is None:
        return None
    better = change.points if course.higher_is_better else -change.points
    size = None if change.threshold is None else better / change.threshold
    scale = load(course.instrument).scale(course.scale)
    return Comparison(course.measure, change, _verdict(course, known, scale, noise), size, course.decimals)


def _verdict(course: Trajectory, known: Sequence[Occasion], scale: Scale, noise: Noise | None) -> Verdict:
    """Judge some scores of a course: those of a whole segment were judged already."""
    numbers = [occasion.administration_id for occasion in known]
    for segment in course.segments:
        if numbers == [each.administration_id for each in segment.occasions if each.score is not None]:
            return segment.verdict
    during = segment_of(known[0].target, known, scale, Timeline(), noise, related=False)
    return judged([during], scale, noise)[0].verdict
