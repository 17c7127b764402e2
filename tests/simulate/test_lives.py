"""Relationships, attendance and the battery are those of a real clinic."""

from __future__ import annotations

import polars as pl
import pytest

import mbc
from mbc.simulate.questionnaires.battery import SECONDS_PER_ITEM

SATISFACTION = ("csi16", "csi4", "csi32", "ras")


def about_relationships(clinic) -> pl.DataFrame:
    keys = ["client_id", "taken_on", "target"]
    return pl.concat([clinic.administrations[key].select(keys) for key in SATISFACTION]).unique()


def test_satisfaction_is_asked_only_about_a_relationship_that_stands_on_that_day(large):
    standing = (
        about_relationships(large)
        .sort("taken_on")
        .join_asof(
            large.statuses.drop_nulls("relationship_id").sort("since"),
            left_on="taken_on",
            right_on="since",
            by_left=["client_id", "target"],
            by_right=["client_id", "relationship_id"],
            check_sortedness=False,
        )
    )
    assert standing["status"].null_count() == 0
    assert all(mbc.applicable("csi16", status) for status in standing["status"].unique())


def test_single_clients_never_have_a_satisfaction_measure(large):
    never = large.clients.join(large.relationships, on="client_id", how="anti")
    assert never.height > 300
    assert about_relationships(large).join(never, on="client_id", how="semi").is_empty()


def test_satisfaction_stops_when_the_relationship_ends(large):
    over = large.statuses.filter(pl.col("status").is_in(["ended", "separated"]))
    asked = about_relationships(large).join(over, left_on="target", right_on="relationship_id")
    assert asked.height > 500
    assert (asked["taken_on"] < asked["since"]).all()


def test_a_new_relationship_is_a_new_target(large):
    second = about_relationships(large).filter(pl.col("target").str.ends_with(".R2"))
    assert second.height > 20
    began = large.statuses.filter(pl.col("relationship_id").str.ends_with(".R2"))
    joined = second.join(began, left_on="target", right_on="relationship_id")
    assert (joined["taken_on"] >= joined["since"]).all()


def test_endings_are_marked_as_growth_or_as_hard_and_fall_on_the_day_of_the_status(large):
    events = large.events.filter(pl.col("kind").is_in(["break-up", "separation"]))
    assert set(events["valence"]) == {"growth", "hard"}
    over = large.statuses.filter(pl.col("status").is_in(["ended", "separated"]) & (pl.col("since") > large.start))
    both = events.join(over, left_on=["client_id", "occurred_on"], right_on=["client_id", "since"])
    assert both.height == events.height


def test_who_makes_no_headway_drops_out_more_often(large):
    gains = large.truth.filter(pl.col("construct") == "self_esteem")
    mean = dict(gains.group_by("ending").agg(pl.col("improvement").mean()).iter_rows())
    assert mean["dropped out"] < 0.25 < 0.7 < mean["planned"]
    share = gains.group_by("course").agg((pl.col("ending") == "dropped out").mean().alias("dropped"))
    dropped = dict(share.iter_rows())
    assert dropped["worsening"] > 1.5 * dropped["gradual"]


def test_between_a_fifth_and_a_third_drop_out_and_half_end_as_planned(large):
    share = large.truth.unique("client_id")["ending"].value_counts(normalize=True)
    by_ending = dict(share.iter_rows())
    assert 0.2 < by_ending["dropped out"] < 0.33
    assert 0.4 < by_ending["planned"] < 0.6


def test_questionnaires_belong_to_attended_sessions_of_that_day_or_the_day_before(sample):
    for frame in sample.administrations.values():
        joined = frame.join(
            sample.sessions, left_on=["client_id", "session_number"], right_on=["client_id", "number"], how="left"
        )
        gap = (joined["held_on"] - joined["taken_on"]).dt.total_days()
        assert joined["attended"].all()
        assert set(gap.to_list()) <= {0, 1}


def test_some_sessions_are_missed_and_some_weeks_have_none(sample):
    missed = 1 - sample.sessions["attended"].mean()
    assert 0.05 < missed < 0.15
    gaps = sample.sessions.select(pl.col("held_on").diff().over("episode_id").dt.total_days()).to_series()
    assert (gaps.drop_nulls() >= 14).mean() > 0.05
    assert set(sample.sessions["modality"]) == {"in person", "video"}


@pytest.mark.long
def test_no_session_but_a_review_asks_for_more_than_three_minutes(large):
    items = pl.concat(
        [
            frame.select("client_id", "session_number", pl.lit(len(mbc.instrument(key).items)).alias("items"))
            for key, frame in large.administrations.items()
        ]
    )
    load = items.group_by("client_id", "session_number").agg(pl.col("items").sum())
    nth = large.sessions.filter("attended").with_columns(
        (pl.col("number").rank("ordinal").over("episode_id") - 1).alias("nth"),
        (pl.col("number") == pl.col("number").max().over("episode_id")).alias("last"),
    )
    load = load.join(nth, left_on=["client_id", "session_number"], right_on=["client_id", "number"])
    weekly = load.filter((pl.col("nth") % 4 != 0) & ~pl.col("last"))
    assert weekly["items"].max() * SECONDS_PER_ITEM <= 180
    assert load["items"].max() * SECONDS_PER_ITEM <= 13 * 60


def test_some_items_are_blank_and_no_sheet_is_empty(large):
    for key, frame in large.administrations.items():
        items = frame.select(mbc.instrument(key).item_columns())
        blanks = items.select(pl.sum_horizontal(pl.all().is_null())).to_series()
        assert 0.003 < blanks.sum() / (items.height * items.width) < 0.02, key
        assert blanks.max() < items.width, key


def test_goals_are_rated_within_their_time_on_a_scale_of_ten(sample):
    rated = sample.goal_ratings.join(sample.goals, on="goal_id")
    assert rated["rating"].is_between(0, 10).all()
    assert (rated["rated_on"] >= rated["set_on"]).all()
    retired = rated.filter(pl.col("retired_on").is_not_null())
    assert (retired["rated_on"] <= retired["retired_on"]).all()
    assert set(sample.goals["higher_is_better"]) == {True, False}
    assert sample.goals["retired_reason"].null_count() == sample.goals["retired_on"].null_count()


@pytest.mark.parametrize(
    "kind", ["break-up", "moved out", "new relationship", "job change", "holiday gap", "rupture"]
)
def test_events_of_each_kind_are_on_record(sample, kind):
    assert kind in set(sample.events["kind"])
    assert {"growth", "hard", "neutral"} == set(sample.events["valence"])


def test_events_fall_within_care(large):
    joined = large.events.join(large.episodes.filter(pl.col("episode_id").str.ends_with(".E1")), on="client_id")
    since = joined.select((pl.col("occurred_on") - pl.col("started_on")).dt.total_days()).to_series()
    until = joined.select((pl.col("ended_on") - pl.col("occurred_on")).dt.total_days()).to_series()
    assert since.min() >= -7  # what changed in the week before the first session is known then
    assert until.drop_nulls().min() >= 0
