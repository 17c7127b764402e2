"""The forms of goals: a new one, how far the client is, a revision, and its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dashboards.forms.entry import Draft, EntryForm, Subject
from dashboards.forms.fields import Field, Reading, choice_or_words, choices, scale_choices, words_of_choice
from dashboards.forms.record_words import quoted
from mbc.care.client.goals import known_scale
from mbc.care.words import number
from mbc.errors import StoreError
from mbc.store import Goal, GoalRating

RETIRED = ("reached", "no longer wanted", "replaced by another goal", "care ended")
_MOST = 10


def _goal_fields(subject: Subject, goal: Goal | None, _: Mapping[str, str]) -> tuple[Field, ...]:
    own_scale = goal is not None and goal.scale is not None
    most = None if own_scale else _MOST
    least = None if own_scale else 0
    hint = "in points of its scale" if own_scale else "0 to 10"
    return (
        Field("label", "Goal, in the client's own words", value=goal.label if goal else "", longest=160),
        Field(
            "baseline", "Where the client is now" if goal is None else "Where the client began", "number",
            _written(goal.baseline if goal else None), required=False, least=least, most=most, hint=hint,
        ),
        Field(
            "target", "Where it counts as reached", "number", _written(goal.target if goal else 8.0),
            required=False, least=least, most=most, hint=hint,
        ),
        Field(
            "direction", "What is better", "choice",
            "higher" if goal is None or goal.higher_is_better else "lower",
            choices((("higher", "A higher rating"), ("lower", "A lower rating"))),
        ),
        Field("set_on", "Set on", "day", (goal.set_on if goal else subject.today).isoformat(), most=subject.today),
    )  # fmt: skip


def _written(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _goal_draft(subject: Subject, goal: Goal | None, typed: Reading, token: str) -> Draft:
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
            _rating_name(place), goal.label, "choice", "", scale_choices(0, _MOST), required=False,
            hint=_last_rating(subject, goal),
        )
        for place, goal in enumerate(_rated_goals(subject))
    ]  # fmt: skip
    return (*fields, Field("rated_on", "Day", "day", subject.today.isoformat(), most=subject.today))


def _rating_name(place: int) -> str:
    return f"rating-{place}"


def _last_rating(subject: Subject, goal: Goal) -> str:
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
        raise StoreError("Rate at least one goal; the others can stay blank.")
    return Draft(ratings)


def _no_goals(subject: Subject) -> str:
    return "" if _rated_goals(subject) else "No goal to rate. Set one first, under Goals."


def _retire_fields(subject: Subject, _: object, __: Mapping[str, str]) -> tuple[Field, ...]:
    return (
        *choice_or_words("why", "Why", RETIRED, "Another reason", longest=160, hint="needed for another reason"),
        Field("retired_on", "Day", "day", subject.today.isoformat(), most=subject.today),
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
    lead="0 is not at all, 10 is fully. Number keys rate and go on; x is 10.",
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
