"""Every page of the web app has its pictures in the documentation, light and dark, in small files."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from dashboards.app import PAGES

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "pages.md").read_text(encoding="utf-8")
IMAGES = ROOT / "docs" / "images"
FILES = sorted((IMAGES / "pages").glob("*.png"))


@pytest.fixture
def script(monkeypatch):
    """Import one of the scripts that make pictures."""
    pytest.importorskip("PIL")
    pytest.importorskip("playwright")
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module


def test_no_page_is_without_a_picture(script):
    paths = [picture.path for picture in script("page_pictures").PICTURES]
    without = [page.name for page in PAGES.pages if not any(re.fullmatch(page.pattern, path) for path in paths)]
    assert without == []


def test_every_picture_is_shown_with_words_for_those_who_cannot_see_it(script):
    pictures = script("page_pictures").PICTURES
    shown = dict(re.findall(r"!\[([^\]]{15,})\]\(images/pages/([a-z-]+\.png)", TEXT))
    assert set(shown.values()) == {file.name for file in FILES}
    expected = {f"{picture.name}{suffix}.png" for picture in pictures for suffix in ("", "-dark")}
    expected |= {f"{picture.name}-phone.png" for picture in pictures if picture.phone}
    assert set(shown.values()) == expected


def test_pictures_are_small():
    assert all(file.stat().st_size < 150_000 for file in FILES)


def test_each_number_on_the_clients_page_is_explained_in_its_order(script):
    text = (ROOT / "docs" / "clinician.md").read_text("utf-8")
    part = text.split("\n## The client's page, part by part\n")[1].split("\n## ")[0]
    explained = re.findall(r"^(\d+)\. \*\*(.+?)\.\*\* \S", part, re.MULTILINE)
    marks = script("annotated_picture").MARKS
    assert explained == [(str(number), mark.name) for number, mark in enumerate(marks, start=1)]
    shown = re.findall(r"!\[([^\]]{15,})\]\(images/guide/([a-z-]+\.png)", part)
    assert {name for _, name in shown} == {file.name for file in (IMAGES / "guide").glob("*.png")}
    assert all(f"1 to {len(marks)}," in words for words, _ in shown)


def test_the_client_page_has_every_class_that_a_number_is_drawn_at(script):
    sources = "".join(file.read_text("utf-8") for file in (ROOT / "dashboards" / "pages" / "client").glob("*.py"))
    classes = {name for words in re.findall(r'className=f?"([^"]+)"', sources) for name in words.split()}
    selectors = " ".join(mark.selector for mark in script("annotated_picture").MARKS)
    assert set(re.findall(r"\.([a-z-]+)", selectors)) <= classes


def test_the_circle_is_shown_on_the_home_page_and_in_the_readme(script):
    circle = script("circle_pictures")
    home, readme = ((ROOT / name).read_text("utf-8") for name in ("docs/index.md", "README.md"))
    shown = re.findall(r"!\[[^\]]{15,}\]\(images/circle/([a-z-]+\.png)", home)
    assert {*shown, circle.STRIP} == {file.name for file in circle.FOLDER.glob("*.png")}
    assert re.search(rf"!\[[^\]]{{100,}}\]\(docs/images/circle/{circle.STRIP}\)", readme)
    assert re.findall(r"^(\d)\. \*\*(.+)\*\*$", home, re.MULTILINE) == [
        tuple(words.split("  ")) for words in circle.STEPS.values()
    ]


def test_no_picture_of_the_guide_or_the_circle_is_large():
    large = {file.name for folder in ("guide", "circle") for file in (IMAGES / folder).glob("*.png")
             if file.stat().st_size > 300_000}  # fmt: skip
    assert large == set()
