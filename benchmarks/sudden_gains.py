"""Sudden gains, and the whole course, of 100,000 clients x 12 sessions.

Run: python benchmarks/sudden_gains.py [clients]

The R package suddengains 0.7.2 takes 19 ms a client on a comparable machine (18.1 s for 1,000 x 12 sessions;
it was not run here).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import polars as pl

from mbc import models

SESSIONS = 12
R_PACKAGE = 19e-3  # seconds a client
ROUNDS = 3
COLUMNS = {"client": "client", "time": "session", "score": "score", "higher_is_better": False}


def clinic(clients: int) -> pl.DataFrame:
    """Scores in long form; one in twenty is missing."""
    rng = np.random.default_rng(0)
    level = 20 - 0.8 * np.arange(SESSIONS) + rng.normal(0, 5, (clients, 1))
    scores = np.clip(np.round(level + rng.normal(0, 3, (clients, SESSIONS))), 0, 63)
    scores[rng.random(scores.shape) < 0.05] = np.nan
    return pl.DataFrame(
        {
            "client": np.repeat([f"C{k:06d}" for k in range(clients)], SESSIONS),
            "session": np.tile(np.arange(1, SESSIONS + 1), clients),
            "score": pl.Series(scores.ravel(), nan_to_null=True),
        }
    )


def fastest(task: Callable[[], object]) -> float:
    task()
    times: list[float] = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return min(times)


def main(clients: int) -> None:
    rows = clinic(clients)
    shuffled = rows.sample(fraction=1.0, shuffle=True, seed=1)
    cases: dict[str, Callable[[], object]] = {
        "sudden gains": lambda: models.sudden_gains(rows, **COLUMNS, cutoff=7),
        "sudden gains, rows shuffled": lambda: models.sudden_gains(shuffled, **COLUMNS, cutoff=7),
        "sudden gains, compat": lambda: models.sudden_gains(rows, **COLUMNS, cutoff=7, compat="suddengains"),
        "course": lambda: models.describe_courses(rows, **COLUMNS, threshold=7, cutoff=10),
    }
    print(f"{clients:,} clients x {SESSIONS} sessions; fastest of {ROUNDS}; R package: 19 ms a client")
    for name, task in cases.items():
        spent = fastest(task)
        each = spent / clients
        faster = f"{R_PACKAGE / each:8,.0f} times the R package" if "gains" in name else ""
        print(f"{name:28} {spent:7.2f} s {1e6 * each:8.1f} us a client {faster}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
