"""Where large files are made: in a private folder next to their target, installed as a unit or not at all."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from mbc.errors import Conflict, StoreError
from mbc.store.database.faults import not_made

try:
    import fcntl
except ImportError:  # Windows: what a killed process leaves behind is left to the user there
    fcntl = None

_UNFINISHED = ".unfinished-"
_NAME = re.compile(rf"\.(.+){re.escape(_UNFINISHED)}[A-Za-z0-9_]+")
_MOMENT = re.compile(r"-\d{8}T\d{6}Z")  # in the names of backups


@contextmanager
def workplace(target: Path) -> Generator[Path]:
    """Give a folder beside a file that is to be made; only its owner can read it, and it is gone at the end.

    What killed processes left behind for the same file, or for earlier backups of this record, is removed first.

    Raises
    ------
    StoreError
        If the folder of the target is not there, or may not be written, or the disk is full.
    """
    prefix = f".{target.name}{_UNFINISHED}"
    with explain_errors(target):
        if not target.parent.is_dir():
            raise StoreError(f"There is no folder {target.parent}. Create it first.")
        _remove_left_behind(target)
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent))
        held = _hold(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            if held is not None:
                os.close(held)


@contextmanager
def explain_errors(path: Path) -> Generator[None]:
    """Turn the operating system's faults into words that say what to do."""
    try:
        yield
    except OSError as fault:
        raise not_made(path, fault) from fault


def install_file(made: Path, target: Path, *, force: bool) -> None:
    """Put a finished file in its place at one stroke: the name stands for the old one or the new one, always.

    Raises
    ------
    Conflict
        If there is one already, unless ``force``.
    """
    made.chmod(0o600)
    to_disk(made)
    if force:
        made.replace(target)
    else:
        _put_new(made, target)
    to_disk(target.parent)


def to_disk(path: Path) -> None:
    """Make sure that a file, or the names in a folder, would survive a power cut."""
    try:
        descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)  # Windows syncs what it may write
    except OSError:  # Windows cannot open folders
        if path.is_dir():
            return
        raise
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _put_new(made: Path, target: Path) -> None:
    taken = Conflict(f"The file {target} already exists. Choose another name, or replace it: --force")
    try:
        target.hardlink_to(made)  # unlike a renaming, this never replaces what somebody else put there
    except FileExistsError:
        raise taken from None
    except OSError:  # a memory stick may not know a second name for a file
        if target.exists():
            raise taken from None
        made.replace(target)


def left_behind(folder: Path) -> list[Path]:
    """Name what processes that were killed left in a folder, and what others are making there now."""
    return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name) and path.is_dir())


def _remove_left_behind(target: Path) -> None:
    """Remove what killed processes left behind for this file, or one that differs in its date and time only."""
    if fcntl is None:
        return
    ours = _MOMENT.sub("", target.name)
    for left in left_behind(target.parent):
        match = _NAME.fullmatch(left.name)
        if match is None or _MOMENT.sub("", match[1]) != ours:
            continue
        with suppress(OSError):
            held = _hold(left)
            if held is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(held)


def _hold(folder: Path) -> int | None:
    """Hold a folder for as long as this process lives; None if another process does."""
    if fcntl is None:
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
