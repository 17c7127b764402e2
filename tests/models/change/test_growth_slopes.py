"""Reliable change from client slopes, against lme4 and Henderson's equations in R (tests/reference/change.R)."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mbc import models
from mbc.errors import ModelError

R = json.loads((Path(__file__).parents[2] / "reference/change.json").read_text())["slopes"]


@pytest.fixture(scope="module")
def slopes():
    rows = pl.DataFrame({"id": R["id"], "t": R["days"], "y": R["y"]}).with_columns(pl.col("t").cast(pl.Float64))
    rows = rows.with_columns(r=pl.col("y") - R["fixed"][0] - R["fixed"][1] * pl.col("t"))
    sums = rows.group_by("id", maintain_order=True).agg(
        pl.len().cast(pl.Float64).alias("n"), pl.col("t").sum(), (pl.col("t") ** 2).sum().alias("tt"),
        pl.col("r").sum(), (pl.col("r") * pl.col("t")).sum().alias("rt"),
    )  # fmt: skip
    return models.slopes_from_sums(
        sums.drop("id").to_numpy(), fixed=tuple(R["fixed"]), fixed_covariance=R["fixed_cov"],
        random_covariance=R["G"], residual_variance=R["s2"],
    )  # fmt: skip


def test_the_random_slope_and_its_conditional_sd(validation, slopes):
    source = "R lme4 1.1-31, sleepstudy, first subject"
    validation("growth, reference='sample': slope", source, R["own"][0], slopes.own[0])
    validation("growth, reference='sample': conditional SD", source, R["own_se"][0], slopes.own_error[0])
    np.testing.assert_allclose(slopes.own, R["own"], rtol=1e-8)


def test_the_total_slope_and_its_prediction_error(validation, slopes):
    source = "R, Henderson's equations, sleepstudy, first subject"
    validation("growth: total slope", source, R["total"][0], slopes.total[0])
    validation("growth: error of the total slope", source, R["total_se"][0], slopes.total_error[0])
    np.testing.assert_allclose(slopes.total_error, R["total_se"], rtol=1e-7)


def test_everybody_who_slows_down_alike_has_slowed_down(slopes):
    """Reaction time rises by 10 ms a day in nearly everyone; against the average hardly anybody changes."""
    total = models.reliable_change(method="growth", growth=slopes, higher_is_better=False)
    against = models.reliable_change(method="growth", growth=slopes, reference="sample", higher_is_better=False)
    assert (total.category == "deteriorated").sum() > (against.category == "deteriorated").sum()
    np.testing.assert_allclose(against.index, np.array(R["own"]) / np.array(R["own_se"]), rtol=1e-8)
    assert total.change == pytest.approx(slopes.total)
    assert (total.upper > 0).all()


def test_norms_that_are_stated_stay_with_the_result(slopes):
    change = models.reliable_change(
        method="growth", growth=slopes, norms={"sd": 56.3, "source": "sleepstudy"}, higher_is_better=False
    )
    assert (change.norms.sd, change.norms.source) == (56.3, "sleepstudy")


def test_without_any_variance_of_slopes_the_average_is_everybody_s():
    made = models.slopes_from_sums(
        [[3, 3, 5, 0.0, 0.0]], fixed=(10.0, -2.0), fixed_covariance=[[1, 0], [0, 0.25]],
        random_covariance=[[0, 0], [0, 0]], residual_variance=4.0,
    )  # fmt: skip
    assert made.total.tolist() == [-2.0]
    assert made.total_error.tolist() == [0.5]
    change = models.reliable_change(method="growth", growth=made, reference="sample", higher_is_better=False)
    assert change.reason.tolist() == ["zero_variance"]


def test_growth_needs_a_model():
    with pytest.raises(ModelError, match="needs growth="):
        models.reliable_change(method="growth", higher_is_better=True)
    with pytest.raises(ModelError, match="ClientSlopes or a fitted growth model"):
        models.reliable_change(method="growth", growth=object(), higher_is_better=True)
