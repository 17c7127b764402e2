"""``mbc validate`` as a user meets it."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from mbc import models
from mbc.cli.program import program
from mbc.errors import ImportRefused, MbcError, MissingItems, ModelError
from mbc.exchange.score_table import read_scores
from mbc.models import ExpectedCourse

pytestmark = pytest.mark.long

MAKER = Path(__file__).parents[1] / "reference/forecast/make_data.py"


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


@pytest.fixture(scope="module")
def validated(clinic, tmp_path_factory) -> tuple[Path, str]:
    """Give the folder that a validation on clients of known names wrote to, and what it said."""
    folder = tmp_path_factory.mktemp("validated")
    named = pl.read_csv(clinic).with_columns(client=pl.format("Person-{}", "client"))
    path = folder / "named.csv"
    named.write_csv(path)
    found = run(path, "--better", "lower", "--range", 0, 40, "--reliable-change", 6, "--folds", 2,
                "--out", folder / "tables", "--save-model", folder / "model.json")  # fmt: skip
    assert found.exit_code == 0, found.output
    return folder, found.output


def test_the_tables_and_the_model_are_written(validated):
    folder, output = validated
    for words in (
        "90 clients in 2 folds",
        "regression",
        "mixed model",
        "80 % band",
        "not on track",
        "deterioration",
    ):
        assert words in output
    errors = list(csv.DictReader((folder / "tables/errors.csv").read_text().splitlines()))
    assert {row["method"] for row in errors} == {"model", "last value", "regression", "mixed model"}
    assert min(int(row["clients"]) for row in errors) >= 20
    assert ExpectedCourse.load(folder / "model.json").card.time_unit == "weeks"


def test_no_client_is_named(validated):
    folder, output = validated
    texts = [output, *(one.read_text() for one in (folder / "tables").iterdir())]
    assert len(texts) > 1
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
    assert fault.value.rows == ("row 3: score is 'nine', which is not a number",)


def test_too_few_clients_end_in_words(clinic, tmp_path):
    few = tmp_path / "few.csv"
    pl.read_csv(clinic).filter(pl.col("client") < 10).write_csv(few)
    with pytest.raises(ModelError, match="needs 50 clients"):
        run(few, "--better", "lower")


def test_one_person_is_one_whatever_blanks_are_around_the_name(tmp_path):
    path = tmp_path / "scores.csv"
    path.write_text("client,week,score\n A,0,12\nA ,1,9\nNA,0,3\n,1,4\n")
    table = read_scores(path)
    assert table.frame["client"].to_list() == ["A", "A"]
    assert table.notes == ("2 rows without a client, a time or a score left out.",)


@pytest.mark.parametrize("header", ["date", "visit"])
def test_dates_are_told_by_their_look_also_beside_blanks(tmp_path, header):
    path = tmp_path / "dates.csv"
    path.write_text(f"client,{header},score\nA,2026-01-05,12\nA,NA,10\nA,2026-01-07,9\n")
    table = read_scores(path, time=header)
    assert (table.frame["time"].diff()[1], table.time_unit) == (2.0, "days")


def test_a_column_has_one_role(tmp_path):
    path = tmp_path / "scores.csv"
    path.write_text("client,week,score\nA,0,12\nA,1,9\n")
    with pytest.raises(MissingItems, match="'week' cannot be both the time and the score"):
        read_scores(path, score="week")


def test_two_files_in_other_units_of_time_are_refused(clinic, tmp_path):
    path = tmp_path / "held.csv"
    pl.read_csv(clinic).with_columns(pl.format("H{}", "client").alias("client")).rename(
        {"weeks": "days"}
    ).write_csv(path)
    with pytest.raises(MbcError, match=r"weeks in scores.csv and days in held.csv"):
        run(clinic, "--better", "lower", "--held-out", path)


def test_what_cannot_be_written_is_refused_in_words_before_anything_is_computed(clinic, tmp_path, monkeypatch):
    monkeypatch.setattr("mbc.models.prospective_validation", lambda *_, **__: pytest.fail("it was computed"))
    (tmp_path / "file").write_text("")
    with pytest.raises(MbcError, match=r"model\.json cannot be written"):
        run(clinic, "--better", "lower", "--save-model", tmp_path / "none" / "model.json")
    with pytest.raises(MbcError, match="cannot be written to: Not a directory"):
        run(clinic, "--better", "lower", "--folds", 2, "--out", tmp_path / "file" / "tables")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--seed", -1), "x>=0"),
        (("--wide", "score=nan"), "COLUMN=TIME"),
        (("--wide", "score=inf"), "COLUMN=TIME"),
    ],
)
def test_numbers_that_cannot_be_are_refused(clinic, options, words):
    found = run(clinic, "--better", "lower", *options)
    assert found.exit_code == 2
    assert words in found.output


def test_clients_to_forecast_need_others_to_learn_from(clinic):
    found = run("--instrument", "csi16", "--held-out", clinic)
    assert found.exit_code == 2
    assert "needs a FILE to learn from" in found.output


def test_a_model_of_a_questionnaire_knows_which_intake_is_healthy(clinic, tmp_path, monkeypatch):
    validate, validations = models.prospective_validation, []

    def validate_once(*columns, **options):
        """Only the models differ below."""
        if not validations:
            validations.append(validate(*columns, **options))
        return validations[0]

    monkeypatch.setattr(models, "prospective_validation", validate_once)
    run(clinic, "--instrument", "csi16", "--folds", 2, "--save-model", tmp_path / "csi16.json")
    assert ExpectedCourse.load(tmp_path / "csi16.json").cutoff == 51.5
    run(clinic, "--instrument", "csi16", "--better", "lower", "--folds", 2, "--save-model", tmp_path / "odd.json")
    assert ExpectedCourse.load(tmp_path / "odd.json").cutoff is None
