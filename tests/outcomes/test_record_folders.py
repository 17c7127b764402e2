"""Record folders of many clinics, by any engine: the same figures as from the rows, and as from a record."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

import mbc
from mbc import outcomes
from mbc.cli.program import program
from mbc.errors import SettingsError
from mbc.outcomes.record_folders import ENGINES, read_folders
from tests.outcomes.made_people import END, START, make_people, nhs_by_hand
from tests.outcomes.test_nhs import counted, write_record


@pytest.fixture(scope="module")
def clinics(tmp_path_factory: pytest.TempPathFactory):
    """Two clinics whose clients have the same names, and what both have together."""
    home = tmp_path_factory.mktemp("clinics")
    people = [make_people(seed, size=60) for seed in (31, 32)]
    folders = [write_record(each, home / name) for each, name in zip(people, ("north", "south"), strict=True)]
    both = [nhs_by_hand(each) for each in people]
    return folders, {name: (both[0][name][0] + both[1][name][0], both[0][name][1] + both[1][name][1])
                     for name in both[0]}  # fmt: skip


@pytest.mark.parametrize(
    "engine", [pytest.param(each, marks=pytest.mark.slow if each == "spark" else ()) for each in ENGINES]
)
def test_clinics_are_counted_together_and_their_clients_kept_apart(clinics, engine):
    if engine == "spark":
        pytest.importorskip("pyspark", reason="pyspark is not installed")
    folders, expected = clinics
    report = outcomes.report(read_folders(folders, engine), "nhs", "finished", start=START, end=END)
    assert counted(report) == expected


def test_parquet_and_csv_give_the_same(clinics, tmp_path):
    (north, _), _ = clinics
    folder = tmp_path / "north"
    for file in north.rglob("*.csv"):
        place = folder / file.relative_to(north).with_suffix(".parquet")
        place.parent.mkdir(parents=True, exist_ok=True)
        pl.read_csv(file, try_parse_dates=True).write_parquet(place)
    reports = [outcomes.report(read_folders([path], "duckdb"), start=START, end=END) for path in (north, folder)]
    assert counted(reports[0]) == counted(reports[1])


def test_the_command_reads_folders(clinics, tmp_path):
    folders, expected = clinics
    file = tmp_path / "nhs.csv"
    where = f"{folders[0]} {folders[1]}"
    about = tmp_path / "about.json"
    words = (
        f"outcomes --engine duckdb {where} --definition nhs --from {START} --to {END} --csv {file} --about {about}"
    )
    result = CliRunner().invoke(program, words.split(), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    how = json.loads(about.read_text(encoding="utf-8"))
    assert (how["definition"], how["cohort"], how["start"]) == ("nhs", "finished", "2026-04-01")
    assert how["table_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert how["version"] == mbc.__version__
    rows = pl.read_csv(file).select("metric", "numerator", "denominator").iter_rows()
    assert {name: (hit, of) for name, hit, of in rows} == expected


@pytest.mark.parametrize("words", ["--engine duckdb", "{} --as ana --from 2026-01-01 --to 2026-02-01", "{}"])
def test_wrong_usage_is_said(clinics, words):
    (folder, _), _ = clinics
    result = CliRunner().invoke(program, ["outcomes", *words.format(folder).split()])
    assert result.exit_code == 2


def test_folders_that_cannot_be_read_are_refused(tmp_path: Path, clinics):
    (north, _), _ = clinics
    with pytest.raises(SettingsError, match="one name"):
        read_folders([north, tmp_path / "north"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingsError, match="episodes and sessions"):
        read_folders([tmp_path / "empty"])
    with pytest.raises(SettingsError, match="not a folder"):
        read_folders([tmp_path / "absent"])
