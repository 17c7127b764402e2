"""Every page of the web app has its pictures in the documentation, light and dark, in small files."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from dashboards.app import PAGES

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "pages.md").read_text(encoding="utf-8")
FILES = sorted((ROOT / "docs" / "images" / "pages").glob("*.png"))


def pictures():
    pytest.importorskip("PIL")
    specification = importlib.util.spec_from_file_location("page_pictures", ROOT / "scripts" / "page_pictures.py")
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    import sys  # noqa: PLC0415

    sys.modules["page_pictures"] = module  # data classes look themselves up
    specification.loader.exec_module(module)
    return module.PICTURES


def test_no_page_is_without_a_picture():
    paths = [picture.path for picture in pictures()]
    without = [page.name for page in PAGES.pages if not any(re.fullmatch(page.pattern, path) for path in paths)]
    assert without == []


def test_every_picture_is_shown_with_words_for_those_who_cannot_see_it():
    shown = dict(re.findall(r"!\[([^\]]{15,})\]\(images/pages/([a-z-]+\.png)", TEXT))
    assert set(shown.values()) == {file.name for file in FILES}
    expected = {f"{picture.name}{suffix}.png" for picture in pictures() for suffix in ("", "-dark")}
    expected |= {f"{picture.name}-phone.png" for picture in pictures() if picture.phone}
    assert set(shown.values()) == expected


def test_pictures_are_small():
    assert all(file.stat().st_size < 150_000 for file in FILES)
