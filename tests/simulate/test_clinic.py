from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import mbc
from mbc import simulate
from mbc.errors import MbcError
from mbc.simulate.tables import write_files as writing


def test_the_same_arguments_make_the_same_clinic(sample):
    again = writing.frames(simulate.clinic())
    for name, frame in writing.frames(sample).items():
        assert_frame_equal(frame, again[name])


def test_ratings_of_the_alliance_are_added_and_change_nothing_else(sample):
    rated = writing.frames(simulate.clinic(alliance=True))
    for name, frame in writing.frames(sample).items():
        assert_frame_equal(frame, rated[name])
    scores = mbc.score(simulate.clinic(alliance=True).administrations["wai_sr"], "wai_sr")["wai_sr_total"]
    assert 3.4 < scores.mean() < 4.2  # near published samples of outpatients
    assert 0.4 < scores.std() < 0.9


def test_another_seed_makes_another_clinic(sample):
    other = simulate.clinic(seed=2)
    assert not sample.administrations["rses"].equals(other.administrations["rses"])
    assert other.clients["alias"][:7].to_list() == sample.clients["alias"][:7].to_list()  # the stories stay


@pytest.mark.long
def test_many_clients_are_made_at_once(large):
    assert large.clients.height == 3000
    assert large.clients["client_id"].is_unique().all()
    assert not large.clients["client_id"].str.starts_with("D-").any()


def test_another_start_moves_every_day_alike(sample):
    moved = simulate.clinic(start=date(2025, 2, 3))
    shift = sample.start - moved.start
    assert_frame_equal(
        sample.sessions.select("client_id", "held_on"),
        moved.sessions.select("client_id", pl.col("held_on") + shift),
    )


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"clients": 3}, "clients must be at least 7 with the storied clients, got 3."),
        ({"clients": 0, "stories": False}, "clients must be at least 1, got 0."),
        ({"clinicians": 0}, "clinicians must be at least 1, got 0."),
        ({"weeks": 30}, "weeks must be at least 35 with the storied clients, got 30."),
        ({"weeks": 11, "stories": False}, "weeks must be at least 12, got 11."),
        ({"seed": -1}, "seed must be at least 0, got -1."),
        ({"start": date(2026, 2, 3)}, "start must be a Monday, got 2026-02-03 (Tuesday)"),
    ],
)
def test_a_clinic_that_cannot_be_is_refused(asked, message):
    with pytest.raises(MbcError) as refused:
        simulate.clinic(**asked)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize("shape", [{"clients": 1}, {"clients": 2, "clinicians": 9}, {"clients": 30, "weeks": 12}])
def test_the_smallest_clinics_can_be_made_and_written(shape, tmp_path):
    made = simulate.clinic(stories=False, **shape)
    assert (made.write(tmp_path) / "README.md").read_text().count("D-") == 0


def test_frames_have_the_columns_of_the_record(sample):
    expected = {
        "clinicians": "clinician_id display_name",
        "clients": "client_id alias clinician_id registered_on status",
        "episodes": "episode_id client_id clinician_id referred_on started_on ended_on ending",
        "relationships": "relationship_id client_id label kind",
        "statuses": "client_id relationship_id status since",
        "sessions": "client_id episode_id number held_on attended modality",
        "totals": "client_id instrument target informant taken_on session_number scale score",
        "goals": "goal_id client_id label baseline target higher_is_better set_on retired_on retired_reason scale",
        "goal_ratings": "goal_id client_id rated_on rating",
        "events": "event_id client_id occurred_on kind label valence",
    }
    assert {name: " ".join(getattr(sample, name).columns) for name in expected} == expected


def test_references_between_tables_hold(sample):
    clients = sample.clients["client_id"].implode()
    for name in ("episodes", "relationships", "statuses", "sessions", "totals", "goals", "goal_ratings", "events"):
        assert getattr(sample, name)["client_id"].is_in(clients).all(), name
    assert sample.sessions["episode_id"].is_in(sample.episodes["episode_id"].implode()).all()
    assert sample.goal_ratings["goal_id"].is_in(sample.goals["goal_id"].implode()).all()
    assert sample.clients["clinician_id"].is_in(sample.clinicians["clinician_id"].implode()).all()
    related = sample.relationships["relationship_id"].implode()
    assert sample.statuses["relationship_id"].drop_nulls().is_in(related).all()


def test_no_occasion_is_on_record_twice(sample):
    for key, frame in sample.administrations.items():
        assert frame.select("client_id", "taken_on", "target").is_unique().all(), key
    assert sample.goal_ratings.select("goal_id", "rated_on").is_unique().all()
    assert sample.sessions.select("episode_id", "number").is_unique().all()
    assert sample.statuses.select("client_id", "relationship_id", "since").is_unique().all()
