"""Commands of mbc in processes of their own, killed without warning at a chosen step or at any moment.

One process loads mbc once and waits; each command runs in a copy of it (a fork), so that a kill costs no start.
A step is whatever can leave something behind: a statement, a commit, a file written through, renamed or removed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPT = r"""
import importlib, json, os, signal, sys, time
from pathlib import Path
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect
for name in ("alembic.command", "psycopg", "sqlcipher3"):  # loaded once, where it is there
    try:
        __import__(name)
    except ModuleNotFoundError:
        pass
import mbc.exchange, mbc.exchange.whole_record.record_files, mbc.store
from mbc.cli import main
from mbc.store.database import sqlcipher
for name in ("import_", "backup", "restore", "encrypt", "init"):
    importlib.import_module(f"mbc.cli.{name}")
sqlcipher._ROUNDS = 1

def arm(last):
    done, removals, unlink = 0, {}, Path.unlink
    def step(*_, **__):
        nonlocal done
        done += 1
        if done == last:
            os.kill(os.getpid(), signal.SIGKILL)
    def stepping(function):
        def stepped(*given, **named):
            step()
            if function is unlink:
                removals[given[0].name.rpartition("-")[0]] = done
            result = function(*given, **named)
            step()
            return result
        return stepped
    event.listen(Engine, "before_cursor_execute", step)
    event.listen(Engine, "after_cursor_execute", step)
    DefaultDialect.do_commit = stepping(DefaultDialect.do_commit)
    for name in ("replace", "rename", "hardlink_to", "unlink"):
        setattr(Path, name, stepping(getattr(Path, name)))
    os.fsync = stepping(os.fsync)
    return lambda: (done, removals)

def child(order):
    output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout = open(1, "w", closefd=False)
    sys.stderr = open(2, "w", closefd=False)
    counted = arm(order["step"])
    sys.argv = ["mbc", *order["arguments"]]
    try:
        main()
    except SystemExit as ended:
        status = ended.code or 0
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(order["reports_to"], json.dumps([status, *counted()]).encode())
    os._exit(0)

def outcome(ended, reported):
    status, steps, removals = json.loads(reported) if reported else (None, None, None)
    return {"killed": os.WIFSIGNALED(ended), "status": status, "steps": steps, "removals": removals}

def together(orders):
    # all begin at once, and each is waited for
    running = []
    for order in orders:
        hear, order["reports_to"] = os.pipe()
        number = os.fork()
        if number == 0:
            child(order)
        os.close(order["reports_to"])
        running.append((number, hear))
    for number, hear in running:
        _, ended = os.waitpid(number, 0)
        reported = os.read(hear, 10_000)
        os.close(hear)
        yield outcome(ended, reported)

for line in sys.stdin:
    order = json.loads(line)
    if isinstance(order, list):
        print(json.dumps(list(together(order))), flush=True)
        continue
    hear, order["reports_to"] = os.pipe()
    number = os.fork()
    if number == 0:
        child(order)
    os.close(order["reports_to"])
    if order["after"] is not None:
        time.sleep(order["after"])
        os.kill(number, signal.SIGKILL)
    _, ended = os.waitpid(number, 0)
    reported = os.read(hear, 10_000)
    os.close(hear)
    print(json.dumps(outcome(ended, reported)), flush=True)
"""


# Loads what an action needs once; each round runs it in a copy of the process, which kills itself when so many
# statements have run, and gives how the copy ended.
KILLED_AFTER = """
import os, signal, sys
import alembic.command
from sqlalchemy import Engine, event
from mbc.store import Store

def act(url):
    {action}

for line in sys.stdin:
    left, url = line.rstrip().split(" ", 1)
    left = int(left)
    copy = os.fork()
    if copy == 0:
        @event.listens_for(Engine, "after_cursor_execute")
        def count(*_):
            global left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        act(url)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1]), flush=True)
"""


@contextmanager
def killing(action: str) -> Iterator[Callable[[str, int], int]]:
    """Run an action on a record, killed after so many statements; gives the status of its process."""
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED_AFTER.format(action=action)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def kill_after(url: str, statements: int) -> int:
        process.stdin.write(f"{statements} {url}\n")
        process.stdin.flush()
        return int(process.stdout.readline())

    with process:
        try:
            yield kill_after
        finally:
            process.kill()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    killed: bool
    status: int | None  # nothing where it was killed
    steps: int | None
    removals: dict[str, int] | None  # the steps before files were removed, by their names up to the last hyphen
    said: str


class Runner:
    """Runs commands, and kills them."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._output = folder / "output"

    def run(self, *arguments: str, step: int = 0, after: float | None = None) -> Ended:
        """Run a command to its end, to one of its steps, or for some seconds."""
        order = {"arguments": list(map(str, arguments)), "step": step, "after": after, "output": str(self._output)}
        return Ended(**self._ask(order), said=self._output.read_text())

    def run_together(self, *commands: Sequence[str]) -> list[Ended]:
        """Run several commands at the same time, each in a process of its own, to their ends."""
        outputs = [self._output.with_name(f"output{number}") for number in range(len(commands))]
        orders = [
            {"arguments": list(map(str, command)), "step": 0, "output": str(output)}
            for command, output in zip(commands, outputs, strict=True)
        ]
        answers = self._ask(orders)
        return [Ended(**answer, said=path.read_text()) for answer, path in zip(answers, outputs, strict=True)]

    def _ask(self, order: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the runner itself ended"
        return json.loads(answer)


@contextmanager
def runner(folder: Path, **environment: str) -> Iterator[Runner]:
    """Run the process that runs commands, until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=Path(__file__).parents[3],
    )
    try:
        yield Runner(process, folder)
    finally:
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        process.wait()
