"""Lagged effects within persons: dummies in R, Nickell's formula, and truth known by simulation."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
from pathlib import Path

import polars as pl
import pytest

from mbc import models
from mbc.errors import ModelError

REFERENCE = Path(__file__).resolve().parents[2] / "reference/lagged"
R = json.loads((REFERENCE / "within.json").read_text(encoding="utf-8"))
COLUMNS = {"client": "client", "time": "session", "x": "esteem", "y": "satisfaction"}


def _module():
    spec = importlib.util.spec_from_file_location("make_series", REFERENCE / "make_data.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


series = _module().series


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    return series()


@pytest.fixture(scope="module")
def made(rows):
    return models.lagged_effects(rows, **COLUMNS, samples=200)


@pytest.mark.parametrize("detrend", ["own", "level"])
def test_slopes_and_their_correction_are_those_with_dummies(rows, validation, detrend):
    found = models.lagged_effects(rows, **COLUMNS, detrend=detrend, samples=2)
    ours = [[found.carry_over[0], found.forward], [found.backward, found.carry_over[1]]]
    source = f"{R['R'][:15]}, a dummy and a line per client"
    for a in (0, 1):
        for b in (0, 1):
            one = ours[a][b]
            name = f"lag, detrend {detrend}: {one.before} on {one.after}"
            validation(f"{name}, uncorrected", source, R[detrend]["whole"][a][b], one.uncorrected)
            validation(f"{name}, half-panel jackknife", source, R[detrend]["corrected"][a][b], one.estimate)


def test_nickells_bias(validation):
    source = "Nickell (1981)"
    validation("Nickell bias, carry-over 0.3, 8 pairs", source, -0.1696, round(models.nickell_bias(0.3, 8), 4))
    for pairs, printed in ((5, -0.27), (10, -0.13), (20, -0.07)):
        validation(
            f"Nickell bias, carry-over 0.3, {pairs} pairs",
            source,
            printed,
            round(models.nickell_bias(0.3, pairs), 2),
        )
    with pytest.raises(ModelError, match="autoregression"):
        models.nickell_bias(1.0, 8)


def test_the_uncorrected_carry_over_has_nickells_bias_and_the_corrected_has_not():
    rows = series(3000, 9, effect=0.0, trends=0.0)
    rows = rows.with_columns(pl.col("esteem", "satisfaction") - 0.15 * pl.col("session"))  # no trend at all
    found = models.lagged_effects(rows, **COLUMNS, detrend="level", samples=2)
    own = found.carry_over[1]
    assert own.uncorrected - 0.3 == pytest.approx(models.nickell_bias(0.3, 8), abs=0.02)
    assert own.estimate == pytest.approx(0.3, abs=0.03)


def test_the_order_that_was_put_in_is_found_and_no_other(made):
    assert made.forward.detected
    assert made.forward.lower < 0.25 < made.forward.upper
    assert not made.backward.detected
    assert (
        made.lead_backward.detected
    )  # later satisfaction goes with earlier esteem: that is the order that was put in
    assert not made.lead_forward.detected
    assert made.warnings == ()
    assert made.residual_correlation == pytest.approx(0.3, abs=0.08)
    assert made.reason is None


def test_own_trends_that_go_together_look_like_an_order_unless_they_are_taken_off():
    rows = series(200, 14, effect=0.0, trends=0.3)
    level = models.lagged_effects(rows, **COLUMNS, detrend="level", samples=100)
    assert level.forward.detected
    assert level.backward.detected
    assert "both alike" in level.sentence()
    own = models.lagged_effects(rows, **COLUMNS, samples=100)
    assert not own.forward.detected
    assert not own.backward.detected


def test_what_is_said(made):
    said = made.sentence()
    assert said.startswith("A rise in esteem precedes a rise in satisfaction at the next session (")
    assert "no evidence that satisfaction precedes esteem" in said
    assert "not why" in said
    assert "caus" not in said
    assert made.to_frame(backend="pandas").shape == (6, 10)


def test_standardised_is_in_standard_deviations_within_persons(rows, made):
    scaled = rows.with_columns(pl.col("esteem") * 10, pl.col("satisfaction") / 4)
    other = models.lagged_effects(scaled, **COLUMNS, samples=200)
    assert other.forward.standardised == pytest.approx(made.forward.standardised)
    assert other.forward.estimate == pytest.approx(made.forward.estimate / 40)
    assert made.forward.p_value == pytest.approx(other.forward.p_value)


@pytest.mark.parametrize(
    ("clients", "sessions", "detrend", "reason"),
    [
        (49, 12, "own", "too_few_clients"),
        (50, 6, "own", "too_few_occasions"),
        (50, 4, "level", "too_few_occasions"),
        (50, 7, "own", None),
        (50, 5, "level", None),
    ],
)
def test_refused_where_data_are_too_few(clients, sessions, detrend, reason):
    found = models.lagged_effects(series(clients, sessions), **COLUMNS, detrend=detrend, samples=2)
    assert found.reason == reason
    assert (found.forward is None) == (reason is not None)
    assert ("cannot be determined" in found.sentence()) == (reason is not None)
    assert found.to_frame().height == (0 if reason else 4 if found.lead_forward is None else 6)


def test_not_computable_is_an_answer(rows):
    flat = models.lagged_effects(rows.with_columns(esteem=pl.lit(3.0)), **COLUMNS)
    assert flat.reason == "zero_variance"
    straight = models.lagged_effects(rows.with_columns(esteem=2.0 * pl.col("session")), **COLUMNS)
    assert straight.reason == "zero_variance"  # nothing is left beside the own trend
    alike = models.lagged_effects(rows.with_columns(esteem=3 - 2 * pl.col("satisfaction")), **COLUMNS)
    assert (alike.reason, alike.n) == ("measures_alike", 120)
    assert "measures are identical" in alike.sentence()
    empty = models.lagged_effects(rows.clear(), **COLUMNS)
    assert (empty.n, empty.reason) == (0, "too_few_clients")


def test_missed_sessions_and_gaps_break_pairs(rows, made):
    lost = rows.with_columns(esteem=pl.when(pl.col("session") != 6).then("esteem"))
    found = models.lagged_effects(lost, **COLUMNS, samples=2)
    assert (made.pairs, found.pairs) == (120 * 11, 120 * 9)
    without = models.lagged_effects(rows.filter(pl.col("session") != 6), **COLUMNS, samples=2)
    assert without.forward.estimate == found.forward.estimate
    start = dt.date(2026, 1, 5)
    days = [start + dt.timedelta(days=7 * k + (30 if k > 5 else 0)) for k in range(12)]
    dated = rows.with_columns(session=pl.Series(days * 120))
    near = models.lagged_effects(dated, **COLUMNS, longest_gap=10, shortest_gap=4, samples=2)
    assert (near.pairs, near.n) == (120 * 10, 120)


def test_same_seed_same_numbers_in_any_kind_of_table(rows, made):
    for table in (rows.to_pandas(), rows.lazy(), rows.sample(fraction=1, shuffle=True, seed=1)):
        assert models.lagged_effects(table, **COLUMNS, samples=200) == made


@pytest.mark.parametrize(
    ("options", "message"),
    [({"detrend": "no"}, "detrend"), ({"samples": 1}, "samples"), ({"x": "esteme"}, "Did you mean: esteem")],
)
def test_bad_questions_are_refused(rows, options, message):
    with pytest.raises(ModelError, match=message):
        models.lagged_effects(rows, **(COLUMNS | options))


def test_the_claim_is_refused_on_public_data_of_four_occasions(real_data):
    found = models.lagged_effects(real_data("claus_2020.csv"), client="id", time="time", x="bdi", y="who")
    assert (found.forward, found.reason) == (None, "too_few_clients")
