"""Reliable change on a million pairs, beside the bare arithmetic that no method can do without.

Run: python benchmarks/change.py [pairs]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from mbc import models
from mbc.models.change.person.predictions import METHODS

NORMS = models.Norms(
    mean=20.0, sd=6.0, mean_retest=19.0, sd_retest=6.5, correlation=0.8, reliability=0.85, n=200, sample="made up"
)
ROUNDS = 9


def bare_arithmetic(pre: np.ndarray, post: np.ndarray) -> tuple[np.ndarray, ...]:
    """Change, index, band and a code for each pair: nothing read, checked, explained or kept beside it."""
    error = 6.0 * (2 * 0.15) ** 0.5
    threshold = 1.959964 * error
    change = post - pre
    index = change / error
    code = (index > 1.959964).view(np.int8) - (index < -1.959964).view(np.int8)
    return change, index, pre - threshold, pre + threshold, code


def fastest(task: Callable[[], object]) -> float:
    task()
    times: list[float] = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return min(times)


def growth(pairs: int, rng: np.random.Generator) -> models.ClientSlopes:
    error = rng.uniform(0.2, 0.6, pairs)
    slope = rng.normal(-0.5, 0.5, pairs)
    return models.ClientSlopes(total=slope, total_error=error, own=slope + 0.5, own_error=error)


def main(pairs: int) -> None:
    rng = np.random.default_rng(1)
    pre = rng.normal(20.0, 6.0, pairs)
    post = pre - 3.0 + rng.normal(0.0, 4.0, pairs)
    slopes = growth(pairs, rng)
    floor = fastest(lambda: bare_arithmetic(pre, post))
    print(f"{pairs:,} pairs; fastest of {ROUNDS}; ratio to the bare arithmetic ({1e3 * floor:.1f} ms)")

    def judge(method: str) -> object:
        if method == "growth":
            return models.reliable_change(method="growth", growth=slopes, higher_is_better=False)
        return models.reliable_change(pre, post, norms=NORMS, method=method, higher_is_better=False)

    for method in (*METHODS, "growth"):
        seconds = fastest(lambda method=method: judge(method))
        print(f"  {method:24} {1e3 * seconds:7.1f} ms {seconds / floor:6.1f}x")
    change = models.reliable_change(pre, post, norms=NORMS, higher_is_better=False)
    for name, task in {
        "categories as words": lambda: change.category,
        "as a polars table": change.to_frame,
        "clinical significance": lambda: models.clinical_significance(pre, post, change=change, cutoff=15.0),
        "posterior of true change": lambda: models.true_change(pre, post, norms=NORMS, higher_is_better=False),
        "rates with intervals": lambda: models.outcome_rates(change),
    }.items():
        seconds = fastest(task)
        print(f"  {name:24} {1e3 * seconds:7.1f} ms {seconds / floor:6.1f}x")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
