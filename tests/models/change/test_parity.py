"""compat="clinicalsignificance": that R package's quirks on purpose, and our own answer beside each."""

import math

import numpy as np
import pytest

from mbc import models

R = {"compat": "clinicalsignificance"}
# Ten people; every number below follows from the formulas of the package's source, computed here step by step.
PRE = np.array([30.0, 28, 35, 22, 40, 31, 27, 33, 25, 38])
POST = np.array([18.0, 27, 20, 24, 22, 15, 29, 30, 9, 37])


def _moments():
    d = POST - PRE
    return PRE.mean(), POST.mean(), PRE.std(ddof=1), POST.std(ddof=1), d.mean(), d.var(ddof=1)


def _r_indices(reliability: float) -> dict[str, np.ndarray]:
    m1, m2, s1, s2, _, _ = _moments()
    d, sem = POST - PRE, s1 * math.sqrt(1 - reliability)
    sep = s1 * math.sqrt(1 - reliability**2)
    r = np.corrcoef(PRE, POST)[0, 1]
    r1, r2 = (s1**2 - sem**2) / s1**2, (s2**2 - sem**2) / s2**2
    r_dd = (s1**2 * r1 + s2**2 * r2 - 2 * s1 * s2 * r) / (s1**2 + s2**2 - 2 * s1 * s2 * r)
    return {
        "jacobson-truax": d / (math.sqrt(2) * sem),
        "gulliksen-lord-novick": ((POST - m1) - reliability * (PRE - m1)) / sep,
        "hsu-linn-lord": ((POST - m2) - reliability * (PRE - m1)) / sep,
        "edwards-nunnally": (POST - (reliability * (PRE - m1) + m1)) / sem,
        "nunnally-kotsch": (POST - (reliability * (PRE - m1) + m1))
        / math.sqrt(reliability**2 * s1**2 * (1 - reliability) + s1**2 * (1 - 0.9)),
        "hageman-arrindell": (d * r_dd + (m2 - m1) * (1 - r_dd)) / (math.sqrt(r_dd) * math.sqrt(2) * sem),
    }


@pytest.mark.parametrize("method", list(_r_indices(0.8)))
def test_indices_from_the_sample_itself(method):
    norms = {"reliability": 0.8, "reliability2": 0.9} if method == "nunnally-kotsch" else {"reliability": 0.8}
    change = models.reliable_change(PRE, POST, method=method, norms=norms, higher_is_better=False, **R)
    expected = _r_indices(0.8)[method]
    np.testing.assert_allclose(change.index, expected, rtol=1e-12)
    k = 1.6448536269514722 if method == "hageman-arrindell" else 1.959963984540054
    words = np.where(expected < -k, "improved", np.where(expected > k, "deteriorated", "unchanged"))
    assert change.category.tolist() == words.tolist()


def test_the_band_of_unchanged_scores_is_where_the_index_meets_its_limit():
    for method in _r_indices(0.8):
        change = models.reliable_change(PRE, POST, method=method, reliability=0.8, higher_is_better=False)
        at_edge = models.reliable_change(
            PRE, np.asarray(change.upper), method=method, norms=change.norms, higher_is_better=False
        )
        np.testing.assert_allclose(at_edge.index, change.critical, rtol=1e-9)


def test_cutoff_b_takes_the_clinical_spread_there_and_the_functional_here():
    options = {"clinical": (40, 7.5), "functional": (60, 5), "higher_is_better": True}
    assert float(models.cutoff("b", **options, **R)) == 45
    assert float(models.cutoff("b", **options)) == 50


@pytest.mark.parametrize(("pre", "post"), [(30, 30), (10, 30)])
def test_a_score_on_the_cutoff_is_deteriorated_there_and_unchanged_here(pre, post):
    """Lower is better, cutoff 30: pre = post = 30, or 10 -> 30 (there without any reliable change)."""
    there = models.clinical_significance(pre, post, cutoff=30, higher_is_better=False, **R)
    assert there.category == "deteriorated"
    here = models.clinical_significance(pre, post, cutoff=30, higher_is_better=False)
    assert here.category == ("unchanged" if pre == 30 else "deteriorated")
    assert models.clinical_significance(
        pre, post, cutoff=30, higher_is_better=False, ties="functional"
    ).category == ("unchanged")


def test_a_rise_from_zero_is_improved_and_deteriorated_there_and_not_judged_here():
    pre, post = [0.0, 10.0, 0.0], [3.0, 4.0, 0.0]
    there = models.percentage_change(pre, post, higher_is_better=False, **R)
    assert there.category.tolist() == ["improved", "improved", "unchanged"]
    assert there.improved.tolist() == [True, True, False]
    assert there.deteriorated.tolist() == [True, False, False]
    counts = models.outcome_rates(there).table["n"].to_list()
    assert sum(counts) == 4  # one more than there are people
    here = models.percentage_change(pre, post, higher_is_better=False)
    assert here.category.tolist() == [None, "improved", "unchanged"]
    assert here.reason.tolist() == ["zero_baseline", None, None]


def test_hageman_and_arrindell_s_harmed_asks_for_the_true_score_here():
    pre = np.array([5.0, 6, 30, 28, 33, 26, 7, 35])
    post = np.array([17.0, 40, 12, 27, 20, 25, 8, 14])
    change = models.reliable_change(pre, post, method="hageman-arrindell", reliability=0.9, higher_is_better=False)
    options = {"change": change, "cutoff": 16.5, "higher_is_better": False}
    here, there = (models.clinical_significance(pre, post, **options, **extra) for extra in ({}, R))
    # Both deteriorated reliably; 17 is barely beyond 16.5, so its true score may not be.
    assert here.category[:2].tolist() == ["deteriorated", "harmed"]
    assert there.category[:2].tolist() == ["harmed", "harmed"]
    assert here.category[2:].tolist() == there.category[2:].tolist()


def test_the_individual_criterion_of_hageman_and_arrindell():
    cut = 26.0
    change = models.reliable_change(PRE, POST, method="hageman-arrindell", reliability=0.8, higher_is_better=False)
    result = models.clinical_significance(PRE, POST, change=change, cutoff=cut, higher_is_better=False, **R)
    _, m2, s1, s2, _, _ = _moments()
    sem = s1 * math.sqrt(0.2)
    r2 = (s2**2 - sem**2) / s2**2
    functional = (cut < PRE) & (-(m2 + (POST - m2) * r2 - cut) / (math.sqrt(r2) * sem) > 1.6448536269514722)
    improved = change.category == "improved"
    assert ((result.category == "recovered") == (functional & improved)).all()


def test_true_score_cutoffs():
    """Spreads become those of true scores: S1 sqrt(R) and sqrt(sf^2 - SEM^2)."""
    cut = models.cutoff("c", clinical=(30, 6), functional=(10, 5), higher_is_better=False, reliability=0.8)
    s1, sf = 6 * math.sqrt(0.8), math.sqrt(25 - 36 * 0.2)
    assert float(cut) == pytest.approx((s1 * 10 + sf * 30) / (s1 + sf))
    none = models.cutoff("c", clinical=(30, 20), functional=(10, 5), higher_is_better=False, reliability=0.8)
    assert (none.value, none.reason) == (None, "error_exceeds_spread")


def test_group_shares_of_hageman_and_arrindell():
    made = models.hageman_arrindell_rates(PRE, POST, reliability=0.8, cutoff_at=26, higher_is_better=False)["all"]
    _, m2, s1, s2, mean_d, var_d = _moments()
    r_dd, r2 = 1 - 2 * s1**2 * 0.2 / var_d, 1 - s1**2 * 0.2 / s2**2
    below = lambda x: 0.5 * math.erfc(-x / math.sqrt(2))  # noqa: E731
    assert made.changed == pytest.approx(below((0 - mean_d) / (math.sqrt(var_d) * math.sqrt(r_dd))))
    assert made.functional == pytest.approx(below((26 - m2) / (s2 * math.sqrt(r2))))


def test_perfect_reliability_is_infinite_there_and_not_computable_here():
    there = models.reliable_change([10, 10], [10, 12], sd=5, reliability=1.0, higher_is_better=True, **R)
    assert there.category.tolist() == [None, "improved"]
    here = models.reliable_change([10, 10], [10, 12], sd=5, reliability=1.0, higher_is_better=True)
    assert here.category.tolist() == [None, None]
    assert here.reason.tolist() == ["perfect_reliability"] * 2


def test_groups_pooled_as_there_or_each_by_its_own():
    groups = ["a"] * 5 + ["b"] * 5
    options = {"groups": groups, "higher_is_better": False, "functional": (10, 5), "reliability": 0.8}
    pooled = models.group_outcomes(PRE, POST, **options)
    own = models.group_outcomes(PRE, POST, parameters="per-group", **options)
    assert list(pooled.norms) == ["all"]
    assert own.norms["a"].sd == pytest.approx(PRE[:5].std(ddof=1))
    assert float(own.cutoffs["a"]) != float(own.cutoffs["b"])
    assert pooled.rates.table["n"].sum() == own.rates.table["n"].sum() == 10


@pytest.mark.parametrize(("pre", "post", "there", "here"), [
    ([20, 25, 30, 28], [21, 24, 31, 29], "Statistically not significant", "not significant"),
    ([20, 25, 30, 28], [18, 24, 28, 26], "Statistically significant but not clinically relevant",
     "too small to matter"),
    ([20, 25, 30, 28], [10, 14, 21, 17], "Large clinically significant effect", "enough"),
    ([20, 25, 30, 28], [31, 36, 40, 39], "Statistically significant but not clinically relevant", "worse"),
])  # fmt: skip
def test_words_for_a_group_s_change(pre, post, there, here):
    options = {"meaningful": 5, "higher_is_better": False}
    assert models.group_change(pre, post, **options, **R).category == there
    assert models.group_change(pre, post, **options).category == here


def test_where_higher_is_better_it_never_says_not_significant():
    made = models.group_change([20, 25, 30, 28], [21, 24, 31, 29], meaningful=5, higher_is_better=True, **R)
    assert made.category is None


def test_welch_s_interval_between_groups():
    made = models.group_difference([1, 2, 2, 4, 3, 5], [3, 5, 8, 2, 9], meaningful=3, higher_is_better=True)
    # R 4.2.2, t.test: tests/reference/change.R
    expected = (2.56666666666667, -1.15527548675901, 6.28860882009235)
    assert (made.estimate, made.lower, made.upper) == pytest.approx(expected)
