"""Scoring a million administrations on each table engine, beside plain numpy and R's psych::scoreItems.

Run: python benchmarks/scoring.py [administrations] [rounds]
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl

from mbc.instruments import Instrument, instrument, score

BLANK = 0.02  # share of answers left out
Columns = dict[str, np.ndarray]


def answers(one: Instrument, rows: int) -> Columns:
    """Made-up answers, one float column per item as numpy and R hold them; NaN is blank."""
    rng = np.random.default_rng(1)
    made: Columns = {}
    for column, item_id in zip(one.item_columns(), one.form().order, strict=True):
        item = one.item(item_id)
        made[column] = rng.integers(item.minimum, item.maximum + 1, rows).astype(float)
        made[column][rng.random(rows) < BLANK] = np.nan
    return made


def keys(one: Instrument) -> dict[str, list[tuple[str, bool]]]:
    """Columns of each scale, and whether each is reversed."""
    column = dict(zip(one.form().order, one.item_columns(), strict=True))
    return {scale.key: [(column[item], item in scale.reverse) for item in scale.items] for scale in one.scales}


def bare_sum(columns: Columns, one: Instrument) -> None:
    """One addition per cell, at the speed of memory: nothing checked or counted."""
    for items in keys(one).values():
        total = np.zeros(len(columns[items[0][0]]))
        for name, reverse in items:
            np.subtract(total, columns[name], out=total) if reverse else np.add(total, columns[name], out=total)


def single_pass(columns: Columns, one: Instrument) -> None:
    """Visit each cell once, for the sum of what is there and the count of it: the floor; nothing checked."""
    for items in keys(one).values():
        rows = len(columns[items[0][0]])
        total, answered = np.zeros(rows), np.zeros(rows, np.int64)
        for name, reverse in items:
            there = ~np.isnan(columns[name])
            answered += there
            (np.subtract if reverse else np.add)(total, columns[name], out=total, where=there)


def tables(columns: Columns) -> Iterator[tuple[str, Any]]:
    """Hold the same answers as each engine does."""
    frame = pd.DataFrame(columns)
    whole = pl.DataFrame(columns).with_columns(pl.all().fill_nan(None).cast(pl.Int64))
    yield "polars", whole
    yield "polars lazy", whole.lazy()
    yield "polars float", pl.DataFrame(columns)
    yield "pandas numpy", frame
    yield "pandas arrow", frame.convert_dtypes(dtype_backend="pyarrow")
    yield "pyarrow", whole.to_arrow()
    connection = duckdb.connect()
    connection.register("arrow", whole.to_arrow())
    connection.execute("create table answers as select * from arrow")
    yield "duckdb", connection.table("answers")
    if importlib.util.find_spec("pyspark"):
        from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra

        session = SparkSession.builder.master("local[2]").config("spark.driver.memory", "8g").getOrCreate()
        yield "pyspark", session.createDataFrame(frame).cache()


def scored(table: Any, one: Instrument, missing: Any) -> None:
    """Score, and compute what lazy engines have only planned."""
    made = score(table, one, missing=missing)
    new = [name for scale in one.scales for name in (f"{one.key}_{scale.key}", f"{one.key}_{scale.key}_answered")]
    if isinstance(made, pl.LazyFrame):
        made.select(new).collect()
    elif isinstance(made, duckdb.DuckDBPyRelation):
        made.select(*new).to_arrow_table()
    elif hasattr(made, "toPandas"):
        made.select(*new).write.format("noop").mode("overwrite").save()


def seconds(task: Callable[[], object]) -> float:
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def beside(task: Callable[[], object], floor: Callable[[], object], rounds: int) -> str:
    """Ratios to the floor, each to one timed right before; whatever else the machine does falls on both."""
    task()
    pairs = [(seconds(floor), seconds(task)) for _ in range(rounds)]
    ratios = sorted(took / least for least, took in pairs)
    typical = statistics.median(took for _, took in pairs)
    return f"{1e3 * typical:7.0f} ms  {ratios[0]:5.1f} {statistics.median(ratios):5.1f} {ratios[-1]:5.1f}"


def psych(columns: Columns, one: Instrument, rounds: int) -> list[float]:
    """Seconds that psych::scoreItems takes inside R, reading and writing not counted."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "answers.bin"
        np.concatenate(list(columns.values())).tofile(file)
        scales = ", ".join(
            f"{scale} = c({', '.join(repr('-' * reverse + name) for name, reverse in items)})"
            for scale, items in keys(one).items()
        )
        low, high = min(item.minimum for item in one.items), max(item.maximum for item in one.items)
        names = ", ".join(map(repr, columns))
        rows = len(next(iter(columns.values())))
        program = f"""suppressMessages(library(psych))
            x <- matrix(readBin("{file}", "double", {rows * len(columns)}), ncol = {len(columns)})
            colnames(x) <- c({names})
            for (i in 1:{rounds}) cat(system.time(suppressWarnings(scoreItems(list({scales}), x, totals = FALSE,
                impute = "none", min = {low}, max = {high})))["elapsed"], "\\n")"""
        ran = subprocess.run(["Rscript", "-e", program], capture_output=True, text=True, check=True)
    return [float(line) for line in ran.stdout.split()]


def has_psych() -> bool:
    if not shutil.which("Rscript"):
        return False
    return subprocess.run(["Rscript", "-e", "library(psych)"], capture_output=True, check=False).returncode == 0


def one_row(one: Instrument) -> None:
    """Print what a single call costs."""
    row = pl.DataFrame({name: [one.items[0].minimum + 1] for name in one.item_columns()})
    for name, table in (("polars", row), ("pandas", row.to_pandas()), ("pyarrow", row.to_arrow())):
        times = sorted(seconds(lambda table=table: score(table, one)) for _ in range(50))
        print(f"  one row, {name:8} {1e3 * times[0]:6.1f} {1e3 * times[25]:6.1f} {1e3 * times[-1]:6.1f} ms")


def engines(columns: Columns, one: Instrument, rounds: int) -> dict[str, float]:
    """Print every engine's ratios; typical seconds of each come back."""
    floor = partial(single_pass, columns, one)
    print(f"  {'bare sum, numpy':22} {beside(partial(bare_sum, columns, one), floor, rounds)}")
    typical: dict[str, float] = {}
    for name, table in tables(columns):
        for missing in ("strict", "prorate"):
            said = beside(partial(scored, table, one, missing), floor, rounds)
            typical[f"{name}, {missing}"] = float(said.split()[0]) / 1e3
            print(f"  {f'{name}, {missing}':22} {said}", flush=True)
    return typical


def main(rows: int, rounds: int) -> None:
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "polars", "pandas", "pyarrow", "duckdb"))
    print(
        f"Python {platform.python_version()}, {packages}, narwhals {version('narwhals')}; {os.cpu_count()} cores"
    )
    print(f"{rows:,} administrations, {BLANK:.0%} blank; {rounds} rounds; ratios are lowest, median, highest")
    for key in ("ecr_r", "csi16"):
        one = instrument(key)
        columns = answers(one, rows)
        print(f"\n{key}: {rows * len(columns):,} cells; ratio to one numpy pass for sums and counts")
        typical = engines(columns, one, rounds)
        if has_psych():
            took = statistics.median(psych(columns, one, min(rounds, 3)))
            print(f"  psych::scoreItems takes {took:.2f} s, so many times as long as")
            print("    " + "\n    ".join(f"{name:20} {took / least:4.0f}x" for name, least in typical.items()))
        one_row(one)


if __name__ == "__main__":
    main(*(int(given) for given in [*sys.argv[1:], *("1000000", "7")[len(sys.argv) - 1 :]]))
