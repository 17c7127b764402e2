"""Synthetic series within persons for the lag tests: ``python make_data.py > series.csv``."""

from __future__ import annotations

import sys

import numpy as np
import polars as pl


def series(
    clients: int = 120, sessions: int = 12, *, effect: float = 0.25, trends: float = 0.15, seed: int = 4
) -> pl.DataFrame:
    """Esteem precedes satisfaction by ``effect``; carry-over 0.3; own levels, and own trends that go together."""
    rng = np.random.default_rng(seed)
    x, y = np.zeros((2, clients, sessions + 30))
    for k in range(1, sessions + 30):
        noise = rng.multivariate_normal([0, 0], [[1, 0.3], [0.3, 1]], clients)
        x[:, k] = 0.3 * x[:, k - 1] + noise[:, 0]
        y[:, k] = 0.3 * y[:, k - 1] + effect * x[:, k - 1] + noise[:, 1]
    slope = rng.multivariate_normal([0.15, 0.15], trends**2 * np.array([[1, 0.7], [0.7, 1]]), clients)
    level = rng.normal(0, 1, (clients, 2))
    made = [
        part[:, 30:] + slope[:, [j]] * np.arange(sessions) + level[:, [j]] + 20 for j, part in enumerate((x, y))
    ]
    return pl.DataFrame(
        {
            "client": np.repeat(np.arange(clients), sessions),
            "session": np.tile(np.arange(1, sessions + 1), clients),
            "esteem": made[0].ravel(),
            "satisfaction": made[1].ravel(),
        }
    )


if __name__ == "__main__":
    series().write_csv(sys.stdout.buffer)
