"""The pages on security name tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NAMED = sorted(set(re.findall(r"`(tests/[\w./]+)`", (ROOT / "docs" / "security.md").read_text(encoding="utf-8"))))


@pytest.mark.parametrize("path", NAMED)
def test_a_test_that_is_named_exists(path: str):
    place = ROOT / path
    assert place.exists()
    assert place.is_dir() or "def test_" in place.read_text(encoding="utf-8")


def test_every_met_point_names_its_evidence():
    rows = [
        line
        for line in (ROOT / "docs" / "security.md").read_text(encoding="utf-8").splitlines()
        if "| met" in line
    ]
    assert len(rows) > 15
    assert all(re.search(r"`tests/|SQLAlchemy", row) for row in rows)
