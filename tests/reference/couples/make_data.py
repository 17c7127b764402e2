"""Synthetic couples for the dyad tests: ``python make_data.py > couples.csv``."""

from __future__ import annotations

import sys

import numpy as np
import polars as pl


def couples(n: int = 80) -> pl.DataFrame:
    """``n`` couples, one row per person: satisfaction on self-esteem, own and the partner's; some rows missing."""
    rng = np.random.default_rng(31)
    x = rng.multivariate_normal([20, 22], [[25, 8], [8, 16]], n).round(1)
    noise = rng.multivariate_normal([0, 0], [[9, -3], [-3, 16]], n)
    y = np.column_stack([5 + 0.6 * x[:, 0] + 0.3 * x[:, 1], 8 + 0.4 * x[:, 1] + 0.2 * x[:, 0]]) + noise
    rows = pl.DataFrame(
        {
            "couple": np.repeat(np.arange(1, n + 1), 2),
            "role": ["a", "b"] * n,
            "x": x.ravel(),
            "y": y.round(1).ravel(),
        }
    )
    lost = pl.Series(rng.random(2 * n) < 0.05)
    return rows.with_columns(y=pl.when(~lost).then("y")).filter(pl.Series(rng.random(2 * n) >= 0.03))


if __name__ == "__main__":
    couples().write_csv(sys.stdout.buffer, null_value="NA")
