"""The states of clients on days that have passed, from what was on record of them by then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from mbc.care.client.review import spread_of
from mbc.care.client.state import ScaleCourse, client_state, goal_scales
from mbc.care.client.trajectory import Cohort
from mbc.care.clinic.clinic_data import ClinicData
from mbc.care.course.charted_scales import shows_progress
from mbc.care.course.current_episode import present_since
from mbc.care.course.segments import split
from mbc.care.course.verdicts import judged
from mbc.care.values.course import Occasion, Segment
from mbc.care.values.review import ClientState

_DAY = dt.timedelta(days=1)
ClientDay = tuple[str, dt.date]


def past_states(
    data: ClinicData, client_days: Sequence[ClientDay], cohort: Cohort | None = None
) -> dict[ClientDay, ClientState]:
    """Judge clients as they would have been judged on a day: without the scores that came later, and no forecast.

    Parameters
    ----------
    data : ClinicData
        From :func:`mbc.care.clinic.clinic_data.read_clinic`.
    client_days : sequence of (str, date)
    cohort : CohortModel or CohortModels, optional
        For spreads and measurement errors.
    """
    wanted = list(dict.fromkeys(client_days))
    courses: dict[ClientDay, list[ScaleCourse]] = {each: [] for each in wanted}
    for instrument, scale, noise in data.scales:
        if not shows_progress(instrument):
            continue
        live: dict[ClientDay, Segment] = {}
        for client_id, day in wanted:
            line = data.timeline(client_id)
            known = _occasions(data, client_id, day, (instrument.key, scale.key))
            if not known or line.not_applicable(instrument, day, day + _DAY):
                continue
            segments, _ = split(known, instrument, scale, line, noise)
            segment = _open_on(segments, day)
            if segment is not None:
                live[client_id, day] = segment
        for each, segment in zip(live, judged(list(live.values()), scale, noise), strict=True):
            on_goal = goal_scales(data.goals.get(each[0], ()))
            courses[each].append(
                ScaleCourse(
                    scale,
                    segment,
                    spread_of(cohort, instrument, scale),
                    on_goal=f"{instrument.key}.{scale.key}" in on_goal,
                )
            )
    return {each: client_state(scales) for each, scales in courses.items()}


def _occasions(data: ClinicData, client_id: str, day: dt.date, scale: tuple[str, str]) -> list[Occasion]:
    days = [each for each in data.days(client_id) if each <= day]
    since = present_since(data.starts.get(client_id, ()), days) or dt.date.min
    known = data.occasions.get(client_id, {}).get(scale, ())
    return [occasion for occasion in known if since <= occasion.taken_on <= day]


def _open_on(segments: Sequence[Segment], day: dt.date) -> Segment | None:
    """Give the segment that was current on a day: a relationship that ended later was not over then."""
    live = [
        segment
        for segment in segments
        if (segment.ended_on is None or segment.ended_on > day) and segment.latest is not None
    ]
    return max(live, key=lambda segment: segment.occasions[-1].taken_on, default=None)
