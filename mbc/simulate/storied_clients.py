"""How the storied clients take their places among the drawn ones.

They are the first rows of every array: each function returns a copy of what was drawn with those rows written
over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypeVar

import numpy as np

from mbc.instruments import instrument
from mbc.simulate.people.attendance import ENDINGS, Attendance
from mbc.simulate.people.people import FOCUSES, People
from mbc.simulate.people.population import BETTER, READINGS, position
from mbc.simulate.people.relationships import KINDS, NEVER, Relationships
from mbc.simulate.people.stories import Points, Story
from mbc.simulate.questionnaires.battery import ABOUT_RELATIONSHIP, ROLES, Due, reviews
from mbc.simulate.questionnaires.item_answers import trait_at
from mbc.simulate.streams import Bools, Floats, Ints

CAREFUL: Final = 0.7  # storied clients answer with less item noise, so that the story can be read
OWN_READING: Final = 0.4  # ... read less of their own into items
CALM: Final = 0.35  # ... and waver less from week to week


def cast_people(people: People, stories: tuple[Story, ...]) -> People:
    """Names, first week and clinician of the stories."""
    count = len(stories)
    return replace(
        people,
        client_id=(*(story.client_id for story in stories), *people.client_id[count:]),
        alias=(*(story.alias for story in stories), *people.alias[count:]),
        clinician=_over(people.clinician, [0] * count),
        started=_over(people.started, [story.started for story in stories]),
        weekday=_over(people.weekday, [story.weekday for story in stories]),
        focus=_over(people.focus, [FOCUSES.index("esteem")] * count),
        satisfaction_form=_over(people.satisfaction_form, [0] * count),
        attachment_form=_over(people.attachment_form, [0] * count),
        takes_ras=_over(people.takes_ras, [False] * count),
        online=_over(people.online, [bool(number % 2) for number in range(count)]),
        careless=_over(people.careless, [False] * count),
    )


def cast_relationships(relationships: Relationships, stories: tuple[Story, ...]) -> Relationships:
    """Situations, endings and beginnings of the stories."""
    return Relationships(
        situation=_over(relationships.situation, [KINDS.index(story.situation) for story in stories]),
        since=_over(relationships.since, [story.together_days for story in stories]),
        ended=_over(relationships.ended, [NEVER if story.ended is None else story.ended for story in stories]),
        chosen=_over(relationships.chosen, [True] * len(stories)),
        new_relationship=_over(
            relationships.new_relationship,
            [NEVER if story.new_relationship is None else story.new_relationship for story in stories],
        ),
        moved_in=_over(relationships.moved_in, [NEVER] * len(stories)),
    )


def cast_path(path: Floats, stories: tuple[Story, ...]) -> Floats:
    """Courses of the stories, from the scores they are written in; ``path`` is + better, in intake SDs."""
    storied = path.copy()
    week = np.arange(path.shape[2], dtype=np.float64)
    for row, story in enumerate(stories):
        storied[row] = 0.0
        for reading in READINGS:
            points = story.courses.get(f"{reading.instrument}.{reading.scale}")
            if points is not None:
                trait = trait_at(instrument(reading.instrument), reading, _between(points, week))
                storied[row, position(reading.construct)] = trait * BETTER[position(reading.construct)]
    return storied


def cast_attendance(attendance: Attendance, stories: tuple[Story, ...]) -> Attendance:
    """Appointments and endings of the stories."""
    booked, attended, day = attendance.booked.copy(), attendance.attended.copy(), attendance.day.copy()
    week = np.arange(booked.shape[1])
    for row, story in enumerate(stories):
        booked[row] = (week >= story.started) & (week <= story.last) & ~np.isin(week, story.away)
        attended[row] = booked[row] & ~np.isin(week, story.missed)
        day[row] = 7 * week + story.weekday
    last = np.minimum([story.last for story in stories], week[-1])
    ending = [ENDINGS.index(story.ending if story.last <= week[-1] else "open") for story in stories]
    return Attendance(
        booked, attended, day, _over(attendance.last_week, last.tolist()), _over(attendance.ending, ending)
    )


def cast_due(due: Due, stories: tuple[Story, ...], attendance: Attendance, relationship: Ints) -> Due:
    """Questionnaires of the stories: each at its own rhythm, all handed in."""
    nth, full = attendance.nth, reviews(attendance)
    by_role: dict[str, Bools] = {}
    for role in ROLES:
        mask = due.by_role[role].copy()
        for row, story in enumerate(stories):
            every, begin = story.every.get(role, (1, -1))
            handed_out = attendance.attended[row] & (full[row] | (nth[row] % every == begin)) & (role != "ras")
            mask[row] = handed_out & (relationship[row] > 0) if role in ABOUT_RELATIONSHIP else handed_out
        by_role[role] = mask
    return Due(by_role)


def cast_answers(answers: Floats, key: str, client: Ints, stories: tuple[Story, ...]) -> Floats:
    """Answers that a story fixes; ``answers`` is in the default form and coding, sorted by client and day."""
    fixed = answers.copy()
    for flag in instrument(key).flags:  # no storied client has one, but for those whose story says so
        column = [item.id for item in instrument(key).items].index(flag.item)
        fixed[client < len(stories), column] = instrument(key).item(flag.item).minimum
    for row, story in enumerate(stories):
        sheets = np.flatnonzero(client == row)
        for questionnaire, nth, item, answer in story.answers:
            if questionnaire == key and nth <= sheets.size:
                fixed[sheets[nth - 1], item - 1] = np.nan if answer is None else answer
    return fixed


def _between(points: Points, week: Floats) -> Floats:
    weeks, scores = zip(*points, strict=True)
    return np.interp(week, weeks, scores)


_Entries = TypeVar("_Entries", Ints, Bools)


def _over(drawn: _Entries, first: Sequence[int]) -> _Entries:
    written = drawn.copy()
    written[: len(first)] = first
    return written
