"""What encryption costs: the sample clinic imported into, and read from, a plain and an encrypted file."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mbc.exchange import import_record
from mbc.store import Store

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "sample"
ROUNDS = 5


def timed(work: Callable[[], object]) -> float:
    """Seconds that something takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def once(url: str) -> dict[str, float]:
    """Make, fill and read one record."""
    Store.create(url).close()
    found = {"open": timed(lambda: Store.open(url).close())}
    with Store.open(url) as store:
        found["import"] = timed(lambda: import_record(SAMPLE, store))
        found["read"] = timed(store.answers)
        found["verify"] = timed(store.verify)
    return found


def main() -> None:
    os.environ["MBC_STORE_KEY"] = "quiet lantern, two otters"
    rounds: dict[str, list[dict[str, float]]] = {"sqlite": [], "sqlcipher": []}
    for _ in range(ROUNDS):
        for kind, done in rounds.items():
            with tempfile.TemporaryDirectory() as folder:
                done.append(once(f"{kind}:///{folder}/clinic.db"))
    print(f"{'':10}{'plain (s)':>12}{'encrypted (s)':>16}{'ratio':>8}")
    for what in rounds["sqlite"][0]:
        plain, encrypted = (statistics.median(each[what] for each in rounds[kind]) for kind in rounds)
        print(f"{what:10}{plain:12.3f}{encrypted:16.3f}{encrypted / plain:8.2f}")


if __name__ == "__main__":
    main()
