"""The forms of goals: a new one, how far the client is, a revision, and its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

from dashboards.forms.entry import Draft, EntryForm, Subject
from dashboards.forms.fields import (
    Choice,
    Field,
    Reading,
    choice_or_words,
    choices,
    scale_choices,
    words_of_choice,
)
from dashboards.forms.record_words import quoted
from mbc.care.client.goals import ATTAINMENT, GOAL_BASED, known_scale, rating_range
from mbc.care.words import number
from mbc.errors import StoreError
from mbc.store import Goal, GoalRating
from mbc.store.schema.entries import Pattern

RETIRED = ("reached", "no longer wanted", "replaced by another goal", "care ended")
_MOST = 10
_LEVELS = (("points", "0 to 10"), ("gas", "-2 to 2, goal attainment"))
_NO_PATTERN = "-"


def _goal_fields(subject: Subject, goal: Goal | None, _: Mapping[str, str]) -> tuple[Field, ...]:
    own_scale = goal is not None and goal.scale is not None
    least, most = (None, None) if own_scale else (ATTAINMENT[0], GOAL_BASED[1])
    hint = "in points on its scale" if own_scale else "0 to 10; or from -2 to 2, where 0 is the expected outcome"
    attained = goal is not None and rating_range(goal.baseline, goal.target) == ATTAINMENT
    levels = (
        ()
        if own_scale
        else (Field("levels", "How it is rated", "choice", "gas" if attained else "points", choices(_LEVELS)),)
    )
    return (
        Field("label", "Goal, in the client's own words", value=goal.label if goal else "", longest=160),
        Field(
            "baseline", "Where the client is now" if goal is None else "Where the client began", "number",
            _written(goal.baseline if goal else None), required=False, least=least, most=most, hint=hint,
        ),
        Field(
            "target", "Target, where the goal counts as reached", "number", _written(goal.target if goal else 8.0),
            required=False, least=least, most=most, hint=hint,
        ),
        *levels,
        Field(
            "direction", "Which rating is better", "choice",
            "higher" if goal is None or goal.higher_is_better else "lower",
            choices((("higher", "A higher rating"), ("lower", "A lower rating"))),
        ),
        Field(
            "pattern", "Pattern to change", "select", (goal and goal.pattern) or _NO_PATTERN,
            choices([(_NO_PATTERN, "None"), *((name, name.capitalize()) for name in get_args(Pattern))]),
        ),
        Field("set_on", "Set on", "day", (goal.set_on if goal else subject.today).isoformat(), most=subject.today),
    )  # fmt: skip


def _written(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _require_levels(typed: Reading) -> None:
    """Refuse a start or target that the chosen way of rating does not have."""
    least, most = ATTAINMENT if typed.text("levels") == "gas" else GOAL_BASED
    values = {name: typed.number(name) for name in ("baseline", "target")}
    for name, value in values.items():
        if value is not None and not least <= value <= most:
            raise StoreError(f"{name}: On this scale, enter a number from {least:g} to {most:g}.")
    if typed.text("levels") == "gas" and rating_range(values["baseline"], values["target"]) != ATTAINMENT:
        raise StoreError(
            "baseline: On the scale from -2 to 2, a goal starts at -2 or -1; 0 is the expected outcome."
        )


def _goal_draft(subject: Subject, goal: Goal | None, typed: Reading, token: str) -> Draft:
    if goal is None or goal.scale is None:
        _require_levels(typed)
    chosen: Any = typed.text("pattern")
    made = Goal(
        goal_id=goal.goal_id if goal else f"G-{token}",
        client_id=subject.client_id,
        label=typed.text("label"),
        set_on=typed.day("set_on"),
        baseline=typed.number("baseline"),
        target=typed.number("target"),
        higher_is_better=typed.text("direction") == "higher",
        scale=goal.scale if goal else None,
        retired_on=goal.retired_on if goal else None,
        retired_reason=goal.retired_reason if goal else None,
        pattern=None if chosen in ("", _NO_PATTERN) else chosen,
    )
    rated = goal is None and made.baseline is not None
    first = (GoalRating(made.goal_id, made.set_on, made.baseline or 0.0),) if rated else ()
    return Draft((made, *first))


def _rated_goals(subject: Subject) -> list[Goal]:
    """Goals that the client rates; a goal on a questionnaire's scale is rated by that questionnaire."""
    return [goal for goal in subject.goals if known_scale(goal.scale) is None]


def _rating_fields(subject: Subject, _: object, __: Mapping[str, str]) -> tuple[Field, ...]:
    fields = [
        Field(
            _rating_name(place), goal.label, "choice", "", level_choices(goal), required=False,
            hint=last_rating(subject, goal),
        )
        for place, goal in enumerate(_rated_goals(subject))
    ]  # fmt: skip
    return (*fields, Field("rated_on", "Date", "day", subject.today.isoformat(), most=subject.today))


def level_choices(goal: Goal) -> tuple[Choice, ...]:
    """Give the levels of a goal: 0 to 10 by their keys, or -2 to 2 by the keys 1 to 5."""
    least, most = (int(end) for end in rating_range(goal.baseline, goal.target))
    if least == 0:
        return scale_choices(0, _MOST)
    levels = range(least, most + 1)
    return tuple(Choice(str(n), number(n, signed=True), key=str(n - least + 1)) for n in levels)


def _rating_name(place: int) -> str:
    return f"rating-{place}"


def last_rating(subject: Subject, goal: Goal) -> str:
    """Say where a goal was rated last, and where it counts as reached."""
    ratings = subject.ratings(goal.goal_id)
    target = "" if goal.target is None else f"target {number(goal.target, 1)}"
    last = f"last time {number(ratings[-1].rating, 1)}" if ratings else "not rated yet"
    return ", ".join(filter(None, (last, target)))


def _rating_draft(subject: Subject, _: object, typed: Reading, __: str) -> Draft:
    day = typed.day("rated_on")
    ratings = tuple(
        GoalRating(goal.goal_id, day, float(typed.text(_rating_name(place))))
        for place, goal in enumerate(_rated_goals(subject))
        if typed.text(_rating_name(place))
    )
    if not ratings:
        raise StoreError("Rate at least one goal; the others can be left blank.")
    return Draft(ratings)


def _no_goals(subject: Subject) -> str:
    return "" if _rated_goals(subject) else "There is no goal to rate. Add one first, under Goals."


def _retire_fields(subject: Subject, _: object, __: Mapping[str, str]) -> tuple[Field, ...]:
    return (
        *choice_or_words("why", "Why", RETIRED, "Another reason", longest=160, hint="required for another reason"),
        Field("retired_on", "Date", "day", subject.today.isoformat(), most=subject.today),
    )


def _retire_draft(_: Subject, goal: Goal, typed: Reading, __: str) -> Draft:
    reason = words_of_choice(typed, "why", "why the goal is retired")
    retired = replace(goal, retired_on=typed.day("retired_on"), retired_reason=reason)
    return Draft((retired,), reason=f"retired: {reason}")


NEW_GOAL = EntryForm(
    key="goal",
    title="New goal",
    group="Goals",
    writes=(Goal, GoalRating),
    fields=_goal_fields,
    draft=_goal_draft,
    changes=True,
    links=lambda subject: [(f"Revise {quoted(goal.label)}", goal) for goal in subject.goals],
)
RATE_GOALS = EntryForm(
    key="goal-ratings",
    title="Goal ratings",
    group="This session",
    writes=(GoalRating, Goal),
    fields=_rating_fields,
    draft=_rating_draft,
    unavailable=_no_goals,
    lead="0 is not at all, 10 is fully; x enters 10. From -2 to 2, 0 is as expected; keys 1 to 5.",
)
RETIRE_GOAL = EntryForm(
    key="retire-goal",
    title="Retire a goal",
    group="Goals",
    writes=(Goal,),
    fields=_retire_fields,
    draft=_retire_draft,
    changes=True,
    only_changes=True,
    button="Retire",
    links=lambda subject: [(f"Retire {quoted(goal.label)}", goal) for goal in subject.goals],
)
