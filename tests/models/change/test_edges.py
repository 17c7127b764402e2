"""What cannot be computed has a reason; what is asked wrongly is refused; every kind of column is read alike."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mbc import models
from mbc.errors import ModelError

scores = st.floats(-200, 200)
NORMS = {"mean1": 50.0, "sd1": 10.0, "mean2": 52.0, "sd2": 9.0, "r12": 0.7, "n": 40, "reliability": 0.85}
RETEST = ["christensen-mendoza", "chelune", "iverson", "mcsweeny", "crawford-howell", "maassen"]
CLINICAL = [
    "jacobson-truax", "gulliksen-lord-novick", "hsu-linn-lord", "edwards-nunnally", "nunnally-kotsch",
    "hageman-arrindell",
]  # fmt: skip


@pytest.mark.parametrize(("sd", "reliability", "reason"), [
    (0.0, 0.8, "zero_variance"), (5.0, 1.0, "perfect_reliability"),
])  # fmt: skip
def test_no_unit_to_measure_change_in(sd, reliability, reason):
    change = models.reliable_change(10, 12, sd=sd, reliability=reliability, higher_is_better=True)
    assert (change.change, change.index, change.threshold, change.category) == (2.0, None, None, None)
    assert change.reason == reason


def test_a_reliability_of_zero_says_so():
    change = models.reliable_change(10, 12, sd=5, reliability=0.0, higher_is_better=True)
    assert change.standard_error == pytest.approx(5 * 2**0.5)
    assert "no information" in change.notes[0]
    assert models.true_change(10, 12, sd=5, reliability=0.0).reason == "not_estimable"


@pytest.mark.parametrize(("pre", "post", "reason"), [
    ([5.0], [7.0], "too_few_pairs"), ([5.0, 5.0, 5.0], [7.0, 8.0, 9.0], "zero_variance"),
    ([], [], None),
])  # fmt: skip
def test_a_sample_that_has_no_spread(pre, post, reason):
    change = models.reliable_change(pre, post, reliability=0.8, higher_is_better=True)
    assert change.reason.tolist() == [reason] * len(pre)
    assert change.to_frame().height == len(pre)
    assert "rate" in models.outcome_rates(change).table.columns


@pytest.mark.parametrize(("pre", "post", "reason"), [
    ([5.0], [7.0], "too_few_pairs"), ([5.0, 5.0], [7.0, 8.0], "zero_variance"), ([], [], None),
])  # fmt: skip
@pytest.mark.parametrize("compat", [None, "clinicalsignificance"])
def test_a_sample_without_a_correlation_judges_nobody(pre, post, reason, compat):
    change = models.reliable_change(
        pre, post, method="hageman-arrindell", reliability=0.8, higher_is_better=True, compat=compat
    )
    assert change.reason.tolist() == [reason] * len(pre)
    assert np.isnan(change.index).all()
    assert change.category.tolist() == [None] * len(pre)


def test_the_result_says_what_was_computed_from_the_pairs_themselves():
    pre, post = [10.0, 12.0, 15.0, None], [12.0, 11.0, 18.0, 4.0]
    change = models.reliable_change(pre, post, reliability=0.8, higher_is_better=True)
    assert change.notes == ("sd computed from the 3 complete pairs themselves.",)
    assert change.norms.sd == pytest.approx(np.std(pre[:3], ddof=1))
    stated = models.reliable_change(pre, post, sd=6, reliability=0.8, higher_is_better=True)
    assert stated.notes == ()
    assert stated.norms.mean is None


def test_a_reliability_is_never_computed_from_the_pairs():
    with pytest.raises(ModelError, match="jacobson-truax needs sd, reliability; reliability is not given"):
        models.reliable_change([10, 12, 15], [12, 11, 18], higher_is_better=True)


def test_without_practice_the_change_is_judged_as_it_is():
    # SD of the retest differences: sqrt(10^2 + 9^2 - 2 * 0.7 * 10 * 9) = sqrt(55); mean change 2.
    given = {"norms": NORMS, "method": "christensen-mendoza", "higher_is_better": True}
    assert models.reliable_change(50, 60, **given).index == pytest.approx((10 - 2) / 55**0.5)
    change = models.reliable_change(50, 60, **given, practice=False)
    assert change.index == pytest.approx(10 / 55**0.5)
    assert (change.norms.mean, change.norms.mean_retest) == (None, None)


def test_differences_that_vary_less_than_error_alone():
    pre, post = np.array([10.0, 20, 30, 40]), np.array([12.0, 21, 33, 42])
    change = models.reliable_change(pre, post, method="hageman-arrindell", reliability=0.3, higher_is_better=True)
    assert change.reason.tolist() == ["no_reliable_differences"] * 4
    assert change.category.tolist() == [None] * 4


def test_crawford_and_howell_need_three_pairs():
    change = models.reliable_change(
        10, 12, norms=NORMS | {"n": 2}, method="crawford-howell", higher_is_better=True
    )
    assert change.reason == "too_few_pairs"


@pytest.mark.parametrize("method", RETEST)
def test_methods_of_a_retest_sample_do_not_take_the_treated_one(method):
    with pytest.raises(ModelError, match=method):
        models.reliable_change([10, 12, 15], [12, 11, 18], method=method, higher_is_better=True)


@pytest.mark.parametrize("method", RETEST + CLINICAL)
def test_every_method_judges_missing_scores_as_missing(method):
    pre, post = [40, None, 55, None], [60, 45, None, None]
    change = models.reliable_change(pre, post, norms=NORMS, method=method, higher_is_better=True)
    expected = [None, "missing_pre", "missing_post", "missing_both"]
    assert change.reason.tolist() == expected
    assert change.category.tolist()[1:] == [None] * 3
    assert change.n_missing == 3
    assert change.to_frame()["index"].null_count() >= 3


COLUMNS = [
    [20.0, 15.0, None], np.array([20.0, 15.0, np.nan]), pd.Series([20.0, 15.0, None]),
    pd.Series([20, 15, None], dtype="Int64"), pl.Series([20, 15, None]), pa.chunked_array([[20, 15, None]]),
    np.ma.MaskedArray([20.0, 15.0, 1.0], mask=[False, False, True]), pd.Series([20, 15, pd.NA], dtype=object),
    (20, 15, pd.NA),
]  # fmt: skip


@pytest.mark.parametrize(
    "column", COLUMNS, ids=lambda column: type(column).__module__ + "." + type(column).__name__
)
def test_every_kind_of_column_is_read_alike(column):
    change = models.reliable_change(column, [10, 14, 9], sd=6, reliability=0.85, higher_is_better=False)
    assert change.category.tolist() == ["improved", "unchanged", None]
    assert change.reason.tolist() == [None, None, "missing_pre"]


@pytest.mark.parametrize(
    ("backend", "kind"), [("polars", pl.DataFrame), ("pandas", pd.DataFrame), ("pyarrow", pa.Table)]
)
def test_tables_of_the_kind_that_is_asked_for(backend, kind):
    change = models.reliable_change([20, 15], [10, 14], sd=6, reliability=0.85, higher_is_better=False)
    assert isinstance(change.to_frame(backend=backend), kind)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: models.reliable_change(1, 2, sd=5, reliability=86), "percentage"),
    (lambda: models.reliable_change(1, 2, sd=-5, reliability=0.8), "at least 0"),
    (lambda: models.reliable_change(1, 2, sd=5), "reliability is not given"),
    (lambda: models.reliable_change(1, 2, sd=5, reliability=0.8, confidence=95), "percentage"),
    (lambda: models.reliable_change(1, 2, sd=5, reliability=0.8, method="jacobson"), "jacobson-truax"),
    (lambda: models.reliable_change([1, 2], [1], sd=5, reliability=0.8), "same clients"),
    (lambda: models.reliable_change("47", 2, sd=5, reliability=0.8), "pre must be a number"),
    (lambda: models.reliable_change(["a"], [2], sd=5, reliability=0.8), "pre must be a number"),
    (lambda: models.reliable_change(pl.Series(["a"]), [2], sd=5, reliability=0.8), "pre must be a number"),
    (lambda: models.reliable_change(1, 2, norms={"sd": 5, "reliabilty": 0.8}), "reliability"),
    (lambda: models.cutoff("c", clinical=(60, 5), functional=(40, 5), higher_is_better=True), "swapped"),
    (lambda: models.cutoff("c", clinical=(60, 5), higher_is_better=True), "needs functional"),
    (lambda: models.cutoff("d", clinical=(60, 5), higher_is_better=True), "criterion"),
    (lambda: models.clinical_significance(1, 2, cutoff=3), "higher_is_better"),
    (lambda: models.clinical_significance(1, 2, cutoff="ten", higher_is_better=True), "cutoff must be"),
    (lambda: models.anchor_change(1, 2, improvement=-3, higher_is_better=False), "> 0"),
    (lambda: models.wilson_interval(5, 3), "between 0 and n"),
    (lambda: models.true_change(1, 2, sd=5, reliability=0.8, prior="kelley"), "needs mean"),
    (lambda: models.many_to_one_critical(0), "at least 1"),
    (lambda: models.mean_baseline_change([1], [2], sem=0), "sem must be > 0"),
    (lambda: models.reliable_trend([1, 2], [1], sem=1), "times 1"),
])  # fmt: skip
def test_messages_name_the_thing_the_value_and_the_repair(call, message):
    with pytest.raises(ModelError, match=message):
        call()


def test_a_cutoff_outside_the_scale_is_none():
    cut = models.cutoff("a", clinical=(20, 9), higher_is_better=False, scale_range=(3, 27))
    assert (cut.value, cut.reason) == (None, "outside_scale")
    result = models.clinical_significance([20], [5], cutoff=cut)
    assert result.reason.tolist() == ["no_cutoff"]


def test_the_instrument_s_own_tie_rule_is_kept():
    class Published:
        value, side = 10.0, ">="

    class Strict:
        value, side = 10.0, ">"

    assert models.clinical_significance(10, 9, cutoff=Published()).category == "improved"
    assert models.clinical_significance(10, 9, cutoff=Strict()).category == "unchanged"


def test_norms_of_an_instrument_travel_with_the_result():
    class ChangeNorm:
        sd, reliability, kind, sample, source, confidence = 7.0, 0.9, "alpha", "adults", "somebody2001", "high"

    change = models.reliable_change(20, 12, norms=ChangeNorm(), higher_is_better=False)
    assert (change.norms.kind, change.norms.sample, change.norms.source) == ("alpha", "adults", "somebody2001")


def test_levels_of_confidence_at_once():
    change = models.reliable_change([10, 10, 10], [13, 15, 20], sd=5, reliability=0.8, higher_is_better=True)
    table = change.levels()
    assert table.columns == ["index", "at_60", "at_80", "at_95"]
    assert table["at_60"].to_list() == ["improved"] * 3
    assert table["at_95"].to_list() == ["unchanged", "unchanged", "improved"]
    assert change.at(0.8).threshold[0] == pytest.approx(change.standard_error[0] * 1.2815515655446004)


def test_pairs_name_who_lacks_what_and_guess_nothing():
    long = pd.DataFrame({"who": [1, 1, 2, 3], "when": ["pre", "post", "pre", "post"], "das": [90.5, 97, 74, 80]})
    made = models.pre_post_pairs(long, client="who", time="when", score="das", pre="pre", post="post")
    assert (made.n, made.n_complete, made.lacking_pre, made.lacking_post) == (3, 1, (3,), (2,))
    with pytest.raises(ModelError, match="does not occur"):
        models.pre_post_pairs(long, client="who", time="when", score="das", pre="before", post="post")
    with pytest.raises(ModelError, match="more than once"):
        models.pre_post_pairs(
            pd.concat([long, long]), client="who", time="when", score="das", pre="pre", post="post"
        )
    with pytest.raises(ModelError, match="Did you mean: das"):
        models.pre_post_pairs(long, client="who", time="when", score="dass", pre="pre", post="post")


def test_first_reliable_change_counts_sessions_that_were_held_and_ignores_the_order_of_rows():
    data = pl.DataFrame({
        "who": ["a"] * 5 + ["b"] * 4 + ["c"],
        "week": [0, 1, 2, 3, 5, 0, 1, 2, 3, 0],
        "phq": [20, 9, 19, 8, 7, 10, 22, 23, 24, 12],
    }).sample(fraction=1, shuffle=True, seed=1)  # fmt: skip
    options = {
        "client": "who",
        "time": "week",
        "score": "phq",
        "higher_is_better": False,
        "sd": 5,
        "reliability": 0.84,
    }
    made = models.first_reliable_change(data, **options)
    rows = {row["who"]: row for row in made.table.to_dicts()}
    assert (rows["a"]["improved_at"], rows["a"]["deteriorated_at"]) == (3, None)
    assert (rows["b"]["improved_at"], rows["b"]["deteriorated_at"]) == (None, 1)
    assert rows["c"]["reason"] == "too_few_scores"
    assert rows["a"]["familywise_error"] == pytest.approx(models.familywise_error(4, consecutive=2))
    once = models.first_reliable_change(data, consecutive=1, correction="dunnett", **options)
    assert once.critical == pytest.approx(models.many_to_one_critical(4))


@given(scores, scores, st.floats(0.1, 50), st.floats(0, 0.99))
def test_swapping_the_occasions_flips_the_sign_only(before, after, sd, reliability):
    there = models.reliable_change(before, after, sd=sd, reliability=reliability, higher_is_better=True)
    back = models.reliable_change(after, before, sd=sd, reliability=reliability, higher_is_better=True)
    assert there.index == -back.index
    assert there.threshold == back.threshold
    turned = {"improved": "deteriorated", "deteriorated": "improved", "unchanged": "unchanged"}
    assert back.category == turned[there.category]


@given(scores, scores, st.sampled_from(RETEST + CLINICAL))
def test_a_change_is_reliable_just_when_the_follow_up_leaves_the_band(before, after, method):
    change = models.reliable_change(before, after, norms=NORMS, method=method, higher_is_better=True)
    if after > change.upper + 1e-9:
        assert change.category == "improved"
    elif after < change.lower - 1e-9:
        assert change.category == "deteriorated"
    elif change.lower + 1e-9 < after < change.upper - 1e-9:
        assert change.category == "unchanged"


@given(scores, scores, scores, st.sampled_from(RETEST + CLINICAL))
def test_turning_the_scale_round_turns_nothing_else(before, after, shift, method):
    """Minus the scores, with lower instead of higher better, is the same person."""
    mirrored = NORMS | {"mean1": -NORMS["mean1"], "mean2": -NORMS["mean2"]}
    up = models.reliable_change(before, after, norms=NORMS, method=method, higher_is_better=True)
    down = models.reliable_change(-before, -after, norms=mirrored, method=method, higher_is_better=False)
    assert up.category == down.category
    assert up.index == pytest.approx(-down.index)


@given(st.lists(st.tuples(scores, scores), min_size=1, max_size=30))
def test_one_by_one_is_as_all_at_once(people):
    pre, post = np.array(people).T
    together = models.reliable_change(pre, post, norms=NORMS, method="crawford-howell", higher_is_better=False)
    for i, (x, y) in enumerate(people):
        alone = models.reliable_change(x, y, norms=NORMS, method="crawford-howell", higher_is_better=False)
        assert alone.index == pytest.approx(together.index[i], rel=1e-12)
        assert alone.category == together.category[i]


@given(st.integers(0, 50), st.integers(1, 50))
def test_the_wilson_interval_holds_its_estimate_and_mirrors(k, n):
    k = min(k, n)
    rate, other = models.wilson_interval(k, n), models.wilson_interval(n - k, n)
    assert 0 <= rate.lower <= rate.estimate <= rate.upper <= 1
    assert rate.lower == pytest.approx(1 - other.upper)


def test_wilson_is_prop_test_without_correction(validation):
    rate = models.wilson_interval(8, 10)
    validation("Wilson interval of 8 in 10: lower", "R prop.test(correct = FALSE)", 0.490162471536642, rate.lower)
    validation("Wilson interval of 8 in 10: upper", "R prop.test(correct = FALSE)", 0.943317848545625, rate.upper)
