"""The list of questionnaires and the account of each, as a user of the command meets them."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from mbc.cli.program import program
from mbc.errors import MbcError
from mbc.instruments import instrument, keys
from mbc.instruments.documentation.explanations import explain, markdown


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")

    def call(*arguments):
        return CliRunner().invoke(program, ["instruments", *arguments], catch_exceptions=False)

    return call


def test_the_list_has_every_key(run):
    out = run()
    assert out.exit_code == 0
    for key in keys():
        assert f"\n{key} " in out.output


@pytest.mark.parametrize("key", keys())
def test_each_is_explained(key, run):
    out = run("show", key)
    assert out.exit_code == 0
    for title in (
        "What it measures",
        "What it asks",
        "How it is scored",
        "What is disputed",
        "Permitted use",
    ):
        assert title in out.output
    assert instrument(key).name in out.output


def test_where_a_line_comes_from_and_what_is_unverified_are_said(run):
    out = run("show", "csi16").output
    assert "below 51.5" in out
    assert "funk2007, read in psytools" in out
    assert "unverified" in out
    assert "never zero" in out


def test_a_risk_item_is_said_to_speak_for_itself(run):
    assert "Item 9 (thoughts of death or self-harm) raises a flag of its own at 1 or above" in " ".join(
        run("show", "phq9").output.split()
    )


def test_a_definition_of_ones_own_is_explained(run, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        'key = "mine"\nsource = "kroenke2001"\nlicence = "free"\nanswers = { range = [0, 3] }\n'
        '[[scale]]\nkey = "total"\nitems = ["q1", "q2"]\nrule = "sum"\nrange = [0, 6]\n',
        encoding="utf-8",
    )
    assert "How it is scored" in run("show", str(file)).output


def test_an_unknown_key_is_refused_with_the_nearest(run):
    with pytest.raises(MbcError, match=r"Did you mean 'phq9'\?"):
        run("show", "phq-9")


@pytest.mark.parametrize("key", keys())
def test_the_page_says_the_same_as_the_terminal(key):
    page = markdown(instrument(key))
    for section in explain(instrument(key)):
        assert f"## {section.title}" in page
        assert all(line in page for line in section.lines)
