"""Expected courses that came from elsewhere are held against their questionnaire, and then used."""

from __future__ import annotations

import pytest

from mbc.care import CohortModels, client_trajectory
from mbc.care.forecast.model_files import read_models
from mbc.care.forecast.training_scores import followed_scores
from mbc.errors import ModelError, SettingsError, UnknownInstrument
from mbc.models import expected_course

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def made(sample):
    """A model of self-esteem, learned from half of the clinic."""
    frame = followed_scores(sample, "rses")
    half = frame.filter(frame["client"].str.contains("[02468]$"))
    return expected_course(
        half, outcome="score", time="time", client="client", higher_is_better=True, score_range=(0, 30),
        reliable_change=6, time_unit="weeks",
    )  # fmt: skip


def test_a_supplied_model_is_used_and_named(sample, made, tmp_path):
    made.save(tmp_path / "rses.total.json")
    models = CohortModels(sample, read_models(tmp_path))
    course = client_trajectory(sample, "D-WITHIN-NOISE", "rses", cohort=models)
    assert f"{made.card.clients} clients in model file {made.version}" in course.outlook


def test_the_main_scale_needs_no_name(made, tmp_path):
    made.save(tmp_path / "rses.json")
    assert list(read_models(tmp_path)) == [("rses", "total")]


@pytest.mark.parametrize(
    ("name", "fault", "words"),
    [
        ("phq9.total.json", ModelError, "is not a model of phq9.total: its range"),
        ("rsez.json", UnknownInstrument, "rsez"),
    ],
)
def test_a_model_of_something_else_is_refused(made, tmp_path, name, fault, words):
    made.save(tmp_path / name)
    with pytest.raises(fault, match=words):
        read_models(tmp_path)


@pytest.mark.slow  # a model of something else is refused
def test_a_model_in_other_units_of_time_is_refused(sample, tmp_path):
    frame = followed_scores(sample, "rses")
    days = expected_course(
        frame, outcome="score", time="time", client="client", higher_is_better=True, score_range=(0, 30),
        time_unit="days",
    )  # fmt: skip
    days.save(tmp_path / "rses.json")
    with pytest.raises(ModelError, match="unit of time is days, not weeks"):
        read_models(tmp_path)


def test_a_folder_without_models_is_said_to_be(tmp_path):
    with pytest.raises(SettingsError, match="contains no model file"):
        read_models(tmp_path)
    with pytest.raises(SettingsError, match="no model folder"):
        read_models(tmp_path / "none")
    assert read_models(None) == {}
