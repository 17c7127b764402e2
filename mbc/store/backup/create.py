"""How a backup is made: a copy of one moment while others write, checked, packed, and installed as a unit."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from mbc import __version__
from mbc.errors import Conflict, MbcError, SettingsError, StoreError
from mbc.store import integrity, migrations
from mbc.store.backup import archive
from mbc.store.backup import file_swap as replacing
from mbc.store.backup import row_copy as copying
from mbc.store.backup.archive import Chain, Manifest, Progress
from mbc.store.backup.staging import install_file, workplace
from mbc.store.database import addresses, sqlcipher
from mbc.store.database import engine as engines
from mbc.store.database.encryption_keys import Passphrase
from mbc.store.database.faults import explain_faults
from mbc.store.maintenance.verification import VerifyReport


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made."""

    path: Path
    manifest: Manifest
    rows: dict[str, int]  # by table
    report: VerifyReport  # of the copy, as it was read back
    log_failure: str | None  # why the audit trail does not mention it


def back_up(
    engine: Engine,
    target: Path,
    *,
    key: Passphrase | None = None,
    force: bool = False,
    log: Callable[[], None] = lambda: None,
    progress: Progress = archive.no_progress,
) -> Backup:
    """Copy a whole record into one file.

    Parameters
    ----------
    engine : Engine
        Of the record; others may write to it meanwhile.
    target : Path
        The file to make.
    key : Passphrase, optional
        Encrypts the backup of a record that is not encrypted. An encrypted record's backup has its own key.
    force : bool
        Replace a file that is there.
    log : callable
        Writes the audit line; called before the copy, so that no copy can be without it.
    progress : callable
        Told what is being done.

    Raises
    ------
    Conflict
        If the file is there and not to be replaced.
    SettingsError
        If the file is the record itself.
    StoreError
        If the record is damaged, or the file cannot be written.
    """
    _require_free(target, addresses.file_of(engine.url), force=force)
    with workplace(target) as folder:
        log_failure = _write_log_line(log)
        record = folder / archive.RECORD
        progress("Copying", None)
        raw = _copy(engine, record, key, progress)
        revision = _revision(engine)
        rows, report = _read_back(record, raw, progress, older=revision != migrations.HEAD)
        manifest = _manifest(record, raw, rows, report, revision)
        made = folder / "backup"
        archive.pack(record, manifest, made, progress)
        archive.check(made, progress)
        install_file(made, target, force=force)
    return Backup(target, manifest, rows, report, log_failure)


def require_sound(engine: Engine, path: Path) -> None:
    """Ask the database itself whether its file is whole.

    Raises
    ------
    StoreError
        If it is not.
    """
    faults = engines.file_faults(engine)
    if faults:
        raise StoreError(f"The record is damaged ({faults[0]}; seen in {path.name}). Keep the backups you have.")


def _require_free(target: Path, record: Path | None, *, force: bool) -> None:
    if target.is_dir():
        raise StoreError(f"{target} is a folder. Name the file in it.")
    if record is not None and target.resolve() in {record.resolve(), *replacing.logs_of(record.resolve())}:
        raise SettingsError(f"{target} is the record itself. Choose another name for its backup.")
    if target.exists() and not force:
        raise Conflict(f"The file {target} already exists. Choose another name, or replace it: --force")


def _write_log_line(log: Callable[[], None]) -> str | None:
    try:
        log()
    except MbcError as fault:  # a full or read-only disk is a reason to make a backup, not to refuse one
        return str(fault)
    return None


def _copy(engine: Engine, record: Path, key: Passphrase | None, progress: Progress) -> str | None:
    """Copy the record as it is at one moment; returns the raw key of the copy."""
    own = sqlcipher.key_of(engine)
    # (one program must not open one file with two SQLite libraries, so a plain record goes under a key row by row)
    if addresses.file_of(engine.url) is None or (own is None and key is not None):
        return _copy_rows(engine, record, key, progress)
    return copy_file(engine, record)


def copy_file(engine: Engine, record: Path) -> str | None:
    """Copy a record's file as it is at one moment, under the same key; returns its raw key."""
    engines.touch_private(record)
    with explain_faults(engine):
        connection = engine.raw_connection()
        try:
            # unlike a copy page by page, this leaves out what was removed: an erased client is gone from here too
            connection.cursor().execute("VACUUM INTO ?", (str(record),))
        finally:
            connection.close()
    return sqlcipher.key_of(engine)


def _copy_rows(engine: Engine, record: Path, key: Passphrase | None, progress: Progress) -> str | None:
    raw = None if key is None else sqlcipher.make_file(record, key)
    target = migrations.prepare(addresses.of_file(record, raw), create=True, must_be_new=False, raw_key=raw)
    try:
        with engines.reading(engine) as theirs, engines.writing(target) as ours:
            digests = copying.copy_rows(theirs, ours, progress)
            copying.require_equal(digests, ours, progress)
    finally:
        engines.settle(target)
    return raw


def _read_back(
    record: Path, raw: str | None, progress: Progress, *, older: bool
) -> tuple[dict[str, int], VerifyReport]:
    progress("Verifying", None)
    if older:  # it stays as it is: what is read back is a copy of it, brought up to date
        current = record.with_name("current.db")
        engines.touch_private(current)
        shutil.copyfile(record, current)
        with brought_up_to_date(current, raw) as engine, engines.reading(engine) as connection:
            return copying.rows(connection), integrity.verify(connection)
    engine = engines.make_engine(addresses.of_file(record, raw), raw_key=raw)
    try:
        require_sound(engine, record)
        with engines.reading(engine) as connection:
            return copying.rows(connection), integrity.verify(connection)
    finally:
        engines.settle(engine)


@contextmanager
def brought_up_to_date(record: Path, raw: str | None) -> Generator[Engine]:
    """Bring a copy of an older record up to date, after its file was found sound."""
    engine = migrations.prepare(addresses.of_file(record, raw), create=False, must_be_new=False, raw_key=raw)
    try:
        require_sound(engine, record)
        yield engine
    finally:
        engines.settle(engine)


def _revision(engine: Engine) -> str:
    with explain_faults(engine), engine.connect() as connection:
        return str(migrations.revision_of(connection))


def _manifest(
    record: Path, raw: str | None, rows: dict[str, int], report: VerifyReport, revision: str
) -> Manifest:
    open_ = raw is None
    return Manifest(
        mbc=__version__,
        revision=revision,
        made_at=datetime.now(UTC).replace(microsecond=0),
        encrypted=not open_,
        size=record.stat().st_size,
        sha256=archive.sha256_of(record),
        rows=rows if open_ else None,
        chain=Chain(lines=report.chain.lines or 0, head=report.chain.head) if open_ else None,
    )
