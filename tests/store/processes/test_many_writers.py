"""Whether a file stays sound and complete while processes and threads write and check point at the same time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mbc import sqlite_library
from mbc.sqlite_library import SQLITE, is_safe
from mbc.store import Store
from mbc.store.database import addresses
from mbc.store.database import engine as engines

THREADS = 4
WRITER = """
import random, sys, threading
from pathlib import Path
from mbc.store.database import addresses, engine as engines

path, process, threads, commits = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
engine = engines.make_engine(addresses.of_file(path, None), busy_seconds=120)

def write(thread):
    chance = random.Random(1000 * process + thread)
    for number in range(commits):
        with engines.writing(engine) as connection:
            connection.exec_driver_sql(
                "INSERT INTO written VALUES (?, ?, ?, ?)", (process, thread, number, "x" * chance.randrange(2000))
            )
        if chance.random() < 0.1:
            raw = engine.raw_connection()
            try:
                kind = chance.choice(("PASSIVE", "FULL", "RESTART", "TRUNCATE"))
                raw.cursor().execute(f"PRAGMA wal_checkpoint({kind})").fetchall()
            finally:
                raw.close()

workers = [threading.Thread(target=write, args=(thread,)) for thread in range(threads)]
for worker in workers: worker.start()
for worker in workers: worker.join()
engine.dispose()
"""


@pytest.mark.parametrize(
    ("processes", "commits"),
    [
        pytest.param(2, 800, marks=pytest.mark.long),
        pytest.param(4, 1_600, marks=pytest.mark.slow),
        pytest.param(4, 100_000, marks=pytest.mark.slow),
    ],
)
def test_many_writers_damage_nothing_and_lose_nothing(tmp_path: Path, processes: int, commits: int):
    path = tmp_path / "shared.db"
    engine = engines.make_engine(addresses.of_file(path, None))
    with engines.writing(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE written (process, thread, number, filling)")
        connection.exec_driver_sql("CREATE UNIQUE INDEX each ON written (process, thread, number)")
    each = commits // (processes * THREADS)
    running = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(process), str(THREADS), str(each)],
            stderr=subprocess.PIPE,
        )
        for process in range(processes)
    ]
    for process in running:
        _, complaint = process.communicate(timeout=3000)
        assert process.returncode == 0, complaint.decode()[-2000:]
        assert not complaint
    assert engines.file_faults(engine) == ()
    with engines.reading(engine) as connection:
        written = {tuple(row) for row in connection.exec_driver_sql("SELECT process, thread, number FROM written")}
    engine.dispose()
    expected = {(p, t, n) for p in range(processes) for t in range(THREADS) for n in range(each)}
    assert written == expected


def test_the_library_that_is_installed_is_safe():
    assert is_safe(SQLITE.sqlite_version_info), SQLITE.sqlite_version
    assert sqlite_library.caution() is None


def test_an_old_library_does_without_the_write_ahead_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    url = f"sqlite:///{tmp_path / 'clinic.db'}"
    Store.create(url).close()
    assert _journal(url) == "wal"
    monkeypatch.setattr(sqlite_library, "is_safe", lambda version: False)
    assert "SQLite" in str(sqlite_library.caution())
    assert _journal(url) == "delete"
    with Store.open(url) as store:
        store.verify()
    monkeypatch.undo()
    assert _journal(url) == "wal"


def _journal(url: str) -> str:
    with Store.open(url) as store, engines.reading(store._engine) as connection:
        return str(connection.exec_driver_sql("PRAGMA journal_mode").scalar())


def test_only_one_library_opens_records():
    package = Path(engines.__file__).resolve().parents[2]
    for module in package.rglob("*.py"):
        text = module.read_text(encoding="utf-8")
        assert "import sqlite3" not in text or module.name == "sqlite_library.py", module


def test_a_damaged_page_is_found(tmp_path: Path):
    path = tmp_path / "clinic.db"
    Store.create(f"sqlite:///{path}").close()
    engine = engines.make_engine(addresses.of_file(path, None))
    with engines.writing(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE big (a, b)")
        connection.exec_driver_sql("CREATE INDEX big_b ON big (b)")
        for number in range(2000):
            connection.exec_driver_sql("INSERT INTO big VALUES (?, ?)", (number, f"row {number:06} " * 3))
    engines.settle(engine)
    content = bytearray(path.read_bytes())
    place = content.rindex(b"row 001500 ")
    content[place : place + 10] = b"row 999999"
    path.write_bytes(content)
    engine = engines.make_engine(addresses.of_file(path, None))
    try:
        assert engines.file_faults(engine)
    finally:
        engine.dispose()
