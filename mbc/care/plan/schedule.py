"""When one questionnaire of a plan is asked, and which askings were answered, missed or are open.

An asking belongs to a day: of a fixed grid (every so many days from the start), of the baseline burst (evenly
within the first fortnight), or of a session (every so many, or those that are named). An answer counts for the
asking in whose time it falls: from shortly before it until the next one's time begins. Times of a pause, and times
in which the questionnaire does not apply, have no askings.
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mbc.care.values.plan import Asking, MeasureSchedule, PlanState
from mbc.care.words import count, day
from mbc.store import MeasurePause, PlannedMeasure
from mbc.store.schema.entries import session_numbers

BURST_DAYS = 14
LATE_DAYS = 7  # an open asking is overdue after a week
USUAL_GAP = 7  # between sessions, while nothing is known of the client's own
_EARLY_DAYS, _EARLY_SESSION_DAYS = 3, 6
_HORIZON = dt.timedelta(days=366)
_MOST_SESSIONS_AHEAD = 60


@dataclass(frozen=True, slots=True)
class Sessions:
    """A client's sessions, as far as a plan needs them."""

    held: tuple[tuple[dt.date, int], ...] = ()  # day and number, in order
    last_number: int = 0  # missed ones counted

    @property
    def gap(self) -> int:
        """Days between two sessions: the median of the client's own."""
        steps = [(b[0] - a[0]).days for a, b in pairwise(self.held)]
        return max(round(statistics.median(steps)), 1) if steps else USUAL_GAP


def schedule_of(
    planned: PlannedMeasure,
    *,
    name: str,
    answered: Sequence[dt.date],
    sessions: Sessions,
    pauses: Sequence[MeasurePause],
    away: Sequence[tuple[dt.date, dt.date | None, str]],
    today: dt.date,
) -> MeasureSchedule:
    """Work out where a questionnaire of the plan stands.

    Parameters
    ----------
    planned : PlannedMeasure
    name : str
        Its short name, for the words.
    answered : sequence of date
        Days on which it was answered.
    sessions : Sessions
    pauses : sequence of MeasurePause
    away : sequence of (date, date or None, str)
        Stretches in which it does not apply, with the status that says so; the end is not part of them.
    today : date
    """
    until = today + _HORIZON
    asked = [
        asking
        for asking in _askings(planned, sessions, today, until)
        if _paused(pauses, asking.on) is None and _away(away, asking.on) is None
    ]
    open_asking, missed, coming = _place_answers(asked, answered, today)
    status, pause = _away(away, today), _paused(pauses, today)
    due_on = open_asking.on if open_asking else coming[0].on if coming else None
    state: PlanState = "later"
    if planned.ends_on is not None and planned.ends_on < today:
        state, due_on = "ended", None
    elif status is not None:
        state, due_on = "not applicable", None
    elif pause is not None:
        state = "paused"
    elif open_asking is not None:
        state = "overdue" if (today - open_asking.on).days > LATE_DAYS else "due"
    elif coming and coming[0].before_session == sessions.last_number + 1 and planned.starts_on <= today:
        state = "due"
    words = _words(state, due_on, missed, coming, status)
    return MeasureSchedule(planned.instrument, name, state, due_on, missed, tuple(coming), words)


def _askings(planned: PlannedMeasure, sessions: Sessions, today: dt.date, until: dt.date) -> list[Asking]:
    last = min(until, planned.ends_on or until)
    days = {*_burst(planned), *_grid(planned, last)}
    made = [Asking(planned.instrument, on) for on in days if planned.starts_on <= on <= last]
    made += [
        Asking(planned.instrument, on, number)
        for on, number in _sessions(planned, sessions, today)
        if planned.starts_on <= on <= last
    ]
    return sorted(made, key=lambda asking: (asking.on, asking.before_session or 0))


def _burst(planned: PlannedMeasure) -> Iterator[dt.date]:
    askings = planned.baseline_askings or 0
    for place in range(askings):
        yield planned.starts_on + dt.timedelta(days=round(place * BURST_DAYS / askings))


def _grid(planned: PlannedMeasure, last: dt.date) -> Iterator[dt.date]:
    if planned.every_days is None:
        return
    on = planned.starts_on
    burst_ends = planned.starts_on + dt.timedelta(days=BURST_DAYS if planned.baseline_askings else 0)
    while on <= last:
        if on >= burst_ends:
            yield on
        on += dt.timedelta(days=planned.every_days)


def _sessions(planned: PlannedMeasure, sessions: Sessions, today: dt.date) -> Iterator[tuple[dt.date, int]]:
    """Give the sessions before which it is asked: those held, and those to come by the client's usual gap."""
    if planned.every_sessions is None and planned.before_sessions is None:
        return
    named = set(session_numbers(planned.before_sessions)) if planned.before_sessions else set[int]()
    first = next((number for on, number in sessions.held if on >= planned.starts_on), sessions.last_number + 1)

    def wanted(number: int) -> bool:
        every = planned.every_sessions
        return number in named or (every is not None and number >= first and (number - first) % every == 0)

    yield from ((on, number) for on, number in sessions.held if wanted(number))
    gap = dt.timedelta(days=sessions.gap)
    on = max((sessions.held[-1][0] + gap if sessions.held else planned.starts_on), today + dt.timedelta(days=1))
    for number in range(sessions.last_number + 1, sessions.last_number + 1 + _MOST_SESSIONS_AHEAD):
        if wanted(number):
            yield on, number
        on += gap


def _place_answers(
    asked: Sequence[Asking], answered: Sequence[dt.date], today: dt.date
) -> tuple[Asking | None, int, list[Asking]]:
    """Say which asking is open, how many were missed, and which are still to come."""
    starts = [_window_start(asked, place) for place in range(len(asked))]
    open_asking: Asking | None = None
    missed = 0
    coming: list[Asking] = []
    for place, asking in enumerate(asked):
        end = starts[place + 1] if place + 1 < len(asked) else dt.date.max
        if any(starts[place] <= on < end and on <= today for on in answered):
            continue
        if asking.on > today:
            coming.append(asking)
        elif end <= today and place + 1 < len(asked) and asked[place + 1].on <= today:
            missed += 1
        else:
            open_asking = asking
    return open_asking, missed, coming


def _window_start(asked: Sequence[Asking], place: int) -> dt.date:
    asking = asked[place]
    early = _EARLY_DAYS if asking.before_session is None else _EARLY_SESSION_DAYS
    if place:
        early = min(early, (asking.on - asked[place - 1].on).days // 2)
    return asking.on - dt.timedelta(days=early)


def _paused(pauses: Sequence[MeasurePause], on: dt.date) -> MeasurePause | None:
    return next((p for p in pauses if p.starts_on <= on <= (p.ends_on or dt.date.max)), None)


def _away(away: Sequence[tuple[dt.date, dt.date | None, str]], on: dt.date) -> str | None:
    return next((status for start, end, status in away if start <= on < (end or dt.date.max)), None)


def _words(
    state: PlanState, due_on: dt.date | None, missed: int, coming: Sequence[Asking], status: str | None
) -> str:
    if state == "not applicable":
        over = status in ("ended", "widowed")
        words = f"not asked: relationship {status}" if over else f"not asked while {status}"
    elif state == "ended":
        words = "ended"
    elif state == "paused":
        words = f"paused; next on {day(coming[0].on)}" if coming else "paused"
    elif state in ("due", "overdue") and due_on is not None:
        session = coming[0].before_session if coming and coming[0].on == due_on else None
        words = f"due before session {session}" if session is not None else f"{state} since {day(due_on)}"
    elif due_on is None:
        words = "nothing further is planned"
    else:
        session = coming[0].before_session
        words = f"next before session {session}" if session is not None else f"next on {day(due_on)}"
    return f"{words}; {count(missed, 'questionnaire')} missed" if missed else words
