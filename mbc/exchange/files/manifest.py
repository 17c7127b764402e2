"""What a folder that an export wrote says of itself, and whether its files are still those."""

from __future__ import annotations

import re
from pathlib import Path, PureWindowsPath

from pydantic import BaseModel, ConfigDict, ValidationError

from mbc.exchange.files.file_digest import digest
from mbc.exchange.files.output import MANIFEST


class Manifest(BaseModel):
    """What ``export.json`` says; whoever wrote the folder by hand may leave out anything."""

    model_config = ConfigDict(frozen=True, strict=True)

    format: str = ""
    written_at: str = ""
    rows: dict[str, int] = {}
    """Table -> rows."""
    include_safety: bool = False
    layout: int = 1
    """Version of the layout of a registry's folders; the first where none is given."""
    sha256: dict[str, str] = {}
    """File within the folder -> SHA-256 of what was exported, in hexadecimal."""

    def missing(self, folder: Path) -> list[str]:
        """Name files that were exported and are missing."""
        return [name for name in self.sha256 if not _is_inside(name) or not (folder / name).is_file()]

    def changed(self, folder: Path) -> list[str]:
        """Name files that are not as they were exported: a damaged column may still be read, as other numbers."""
        present = self.sha256.keys() - self.missing(folder)
        return [name for name in self.sha256 if name in present and not _is_same(folder / name, self.sha256[name])]


def read_manifest(folder: Path) -> Manifest | None:
    """Read what a folder says of itself; None where it says nothing.

    Raises
    ------
    ValueError
        When the file is damaged.
    """
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as fault:
        raise ValueError(MANIFEST) from fault


def _is_same(file: Path, exported: str) -> bool:
    try:
        return digest(file) == exported
    except OSError:  # a damaged disk does not even read it
        return False


def _is_inside(name: str) -> bool:
    """Whether a path leads to nothing outside of the folder, on any system."""
    return not {"", "..", "."} & set(re.split(r"[/\\]", name)) and not PureWindowsPath(name).drive
