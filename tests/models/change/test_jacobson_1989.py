"""Thirty couples in behavioural marital therapy under every method (Jacobson & Truax's own example data)."""

import numpy as np
import pytest

from mbc import models

# Norms as the reference runs had them: married sample of Spanier (1976); DAS total, alpha .88 (both recalled).
MARRIED, RELIABILITY = (114.8, 17.8), 0.88
CLINICAL = [
    "jacobson-truax", "gulliksen-lord-novick", "hsu-linn-lord", "edwards-nunnally", "nunnally-kotsch",
    "hageman-arrindell",
]  # fmt: skip


@pytest.fixture(scope="module")
def couples(real_data):
    data = real_data("jacobson_1989.csv")
    return models.pre_post_pairs(data, client="subject", time="time", score="das", pre="pre", post="post")


def counts(result) -> list[int]:
    return models.outcome_rates(result).table["n"].to_list()


def test_post_sorts_before_pre_and_is_still_post(couples):
    assert couples.n == 30
    assert couples.table.row(0) == (1.0, 90.5, 97.0)
    assert np.nanmean(couples.post) > np.nanmean(couples.pre)


def test_jacobson_and_truax_beside_a_hand_computed_index(couples):
    change = models.reliable_change(couples.pre, couples.post, reliability=RELIABILITY, higher_is_better=True)
    known = np.isfinite(couples.pre) & np.isfinite(couples.post)
    sd = couples.pre[known].std(ddof=1)
    expected = (97.0 - 90.5) / (sd * np.sqrt(2 * (1 - RELIABILITY)))
    assert change.index[0] == pytest.approx(expected)
    assert change.norms.n == known.sum()
    assert change.n_missing == 30 - known.sum()


def test_one_couple_deteriorates_by_jacobson_and_truax_and_eight_by_hsu_linn_and_lord(validation, couples):
    """Hsu, Linn & Lord centre the follow-up on its own mean, which takes the treatment's mean effect out."""
    source = "clinicalsignificance 3.0 run on the 30 couples"
    for method, expected in (("jacobson-truax", 1), ("hsu-linn-lord", 8)):
        change = models.reliable_change(
            couples.pre, couples.post, method=method, reliability=RELIABILITY, higher_is_better=True
        )
        validation(f"{method}, DAS: deteriorated couples", source, expected, counts(change)[2])


def test_every_method_judges_every_complete_couple(couples):
    cut = models.cutoff(
        "c", clinical=(np.nanmean(couples.pre), np.nanstd(couples.pre, ddof=1)), functional=MARRIED,
        higher_is_better=True,
    )  # fmt: skip
    made = models.compare_methods(
        couples.pre, couples.post, methods=CLINICAL, reliability=RELIABILITY, cutoff_at=cut, higher_is_better=True
    )
    table = made.to_frame()
    assert table.columns == CLINICAL
    complete = couples.n_complete
    for name in CLINICAL:
        assert table[name].drop_nulls().len() == complete
        assert set(table[name].drop_nulls()) <= {"recovered", "improved", "unchanged", "deteriorated", "harmed"}
    rates = made.rates()
    assert rates.filter(method="jacobson-truax")["n"].sum() == complete


def test_methods_of_a_retest_sample_by_its_norms(couples):
    """DAS two-week stability .87 (Carey et al., 1993), spread of the married sample."""
    norms = {"mean1": 114.8, "sd1": 17.8, "mean2": 114.8, "sd2": 17.8, "r12": 0.87, "n": 158, "reliability": 0.88}
    methods = ["christensen-mendoza", "chelune", "iverson", "mcsweeny", "crawford-howell", "maassen"]
    made = models.compare_methods(couples.pre, couples.post, methods=methods, norms=norms, higher_is_better=True)
    by_method = {name: counts(change) for name, change in made.changes.items()}
    # Equal spreads and no practice effect: four of them are one method.
    assert by_method["christensen-mendoza"] == by_method["chelune"] == by_method["iverson"]
    assert all(sum(n) == couples.n_complete for n in by_method.values())


def test_distress_where_lower_is_better(real_data):
    data = real_data("jacobson_1989.csv")
    gds = models.pre_post_pairs(data, client="subject", time="time", score="gds", pre="pre", post="post")
    change = models.reliable_change(gds.pre, gds.post, reliability=0.9, higher_is_better=False)
    improved = change.category == "improved"
    assert (change.change[improved] < 0).all()
    missing = {"missing_pre", "missing_post", "missing_both"}
    assert {reason for reason in change.reason if reason} <= missing
