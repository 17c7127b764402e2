"""Effect sizes against metafor, published tables and the noncentral t of R (tests/reference/change.R)."""

import json
import math
from pathlib import Path

import pytest

from mbc import models
from mbc.errors import ModelError

R = json.loads((Path(__file__).parents[2] / "reference/change.json").read_text())
LAKENS = ([9, 7, 8, 9, 8, 9, 9, 10, 9, 9], [9, 6, 7, 8, 7, 9, 8, 8, 8, 7])
LAKENS_SAYS = "Lakens (2013), movie ratings"
METAFOR = "R metafor 3.8-1, Morris (2008) table"
TREATED = [
    (20, 30.6, 38.5, 15, 11.6, 0.47), (50, 23.5, 26.8, 3.1, 4.1, 0.64), (9, 0.5, 0.7, 0.1, 0.1, 0.77),
    (10, 53.4, 75.9, 14.5, 4.4, 0.89), (14, 35.6, 36.0, 4.7, 4.6, 0.44),
]  # fmt: skip
CONTROL = [
    (20, 23.1, 19.7, 13.8, 14.8, 0.47), (42, 24.9, 25.3, 4.1, 3.3, 0.64), (9, 0.6, 0.6, 0.2, 0.2, 0.77),
    (11, 55.7, 60.7, 17.3, 17.9, 0.89), (14, 34.8, 33.4, 3.1, 6.9, 0.44),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "expected"), [
    ("d_z", 1.5), ("d_av_arithmetic", 1.12869626), ("d_rm", 1.11133234), ("d_pre", 1.2146645),
])  # fmt: skip
def test_four_effect_sizes_of_the_same_ten_people(validation, kind, expected):
    effect = models.effect_size(*LAKENS, kind=kind, higher_is_better=False)
    validation(f"effect size {kind}", LAKENS_SAYS, expected, effect.d, within=1e-6)


def test_lakens_corrects_d_av_with_2_n_minus_2(validation):
    options = {"kind": "d_av_arithmetic", "higher_is_better": False, "correction": "approximate"}
    lakens = models.effect_size(*LAKENS, correction_df=18, **options)
    validation("g_av, J of 2n - 2", LAKENS_SAYS, 1.08, round(lakens.g, 2))
    assert lakens.g == pytest.approx(1.08100487)
    assert models.effect_size(*LAKENS, **options).g == pytest.approx(1.03195087)


def test_exact_and_approximate_intervals_and_variances(validation):
    exact = models.effect_size(*LAKENS, kind="d_z")
    validation("d_z, noncentral t interval: lower", "R pt(ncp)", R["dz_interval"][0], exact.lower)
    validation("d_z, noncentral t interval: upper", "R pt(ncp)", R["dz_interval"][1], exact.upper)
    for kind, (g, variance) in {"d_pre": R["smcr"], "d_z": R["smcc"]}.items():
        effect = models.effect_size(*LAKENS, kind=kind, interval="approximate")
        validation(f"{kind}: g", "R metafor 3.8-1", g, effect.g)
        validation(f"{kind}: variance", "R metafor 3.8-1", variance, effect.standard_error**2)
        half = 1.959963984540054 * math.sqrt(variance)
        assert (effect.lower, effect.upper) == pytest.approx((g - half, g + half))


def test_morris_table_of_five_trainings(validation):
    for i, (treated, control) in enumerate(zip(TREATED, CONTROL, strict=True)):
        one, two = models.Moments(*treated), models.Moments(*control)
        effect = models.effect_size_from_moments(one)
        validation(f"d_pre of study {i + 1}, g", METAFOR, R["morris_treated"][i], effect.g)
        variance = R["morris_treated_var"][i]
        validation(f"d_pre of study {i + 1}, variance", METAFOR, variance, effect.standard_error**2)
        own = models.controlled_from_moments(one, two, kind="d_ppc1")
        validation(f"d_ppc1 of study {i + 1}", METAFOR, R["morris_ppc1"][i], own.d)
        assert own.standard_error**2 == pytest.approx(R["morris_ppc1_var"][i])
        pooled = models.controlled_from_moments(one, two)
        validation(f"d_ppc2 of study {i + 1}", METAFOR, R["morris_ppc2"][i], pooled.d)
        assert pooled.lower < pooled.d < pooled.upper


def test_the_benchmark_of_minami(validation):
    for n, expected in zip((50, 100, 500), R["benchmark"], strict=False):
        validation(f"least effect of {n} clients", "R qt(ncp)", expected, models.benchmark_effect(n, 0.795))


def test_a_fixed_sd_gives_an_exact_t_interval():
    effect = models.effect_size(*LAKENS, sd=2.0, higher_is_better=False)
    assert effect.kind == "d_fixed"
    assert effect.d == pytest.approx(0.5)
    half = 2.2621571628 * (2 / 3) / math.sqrt(10) / 2
    assert (effect.lower, effect.upper) == pytest.approx((0.5 - half, 0.5 + half))


def test_the_interval_of_d_av_is_the_noncentral_one_in_its_unit():
    d_z = models.effect_size(*LAKENS, kind="d_z")
    d_av = models.effect_size(*LAKENS, kind="d_av")
    assert d_av.lower / d_z.lower == pytest.approx(d_av.d / d_z.d)


@pytest.mark.parametrize(("pre", "post", "reason"), [
    ([1.0, None], [2.0, 3.0], "too_few_pairs"),
    ([], [], "too_few_pairs"),
    ([5, 5, 5, 5], [5, 5, 5, 5], "zero_variance"),
    ([5, 6, 7, 8], [7, 8, 9, 10], "zero_variance"),  # everybody changed by exactly 2
])  # fmt: skip
def test_no_effect_size_where_there_is_no_spread(pre, post, reason):
    effect = models.effect_size(pre, post)
    assert (effect.d, effect.lower, effect.reason) == (None, None, reason)


def test_what_is_asked_wrongly_is_refused():
    with pytest.raises(ModelError, match="d_fixed needs sd"):
        models.effect_size(*LAKENS, kind="d_fixed")
    with pytest.raises(ModelError, match="kind must be 'd_pre', "):
        models.effect_size(*LAKENS, kind="cohen")
    with pytest.raises(ModelError, match="percentage"):
        models.effect_size(*LAKENS, confidence=95)
