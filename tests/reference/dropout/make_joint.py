"""Synthetic clients who leave the sooner the worse they are: ``python make_joint.py > joint.csv``."""

from __future__ import annotations

import sys

import numpy as np
import polars as pl

LAST = 8.0  # weeks; nobody leaves after it


def leavers(n: int = 150, gamma: float = 0.15, seed: int = 21) -> pl.DataFrame:
    """Weekly scores with a course of their own; the chance to leave follows the true score, not the one seen."""
    rng = np.random.default_rng(seed)
    weeks = np.arange(LAST + 1)
    effects = rng.standard_normal((n, 2)) @ np.array([[4.0, -0.1], [0.0, 0.4]])
    true = 20 - 0.6 * weeks + effects[:, :1] + effects[:, 1:] * weeks
    score = np.round(true + 2.5 * rng.standard_normal(true.shape), 1)
    leaves = rng.random(true.shape) < 1 / (1 + np.exp(2.2 - gamma * (true - 18)))
    gone = np.cumsum(leaves, axis=1) - leaves > 0  # after the session at which the client left
    keep = ~gone.ravel()
    client = np.repeat(np.arange(1, n + 1), weeks.size)
    rows = pl.DataFrame({"client": client, "week": np.tile(weeks, n), "score": score.ravel()})
    return rows.filter(pl.Series(keep))


if __name__ == "__main__":
    leavers().write_csv(sys.stdout.buffer)
