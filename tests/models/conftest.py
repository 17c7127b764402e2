"""Comparisons with numbers from outside: every one is asserted, and listed in docs/validation.md."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import polars as pl
import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "../shared/data"
PAGE = ROOT / "docs/validation.md"
# scripts/validation.py sets this to collect the table instead of checking it.
COLLECT = "MBC_VALIDATION"


class Validation:
    """Asserts that our number is the expected one, and that the validation page says so."""

    def __init__(self, page: str | None, sink: Path | None) -> None:
        self._page = page
        self._sink = sink

    def __call__(self, method: str, source: str, expected: object, ours: object, *, within: float = 1e-8) -> None:
        difference = _difference(expected, ours)
        if isinstance(expected, float) and not isinstance(expected, bool):
            assert difference <= within * max(1.0, abs(expected)), f"{method}: expected {expected}, got {ours}"
        else:
            assert difference == 0, f"{method}: expected {expected}, got {ours}"
        row = {"method": method, "source": source, "expected": _shown(expected), "ours": _shown(ours)}
        if self._sink is not None:
            row["difference"] = _size(difference)
            with self._sink.open("a") as file:
                file.write(json.dumps(row) + "\n")
        elif self._page is not None:
            key = f"| {method} | {source} | {row['expected']} |"
            assert key in self._page, f"docs/validation.md lacks '{key}': run scripts/validation.py"


def _difference(expected: object, ours: object) -> float:
    if isinstance(expected, float) and isinstance(ours, int | float):
        return abs(expected - float(ours))
    return 0.0 if expected == ours else math.inf


def _shown(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _size(difference: float) -> str:
    if difference == 0:
        return "0"
    return f"< 1e{math.ceil(math.log10(difference))}" if difference >= 1e-14 else "< 1e-14"


@pytest.fixture(scope="session")
def validation() -> Validation:
    sink = os.environ.get(COLLECT)
    page = None if sink or not PAGE.exists() else PAGE.read_text(encoding="utf-8")
    return Validation(page, Path(sink) if sink else None)


@pytest.fixture(scope="session")
def real_data():
    """Reads a file of the folder of real data; skips where that is absent."""

    def read(name: str) -> pl.DataFrame:
        path = DATA / name
        if not path.exists():
            pytest.skip(f"real data are not here: {name}")
        return pl.read_csv(path, null_values=["NA", ""])

    return read
