"""Time learning an expected course, beside another version of mbc on the same data in the same run.

``python benchmarks/learning.py --against PATH`` (PATH: a folder that holds another version's ``mbc``) learns from
simulated clinics of two shapes: long series (150 scores a client) and many clients. Both versions run in processes
of their own, one after the other in each round, with one thread, and what is compared is processor time, which
other work on the machine does not lengthen much. Their forecasts of the same new clients are compared as well, in
score points: a faster version that forecasts otherwise would be no better.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parents[1]
SHAPES = {"long": (60, 150), "many": (100_000, 6)}  # clients, mean scores a client


def make(clients: int, sessions: int, seed: int = 1) -> dict[str, np.ndarray]:
    """Courses on log time with fluctuation; of long series all are as long, else lengths are geometric."""
    rng = np.random.default_rng(seed)
    lengths = np.clip(rng.geometric(1 / sessions, clients), 2, 3 * sessions)
    n = np.full(clients, sessions) if sessions >= 100 else lengths
    client = np.repeat(np.arange(clients), n)
    week = np.arange(client.size) - np.repeat(np.cumsum(n) - n, n)
    level, slope = rng.normal(30, 8, clients)[client], rng.normal(-3, 2, clients)[client]
    score = level + slope * np.log1p(week) + rng.normal(0, 4, client.size)
    return {"client": client, "time": week.astype(float), "score": np.clip(np.round(score), 0, 63)}


def learn(clients: int, sessions: int) -> dict[str, Any]:
    """Learn once and forecast a few new clients; processor seconds of the learning."""
    import polars as pl  # noqa: PLC0415 - the other version must be found first

    from mbc import models  # noqa: PLC0415

    warnings.simplefilter("ignore")
    about = {"outcome": "score", "time": "time", "client": "client", "higher_is_better": False}
    frame, limits = pl.DataFrame(make(clients, sessions)), (0.0, 63.0)
    models.expected_course(pl.DataFrame(make(60, 5)), **about, score_range=limits)  # imports and caches
    start = time.process_time()
    course = models.expected_course(frame, **about, score_range=limits)
    seconds = time.process_time() - start
    new = [([0.0, 1.0, 2.0, 3.0][:k], [first, first - 2.0, first - 5.0, first - 4.0][:k]) for k in (2, 3, 4)
           for first in (15.0, 30.0, 45.0)]  # fmt: skip
    return {"seconds": seconds, "forecasts": [course.forecast(times, scores).expected for times, scores in new]}


def run(path: Path, clients: int, sessions: int) -> dict[str, Any]:
    """Learn in a process of its own, with the version of mbc in a folder."""
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "POLARS_MAX")}
    threads["POLARS_MAX_THREADS"] = "1"
    command = [sys.executable, "-P", __file__, "--one", str(clients), str(sessions)]
    done = subprocess.run(
        command, env={**os.environ, **threads, "PYTHONPATH": str(path)}, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, help="folder that holds another version's mbc")
    parser.add_argument("--shape", choices=SHAPES, nargs="+", default=list(SHAPES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", nargs=2, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(learn(*options.one)))
        return
    print("| shape | clients | scores a client | ours, s | other, s | other over ours | forecasts differ by |")
    print("|---|---|---|---|---|---|---|")
    for shape in options.shape:
        clients, sessions = SHAPES[shape]
        ours, others = [], []
        for _ in range(options.rounds):
            if options.against:
                others.append(run(options.against, clients, sessions))
            ours.append(run(HERE, clients, sessions))
        mine = [done["seconds"] for done in ours]
        row = f"| {shape} | {clients:,} | {sessions} | {statistics.median(mine):.1f}"
        if others:
            theirs = [done["seconds"] for done in others]
            ratios = [b / a for a, b in zip(mine, theirs, strict=True)]
            forecasts = [np.array(done[-1]["forecasts"], dtype=float) for done in (ours, others)]
            apart = np.nanmax(np.abs(forecasts[0] - forecasts[1]))  # a version may have none for some clients
            span = f"{statistics.median(ratios):.1f} ({min(ratios):.1f}-{max(ratios):.1f})"
            row += f" | {statistics.median(theirs):.1f} | {span} | {apart:.2f} points"
        print(f"{row} |", flush=True)


if __name__ == "__main__":
    main()
