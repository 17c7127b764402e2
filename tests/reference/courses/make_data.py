"""Synthetic wide data for the comparison with the R package suddengains: ``python make_data.py > wide.csv``."""

from __future__ import annotations

import sys

import numpy as np
import polars as pl

SESSIONS = 12


def wide() -> pl.DataFrame:
    """200 clients x 12 sessions, lower is better: jumps both ways, missed sessions, early ends, fractions."""
    rng = np.random.default_rng(20)
    n = 200
    level = rng.normal(22, 6, n)[:, None] - rng.gamma(1.5, 0.4, n)[:, None] * np.arange(SESSIONS)
    for size in (-9, 8, -12):
        at = rng.integers(1, SESSIONS, n)[:, None]
        level = level + np.where((np.arange(SESSIONS) >= at) & (rng.random(n)[:, None] < 0.5), size, 0)
    scores = np.clip(np.round(level + rng.normal(0, 2.5, (n, SESSIONS))), 0, 60)
    scores[150:] = np.round(scores[150:] / 9, 2)  # means of items
    scores[:4] = [[20] * 6 + [10] * 6, [0] * 12, [20] * 4 + [8] * 4 + [20] * 4, [10] * 5 + [25] * 7]
    scores[rng.random((n, SESSIONS)) < 0.08] = np.nan
    ends = rng.integers(3, 2 * SESSIONS, n)[:, None]
    scores[np.arange(SESSIONS)[None, :] >= ends] = np.nan
    columns = {f"s{k + 1}": pl.Series(scores[:, k], nan_to_null=True) for k in range(SESSIONS)}
    return pl.DataFrame({"id": np.arange(1, n + 1), **columns})


if __name__ == "__main__":
    wide().write_csv(sys.stdout.buffer, null_value="NA")
