"""The record of one person on one computer: where ``mbc start`` keeps it, and whether it is open already."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from mbc.errors import SettingsError

VARIABLE = "MBC_FOLDER"
_FILE = "clinic.db"
_LOCKED_BYTE = 4096  # behind the address, which others may read meanwhile

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def default_folder() -> Path:
    r"""Give the folder that this system has for a user's data.

    ``~/.local/share/mbc/record`` on Linux, ``~/Library/Application Support/mbc/record`` on macOS and
    ``%LOCALAPPDATA%\mbc\record`` on Windows, unless ``MBC_FOLDER`` names another.
    """
    given = os.environ.get(VARIABLE)
    if given:
        return Path(given).absolute()
    import platformdirs  # noqa: PLC0415 - help texts are quick without it

    return platformdirs.user_data_path("mbc", appauthor=False) / "record"


@dataclass(frozen=True, slots=True)
class OwnRecord:
    """Where one person's record is kept."""

    folder: Path

    @classmethod
    def at(cls, folder: Path | None) -> Self:
        """Take the folder that was asked for, or the system's own."""
        return cls(default_folder() if folder is None else folder.absolute())

    @property
    def file(self) -> Path:
        """The file of the record."""
        return self.folder / _FILE

    def exists(self) -> bool:
        """Say whether the record was made."""
        return self.file.exists()

    def address(self, *, encrypted: bool = False) -> str:
        """Write the address of the record: as its file is, or as it is to be made."""
        if self.exists():
            from mbc.store.database.sqlcipher import looks_encrypted  # noqa: PLC0415

            encrypted = looks_encrypted(self.file)
        return f"{'sqlcipher' if encrypted else 'sqlite'}:///{self.file.as_posix()}"

    def make_folder(self) -> None:
        """Make the folder, readable by its owner alone.

        Raises
        ------
        SettingsError
            If it cannot be made.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as fault:
            raise SettingsError(
                f"The folder {self.folder} cannot be made: {fault.strerror}. Choose another: --folder DIR"
            ) from None


class OpenMark:
    """A file that says at which address a record is open; the system frees it when the program ends, however."""

    def __init__(self, record: OwnRecord) -> None:
        self._path = record.folder / f"{_FILE}.open"
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Take the mark; says whether nobody has it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(descriptor)
        except OSError:
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        self._descriptor = descriptor
        return True

    def write(self, address: str) -> None:
        """Say where the record is open."""
        if self._descriptor is not None:
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, f"{address}\n".encode())

    def address(self) -> str:
        """Read where the record is open; empty while it is being opened."""
        return self._path.read_text("utf-8").strip()

    def give_back(self) -> None:
        """Let the next program have the mark."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
