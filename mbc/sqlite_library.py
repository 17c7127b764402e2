"""Which SQLite opens records: one library for every file of a process, and one that does not damage them.

SQLite before 3.51.3 (in their branches 3.50.7 and 3.44.6) can damage a file with a write-ahead log when two
connections write and checkpoint at the same moment. [1]_ The library that comes with Python is often older, so
SQLCipher's is used, which reads ordinary files as SQLite does. Two libraries must never have one file open in a
process: when one closes it, the locks of the other are gone. [2]_

.. [1] https://www.sqlite.org/wal.html#walresetbug
.. [2] https://www.sqlite.org/howtocorrupt.html, 2.2 and 2.2.1
"""

from __future__ import annotations

import sqlite3
from types import ModuleType

Version = tuple[int, int, int]
_REPAIRED: Version = (3, 51, 3)
_REPAIRED_BRANCHES: tuple[Version, ...] = ((3, 50, 7), (3, 44, 6))


def _load() -> ModuleType:
    try:
        from sqlcipher3 import dbapi2  # noqa: PLC0415 - missing where there is no package for the platform
    except ImportError:
        return sqlite3
    return dbapi2


SQLITE = _load()
"""The library, by the names of Python's own ``sqlite3``."""


def is_safe(version: Version) -> bool:
    """Say whether a version of SQLite may share a file that has a write-ahead log.

    Examples
    --------
    >>> [is_safe(version) for version in ((3, 40, 1), (3, 44, 6), (3, 45, 0), (3, 50, 7), (3, 51, 2), (3, 53, 4))]
    [False, True, False, True, False, True]
    """
    return version >= _REPAIRED or any(
        version[:2] == branch[:2] and version >= branch for branch in _REPAIRED_BRANCHES
    )


def journal_mode() -> str:
    """Give the journal mode of records: a write-ahead log, or a rollback journal where that is not safe."""
    return "WAL" if is_safe(SQLITE.sqlite_version_info) else "DELETE"


def caution() -> str | None:
    """Say what an old library costs; None for one that is safe."""
    if is_safe(SQLITE.sqlite_version_info):
        return None
    return (
        f"SQLite {SQLITE.sqlite_version} can damage a record with a write-ahead log that many programs write to, "
        "so a rollback journal is used: slower, and readers wait for writers. Repair: pip install sqlcipher3"
    )
