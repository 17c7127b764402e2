"""Run a native reader in a process of its own, and turn its end into a refusal where that was not a good one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from mbc.errors import ImportRefused
from mbc.exchange.files.messages import quote
from mbc.exchange.files.native_readers import DAMAGED, LOCKED, SAYS

_READERS = Path(__file__).with_name("native_readers.py")
_SECONDS = 12  # of processor time, for a small file
_SECONDS_PER_MB = 6
_PATIENCE = 10  # times as long, for a machine that is busy or cannot limit processor time
_LONGEST_LINE = 1 << 26  # characters
_MOST_SAID = 1 << 16  # characters of a reader's error stream
_TOO_LONG = getattr(signal, "SIGXCPU", 24)


@contextmanager
def isolated_lines(kind: str, path: Path, *arguments: str) -> Generator[Iterator[str]]:
    """Give the lines that a reader writes about a file.

    Parameters
    ----------
    kind : {"sheets", "rows", "spss", "parquet"}
        What to read; see `native_readers`.
    path : Path
        The file.
    *arguments : str
        Of this kind.

    Raises
    ------
    ImportRefused
        When the file is damaged or locked, or takes more memory or time than a file of its size can.
    """
    seconds = _SECONDS + _SECONDS_PER_MB * path.stat().st_size // 2**20
    command = [sys.executable, "-I", str(_READERS), str(seconds), kind, str(path.absolute()), *arguments]
    pipe = subprocess.PIPE
    quiet = {**os.environ, "RUST_BACKTRACE": "0"}  # a reader that panics writes few words
    with subprocess.Popen(  # noqa: S603 - this interpreter, and a script of this package
        command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, encoding="utf-8", env=quiet
    ) as process:
        timer = threading.Timer(_PATIENCE * seconds, process.kill)
        timer.start()
        output = process.stdout
        assert output is not None  # noqa: S101 - piped above
        try:
            yield iter(lambda: output.readline(_LONGEST_LINE), "")
            if output.readline(1):  # the rest is not wanted
                process.kill()
                return
            process.wait()
            timed_out = not timer.is_alive()
        except BaseException:
            process.kill()
            raise
        finally:
            timer.cancel()
        _require_good_end(process, path, timed_out=timed_out)


def _require_good_end(process: subprocess.Popen[str], path: Path, *, timed_out: bool) -> None:
    if process.returncode == 0:
        return
    detail = process.stderr.read(_MOST_SAID).rpartition(SAYS)[2].strip() if process.stderr is not None else ""
    if process.returncode == LOCKED:
        raise ImportRefused(f"'{quote(path.name)}' is protected by a password. Save it without one.")
    if process.returncode == DAMAGED and "MemoryError" not in detail:
        raise ImportRefused(damaged(path, detail))
    if timed_out or process.returncode == -_TOO_LONG:
        raise ImportRefused(
            f"'{quote(path.name)}' takes too long to read: it is damaged, or has cells far from its table. Save "
            "only the table in a new file."
        )
    raise ImportRefused(
        f"'{quote(path.name)}' needs too much memory to read: it is damaged, or has cells far from its table. "
        "Save only the table in a new file."
    )


def damaged(path: Path, detail: str = "") -> str:
    """Say that a file is damaged, and what its reader says of it."""
    why = f" ({quote(detail, longest=160)})" if detail else ""
    return f"'{quote(path.name)}' is damaged{why}. Save it again in its program, then import the new file."
