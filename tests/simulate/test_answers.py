"""Item answers come from a sensible process: alphas, means and changes are near those of published samples."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import mbc
from mbc import models
from mbc.simulate.people.population import READINGS
from mbc.simulate.questionnaires.item_answers import write_as

pytestmark = pytest.mark.long

# alpha of each instrument, from the sources in its definition; tolerance for categories and floors
PUBLISHED = [
    ("rses", "total", 0.90, 0.02),
    ("csi4", "total", 0.94, 0.03),
    ("csi16", "total", 0.98, 0.02),
    ("csi32", "total", 0.98, 0.01),
    ("ras", "total", 0.86, 0.03),
    ("ecr_s", "anxiety", 0.78, 0.03),
    ("ecr_s", "avoidance", 0.84, 0.03),
    ("ecr_r", "anxiety", 0.93, 0.02),
    ("phq9", "total", 0.87, 0.03),
    ("gad7", "total", 0.89, 0.03),
    ("who5", "total", 0.87, 0.03),
]


def keyed_items(clinic, key: str, scale_key: str) -> np.ndarray:
    """Keyed answers to the first complete default-form sheet of each client; shape (clients, items)."""
    instrument = mbc.instrument(key)
    scale = instrument.scale(scale_key)
    default = (pl.col("form") == instrument.form().key) & (pl.col("coding") == instrument.coding().key)
    first = clinic.administrations[key].filter(default).drop_nulls(instrument.item_columns())
    first = first.sort("taken_on").unique("client_id", keep="first")
    column = dict(zip([item.id for item in instrument.items], instrument.item_columns(), strict=True))
    ends = {item.id: item.minimum + item.maximum for item in instrument.items}
    answers = [first[column[i]].to_numpy().astype(float) for i in scale.items]
    keyed = [ends[i] - a if i in scale.reverse else a for i, a in zip(scale.items, answers, strict=True)]
    return np.stack(keyed, axis=1)


@pytest.mark.parametrize(("key", "scale", "alpha", "tolerance"), PUBLISHED)
def test_internal_consistency_is_near_the_published_one(large, key, scale, alpha, tolerance):
    items = keyed_items(large, key, scale)
    count = items.shape[1]
    found = count / (count - 1) * (1 - items.var(axis=0, ddof=1).sum() / items.sum(axis=1).var(ddof=1))
    assert found == pytest.approx(alpha, abs=tolerance)


@pytest.mark.parametrize("reading", READINGS, ids=lambda reading: f"{reading.instrument}.{reading.scale}")
def test_first_scores_stand_where_the_population_puts_them(large, scored, reading):
    column = f"{reading.instrument}_{reading.scale}"
    first = scored(large, reading.instrument).drop_nulls(column).filter(pl.col("session_number") == 1)
    low, high = mbc.instrument(reading.instrument).scale(reading.scale).range
    assert first[column].mean() == pytest.approx(reading.mean, abs=0.04 * (high - low))
    assert first[column].std() == pytest.approx(reading.sd, rel=0.18)


def test_reverse_keyed_items_are_answered_in_the_raw_direction(large):
    default = large.administrations["rses"].filter(pl.col("form") == "a").drop_nulls()
    items = default.select(mbc.instrument("rses").item_columns()).to_numpy().astype(float)
    together = np.corrcoef(items.T)
    reverse = np.isin(np.arange(1, 11), [2, 5, 6, 8, 9])  # form a
    assert (together[np.ix_(reverse, ~reverse)] < -0.2).all()
    assert (together[np.ix_(reverse, reverse)] > 0.2).all()


def test_another_form_and_coding_score_as_the_default(large):
    rses = mbc.instrument("rses")
    sheets = large.administrations["rses"].filter(pl.col("form") == "a").drop_nulls().head(200)
    answers = sheets.select(rses.item_columns()).to_numpy().astype(float)
    other = pl.DataFrame(write_as(rses, answers, "b", "1-4"), schema=list(rses.item_columns()))
    ours = mbc.score(other, "rses", form="b", coding="1-4")["rses_total"]
    assert ours.to_list() == mbc.score(sheets, "rses")["rses_total"].to_list()


def test_endorsement_coding_turns_round_the_items_that_it_must(large):
    csi = mbc.instrument("csi32")
    answers = np.arange(64, dtype=float).reshape(2, 32) % 6
    other = pl.DataFrame(write_as(csi, answers, "standard", "endorsement"), schema=list(csi.item_columns()))
    printed = pl.DataFrame(answers, schema=list(csi.item_columns()))
    assert (
        mbc.score(other, "csi32", coding="endorsement")["csi32_total"].to_list()
        == mbc.score(printed, "csi32")["csi32_total"].to_list()
    )


def first_and_last(clinic, scored, key: str, scale: str) -> pl.DataFrame:
    column = f"{key}_{scale}"
    sheets = scored(clinic, key).drop_nulls(column).group_by("client_id", "target", maintain_order=True)
    ends = sheets.agg(
        pl.col(column).first().alias("first"), pl.col(column).last().alias("last"), pl.len().alias("sheets")
    ).filter(pl.col("sheets") > 1)
    ending = clinic.truth.select("client_id", "ending").unique()
    return ends.join(ending, on="client_id")


@pytest.mark.parametrize(
    ("key", "scale", "construct"),
    [("rses", "total", "self_esteem"), ("phq9", "total", "low_mood"), ("ecr_s", "anxiety", "anxiety")],
)
def test_observed_change_follows_the_truth(large, scored, key, scale, construct):
    ends = first_and_last(large, scored, key, scale)
    true = large.truth.filter(pl.col("construct") == construct)
    joined = ends.join(true, on="client_id")
    change = (joined["last"] - joined["first"]).to_numpy()
    assert np.corrcoef(change, (joined["finish"] - joined["start"]).to_numpy())[0, 1] > 0.7


def test_about_half_of_those_who_finish_improve_reliably_and_few_deteriorate(large, scored):
    scale = mbc.instrument("rses").main_scale
    assert scale.change_norm is not None
    ends = first_and_last(large, scored, "rses", "total")
    change = models.reliable_change(
        ends["first"].to_numpy(),
        ends["last"].to_numpy(),
        sd=scale.change_norm.sd,
        reliability=scale.change_norm.reliability,
        higher_is_better=True,
    )
    called = ends.with_columns(pl.Series("call", change.category))
    finished = called.filter(pl.col("ending") == "planned")["call"].value_counts(normalize=True)
    rates = dict(finished.iter_rows())
    assert 0.42 < rates["improved"] < 0.58
    everybody = dict(called["call"].value_counts(normalize=True).iter_rows())
    assert 0.04 < everybody["deteriorated"] < 0.09
    assert everybody["improved"] < rates["improved"]  # those who stay look better than all


def test_a_minority_answers_the_rare_item_above_zero(large):
    answers = large.administrations["phq9"]["phq9_9"].drop_nulls()
    assert 0.01 < (answers > 0).mean() < 0.06
