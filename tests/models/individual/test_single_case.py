"""Process charts and non-overlap statistics against NIST, the papers' examples and SingleCaseES' tests."""

import numpy as np
import pytest

from mbc import models
from mbc.errors import ModelError

NIST = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]
PV_A, PV_B = [4, 3, 4, 3, 4, 7, 5, 2, 3, 2], [5, 9, 7, 9, 7, 5, 9, 11, 11, 10, 9]
PVD_A, PVD_B = [20, 20, 26, 25, 22, 23], [28, 25, 24, 27, 30, 30, 29]


def test_the_flow_rate_chart_of_the_handbook(validation):
    chart = models.process_chart(NIST)
    source = "NIST/SEMATECH e-Handbook 6.3.2.2"
    for name, expected, ours in (
        ("mean", 50.81, chart.mean), ("mean moving range", 1.8778, chart.mean_range),
        ("upper limit", 55.8041, chart.upper), ("lower limit", 45.8159, chart.lower),
        ("upper limit of ranges", 6.1347, chart.range_upper),
    ):  # fmt: skip
        validation(f"XmR: {name}", source, expected, round(ours, 4), within=1e-4)
    assert chart.signals == ()


def test_how_many_scores_carry_which_rules():
    rng = np.random.default_rng(2)
    assert models.process_chart(rng.normal(size=5)).reason == "too_few_scores"
    assert models.process_chart(rng.normal(size=8)).rules == ("beyond 3 sigma",)
    assert models.process_chart(rng.normal(size=8)).provisional
    full = models.process_chart(rng.normal(size=12))
    assert (full.rules, full.provisional) == (("beyond 3 sigma", "run of 8"), False)


def test_a_flat_series_has_no_limits():
    chart = models.process_chart([7] * 9)
    assert (chart.lower, chart.reason) == (None, "zero_variance")


def test_false_alarms_are_as_rare_as_published_here():
    """Rule 1 over a whole series, limits from the same points: .024 at n = 12 and .112 with lag-1 r = .4."""
    rng = np.random.default_rng(11)
    noise = rng.standard_normal((4000, 12))
    alarms = np.mean([bool(models.process_chart(row, rules=["beyond 3 sigma"]).signals) for row in noise])
    assert alarms == pytest.approx(0.024, abs=0.008)


def test_a_run_of_eight_is_found_where_it_ends():
    values = [0, 1, 0, 1, 0, 1, *[5, 6, 5, 6, 5, 6, 5, 6]]
    signals = models.process_chart(values, rules=["run of 8"]).signals
    assert [signal.position for signal in signals] == [13]


def test_nelson_s_other_rules():
    up = [0, 9, 1, 2, 3, 4, 5, 6, 0, 1, 0, 1]
    assert [s.position for s in models.process_chart(up, rules=["trend of 6"]).signals] == [7]
    zigzag = [0, 1] * 8
    found = models.process_chart(zigzag, rules=["alternating 14"]).signals
    assert found[0].position == 13


def test_a_short_baseline_takes_the_known_error():
    chart = models.process_chart([20, 22, 21, 20, 12], sem=3.0, baseline=3)
    assert chart.mean == 21
    assert chart.upper - chart.mean == pytest.approx(1.959963984540054 * 3 * (4 / 3) ** 0.5)
    assert [s.position for s in chart.signals] == [4]
    with pytest.raises(ModelError, match="sem"):
        models.process_chart([20, 22, 21], baseline=2)


def test_nap_with_its_error_and_interval(validation):
    made = models.nonoverlap(PV_A, PV_B, higher_is_better=True)
    validation("NAP", "Parker & Vannest (2009)", 0.96, round(made.nap, 2))
    source = "SingleCaseES (formulas), Parker & Vannest (2009) data"
    validation("NAP, unbiased error", source, 0.03192622, made.nap_error)
    validation("NAP, Newcombe 5: lower", source, 0.74997201, made.nap_lower)
    validation("NAP, Newcombe 5: upper", source, 0.99508129, made.nap_upper)


def test_the_statistics_of_parker_vannest_and_davis(validation):
    made = models.nonoverlap(PVD_A, PVD_B, higher_is_better=True)
    for name, expected, ours in (
        ("NAP", 0.91666667, made.nap), ("Tau", 0.83333333, made.tau), ("PND", 0.71428571, made.pnd),
        ("PAND", 0.84615385, made.pand), ("IRD", 0.69047619, made.ird), ("PEM", 1.0, made.pem),
        ("Tau-U", 0.73809524, made.tau_u),
    ):  # fmt: skip
        validation(name, "Parker, Vannest & Davis (2011), SingleCaseES tests", expected, ours)


def test_tau_u_of_2011(validation):
    made = models.nonoverlap([3, 3, 4, 5], [4, 5, 6, 7, 7], higher_is_better=True)
    validation("Tau-U", "Parker, Vannest, Davis & Sauber (2011)", 0.55, made.tau_u)
    assert (made.tau, made.baseline_trend) == (0.8, 5)


def test_three_taus_of_one_steady_rise(validation):
    made = models.nonoverlap(range(1, 6), range(6, 11), higher_is_better=True)
    taus = f"{made.tau:g} {made.tau_u:g} {made.tau_bc:g}"
    validation("Tau, Tau-U, Tau-BC on 1..5 | 6..10", "Tarlow (2017)", "1 0.6 0", taus)
    assert made.nap_lower < 1 <= made.nap_upper
    assert made.nap_error > 0


def test_where_lower_is_better_the_signs_turn():
    up = models.nonoverlap(PV_A, PV_B, higher_is_better=True)
    down = models.nonoverlap([-x for x in PV_A], [-x for x in PV_B], higher_is_better=False)
    assert (up.nap, up.tau_u, up.pnd) == (down.nap, down.tau_u, down.pnd)


def test_two_scores_are_no_phase():
    made = models.nonoverlap([1, 2], [3, 4, 5], higher_is_better=True)
    assert (made.nap, made.reason) == (None, "too_few_scores")
