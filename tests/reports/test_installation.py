"""The validation pack: every requirement is tried, its tests exist, and what is not met is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from mbc.cli.program import program
from mbc.errors import ReportError, SettingsError
from mbc.instruments import instrument
from mbc.reports.installation import pack, record, scores
from mbc.reports.installation.pack import REQUIREMENTS, findings, validation_document
from mbc.reports.installation.requirement import Finding, NotApplicable, Requirement, require, try_all

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
SOURCE = instrument("phq9").sources[0]
EVERY = [requirement for _, part in REQUIREMENTS for requirement in part]


@pytest.fixture(scope="module")
def results() -> list[list[Finding]]:
    return findings()


def test_every_requirement_is_met_here_or_does_not_apply(results):
    found = {each.requirement.number: (each.result, each.seen) for part in results for each in part}
    assert {number: seen for number, (result, seen) in found.items() if result == "NOT MET"} == {}
    assert {number for number, (result, _) in found.items() if result == "not applicable"} <= {"R21"}
    assert list(found) == [f"R{n}" for n in range(1, len(EVERY) + 1)]


@pytest.mark.parametrize("path", sorted({path for each in EVERY for path in each.tests}))
def test_the_tests_that_are_named_exist(path):
    place = ROOT / path
    assert any(place.rglob("test_*.py")) if place.is_dir() else "def test_" in place.read_text(encoding="utf-8")


def test_the_pack_can_be_read_and_signed(results, tmp_path):
    place = validation_document(results, now=datetime(2026, 3, 2, tzinfo=UTC)).save(tmp_path / "pack.html")
    page = place.read_text(encoding="utf-8")
    for requirement in EVERY:
        assert requirement.number in page
    for word in ("Signatures", "Tested by", "Released for use by", "none not met", "mbc-toolkit"):
        assert word in page
    assert "Do not use" not in page


def test_a_trial_that_fails_in_any_way_is_a_requirement_that_is_not_met(tmp_path):
    def fails(_: Path) -> str:
        require(1 + 1 == 3, "it is 2")
        return ""

    def breaks(_: Path) -> str:
        raise ZeroDivisionError("by zero")

    def lacks(_: Path) -> str:
        raise NotApplicable("there is none here")

    tried = try_all(
        [Requirement(f"R{n}", "x", (), trial) for n, trial in enumerate((fails, breaks, lacks))], tmp_path
    )
    assert [(each.result, each.seen) for each in tried] == [
        ("NOT MET", "it is 2"),
        ("NOT MET", "ZeroDivisionError: by zero"),
        ("not applicable", "there is none here"),
    ]
    now = datetime(2026, 3, 2, tzinfo=UTC)
    padded = [tried, *([] for _ in REQUIREMENTS[1:])]
    assert "Do not use this installation" in validation_document(padded, now=now).html()


def test_a_record_whose_guards_are_gone_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "_CHANGE", "SELECT 1")  # nothing is refused, and nothing is changed
    (finding,) = try_all([each for each in EVERY if each.number == "R10"], tmp_path)
    assert finding.result == "NOT MET"


def test_a_questionnaire_without_a_source_is_noticed(tmp_path, monkeypatch):
    whole = scores.instrument
    monkeypatch.setattr(
        scores, "instrument", lambda key: replace(whole(key), sources=() if key == "gad7" else (SOURCE,))
    )
    (finding,) = try_all([each for each in EVERY if each.number == "R3"], tmp_path)
    assert (finding.result, finding.seen) == ("NOT MET", "without a source: gad7")


@pytest.mark.parametrize(("result", "status"), [("met", 0), ("NOT MET", 1)])
def test_the_command_says_each_result_and_ends_with_it(result, status, tmp_path, monkeypatch):
    made = [[Finding(each, result, "seen", 0.1) for each in part] for _, part in REQUIREMENTS]
    monkeypatch.setattr(pack, "findings", lambda: made)
    target = tmp_path / "pack.html"
    done = CliRunner().invoke(program, ["verify", "--install", "-o", str(target)])
    assert done.exit_code == status, done.output
    assert done.output.count(result) >= len(EVERY)
    assert target.exists()
    again = CliRunner().invoke(program, ["verify", "--install", "-o", str(target)])
    assert isinstance(again.exception, SettingsError)  # exists already
    wrong = CliRunner().invoke(program, ["verify", "--install", "-o", str(tmp_path / "pack.txt")])
    assert isinstance(wrong.exception, ReportError)


@pytest.mark.parametrize("options", [["--out", "x.html"], ["--install", "--as", "ann"], ["--force"]])
def test_options_that_do_not_go_together_are_refused(options):
    done = CliRunner().invoke(program, ["verify", *options])
    assert done.exit_code == 2
    assert "--install" in done.output
