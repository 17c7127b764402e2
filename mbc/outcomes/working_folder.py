"""A private folder that goes with its process, however that ends."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where what other processes left stays
    fcntl = None

_PREFIX = "mbc-tables-"


def make_working_folder() -> Path:
    """Make a folder for this process alone; those of killed processes are removed first.

    It is held for as long as the process lives: by that another process knows that it is in use. Whoever makes it
    removes it.
    """
    _remove_left_behind()
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        # another process may have taken it for left behind, in the moment before it was held
        if fcntl is None or (_hold(folder) is not None and folder.is_dir()):
            return folder


def _remove_left_behind() -> None:
    if fcntl is None:
        return
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            held = _hold(left)
            if held is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(held)


def _hold(folder: Path) -> int | None:
    """Hold a folder of this user's for as long as the process lives; None if another process does."""
    if fcntl is None:
        return None
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(descriptor).st_uid == os.geteuid():
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None
