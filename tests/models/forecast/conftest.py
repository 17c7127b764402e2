"""Synthetic courses, and one model of them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import polars as pl
import pytest

from mbc.models import expected_course

REFERENCE = Path(__file__).parents[2] / "reference/forecast"


@pytest.fixture(scope="session")
def courses():
    """The maker of synthetic courses that nlme was given as well."""
    spec = importlib.util.spec_from_file_location("expected_make_data", REFERENCE / "make_data.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.courses


@pytest.fixture(scope="session")
def clinic(courses) -> pl.DataFrame:
    return courses(120, seed=11, whole=True)


COLUMNS = {"outcome": "score", "time": "weeks", "client": "client"}


@pytest.fixture(scope="session")
def model(clinic):
    return expected_course(
        clinic, **COLUMNS, higher_is_better=False, score_range=(0, 40), reliable_change=6, measure="made-up scale",
        time_unit="weeks",
    )  # fmt: skip
