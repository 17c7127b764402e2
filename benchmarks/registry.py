"""A registry of many clinics: reports of one, three and ten million questionnaires, their time and memory.

Clinics of 4,000 clients each are made one after the other by mbc.simulate and written as Parquet. Each report is
made by a process of its own, whose processor time and peak memory are read when it ends.
Run: python benchmarks/registry.py [engine] [millions ...]   # engine: duckdb (default), polars, spark
"""

from __future__ import annotations

import datetime as dt
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import narwhals.stable.v2 as nw

from mbc import models, outcomes, simulate
from mbc.outcomes.definitions.definition_file import instruments_of

CLIENTS = 4_000  # of each clinic: 151,000 questionnaires
PERIOD = {"start": dt.date(2026, 4, 1), "end": dt.date(2026, 9, 30)}
TABLES = ("clients", "episodes", "sessions", "statuses", "totals")


def make(home: Path, millions: float) -> tuple[int, list[Path]]:
    """Add clinics to a folder until it has so many questionnaires; only one is in memory at a time."""
    made, folders = 0, []
    while made < millions * 1e6:
        folder = home / f"clinic{len(folders):03d}"
        count_file = folder / "count.json"
        if not count_file.exists():
            clinic = simulate.clinic(seed=len(folders), clients=CLIENTS, clinicians=40, stories=False)
            (folder / "administrations").mkdir(parents=True)
            for name in TABLES:
                getattr(clinic, name).write_parquet(folder / f"{name}.parquet")
            for key, table in clinic.administrations.items():
                table.write_parquet(folder / "administrations" / f"{key}.parquet")
            count_file.write_text(json.dumps(sum(table.height for table in clinic.administrations.values())))
        made += json.loads(count_file.read_text())
        folders.append(folder)
    return made, folders


def measure(what: str, engine: str, folders: list[Path]) -> None:
    """Make one report and print its seconds and peak memory as JSON."""
    began = time.perf_counter()
    if what == "check":
        result = outcomes.check_folders(folders, engine)
        detail = f"{len(result.faults)} faults"
    elif what == "growth":
        frames = outcomes.read_folders(folders, engine, instruments=["rses"])
        fit = models.growth_curve(
            outcomes.growth_rows(frames, "rses"), outcome="score", time="week", client="episode_id", shape="log"
        )
        detail = f"{fit.n_observations} scores"
    elif what == "aggregation":
        rows = outcomes.growth_rows(outcomes.read_folders(folders, engine, instruments=["rses"]), "rses")
        detail = f"{grouped(rows)} episodes"
    else:
        frames = outcomes.read_folders(folders, engine, instruments=instruments_of(outcomes.definition(what)))
        made = outcomes.report(frames, what, "finished", **PERIOD)
        detail = f"{len(made.metrics)} figures of {max(metric.denominator for metric in made.metrics)} people"
    seconds = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_SELF)
    processor = used.ru_utime + used.ru_stime
    # not used.ru_maxrss: that begins with the peak of the process that started this one
    status = Path("/proc/self/status").read_text()
    memory = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024
    print(json.dumps({"seconds": seconds, "processor": processor, "megabytes": memory, "detail": detail}))


def grouped(rows: object) -> int:
    """Sum what a growth model needs of each episode, by the engine alone."""
    week, score = nw.col("week"), nw.col("score")
    frame = nw.from_native(rows).with_columns(t=week + 1, ty=week * score, tt=week * week, yy=score * score)
    summed = frame.group_by("episode_id").agg(
        nw.len().alias("n"), *(nw.col(name).sum() for name in ("t", "ty", "tt", "score", "yy"))
    )
    return summed.collect().shape[0]


def main() -> None:
    if len(sys.argv) > 2 and sys.argv[1] == "measure":
        measure(sys.argv[2], sys.argv[3], [Path(path) for path in sys.argv[4:]])
        return
    engine = sys.argv[1] if len(sys.argv) > 1 else "duckdb"
    sizes = [float(size) for size in sys.argv[2:]] or [1, 3, 10]
    with tempfile.TemporaryDirectory(prefix="mbc-registry-") as home:
        for millions in sizes:
            began = time.perf_counter()
            count, folders = make(Path(home), millions)
            print(
                f"{count:,} questionnaires of {len(folders)} clinics, made in {time.perf_counter() - began:.0f} s"
            )
            for what in ("check", "nhs", "jacobson-truax", "growth", "aggregation"):
                words = [sys.executable, __file__, "measure", what, engine, *map(str, folders)]
                done = subprocess.run(words, capture_output=True, text=True, check=True)
                row = json.loads(done.stdout.splitlines()[-1])
                print(
                    f"  {what:15} {row['seconds']:6.1f} s {row['megabytes']:6.0f} MB  {row['detail']}", flush=True
                )


if __name__ == "__main__":
    main()
