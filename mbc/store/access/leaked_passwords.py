"""Passwords that are known to have leaked, looked up in a file of the clinic's; nothing is asked of the network.

The file is a download of *Have I Been Pwned*, ordered by hash: a line ``SHA1:COUNT`` for each password. It may
have 40 GB: of it, what lies around a few places is read, never all.
"""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mbc.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Generator

VARIABLE = "MBC_LEAKED_PASSWORDS"
_LINE = re.compile(rb"([0-9A-Fa-f]{40}):[0-9]{1,18}")
_LONGEST = 64  # bytes of a line, its end included
_PLACES = 256  # of the file that are looked at when a server starts
_FORMAT = (
    "Its lines are SHA1:COUNT, in order of the SHA-1, as 'Have I Been Pwned' gives them: 40 signs of 0-9 A-F, a "
    "colon, a number"
)


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int  # where the next line starts
    digest: str  # in capitals


def check_leaked_passwords() -> None:
    """Refuse a file that is missing, of another format or out of order, before anything is decided by it.

    Raises
    ------
    SettingsError
        Naming what is wrong with it.
    """
    path = _named_file()
    if path is None:
        return
    with _opened(path) as (file, size):
        before: _Line | None = None
        for place in sorted({*(size * number // _PLACES for number in range(_PLACES)), size - 1}):
            line = _line_at(file, place, size)
            if before is not None and before.start < line.start and before.digest > line.digest:
                raise _out_of_order(line)
            before = line


def is_leaked(password: str) -> bool:
    """Say whether a password is in the clinic's file; False where the clinic has none.

    Raises
    ------
    SettingsError
        If the file is missing, of another format or out of order.
    """
    path = _named_file()
    if path is None:
        return False
    # SHA-1 is what the file has; the password itself is kept by argon2
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    with _opened(path) as (file, size):
        return _holds(file, size, wanted)


def _holds(file: BinaryIO, size: int, wanted: str) -> bool:
    """Search between two places, halved each time; the lines around them must be in order."""
    low, high = 0, size
    smallest, largest = "", "G"  # of digests between the two places
    while low < high:
        line = _line_at(file, (low + high) // 2, size)
        if not smallest <= line.digest <= largest:
            raise _out_of_order(line)
        if line.digest == wanted:
            return True
        if line.digest < wanted:
            low, smallest = line.end, line.digest
        else:
            high, largest = line.start, line.digest
    return False


def _line_at(file: BinaryIO, place: int, size: int) -> _Line:
    """Read the line to which the byte at a place belongs."""
    begin = max(0, place - _LONGEST)
    file.seek(begin)
    window = file.read(min(size, place + _LONGEST) - begin)
    here = place - begin
    first = window.rfind(b"\n", 0, here) + 1  # 0 where there is none
    last = window.find(b"\n", here)
    start, end = begin + first, begin + (len(window) if last < 0 else last + 1)
    text = window[first : end - begin].removesuffix(b"\n").removesuffix(b"\r")
    match = _LINE.fullmatch(text)
    if match is None or (first == 0 and begin > 0) or (last < 0 and end < size):
        raise _refused(f"byte {start} starts no such line. {_FORMAT}")
    return _Line(start, end, match[1].decode().upper())


@contextmanager
def _opened(path: Path) -> Generator[tuple[BinaryIO, int]]:
    try:
        with path.open("rb", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            if not size:
                raise _refused(f"it is empty. {_FORMAT}")
            yield file, size
    except OSError as fault:
        raise _refused(str(fault.strerror or type(fault).__name__)) from None


def _named_file() -> Path | None:
    name = os.environ.get(VARIABLE)
    return Path(name) if name else None


def _out_of_order(line: _Line) -> SettingsError:
    return _refused(f"the line at byte {line.start} is out of order. {_FORMAT}")


def _refused(why: str) -> SettingsError:
    # visitors may read this, who choose a password: it names the variable, and no place on the machine
    return SettingsError(f"The file of leaked passwords ({VARIABLE}) cannot be used: {why}.")
