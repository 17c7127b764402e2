"""Which clients of the sample have a story that a demo can open by name.

Each story is defined here, not drawn at random: each questionnaire's true score in each week, when
the client came, and what happened. Only the item answers around it are left to chance. Weeks count from the
start of the record.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

Points = tuple[tuple[float, float], ...]  # (week, true score), joined by straight lines


@dataclass(frozen=True, slots=True)
class StoryGoal:
    """A goal with its ratings as (week, rating); one set on a scale needs only the week it was set."""

    label: str
    baseline: int
    target: int
    ratings: Points
    higher_is_better: bool = True
    retired: tuple[int, str] | None = None  # week, reason
    scale: str | None = None  # the target is in this scale's points, and the questionnaire is the rating


@dataclass(frozen=True, slots=True)
class Story:
    """One storied client of the first clinician."""

    client_id: str
    alias: str
    situation: str  # at the start of the record, as in relationships.SITUATIONS
    weekday: int
    courses: dict[str, Points]  # "ecr_s.anxiety" -> true scores
    every: dict[str, tuple[int, int]]  # questionnaire -> every how many sessions, beginning with which
    missed: tuple[int, ...] = ()  # weeks with an appointment that the client did not keep
    away: tuple[int, ...] = ()  # weeks without an appointment
    started: int = 0
    last: int = 34  # week of the last appointment
    ending: str = "open"
    together_days: int = 900  # how long the situation had lasted at the start of the record
    ended: int | None = None  # week in which the relationship ends
    new_relationship: int | None = None  # week in which a new one begins
    events: tuple[tuple[int, str, str, str], ...] = ()  # week, kind, label, valence
    goals: tuple[StoryGoal, ...] = ()
    # (questionnaire, its how manieth sheet, item, answer); answers that are blank are None
    answers: tuple[tuple[str, int, int, int | None], ...] = field(default=())


_HOLIDAY: Final = (27, 28)

ANXIOUS_TO_SECURE = Story(
    "D-ANXIOUS-SECURE",
    "Anxious to secure",
    "partnered",
    weekday=1,
    missed=(10,),
    away=_HOLIDAY,
    ended=17,
    new_relationship=30,
    courses={
        "ecr_s.anxiety": (
            (0, 6.1), (4, 5.4), (6, 4.6), (8, 5.7), (9, 5.8), (12, 4.5), (15, 4.4), (17, 5.7), (19, 5.4),
            (22, 4.1), (26, 3.3), (29, 2.9), (31, 3.8), (34, 2.5),
        ),
        "ecr_s.avoidance": ((0, 3.1), (17, 3.3), (34, 2.8)),
        "rses.total": ((0, 11), (8, 14), (10, 12), (16, 15), (18, 12), (24, 18), (34, 22)),
        "csi16.total": ((0, 40), (5, 45), (10, 36), (16, 24), (29.9, 24), (30, 62), (34, 66)),
        "phq9.total": ((0, 11), (8, 8), (16, 10), (18, 14), (24, 8), (34, 4)),
        "gad7.total": ((0, 13), (8, 9), (17, 13), (24, 8), (34, 5)),
        "who5.total": ((0, 36), (8, 48), (18, 30), (26, 56), (34, 68)),
    },
    every={"attachment": (2, 0), "rses": (2, 1), "satisfaction": (2, 1), "who5": (2, 0)},
    events=(
        (9, "setback", "Two days without an answer", "hard"),
        (17, "break-up", "Left the relationship: a step forward", "growth"),
        (19, "moved out", "Moved into a place of their own", "growth"),
        (27, "holiday gap", "Holiday gap", "neutral"),
        (30, "new relationship", "New relationship", "growth"),
    ),
    goals=(
        StoryGoal(
            "Wait an hour before asking for reassurance", 1, 8,
            ((0, 1), (4, 2), (8, 4), (9, 2), (13, 4), (18, 3), (22, 5), (26, 7), (30, 6), (34, 8)),
        ),
        StoryGoal(
            "Know what I want from a relationship", 2, 8, ((1, 2), (6, 3), (12, 5), (17, 7), (23, 8), (33, 9)),
        ),
        StoryGoal(
            "Worry less about being left", 6, 3, ((1, 6),), higher_is_better=False, scale="ecr_s.anxiety"
        ),
    ),
)  # fmt: skip

DOWN_THEN_UP = Story(
    "D-DOWN-THEN-UP",
    "Down before up",
    "married",
    weekday=2,
    together_days=4100,
    missed=(11, 13),
    away=_HOLIDAY,
    ended=9,
    courses={
        "rses.total": ((0, 17), (5, 15), (9, 11), (12, 7), (15, 8), (19, 12), (24, 18), (29, 22), (34, 24)),
        "ecr_s.avoidance": ((0, 5.3), (10, 5.6), (20, 5.4), (24, 4.7), (29, 3.7), (34, 2.9)),
        "ecr_s.anxiety": ((0, 3.6), (10, 4.4), (20, 3.7), (34, 3.1)),
        "csi16.total": ((0, 34), (5, 27), (8, 19), (34, 19)),
        "phq9.total": ((0, 9), (5, 11), (11, 18), (15, 16), (22, 10), (30, 5), (34, 4)),
        "gad7.total": ((0, 8), (11, 14), (20, 9), (34, 5)),
        "who5.total": ((0, 44), (11, 20), (20, 40), (34, 68)),
    },
    every={"rses": (1, 0), "who5": (2, 0), "satisfaction": (2, 1), "attachment": (4, 0)},
    events=(
        (9, "separation", "Separation", "hard"),
        (11, "moved out", "Moved out", "hard"),
        (16, "job change", "Fewer hours at work", "neutral"),
        (24, "social", "First weekend away with friends", "growth"),
        (27, "holiday gap", "Holiday gap", "neutral"),
        (31, "divorce", "Divorce papers signed", "neutral"),
    ),
    goals=(
        StoryGoal(
            "Stay in the room when a talk gets hard", 2, 8,
            ((1, 2), (6, 2), (12, 1), (17, 3), (22, 4), (26, 6), (30, 7), (34, 8)),
        ),
        StoryGoal(
            "Keep one promise to myself each week", 3, 8, ((4, 3), (10, 2), (16, 4), (22, 6), (29, 8), (34, 8)),
        ),
        StoryGoal("Feel at home in my own skin", 14, 22, ((4, 14),), scale="rses"),
    ),
)  # fmt: skip

SINGLE_AND_PREPARING = Story(
    "D-SINGLE-PREPARING",
    "Single and preparing",
    "single",
    weekday=3,
    together_days=1300,
    missed=(14,),
    away=(*_HOLIDAY, 8),
    courses={
        "rses.total": ((0, 13), (6, 15), (12, 16), (16, 15), (22, 19), (28, 21), (34, 22)),
        "ecr_s.anxiety": ((0, 5.0), (8, 4.7), (16, 4.3), (24, 3.5), (34, 3.0)),
        "ecr_s.avoidance": ((0, 4.8), (10, 4.6), (18, 3.9), (26, 3.4), (34, 3.1)),
        "phq9.total": ((0, 8), (34, 4)),
        "gad7.total": ((0, 9), (34, 5)),
        "who5.total": ((0, 44), (10, 48), (34, 64)),
    },
    every={"attachment": (2, 0), "rses": (2, 1), "who5": (2, 0)},
    events=(
        (6, "social", "Joined a choir", "growth"),
        (15, "job change", "Started a new job", "neutral"),
        (20, "plan reviewed", "Plan reviewed together", "neutral"),
        (26, "social", "First date in two years", "growth"),
        (27, "holiday gap", "Holiday gap", "neutral"),
    ),
    goals=(
        StoryGoal(
            "Know what I want from a relationship", 2, 8,
            ((0, 2), (5, 3), (10, 4), (16, 5), (22, 6), (26, 7), (33, 8)),
        ),
        StoryGoal("Say no without explaining for ten minutes", 3, 8, ((1, 3), (7, 4), (13, 6), (20, 7), (31, 8))),
        StoryGoal(
            "Evenings a week spent going over old messages", 6, 1,
            ((0, 6), (5, 5), (11, 4), (18, 2), (24, 1)), higher_is_better=False, retired=(25, "reached"),
        ),
    ),
)  # fmt: skip

NOT_ON_TRACK = Story(
    "D-NOT-ON-TRACK",
    "Not on track",
    "cohabiting",
    weekday=0,
    missed=(13, 17, 22, 25, 31),
    away=_HOLIDAY,
    started=2,
    courses={
        "rses.total": ((2, 15), (10, 15), (16, 13), (24, 8), (34, 5)),
        "ecr_s.anxiety": ((2, 4.6), (12, 4.7), (22, 5.4), (34, 6.1)),
        "ecr_s.avoidance": ((2, 3.8), (34, 4.5)),
        "csi16.total": ((2, 38), (12, 37), (20, 29), (34, 18)),
        "phq9.total": ((2, 10), (12, 10), (20, 13), (34, 18)),
        "gad7.total": ((2, 9), (12, 9), (34, 14)),
        "who5.total": ((2, 42), (12, 42), (34, 20)),
    },
    every={"rses": (1, 0), "who5": (2, 0), "satisfaction": (2, 1), "attachment": (4, 0)},
    events=(
        (14, "rupture", "Felt unheard in session", "hard"),
        (19, "repair", "Talked about how we work together", "neutral"),
        (23, "job change", "Job ended", "hard"),
        (27, "holiday gap", "Holiday gap", "neutral"),
    ),
    goals=(
        StoryGoal(
            "Ask for a pause instead of walking out", 3, 8, ((3, 3), (9, 4), (15, 3), (21, 3), (29, 2), (34, 2))
        ),
        StoryGoal("Take up running again", 2, 7, ((3, 2), (10, 4), (18, 2), (26, 1))),
    ),
)

STEADY_AUTUMN = Story(
    "D-STEADY-AUTUMN",
    "Steady autumn",
    "dating",
    weekday=4,
    together_days=240,
    missed=(12,),
    away=_HOLIDAY,
    started=5,
    courses={
        "phq9.total": ((5, 15), (11, 16), (16, 12), (24, 9), (34, 6)),
        "gad7.total": ((5, 12), (12, 12), (24, 8), (34, 6)),
        "rses.total": ((5, 13), (14, 13), (34, 19)),
        "ecr_s.anxiety": ((5, 4.8), (34, 4.0)),
        "ecr_s.avoidance": ((5, 3.9), (34, 3.5)),
        "csi16.total": ((5, 46), (34, 54)),
        "who5.total": ((5, 30), (12, 28), (34, 58)),
    },
    every={"phq9": (1, 0), "gad7": (1, 0), "rses": (2, 1)},
    events=(
        (9, "plan reviewed", "Plan reviewed together", "neutral"),
        (21, "social", "Picked up an old friendship", "growth"),
        (27, "holiday gap", "Holiday gap", "neutral"),
    ),
    goals=(
        StoryGoal(
            "Tell one person when I am having a hard week", 2, 8, ((6, 2), (12, 4), (18, 5), (25, 7), (33, 8))
        ),
    ),
    answers=(("phq9", 4, 9, 1), ("phq9", 9, 9, None)),
)

PLATEAU_THEN_LEAP = Story(
    "D-PLATEAU-LEAP",
    "Plateau, then a leap",
    "cohabiting",
    weekday=2,
    missed=(9,),
    away=_HOLIDAY,
    started=1,
    last=30,
    ending="planned",
    courses={
        "rses.total": ((1, 12), (4, 13), (16, 13), (16.9, 13), (17, 20), (22, 20.5), (30, 22)),
        "ecr_s.anxiety": ((1, 4.8), (16.9, 4.7), (17, 3.9), (30, 3.2)),
        "ecr_s.avoidance": ((1, 3.5), (30, 3.0)),
        "csi16.total": ((1, 41), (16.9, 43), (18, 54), (30, 61)),
        "phq9.total": ((1, 12), (16.9, 11), (17, 6), (30, 4)),
        "gad7.total": ((1, 10), (16.9, 10), (17, 6), (30, 4)),
        "who5.total": ((1, 36), (16.9, 38), (17, 60), (30, 68)),
    },
    every={"rses": (1, 0), "who5": (2, 0), "satisfaction": (2, 1), "attachment": (4, 0)},
    events=(
        (17, "session", "Said out loud what was never said at home", "growth"),
        (27, "holiday gap", "Holiday gap", "neutral"),
    ),
    goals=(
        StoryGoal(
            "Say what I need before it becomes a quarrel", 3, 8,
            ((2, 3), (8, 3), (14, 3), (17, 6), (22, 7), (29, 8)), retired=(30, "reached"),
        ),
    ),
)  # fmt: skip

WITHIN_NOISE = Story(
    "D-WITHIN-NOISE",
    "Within the noise",
    "married",
    weekday=3,
    together_days=3000,
    missed=(6, 20),
    away=(*_HOLIDAY, 15),
    started=3,
    courses={
        "rses.total": ((3, 18.5), (34, 19)),
        "ecr_s.anxiety": ((3, 4.1), (34, 4.0)),
        "ecr_s.avoidance": ((3, 3.6), (34, 3.6)),
        "csi16.total": ((3, 47), (34, 48)),
        "phq9.total": ((3, 8), (34, 7.5)),
        "gad7.total": ((3, 8), (34, 7.5)),
        "who5.total": ((3, 46), (34, 48)),
    },
    every={"rses": (1, 0), "who5": (2, 0), "satisfaction": (2, 1), "attachment": (4, 0)},
    events=((27, "holiday gap", "Holiday gap", "neutral"),),
    goals=(StoryGoal("Listen to the end before answering", 4, 8, ((4, 4), (11, 5), (18, 4), (24, 5), (32, 5))),),
)

STORIES: Final = (
    ANXIOUS_TO_SECURE,
    DOWN_THEN_UP,
    SINGLE_AND_PREPARING,
    NOT_ON_TRACK,
    STEADY_AUTUMN,
    PLATEAU_THEN_LEAP,
    WITHIN_NOISE,
)
