"""The page of figures shows each of them, in small files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mbc import figures

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
PICTURES = ROOT / "docs" / "images" / "figures"


def test_every_picture_has_its_place_on_the_page_and_every_place_its_picture(drawn):
    made = set(drawn) - {"goals", "outcomes"}
    shown = re.findall(r"!\[[^\]]{20,}\]\(images/figures/(\w+)\.svg\)", PAGE)
    assert set(shown) == made == {file.stem for file in PICTURES.iterdir()}


def test_the_page_names_every_figure():
    names = [name for name in dir(figures) if name not in {"Figure", "sparkline_svg"}]
    assert [name for name in names if name not in PAGE] == []


@pytest.mark.parametrize("file", sorted(PICTURES.iterdir()), ids=lambda file: file.stem)
def test_a_picture_is_small_and_in_ink(file):
    assert file.stat().st_size < 100_000
    assert 'fill="#000000"' in file.read_text(encoding="utf-8")
