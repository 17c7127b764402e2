"""Reliable change, cutoffs and categories against the papers' and the packages' printed numbers."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from mbc import models

JT = "Jacobson & Truax (1991), hypothetical example"
RETEST = {"mean1": 103.0, "sd1": 10.0, "mean2": 109.0, "sd2": 8.0, "r12": 0.76, "n": 100}
# Inputs and roundings from a public R package's tests; more digits from the closed forms (Hinton-Bayre, 2010).
EIGHT_MODELS = [
    ("chelune", 106.0, 6.92820323, 2.02072594),
    ("iverson", 106.0, 6.27375486, 2.23151850),
    ("christensen-mendoza", 106.0, 6.51152824, 2.15003291),
    ("mcsweeny", 107.176, 5.19938458, 2.46644575),
    ("crawford-howell", 107.176, 5.25427201, 2.44068064),
    ("maassen", 106.6, 6.27375486, 2.13588199),
]


def test_jacobson_and_truax_s_example(validation):
    change = models.reliable_change(32.5, 47.5, sd=7.5, reliability=0.80, higher_is_better=True)
    validation("standard error of the difference", JT, 4.74, round(change.standard_error, 2))
    validation("reliable change index", JT, 3.16, round(change.index, 2))
    # The paper multiplies the rounded 4.74 by 1.96; 9.2969 is the exact value.
    validation("change needed", JT, 9.29, math.floor(100 * change.threshold) / 100)
    assert change.category == "improved"


@pytest.mark.parametrize(("criterion", "expected"), [("a", 55.0), ("b", 45.0), ("c", 50.0)])
def test_jacobson_and_truax_s_three_cutoffs(validation, criterion, expected):
    cut = models.cutoff(criterion, clinical=(40, 7.5), functional=(60, 7.5), higher_is_better=True)
    validation(f"cutoff {criterion}", JT, expected, float(cut))


def test_cutoff_c_is_as_many_sds_from_either_mean_and_not_where_densities_cross():
    populations = {"clinical": (15.5, 5.5), "functional": (3.3, 3.9), "higher_is_better": False}
    c, crossing = models.cutoff("c", **populations), models.cutoff("density", **populations)
    assert float(c) == pytest.approx(8.36170213)
    assert (15.5 - c) / 5.5 == pytest.approx((c - 3.3) / 3.9)
    log_density = [-((crossing - m) ** 2) / (2 * s**2) - math.log(s) for m, s in ((15.5, 5.5), (3.3, 3.9))]
    assert log_density[0] == pytest.approx(log_density[1])
    assert float(models.cutoff("a", **populations)) == pytest.approx(4.5)
    assert float(models.cutoff("b", **populations)) == pytest.approx(11.1)


@pytest.mark.parametrize(("method", "expected", "error", "index"), EIGHT_MODELS)
def test_one_case_under_the_retest_models(validation, method, expected, error, index):
    change = models.reliable_change(100, 120, norms=RETEST, method=method, higher_is_better=True)
    source = "Hinton-Bayre (2010) formulas; inputs of an R package's tests"
    validation(f"{method}: expected score", source, expected, change.expected)
    validation(f"{method}: standard error", source, error, change.standard_error)
    validation(f"{method}: index", source, index, change.index)


def test_crawford_and_howell_use_t_with_n_minus_2():
    change = models.reliable_change(100, 120, norms=RETEST, method="crawford-howell", higher_is_better=True)
    assert change.degrees_of_freedom == 98
    assert change.critical == pytest.approx(1.984467454426692)  # qt(0.975, 98)


def test_christensen_and_mendoza_without_practice_expect_the_first_score():
    change = models.reliable_change(
        100, 120, norms=RETEST, method="christensen-mendoza", practice=False, higher_is_better=True
    )
    assert change.expected == 100
    assert change.index == pytest.approx(20 / 6.511528238)


def test_chelune_iverson_and_christensen_agree_where_the_spreads_do():
    norms = RETEST | {"sd2": 10.0}
    errors = {
        method: models.reliable_change(100, 120, norms=norms, method=method).standard_error
        for method in ("chelune", "iverson", "christensen-mendoza")
    }
    truax = models.reliable_change(100, 120, sd=10, reliability=0.76).standard_error
    assert list(errors.values()) == pytest.approx([truax] * 3)


def test_the_two_retest_variances_differ_by_r_times_the_squared_difference_of_spreads():
    spread = {
        method: models.reliable_change(100, 120, norms=RETEST, method=method).standard_error ** 2
        for method in ("christensen-mendoza", "iverson")
    }
    assert spread["christensen-mendoza"] - spread["iverson"] == pytest.approx(0.76 * (10 - 8) ** 2)


def test_means_of_several_baselines(validation):
    sem = 7.5 * math.sqrt(0.2)
    for k, m, expected in ((3, 1, 3.87298335), (3, 2, 3.06186218), (5, 1, 3.67423461)):
        change = models.mean_baseline_change(np.full(k, 40.0), np.full(m, 50.0), sem=sem)
        validation(f"error of {k} baselines and {m} later", "SEM sqrt(1/k + 1/m)", expected, change.standard_error)


def test_the_reliable_trend_index_of_its_author_s_example(validation):
    trend = models.reliable_trend([98, 98, 98, 99, 99, 99], [1, 2, 3, 4, 5, 6], sem=0.5, higher_is_better=True)
    source = "McAleavey, ReliableTrendIndex README"
    validation("reliable trend: slope", source, 0.2571, round(trend.slope, 4))
    validation("reliable trend: standard error", source, 0.1195, round(trend.standard_error, 4))
    validation("reliable trend: index", source, 2.151411, round(trend.index, 6))
    assert trend.p_two_sided == pytest.approx(0.03144373, abs=1e-7)
    assert trend.p_direction == pytest.approx(0.98427813, abs=1e-7)
    assert models.reliable_change(98, 99, sd=0.5, reliability=0.0).index == pytest.approx(1.414, abs=1e-3)


@pytest.mark.parametrize(("sessions", "risk", "constant"), [
    (1, 0.050, 1.96), (3, 0.125, 2.35), (5, 0.183, 2.51), (8, 0.250, 2.65), (12, 0.319, 2.77), (20, 0.419, 2.91),
])  # fmt: skip
def test_the_risk_of_a_false_claim_grows_with_every_session(validation, sessions, risk, constant):
    ours = models.familywise_error(sessions, critical=1.96)
    validation(f"family-wise error, {sessions} sessions", "quadrature = simulation", risk, round(ours, 3))
    critical = models.many_to_one_critical(sessions)
    validation(f"constant for {sessions} sessions", "Dunnett (1964), infinite df", constant, round(critical, 2))


def test_the_constants_by_r_s_own_integration(validation):
    reference = json.loads((Path(__file__).parents[2] / "reference/change.json").read_text())
    for sessions, expected in zip((1, 2, 3, 5, 8, 12, 20), reference["dunnett"], strict=True):
        ours = models.many_to_one_critical(sessions)
        validation(f"constant for {sessions} sessions, all digits", "R integrate + uniroot", expected, ours)
    for sessions, expected in zip((2, 3, 5, 8, 12, 20), reference["dunnett_mvtnorm"], strict=True):
        ours = models.many_to_one_critical(sessions)
        assert ours == pytest.approx(expected, abs=1e-3)  # qmvnorm finds its root to about that


def test_two_sessions_in_a_row_hold_the_error_almost_and_a_simulation_agrees():
    exact = models.familywise_error(12, consecutive=2)
    assert exact == pytest.approx(0.056, abs=5e-4)
    rng = np.random.default_rng(7)
    base, later = rng.standard_normal((100_000, 1)), rng.standard_normal((100_000, 12))
    z = (later - base) / math.sqrt(2)
    up, down = z > 1.959964, z < -1.959964
    twice = (up[:, 1:] & up[:, :-1]).any(axis=1) | (down[:, 1:] & down[:, :-1]).any(axis=1)
    assert twice.mean() == pytest.approx(exact, abs=0.003)


def test_phq_9_percentages():
    pre, post = [16, 16, 10, 24, 12, 8], [8, 4, 5, 12, 10, 4]
    halved = models.percentage_change(pre, post, improvement=0.5, higher_is_better=False)
    assert (-100 * halved.value).tolist() == pytest.approx([50, 75, 50, 50, 100 / 6, 50])
    assert halved.category.tolist() == ["improved"] * 4 + ["unchanged", "improved"]
    six_points = models.anchor_change(pre, post, improvement=6, higher_is_better=False)
    assert six_points.category.tolist() == [
        "improved",
        "improved",
        "unchanged",
        "improved",
        "unchanged",
        "unchanged",
    ]


def test_the_posterior_of_true_change_in_its_three_forms():
    flat = models.true_change(30, 24, sd=7.5, reliability=0.85, higher_is_better=False)
    index = models.reliable_change(30, 24, sd=7.5, reliability=0.85).index
    assert flat.p_improved == pytest.approx(0.5 * math.erfc(index / math.sqrt(2)))
    # Intake one SD high: Kelley's prior moves 6 points to 4.875 + ... = x2 - (mu + rho (x1 - mu)).
    kelley = models.true_change(27.5, 21.5, norms={"mean": 20, "sd": 7.5, "reliability": 0.85}, prior="kelley")
    assert kelley.mean == pytest.approx(21.5 - (20 + 0.85 * 7.5))
    assert kelley.sd == pytest.approx(7.5 * math.sqrt(1 - 0.85**2))


@pytest.mark.slow  # a simulation
@pytest.mark.long
def test_the_full_posterior_is_that_of_simulated_true_scores():
    norms = {"mean": 20.0, "sd": 6.0, "reliability": 0.8, "mean_retest": 15.0, "sd_retest": 7.0}
    ours = models.true_change(24.0, 14.0, norms=norms, prior="bivariate", true_correlation=0.6)
    rng = np.random.default_rng(3)
    true_sd = np.array([6, 7]) * math.sqrt(0.8)
    covariance = np.outer(true_sd, true_sd) * np.array([[1, 0.6], [0.6, 1]])
    true = rng.multivariate_normal([20, 15], covariance, 2_000_000)
    seen = true + rng.standard_normal(true.shape) * np.array([6, 7]) * math.sqrt(0.2)
    near = (np.abs(seen - [24.0, 14.0]) < 0.35).all(axis=1)
    change = true[near, 1] - true[near, 0]
    assert ours.mean == pytest.approx(change.mean(), abs=5 * change.std() / math.sqrt(near.sum()))
    assert ours.sd == pytest.approx(change.std(), rel=0.03)
