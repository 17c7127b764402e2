"""Does the verdict after a session agree with what later sessions show? Real courses, beside the index.

    python benchmarks/true_change_course_real.py TABLE [--write]

TABLE has columns ID, time (days) and BDI: sessions of cognitive therapy (CRAN package npmlda, data ENRICHD). What
later sessions show is the mean of all scores still to come against the first score: reliably better, reliably
worse, or neither, at 1.96 standard errors of that difference. The first score is in the index and in that rule
alike, which favours the index. Clients are dealt to five folds; what is learned is learned from the other four.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mbc.models.change.occasions.all_sessions import true_change_course
from mbc.models.change.occasions.learn_variation import score_variation

PAGE = Path(__file__).parent / "results/true_change_course_real.md"
RELIABILITY = 0.86  # mean alpha of psychiatric samples: Beck, Steer & Garbin (1988)
RANGE = (0.0, 63.0)
FIRST, LEAST_LATER, SAMPLES = 3, 3, 2000
METHODS = ("index", "index, twice in a row", "always better", "own scores alone", "with what the clinic knows")
Row = tuple[int, int, int, dict[str, int]]  # client, session, what later sessions show, what each method says


def read(path: str) -> pl.DataFrame:
    """Read scores; those of one client on one day are averaged."""
    rows = pl.read_csv(path, null_values=["NA"]).group_by("ID", "time").agg(pl.col("BDI").mean())
    return rows.sort("ID", "time")


def verdicts(rows: pl.DataFrame, sd: float, *, prior: str) -> dict[tuple[int, int], int]:
    """Judge every client at every session: 1 better, -1 worse, 0 no clear change."""
    ids = rows["ID"].unique(maintain_order=True).to_numpy()
    fold = np.random.default_rng(0).permutation(np.arange(ids.size) % 5)
    columns: dict[str, Any] = {"client": "ID", "time": "time", "score": "BDI", "score_range": RANGE}
    out: dict[tuple[int, int], int] = {}
    for number in range(5):
        own = rows.filter(pl.col("ID").is_in(ids[fold == number].tolist()))
        others = rows.filter(~pl.col("ID").is_in(ids[fold == number].tolist()))
        learned = score_variation(others, sd=sd, reliability=RELIABILITY, **columns)
        found: Any = true_change_course(
            data=own, higher_is_better=False, variation=learned, prior=prior, each_session=True, **columns
        )
        codes = np.where(found.codes == 2, 0, found.codes)
        out |= dict(
            zip(zip(found.client_ids.to_list(), found.sessions.tolist(), strict=True), codes.tolist(), strict=True)
        )
    return out


def compare(path: str) -> list[Row]:
    """List what each method says at each session, and what later sessions show."""
    rows = read(path)
    sd = float(rows.group_by("ID", maintain_order=True).first()["BDI"].std())  # type: ignore[arg-type]
    sem = sd * math.sqrt(1 - RELIABILITY)
    alone, clinic = (verdicts(rows, sd, prior=prior) for prior in ("flat", "clients"))
    out: list[Row] = []
    for (client,), own in rows.group_by("ID", maintain_order=True):
        y = own["BDI"].to_numpy()
        steps = [_sign(y[0] - score, 1.96 * math.sqrt(2) * sem) for score in y]
        for k in range(FIRST, y.size - LEAST_LATER + 1):
            later = _sign(y[0] - y[k:].mean(), 1.96 * sem * math.sqrt(1 + 1 / (y.size - k)))
            twice = steps[k - 1] if steps[k - 1] == steps[k - 2] else 0
            said = dict(zip(METHODS, (steps[k - 1], twice, 1, alone[client, k], clinic[client, k]), strict=True))
            out.append((client, k, later, said))
    return out


def _sign(change: float, threshold: float) -> int:
    return int(np.sign(change)) if abs(change) > threshold else 0


def agreement(rows: Sequence[Row], method: str) -> NDArray[np.float64]:
    """Give 1 where the method agrees with later sessions, else 0."""
    return np.array([float(said[method] == later) for _, _, later, said in rows])


def table(rows: list[Row], seed: int = 0) -> list[str]:
    """Lay agreement out by session, with a 95 % interval of the difference to the index that resamples clients."""
    clients = sorted({row[0] for row in rows})
    place = {client: i for i, client in enumerate(clients)}
    drawn = np.random.default_rng(seed).multinomial(len(clients), np.full(len(clients), 1 / len(clients)), SAMPLES)
    lines = [
        f"| session | clients | {' | '.join(METHODS)} | with the clinic - index [95 %] |",
        f"|---|---|{'---|' * (len(METHODS) + 1)}",
    ]
    for name, sessions in [
        ("3", {3}),
        ("4", {4}),
        ("5", {5}),
        ("6", {6}),
        ("8", {8}),
        ("10", {10}),
        ("all", None),
    ]:
        some = [row for row in rows if sessions is None or row[1] in sessions]
        hits = {method: agreement(some, method) for method in METHODS}
        weight = drawn[:, [place[row[0]] for row in some]].astype(np.float64)
        better = hits[METHODS[-1]] - hits[METHODS[0]]
        low, high = np.quantile(weight @ better / weight.sum(axis=1), [0.025, 0.975])
        shares = " | ".join(f"{hits[method].mean():.1%}" for method in METHODS)
        number = len({row[0] for row in some})
        lines.append(f"| {name} | {number} | {shares} | {better.mean():+.1%} [{low:+.1%}, {high:+.1%}] |")
    return lines


WORDS = """## A verdict from all sessions: real courses

`python benchmarks/true_change_course_real.py TABLE --write` made this section from {clients} clients in cognitive
therapy (Beck Depression Inventory at every session; data ENRICHD of the R package npmlda, not part of this
project). It counts how often the verdict after a session agrees with what all later sessions show: the mean of
the scores to come against the first score, reliably better, reliably worse or neither. The first score is in the
index and in that rule alike, which favours the index. Nothing was learned from the clients judged (five folds).
The interval resamples clients.

{table}

By that rule {better:.0%} of the clients' later scores were better, so that to say so of everybody agrees as
often. The verdict with what the clinic knows (`prior="clients"`: where clients start, and that they are expected
to improve as others did) is above that. The verdict from a client's own scores alone (`prior="flat"`) agrees less
often than the index: it is built to call few clients better who are not, and most of these were. Of those called
better, later sessions do not show it by that rule in {wrong}.
"""


def text(path: str) -> str:
    """Write the section of the validation page."""
    rows = compare(path)
    wrong = {name: np.mean([row[2] < 1 for row in rows if row[3][name] > 0]) for name in METHODS}
    return WORDS.format(
        clients=read(path)["ID"].n_unique(),
        table="\n".join(table(rows)),
        better=np.mean([row[2] > 0 for row in rows]),
        wrong=", ".join(f"{share:.0%} ({name})" for name, share in wrong.items()),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("table")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    made = text(arguments.table)
    if arguments.write:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(made, encoding="utf-8")
    print(made)
