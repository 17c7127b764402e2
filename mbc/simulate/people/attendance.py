"""When clients come, when they miss, and how their treatment ends.

Leaving is informative: those who make no headway are likelier to drop out, so those who stay look better than
all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from mbc.simulate.people.people import People
from mbc.simulate.streams import Bools, Floats, Ints, Stream

ENDINGS: Final = ("open", "planned", "dropped out", "moved away")
OPEN, PLANNED, DROPPED, MOVED = range(4)
DROP_BASE: Final = -4.2  # log odds of dropping out in a week, at the intake level, once settled
DROP_PROGRESS: Final = -0.95  # ... for each intake SD of progress
DROP_EARLY: Final = 0.9  # ... in the first month
MOVING: Final = 0.0012  # chance a week of leaving for reasons outside treatment
ENOUGH: Final = 1.1  # intake SDs of progress after which a good ending may come early
HOLIDAY: Final = (25, 31)  # weeks among which each clinician takes two or three off


@dataclass(frozen=True, slots=True)
class Attendance:
    """Appointments and endings."""

    booked: Bools  # shape (clients, weeks)
    attended: Bools  # shape (clients, weeks)
    day: Ints  # shape (clients, weeks): days since the first Monday
    last_week: Ints  # shape (clients,): last week in treatment within the record
    ending: Ints  # shape (clients,): position in ENDINGS

    @property
    def nth(self) -> Ints:
        """How many sessions a client had attended before this one; shape (clients, weeks)."""
        return np.cumsum(self.attended, axis=1, dtype=np.int64) - 1

    @property
    def last_day(self) -> Ints:
        """Day of each client's last appointment."""
        return np.where(self.booked, self.day, -1).max(axis=1)


def draw_attendance(seed: int, people: People, path: Floats) -> Attendance:
    """Draw appointments week by week and endings from each client's progress.

    Parameters
    ----------
    seed : int
        The clinic's seed.
    people : People
        Who comes, from which week, to whom.
    path : ndarray, shape (clients, constructs, weeks)
        True courses, + is better, in intake SDs.
    """
    clients, _, weeks = path.shape
    stream = Stream(seed, "attendance")
    last_week, ending = _endings(stream, people, path)
    week = np.arange(weeks)
    since = week - people.started[:, None]
    within = (since >= 0) & (week <= last_week[:, None])
    sparse = stream.chance(0.5, clients, 1) & (since > 16) & (since % 2 == 1)  # every other week later on
    away = _holidays(seed, int(people.clinician.max()) + 1, weeks)[people.clinician]
    free = within & ~sparse & ~away & stream.chance(0.95, clients, weeks)
    fading = (ending == DROPPED)[:, None] & (week > last_week[:, None] - 4)
    came = ~stream.chance(np.where(fading, 0.30, 0.07), clients, weeks)
    first = since == 0
    # appointments move by a day now and then, never beyond the week
    shift = stream.choice([0.08, 0.84, 0.08], clients, weeks) - 1
    day = 7 * week + np.clip(people.weekday[:, None] + shift, 0, 4)
    return Attendance((free | first) & within, ((free & came) | first) & within, day, last_week, ending)


def _endings(stream: Stream, people: People, path: Floats) -> tuple[Ints, Ints]:
    clients, _, weeks = path.shape
    week = np.arange(weeks)
    since = week - people.started[:, None]
    progress = (path - path[:, :, :1]).mean(axis=1)
    log_odds = DROP_BASE + DROP_PROGRESS * progress + DROP_EARLY * (since < 5)
    drops = (since >= 1) & stream.chance(1.0 / (1.0 + np.exp(-log_odds)), clients, weeks)
    moves = (since >= 2) & stream.chance(MOVING, clients, weeks)
    enough = (progress > ENOUGH) & (since >= 10) & stream.chance(0.05, clients, weeks)
    planned = (since >= people.planned[:, None]) | enough
    causes = np.stack([_first(planned), _first(drops), _first(moves)], axis=1)
    soonest = causes.argmin(axis=1)
    last = causes.min(axis=1)
    return np.minimum(last, weeks - 1), np.where(last < weeks, soonest + 1, OPEN)


def _first(happens: Bools) -> Ints:
    """First week in which something happens; the number of weeks when it never does."""
    return np.where(happens.any(axis=1), happens.argmax(axis=1), happens.shape[1])


def _holidays(seed: int, clinicians: int, weeks: int) -> Bools:
    """Weeks in which each clinician is away; shape (clinicians, weeks)."""
    start = away_from(seed, clinicians)[:, None]
    length = Stream(seed, "holidays", "length").integers(2, 4, clinicians)[:, None]
    week = np.arange(weeks)
    return (week >= start) & (week < start + length)


def away_from(seed: int, clinicians: int) -> Ints:
    """First week of each clinician's summer holiday."""
    return Stream(seed, "holidays").integers(HOLIDAY[0], HOLIDAY[1] - 1, clinicians)
