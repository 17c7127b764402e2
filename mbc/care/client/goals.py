"""How far the client has come with their own goals.

A goal is rated 0 to 10 (goal-based outcomes) unless it names a scale of the catalogue (``rses``,
``ecr_s.anxiety``): then its target is in that scale's points, it is drawn as a line on that scale's chart, and the
questionnaire is its rating.

References
----------
.. [1] Law & Jacob (2015), Goals and Goal Based Outcomes: 0 = not met at all, 10 = fully met.
.. [2] Kiresuk & Sherman (1968), doi:10.1007/BF01530764: goal attainment scaling, -2 to 2; 0 = as expected.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from mbc.care import words
from mbc.care.course.client_record import ClientRecord
from mbc.care.values.review import GoalProgress
from mbc.errors import DefinitionError, UnknownInstrument
from mbc.instruments import instrument

Rating = tuple[dt.date, float]
GOAL_BASED, ATTAINMENT = (0.0, 10.0), (-2.0, 2.0)


def known_scale(name: str | None) -> str | None:
    """Keep the name of a scale that the catalogue has; a goal set on any other is read as rated 0 to 10.

    Examples
    --------
    >>> known_scale("ecr_s.anxiety"), known_scale("rses.nothing"), known_scale(None)
    ('ecr_s.anxiety', None, None)
    """
    if name is None:
        return None
    key, _, scale = name.partition(".")
    try:
        instrument(key).scale(scale or None)
    except (UnknownInstrument, DefinitionError):
        return None
    return name


def rating_range(baseline: float | None, target: float | None) -> tuple[float, float]:
    """Say on which levels a goal of the client's own is rated: 0 to 10, or -2 to 2 (goal attainment scaling).

    A goal that began below 0, or is reached below it, is rated -2 to 2: there 0 is what was expected.

    Examples
    --------
    >>> rating_range(2, 8), rating_range(-1, 0)
    ((0.0, 10.0), (-2.0, 2.0))
    """
    return ATTAINMENT if any(value is not None and value < 0 for value in (baseline, target)) else GOAL_BASED


def goal_progress(record: ClientRecord) -> tuple[GoalProgress, ...]:
    """Follow each goal, those still kept first, then by the day they were set."""
    ratings: dict[str, list[Rating]] = {}
    for goal_id, day, rating in record.ratings.select("goal_id", "rated_on", "rating").iter_rows():
        ratings.setdefault(goal_id, []).append((day, rating))
    progress = [
        _progress(record, row, ratings.get(row["goal_id"], [])) for row in record.goals.iter_rows(named=True)
    ]
    return tuple(sorted(progress, key=lambda goal: (goal.retired_on is not None, goal.set_on, goal.goal_id)))


def _progress(record: ClientRecord, row: Mapping[str, Any], ratings: list[Rating]) -> GoalProgress:
    name = known_scale(row["scale"])
    if name is not None:
        ratings = _from_scale(record, name, row["set_on"], row["retired_on"])
    start = row["baseline"] if row["baseline"] is not None else (ratings[0][1] if ratings else None)
    sign = 1 if row["higher_is_better"] else -1
    latest = ratings[-1][1] if ratings else None
    movement = None if latest is None or start is None else sign * (latest - start)
    reached = is_reached(row, latest)
    return GoalProgress(
        goal_id=row["goal_id"],
        label=row["label"] or "",
        baseline=row["baseline"],
        target=row["target"],
        higher_is_better=row["higher_is_better"],
        set_on=row["set_on"],
        retired_on=row["retired_on"],
        retired_reason=row["retired_reason"],
        ratings=tuple(ratings),
        movement=movement,
        reached=reached,
        words=_words(row, start, ratings, sign, reached=reached),
        scale=name,
    )


def is_reached(row: Mapping[str, Any], latest: float | None) -> bool:
    """Whether the latest rating, or score on the goal's scale, is at the target or beyond it.

    Parameters
    ----------
    row : mapping
        A row of the record's goals.
    latest : float or None
    """
    if latest is None or row["target"] is None:
        return False
    return latest >= row["target"] if row["higher_is_better"] else latest <= row["target"]


def _from_scale(record: ClientRecord, name: str, set_on: dt.date, until: dt.date | None) -> list[Rating]:
    key, _, scale = name.partition(".")
    chosen = instrument(key).scale(scale or None)
    last = until or dt.date.max
    return [
        (each.taken_on, each.score)
        for each in record.of(key, chosen.key)
        if each.score is not None and set_on <= each.taken_on <= last
    ]


def _words(row: Mapping[str, Any], start: float | None, ratings: list[Rating], sign: int, *, reached: bool) -> str:
    ended = ""
    if row["retired_on"] is not None:
        why = f": {row['retired_reason']}" if row["retired_reason"] else ""
        ended = f" Retired on {words.day(row['retired_on'])}{why}."
    if not ratings or start is None:
        return f"Not rated since it was set on {words.day(row['set_on'])}.{ended}"
    day, latest = ratings[-1]
    moved = (
        f"from {words.number(start)} to {words.number(latest)}"
        if latest != start
        else f"still {words.number(start)}"
    )
    return f"{words.sentence(f'{moved} on {words.day(day)}{_to_go(row, latest, sign, reached=reached)}')}{ended}"


def _to_go(row: Mapping[str, Any], latest: float, sign: int, *, reached: bool) -> str:
    if row["target"] is None:
        return ""
    goal = words.number(row["target"])
    if reached:
        return f"; the target of {goal} is reached"
    return f"; {words.points(sign * (row['target'] - latest))} to the target of {goal}"
