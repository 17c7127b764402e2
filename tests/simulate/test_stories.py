"""Each storied client's charts tell the story that the alias names."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

import mbc
from mbc.simulate import STORIES
from mbc.simulate.people.population import READINGS


@pytest.fixture
def course(sample, scored):
    def one(client_id: str, key: str, scale: str = "total") -> pl.DataFrame:
        frame = scored(sample, key).filter(pl.col("client_id") == client_id).drop_nulls(f"{key}_{scale}")
        return frame.select("taken_on", "target", pl.col(f"{key}_{scale}").alias("score"))

    return one


def threshold(key: str, scale_key: str = "total") -> float:
    """Reliable change of Jacobson and Truax; where no norm is published, with the simulated population's own."""
    norm = mbc.instrument(key).scale(scale_key).change_norm
    if norm is not None:
        return 1.96 * norm.sd * (2 * (1 - norm.reliability)) ** 0.5
    reading = next(one for one in READINGS if (one.instrument, one.scale) == (key, scale_key))
    return 1.96 * reading.sd * (2 * (1 - reading.alpha)) ** 0.5


def test_all_stories_are_on_the_first_clinicians_caseload_under_their_alias(sample):
    clients = sample.clients.filter(pl.col("client_id").str.starts_with("D-"))
    assert clients["client_id"].to_list() == [story.client_id for story in STORIES]
    assert clients["alias"].to_list() == [
        "Anxious to secure", "Down before up", "Single and preparing", "Not on track", "Steady autumn",
        "Plateau, then a leap", "Within the noise",
    ]  # fmt: skip
    assert set(clients["clinician_id"]) == {"K01"}
    assert sample.clients.filter(pl.col("clinician_id") == "K01").height > 20


def test_anxious_to_secure_falls_with_setbacks_and_leaves_the_relationship_as_growth(sample, course):
    client = "D-ANXIOUS-SECURE"
    anxiety = course(client, "ecr_s", "anxiety")
    assert anxiety["score"][0] - anxiety["score"][-1] > threshold("ecr_s", "anxiety")
    assert (anxiety["score"].diff() >= 1).sum() >= 2  # at least two setbacks of a point or more
    left = sample.events.filter((pl.col("client_id") == client) & (pl.col("kind") == "break-up"))
    assert left["valence"].to_list() == ["growth"]
    assert left["occurred_on"].to_list() == [date(2026, 5, 30)]  # month 4
    satisfaction = course(client, "csi16")
    first = satisfaction.filter(pl.col("target") == f"{client}.R1")
    second = satisfaction.filter(pl.col("target") == f"{client}.R2")
    assert first["taken_on"].max() < date(2026, 5, 30)
    assert first["score"][0] - first["score"][-1] > threshold("csi16")
    assert second["taken_on"].min() > date(2026, 8, 20)
    assert second["score"].min() > 51.5  # the cutoff of the CSI-16


def test_self_esteem_falls_before_it_rises_and_avoidance_falls_late(sample, course):
    client = "D-DOWN-THEN-UP"
    esteem = course(client, "rses")["score"]
    lowest = esteem.arg_min()
    assert lowest is not None
    assert esteem[0] - esteem[lowest] > threshold("rses")
    assert esteem[-1] - esteem[lowest] > 2 * threshold("rses")
    assert esteem[-1] > esteem[0]
    avoidance = course(client, "ecr_s", "avoidance")
    half = avoidance.filter(pl.col("taken_on") < date(2026, 6, 15))["score"]
    assert half.max() - half.min() < 1
    assert half[-1] - avoidance["score"][-1] > threshold("ecr_s", "avoidance")
    separated = sample.statuses.filter((pl.col("client_id") == client) & (pl.col("status") == "separated"))
    assert course(client, "csi16")["taken_on"].max() < separated["since"][0]


def test_single_and_preparing_has_goals_and_attachment_but_never_a_satisfaction_measure(sample, course):
    client = "D-SINGLE-PREPARING"
    for key in ("csi16", "csi4", "csi32", "ras"):
        assert sample.administrations[key].filter(pl.col("client_id") == client).is_empty()
    assert set(sample.statuses.filter(pl.col("client_id") == client)["status"]) == {"single"}
    assert sample.goals.filter(pl.col("client_id") == client).height == 3
    anxiety = course(client, "ecr_s", "anxiety")["score"]
    assert anxiety[0] - anxiety[-1] > threshold("ecr_s", "anxiety")


def test_not_on_track_is_level_and_then_worse(sample, course):
    client = "D-NOT-ON-TRACK"
    esteem = course(client, "rses")
    early = esteem.filter(pl.col("taken_on") < date(2026, 4, 15))["score"]
    assert (early - early[0]).abs().max() < threshold("rses")
    assert early[0] - esteem["score"][-1] > threshold("rses")
    low_mood = course(client, "phq9")["score"]
    assert low_mood[-1] - low_mood[0] >= 6  # reliable deterioration on the PHQ-9
    assert "rupture" in sample.events.filter(pl.col("client_id") == client)["kind"].to_list()


def test_one_client_answers_one_item_above_zero_once_and_leaves_it_blank_once(sample):
    sheets = sample.administrations["phq9"].filter(pl.col("client_id") == "D-STEADY-AUTUMN")["phq9_9"]
    assert sheets.drop_nulls().sum() == 1
    assert sheets.null_count() == 1
    others = sample.administrations["phq9"].filter(
        pl.col("client_id").str.starts_with("D-") & (pl.col("client_id") != "D-STEADY-AUTUMN")
    )["phq9_9"]
    assert others.null_count() == 0
    assert others.sum() == 0


def test_a_plateau_is_followed_by_one_clear_step_that_holds(course):
    esteem = course("D-PLATEAU-LEAP", "rses")
    before = esteem.filter(pl.col("taken_on") < date(2026, 5, 30))["score"]
    after = esteem.filter(pl.col("taken_on") >= date(2026, 5, 30))["score"]
    assert before.max() - before.min() < threshold("rses")
    step = after[0] - before[-1]
    assert step == esteem["score"].diff().max()
    assert step > threshold("rses")
    assert after.min() > before.max()


def test_one_clients_changes_stay_within_measurement_error(course):
    for key, scale in [("rses", "total"), ("csi16", "total"), ("ecr_s", "anxiety"), ("ecr_s", "avoidance")]:
        scores = course("D-WITHIN-NOISE", key, scale)["score"]
        assert (scores - scores[0]).abs().max() < threshold(key, scale), key
