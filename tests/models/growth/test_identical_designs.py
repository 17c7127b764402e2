"""Clients with the same times are aggregated; nothing in the results shows it."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from mbc import models
from mbc.models.growth.data.shapes import Linear
from mbc.models.growth.data.source import source_of
from mbc.models.growth.design.design import design_of, terms_of
from mbc.models.growth.design.identical_designs import aggregated
from mbc.models.growth.fit.deviance import evaluate
from mbc.models.growth.fit.starts import starting_factor

COLUMNS: dict[str, Any] = {"outcome": "y", "time": "session", "client": "client"}


def _scheduled(clients: int = 3000) -> pl.DataFrame:
    rng = np.random.default_rng(9)
    sessions = rng.integers(2, 9, clients)
    client = np.repeat(np.arange(clients), sessions)
    session = np.concatenate([np.arange(k) for k in sessions])
    severity = np.round(rng.normal(20, 5, clients), 1)[client]
    b = rng.normal(0, [4.0, 0.8], (clients, 2))[client]
    y = 5 + 0.8 * severity - 0.7 * session + b[:, 0] + b[:, 1] * session + rng.normal(0, 3, client.size)
    return pl.DataFrame({"client": client, "session": session, "severity": severity, "y": y})


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("random", [(0,), (0, 1)])
def test_aggregated_designs_give_the_same_deviance_and_derivatives(random, reml):
    source = source_of(_scheduled(), **COLUMNS, covariates=["severity"])
    sums = source.sums(Linear())
    design = design_of(sums, terms_of(sums, "session", ["severity"]), random)
    fewer = aggregated(design.statistics)
    assert fewer is not None
    assert fewer.clients <= 7 * len(random) * 4  # seven lengths of treatment
    start = starting_factor(design)
    all_of_them, few = (evaluate(statistics, start, reml=reml) for statistics in (design.statistics, fewer))
    assert few.deviance == pytest.approx(all_of_them.deviance, rel=1e-13)
    np.testing.assert_allclose(few.gamma, all_of_them.gamma, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(few.slope, all_of_them.slope, rtol=1e-8)
    np.testing.assert_allclose(few.expected_curvature(), all_of_them.expected_curvature(), rtol=1e-9)


def test_irregular_designs_are_left_alone():
    frame = _scheduled().with_columns(
        session=pl.col("session") + pl.Series(np.random.default_rng(2).random(len(_scheduled())))
    )
    sums = source_of(frame, **COLUMNS, covariates=[]).sums(Linear())
    assert aggregated(design_of(sums, terms_of(sums, "session", []), (0, 1)).statistics) is None


def test_many_scheduled_clients_fit_as_few_do():
    frame = _scheduled()
    fit = models.growth_curve(frame, **COLUMNS, shape="linear", covariates=["severity"])
    shuffled = models.growth_curve(
        frame.sample(fraction=1.0, shuffle=True, seed=4), **COLUMNS, shape="linear", covariates=["severity"]
    )
    assert fit.log_likelihood == pytest.approx(shuffled.log_likelihood, rel=1e-12)
    for c, truth in zip(fit.coefficients, [5.0, -0.7, 0.8], strict=True):
        assert abs(c.estimate - truth) < 3 * c.standard_error
