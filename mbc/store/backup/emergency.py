"""How a record on a full or read-only disk is read all the same: by a copy of its files on another disk.

SQLite needs room beside a record even to read it. The log is copied with the file, so nothing that was committed
is missing; a copy that was torn is found by its checks, as every backup is read back and verified.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL

from mbc.errors import StoreError
from mbc.store.backup import archive
from mbc.store.backup.create import Backup, back_up
from mbc.store.backup.staging import explain_errors, workplace
from mbc.store.database import addresses
from mbc.store.database import engine as engines
from mbc.store.migrations import prepare

_LITTLE = 1_000_000  # bytes: less than what SQLite may want beside a record
_LOG = "-wal"


def cannot_be_written(url: str) -> bool:
    """Say whether the disk of a record is full or read-only, so that it can be read by a copy only."""
    path = addresses.file_of(addresses.address(url))
    if path is None or not path.is_file():
        return False
    folder = path.absolute().parent
    return not os.access(folder, os.W_OK) or not os.access(path, os.W_OK) or _free(folder) < _LITTLE


@contextmanager
def readable_copy(url: str, next_to: Path) -> Generator[URL]:
    """Copy the files of a record into a private folder next to a path; gives the address of the copy.

    Raises
    ------
    StoreError
        If the record is not a file, or there is no room for the copy.
    """
    place = addresses.address(url)
    path = addresses.file_of(place)
    if path is None:
        raise StoreError("Only a record that is a file can be copied.")
    with workplace(next_to) as folder, explain_errors(next_to):
        copy = folder / "copied.db"
        for ending in (_LOG, ""):  # the log first: what moves from it into the file meanwhile is then in both
            source = path.with_name(path.name + ending)
            if source.exists():
                engines.touch_private(copy.with_name(copy.name + ending))
                shutil.copyfile(source, copy.with_name(copy.name + ending))
        yield place.set(database=str(copy))


def emergency_backup(
    url: str, target: Path, *, force: bool, progress: archive.Progress = archive.no_progress
) -> Backup:
    """Back up a record whose disk is full or read-only. Its audit log cannot say so.

    Raises
    ------
    StoreError
        If it cannot be read even so.
    """
    with readable_copy(url, target.with_name(f"{target.name}.copy")) as place:
        engine = prepare(place, create=False, must_be_new=False)
        try:
            return back_up(engine, target, force=force, log=_cannot_log, progress=progress)
        finally:
            engine.dispose()


def _cannot_log() -> None:
    raise StoreError("its disk is full or read-only.")


def _free(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0
