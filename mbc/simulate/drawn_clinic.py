"""What a whole drawn clinic consists of, before it is written as tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from mbc.simulate import storied_clients as casting
from mbc.simulate.people.attendance import Attendance, away_from, draw_attendance
from mbc.simulate.people.events import Events, draw_events
from mbc.simulate.people.goals import GOALS, Goals, draw_goals, draw_ratings
from mbc.simulate.people.latent_courses import KINDS, Courses, draw_courses, fluctuation
from mbc.simulate.people.people import People, draw_people
from mbc.simulate.people.population import BETTER, NAMES, first_traits
from mbc.simulate.people.relationships import Relationships, draw_relationships, relationship_effects
from mbc.simulate.people.stories import Story
from mbc.simulate.questionnaires.battery import Due, draw_due
from mbc.simulate.streams import Bools, Floats, Ints


@dataclass(frozen=True, slots=True)
class Drawn:
    """Arrays of one clinic; clients are rows, stories first."""

    seed: int
    start: date  # a Monday
    weeks: int
    clinicians: int
    stories: tuple[Story, ...]
    people: People
    relationships: Relationships
    courses: Courses
    path: Floats  # true courses with what life did to them; shape (clients, constructs, weeks), + is better
    attendance: Attendance
    due: Due
    events: Events
    goals: Goals
    rated: Bools  # shape (goals, weeks)
    rating: Floats  # shape (goals, weeks)

    @property
    def state(self) -> Floats:
        """What a client would answer from in each week, in each construct's own direction."""
        swing = fluctuation(self.seed, len(self.people), self.weeks)
        swing[: len(self.stories)] *= casting.CALM
        return (self.path + swing) * BETTER[:, None]

    @property
    def current(self) -> Ints:
        """Number of each client's relationship by week, 0 for none; shape (clients, weeks)."""
        return self.relationships.current(self.weeks)

    @property
    def course_names(self) -> list[str]:
        """Kind of course of each client; the stories are written, not drawn."""
        n_stories = len(self.stories)
        return ["story"] * n_stories + [KINDS[kind] for kind in self.courses.kind[n_stories:].tolist()]


def draw(seed: int, clients: int, clinicians: int, start: date, weeks: int, stories: tuple[Story, ...]) -> Drawn:
    """Draw people, lives, courses and attendance, in the order in which one hangs on the other."""
    people = casting.cast_people(draw_people(seed, clients, clinicians, weeks), stories)
    relationships = casting.cast_relationships(draw_relationships(seed, clients, weeks), stories)
    courses = draw_courses(seed, first_traits(seed, clients), people.started, weeks)
    path = casting.cast_path(relationship_effects(seed, relationships, courses.path), stories)
    attendance = casting.cast_attendance(draw_attendance(seed, people, path), stories)
    current = relationships.current(weeks)
    due = casting.cast_due(draw_due(seed, people, attendance, current), stories, attendance, current)
    holidays = away_from(seed, clinicians)
    events = draw_events(seed, people, relationships, attendance, holidays)
    goals = draw_goals(seed, attendance, people.started)
    rated, rating = draw_ratings(seed, goals, attendance, _goal_progress(goals, people, path))
    return Drawn(
        seed, start, weeks, clinicians, stories, people, relationships, courses, path, attendance, due, events,
        goals, rated, rating,
    )  # fmt: skip


def _goal_progress(goals: Goals, people: People, path: Floats) -> Floats:
    construct = np.array([NAMES.index(name) for _, name, _ in GOALS])[goals.choice]
    along = path[goals.client, construct]
    first = along[np.arange(len(along)), people.started[goals.client]]
    return along - first[:, None]
