"""The alliance against a score: refused where there is too little, read aloud where there is enough."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from mbc.care.signals.alliance_lag import EXPLORATORY, AllianceLag, alliance_lag
from mbc.models import lagged_effects
from mbc.store import Store


def test_too_little_is_said():
    with Store.create("sqlite://") as store:
        (only,) = alliance_lag(store).words
        assert only.startswith("Nobody answered")


def test_an_order_in_time_is_worded_and_never_called_a_cause():
    rng = np.random.default_rng(3)
    rows = []
    for client in range(60):
        alliance, outcome = rng.normal(size=12), np.zeros(12)
        for session in range(1, 12):
            outcome[session] = 1.5 * alliance[session - 1] + 0.3 * rng.normal()
        rows += [(f"C{client}", session, alliance[session], outcome[session]) for session in range(12)]
    data = pl.DataFrame(rows, schema=["client", "time", "alliance", "outcome"], orient="row")
    effects = lagged_effects(data, client="client", time="time", x="alliance", y="outcome", samples=40)
    words = AllianceLag("WAI-SR", "RSES", effects, higher_is_better=True).words
    assert words[0].startswith("When clients rated the alliance higher than usual, RSES was higher next time: 1.")
    assert "From 60 clients" in words[2]
    assert words[-1] == EXPLORATORY
    few = replace(effects, forward=None, backward=None, n=12)
    assert AllianceLag("WAI-SR", "RSES", few, higher_is_better=True).words[0].startswith("Too few sessions")
