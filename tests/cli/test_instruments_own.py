"""Definition files of one's own, as a user of the command meets them: begin, check, list, score, import."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from mbc.cli.program import program
from tests.cli.in_process import mbc

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.delenv("MBC_INSTRUMENTS", raising=False)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments):
    return CliRunner().invoke(program, list(map(str, arguments)), catch_exceptions=False)


def begin(folder, key="loneliness"):
    folder.mkdir(exist_ok=True)
    made = call("instruments", "new", key, "--items", 4, "--answers", "1-4", "--out", folder / f"{key}.toml")
    assert made.exit_code == 0
    return made


def test_a_start_is_written_checked_listed_explained_and_scored_with(here):
    assert "mbc instruments check" in begin(here / "own").output
    assert "loneliness.toml is valid: loneliness (loneliness), 4 items; total 4 to 16." in (
        call("instruments", "check", "own").output
    )
    listed = call("instruments", "--instruments", "own").output
    assert "loneliness (own)" in listed
    assert "rses" in listed
    assert "This is own." in call("instruments", "--instruments", "own", "show", "loneliness").output
    (here / "a.csv").write_text(
        "id,loneliness_1,loneliness_2,loneliness_3,loneliness_4\na,1,2,3,4\nb,1,,,\n", encoding="utf-8"
    )
    scored = call("score", "a.csv", "loneliness", "--instruments", "own", "--out", "-")
    assert scored.output.splitlines()[1:] == ["a,1,2,3,4,10.0,4", "b,1,,,,,1"]
    again = call("score", "a.csv", "own/loneliness.toml", "--out", "-")
    assert again.output == scored.output


def test_answers_to_it_are_imported(here):
    begin(here / "own")
    (here / "a.csv").write_text(
        "client_id,taken_on,loneliness_1,loneliness_2,loneliness_3,loneliness_4\nc1,2026-01-05,1,2,3,4\n",
        encoding="utf-8",
    )
    assert mbc("init", "--store", "sqlite:///a.db").returncode == 0
    ended = mbc(
        *("import", "a.csv", "--store", "sqlite:///a.db", "--instruments", "own"),
        *("--clinician", "k1", "--display-name", "Kim"),
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "1 stored" in ended.stdout


def test_the_option_is_over_when_the_command_is(here):
    begin(here / "own")
    assert "loneliness" in call("instruments", "--instruments", "own").output
    assert "loneliness" not in call("instruments").output


def test_every_fault_is_shown_with_its_line_and_status_1(here):
    begin(here / "own")
    file = here / "own" / "loneliness.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("[4, 16]", "[4, 61]").replace("better", "bettr"), encoding="utf-8")
    ended = mbc("instruments", "check", file)
    assert ended.returncode == 1
    assert "loneliness.toml: 2 faults" in ended.stdout
    number = next(n for n, line in enumerate(text.splitlines(), 1) if "[4, 16]" in line)
    assert (
        f"line {number}: scale 'total', range: is [4, 61], but 4 items answered 1-4 can only sum" in ended.stdout
    )
    assert "did you mean 'better'?" in ended.stdout
    assert "Traceback" not in ended.stderr


def test_what_takes_the_place_of_a_built_in_is_marked(here):
    assert call("instruments", "new", "rses", "--replace").exit_code == 0
    (here / "own").mkdir()
    (here / "rses.toml").rename(here / "own" / "rses.toml")
    assert "Rosenberg Self-Esteem Scale (own, in place of the built-in)" in (
        call("instruments", "--instruments", "own").output
    )
    shown = call("instruments", "--instruments", "own", "show", "rses").output
    assert "This is own, in place of the built-in." in shown


def test_wrong_usage_ends_with_status_2(here):
    begin(here / "own")
    (here / "empty").mkdir()
    for arguments, said in (
        (("new", "x", "--answers", "many"), "give the lowest and highest"),
        (("new", "loneliness", "--out", "own/loneliness.toml"), "exists; give another name"),
        (("check", "empty"), "There is no definition file (.toml) in 'empty'"),
        (("check",), "Missing argument 'FILES...'"),
    ):
        ended = CliRunner().invoke(program, ["instruments", *arguments])
        assert ended.exit_code == 2
        assert said in ended.output


def test_the_schema_is_printed_and_written(here):
    assert json.loads(call("instruments", "schema").output)["title"] == "mbc instrument"
    assert "#:schema ./s.json" in call("instruments", "schema", "--out", "s.json").output
    assert json.loads((here / "s.json").read_text(encoding="utf-8"))["required"] == [
        "key",
        "source",
        "licence",
        "scale",
    ]
