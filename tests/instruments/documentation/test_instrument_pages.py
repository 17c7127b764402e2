"""Every instrument has its page, up to date, with no sentence of the authors on it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mbc.instruments import all_keys, instrument
from mbc.instruments.documentation.instrument_pages import COMMAND, differing, pages, write

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "docs" / "instruments"
FHIR = ROOT / ".." / "shared" / "data" / "fhir" / "uscore_Questionnaire-phq-9-example.json"

PAGES = pages()
# How questionnaires speak and our account does not: to somebody, or as somebody.
ADDRESSED = re.compile(
    r"(?i)\b(I|I'm|I've|my|myself|you|your|yourself)\b|how often (have|do|are|did)|have you been"
)
QUESTION = re.compile(r"\?(\s|$|\")")


def test_the_pages_are_those_of_the_catalogue():
    assert differing(FOLDER) == [], f"run `{COMMAND}`"


def test_every_instrument_has_a_page_and_stands_in_the_index():
    assert set(PAGES) == {"index.md", *(f"{key}.md" for key in all_keys())}
    for key in all_keys():
        assert f"[`{key}`]({key}.md)" in PAGES["index.md"]


@pytest.mark.parametrize("key", all_keys())
def test_a_page_says_what_a_reader_needs(key):
    page = PAGES[f"{key}.md"]
    for title in (
        "What it measures",
        "What it asks",
        "How it is scored",
        "What is disputed",
        "Permitted use",
    ):
        assert f"## {title}" in page
    for scale in instrument(key).scales:
        for number in (*scale.cutoffs, *scale.norms, *scale.reliabilities, *scale.changes):
            assert number.source in page
            assert number.confidence in page
    if any(not number.verified for scale in instrument(key).scales for number in (*scale.norms, *scale.changes)):
        assert "unverified" in page


@pytest.mark.parametrize("name", PAGES)
def test_no_page_speaks_as_a_questionnaire_does(name):
    told = re.sub(r"(?m)^\|[^|]*\| [^\n]*(doi|https?:|\(\d{4}\)|\*)[^\n]*$", "", PAGES[name])  # titles of papers
    told = told.split("## Sources")[0]
    assert ADDRESSED.findall(told) == []
    assert QUESTION.findall(told) == []


def test_labels_are_topics_and_not_sentences():
    for key in all_keys():
        for item in instrument(key).items:
            assert not ADDRESSED.search(item.label), (key, item.label)
            assert item.label == item.label.lower()
            assert not item.label.endswith((".", "?", "!"))


def test_no_four_words_of_the_printed_phq_stand_on_its_page():
    if not FHIR.exists():
        pytest.skip("the FHIR example is not beside the project")
    printed = json.loads(FHIR.read_text(encoding="utf-8"))
    page = " ".join(_words(PAGES["phq9.md"]))
    questions = list(_texts(printed["item"]))
    assert len(questions) >= 9
    for text in questions:
        words = _words(text)
        for start in range(len(words) - 3):
            assert " ".join(words[start : start + 4]) not in page


def test_writing_mends_a_folder_and_then_has_nothing_to_do(tmp_path):
    (tmp_path / "rses.md").write_text("old", encoding="utf-8")
    (tmp_path / "gone.md").write_text("an instrument that is no more", encoding="utf-8")
    assert "rses.md" in write(tmp_path)
    assert differing(tmp_path) == []
    assert not (tmp_path / "gone.md").exists()


def _texts(items):
    for item in items:
        if item.get("type") == "choice":  # the questions; not the sum, which is named after the questionnaire
            yield item.get("text", "")
        yield from _texts(item.get("item", []))


def _words(text):
    return re.findall(r"[a-z']+", text.lower())
