"""How the clients' relationships, goals and events read as a record.

Columns are those of the store's readers. Only what was known to the clinic is written: nothing after the last
session.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from mbc.simulate.drawn_clinic import Drawn
from mbc.simulate.people.events import CATALOGUE, CHANGE_DAY, KEYS
from mbc.simulate.people.goals import GOALS, REASONS, RETIRED_DAY
from mbc.simulate.people.relationships import KINDS, MARRIED, NEVER, SINGLE, Relationships
from mbc.simulate.streams import Ints
from mbc.simulate.tables.record_tables import NO_DAY, days, ids


def recorded_relationships(drawn: Drawn) -> Relationships:
    """Relationships as far as the clinic heard of them: up to the last appointment."""
    lives, last = drawn.relationships, drawn.attendance.last_day
    heard = [
        np.where(7 * at + CHANGE_DAY <= last, at, NEVER)
        for at in (lives.ended, lives.new_relationship, lives.moved_in)
    ]
    return Relationships(lives.situation, lives.since, heard[0], lives.chosen, heard[1], heard[2])


def relationship_ids(drawn: Drawn, client: Ints, number: Ints) -> pl.Series:
    """``C014.R1`` from a client row and the number of the relationship."""
    return ids(drawn, client) + ".R" + pl.Series(number).cast(pl.String)


def relationships(drawn: Drawn) -> pl.DataFrame:
    """Relationships that the clinic knows of, by label only."""
    lives = recorded_relationships(drawn)
    first, later = np.flatnonzero(lives.has_relationship), np.flatnonzero(lives.new_relationship < NEVER)
    client = np.concatenate([first, later])
    number = np.concatenate([np.ones(first.size, dtype=np.int64), 1 + lives.has_relationship[later]])
    return pl.DataFrame(
        {
            "relationship_id": relationship_ids(drawn, client, number),
            "client_id": ids(drawn, client),
            "label": "R" + pl.Series(number).cast(pl.String),
            "kind": pl.repeat("partner", client.size, eager=True),
        }
    ).sort("relationship_id")


def statuses(drawn: Drawn) -> pl.DataFrame:
    """How each client lives, and how each relationship stands, from which day on."""
    lives = recorded_relationships(drawn)
    rows = np.arange(len(drawn.people))
    at_first = np.where(lives.situation == SINGLE, 0, 1)
    wed = lives.situation == MARRIED
    kinds = np.array(KINDS)
    over = np.where(wed, "separated", "ended")
    single = np.where(wed, NEVER, lives.ended)  # those who separate are not called single
    parts = [
        _standing(drawn, rows, at_first, kinds[lives.situation], -lives.since),
        _changing(drawn, lives.moved_in, at_first, np.full(rows.size, "cohabiting")),
        _changing(drawn, lives.ended, at_first, over),
        _changing(drawn, single, np.zeros_like(rows), np.full(rows.size, "single")),
        _changing(drawn, lives.new_relationship, 1 + lives.has_relationship, np.full(rows.size, "dating")),
    ]
    return pl.concat(parts).sort("client_id", "since", "relationship_id", nulls_last=True)


def _changing(drawn: Drawn, week: Ints, number: Ints, status: np.ndarray) -> pl.DataFrame:
    rows = np.flatnonzero(week < NEVER)
    return _standing(drawn, rows, number[rows], status[rows], 7 * week[rows] + CHANGE_DAY)


def _standing(drawn: Drawn, rows: Ints, number: Ints, status: np.ndarray, day: Ints) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "client_id": ids(drawn, rows),
            "relationship_id": relationship_ids(drawn, rows, number),
            "status": pl.Series(status, dtype=pl.String),
            "since": days(drawn.start, day),
            "of": pl.Series(number),
        }
    ).select(
        "client_id", pl.when(pl.col("of") > 0).then("relationship_id").alias("relationship_id"), "status", "since"
    )


def goals(drawn: Drawn) -> pl.DataFrame:
    """Goals of the clients, on a scale of 0 to 10."""
    goal, attendance = drawn.goals, drawn.attendance
    retired = goal.retired_week >= 0
    end = np.where(retired, 7 * goal.retired_week + RETIRED_DAY, NO_DAY)
    storied = np.isin(goal.client, np.arange(len(drawn.stories)))
    drawn_goals = pl.DataFrame(
        {
            "goal_id": ids(drawn, goal.client) + ".G" + pl.Series(goal.number).cast(pl.String),
            "client_id": ids(drawn, goal.client),
            "label": pl.Series([label for label, _, _ in GOALS]).gather(pl.Series(goal.choice)),
            "baseline": pl.Series(goal.baseline).cast(pl.Int64),
            "target": pl.Series(goal.target).cast(pl.Int64),
            "higher_is_better": pl.Series([higher for _, _, higher in GOALS]).gather(pl.Series(goal.choice)),
            "set_on": days(drawn.start, attendance.day[goal.client, goal.set_week]),
            "retired_on": days(drawn.start, end),
            "retired_reason": pl.Series(REASONS).gather(pl.Series(np.where(retired, goal.reason, 0))),
            "scale": pl.Series([None] * len(goal.client), dtype=pl.String),
        }
    ).with_columns(pl.when(pl.col("retired_on").is_not_null()).then("retired_reason").alias("retired_reason"))
    return pl.concat([_storied_goals(drawn, drawn_goals.schema), drawn_goals.filter(pl.Series(~storied))])


def _storied_goals(drawn: Drawn, schema: pl.Schema) -> pl.DataFrame:
    rows = []
    for row, story in enumerate(drawn.stories):
        for number, goal in enumerate(story.goals, start=1):
            set_week = int(goal.ratings[0][0])
            end = NO_DAY if goal.retired is None else 7 * goal.retired[0] + story.weekday
            on = days(drawn.start, np.array([drawn.attendance.day[row, set_week], end])).to_list()
            reason = None if goal.retired is None else goal.retired[1]
            facts = (goal.label, goal.baseline, goal.target, goal.higher_is_better)
            rows.append((f"{story.client_id}.G{number}", story.client_id, *facts, *on, reason, goal.scale))
    return pl.DataFrame(rows, schema=schema, orient="row")


def goal_ratings(drawn: Drawn) -> pl.DataFrame:
    """Where clients stand with their goals, as they rate it."""
    goal, attendance = drawn.goals, drawn.attendance
    ordinary = drawn.rated & (goal.client >= len(drawn.stories))[:, None]
    row, week = np.nonzero(ordinary)
    client = goal.client[row]
    drawn_ratings = pl.DataFrame(
        {
            "goal_id": ids(drawn, client) + ".G" + pl.Series(goal.number[row]).cast(pl.String),
            "client_id": ids(drawn, client),
            "rated_on": days(drawn.start, attendance.day[client, week]),
            "rating": pl.Series(drawn.rating[row, week]).cast(pl.Int64),
        }
    )
    storied = [
        (f"{story.client_id}.G{number}", story.client_id, 7 * int(week) + story.weekday, int(rating))
        for story in drawn.stories
        for number, goal in enumerate(story.goals, start=1)
        if goal.scale is None
        for week, rating in goal.ratings
    ]
    schema = {"goal_id": pl.String, "client_id": pl.String, "day": pl.Int64, "rating": pl.Int64}
    written = pl.DataFrame(storied, schema=schema, orient="row")
    written = written.with_columns(days(drawn.start, written["day"].to_numpy()).alias("day")).rename(
        {"day": "rated_on"}
    )
    return pl.concat([written, drawn_ratings])


def events(drawn: Drawn) -> pl.DataFrame:
    """Events of the clients' lives, in plain words."""
    ordinary = drawn.events.client >= len(drawn.stories)
    client, key = drawn.events.client[ordinary], drawn.events.key[ordinary]
    storied = [
        (
            row,
            7 * week + (CHANGE_DAY if week in (story.ended, story.new_relationship) else 3),
            kind,
            label,
            valence,
        )
        for row, story in enumerate(drawn.stories)
        for week, kind, label, valence in story.events
    ]
    schema = {"row": pl.Int64, "day": pl.Int64, "kind": pl.String, "label": pl.String, "valence": pl.String}
    texts = [pl.Series([CATALOGUE[name][part] for name in KEYS]).gather(pl.Series(key)) for part in range(3)]
    every = pl.concat(
        [
            pl.DataFrame(storied, schema=schema, orient="row"),
            pl.DataFrame([pl.Series(client), pl.Series(drawn.events.day[ordinary]), *texts], schema=schema),
        ]
    ).sort("row", "day", maintain_order=True)
    number = pl.int_range(1, pl.len() + 1).over("row")
    return every.with_columns(
        ids(drawn, every["row"].to_numpy()).alias("client_id"),
        days(drawn.start, every["day"].to_numpy()).alias("occurred_on"),
        number.alias("number"),
    ).select(
        pl.format("{}.V{}", "client_id", "number").alias("event_id"),
        "client_id",
        "occurred_on",
        "kind",
        "label",
        "valence",
    )
