"""What pycanon and anjana say of the same people: ``python pycanon_anjana.py > pycanon_anjana.json``.

Needs ``anjana`` of PyPI, which brings ``pycanon`` (both Apache-2.0, and no part of this project) in an environment
without the project's locks, and the project's root in PYTHONPATH. pycanon measures tables; anjana coarsens the
clinic by the same hierarchies until k people look alike, with no more left out than mbc may leave out.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
from collections import Counter
from typing import Any

import polars as pl

from tests.reference.disclosure.make_people import KNOWN, MOST_LEFT_OUT, SENSITIVE, K, hierarchies, sample, tables


def measured(people: pl.DataFrame) -> dict[str, float]:
    """Measure a table by pycanon."""
    anonymity = importlib.import_module("pycanon.anonymity")
    frame, known = as_pandas(people), list(KNOWN)
    return {
        "k": int(anonymity.k_anonymity(frame, known)),
        "l": int(anonymity.l_diversity(frame, known, [SENSITIVE])),
        "classes": len(classes(people)),
        "unique": sum(size == 1 for size in classes(people)),
    }


def as_pandas(people: pl.DataFrame) -> Any:
    """Give the same table to pandas, without pyarrow."""
    return importlib.import_module("pandas").DataFrame(people.to_dict(as_series=False))


def classes(people: pl.DataFrame) -> list[int]:
    """Sizes of pycanon's equivalence classes."""
    helpers = importlib.import_module("pycanon.anonymity.utils.aux_anonymity")
    return [len(rows) for rows in helpers.get_equiv_class(as_pandas(people), list(KNOWN))]


def coarsened(people: pl.DataFrame) -> dict[str, Any]:
    """Coarsen the clinic by anjana; the classes that come out, with their sizes."""
    anjana = importlib.import_module("anjana.anonymity")
    given: dict[str, dict[int, Any]] = {}
    for name, hierarchy in hierarchies(people).items():
        values = people[name].to_list()
        versions = [[level[value] for value in values] for level in hierarchy.levels]
        given[name] = dict(enumerate([*versions, ["*"] * len(values)]))
    made = anjana.k_anonymity(as_pandas(people), [], list(KNOWN), K, 100 * MOST_LEFT_OUT, given)
    rows = Counter(tuple(str(value) for value in row) for row in made[list(KNOWN)].itertuples(index=False))
    return {"left_out": people.height - len(made), "classes": sorted([*row, size] for row, size in rows.items())}


print(
    json.dumps(
        {
            "programs": [f"{name} {importlib.metadata.version(name)}" for name in ("pycanon", "anjana")],
            "measured": {name: measured(people) for name, people in tables().items()},
            "coarsened": coarsened(sample()),
        },
        separators=(",", ":"),
    )
)
