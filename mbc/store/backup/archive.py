"""What a backup file is: a record as an SQLite database, with a manifest, in a ZIP file that proves itself whole.

::

    manifest.json    which mbc, which revision, when, how many rows, the end of the audit chain, size and SHA-256
    record.db        the record: SQLite, or SQLCipher where the backup is encrypted
    (ZIP comment)    the SHA-256 of everything before it

It is an ordinary ZIP file: were mbc gone, any program that reads ZIP and SQLite could still read the record.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import IO, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mbc import __version__
from mbc.distribution import UPGRADE
from mbc.errors import BackupDamaged, StoreError, StoreNewer
from mbc.store import migrations

KIND = "mbc backup"
FORMAT = 1
MANIFEST, RECORD = "manifest.json", "record.db"
_DIGEST = 64  # characters at the very end of the file
_CHUNK = 1 << 20
_LARGEST_MANIFEST = 1 << 20
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # ZIP keeps local times without a zone; the manifest has the moment

Progress = Callable[[str, float | None], None]
"""Told what is being done, and how much of it is (0 to 1; None where that is not known)."""


class Chain(BaseModel):
    """The end of the audit chain when the backup was taken."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    lines: int = Field(ge=0)
    head: str = Field(pattern="^[0-9a-f]{64}$")


class Manifest(BaseModel):
    """What a backup says of itself. An encrypted one does not tell how much it holds."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: Literal["mbc backup"] = KIND
    format: Literal[1] = FORMAT
    mbc: str
    revision: str
    made_at: datetime  # UTC
    encrypted: bool
    size: int = Field(gt=0)  # bytes of record.db
    sha256: str = Field(pattern="^[0-9a-f]{64}$")  # of record.db
    rows: dict[str, int] | None = None
    chain: Chain | None = None


def no_progress(what: str, part: float | None) -> None:
    """Tell nobody how far it is."""


def pack(record: Path, manifest: Manifest, archive: Path, progress: Progress) -> None:
    """Write the backup file."""
    packing = zipfile.ZIP_STORED if manifest.encrypted else zipfile.ZIP_DEFLATED  # what is encrypted never shrinks
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(_member(MANIFEST), manifest.model_dump_json(indent=1))
        member = _member(RECORD)
        member.compress_type = packing
        member.file_size = manifest.size
        with record.open("rb") as source, file.open(member, "w", force_zip64=True) as target:
            _copy(source, target, manifest.size, lambda part: progress("Packing", part))
    _seal(archive)


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _EARLIEST)
    member.external_attr = 0o600 << 16
    return member


def _seal(archive: Path) -> None:
    """Put the digest of the whole file where ZIP keeps its comment: at the very end."""
    with zipfile.ZipFile(archive, "a") as file:
        file.comment = b"0" * _DIGEST
    digest = _digest(archive, lambda _: None)
    with archive.open("r+b") as file:
        file.seek(-_DIGEST, 2)
        file.write(digest.encode())


def check(archive: Path, progress: Progress) -> Manifest:
    """Check a whole backup file, and read what it says of itself. Nothing is unpacked.

    Raises
    ------
    BackupDamaged
        If a single bit differs from what was written, or it is no backup of mbc.
    StoreNewer
        If a newer mbc wrote it.
    StoreError
        If it cannot be read.
    """
    if not archive.exists():
        raise StoreError(f"There is no file {archive}.")
    if archive.is_dir():
        raise StoreError(f"{archive} is a folder; a backup is a file. Name one of the files in it.")
    try:
        return _checked(archive, progress)
    except OSError as fault:
        raise StoreError(f"The backup {archive} cannot be read: {fault.strerror}.") from None


def unpack(archive: Path, manifest: Manifest, target: Path, progress: Progress) -> None:
    """Write the record of a checked backup to a file of its own.

    Raises
    ------
    BackupDamaged
        If it is not what the manifest says.
    """
    digest = hashlib.sha256()
    with zipfile.ZipFile(archive) as file, file.open(RECORD) as source, target.open("wb") as out:
        target.chmod(0o600)
        try:
            _copy(source, out, manifest.size, lambda part: progress("Unpacking", part), digest.update)
        except (zipfile.BadZipFile, EOFError):
            raise _damaged(archive) from None
    if digest.hexdigest() != manifest.sha256 or target.stat().st_size != manifest.size:
        raise _damaged(archive)


def sha256_of(path: Path) -> str:
    """Digest a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checked(archive: Path, progress: Progress) -> Manifest:
    with archive.open("rb") as file:
        is_zip = file.read(2) == b"PK"
        file.seek(max(0, archive.stat().st_size - _DIGEST))
        digest = file.read().decode("ascii", "replace")
    if not is_zip:
        raise BackupDamaged(f"{archive} is not an mbc backup, or its header is damaged. Is the file name right?")
    if _digest(archive, lambda part: progress("Checking", part)) != digest:
        if _is_another_zip(archive):
            raise BackupDamaged(f"{archive} is not an mbc backup but another ZIP file, or it was changed.")
        raise _damaged(archive)
    try:
        with zipfile.ZipFile(archive) as file:
            if {MANIFEST, RECORD} != set(file.namelist()) or file.getinfo(MANIFEST).file_size > _LARGEST_MANIFEST:
                raise BackupDamaged(f"{archive} is not an mbc backup: it contains other files.")
            text = file.read(MANIFEST)
    except (zipfile.BadZipFile, EOFError, NotImplementedError):
        raise _damaged(archive) from None
    return _read(text, archive)


def _read(text: bytes, archive: Path) -> Manifest:
    try:
        manifest = json.loads(text)
        kind, version, revision = manifest["kind"], manifest["format"], manifest["revision"]
    except (ValueError, KeyError, TypeError):
        raise BackupDamaged(f"{archive} is not an mbc backup: its manifest cannot be read.") from None
    if kind == KIND and (version != FORMAT or revision not in migrations.REVISIONS):
        raise StoreNewer(
            f"The backup {archive} was written by a newer mbc ({manifest.get('mbc')}, revision {revision}; this "
            f"is mbc {__version__}, which knows up to {migrations.HEAD}). Update this one: {UPGRADE}"
        )
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(map(str, first["loc"]))
        problem = f"'{where}' in its manifest: {first['msg']}"
        raise BackupDamaged(f"{archive} is not an mbc backup: {problem}.") from None


def _is_another_zip(archive: Path) -> bool:
    try:
        with zipfile.ZipFile(archive) as file:
            return MANIFEST not in file.namelist()
    except (zipfile.BadZipFile, OSError, NotImplementedError, EOFError, ValueError):
        return False


def _digest(archive: Path, progress: Callable[[float], None]) -> str:
    """Digest everything but the last characters, which say what the digest is."""
    left = size = max(0, archive.stat().st_size - _DIGEST)
    digest = hashlib.sha256()
    with archive.open("rb") as file:
        while left and (chunk := file.read(min(left, _CHUNK))):
            digest.update(chunk)
            left -= len(chunk)
            progress(1 - left / size)
    return digest.hexdigest()


def _copy(
    source: IO[bytes],
    target: IO[bytes],
    size: int,
    progress: Callable[[float], None],
    also: Callable[[bytes], object] = lambda _: None,
) -> None:
    done = 0
    while chunk := source.read(_CHUNK):
        target.write(chunk)
        also(chunk)
        done += len(chunk)
        progress(min(1.0, done / size))


def _damaged(archive: Path) -> BackupDamaged:
    return BackupDamaged(
        f"The backup {archive} is damaged: its content is not what was written (it was cut short or changed). "
        "Use another backup, or another copy of this one."
    )
