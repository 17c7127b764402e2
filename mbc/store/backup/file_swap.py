"""How the file of a record gives way to another: only when nobody uses it, at one stroke, and kept beside it."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, StaticPool, create_engine

from mbc.errors import Conflict
from mbc.sqlite_library import SQLITE
from mbc.store.backup.staging import fcntl, to_disk
from mbc.store.database import sqlcipher

_PATIENCE = 2  # seconds
_BESIDE = ("-wal", "-shm", "-journal")
_SHARED_FIRST, _SHARED_SIZE = 0x40000002, 510  # the bytes that SQLite locks while it has a file open


@contextmanager
def exclusive_access(path: Path, key: str | None) -> Generator[Any]:
    """Hold a record's file with nobody else at it, and everything written in the one file; yields a connection.

    Raises
    ------
    Conflict
        If another program has it open.
    DatabaseError of the library
        If it is no database that can be read.
    """
    connection = _connect(path, key)
    try:
        try:
            # in this order: a journal made while the lock is kept would stay beside the file until the end
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        except Exception as fault:
            if "locked" not in str(fault):
                raise
            raise in_use(path) from None
        if mode == "wal":  # somebody opened it in between
            raise in_use(path)
        yield connection
    finally:
        connection.close()


def engine_on(connection: Any) -> Engine:
    """Read through a connection that is open already: no other one is let in."""
    return create_engine("sqlite://", module=SQLITE, creator=lambda: connection, poolclass=StaticPool)


def replace(made: Path, target: Path, *, kept_as: str) -> Path:
    """Put a new record in the place of one that is held alone; the old one is kept beside it.

    Returns
    -------
    Path
        Where the old one is now.
    """
    made.chmod(0o600)
    to_disk(made)
    kept = _free_name(target, kept_as)
    try:
        kept.hardlink_to(target)  # so that the name stands for one whole record at every moment
    except OSError:  # a memory stick may not know a second name for a file
        target.rename(kept)
    made.replace(target)
    to_disk(target.parent)
    return kept


def replace_damaged(made: Path, target: Path, *, kept_as: str) -> Path:
    """Put a new record in the place of a file that cannot be opened; it is kept beside, with its logs.

    Raises
    ------
    Conflict
        If another program has it open.
    """
    if _is_open_elsewhere(target):
        raise in_use(target)
    kept = _free_name(target, kept_as)
    for ending in _BESIDE:  # a log of the old record would be played into the new one
        companion = target.with_name(target.name + ending)
        if companion.exists():
            companion.rename(kept.with_name(kept.name + ending))
    target.rename(kept)
    made.chmod(0o600)
    to_disk(made)
    made.replace(target)
    to_disk(target.parent)
    return kept


def require_no_log(path: Path) -> None:
    """Refuse a place where the log of a record that is gone would be played into a new one.

    Raises
    ------
    Conflict
        If there is one.
    """
    for companion in logs_of(path):
        if companion.exists():
            raise Conflict(
                f"{companion} belongs to a record that no longer exists. Move it to another folder first."
            )


def logs_of(path: Path) -> list[Path]:
    """Name the files that SQLite keeps beside a record."""
    return [path.with_name(path.name + ending) for ending in _BESIDE]


def remove_left_behind(target: Path, kept_as: str) -> int:
    """Overwrite and remove what stood in a record's place before, and was to go when the program was stopped."""
    left = [path for path in target.parent.iterdir() if path.name.startswith(f"{target.name}.{kept_as}-")]
    for path in left:
        remove_for_good(path)
    return len(left)


def remove_for_good(path: Path) -> None:
    """Overwrite a file, then remove it. What a disk keeps of it elsewhere is out of reach."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        for _ in range(0, size, 1 << 20):
            file.write(os.urandom(1 << 20))
        file.truncate(size)
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    to_disk(path.parent)


def in_use(path: Path) -> Conflict:
    """Say that another program has a record open."""
    return Conflict(
        f"The record {path} is in use. Stop 'mbc serve' and any other program that has it open, then run this "
        "again."
    )


def database_errors() -> tuple[type[Exception], ...]:
    """Name the faults of the library: a file that cannot be read as a database."""
    return (SQLITE.DatabaseError,)


def _connect(path: Path, key: str | None) -> Any:
    if key is not None:
        return sqlcipher.connect(path, key, timeout=_PATIENCE)
    return SQLITE.connect(str(path), timeout=_PATIENCE, isolation_level=None)


def _is_open_elsewhere(path: Path) -> bool:
    if fcntl is None:
        return False  # Windows refuses to rename a file that is open
    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, _SHARED_SIZE, _SHARED_FIRST)
        except OSError:
            return True
    return False


def _free_name(target: Path, kept_as: str) -> Path:
    stem = f"{target.name}.{kept_as}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    names = (stem if number == 1 else f"{stem}-{number}" for number in count(1))
    return next(path for path in map(target.with_name, names) if not path.exists())
