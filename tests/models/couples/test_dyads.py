"""Couples: actor and partner effects, their ratio, and what is shared."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mbc import models
from mbc.errors import ModelError
from mbc.models.couples import actor_partner as dyads
from mbc.models.couples import bootstrap as resampling
from mbc.models.couples import pairs as reading

REFERENCE = Path(__file__).resolve().parents[2] / "reference/couples"
NLME = json.loads((REFERENCE / "nlme.json").read_text(encoding="utf-8"))
COLUMNS = {"dyad": "couple", "x": "x", "y": "y"}
# Twelve couples; OLS per role and nlme::gls (corSymm + varIdent, REML) agree to seven digits.
X_W = [20, 35, 28, 44, 50, 31, 26, 39, 47, 33, 22, 41]
X_M = [24, 30, 33, 40, 46, 29, 31, 35, 50, 28, 27, 45]
Y_W = [22, 33, 30, 41, 48, 33, 25, 36, 47, 30, 25, 40]
Y_M = [25, 31, 30, 42, 44, 32, 30, 33, 49, 31, 26, 42]


@pytest.fixture(scope="module")
def twelve() -> pl.DataFrame:
    return pl.DataFrame(
        {"couple": [*range(12), *range(12)], "role": ["w"] * 12 + ["m"] * 12, "x": X_W + X_M, "y": Y_W + Y_M}
    )


@pytest.fixture(scope="module")
def many() -> pl.DataFrame:
    spec = importlib.util.spec_from_file_location("make_couples", REFERENCE / "make_data.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.couples()


@pytest.mark.parametrize(
    ("role", "effect", "estimate", "error"),
    [
        ("w", "intercept", 2.4460009, 1.9622245),
        ("w", "actor", 0.649843, 0.104205),
        ("w", "partner", 0.2639074, 0.1201595),
        ("m", "intercept", 4.2189942, 2.1906741),
        ("m", "actor", 0.6150844, 0.134149),
        ("m", "partner", 0.2578528, 0.1163369),
    ],
)
def test_partners_told_apart(twelve, role, effect, estimate, error, validation):
    made = models.actor_partner(twelve, **COLUMNS, role="role", bootstrap=0).effect(effect, role)
    source = "nlme::gls, 12 couples"
    validation(f"APIM, {effect} of {role}", source, estimate, made.estimate, within=1e-6)
    validation(f"APIM, {effect} of {role}, standard error", source, error, made.standard_error, within=1e-6)


def test_partners_told_apart_are_generalised_least_squares(many, validation):
    made = models.actor_partner(many, **COLUMNS, role="role", bootstrap=0)
    assert (made.n, made.n + made.n_missing) == (NLME["couples"], 80)
    ours = [made.effect(effect, role) for effect in ("intercept", "actor", "partner") for role in ("a", "b")]
    source = f"nlme {NLME['versions']['nlme']}, 71 couples"
    expected = NLME["told_apart"]
    for one, estimate, error in zip(ours, expected["estimate"], expected["error"], strict=True):
        name = f"APIM, roles distinguished, {one.effect} of {one.role}"
        validation(name, source, estimate, one.estimate)
        validation(f"{name}, SE", source, error, one.standard_error, within=1e-7)
    for name in ("actor", "partner"):
        difference = made.effect(f"{name} difference", "a - b")
        estimate, error = NLME[f"{name}_difference"]
        validation(f"APIM, {name} difference", source, estimate, difference.estimate)
        validation(f"APIM, {name} difference, SE", source, error, difference.standard_error, within=1e-7)


def test_interchangeable_partners_are_compound_symmetry(many, validation):
    made = models.actor_partner(many, **COLUMNS, bootstrap=0)
    expected = NLME["interchangeable"]
    source = f"nlme {NLME['versions']['nlme']}, 71 couples"
    for name, estimate, error in zip(
        ("intercept", "actor", "partner"), expected["estimate"], expected["error"], strict=True
    ):
        one = made.effect(name)
        validation(f"APIM interchangeable, {name}", source, estimate, one.estimate, within=1e-7)
        validation(f"APIM interchangeable, {name}, SE", source, error, one.standard_error, within=1e-7)
    validation("APIM interchangeable, residual SD", source, NLME["sigma"], made.residual_sd[0], within=1e-7)
    rho = NLME["correlation"]
    validation("APIM interchangeable, partners' residuals", source, rho, made.residual_correlation, within=1e-7)
    assert rho < 0  # no random intercept could say so


def test_who_comes_first_in_an_interchangeable_couple_does_not_matter(many):
    one = models.actor_partner(many, **COLUMNS, bootstrap=50)
    other = models.actor_partner(many.reverse(), **COLUMNS, bootstrap=50)
    for name in ("actor", "partner"):
        assert one.effect(name).estimate == pytest.approx(other.effect(name).estimate, rel=1e-12)
        assert one.effect(name).standard_error == pytest.approx(other.effect(name).standard_error, rel=1e-12)
    fate = models.common_fate(many, **COLUMNS, bootstrap=0)
    turned = models.common_fate(many.reverse(), **COLUMNS, bootstrap=0)
    assert fate.effect == pytest.approx(turned.effect, rel=1e-12)


def test_common_fate(twelve, validation):
    made = models.common_fate(twelve, **COLUMNS, role="role", bootstrap=400, seed=2)
    source = "cross-partner covariances, 12 couples"
    validation("common fate, effect", source, 0.92806945, made.effect)
    validation("common fate, cov(x1, x2)", source, 73.3030303, made.covariance_x)
    validation(
        "common fate, mean of cov(x1, y2), cov(x2, y1)",
        source,
        (69.57575758 + 66.48484848) / 2,
        made.covariance_xy,
    )
    assert made.lower < made.effect < made.upper
    assert models.common_fate(twelve, **COLUMNS, role="role", bootstrap=400, seed=2) == made


def test_the_ratio_and_its_bootstrap(many, twelve):
    made = models.actor_partner(twelve, **COLUMNS, role="role", bootstrap=500, seed=1)
    for ratio in made.ratios:
        expected = made.effect("partner", ratio.role).estimate / made.effect("actor", ratio.role).estimate
        assert ratio.value == pytest.approx(expected)
        assert ratio.lower < ratio.value < ratio.upper
    near_zero = next(one for one in models.actor_partner(many, **COLUMNS, role="role").ratios if one.role == "b")
    assert (near_zero.value, near_zero.reason) == (None, "actor_near_zero")


def test_bootstrap_samples_are_refits_of_the_drawn_couples(many):
    """The weights of a sample stand for repeated couples: a refit on those rows gives the same."""
    pairs, _, _ = reading.read_pairs(many, {"dyad": "couple", "x": "x", "y": "y"}, None)
    drawn = np.random.default_rng(4).integers(0, len(pairs), len(pairs))
    weights = np.bincount(drawn, minlength=len(pairs))[None, :].astype(float)
    for slopes, fit, roles in (
        (resampling.distinguishable_slopes, dyads._test_distinguishability, ("a", "b")),
        (resampling.indistinguishable_slopes, dyads._interchangeable, ()),
    ):
        effects = fit(pairs[drawn], roles, 0.95)[0]
        expected = [one.estimate for one in effects if one.effect in {"actor", "partner"}]
        assert slopes(pairs, weights)[0].tolist() == pytest.approx(expected, rel=1e-9)


def test_not_computable_is_an_answer(twelve):
    few = models.actor_partner(twelve.filter(pl.col("couple") < 4), **COLUMNS)
    assert (few.n, few.reason, few.effects, few.ratios) == (4, "too_few_dyads", (), ())
    with pytest.raises(ModelError, match="too_few_dyads"):
        few.effect("actor")
    flat = models.actor_partner(twelve.with_columns(x=pl.lit(3.0)), **COLUMNS)
    assert flat.reason == "zero_variance"
    for model in (models.actor_partner, models.common_fate):
        assert model(twelve.with_columns(y=pl.lit(3.0)), **COLUMNS).reason == "zero_variance"
    alike = twelve.with_columns(x=pl.col("couple").cast(pl.Float64))
    assert models.actor_partner(alike, **COLUMNS, role="role").reason == "partners_alike"
    apart = twelve.with_columns(x=pl.when(role="w").then("x").otherwise(-pl.col("x")))
    fate = models.common_fate(apart, **COLUMNS, role="role")
    assert (fate.effect, fate.reason) == (None, "no_shared_variance")
    assert fate.covariance_x < 0
    empty = models.common_fate(twelve.clear(), **COLUMNS)
    assert (empty.n, empty.reason) == (0, "too_few_dyads")
    perfect = models.actor_partner(twelve.with_columns(y=pl.col("x") * 2.0), **COLUMNS, role="role", bootstrap=10)
    assert perfect.effect("actor", "w").estimate == pytest.approx(2)


def test_couples_are_counted_and_incomplete_ones_left_out(twelve):
    lost = twelve.filter(~((pl.col("couple") == 3) & (pl.col("role") == "m")))
    lost = lost.with_columns(y=pl.when((pl.col("couple") != 5) | (pl.col("role") != "w")).then("y"))
    made = models.actor_partner(lost, **COLUMNS, role="role", bootstrap=0)
    assert (made.n, made.n_missing) == (10, 2)


@pytest.mark.parametrize(
    ("change", "role", "message"),
    [
        (lambda t: pl.concat([t, t]), "role", "has 2 rows in the role"),
        (lambda t: pl.concat([t, t]), None, "has 4 people"),
        (lambda t: t.with_columns(role=pl.col("x").cast(pl.String)), "role", "must contain two roles"),
        (lambda t: t.with_columns(x=pl.lit("much")), "role", "must contain numbers"),
        (lambda t: t.rename({"x": "xx"}), "role", "Did you mean"),
    ],
)
def test_bad_tables_are_refused(twelve, change, role, message):
    with pytest.raises(ModelError, match=message):
        models.actor_partner(change(twelve), **COLUMNS, role=role)


def test_any_kind_of_table(twelve):
    expected = models.actor_partner(twelve, **COLUMNS, role="role", bootstrap=0)
    for made in (twelve.to_pandas(), twelve.lazy(), twelve.to_arrow()):
        assert models.actor_partner(made, **COLUMNS, role="role", bootstrap=0) == expected
    assert expected.to_frame(backend="pandas").shape == (8, 8)
