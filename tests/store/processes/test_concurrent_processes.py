"""Several processes at one record, and processes that are killed: nothing lost, twice or half-done."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from mbc.store import Administration, Client, Store
from mbc.store.schema import tables
from tests.own_questionnaires import unreadable

pytestmark = pytest.mark.long

WRITE_MANY = """
import sys
from datetime import date, timedelta
from mbc.store import Administration, Store
url, who, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
with Store.open(url) as store:
    for number in range(count):
        with store.writing(by=who) as record:
            day = date(2026, 1, 1) + timedelta(days=number)
            record.add(Administration("C1", who, day, (number, None)))
            record.add(Administration("C1", "shared", day, (number, None)))
"""

WRITE_ENDLESSLY = """
import sys
from datetime import date, timedelta
from mbc.store import Administration, Store
with Store.open(sys.argv[1]) as store:
    number = 0
    while True:
        with store.writing(by="doomed") as record:
            for _ in range(50):
                number += 1
                day = date(1950, 1, 1) + timedelta(days=number % 20_000)
                key = ("gad7", "rses", "k10")[number // 20_000]
                record.add(Administration("C1", key, day, (number, None, 1, 2)))
        print(number, flush=True)
"""


CREATE = """
import sys
from mbc.store import Store
print("ready", flush=True)
Store.create(sys.argv[1]).close()
"""


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def shared(url):
    with Store.open(url) as store, store.writing(by="intake") as record:
        record.add(Client("C1"))
        for key in ("ann", "bob", "cid", "dee", "shared", *(f"i{number}" for number in range(10))):
            record.keep_definition(unreadable(key))
    return url


def test_processes_writing_at_once_lose_and_double_nothing(shared, database):
    count, names = 15, ["ann", "bob"] if database == "sqlite" else ["ann", "bob", "cid", "dee"]
    running = [start(WRITE_MANY, shared, name, str(count)) for name in names]
    complaints = [process.communicate()[1] for process in running]
    assert complaints == [""] * len(names)
    with Store.open(shared) as store:
        taken = store.administrations()
        per_instrument = dict(taken["instrument"].value_counts().iter_rows())
        assert per_instrument == dict.fromkeys([*names, "shared"], count)
        assert store.answers().height == 2 * taken.height
        assert store.verify().intact


def test_of_two_who_replace_one_row_at_once_neither_is_lost(shared):
    """The second replaces what the first wrote, and the history holds both."""
    rounds = 12

    def rename(name: str) -> None:
        with Store.open(shared) as store:
            for number in range(rounds):
                with store.writing(by=name) as record:
                    record.add(Client("C1", f"{name} {number}"), supersede="another name")

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(rename, ["ann", "bob"]))
    with Store.open(shared) as store:
        with store._engine.connect() as connection:
            before = [
                json.loads(text)["alias"]
                for text in connection.execute(select(tables.earlier.c.content)).scalars()
            ]
        wanted = {None, *(f"{name} {number}" for name in ("ann", "bob") for number in range(rounds))}
        assert {*before, *store.clients()["alias"]} == wanted
        assert len(before) == 2 * rounds
        report = store.verify()
        assert report.intact, report.faults


@pytest.mark.parametrize("rounds", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_a_killed_writer_leaves_whole_transactions_only(shared, rounds):
    for round_ in range(rounds):
        process = start(WRITE_ENDLESSLY, shared)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.05 * round_)
        process.send_signal(signal.SIGKILL)
        committed = process.stdout.read().split()
        process.wait()
        for stream in (process.stdout, process.stderr):
            stream.close()
        with Store.open(shared) as store:
            held = store.administrations().height
            assert held % 50 == 0
            assert held >= max(map(int, committed), default=50)
            assert store.answers().height == 4 * held
            assert store.verify().intact


@pytest.mark.slow  # test_killed_commands.py kills the command that makes a record, at steps and at any moment
def test_a_process_killed_while_making_a_record_leaves_none_or_a_whole_one(empty_url):
    for moment in (0.01, 0.03, 0.06, 0.1, 0.15):
        process = start(CREATE, empty_url)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        with Store.open(empty_url, create=True) as store:
            assert store.clients().is_empty()
            assert store.verify().intact
        if empty_url.startswith("sqlite"):
            for file in Path(empty_url.removeprefix("sqlite:///")).parent.iterdir():
                file.unlink()


def test_threads_of_one_server_read_and_write_at_once(shared):
    """A dashboard's server shares one open record among its threads; each read adds a line to the audit trail."""
    days = [date(2026, 1, 1) + timedelta(days=day) for day in range(40)]

    def visit(number):
        with store.writing(by=f"thread {number}") as record:
            record.add(Administration("C1", "rses", days[number], (number,)))
        store._shared.logged_reads.clear()
        return store.answers(client_id="C1").height

    with Store.open(shared) as store, ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(visit, range(len(days))))
        assert all(height >= 1 for height in seen)
        assert store.administrations().height == len(days)
        assert store.verify().intact
