"""A database's faults in plain words, which say what to do."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from mbc.errors import Conflict, StoreBusy, StoreError, StoreUnreachable
from mbc.store.database import sqlcipher
from mbc.store.database.addresses import PASSWORD_ELSEWHERE, display_address, file_of


@contextmanager
def explain_faults(engine: Engine) -> Generator[None]:
    """Turn a database's faults into words that say what to do."""
    # rows go to and from the driver directly too, whose own faults SQLAlchemy does not wrap
    try:
        yield
    except (DBAPIError, PoolTimeout, engine.dialect.loaded_dbapi.Error, UnicodeEncodeError) as fault:
        raise explain(fault, engine.url) from fault


_LOST = "no longer responds: the connection to its database server was lost. Try again in a minute."
_FAULTS: tuple[tuple[str, str], ...] = (
    ("database is locked", "is busy: another program is writing to it. Try again shortly."),
    ("queuepool limit", "is busy: every connection to it is in use. Try again shortly."),
    ("too many clients", "is busy: its database server accepts no more connections. Try again shortly."),
    ("connection slots", "is busy: its database server accepts no more connections. Try again shortly."),
    ("readonly database", "cannot be written: its file or folder is read-only. Give this user write permission."),
    ("unable to open", "cannot be opened. Does its folder exist, and may this user read and write there?"),
    ("disk is full", "cannot grow: the disk is full. Nothing was stored; free some space and run this again."),
    ("no space left", "cannot grow: the disk is full. Nothing was stored; free some space and run this again."),
    (
        "foreign key",
        "no longer contains something this refers to: it was erased in the meantime. Nothing was stored.",
    ),
    ("is never changed", "does not allow stored entries to be changed: {first}."),
    ("not a database", "is not an SQLite database. Is the file name right?"),
    ("malformed", "is damaged. Restore the latest backup."),
    (
        "disk i/o error",
        "cannot be read or written: the disk reported a fault. Check the disk, then restore a backup.",
    ),
    (
        "root certificate",
        "cannot be reached: sslmode requires a certificate authority file, which is missing: sslrootcert=FILE.",
    ),
    (
        "does not exist",
        "does not exist: the server has no such database or user. Ask its administrator to create it.",
    ),
    ("lock timeout", "is in use. Stop 'mbc serve' and whatever else works with it, then run this again."),
    ("authentication failed", "refused the user name or password."),
    ("no password supplied", f"asks for a password. {PASSWORD_ELSEWHERE}"),
    ("connection refused", "does not respond. Is the database server running, and is the host right?"),
    ("could not translate host", "cannot be reached: there is no such host."),
    ("failed to resolve host", "cannot be reached: there is no such host."),
    ("is starting up", "is not available yet: its database server is starting. Try again in a minute."),
    ("not currently accepting", "is not accepting connections at the moment. Try again in a minute."),
    ("is shutting down", "is not available: its database server is stopping. Try again in a minute."),
    ("terminating connection", _LOST),
    ("server closed the connection", _LOST),
    ("connection is closed", _LOST),
    ("connection is lost", _LOST),
    (
        "must be owner",
        "does not allow this user to do that: only the role that created the record may.",
    ),
    ("permission denied", "does not allow this user to do that. Ask the database administrator."),
    ("connection failed", "does not respond. Is the database server running, and is the host right?"),
)
_BUSY = ("database is locked", "lock timeout", "queuepool limit", "too many clients", "connection slots")
_AWAY = (
    "unable to open", "disk i/o error", "connection refused", "could not translate host", "failed to resolve host",
    "is starting up", "is shutting down", "not currently accepting", "terminating connection",
    "server closed the connection", "connection is closed", "connection is lost", "is the server running",
    "timeout expired",
)  # fmt: skip
_MAY_BE_FULL = ("disk i/o error", "unable to open")
_LITTLE = 64 * 1024  # bytes; SQLite's shared memory alone takes half of them


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _LITTLE
    except OSError:
        return False


def _text(fault: Exception) -> str:
    return str(fault.orig if isinstance(fault, DBAPIError) else fault).strip() or type(fault).__name__


_REPAIRS = {errno.ENOSPC: "Free some space and run this again.", errno.EDQUOT: "Free some space first."}


def explain(fault: Exception, url: URL) -> StoreError:
    """Say in plain words what a database complained about."""
    text = _text(fault)
    while "no such savepoint" in text and isinstance(fault.__context__, Exception):
        fault = (
            fault.__context__
        )  # a full disk took the whole transaction back, and there was no point to go back to
        text = _text(fault)
    if "unique constraint" in text.lower():
        return Conflict("Somebody else wrote the same entry at the same moment. Nothing was stored; run it again.")
    path = file_of(url)
    if "not a database" in text.lower() and path is not None and sqlcipher.looks_encrypted(path):
        return StoreError(
            f"{path} is encrypted, or not a database. Open it with its key: sqlcipher:///{path}. For a copy "
            "that is not encrypted: 'mbc backup', then 'mbc restore --decrypt'."
        )
    where, first = f"The record at {display_address(url)}", text.splitlines()[0]
    if path is not None and any(mark in text.lower() for mark in _MAY_BE_FULL) and _is_full(path):
        text = "disk is full"  # SQLite does not say so when it was its log that found no room
    kind = _kind(text.lower(), fault)
    for mark, words in _FAULTS:
        if mark in text.lower():
            return kind(f"{where} {words.format(first=first)}")
    return kind(f"{where} reported: {first}")


def _kind(text: str, fault: Exception) -> type[StoreError]:
    """Tell what may work a moment later from what will not."""
    if any(mark in text for mark in _BUSY):
        return StoreBusy
    lost = isinstance(fault, DBAPIError) and fault.connection_invalidated
    return StoreUnreachable if lost or any(mark in text for mark in _AWAY) else StoreError


def not_made(path: Path, fault: OSError) -> StoreError:
    """Say why a file could not be made, and what to do."""
    repair = _REPAIRS.get(fault.errno or 0, "Choose a folder you may write in.")
    return StoreError(f"{path} cannot be created: {fault.strerror}. {repair}")
