"""The numbers of the R package suddengains, its peculiarities included (tests/reference/courses/suddengains.R)."""

from __future__ import annotations

import importlib.util
import json
import math
from pathlib import Path

import polars as pl
import pytest

from mbc import models
from mbc.errors import ModelError

REFERENCE = Path(__file__).resolve().parents[2] / "reference/courses"
MADE = json.loads((REFERENCE / "suddengains.json").read_text(encoding="utf-8"))
CASES = MADE["cases"]


def long(wide: pl.DataFrame, prefix: str = "s") -> pl.DataFrame:
    columns = [name for name in wide.columns if name.startswith(prefix)]
    rows = wide.unpivot(columns, index="id", variable_name="session", value_name="x")
    return rows.with_columns(pl.col("session").str.extract(r"(\d+)").cast(pl.Int64))


@pytest.fixture(scope="module")
def scores() -> pl.DataFrame:
    spec = importlib.util.spec_from_file_location("make_data", REFERENCE / "make_data.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return long(module.wide())


def searched(rows: pl.DataFrame, options: dict):
    find = models.sudden_gains if options["identify"] == "sg" else models.sudden_losses
    applied = (*(() if options["cutoff"] is None else (1,)), *(() if options["pct"] is None else (2,)))
    return find(
        rows, client="id", time="session", score="x", higher_is_better=False, cutoff=options["cutoff"],
        proportion=options["pct"] or 0.25, criteria=applied + ((3,) if options["third"] else ()),
        alpha=options["alpha"], critical=None if options["adjust"] else 2.776,
        first_is_baseline=options["baseline"], compat="suddengains",
    )  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["options"]))
def test_every_step_of_200_clients(scores, case):
    result = searched(scores, case["options"])
    word = {True: "1", False: "0", None: "-"}
    found = "gain" if case["options"]["identify"] == "sg" else "loss"
    ours = result.steps.sort("id", "session").group_by("id", maintain_order=True).agg(found)
    verdicts = ["".join(word[one] for one in row) for row in ours[found].to_list()]
    expected = [text.replace("TRUE", "1").replace("FALSE", "0") for text in case["verdicts"]]
    assert verdicts == expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["options"]))
def test_every_number_of_every_gain(scores, case, validation):
    ours = searched(scores, case["options"]).table
    expected = case["rows"]
    assert set(expected) == set(ours.columns)
    for name, column in expected.items():
        numbers = name != "id_sg"
        for one, given in zip(ours[name].to_list(), column, strict=True):
            # R writes a column that holds Inf as text.
            other = given if not (numbers and isinstance(given, str)) else None if given == "NA" else float(given)
            assert one == other or math.isclose(one, other, rel_tol=1e-12), (name, one, other)
    o = case["options"]
    name = (
        "sudden {identify}, cutoff {cutoff}, pct {pct}, third {third}, alpha {alpha}, adjust {adjust}, {b}".format(
            **o, b="baseline" if o["baseline"] else "no baseline"
        )
    )
    validation(name, "suddengains, synthetic 200 x 12", len(expected["id_sg"]), ours.height)


def test_its_own_example_data(real_data, validation):
    wide = real_data("sgdata.csv").with_columns(pl.col("id").cast(pl.Int64))
    rows = long(wide.select("id", "^bdi_s.*$"), "bdi_s")
    columns = {"client": "id", "time": "session", "score": "x", "higher_is_better": False, "cutoff": 7}
    source = "suddengains 0.7.2, sgdata, BDI sessions 1 to 12"
    treated = rows.filter(pl.col("session") > 0)
    all_three = models.sudden_gains(treated, **columns, compat="suddengains")
    validation("sudden gains, three criteria: gains", source, 24, len(all_three))
    validation("sudden gains, three criteria: reversed", source, 4, all_three.table["sg_reversal"].sum())
    two = models.sudden_gains(treated, **columns, criteria=(1, 2), compat="suddengains")
    validation("sudden gains, criteria 1 and 2: gains", source, 30, len(two))
    validation("sudden gains, criteria 1 and 2: reversed", source, 7, two.table["sg_reversal"].sum())
    ours = models.sudden_gains(treated, **columns, criteria=(1, 2))
    validation("the same, score n+2 looked at: reversed", source, 8, ours.table["reversed"].sum())
    zero = models.sudden_gains(rows, **columns, first_is_baseline=True, compat="suddengains")
    validation("steps judged, with baseline", source, 334, zero.n_judged)
    validation("steps not judged, with baseline", source, 96, zero.n_examined - zero.n_judged)


def test_largest_loss_is_the_smallest_as_the_package_has_it():
    rows = pl.DataFrame(
        {"id": [1] * 12, "session": range(1, 13), "x": [10, 10, 10, 20, 20, 20, 20, 45, 45, 45, 45, 45]}
    )
    columns = {"client": "id", "time": "session", "score": "x", "higher_is_better": False, "cutoff": 5}
    theirs = models.sudden_losses(rows, **columns, compat="suddengains").by_client("largest")
    assert theirs["sg_magnitude"].to_list() == [-10]
    ours = models.sudden_losses(rows, **columns).by_client("largest")
    assert ours["magnitude"].to_list() == [25]


def test_nobody_with_a_gain_gives_an_empty_table_under_its_names():
    rows = pl.DataFrame({"id": [1] * 5, "session": range(1, 6), "x": [10.0] * 5})
    result = models.sudden_gains(
        rows, client="id", time="session", score="x", higher_is_better=False, cutoff=5, compat="suddengains"
    )
    assert (len(result), result.reason) == (0, None)
    assert "sg_x_tx_change" in result.table.columns


@pytest.mark.parametrize(
    "options", [{"higher_is_better": True}, {"higher_is_better": False, "bridge_missed": True}]
)
def test_what_the_package_cannot_do_is_refused(options):
    rows = pl.DataFrame({"id": [1], "session": [1], "x": [10.0]})
    with pytest.raises(ModelError, match="leave"):
        models.sudden_gains(
            rows, client="id", time="session", score="x", cutoff=5, compat="suddengains", **options
        )
