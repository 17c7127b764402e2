"""A synthetic twin: nobody is copied, statistics stay near, and analysis code runs on both unchanged."""

from __future__ import annotations

import json
import shutil
import stat
from collections import Counter
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from mbc import models
from mbc.care import first_and_last, keyed_answers, scores_over_time, simulated_cohort, synthetic_twin
from mbc.care.cohort.coarsen import coarsen
from mbc.care.cohort.files import read_cohort, write_cohort
from mbc.care.cohort.profiles import COARSE, SAFE_HARBOR
from mbc.care.cohort.twin.attacks_on_twin import area_under_curve, membership_test
from mbc.care.cohort.twin.fit_cohort import fit_people
from mbc.care.cohort.twin.pooled import pool_categories, pool_numbers
from mbc.errors import SettingsError
from mbc.instruments import score_stated
from tests.cli.in_process import mbc

pytestmark = pytest.mark.long
PEOPLE = 64


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A cohort's folder and its twin's, as the commands write them."""
    place = tmp_path_factory.mktemp("twin")
    write_cohort(simulated_cohort(clients=PEOPLE, clinicians=3, weeks=24), place / "cohort", formats=("parquet",))
    (place / "twin").mkdir()
    for name in ("twin.json", "stale.csv"):  # an earlier twin
        (place / "twin" / name).write_text("{}")
    ended = mbc("twin", place / "cohort", place / "twin", "--seed", "5", "--force")
    assert ended.returncode == 0, ended.stderr
    return place


def analysis(folder):
    """Code that a researcher would write: it names no folder and knows of no twin."""
    cohort = read_cohort(folder)
    rows = scores_over_time(cohort, "rses")
    fit = models.growth_curve(rows, outcome="score", time="week", client="study_id")
    items = keyed_answers(cohort, "rses").drop("study_id", "day").drop_nulls()
    return {
        "growth": [coefficient.estimate for coefficient in fit.coefficients],
        "scatter": rows["score"].std(),
        "alpha": models.alpha(items).value,
        "pairs": first_and_last(cohort, "rses").height,
        "sessions": cohort.people["sessions"].mean(),
    }


def test_the_same_analysis_runs_on_both_and_finds_nearly_the_same(home):
    real, drawn = analysis(home / "cohort"), analysis(home / "twin")
    # growth is fitted by mbc.models, which the twin's own summary does not use
    assert drawn["growth"][0] == pytest.approx(real["growth"][0], abs=0.4 * real["scatter"])
    assert drawn["growth"][1] == pytest.approx(real["growth"][1], abs=0.3 * real["scatter"])
    assert 0.75 < drawn["scatter"] / real["scatter"] < 1.3
    assert drawn["alpha"] == pytest.approx(real["alpha"], abs=0.08)
    assert 0.7 < drawn["pairs"] / real["pairs"] < 1.3
    assert drawn["sessions"] == pytest.approx(real["sessions"], rel=0.2)


def test_files_columns_and_types_are_those_of_the_cohort(home):
    real, drawn = read_cohort(home / "cohort").tables(), read_cohort(home / "twin").tables()
    assert {name: frame.schema for name, frame in real.items()} == {name: f.schema for name, f in drawn.items()}
    names = [{path.name for path in (home / folder).iterdir()} for folder in ("cohort", "twin")]
    assert names[1] - names[0] == {"twin.json"}
    assert names[0] <= names[1]
    assert pl.read_parquet(home / "twin" / "scores.parquet").equals(drawn["scores"])


def test_everything_says_that_it_is_synthetic_and_is_for_its_owner(home):
    codebook = json.loads((home / "twin" / "codebook.json").read_text())
    assert set(codebook["synthetic"]) == set(codebook["types"])
    assert "nobody in it exists" in (home / "twin" / "README.md").read_text()
    for name, frame in read_cohort(home / "twin").tables().items():
        assert frame["study_id"].str.starts_with("S").all(), name
    assert {stat.S_IMODE(path.stat().st_mode) for path in (home / "twin").iterdir()} == {0o600}
    assert stat.S_IMODE((home / "twin").stat().st_mode) == 0o700


def test_scores_are_those_of_the_items_and_answers_lie_in_the_range(home):
    twin = read_cohort(home / "twin")
    for key in ("rses", "gad7"):
        items = twin.items[key]
        for (form, coding), group in items.group_by("form", "coding"):
            again = score_stated(group, key, form=form, coding=coding).select("study_id", "day", f"{key}_total")
            joined = again.join(twin.scores.filter(pl.col("instrument") == key), on=["study_id", "day"])
            assert joined.height == group.height
            assert joined[f"{key}_total"].equals(joined["score"], check_names=False)
    phq9 = twin.scores.filter(pl.col("instrument") == "phq9")["score"].drop_nulls()
    assert phq9.is_between(0, 27).all()
    assert (phq9 % 1 == 0).all()
    attended = Counter(twin.sessions.filter("attended")["study_id"])
    assert all(
        attended[person] == number for person, number in twin.people.select("study_id", "sessions").iter_rows()
    )


def test_no_row_is_a_copy_and_the_measures_say_so(home):
    real, drawn = read_cohort(home / "cohort"), read_cohort(home / "twin")
    courses = [
        {
            tuple(zip(days, scores, strict=True))
            for _, days, scores in cohort.scores.filter(pl.col("instrument") == "rses")
            .group_by("study_id")
            .agg("day", "score")
            .iter_rows()
            if len(days) > 2
        }
        for cohort in (real, drawn)
    ]
    assert courses[0]
    assert courses[1]
    assert not courses[0] & courses[1]
    report = json.loads((home / "twin" / "twin.json").read_text())
    attack = report["disclosure"]
    assert report["k"] == 5
    assert report["seed"] == 5
    assert attack["nearest_record"]["copies"] == 0
    low, high = attack["membership"]["interval_95"]
    assert 0 < low < attack["membership"]["area_under_curve"] < high < 1
    assert (
        attack["nearest_record"]["twin_to_cohort"]["median"]
        > 0.5 * attack["nearest_record"]["within_cohort"]["median"]
    )


@pytest.mark.slow
def test_a_persons_record_hardly_says_whether_it_was_in_the_fit(home):
    # one division into halves of 32 people has a standard error of 0.07, so several are averaged
    cohort = read_cohort(home / "cohort")
    fit = fit_people(cohort, 5)
    areas = [membership_test(cohort, fit, seed).area for seed in range(4)]
    assert 0.4 < np.mean(areas) < 0.65


def test_the_membership_test_would_notice_a_copy():
    people = np.random.default_rng(1).normal(size=(80, 4))
    inside, outside = people[:40], people[40:]
    copied = [np.linalg.norm(inside - row, axis=1).min() for row in inside]
    far = [np.linalg.norm(inside - row, axis=1).min() for row in outside]
    area, error = area_under_curve(-np.array(copied), -np.array(far))
    assert area == 1.0
    assert error == 0.0


def test_the_same_seed_gives_the_same_people(home):
    cohort = read_cohort(home / "cohort")
    again = synthetic_twin(cohort, seed=5).cohort.tables()
    assert all(frame.equals(again[name]) for name, frame in read_cohort(home / "twin").tables().items())


@pytest.mark.slow
def test_another_seed_gives_other_people(home):
    cohort = read_cohort(home / "cohort")
    assert not synthetic_twin(cohort, seed=6).cohort.scores.equals(read_cohort(home / "twin").scores)


def test_what_fewer_than_k_people_have_does_not_enter(home):
    cohort, twin = read_cohort(home / "cohort"), read_cohort(home / "twin")
    owners = cohort.scores.group_by("instrument").agg(pl.col("study_id").n_unique().alias("n"))
    few = owners.filter(pl.col("n") < 5)["instrument"].to_list()
    assert few
    assert twin.scores.filter(pl.col("instrument").is_in(few)).is_empty()
    report = json.loads((home / "twin" / "twin.json").read_text())
    assert report["left_out"]["questionnaires that fewer than k people answered"] >= len(few)
    pooled = pool_categories(["x"] * 5 + ["rare"] * 9, ["P1", "P2", "P3", "P4", "P5", *["P6"] * 9], 5)
    assert pooled.values == ("x",)
    assert pooled.left_out == 1
    assert pool_numbers([1, 2, 3, 99], ["P1", "P2", "P3", "P4"], 5).means == ()


@pytest.mark.parametrize(
    "profile",
    [SAFE_HARBOR, pytest.param(replace(COARSE, k=None), marks=pytest.mark.slow)],
    ids=lambda each: each.name,
)
def test_cohorts_with_less_detail_have_twins_with_as_little(home, profile):
    real = coarsen(read_cohort(home / "cohort"), profile).cohort
    drawn = synthetic_twin(real).cohort
    assert {name: frame.schema for name, frame in real.tables().items()} == {
        name: frame.schema for name, frame in drawn.tables().items()
    }
    for name in ("sessions", "weeks", "ending"):
        assert set(drawn.people[name]) <= set(real.people[name]) | {"other", None}
    assert drawn.scores.height == pytest.approx(real.scores.height, rel=0.35)
    if profile.time == "periods":
        assert drawn.sessions.is_empty()
        assert set(drawn.scores["day"]) <= set(real.scores["day"])
    else:
        assert (drawn.scores["day"] % 7 == 0).all()
        assert (drawn.sessions["day"] % 7 == 0).all()


def test_refusals_name_the_repair(home, tmp_path):
    shutil.copytree(home / "cohort", tmp_path / "cohort")
    few = simulated_cohort(clients=20, clinicians=2, weeks=12)
    write_cohort(few, tmp_path / "few")
    with pytest.raises(SettingsError, match="20 people; a synthetic twin needs at least 40"):
        synthetic_twin(few)
    (tmp_path / "empty").mkdir()
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "thesis.txt").write_text("mine")
    for words, message in {
        (tmp_path / "few", tmp_path / "t"): "20 people",
        (tmp_path / "empty", tmp_path / "t"): "goals.csv and events.csv are missing. 'mbc deidentify' makes one.",
        (home / "twin", tmp_path / "t"): "is a synthetic twin itself",
        (home / "cohort", tmp_path / "kept", "--force"): "other than a twin",
        (home / "cohort", tmp_path / "cohort", "--force"): "other than a twin",
        (home / "cohort", home / "cohort" / "t"): "must not contain each other",
        (home / "cohort", home / "twin"): "--force replaces it",
    }.items():
        ended = mbc("twin", *words)
        assert ended.returncode == 1
        assert message in " ".join(ended.stderr.split()), ended.stderr
    assert not (tmp_path / "t").exists()
    assert (tmp_path / "kept" / "thesis.txt").read_text() == "mine"
    (tmp_path / "cohort" / "scores.csv").write_text("study_id\nP001\n")
    assert "cannot be read" in mbc("twin", tmp_path / "cohort", tmp_path / "t").stderr
