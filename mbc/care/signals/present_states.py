"""Which states of a client ask for attention now, each with what it was worked out from.

Three are signals: a client who is not on track, a scale that is clearly worse while others are better, and an
alliance that fell clearly since last time. Whoever is to be watched is a quiet mark on the worklist, and asks
nothing. All of it comes from the care channel: answers of the safety channel have flags of their own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from hashlib import blake2b

from mbc import __version__
from mbc.care.client.trajectory import Cohort
from mbc.care.course.charted_scales import ALLIANCE
from mbc.care.forecast.clinic_models import CohortModels
from mbc.care.values.course import Segment, Trajectory
from mbc.care.values.review import ClientReview
from mbc.care.words import count, number
from mbc.instruments import instrument as load
from mbc.store import Signal

NOT_ON_TRACK, CLEARLY_WORSE, ALLIANCE_FELL = "not on track", "clearly worse", "alliance fell"
_LONGEST = 480  # characters of the inputs


def standing_signals(review: ClientReview, cohort: Cohort | None = None) -> tuple[Signal, ...]:
    """Give the states that ask for attention on the day of a review, the most important first.

    Parameters
    ----------
    review : ClientReview
        From :func:`mbc.care.client_review`.
    cohort : CohortModel or CohortModels, optional
        What the review was made with: the signal names it.
    """
    if review.closed is not None:
        return ()
    return tuple(_standing(review, cohort))


def _standing(review: ClientReview, cohort: Cohort | None) -> Iterator[Signal]:
    live = [(course, segment) for course, segment in _live(review) if course.construct != ALLIANCE]
    if review.state.state == NOT_ON_TRACK:
        moves = [_move(course, segment) for course, segment in live]
        inputs = "; ".join([*review.state.reasons, *moves])
        yield _signal(review, NOT_ON_TRACK, inputs, [course for course, _ in live], cohort)
    else:
        worse = [pair for pair in live if pair[1].verdict == CLEARLY_WORSE]
        for course, segment in sorted(worse, key=lambda pair: -pair[1].judgement.in_a_row):
            yield _signal(review, CLEARLY_WORSE, _move(course, segment), [course], cohort, course)
    for course, segment in _live(review):
        last = segment.since_last
        if course.construct == ALLIANCE and last is not None and last.verdict == CLEARLY_WORSE:
            inputs = f"{course.instrument}.{course.scale} {last.words}, {last.before_on} to {last.after_on}"
            yield _signal(review, ALLIANCE_FELL, inputs, [course], cohort, course)


def _live(review: ClientReview) -> list[tuple[Trajectory, Segment]]:
    """Give the scales that apply now, with their current segment."""
    return [
        (course, course.current)
        for course in review.trajectories
        if course.current is not None and not any(span.end is None for span in course.not_applicable)
    ]


def _move(course: Trajectory, segment: Segment) -> str:
    scored = [occasion for occasion in segment.occasions if occasion.score is not None]
    first, last = scored[0], scored[-1]
    before, after = (number(occasion.score or 0.0, course.decimals) for occasion in (first, last))
    return (
        f"{course.instrument}.{course.scale} {before} to {after}, {first.taken_on} to {last.taken_on}, "
        f"{count(len(scored), 'score')}: {segment.verdict}"
    )


def _signal(
    review: ClientReview,
    state: str,
    inputs: str,
    courses: list[Trajectory],
    cohort: Cohort | None,
    about: Trajectory | None = None,
) -> Signal:
    instrument, scale = (None, None) if about is None else (about.instrument, about.scale)
    return Signal(
        signal_id=signal_number(review.client_id, state, instrument, scale, review.as_of),
        client_id=review.client_id,
        raised_on=review.as_of,
        state=state,
        inputs=inputs if len(inputs) <= _LONGEST else f"{inputs[:_LONGEST]} ...",
        instrument=instrument,
        scale=scale,
        model=_model_words(courses, cohort),
        version=f"mbc {__version__}",
    )


def signal_number(client_id: str, state: str, instrument: str | None, scale: str | None, on: dt.date) -> str:
    """Name a signal, so that two who note it at once note one and the same.

    Examples
    --------
    >>> signal_number("C001", "not on track", None, None, dt.date(2026, 3, 2))
    'S-8f8392292756f72a'
    """
    content = "\n".join((client_id, state, instrument or "", scale or "", on.isoformat()))
    return f"S-{blake2b(content.encode(), digest_size=8, person=b'signal').hexdigest()}"


def _model_words(courses: list[Trajectory], cohort: Cohort | None) -> str:
    """Name what the state was worked out with: published figures, or the clinic's own models and their days."""
    if not isinstance(cohort, CohortModels):
        return "published measurement errors and spreads"
    days = {
        day.isoformat()
        for course in courses
        if (day := cohort.made_on(load(course.instrument), load(course.instrument).scale(course.scale)))
    }
    return f"clinic models made {', '.join(sorted(days))}" if days else "published measurement errors and spreads"
