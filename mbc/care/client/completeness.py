"""How regularly a questionnaire is answered, measured by the client's own rhythm."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from mbc.care.course.client_record import ClientRecord
from mbc.care.course.relationships import Timeline
from mbc.care.values.course import Occasion
from mbc.care.values.plan import ClientPlan
from mbc.care.values.review import Completeness
from mbc.care.words import count, day, span
from mbc.instruments import Instrument, applicable
from mbc.instruments.applicability import CURRENT
from mbc.instruments.short_names import short_name

_LEAST = 3  # occasions, before a rhythm can be estimated
_USUAL = 0.8  # share of intervals
_LATE = 1.5  # of the rhythm: later than that, an occasion was missed


def completeness_of(
    record: ClientRecord, instrument: Instrument, as_of: dt.date, plan: ClientPlan | None = None
) -> Completeness:
    """Count what was answered, left blank and missed, and what is due: by the plan where there is one."""
    occasions = record.of(instrument.key, instrument.main_scale.key)
    days = sorted({occasion.taken_on for occasion in occasions})
    rhythm = rhythm_of(days)
    applies = applies_on(record.timeline, instrument, as_of)
    missed = _missed(record, instrument, days, rhythm)
    due_on = days[-1] + dt.timedelta(days=rhythm) if applies and rhythm is not None else None
    completeness = Completeness(
        instrument=instrument.key,
        name=short_name(instrument.key),
        occasions=len(occasions),
        scored=sum(occasion.score is not None for occasion in occasions),
        blank_items=sum(_blanks(occasion) for occasion in occasions),
        rhythm_days=rhythm,
        last_on=days[-1],
        missed=missed,
        due_on=due_on,
        due=due_on is not None and due_on <= as_of,
        applicable=applies,
        words="",
    )
    if plan is None:
        return _with_words(completeness)
    planned = plan.of(instrument.key)
    if planned is None:
        return _with_words(replace(completeness, missed=0, due_on=None, due=False), "not in the plan")
    by_plan = replace(completeness, missed=planned.missed, due_on=planned.due_on, due=planned.is_due)
    return _with_words(by_plan, planned.words.partition(";")[0])


def _blanks(occasion: Occasion) -> int:
    if occasion.items is None or occasion.answered is None:
        return 0
    return occasion.items - occasion.answered


def _with_words(completeness: Completeness, planned: str | None = None) -> Completeness:
    parts = [f"{completeness.occasions} answered"]
    if completeness.scored < completeness.occasions:
        parts.append(f"{completeness.occasions - completeness.scored} with too few answers")
    if completeness.blank_items:
        parts.append(f"{count(completeness.blank_items, 'item')} left blank")
    if completeness.rhythm_days is not None:
        parts.append(f"usually within {span(completeness.rhythm_days)}")
    if completeness.missed:
        parts.append(f"{'' if planned else 'about '}{completeness.missed} missed")
    state = f"last on {day(completeness.last_on)}"
    if not completeness.applicable:
        state += ", not applicable now"
    elif planned is not None:
        state += f", {planned}"
    elif completeness.due:
        state += ", due"
    return replace(completeness, words=f"{'; '.join(parts)}; {state}.")


def rhythm_of(days: Sequence[dt.date]) -> int | None:
    """Give the interval that four in five of the client's own do not exceed; None with fewer than three days.

    Nobody is late by their usual pace.

    Examples
    --------
    >>> rhythm_of([dt.date(2026, 1, 5), dt.date(2026, 1, 12), dt.date(2026, 1, 26)])
    14
    """
    steps = sorted((b - a).days for a, b in pairwise(days))
    return steps[math.ceil(_USUAL * len(steps)) - 1] if len(days) >= _LEAST else None


def _missed(record: ClientRecord, instrument: Instrument, days: list[dt.date], rhythm: int | None) -> int:
    if not rhythm:
        return 0
    missed = 0
    for a, b in pairwise(days):
        excluded = [span for span in record.timeline.not_applicable(instrument, a, b) if span.start < b]
        silent = sum(((span.end or b) - span.start).days for span in excluded)
        waited = (b - a).days - silent
        if waited > _LATE * rhythm:
            missed += round(waited / rhythm) - 1
    return missed


def applies_on(timeline: Timeline, instrument: Instrument, day: dt.date) -> bool:
    """Whether a questionnaire applies to how the client lives on a day."""
    status = timeline.status_on(day)
    if not instrument.applicability.needs_relationship or not status:
        return True
    return status in CURRENT or applicable(instrument, "single")
