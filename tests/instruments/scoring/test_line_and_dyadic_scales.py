"""DAS, DAS-7, ORS and SRS: sums by hand from the facts of each form; decimals where lines are measured."""

from __future__ import annotations

import polars as pl
import pytest

import mbc
from mbc.errors import InvalidResponse

# Ranges and subscales of the 32 items, as three open programs give them: 0-5 but for these.
DAS_TOPS = [5] * 22 + [4, 4, 5, 5, 5, 5, 1, 1, 6, 5]
DAS_PARTS = {
    "consensus": [1, 2, 3, 5, *range(7, 16)],
    "satisfaction": [*range(16, 24), 31, 32],
    "cohesion": [*range(24, 29)],
    "affection": [4, 6, 29, 30],
}


def one_row(key: str, values: list[float | None]) -> pl.DataFrame:
    schema = {f"{key}_{n}": pl.Float64 for n in range(1, len(values) + 1)}
    return pl.DataFrame([values], schema=schema, orient="row")


def test_the_long_scale_reaches_151_and_its_parts_their_own_tops():
    scored = mbc.score(one_row("das", DAS_TOPS), "das").row(0, named=True)
    tops = {"total": 151, "consensus": 65, "satisfaction": 50, "cohesion": 24, "affection": 12}
    assert {scale: scored[f"das_{scale}"] for scale in tops} == tops


def test_each_item_of_the_long_scale_counts_once_in_the_total_and_once_in_its_part():
    rows = [[1.0 if place == n else 0.0 for place in range(1, 33)] for n in range(1, 33)]
    scored = []
    for first in range(0, 32, 3):  # no more than three at once: many such answers would be doubted
        few = pl.DataFrame(rows[first : first + 3], [f"das_{n}" for n in range(1, 33)], orient="row")
        scored += mbc.score(few, "das").rows(named=True)
    for n, row in enumerate(scored, start=1):
        assert row["das_total"] == 1
        assert [part for part in DAS_PARTS if row[f"das_{part}"] == 1] == [
            part for part, items in DAS_PARTS.items() if n in items
        ]
    assert len(scored) == 32


@pytest.mark.parametrize(("place", "value"), [(23, 5), (24, 5), (29, 2), (30, 2), (31, 7), (1, 6), (32, 6)])
def test_an_answer_beyond_the_range_of_its_own_item_is_refused(place, value):
    values = [0.0] * 32
    values[place - 1] = value
    with pytest.raises(InvalidResponse, match=f"das_{place} has {value}"):
        mbc.score(one_row("das", values), "das")


def test_the_short_scale_reaches_36():
    assert mbc.score(one_row("das7", [5.0] * 6 + [6.0]), "das7")["das7_total"].to_list() == [36.0]
    with pytest.raises(InvalidResponse, match=r"das7_6 have 6 \(accepted: 0-5\)"):
        mbc.score(one_row("das7", [6.0] * 7), "das7")


@pytest.mark.parametrize("key", ["ors", "srs"])
def test_lines_are_measured_to_the_millimetre_and_all_four_are_needed(key):
    scored = mbc.score(one_row(key, [2.3, 4.0, 6.5, 7.7]), key)
    assert scored[f"{key}_total"].to_list() == pytest.approx([20.5])
    assert mbc.score(one_row(key, [2.3, None, 6.5, 7.7]), key, missing="prorate")[f"{key}_total"].to_list() == [
        None
    ]
    with pytest.raises(InvalidResponse, match="accepted: 0-10"):
        mbc.score(one_row(key, [2.3, 4.0, 6.5, 10.1]), key)


@pytest.mark.parametrize(("key", "line", "below", "at"), [("ors", 25, 24.9, 25.0), ("srs", 36, 35.9, 36.0)])
def test_the_line_itself_is_not_below_it(key, line, below, at):
    cutoff = mbc.instrument(key).main_scale.cutoff
    assert cutoff is not None
    assert (cutoff.value, cutoff.distressed(below), cutoff.distressed(at)) == (line, True, False)


@pytest.mark.parametrize("key", ["das", "das7", "ors", "srs"])
def test_what_is_sold_or_licensed_ships_its_key_and_no_text(key):
    definition = mbc.instrument(key)
    assert definition.licence.status == "restricted"
    assert {item.label for item in definition.items} == {f"item {n}" for n in range(1, len(definition.items) + 1)}


def test_what_could_not_be_read_is_marked_or_left_out():
    das7 = mbc.instrument("das7")
    assert das7.main_scale.confidence == "unverified"
    assert mbc.instrument("das").main_scale.cutoffs == das7.main_scale.cutoffs == ()
    assert {figure.confidence for figure in mbc.instrument("srs").main_scale.reliabilities} == {"unverified"}
