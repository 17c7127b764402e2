from __future__ import annotations

import polars as pl
import pytest

import mbc
from mbc import simulate
from mbc.simulate import Clinic


@pytest.fixture(scope="session")
def sample() -> Clinic:
    """The clinic of data/sample."""
    return simulate.clinic()


@pytest.fixture(scope="session")
def large() -> Clinic:
    """Enough clients for rates to settle; none of them storied."""
    return simulate.clinic(seed=5, clients=3000, stories=False)


@pytest.fixture(scope="session")
def scored():
    """Score one questionnaire of a clinic, each sheet by its own form and coding; complete sheets only."""

    def score(clinic: Clinic, key: str) -> pl.DataFrame:
        parts = [
            mbc.score(sheets, key, form=form, coding=coding, missing="strict")
            for (form, coding), sheets in clinic.administrations[key].group_by(
                "form", "coding", maintain_order=True
            )
        ]
        return pl.concat(parts).sort("client_id", "taken_on")

    return score
