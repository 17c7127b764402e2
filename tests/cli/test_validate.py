"""``mbc validate`` as a user meets it."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from mbc.cli.main import program
from mbc.errors import ImportRefused, MissingItems, ModelError
from mbc.exchange.score_table import read_scores
from mbc.models import ExpectedCourse

MAKER = Path(__file__).parents[1] / "reference/expected/make_data.py"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory) -> Path:
    spec = importlib.util.spec_from_file_location("made_courses", MAKER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    path = tmp_path_factory.mktemp("scores") / "scores.csv"
    module.courses(90, seed=3, whole=True).write_csv(path)
    return path


def run(*arguments: object):
    return CliRunner().invoke(program, ["validate", *map(str, arguments)], catch_exceptions=False)


def test_the_tables_and_the_model_are_written(clinic, tmp_path):
    found = run(clinic, "--better", "lower", "--range", 0, 40, "--reliable-change", 6, "--folds", 2,
                "--out", tmp_path / "tables", "--save-model", tmp_path / "model.json")  # fmt: skip
    assert found.exit_code == 0, found.output
    for words in (
        "90 clients in 2 folds",
        "regression",
        "mixed model",
        "80 % band",
        "not on track",
        "deterioration",
    ):
        assert words in found.output
    errors = list(csv.DictReader((tmp_path / "tables/errors.csv").read_text().splitlines()))
    assert {row["method"] for row in errors} == {"model", "last value", "regression", "mixed model"}
    assert min(int(row["clients"]) for row in errors) >= 20
    assert ExpectedCourse.load(tmp_path / "model.json").card.time_unit == "weeks"


def test_no_client_is_named(clinic, tmp_path):
    named = pl.read_csv(clinic).with_columns(client=pl.format("Person-{}", "client"))
    path = tmp_path / "named.csv"
    named.write_csv(path)
    found = run(path, "--better", "lower", "--range", 0, 40, "--folds", 2, "--out", tmp_path / "tables")
    assert found.exit_code == 0
    texts = [found.output, *(one.read_text() for one in (tmp_path / "tables").iterdir())]
    assert not any("Person-" in text for text in texts)


def test_without_a_direction_nothing_is_guessed(clinic):
    found = run(clinic)
    assert found.exit_code == 2
    assert "--better" in found.output


def test_without_a_file_the_record_is_read_and_needs_an_instrument():
    found = run("--better", "lower")
    assert found.exit_code == 2
    assert "--instrument" in found.output


def test_a_wide_file_has_a_row_for_each_client(clinic, tmp_path):
    long = pl.read_csv(clinic).with_columns(n=pl.int_range(pl.len()).over("client"))
    wide = long.filter(pl.col("n") < 4).pivot(on="n", index="client", values="score").drop("client")
    path = tmp_path / "wide.csv"
    wide.rename({str(n): f"s.{n}" for n in range(4)}).write_csv(path)
    table = read_scores(path, wide={f"s.{n}": n for n in range(4)})
    assert table.frame["client"].n_unique() == 90
    assert table.frame.height == long.filter(pl.col("n") < 4).height
    assert any("one client" in note for note in table.notes)


def test_days_may_be_written_as_dates(tmp_path):
    path = tmp_path / "dates.csv"
    path.write_text("client_id,date,total\nA,2026-01-05,12\nA,2026-02-04,9\n")
    table = read_scores(path)
    assert (table.frame["time"].diff()[1], table.time_unit, table.score) == (30.0, "days", "total")


@pytest.mark.parametrize(
    ("text", "fault", "words"),
    [
        ("client,week,score\nA,0,12\nA,one,9\n", ImportRefused, "cannot be read as numbers"),
        ("client,week,a,b\nA,0,12,1\n", MissingItems, "--score"),
        ("who,week,score\nA,0,12\n", MissingItems, "--client"),
        ("client,when,score\nA,0,12\n", MissingItems, "--time"),
        ("client,week,score\nA,0,NA\n", ImportRefused, "No row has"),
    ],
)
def test_a_file_that_does_not_say_enough_is_refused(tmp_path, text, fault, words):
    path = tmp_path / "scores.csv"
    path.write_text(text)
    with pytest.raises(fault, match=words):
        read_scores(path)


def test_a_refused_cell_is_named_with_its_row(tmp_path):
    path = tmp_path / "scores.csv"
    path.write_text("client,week,score\nA,0,12\nA,1,nine\n")
    with pytest.raises(ImportRefused) as fault:
        read_scores(path)
    assert fault.value.rows == ("row 3: score is 'nine', which is no number",)


def test_too_few_clients_end_in_words(clinic, tmp_path):
    few = tmp_path / "few.csv"
    pl.read_csv(clinic).filter(pl.col("client") < 10).write_csv(few)
    with pytest.raises(ModelError, match="needs 50 clients"):
        run(few, "--better", "lower")
