"""Risks of being recognised, against pycanon; coarsening, against anjana (tests/reference/disclosure/)."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from mbc.privacy.risk import disclosure, generalise
from tests.reference.disclosure import make_people

REFERENCE = Path(__file__).parents[1] / "reference" / "disclosure"
THEIRS = json.loads((REFERENCE / "pycanon_anjana.json").read_text())
TABLES = make_people.tables()


@pytest.mark.parametrize("name", TABLES)
def test_k_diversity_and_classes_are_those_of_pycanon(name):
    ours = disclosure(TABLES[name], make_people.KNOWN, sensitive=make_people.SENSITIVE)
    theirs = THEIRS["measured"][name]
    assert {"k": ours.k, "l": ours.diversity, "classes": ours.classes, "unique": ours.unique} == theirs


def test_the_measured_tables_differ_in_every_figure():
    assert list(TABLES) == list(THEIRS["measured"])
    for figure in ("k", "l", "classes", "unique"):
        assert len({each[figure] for each in THEIRS["measured"].values()}) >= 3
    assert THEIRS["measured"]["sample"]["unique"] > 50
    assert THEIRS["measured"]["coarsened"]["k"] >= make_people.K


def test_coarsening_keeps_at_least_what_anjana_keeps():
    """Both reach k, with no more left out than asked; mbc still distinguishes as many pairs of people or more."""
    people = make_people.sample()
    theirs = THEIRS["coarsened"]
    assert min(row[-1] for row in theirs["classes"]) >= make_people.K
    coarse, out, _ = generalise(
        people.select(make_people.KNOWN), make_people.hierarchies(people), k=make_people.K,
        most_left_out=make_people.MOST_LEFT_OUT,
    )  # fmt: skip
    kept = coarse.filter(~out)
    assert out.sum() <= make_people.MOST_LEFT_OUT * people.height
    assert disclosure(kept, make_people.KNOWN).k >= make_people.K
    anjana = pl.DataFrame(
        [row[:-1] for row in theirs["classes"] for _ in range(row[-1])],
        schema=list(make_people.KNOWN),
        orient="row",
    )
    assert anjana.height == people.height - theirs["left_out"]

    def kept_apart(table: pl.DataFrame, name: str) -> float:
        sizes = table[name].value_counts()["count"]
        return 1 - float((sizes * (sizes - 1)).sum()) / (table.height * (table.height - 1))

    ours, others = (sum(kept_apart(table, name) for name in make_people.KNOWN) for table in (kept, anjana))
    assert ours >= others
