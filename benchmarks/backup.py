"""Backup and restore on PostgreSQL beside SQLite: the same record, in turn, each verified as always.

Run: python benchmarks/backup.py [--rows N] [--rounds N]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.store import import_file, write_file
from mbc.store import Store
from mbc.store.backup.restore import restore
from tests.store import postgres_server


def timed(task: Callable[[], object]) -> tuple[float, float]:
    """Time a task: what passes, and this process's own processor time."""
    passed, used = time.perf_counter(), time.process_time()
    task()
    return time.perf_counter() - passed, time.process_time() - used


def bench(rows: int, rounds: int) -> None:
    """Make the same record in both databases, then back each up and restore it, in turn."""
    programs = postgres_server.programs()
    if programs is None:
        raise SystemExit("PostgreSQL is not here: sh scripts/postgres.sh")
    print(f"{rows:,} administrations of CSI-16: {rows * 16:,} answers")
    times: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="mbc-bench-") as place, postgres_server.running(programs) as socket:
        folder, source = Path(place), write_file(Path(place) / "csi.csv", rows)
        postgres_server.run(socket, "postgres", "CREATE DATABASE source")
        urls = {"sqlite": f"sqlite:///{folder}/source.db", "postgresql": postgres_server.url(socket, "source")}
        for url in urls.values():
            Store.create(url).close()
            import_file(url, source)
        for number in range(rounds):
            for name, url in urls.items():
                copy = folder / f"{name}-{number}.mbcbackup"
                with Store.open(url) as store:
                    times.setdefault(f"backup {name}", []).append(timed(lambda: store.backup(copy)))  # noqa: B023
                target = f"sqlite:///{folder}/{number}.db"
                if name == "postgresql":
                    postgres_server.run(socket, "postgres", f"CREATE DATABASE target_{number}")
                    target = postgres_server.url(socket, f"target_{number}")
                done = timed(lambda: restore(copy, target))  # noqa: B023 - run at once
                times.setdefault(f"restore {name}", []).append(done)
                copy.unlink()
    for what in ("backup", "restore"):
        for place, clock in enumerate(("passed", "own processor time")):
            lite, post = ([each[place] for each in times[f"{what} {name}"]] for name in ("sqlite", "postgresql"))
            ratios = [theirs / ours for ours, theirs in zip(lite, post, strict=True)]
            print(
                f"  {what}, {clock}: SQLite {statistics.median(lite):.1f} s, "
                f"PostgreSQL {statistics.median(post):.1f} s; "
                f"{statistics.median(ratios):.1f} ({min(ratios):.1f}-{max(ratios):.1f}) times"
            )


def main() -> None:
    """Read the options."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--rows", type=int, default=30_000)
    reader.add_argument("--rounds", type=int, default=3)
    given = reader.parse_args()
    bench(given.rows, given.rounds)


if __name__ == "__main__":
    main()
