"""A course in plain words: what a clinician would say of it, noise called noise."""

from __future__ import annotations

import datetime as dt
from typing import Any

from mbc.models.courses.one_course import Course, Setback, SuddenStep

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_NUMBERS = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)


def describe_course(course: Course) -> str:
    """Read a course out."""
    if course.n == 0:
        return "No score yet."
    if course.n == 1:
        return f"One score so far: {points(course.first)} ({when(course.first_at, course)})."
    parts = [
        _frame(course),
        _change(course),
        _steps(course, course.gains, "gain"),
        _steps(course, course.losses, "loss"),
        _setbacks(course),
        _plateau(course),
        _cutoff(course),
    ]
    return " ".join(part for part in parts if part)


def points(value: float | None) -> str:
    """Write a score or a difference, at most one decimal (two below 1).

    Examples
    --------
    >>> points(12.0), points(5.29), points(0.333)
    ('12', '5.3', '0.33')
    """
    if value is None:
        return "unknown"
    return f"{round(value, 2 if abs(value) < 1 else 1):g}"


def when(at: Any, course: Course) -> str:
    """Write a time: a date in words, else the unit and the number."""
    if isinstance(at, dt.date):
        return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"
    text = f"{at:g}" if isinstance(at, float) else str(at)
    return f"{course.unit.removesuffix('s')} {text}"


def _on(at: Any, course: Course) -> str:
    return f"{'on' if isinstance(at, dt.date) else 'at'} {when(at, course)}"


def _frame(course: Course) -> str:
    span = points(course.time_covered)
    direction = "higher" if course.higher_is_better else "lower"
    noise = "" if course.threshold is None else f"; up to {points(course.threshold)} points is measurement error"
    over = f" over {span} {course.unit}" if course.unit == "days" else ""
    return (
        f"{_count(course.n).capitalize()} scores{over}, from {points(course.first)} to {points(course.last)} "
        f"({direction} is better{noise})."
    )


def _change(course: Course) -> str:
    if course.threshold is None:
        return ""
    verdicts = [("better", course.improved_at), ("worse", course.deteriorated_at)]
    dated = sorted((verdict for verdict in verdicts if verdict[1] is not None), key=lambda verdict: verdict[1])
    if not dated:
        return "No change from the first score was clear twice in a row."
    changes = " and ".join(f"clearly {word} than at the start from {when(at, course)}" for word, at in dated)
    return f"{changes[0].upper()}{changes[1:]}."


def _steps(course: Course, steps: tuple[SuddenStep, ...], kind: str) -> str:
    if not steps:
        return ""
    lost = {
        True: "more than half lost again later",
        False: "maintained so far",
        None: "too recent to tell whether it lasts",
    }
    made_good = {
        True: "more than half recovered later",
        False: "not recovered so far",
        None: "too recent to tell whether it lasts",
    }
    after = lost if kind == "gain" else made_good
    described = [
        f"{points(step.magnitude)} points between {when(step.before, course)} and {when(step.after, course)} "
        f"({after[step.reversed]})"
        for step in steps
    ]
    name = f"sudden {kind}" if len(steps) == 1 else f"sudden {kind}{'s' if kind == 'gain' else 'es'}"
    return f"{_count(len(steps)).capitalize()} {name}: {'; '.join(described)}."


def _setbacks(course: Course) -> str:
    if course.threshold is None:
        return ""
    if not course.setbacks:
        return "No clear setback."
    described = "; ".join(_setback(setback, course) for setback in course.setbacks)
    name = "setback" if len(course.setbacks) == 1 else "setbacks"
    return f"{_count(len(course.setbacks)).capitalize()} {name}: {described}."


def _setback(setback: Setback, course: Course) -> str:
    once = ", on one occasion only" if setback.occasions == 1 else ""
    text = f"{points(setback.depth)} points below the best so far, worst {_on(setback.worst_at, course)}{once}"
    if setback.regained_at is not None:
        spent = f" after {points(setback.time_to_regain)} days" if course.unit == "days" else ""
        return f"{text}, regained {_on(setback.regained_at, course)}{spent}"
    if setback.eased_at is not None:
        return f"{text}, back within measurement error {_on(setback.eased_at, course)}"
    return f"{text}, not yet regained"


def _plateau(course: Course) -> str:
    if course.plateau is None:
        return ""
    plateau = course.plateau
    return (
        f"The longest plateau: {_count(plateau.scores)} scores between {points(plateau.lowest)} and "
        f"{points(plateau.highest)}, from {when(plateau.start, course)} to {when(plateau.end, course)}."
    )


def _cutoff(course: Course) -> str:
    if course.share_beyond_cutoff is None:
        return ""
    share = round(100 * course.share_beyond_cutoff)
    return f"On the better side of the cutoff ({points(course.cutoff)}) for {share} % of the time."


def _count(number: int) -> str:
    return _NUMBERS[number] if number < len(_NUMBERS) else str(number)
