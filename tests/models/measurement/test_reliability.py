"""Reliability against psych, factanal and aov of R (tests/reference/change.R)."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mbc import models
from mbc.errors import DoubtfulAnswers, ModelError

R = json.loads((Path(__file__).parents[2] / "reference/change.json").read_text())
ATTITUDE = np.array(R["attitude"], dtype=float)
PSYCH = "R psych 2.2.9, datasets::attitude"


def test_alpha_and_feldt_s_interval(validation):
    made = models.alpha(ATTITUDE)
    validation("Cronbach's alpha", PSYCH, R["alpha_attitude"], made.value)
    validation("Feldt interval: lower", PSYCH, R["alpha_feldt"][0], made.lower)
    validation("Feldt interval: upper", PSYCH, R["alpha_feldt"][1], made.upper)
    assert made.sem == pytest.approx(22.87142137)
    assert (made.n, made.n_missing, made.suspects) == (30, 0, ())


def test_items_against_the_rest(validation):
    for row, correlation, without in zip(
        models.item_rest_correlations(ATTITUDE), R["alpha_item_rest"], R["alpha_without"], strict=True
    ):
        validation(f"item-rest correlation, {row.item}", PSYCH, correlation, row.correlation)
        assert row.alpha_without == pytest.approx(without)


def test_omega(validation):
    made = models.omega(ATTITUDE)
    source = "R factanal, datasets::attitude"
    validation("omega of standardised items", source, R["omega_attitude"], made.value)
    validation("omega of the plain sum", source, R["omega_attitude_raw"], made.raw, within=1e-6)


def test_reliability_of_change_within_a_person(validation):
    diary = pl.DataFrame(np.array(R["diary"]), schema=["time", "id", "x1", "x2", "x3", "x4"], orient="row")
    made = models.change_reliability(diary, client="id", time="time", items=["x1", "x2", "x3", "x4"])
    between, one, mean, change = R["mlr"]
    for name, expected, ours in (
        ("R_KF", between, made.between), ("R_1R", one, made.one_random), ("R_KR", mean, made.mean_random),
        ("R_C", change, made.change),
    ):  # fmt: skip
        validation(f"{name}, 40 people x 6 days x 4 items", "R psych::mlr 2.2.9", expected, ours)
    validation("R_CN, the same diary", "R aov, nested mean squares", R["nested_change"], made.nested)


def test_a_wrong_key_turns_alpha_negative_and_is_named():
    rng = np.random.default_rng(5)
    trait = rng.standard_normal((300, 1))
    items = trait + rng.standard_normal((300, 10))
    wrong = items.copy()
    wrong[:, [1, 4, 5, 7, 8]] *= -1
    with pytest.warns(DoubtfulAnswers, match="correlate negatively with the rest"):
        made = models.alpha(wrong)
    assert made.value < 0
    assert len(made.suspects) >= 5
    assert "key" in made.warning
    assert models.alpha(items).warning == ""


def test_two_scales_under_the_wrong_order_are_found_by_signs_not_by_alpha():
    """Eighteen items of two independent scales: one reversed item hides in a high alpha, its sign does not."""
    rng = np.random.default_rng(8)
    items = rng.standard_normal((500, 1)) + 0.7 * rng.standard_normal((500, 18))
    items[:, 3] *= -1
    with pytest.warns(DoubtfulAnswers, match="Items item 4 correlate negatively"):
        made = models.alpha(items)
    assert made.value > 0.9
    assert made.suspects == ("item 4",)


def test_forty_six_thousand_self_esteem_records():
    """Alpha of the complete records, order B keyed, is .9140 (notes of the data folder); unkeyed it is lower."""
    path = Path(__file__).resolve().parents[3] / "../shared/data/rse.tsv.gz"
    if not path.exists():
        pytest.skip("real data are not here: rse.tsv.gz")
    frame = pl.read_csv(path, separator="\t", columns=[f"Q{i}" for i in range(1, 11)]).cast(pl.Float64)
    frame = frame.with_columns(pl.when(pl.all() > 0).then(pl.all()).name.keep())
    keyed = frame.with_columns([(5 - pl.col(f"Q{i}")).alias(f"Q{i}") for i in (3, 5, 8, 9, 10)])
    made = models.alpha(keyed)
    assert (made.n, round(made.value, 4), round(made.sd, 3)) == (46546, 0.9140, 6.983)
    with pytest.warns(DoubtfulAnswers, match="Q6, Q7"):
        unkeyed = models.alpha(frame)
    assert unkeyed.value < 0 < len(unkeyed.suspects)


@pytest.mark.parametrize(("items", "reason"), [
    ([[1.0, 2.0]], "too_few_scores"),
    ([[1.0], [2.0], [3.0]], "too_few_scores"),
    ([[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]], "zero_variance"),
])  # fmt: skip
def test_alpha_says_why_it_cannot_be_had(items, reason):
    made = models.alpha(items)
    assert (made.value, made.reason) == (None, reason)


def test_an_item_that_nobody_answers_differently_is_dropped_and_named():
    made = models.alpha(pl.DataFrame({"a": [1, 2, 3], "b": [2, 2, 3], "c": [1, 1, 1]}))
    assert made.dropped == ("c",)
    assert made.items == ("a", "b")


def test_a_heywood_case_has_no_omega():
    """One factor needs a loading of sqrt(.9 * .8 / .6) > 1 on the first of these items."""
    wanted = np.array([[1, 0.9, 0.8], [0.9, 1, 0.6], [0.8, 0.6, 1]])
    sample = np.random.default_rng(4).standard_normal((40, 3))
    sample -= sample.mean(axis=0)
    white = sample @ np.linalg.inv(np.linalg.cholesky(np.cov(sample.T)).T)
    made = models.omega(white @ np.linalg.cholesky(wanted).T)
    assert (made.value, made.reason) == (None, "not_estimable")
    twins = np.column_stack([sample[:, 0], sample[:, 0], sample[:, 1]])
    assert models.omega(twins).reason == "not_estimable"


def test_text_is_refused():
    with pytest.raises(ModelError, match="name"):
        models.alpha(pl.DataFrame({"a": [1, 2], "name": ["x", "y"]}))
