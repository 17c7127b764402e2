"""The record's speed beside the bare driver: import, reading, a client's review, and memory.

Run: python benchmarks/store.py [import|read|review|memory ...] [--rows N] [--rounds N] [--only sqlite|postgresql]
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from mbc.care import CohortModels, client_review
from mbc.exchange import ImportOptions
from mbc.exchange.plan.plan_import import read_plan
from mbc.store import Client, Clinician, Store
from mbc.store.database import engine as engines
from tests.store import postgres_server

ITEMS = 16  # CSI-16
TAKEN_EACH = 10  # administrations of one client
HEAD = (
    "administration_id", "client_id", "episode_id", "instrument", "version", "form", "coding", "informant",
    "taken_on", "session_number", "channel", "occasion", "revision", "content", "entry_id",
)  # fmt: skip
Bare = Callable[[Any, str, list[tuple[Any, ...]]], None]


# --- material


def answers_of(place: int) -> list[int]:
    return random.Random(place).choices(range(6), k=ITEMS)


def write_file(path: Path, rows: int) -> Path:
    """Write a wide CSV: ten administrations for each client, a week apart."""
    with path.open("w") as file:
        file.write("client_id,taken_on," + ",".join(f"csi16_{n}" for n in range(1, ITEMS + 1)) + "\n")
        for place in range(rows):
            day = date(2024, 1, 1) + timedelta(weeks=place % TAKEN_EACH)
            file.write(f"C{place // TAKEN_EACH:06},{day}," + ",".join(map(str, answers_of(place))) + "\n")
    return path


@contextmanager
def databases(only: str | None) -> Iterator[dict[str, Callable[[], str]]]:
    """By name, what makes the address of a fresh database."""
    with tempfile.TemporaryDirectory(prefix="mbc-bench-") as folder:
        numbers = iter(range(10_000))
        found: dict[str, Callable[[], str]] = {"sqlite": lambda: f"sqlite:///{folder}/{next(numbers)}.db"}
        programs = postgres_server.programs()
        if programs is None or only == "sqlite":
            yield found
            return
        with postgres_server.running(programs) as socket:

            def fresh() -> str:
                name = f"bench_{next(numbers)}"
                postgres_server.run(socket, "postgres", f"CREATE DATABASE {name}")
                return postgres_server.url(socket, name)

            found["postgresql"] = fresh
            yield {"postgresql": fresh} if only else found


CLOCKS = {"sqlite": time.process_time, "postgresql": time.perf_counter}


def timed(task: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Time a task: processor time of all threads where the database is part of this process, else what passes.

    The former does not depend on what else the machine does.
    """
    start = clock()
    task()
    return clock() - start


def median(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f}-{max(values):.1f})"


# --- the bare driver


def executemany(cursor: Any, table: str, rows: list[tuple[Any, ...]], columns: tuple[str, ...] = ()) -> None:
    mark = "%s" if "psycopg" in type(cursor).__module__ else "?"
    names = f" ({', '.join(columns)})" if columns else ""
    cursor.executemany(f"INSERT INTO {table}{names} VALUES ({', '.join([mark] * len(rows[0]))})", rows)


def copy(cursor: Any, table: str, rows: list[tuple[Any, ...]], columns: tuple[str, ...] = ()) -> None:
    names = f" ({', '.join(columns)})" if columns else ""
    with cursor.copy(f"COPY {table}{names} FROM STDIN") as stream:
        for row in rows:
            stream.write_row(row)


def fill(url: str, clients: int, *, totals: bool, each: int = TAKEN_EACH) -> None:
    """Make a record of many clients, behind mbc's back: for reading only."""
    on_postgres = url.startswith("postgres")
    bulk = copy if on_postgres else executemany
    with Store.create(url) as store:
        with store.writing(by="bench") as record:
            record.add(Clinician("K1", "Dr. One"))
            record.add(Client("FIRST", clinician_id="K1"))
        with engines.writing(store._engine) as connection:
            cursor = connection.connection.cursor()
            for table, columns, rows in material(clients, each, totals=totals, yes=on_postgres or 1):
                bulk(cursor, table, rows, columns)
            if on_postgres:
                cursor.execute("SELECT setval('administration_administration_id_seq', %s)", (clients * each,))
        if on_postgres:
            with store._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("ANALYZE")


Rows = tuple[str, tuple[str, ...], list[tuple[Any, ...]]]


def material(clients: int, each: int, *, totals: bool, yes: object) -> Iterator[Rows]:
    who = [f"C{n:06}" for n in range(clients)]
    yield "client", ("client_id", "clinician_id", "status", "entry_id"), [(one, "K1", "active", 1) for one in who]
    columns = ("episode_id", "client_id", "started_on", "entry_id")
    yield "episode", columns, [(f"{one}-E", one, "2024-01-01", 1) for one in who]
    columns = ("relationship_id", "client_id", "label", "kind", "entry_id")
    yield "relationship", columns, [(f"{one}-R1", one, "R1", "partner", 1) for one in who]
    columns = ("client_id", "relationship_id", "status", "since", "entry_id")
    yield "relationship_status", columns, [(one, f"{one}-R1", "married", "2020-01-01", 1) for one in who]
    weeks = [(one, week) for one in who for week in range(each)]
    days = [(date(2024, 1, 1) + timedelta(weeks=week)).isoformat() for week in range(each)]
    form = ("csi16", "2007", "standard", "printed", "client")
    heads = [
        (n, one, f"{one}-E", *form, days[week], week + 1, "care", f"{n:032x}", 0, f"{n:064x}", 1)
        for n, (one, week) in enumerate(weeks, start=1)
    ]
    yield "administration", HEAD, heads
    columns = ("episode_id", "number", "client_id", "held_on", "attended", "entry_id")
    yield "therapy_session", columns, [(f"{one}-E", week + 1, one, days[week], yes, 1) for one, week in weeks]
    if totals:
        yield "total", (), [(n, "total", float(n % 82)) for n in range(1, len(weeks) + 1)]
    else:
        numbered = range(1, len(weeks) + 1)
        yield "answer", (), [(n, i, float(one)) for n in numbered for i, one in enumerate(answers_of(n), 1)]


# --- import


def import_file(url: str, path: Path) -> None:
    """From the file to what is committed: read, check, compare, digest, seal, store, tell the audit trail."""
    with Store.open(url) as store:
        plan = read_plan(path, store, ImportOptions()).apply(store)
        assert plan.counts["refused"] == 0


def bare_import(url: str, source: str, bulk: Bare, clock: Callable[[], float], *, heads: bool) -> float:
    """Write the same rows by the driver alone, in one transaction, from tuples that lie ready."""
    with Store.open(source) as record, engines.reading(record._engine) as connection:
        rows = {name: [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {name}")]
                for name in ("entry", "client", "administration", "answer")}  # fmt: skip
    with Store.create(url) as record:

        def write(*names: str) -> None:
            with engines.writing(record._engine) as connection:
                for name in names:
                    bulk(connection.connection.cursor(), name, rows[name])

        if heads:
            write("entry")
            return timed(lambda: write("client", "administration", "answer"), clock)
        write("entry", "client", "administration")
        return timed(lambda: write("answer"), clock)


def bench_import(rows: int, rounds: int, only: str | None) -> None:
    print(
        f"import of {rows:,} administrations of CSI-16: {rows * ITEMS:,} cells, {rows // TAKEN_EACH:,} new clients"
    )
    with databases(only) as known, tempfile.TemporaryDirectory() as folder:
        path = write_file(Path(folder) / "csi.csv", rows)
        for name, fresh in known.items():
            peers: dict[str, tuple[Bare, bool]] = {
                "bare executemany, cells alone": (executemany, False),
                "bare executemany, clients, heads and cells": (executemany, True),
            }
            if name == "postgresql":
                peers["bare COPY, cells alone"] = (copy, False)
                peers["bare COPY, clients, heads and cells"] = (copy, True)
            ours: list[float] = []
            bare: dict[str, list[float]] = {peer: [] for peer in peers}
            for _ in range(rounds):
                url = fresh()
                Store.create(url).close()
                ours.append(timed(partial(import_file, url, path), CLOCKS[name]))
                for peer, (bulk, heads) in peers.items():
                    bare[peer].append(bare_import(fresh(), url, bulk, CLOCKS[name], heads=heads))
            print(f"  {name}: mbc {median(ours)} s")
            for peer, seconds in bare.items():
                print(f"    {median(ratios(ours, seconds)):>16} x {peer} ({median(seconds)} s)")


def ratios(ours: list[float], theirs: list[float]) -> list[float]:
    return [a / b for a, b in zip(ours, theirs, strict=True)]


# --- reading

BARE_READ = """
SELECT a.administration_id, a.client_id, a.instrument, {form}coalesce(a.relationship_id, 'self'), a.informant,
       a.taken_on, a.session_number, p.{place}, p.{value}
FROM {part} p JOIN administration a ON a.administration_id = p.administration_id
WHERE a.channel = 'care'
  AND NOT EXISTS (SELECT 1 FROM administration later WHERE later.supersedes = a.administration_id)
ORDER BY a.client_id, a.taken_on, a.administration_id, p.{place}
"""
READERS = {
    "totals": {"part": "total", "place": "scale", "value": "score", "form": ""},
    "answers": {"part": "answer", "place": "item", "value": "value", "form": "a.form, a.coding, "},
}


def bare_read(store: Store, query: str) -> int:
    with engines.reading(store._engine) as connection:
        cursor = connection.connection.cursor()
        cursor.execute(query)
        return len(cursor.fetchall())


def bench_read(rows: int, rounds: int, only: str | None) -> None:
    print(f"reading {rows:,} kept scores, and {rows:,} answers, into a frame")
    with databases(only) as known:
        for name, fresh in known.items():
            for reader, words in READERS.items():
                url = fresh()
                clients = rows // TAKEN_EACH // (1 if reader == "totals" else ITEMS)
                fill(url, clients, totals=reader == "totals")
                ours: list[float] = []
                theirs: list[float] = []
                with Store.open(url) as store:
                    assert bare_read(store, BARE_READ.format(**words)) == getattr(store, reader)().height
                    for _ in range(rounds):
                        theirs.append(timed(partial(bare_read, store, BARE_READ.format(**words)), CLOCKS[name]))
                        ours.append(timed(getattr(store, reader), CLOCKS[name]))
                times = f"{median(ours)} s, bare {median(theirs)} s"
                print(f"  {name}, {reader}: {median(ratios(ours, theirs))} x the driver's fetchall; {times}")


# --- a client's review


def bench_review(clients: int, rounds: int, only: str | None) -> None:
    print(f"a client's full review from a record of {clients:,} clients, six times CSI-16 each")
    with databases(only) as known:
        for name, fresh in known.items():
            url = fresh()
            fill(url, clients, totals=False, each=6)
            who = [f"C{n:06}" for n in random.Random(1).sample(range(clients), 10 * rounds)]
            with Store.open(url) as store:
                client_review(store, who[0])  # the catalogue of questionnaires is read once
                clock = CLOCKS[name]
                times = [1e3 * timed(partial(client_review, store, one), clock) for one in who]
                print(f"  {name}: {median(times)} ms without the clinic's growth model")
                models = CohortModels(store)
                first = timed(partial(client_review, store, who[0], cohort=models), clock)
                times = [1e3 * timed(partial(client_review, store, one, cohort=models), clock) for one in who]
                print(f"  {name}: {median(times)} ms with it, once fitted; fitting it: {first:.1f} s")


# --- memory


def bench_memory(only: str | None) -> None:
    print("peak memory of one import, by rows of the file")
    with databases(only) as known, tempfile.TemporaryDirectory() as folder:
        for name, fresh in known.items():
            for rows in (1_000, 10_000, 100_000, 500_000):
                path = write_file(Path(folder) / f"{rows}.csv", rows)
                code = [sys.executable, __file__, "one-import", str(path), fresh()]
                done = subprocess.run(code, capture_output=True, text=True, check=True)
                print(f"  {name}: {rows:>8,} rows ({path.stat().st_size / 1e6:5.1f} MB): {done.stdout.strip()}")


def one_import(path: str, url: str) -> None:
    Store.create(url).close()
    seconds = timed(lambda: import_file(url, Path(path)))
    # not resource.getrusage: its peak begins with that of the process that started this one
    status = Path("/proc/self/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024
    print(f"{peak:.0f} MB, {seconds:.1f} s")


def main() -> None:
    if sys.argv[1:2] == ["one-import"]:
        one_import(*sys.argv[2:])
        return
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("what", nargs="*", default=["import", "read", "review", "memory"])
    reader.add_argument("--rows", type=int)
    reader.add_argument("--rounds", type=int, default=3)
    reader.add_argument("--only", choices=["sqlite", "postgresql"])
    said = reader.parse_args()
    if "import" in said.what:
        bench_import(said.rows or 100_000, said.rounds, said.only)
    if "read" in said.what:
        bench_read(said.rows or 1_000_000, said.rounds, said.only)
    if "review" in said.what:
        bench_review(said.rows or 100_000, said.rounds, said.only)
    if "memory" in said.what:
        bench_memory(said.only)


if __name__ == "__main__":
    main()
