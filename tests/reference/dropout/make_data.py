"""A synthetic trial with dropout: ``python make_data.py > trial.csv``."""

from __future__ import annotations

import sys

import numpy as np
import polars as pl

WEEKS = (2.0, 4.0, 6.0, 8.0, 12.0)


def trial(n: int = 150) -> pl.DataFrame:
    """Two arms at five times, lower is better; the worse the last score, the sooner one leaves."""
    rng = np.random.default_rng(77)
    arm = np.where(rng.random(n) < 0.5, "new", "usual")
    pre = np.round(rng.normal(24, 5, n))
    level = 0.7 * (pre - 24) + rng.normal(18, 4, n)
    slope = np.where(arm == "new", -0.6, -0.25) + rng.normal(0, 0.25, n)
    weeks = np.array(WEEKS)
    score = np.round(level[:, None] + slope[:, None] * weeks + rng.normal(0, 3, (n, len(weeks))), 1)
    there = np.ones(n, dtype=bool)
    for k in range(1, len(weeks)):
        chance = 1.0 / (1.0 + np.exp(-(2.4 - 0.06 * score[:, k - 1] + 0.1 * k)))
        there &= rng.random(n) < chance
        score[~there, k] = np.nan
    score[(rng.random(score.shape) < 0.04) & (np.arange(len(weeks)) > 0)] = np.nan
    ending = np.where(np.isnan(score[:, -1]), np.where(rng.random(n) < 0.3, "planned", "dropout"), "stayed")
    client = np.repeat(np.arange(1, n + 1), len(weeks))
    return pl.DataFrame(
        {
            "client": client,
            "arm": np.repeat(arm, len(weeks)),
            "pre": np.repeat(pre, len(weeks)),
            "ending": np.repeat(ending, len(weeks)),
            "week": np.tile(weeks, n),
            "score": pl.Series(score.ravel(), nan_to_null=True),
        }
    )


if __name__ == "__main__":
    trial().write_csv(sys.stdout.buffer, null_value="NA")
