"""Why a client stands where they do on the worklist, in words a clinician can read aloud."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from mbc.care.values.review import ClientState, Group
from mbc.care.words import count, day, join_list, sentence, span

SOME_PROGRESS = 0.25  # standard deviations of first scores
STALE_DAYS = 28  # without a session or a questionnaire, while in care


@dataclass(frozen=True, slots=True)
class Waiting:
    """What decides on a client's place on the worklist."""

    state: ClientState
    closed: tuple[dt.date, str] | None
    days_since_contact: int | None
    asked: bool  # whether any questionnaire was answered in the present care
    due: tuple[tuple[str, dt.date], ...]  # questionnaires due within a week or overdue
    goals: int  # still kept
    reached: tuple[str, ...]  # of these
    better: tuple[str, ...]  # measures on which the client is clearly better
    undefined: tuple[str, ...]  # questionnaires answered whose definition was not found
    today: dt.date

    @property
    def silent(self) -> bool:
        """Whether there was no contact for longer than four weeks."""
        return self.days_since_contact is not None and self.days_since_contact > STALE_DAYS

    @property
    def overdue(self) -> tuple[str, ...]:
        """Questionnaires that were due more than a week ago."""
        return tuple(name for name, due_on in self.due if (self.today - due_on).days > 7)

    @property
    def all_reached(self) -> bool:
        """Whether every goal still kept is reached."""
        return 0 < self.goals == len(self.reached)


_MOST_NAMED = 4  # measures in one reason


def _some(measures: list[str]) -> str:
    """Join names; where there are many, the first few and how many more."""
    if len(measures) <= _MOST_NAMED:
        return join_list(measures)
    return f"{', '.join(measures[: _MOST_NAMED - 1])} and {len(measures) - _MOST_NAMED + 1} more"


def _nothing_clear(state: ClientState) -> str:
    if state.progress is not None and state.progress >= SOME_PROGRESS:
        return "better on average, but not clearly on any single measure"
    return "no clear change yet"


def _missing(waiting: Waiting) -> list[str]:
    """Say what has not come: the client, a questionnaire, a definition."""
    reasons: list[str] = []
    if waiting.silent:
        reasons.append(f"no contact for {span(waiting.days_since_contact or 0)}")
    if waiting.undefined:
        reasons.append(f"no definition of {join_list(waiting.undefined)}")
    elif not waiting.asked:
        reasons.append("no questionnaire yet")
    if waiting.overdue:
        reasons.append(f"overdue: {join_list(list(waiting.overdue))}")
    return reasons


def group_of(waiting: Waiting) -> Group:
    """Say in which part of the worklist a client stands."""
    if waiting.closed is not None:
        return "closed"
    if waiting.state.state == "not on track" or waiting.silent:
        return "needs you"
    if waiting.state.state == "watch" or waiting.due or waiting.all_reached or not waiting.asked:
        return "soon"
    return "as expected"


def reasons_of(waiting: Waiting) -> tuple[str, ...]:
    """Say why, as sentences, the most important first."""
    if waiting.closed is not None:
        ended_on, how = waiting.closed
        return (f"Care ended on {day(ended_on)}{f' ({how})' if how else ''}.",)
    state = waiting.state
    reasons = ["; ".join(state.reasons)] if state.state in ("not on track", "watch") else []
    reasons += _missing(waiting)
    if waiting.all_reached:
        every = "all goals reached" if waiting.goals > 1 else "goal reached"
        reasons.append(f"{every}: discuss what comes next")
    elif waiting.reached:
        reasons.append(f"{count(len(waiting.reached), 'goal')} of {waiting.goals} reached")
    if waiting.better:
        reasons.append(f"clearly better: {_some(list(dict.fromkeys(waiting.better)))}")
    if not reasons:
        reasons += state.reasons if state.state == "no forecast" else [_nothing_clear(state)]
    return tuple(sentence(reason) for reason in reasons if reason)
