"""Synthetic clients for the growth tests: an ordinary clinic, and cases that are hard for mixed-model programs.

``python make_data.py FOLDER`` writes one CSV per case for the R scripts beside this file; tests import `case`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl

HARD = (
    "ordinary",
    "eight_clients",
    "zero_slope_variance",
    "no_random_effects",
    "perfect_correlation",
    "mostly_one_score",
    "huge_scale",
    "tiny_scale",
    "calendar_year",
    "epoch_seconds",
    "icc_near_zero",
    "collinear",
    "small_residual",
)
STRAIGHT = ("calendar_year", "epoch_seconds")  # a straight line in ``time``; the others are in log1p(weeks)


def case(name: str) -> pl.DataFrame:
    """One case: client, therapist, weeks, time (what the model uses), severity, twin, arm, y."""
    rng = np.random.default_rng(20240611)
    clients = {"eight_clients": 8, "ordinary": 100}.get(name, 200)
    sessions = np.clip(rng.geometric(0.15, clients), 2, 16)
    if name == "mostly_one_score":
        sessions = np.where(rng.random(clients) < 0.8, 1, sessions)
    who = np.repeat(np.arange(clients), sessions)
    weeks = np.concatenate(
        [np.r_[0.0, np.cumsum(np.round(rng.gamma(2.0, 0.6, k - 1) + 0.1, 1))] for k in sessions]
    )
    severity = np.round(rng.normal(20, 5, clients))[who]
    g = {
        "zero_slope_variance": [[17.6, 0.0], [0.0, 0.0]],
        "no_random_effects": [[0.0, 0.0], [0.0, 0.0]],
        "perfect_correlation": [[16.0, -8.0], [-8.0, 4.0]],
    }.get(name, [[17.6, -2.0], [-2.0, 4.0]])
    effects = (rng.standard_normal((clients, 2)) @ _root(np.array(g)).T)[who]
    sigma = {"icc_near_zero": 60.0, "small_residual": 0.01}.get(name, 3.2)
    f = np.log1p(weeks)
    y = 5 + 0.8 * severity - 2.5 * f + effects[:, 0] + effects[:, 1] * f + rng.normal(0, sigma, who.size)
    y = np.round(y, 2 if name != "small_residual" else 5)
    scale, shift = {"huge_scale": (1e6, 1e9), "tiny_scale": (1e-8, 0.0)}.get(name, (1.0, 0.0))
    start = np.round(rng.uniform(0, 300, clients))[who]  # weeks from the clinic's opening to intake
    time = {
        "calendar_year": np.round(2018 + (start + weeks) / 52.1775, 6),
        "epoch_seconds": np.round(1.5e9 + (start + weeks) * 604800.0),
    }.get(name, weeks)
    return pl.DataFrame(
        {
            "client": who,
            "therapist": (who * 7) % max(2, clients // 8),
            "session": np.concatenate([np.arange(k) for k in sessions]),
            "weeks": weeks,
            "time": time,
            "severity": severity,
            "twin": 2 * severity - 3,
            "arm": np.where(who % 2 == 0, "usual", "feedback"),
            "y": y * scale + shift,
        }
    )


def therapists() -> pl.DataFrame:
    """The ordinary clinic with twelve unequal therapists; ``changed`` names those after a change at session 4."""
    frame = case("ordinary")
    rng = np.random.default_rng(12)
    effects = np.round(rng.normal(0, 2.5, 12), 2)
    slopes = np.round(rng.normal(0, 1.0, 12), 2)
    first = ((frame["client"] * 7) % 12).to_numpy()
    moved = np.where(frame["session"].to_numpy() >= 4, (first + frame["client"].to_numpy()) % 12, first)
    weeks = np.log1p(frame["weeks"].to_numpy())
    return frame.with_columns(
        therapist=pl.Series(first),
        changed=pl.Series(moved),
        y_nested=(frame["y"] + effects[first] + slopes[first] * weeks).round(3),
        y_crossed=(frame["y"] + effects[moved]).round(3),
    )


def paired() -> pl.DataFrame:
    """Two outcomes a and b of 80 clients; each is missing at a sixth of the sessions, never both."""
    rng = np.random.default_rng(77)
    sessions = rng.integers(3, 9, 80)
    who = np.repeat(np.arange(80), sessions)
    session = np.concatenate([np.arange(k) for k in sessions])
    weeks = np.round(session + rng.uniform(0, 0.5, who.size), 2)
    deviations = np.array([4.0, 0.6, 6.0, 0.9])
    correlations = np.array([[1, -0.2, 0.4, 0], [-0.2, 1, 0, 0.5], [0.4, 0, 1, -0.1], [0, 0.5, -0.1, 1]])
    effects = (rng.standard_normal((80, 4)) @ _root(correlations * np.outer(deviations, deviations)).T)[who]
    noise = rng.standard_normal((who.size, 2)) @ _root(np.array([[4.0, 1.5], [1.5, 9.0]])).T
    a = 15 + 0.5 * weeks + effects[:, 0] + effects[:, 1] * weeks + noise[:, 0]
    b = 40 + 1.0 * weeks + effects[:, 2] + effects[:, 3] * weeks + noise[:, 1]
    gap = rng.integers(0, 6, who.size)
    frame = pl.DataFrame(
        {"client": who, "session": session, "weeks": weeks, "a": np.round(a, 2), "b": np.round(b, 2), "gap": gap}
    )
    return frame.with_columns(
        a=pl.when(pl.col("gap") == 0).then(None).otherwise(pl.col("a")),
        b=pl.when(pl.col("gap") == 1).then(None).otherwise(pl.col("b")),
    ).drop("gap")


def _root(covariance: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0))


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in HARD:
        case(name).write_csv(folder / f"{name}.csv")
    therapists().write_csv(folder / "therapists.csv")
    paired().write_csv(folder / "paired.csv")
