"""Which definition files of one's own there are."""

from __future__ import annotations

import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import platformdirs

from mbc.errors import DefinitionError, SettingsError
from mbc.instruments.own.recorded import RecordedDefinition, recorded

VARIABLE = "MBC_INSTRUMENTS"
KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A definition file as it was when last looked at; edited, it is another."""

    path: str
    changed: int  # ns
    size: int  # bytes

    @property
    def key(self) -> str:
        """The key that its name gives."""
        return Path(self.path).stem


OwnDefinition = OwnFile | RecordedDefinition


def folders() -> tuple[Path, ...]:
    """Folders that ``MBC_INSTRUMENTS`` names, else the one in the user's data folder if it is there.

    Raises
    ------
    SettingsError
        If a named folder is not there.
    """
    named = os.environ.get(VARIABLE)
    if named is None:
        return (default_folder(),) if default_folder().is_dir() else ()
    chosen = tuple(Path(part) for part in named.split(os.pathsep) if part)
    for folder in chosen:
        if not folder.is_dir():
            raise SettingsError(
                f"There is no folder '{folder}'; which {VARIABLE} (or --instruments) names. Create it?"
            )
    return chosen


@cache
def default_folder() -> Path:
    """Give the folder that is looked into when none is named."""
    return platformdirs.user_data_path("mbc", appauthor=False) / "instruments"


@contextmanager
def using(folder: str | Path) -> Generator[None]:
    """Use the definitions of a folder for a while."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(Path(folder).absolute())
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


def listed() -> tuple[OwnDefinition, ...]:
    """List the definition files as they are now, then what the record in use brings along under other keys."""
    files: list[OwnFile] = []
    for folder in folders():
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.name.endswith(".toml") and not entry.name.startswith("."):
                    about = entry.stat()
                    files.append(OwnFile(entry.path, about.st_mtime_ns, about.st_size))
    named = {file.key for file in files}
    return (*files, *(definition for definition in recorded() if definition.key not in named))


@lru_cache(maxsize=8)
def by_key(files: tuple[OwnDefinition, ...]) -> dict[str, OwnDefinition]:
    """Find the files by their keys.

    Raises
    ------
    DefinitionError
        If a name can be no key, or two files have the same.
    """
    by_name: dict[str, OwnDefinition] = {}
    for file in files:
        if not KEY.fullmatch(file.key):
            raise DefinitionError(
                f"'{file.path}' is not named after a key (lower-case letters, digits, _, such as "
                "'my_scale.toml'). Rename it, or remove it from the folder of instruments."
            )
        if file.key in by_name:
            raise DefinitionError(
                f"{file.key!r} is defined twice: '{by_name[file.key].path}' and '{file.path}'. Keep one."
            )
        by_name[file.key] = file
    return by_name
