"""Synthetic courses with fading fluctuation, for nlme and for the tests.

``python make_data.py FOLDER`` writes courses.csv for the R script beside this file; tests import `courses`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl

LASTING = (1.0, 0.3)  # standard deviations of level and slope on log(1 + weeks)
FADING, WEEKS, ERROR = 0.9, 6.0, 0.6  # fluctuation's standard deviation and fading time, measurement error's


def courses(clients: int = 240, seed: int = 5, *, whole: bool = False) -> pl.DataFrame:
    """Scores of clients: client, weeks, score; with ``whole`` rounded to whole points between 0 and 40."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[int, float, float]] = []
    for client in range(clients):
        sessions = int(np.clip(rng.geometric(0.12), 2, 20))
        weeks = np.r_[0.0, np.cumsum(np.round(rng.gamma(3.0, 0.5, sessions - 1) + 0.2, 1))]
        intake = rng.normal(20.0, 4.0)
        clock = np.log1p(weeks)
        gap = np.abs(weeks[:, None] - weeks)
        drift = np.linalg.cholesky(FADING**2 * np.exp(-gap / WEEKS) + 1e-9 * np.eye(sessions))
        level, slope = rng.normal(0, LASTING[0]), rng.normal(0, LASTING[1])
        w = 4.0 + 0.12 * (intake - 20) - 0.7 * clock + level + slope * clock
        w = w + drift @ rng.standard_normal(sessions) + rng.normal(0, ERROR, sessions)
        score = np.clip(np.round(5 * w), 0, 40) if whole else np.round(5 * w, 3)
        rows += [(client, float(t), float(y)) for t, y in zip(weeks, score, strict=True)]
    return pl.DataFrame(rows, schema={"client": pl.Int64, "weeks": pl.Float64, "score": pl.Float64}, orient="row")


if __name__ == "__main__":
    courses().write_csv(Path(sys.argv[1]) / "courses.csv")
