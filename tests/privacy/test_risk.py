"""Risks of being recognised, counted a second time by hand; people made alike, checked person by person."""

from __future__ import annotations

from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mbc.errors import FrameError, SettingsError
from mbc.privacy.risk import Hierarchy, disclosure, generalise

PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "sessions": st.sampled_from(["1-9", "10-19", "20+", None]),
            "ending": st.sampled_from(["planned", "other"]),
            "outcome": st.sampled_from(["better", "worse", "same"]),
        }
    ),
    min_size=1,
    max_size=40,
)


@given(rows=PEOPLE)
def test_every_figure_follows_from_counting_people_one_by_one(rows):
    classes = Counter((row["sessions"], row["ending"]) for row in rows)
    outcomes = {key: {r["outcome"] for r in rows if (r["sessions"], r["ending"]) == key} for key in classes}
    measured = disclosure(pl.DataFrame(rows, schema_overrides={"sessions": pl.String}), ["sessions", "ending"],
                          sensitive="outcome")  # fmt: skip
    assert measured.people == len(rows)
    assert measured.k == min(classes.values())
    assert measured.unique == sum(size == 1 for size in classes.values())
    own = [1 / classes[row["sessions"], row["ending"]] for row in rows]
    assert measured.prosecutor_highest == pytest.approx(max(own))
    assert measured.prosecutor_mean == pytest.approx(sum(own) / len(own))
    assert (measured.journalist_highest, measured.journalist_mean) == (
        measured.prosecutor_highest, measured.prosecutor_mean,
    )  # fmt: skip
    assert measured.diversity == min(map(len, outcomes.values()))


def test_the_journalist_looks_among_everybody_who_could_be_there():
    cohort = pl.DataFrame({"sessions": ["1-9", "20+"]})
    clinic = pl.DataFrame({"sessions": ["1-9"] * 10 + ["20+"] * 4})
    measured = disclosure(cohort, ["sessions"], population=clinic)
    assert measured.prosecutor_highest == 1
    assert measured.journalist_highest == 1 / 4
    assert measured.journalist_mean == pytest.approx((1 / 10 + 1 / 4) / 2)


def test_without_columns_all_are_alike_and_without_people_nobody_is():
    assert disclosure(pl.DataFrame({"a": [1, 2, 3]}), []).k == 3
    assert disclosure(pl.DataFrame({"a": []}), ["a"]).k == 0
    with pytest.raises(FrameError, match="There is no column 'b'; there are a"):
        disclosure(pl.DataFrame({"a": [1]}), ["b"])


BANDS = Hierarchy(
    (
        {"1-9": "1-9", "10-19": "10-19", "20+": "20+", None: "none"},
        {"1-9": "fewer", "10-19": "fewer", "20+": "20+", None: "none"},
    )
)
ENDINGS = Hierarchy(({"planned": "planned", "other": "other"},), can_be_hidden=False)


@settings(max_examples=60)
@given(rows=PEOPLE, k=st.integers(2, 6), share=st.sampled_from([0.0, 0.1, 0.3]))
def test_whoever_stays_has_enough_others_and_few_are_left_out(rows, k, share):
    frame = pl.DataFrame(rows, schema_overrides={"sessions": pl.String}).select("sessions", "ending")
    hierarchies = {"sessions": BANDS, "ending": ENDINGS}
    try:
        coarse, out, levels = generalise(frame, hierarchies, k=k, most_left_out=share)
    except SettingsError:
        endings = Counter(row["ending"] for row in rows)
        few = sum(count for count in endings.values() if count < k)
        assert few > share * len(rows) or len(rows) - few < k  # even with sessions hidden
        return
    kept = [row for row, left in zip(coarse.iter_rows(), out, strict=True) if not left]
    assert min(Counter(kept).values()) >= k
    assert out.sum() <= share * len(rows)
    assert 0 <= levels["sessions"] <= 2
    assert levels["ending"] == 0
    assert coarse["ending"].to_list() == frame["ending"].to_list()


def test_nothing_is_coarsened_without_need():
    frame = pl.DataFrame({"sessions": ["1-9"] * 5 + ["20+"] * 5, "ending": ["planned"] * 10})
    coarse, out, levels = generalise(frame, {"sessions": BANDS, "ending": ENDINGS}, k=5)
    assert levels == {"sessions": 0, "ending": 0}
    assert coarse["sessions"].to_list() == frame["sessions"].to_list()
    assert not out.any()


@pytest.mark.parametrize(("options", "words"), [
    ({"k": 1}, "k must be at least 2, got 1"), ({"k": 5, "most_left_out": 1.0}, "a proportion from 0 to less"),
    ({"k": 11}, "10 people are too few for k = 11"),
])  # fmt: skip
def test_what_cannot_be_is_refused(options, words):
    frame = pl.DataFrame({"sessions": ["1-9"] * 10})
    with pytest.raises(SettingsError, match=words):
        generalise(frame, {"sessions": BANDS}, **options)
