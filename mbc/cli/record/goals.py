"""Commands of goals: a new one, its revision and its end, and where the client stands with it."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any, get_args

import click

from mbc.care.client.goals import ATTAINMENT, GOAL_BASED, known_scale, rating_range
from mbc.cli.record.write import Made, day_option, entry_options, today, write
from mbc.errors import MbcError, NotInRecord
from mbc.store import Goal, GoalRating, Store
from mbc.store.schema.entries import Pattern


@click.command("goal")
@entry_options
@click.argument("label", required=False)
@click.option("--id", "goal_id", metavar="ID", help="Revise or retire this goal.")
@click.option("--baseline", type=click.FLOAT, help="The client's rating at the start.")
@click.option("--target", type=click.FLOAT, help="The target.")
@click.option("--lower-is-better", is_flag=True, help="A lower rating is better.")
@click.option("--scale", metavar="KEY", help="Rated on this scale, such as rses; default: 0 to 10.")
@click.option(
    "--pattern",
    type=click.Choice(get_args(Pattern)),
    help="A relationship pattern that the goal is meant to change.",
)
@click.option("--retire", metavar="REASON", help="Retire the goal: reached, or no longer wanted.")
@day_option("day", "--on", help="Day on which it was set, or retired; default: today.")
def goal(*, client_id: str, store_url: str, username: str | None, supersede: str | None, **given: Any) -> None:
    """Record a goal in the client's own words; with --id revise it, with --retire end it."""

    def make(store: Store) -> Made:
        day = given["day"] or today()
        if given["goal_id"] is None:
            if given["label"] is None or given["retire"] is not None:
                raise click.UsageError("A new goal needs its text; use --id for a goal on record.")
            made = Goal(
                f"G-{secrets.token_hex(4)}", client_id, given["label"], day, given["baseline"], given["target"],
                not given["lower_is_better"], scale=given["scale"], pattern=given["pattern"],
            )  # fmt: skip
            return Made([_checked(made)])
        now = _named(_goals(store, client_id), given["goal_id"], client_id)
        if given["retire"] is not None:
            retired = replace(now, retired_on=day, retired_reason=given["retire"])
            return Made([retired], f"retired: {given['retire']}")
        names = ("label", "baseline", "target", "scale", "pattern")
        change: dict[str, Any] = {name: given[name] for name in names if given[name] is not None}
        change |= {"higher_is_better": False} if given["lower_is_better"] else {}
        return Made([_checked(replace(now, **change))], "revised")

    write(store_url, username, supersede, make)


@click.command("rating", context_settings={"ignore_unknown_options": True})
@entry_options
@click.argument("named", metavar="GOAL")
@click.argument("rating", type=click.FLOAT)
@day_option("rated_on", "--on")
@click.option("--gas", is_flag=True, help="On the levels of goal attainment scaling, -2 to 2.")
def rating(
    *, client_id: str, named: str, rating: float, store_url: str, username: str | None, supersede: str | None,
    rated_on: Any, gas: bool,
) -> None:  # fmt: skip
    """Record the client's rating of GOAL (its identifier, or the beginning of its text): 0 to 10.

    A goal whose start or target is below 0 is rated -2 to 2, as in goal attainment scaling.
    """

    def make(store: Store) -> Made:
        chosen = _named([each for each in _goals(store, client_id) if each.retired_on is None], named, client_id)
        if known_scale(chosen.scale) is not None:
            raise MbcError(f"The goal '{chosen.label}' is rated by its questionnaire ({chosen.scale}).")
        least, most = ATTAINMENT if gas else rating_range(chosen.baseline, chosen.target)
        if not least <= rating <= most:
            raise MbcError(f"The rating is {rating:g}; the goal '{chosen.label}' is rated {least:g} to {most:g}.")
        return Made([GoalRating(chosen.goal_id, rated_on or today(), rating)])

    write(store_url, username, supersede, make)


def _goals(store: Store, client_id: str) -> list[Goal]:
    return [Goal(**row) for row in store.goals(client_id=client_id).iter_rows(named=True)]


def _named(goals: list[Goal], named: str, client_id: str) -> Goal:
    """Find a goal by its identifier, or by the beginning of its words."""
    by_id = [goal for goal in goals if goal.goal_id == named]
    matches = by_id or [goal for goal in goals if goal.label.casefold().startswith(named.casefold())]
    if len(matches) == 1:
        return matches[0]
    listed = "; ".join(f"{goal.goal_id} {goal.label}" for goal in matches or goals) or "none"
    verb = "more than one goal" if matches else "no goal"
    raise NotInRecord(f"{client_id} has {verb} '{named}'. On record: {listed}.")


def _checked(goal: Goal) -> Goal:
    if goal.scale is not None and known_scale(goal.scale) is None:
        raise MbcError(f"There is no scale '{goal.scale}'. Write a questionnaire's key, or KEY.SCALE.")
    for name in ("baseline", "target"):
        value = getattr(goal, name)
        if goal.scale is None and value is not None and not ATTAINMENT[0] <= value <= GOAL_BASED[1]:
            raise MbcError(f"{name} is {value:g}; a goal is rated 0 to 10, or -2 to 2, unless it names a scale.")
    return goal


COMMANDS = {"goal": goal, "rating": rating}
