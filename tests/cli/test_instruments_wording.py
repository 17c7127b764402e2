"""Loading, reading and removing a clinic's text, as a user of the command meets it."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from mbc.cli.program import program
from mbc.errors import WordingError


@pytest.fixture(autouse=True)
def shelf(tmp_path, monkeypatch):
    monkeypatch.setenv("MBC_WORDING", str(tmp_path / "shelf"))
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "shelf"


def call(*arguments):
    return CliRunner().invoke(program, ["instruments", "wording", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture
def filled(tmp_path):
    """The file that 'blank' writes, filled in with text of our own."""
    assert call("blank", "phq9", "--out", "mine.csv").exit_code == 0
    file = tmp_path / "mine.csv"
    text = file.read_text(encoding="utf-8-sig")
    text = re.sub(r"(?m)^(i1,[^,]*),,,,,$", r"\1,Text 1,no,some,more,much", text)
    text = re.sub(r"(?m)^(i(\d),[^,]*),,", r"\1,Text \2,", text)
    file.write_text(text.replace("title,,", "title,,How it goes"), encoding="utf-8-sig")
    return file


def test_a_file_is_begun_filled_in_loaded_read_and_removed(filled, shelf):
    loaded = call("load", "phq9", filled, "--language", "en")
    assert loaded.exit_code == 0
    assert "phq9: 9 items in en, form 'standard', coding '0-3'" in loaded.output
    assert "mbc instruments wording show phq9 --language en" in loaded.output
    assert re.search(r"phq9 +en +standard +0-3 +9 +mine\.csv", call("list").output)
    shown = call("show", "phq9", "--language", "en").output
    assert shown.startswith("How it goes")
    assert "9. Text 9" in shown
    assert "( ) much  [3]" in shown
    assert "Removed phq9 in en" in call("remove", "phq9", "--language", "en").output
    assert "No wording is loaded" in call("list").output
    assert not any(shelf.iterdir())


def test_a_folder_may_be_named(filled, tmp_path, shelf):
    call("load", "phq9", filled, "--language", "en", "--wording-dir", tmp_path / "there")
    assert "phq9" in call("list", "--wording-dir", tmp_path / "there").output
    assert not shelf.exists()


def test_what_does_not_fit_ends_with_status_1_and_no_traceback(tmp_path):
    (tmp_path / "bad.csv").write_text("item,text,0,1\n1,One,no,yes\n", encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "mbc", "instruments", "wording", "load", "phq9", "bad.csv", "--language", "en"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "bad.csv does not fit phq9: no question for i2" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_permission_that_is_needed_is_said(filled, tmp_path):
    (tmp_path / "who.csv").write_text(call("blank", "who5", "--out", "-").output, encoding="utf-8")
    text = (tmp_path / "who.csv").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^(i\d),([^,]*),,,,,,,$", r"\1,\2,Text of \1,a,b,c,d,e,f", text)
    (tmp_path / "who.csv").write_text(text, encoding="utf-8")
    assert "ask before" in call("load", "who5", "who.csv", "--language", "en").output
    held = call("load", "who5", "who.csv", "--language", "de", "--licence-held", "asked on 1 May")
    assert "ask before" not in held.output
    assert "asked on 1 May" in call("list").output


def test_a_file_is_never_written_over(filled):
    again = CliRunner().invoke(program, ["instruments", "wording", "blank", "phq9", "--out", str(filled)])
    assert again.exit_code == 2
    assert "exists; give another name" in again.output


def test_nothing_loaded_says_how_to_load():
    with pytest.raises(WordingError, match="mbc instruments wording load phq9 FILE --language en"):
        call("show", "phq9", "--language", "en")
