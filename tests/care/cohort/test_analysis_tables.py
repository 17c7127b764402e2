"""Tables that analyses read from a cohort, and its files in other formats."""

from __future__ import annotations

import math

import polars as pl
import pyreadstat
import pytest
from polars.testing import assert_frame_equal

from mbc import models
from mbc.care import first_and_last, keyed_answers, scores_over_time, simulated_cohort
from mbc.care.cohort.files import write_cohort
from mbc.errors import FrameError, SettingsError


@pytest.fixture(scope="module")
def cohort():
    return simulated_cohort(clients=40, clinicians=6)


@pytest.mark.long
def test_keyed_answers_of_every_form_and_coding_add_up_to_the_scores(cohort):
    keyed = keyed_answers(cohort, "rses")
    assert cohort.items["rses"].select("form", "coding").unique().height > 1
    items = [name for name in keyed.columns if "_keyed_" in name]
    summed = keyed.drop_nulls().select("study_id", week=pl.col("day") / 7, score=pl.sum_horizontal(items))
    scores = scores_over_time(cohort, "rses")
    both = summed.join(scores, on=["study_id", "week"])
    assert both.height == summed.height
    assert both["score"].to_list() == both["score_right"].to_list()
    assert models.alpha(keyed.select(items)).value > 0.8  # a reverse item the wrong way round would lower it


def test_first_and_last_are_of_one_episode(cohort):
    pairs, rows = first_and_last(cohort, "rses"), scores_over_time(cohort, "rses")
    person = pairs.filter(pl.col("occasions") > 2)["study_id"][0]
    mine = rows.filter(study_id=person)
    mine = mine.filter(pl.col("episode") == mine["episode"].max())["score"]
    assert pairs.filter(study_id=person).select("pre", "post").row(0) == (mine[0], mine[-1])


def test_answers_that_were_withheld_are_named(cohort):
    with pytest.raises(FrameError, match=r"no item answers of phq9.*Withheld: phq9"):
        keyed_answers(cohort, "phq9")


def test_parquet_and_spss_hold_what_the_csv_files_hold_and_no_time(cohort, tmp_path):
    for name in ("once", "again"):
        write_cohort(cohort, tmp_path / name, formats=["parquet", "spss"])
    folder = tmp_path / "once"
    for name, table in cohort.tables().items():
        assert_frame_equal(pl.read_parquet(folder / f"{name}.parquet"), table)
        back, about = pyreadstat.read_sav(folder / f"{name}.sav")
        assert (len(back), list(back.columns)) == (table.height, table.columns)
        assert about.column_names_to_labels["study_id"].startswith("random id")
        for file in (f"{name}.sav", f"{name}.parquet"):
            assert (folder / file).read_bytes() == (tmp_path / "again" / file).read_bytes()
            assert (folder / file).stat().st_mode & 0o777 == 0o600
    scores = pyreadstat.read_sav(folder / "scores.sav")[0]["score"]
    ours = [math.nan if value is None else value for value in cohort.scores["score"]]
    assert scores.to_list() == pytest.approx(ours, nan_ok=True)
    header = (folder / "scores.sav").read_bytes()[92:109]
    assert header == b"01 Jan 0000:00:00"
    with pytest.raises(SettingsError, match="There is no format 'stata'"):
        write_cohort(cohort, tmp_path / "third", formats=["stata"])
    assert not (tmp_path / "third").exists()
