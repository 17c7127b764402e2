"""Recorded scores that no answers give: every score that answers do give is found by trying all answers."""

from __future__ import annotations

import itertools
import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mbc.errors import ImportRefused
from mbc.exchange import plan_import
from mbc.exchange.rows.possible_scores import is_possible, possible_scores
from mbc.instruments import instrument, keys, score

pytestmark = pytest.mark.long

HEADER = "client,date,instrument,scale,score\n"


def table(key: str, scale: str, scores: list[str]) -> str:
    return HEADER + "".join(f"C{n},2026-01-05,{key},{scale},{value}\n" for n, value in enumerate(scores, start=1))


@pytest.mark.parametrize("key", ["who5", "csi4"])
def test_exactly_the_scores_that_some_answers_give_are_possible(key):
    measure = instrument(key)
    spans = [range(item.minimum, item.maximum + 1) for item in measure.items]
    frame = pl.DataFrame(list(itertools.product(*spans)), schema=measure.item_columns(), orient="row")
    scored = set(score(frame, key)[f"{key}_{measure.scales[0].key}"].unique().to_list())
    low, high = (int(end) for end in measure.scales[0].range)
    assert {n for n in range(low, high + 1) if is_possible(measure, measure.scales[0], (float(n), 0))} == scored


@pytest.mark.parametrize("key", [key for key in keys() if instrument(key).items])
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=max(1, settings().max_examples // 20), deadline=None)
def test_a_score_that_mbc_itself_gives_is_possible(key, seed):
    """Of sixty people who leave out nothing to half of the items, and of the lowest and the highest answers."""
    measure, drawn = instrument(key), random.Random(seed)
    blanks = [drawn.random() / 2 for _ in range(60)]
    answers = {
        column: [
            item.minimum,
            item.maximum,
            *(None if drawn.random() < blank else drawn.randint(item.minimum, item.maximum) for blank in blanks),
        ]
        for column, item in zip(measure.item_columns(), measure.items, strict=True)
    }
    scored = score(pl.DataFrame(answers, schema=dict.fromkeys(answers, pl.Float64)), key, missing="prorate")
    for scale in measure.scales:
        values = scored[f"{key}_{scale.key}"].drop_nulls().unique().to_list()
        assert values, scale.key
        for value in values:
            assert is_possible(measure, scale, (round(value, 2), 2)), (scale.key, value)


@pytest.mark.parametrize(("key", "scale", "scores", "words"), [
    ("who5", "total", ["7", "13", "24"], "would fit the raw sum of the answers (0 to 25). .* multiply them by 4"),
    ("phq9", "total", ["1.44", "0.33", "2"], "would fit the mean of the answers (0 to 3). .* multiply them by 9"),
    ("core10", "total", ["1.3", "2.7"], "would fit the mean of the answers (0 to 4). .* multiply them by 10"),
    ("phq9", "total", ["12.5", "11"], "12.5 is not a possible score of total"),
    ("rses", "total", ["17.25", "20"], "17.25 is not a possible score of total"),
    ("ecr_s", "anxiety", ["3.61"], "3.61 is not a possible score of anxiety"),
])  # fmt: skip
def test_scores_that_no_answers_give_are_refused_with_the_metric_they_would_fit(
    store, write, now, key, scale, scores, words
):
    plan = plan_import(write(table(key, scale, scores)), store, clinician="K1", now=now)
    before, _, after = words.partition(" .* ")
    assert before in plan.refusals[0]
    assert after in plan.refusals[0]
    if "would fit" in words:  # also those that happen to be possible on both
        with pytest.raises(ImportRefused):
            plan.apply(store, skip_refused=True)
    else:
        assert plan.counts["refused"] == 1


@pytest.mark.parametrize(("key", "scale", "scores"), [
    ("who5", "total", ["52", "0", "100"]),
    ("phq9", "total", ["12", "12.4", "13.5", "12.86"]),  # 11 of 8, 12 of 8 and 10 of 7 answered items
    ("rses", "total", ["17.5", "30"]),
    ("ecr_s", "anxiety", ["3.67", "3.7", "4"]),
    ("core10", "total", ["13", "14.4"]),
])  # fmt: skip
def test_scores_that_answers_give_are_stored_prorated_or_rounded(store, write, now, key, scale, scores):
    plan = plan_import(write(table(key, scale, scores)), store, clinician="K1", now=now)
    assert plan.refusals == ()


def test_a_rule_of_its_own_is_not_judged():
    for key in keys():
        for scale in instrument(key).scales:
            if scale.rule in {"algorithm", "procedure"}:
                assert possible_scores(instrument(key), scale) is None
