"""What clients work towards, and how they rate it along the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from mbc.simulate.people.attendance import Attendance
from mbc.simulate.streams import Bools, Floats, Ints, Stream

# Label, construct whose progress shows in it, whether a higher rating is better.
GOALS: Final = (
    ("Say what I need before it becomes a quarrel", "avoidance", True),
    ("Wait an hour before asking for reassurance", "anxiety", True),
    ("Keep one promise to myself each week", "self_esteem", True),
    ("Spend an evening a week with friends", "wellbeing", True),
    ("Ask for a pause instead of walking out", "avoidance", True),
    ("Say no without explaining for ten minutes", "self_esteem", True),
    ("Evenings a week spent going over conversations", "worry", False),
    ("Sleep without checking my phone first", "worry", True),
    ("Tell one person when I am having a hard week", "low_mood", True),
    ("Know what I want from a relationship", "self_esteem", True),
    ("Take up running again", "low_mood", True),
    ("Listen to the end before answering", "avoidance", True),
)
MOST: Final = 3  # goals per client
RETIRED_DAY: Final = 4  # goals are laid down on the Friday of a week
REASONS: Final = ("reached", "no longer matters", "replaced by a clearer goal")


@dataclass(frozen=True, slots=True)
class Goals:
    """One entry per goal in every field; clients come in order."""

    client: Ints
    number: Ints  # 1, 2, 3 within a client
    choice: Ints  # position in GOALS
    baseline: Floats
    target: Floats
    set_week: Ints
    retired_week: Ints  # -1: kept
    reason: Ints  # position in REASONS


def draw_goals(seed: int, attendance: Attendance, started: Ints) -> Goals:
    """None to three goals a client, set at the first or second session."""
    stream = Stream(seed, "goals")
    clients, weeks = attendance.attended.shape
    count = stream.choice([22, 36, 29, 13], clients)
    start = stream.integers(0, len(GOALS), clients, 1)
    stride = np.array([1, 5, 7])[stream.integers(0, 3, clients, 1)]  # none divides 12: no goal comes twice
    choice = (start + stride * np.arange(MOST)) % len(GOALS)
    low = stream.integers(1, 5, clients, MOST).astype(np.float64)
    high = stream.integers(7, 10, clients, MOST).astype(np.float64)
    raises = np.array([higher for _, _, higher in GOALS])[choice]
    set_week = started[:, None] + stream.integers(0, 3, clients, MOST)
    retires = stream.chance(0.12, clients, MOST)
    retired = set_week + stream.integers(8, 20, clients, MOST)
    retired = np.where(retires & (7 * retired + RETIRED_DAY <= attendance.last_day[:, None]), retired, -1)
    reason = stream.choice([5, 3, 3], clients, MOST)
    kept = (np.arange(MOST) < count[:, None]) & (set_week < np.minimum(weeks, attendance.last_week + 1)[:, None])
    client, number = np.nonzero(kept)
    return Goals(
        client=client,
        number=number + 1,
        choice=choice[kept],
        baseline=np.where(raises, low, high)[kept],
        target=np.where(raises, high, low)[kept],
        set_week=set_week[kept],
        retired_week=retired[kept],
        reason=reason[kept],
    )


def draw_ratings(seed: int, goals: Goals, attendance: Attendance, progress: Floats) -> tuple[Bools, Floats]:
    """Ratings of 0 to 10 at about every third session.

    Parameters
    ----------
    seed : int
        The clinic's seed.
    goals : Goals
        What is rated.
    attendance : Attendance
        Sessions attended.
    progress : ndarray, shape (goals, weeks)
        Progress of the goal's construct since intake, + is better, in intake SDs.

    Returns
    -------
    rated : ndarray of bool, shape (goals, weeks)
    rating : ndarray, shape (goals, weeks)
    """
    stream = Stream(seed, "goal ratings")
    rows, weeks = progress.shape
    week = np.arange(weeks)
    open_ = (week >= goals.set_week[:, None]) & (
        (goals.retired_week < 0)[:, None] | (week <= goals.retired_week[:, None])
    )
    due = (attendance.nth[goals.client] % 3 == 0) & attendance.attended[goals.client]
    way = goals.target - goals.baseline
    level = goals.baseline[:, None] + way[:, None] * progress / 1.3 + 0.8 * stream.normal(rows, weeks)
    return open_ & due & stream.chance(0.9, rows, weeks), np.clip(np.round(level), 0.0, 10.0)
