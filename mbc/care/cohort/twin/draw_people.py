"""Draw the people of a twin: sessions, endings, relationships, goals and events, from a fit alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from mbc.care.cohort.coarsen import YEAR
from mbc.care.cohort.twin.fit_cohort import CohortFit
from mbc.care.cohort.twin.pooled import values_of
from mbc.privacy import OTHER
from mbc.simulate.streams import Stream

Floats = npt.NDArray[np.float64]
_WEEK = 7
_PREFIX = "S"  # of study ids: a row that was cut out still says that it is synthetic


@dataclass(frozen=True, slots=True)
class Visit:
    """A session, or a day with scores where there are no sessions."""

    day: int
    number: int
    attended: bool
    modality: object


@dataclass(frozen=True, slots=True)
class Person:
    """Nobody."""

    study_id: str
    row: dict[str, object]  # of people.csv
    visits: tuple[Visit, ...]
    battery: tuple[int, ...]  # questionnaires
    statuses: tuple[tuple[int, object, object], ...]  # day, target, status

    def rates(self, day: int) -> str | None:
        """Name the relationship rated on a day; None where there is none."""
        before = [(target, status) for since, target, status in self.statuses if since <= day]
        target, status = before[-1] if before else (None, None)
        return None if target is None or status == "ended" else str(target)


def draw_people(fit: CohortFit, seed: int, count: int) -> list[Person]:
    """Draw people."""
    stream = Stream(seed, "twin", "people")
    width = max(3, len(str(count)))
    ids = [f"{_PREFIX}{number:0{width}d}" for number in range(1, count + 1)]
    endings = fit.endings.draw(stream, count)
    together = fit.together.draw(stream, count)
    therapists = fit.therapists.draw(stream, count)
    letters = [value for value in fit.therapists.values if value not in (None, OTHER)]
    renamed = {value: f"T{number:03d}" for number, value in enumerate(letters, start=1)}
    people: list[Person] = []
    for number, study_id in enumerate(ids):
        row: dict[str, object] = dict(zip(fit.columns, values_of(together[number]), strict=False))
        ending = row.get("ending", endings[number])
        visits = _visits(fit, stream, ending) if fit.has_sessions else _days_answered(fit, stream, row)
        battery = _battery(fit, stream, row)
        statuses = _statuses(fit, stream, rated=any(fit.questionnaires[each].rated for each in battery))
        if fit.has_sessions:
            therapist = therapists[number]
            row = _person_row(fit, visits, ending, renamed.get(therapist, therapist))
        people.append(Person(study_id, row, visits, battery, statuses))
    return people


def _visits(fit: CohortFit, stream: Stream, ending: object) -> tuple[Visit, ...]:
    timing = fit.visits
    count = max(0, round(float(timing.counts.get(ending, timing.count).draw(stream, 1)[0])))
    if count == 0:
        return ()
    gaps = timing.gaps.draw(stream, count - 1, _WEEK)
    first = timing.first.draw(stream, 1)
    days = np.concatenate([first, first + np.cumsum(np.maximum(_on_grid(gaps, fit.step), fit.step))])
    attended = stream.chance(timing.attended, count)
    fresh = timing.modality.draw(stream, count)
    again = stream.chance(timing.same_modality, count)
    modality: list[object] = []
    for number, value in enumerate(fresh):
        modality.append(modality[-1] if number and again[number] else value)
    return tuple(
        Visit(int(day), number, bool(came), how)
        for number, (day, came, how) in enumerate(
            zip(_on_grid(days, fit.step), attended, modality, strict=True), 1
        )
    )


def _on_grid(days: Floats, step: int) -> Floats:
    return np.round(days / step) * step


def _days_answered(fit: CohortFit, stream: Stream, row: dict[str, object]) -> tuple[Visit, ...]:
    """Take the ends of periods that a row names; else draw them."""
    words = str(row.get("answered_in", "")).split()
    days = [YEAR if word == "later" else int(word) for word in words if word == "later" or word.isdigit()]
    if not days:
        count = max(1, round(float(fit.visits.count.draw(stream, 1, 1)[0])))
        days = [0, *np.cumsum(fit.visits.gaps.draw(stream, count - 1, YEAR)).round().astype(int).tolist()]
    return tuple(Visit(day, number, attended=True, modality=None) for number, day in enumerate(days, 1))


def _battery(fit: CohortFit, stream: Stream, row: dict[str, object]) -> tuple[int, ...]:
    shared = sum(fit.batteries.weights) / fit.people
    if stream.uniform(1)[0] < shared:
        numbers: list[int] = list(values_of(fit.batteries.draw(stream, 1)[0]))
    else:
        draws = stream.uniform(len(fit.questionnaires)) if fit.questionnaires else np.array([])
        numbers = [number for number, fitted in enumerate(fit.questionnaires) if draws[number] < fitted.share]
    if row.get("relationship") == "none rated":
        numbers = [number for number in numbers if not fit.questionnaires[number].rated]
    return tuple(numbers)


def _statuses(fit: CohortFit, stream: Stream, *, rated: bool) -> tuple[tuple[int, object, object], ...]:
    life = fit.life
    steps: tuple[tuple[object, object], ...] = values_of(life.statuses[rated].draw(stream, 1)[0])
    if not steps:
        return ((0, "R1", None),) if rated else ()
    gaps = np.maximum(life.later_status.draw(stream, len(steps)), 0)
    day = float(life.first_status.draw(stream, 1)[0])
    rows: list[tuple[int, object, object]] = []
    for number, (target, status) in enumerate(steps):
        day = day if number == 0 else day + float(gaps[number])
        rows.append((round(day / fit.step) * fit.step, target, status))
    return tuple(rows)


def _person_row(fit: CohortFit, visits: Sequence[Visit], ending: object, therapist: object) -> dict[str, object]:
    held = [visit.day for visit in visits if visit.attended]
    days = held[-1] - held[0] if held else None
    numbers: dict[str, int | None] = {
        "sessions": len(held),
        "days": days,
        "weeks": None if days is None else days // _WEEK + 1,
    }
    row: dict[str, object] = {"therapist": therapist, "ending": ending}
    for name, value in numbers.items():
        row[name] = _in_band(value, fit.bands[name]) if name in fit.bands else value
    return row


def _in_band(value: int | None, labels: Sequence[str]) -> str | None:
    """Find the band of a number; the nearest of those that enough people share."""
    if value is None or not labels:
        return None
    lowest = {label: int(label.removesuffix("+").partition("-")[0]) for label in labels}
    fitting = [label for label in labels if lowest[label] <= value]
    return max(fitting, key=lowest.__getitem__) if fitting else min(labels, key=lowest.__getitem__)


def draw_goals(fit: CohortFit, people: Sequence[Person], seed: int) -> list[dict[str, object]]:
    """Draw goals and their ratings."""
    stream, life = Stream(seed, "twin", "goals"), fit.life
    if not life.goal_numbers:
        return []
    low, high = life.goal_range
    rows: list[dict[str, object]] = []
    for person, count in zip(people, life.goals.draw(stream, len(people), 0), strict=True):
        last = max((visit.day for visit in person.visits), default=0)
        for number in range(1, int(str(count)) + 1):
            noise = dict(zip(life.goal_numbers, stream.normal(len(life.goal_numbers)), strict=True))
            drawn = {name: mean + sd * noise[name] for name, (mean, sd) in life.goal_numbers.items()}
            baseline = round(float(np.clip(drawn["baseline"], low, high)))
            goal: dict[str, object] = {
                "study_id": person.study_id,
                "goal": f"G{number}",
                "baseline": float(baseline),
                "target_rating": float(round(float(np.clip(drawn["target"], low, high))))
                if "target" in drawn
                else None,
                "higher_is_better": bool(stream.chance(life.goal_higher, 1)[0]),
            }
            day = max(0.0, float(life.goal_first.draw(stream, 1)[0]))
            while day <= last:
                course = baseline + drawn["slope"] * np.log1p(day / _WEEK)
                rating = course + life.goal_numbers["residual"][1] * float(stream.normal(1)[0])
                rows.append(goal | {"day": round(day), "rating": float(round(float(np.clip(rating, low, high))))})
                day += max(fit.step, float(life.goal_gaps.draw(stream, 1, _WEEK)[0]))
    return rows


def draw_events(fit: CohortFit, people: Sequence[Person], seed: int) -> list[dict[str, object]]:
    """Draw kinds of events and their days."""
    stream, life = Stream(seed, "twin", "events"), fit.life
    rows: list[dict[str, object]] = []
    for person, count in zip(people, life.events.draw(stream, len(people), 0), strict=True):
        for _ in range(int(str(count))):
            kind = life.event_kinds.draw(stream, 1, (OTHER, "neutral"))[0]
            day = round(float(life.event_days.draw(stream, 1)[0]) / fit.step) * fit.step
            named: dict[str, object] = dict(zip(("kind", "valence"), values_of(kind), strict=True))
            rows.append({"study_id": person.study_id, "day": day, **named})
    return rows


def table(rows: Sequence[dict[str, object]], schema: pl.Schema) -> pl.DataFrame:
    """Give rows the columns and types of a cohort's table, sorted as one."""
    columns = {
        name: pl.Series(name, [row.get(name) for row in rows], dtype=dtype, strict=False)
        for name, dtype in schema.items()
    }
    return pl.DataFrame(columns, schema=schema).sort(pl.all())
