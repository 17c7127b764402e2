"""Programs of mbc at a terminal, where somebody types what is asked for.

One process loads mbc once and waits; each program runs in a copy of it (a fork), with a terminal of its own.
"""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

SCRIPT = """
import importlib, json, os, sys
from mbc.cli import main
from mbc.store import Store
from mbc.store.database import sqlcipher
for name in ("backup", "encrypt", "restore"):
    importlib.import_module(f"mbc.cli.{name}")
sqlcipher._ROUNDS = 1

for line in sys.stdin:
    order = json.loads(line)
    copy = os.fork()
    if copy:
        print(os.waitpid(copy, 0)[1], flush=True)
        continue
    os.setsid()
    terminal = os.open(order["terminal"], os.O_RDWR)  # the first that a new session opens is its own
    for stream in range(3):
        os.dup2(terminal, stream)
    os.close(terminal)
    sys.stdin, sys.stdout, sys.stderr = open(0, closefd=False), open(1, "w", 1, closefd=False), open(2, "w", 1)
    sys.argv = ["-c", *order["arguments"]]
    exec(order["program"])
    sys.exit()
"""
QUESTION = re.compile(rb"(?:Key|New key) of the [^:]*: |Repeat the key: ")


class Terminals:
    """Runs programs, each at a terminal."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, program: str, *arguments: object, typed: Sequence[str]) -> str:
        """Run a program, and type there what is asked for; gives what was shown."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        mine, theirs = pty.openpty()
        order = {
            "terminal": os.ttyname(theirs), "program": program, "arguments": [str(each) for each in arguments],
        }  # fmt: skip
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        shown, waiting, answered = b"", list(typed), 0
        patience = threading.Timer(120, self._process.kill)  # one that asks for something else must end
        patience.start()
        ended = threading.Thread(target=lambda: (self._process.stdout.readline(), os.close(theirs)))
        ended.start()
        while True:
            try:
                part = os.read(mine, 4096)
            except OSError:  # the program ended
                break
            if not part:
                break
            shown += part
            asked = len(QUESTION.findall(shown))
            if asked > answered and waiting:
                answered = asked
                os.write(mine, waiting.pop(0).encode() + b"\n")
        patience.cancel()
        ended.join()
        os.close(mine)
        return shown.decode()


@contextmanager
def terminals() -> Iterator[Terminals]:
    """Run the process that runs programs, until the block ends."""
    environment = {name: value for name, value in os.environ.items() if name != "MBC_STORE_KEY"}
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**environment, "TERM": "xterm", "PYTHON_COLORS": "0"},  # 3.13 colours tracebacks at a terminal
        cwd=Path(__file__).parents[3],
    )
    with process:
        try:
            yield Terminals(process)
        finally:
            process.kill()
