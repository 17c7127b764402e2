"""Where the record is, and how to reach it: addresses, connections, and a database's faults in plain words."""

from __future__ import annotations

import errno
import ipaddress
import os
import re
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import StaticPool

from mbc import sqlite_library
from mbc.distribution import install_hint
from mbc.errors import Conflict, SettingsError, StoreBusy, StoreError, StoreUnreachable
from mbc.store.database import sqlcipher
from mbc.store.database.encryption_keys import Passphrase

BUSY_SECONDS = 30.0  # how long a command waits while another program writes
_ACCEPTED = "'sqlite:///clinic.db', 'sqlcipher:///clinic.db' (encrypted) or 'postgresql://user@host/database'"
_MEMORY = frozenset({None, "", ":memory:"})
_FILES = frozenset({"sqlite", sqlcipher.DRIVER})
_SECRET_FILE = "MBC_STORE_PASSWORD_FILE"  # noqa: S105 - the name of a variable of the environment
_PASSWORD_ELSEWHERE = (
    "Better leave the password out, since others on this machine can see it: it is taken from ~/.pgpass, from the "
    f"file that {_SECRET_FILE} names, or from PGPASSWORD."
)
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SECRETS = frozenset({"key", "hexkey", "password", "passphrase", "pwd", "pass"})


def address(url: str) -> URL:
    """Read a record's address.

    Raises
    ------
    SettingsError
        If it is not the address of an SQLite file or a PostgreSQL database, or holds the key of an encrypted one.

    Examples
    --------
    >>> address("sqlite:///clinic.db").database
    'clinic.db'
    >>> address("postgres://ann@db.example/clinic").drivername
    'postgresql+psycopg'
    """
    _refuse_unencoded(url)
    try:
        parsed = make_url(url)
    except ArgumentError:
        hint = f" Did you mean 'sqlite:///{url}'?" if url and ":" not in url else ""
        raise SettingsError(
            f"'{_hidden(url)}' is not the address of a record.{hint} Accepted: {_ACCEPTED}."
        ) from None
    if parsed.drivername in _FILES:
        _refuse_secrets(parsed)
    kind = parsed.drivername.partition("+")[0]
    if kind == sqlcipher.DRIVER:
        return _encrypted(parsed)
    if kind in {"postgresql", "postgres"}:
        return _with_password(parsed.set(drivername="postgresql+psycopg"))
    if parsed.drivername in {"sqlite", "sqlite+pysqlite"}:
        return parsed.set(drivername="sqlite")
    raise SettingsError(f"A record cannot be kept at '{parsed.drivername}://'. Accepted: {_ACCEPTED}.")


def _refuse_secrets(url: URL) -> None:
    # an address is seen by everybody on this machine, and kept in the shell's history: repeat nothing of it
    if url.password is not None or _SECRETS & {name.casefold() for name in url.query}:
        raise SettingsError(
            "The address holds a key, which others on this machine can see. Leave it out and change that key: it "
            "is asked for, or taken from MBC_STORE_KEY or the system's keyring."
        )


def _refuse_unencoded(url: str) -> None:
    """Refuse a password that would be cut in two, and half of it printed, for the characters that it has."""
    scheme, _, rest = url.partition("://")
    if scheme.partition("+")[0] not in {"postgresql", "postgres"}:
        return
    before, at, _ = rest.rpartition("@")
    if at and (set(before) & set("@/?# ") or _LONE_PERCENT.search(before)):
        raise SettingsError(
            "The user name or password in the address has characters that have a meaning there: @ / ? # % or a "
            f"space. {_PASSWORD_ELSEWHERE} Or write them percent-encoded: %40 for @, %2F for /, %25 for %."
        )


def _with_password(url: URL) -> URL:
    """Add the password from the file that MBC_STORE_PASSWORD_FILE names, where the address has none."""
    name = os.environ.get(_SECRET_FILE)
    if not name or url.password is not None:
        return url
    try:
        password = Path(name).read_text(encoding="utf-8-sig").strip("\r\n")
    except (OSError, UnicodeDecodeError) as fault:
        raise SettingsError(f"The password file that {_SECRET_FILE} names cannot be read: {fault}.") from None
    if not password:
        raise SettingsError(f"The password file that {_SECRET_FILE} names is empty.")
    return url.set(password=password)


def _encrypted(url: URL) -> URL:
    if url.host or url.username or url.query or url.database in _MEMORY or url.drivername != sqlcipher.DRIVER:
        raise SettingsError("The address of an encrypted record is sqlcipher:///FILE, and nothing more.")
    return url


def _hidden(url: str) -> str:
    # a mistyped address may still hold a password: show nothing before its last '@'
    return f"...@{url.rpartition('@')[2]}" if "@" in url else url


def display_address(url: URL) -> str:
    """Write an address for people and logs: the password is never shown."""
    plain = url.set(drivername=url.drivername.partition("+")[0])
    return plain.render_as_string(hide_password=True)


def file_of(url: URL) -> Path | None:
    """Name the SQLite file, or nothing for PostgreSQL and for a record kept in memory."""
    if url.drivername not in _FILES or url.database in _MEMORY:
        return None
    return Path(str(url.database))


def is_encrypted(url: URL) -> bool:
    """Say whether an address is of an encrypted record."""
    return url.drivername == sqlcipher.DRIVER


def make_engine(
    url: URL,
    *,
    key: Passphrase | None = None,
    raw_key: str | None = None,
    busy_seconds: float = BUSY_SECONDS,
) -> Engine:
    """Prepare connections: foreign keys, write-ahead log and patience on SQLite; UTC on PostgreSQL.

    Parameters
    ----------
    url : URL
        As `address` reads it.
    key, raw_key : Passphrase or str, optional
        Opens an encrypted file; looked for when neither is handed in.
    busy_seconds : float
        How long to wait for another program that is writing.
    """
    if url.drivername not in _FILES:
        return _postgres(url, busy_seconds)
    path = file_of(url)
    if is_encrypted(url) and path is not None:
        engine = sqlcipher.make_engine(url, path, key, raw=raw_key, timeout=busy_seconds)
    else:
        options: dict[str, Any] = {"connect_args": {"timeout": busy_seconds, "check_same_thread": False}}
        options["module"] = sqlite_library.SQLITE
        options["hide_parameters"] = True  # a fault that is logged must not say who opened whose record
        if path is None:
            options["poolclass"] = StaticPool
        engine = create_engine(url, **options)
    event.listen(engine, "connect", _on_sqlite_connect)
    event.listen(engine, "begin", _on_sqlite_begin)
    return engine


SERVED_LOCK = (
    7_265_623_003  # PostgreSQL: shared by every connection of a server, so that nobody replaces its record
)


def _hold_as_served(connection: Any, _: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock_shared(%s)", (SERVED_LOCK,))
    connection.commit()  # the lock stays with the connection


def tls_caution(url: URL) -> str | None:
    """Say that a PostgreSQL record may travel unencrypted to another machine; None where it cannot."""
    host = str(url.query.get("host", url.host or ""))
    mode = url.query.get("sslmode", os.environ.get("PGSSLMODE", "prefer"))
    if url.drivername in _FILES or _is_here(host) or mode in {"require", "verify-ca", "verify-full"}:
        return None
    return (
        f"The record may travel unencrypted to {host}. Add ?sslmode=verify-full&sslrootcert=FILE to its address: "
        "then the server is known by its certificate, and nobody can read along."
    )


def _is_here(host: str) -> bool:
    if not host or host.startswith("/") or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _postgres(url: URL, busy_seconds: float) -> Engine:
    served = busy_seconds < BUSY_SECONDS
    settings, options = ["-c timezone=UTC"], {"application_name": "mbc serve" if served else "mbc"}
    if served:  # a visitor waits for as long, and is asked to come back
        settings.append(f"-c lock_timeout={round(busy_seconds * 1000)}")
        options["connect_timeout"] = str(max(2, round(busy_seconds)))  # libpq takes no less
    options["options"] = " ".join(settings)
    try:
        engine = create_engine(
            url, pool_pre_ping=True, pool_timeout=busy_seconds, hide_parameters=True, connect_args=options
        )
    except ModuleNotFoundError:
        raise SettingsError(
            f"A PostgreSQL record needs the 'psycopg' driver. Install it: {install_hint('postgres')}."
        ) from None
    if served:
        event.listen(engine, "connect", _hold_as_served)
    return engine


def _on_sqlite_connect(dbapi: Any, _: object) -> None:
    dbapi.isolation_level = None  # the driver would begin late and commit on its own: we say BEGIN ourselves
    cursor = dbapi.cursor()
    cursor.execute("PRAGMA cipher_log_level = NONE")  # SQLCipher would write to the terminal what we say better
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA journal_mode = {sqlite_library.journal_mode()}")
    cursor.execute("PRAGMA synchronous = FULL")  # what was committed survives a power cut
    cursor.execute("PRAGMA secure_delete = ON")  # what is deleted or replaced is written over with zeros
    cursor.close()


def _on_sqlite_begin(connection: Connection) -> None:
    # IMMEDIATE takes the write lock first: a transaction that reads, then writes, can never be refused midway
    mode = "IMMEDIATE" if connection.get_execution_options().get("mbc_writes") else "DEFERRED"
    connection.exec_driver_sql(f"BEGIN {mode}")


@contextmanager
def reading(engine: Engine) -> Generator[Connection]:
    """Open one consistent view of the record: several reads in it see the same moment."""
    with explain_faults(engine), engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(  # noqa: PLW2901
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine) -> Generator[Connection]:
    """Open one transaction that writes: all of it is kept, or none."""
    with explain_faults(engine), engine.connect() as connection:
        connection = connection.execution_options(mbc_writes=True)  # noqa: PLW2901
        with connection.begin():
            yield connection


def scrub(engine: Engine) -> bool:
    """Make deleted content leave an SQLite file and its write-ahead log; PostgreSQL has its own vacuum.

    Returns
    -------
    bool
        False while another program holds the file: then what was deleted is still in it, or in its log.
    """
    if engine.dialect.name != "sqlite":
        return True
    with engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        try:
            raw.execute("VACUUM")  # the file is written anew, from what is on record
            busy, *_ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except engine.dialect.loaded_dbapi.OperationalError:
            return False
    return not busy


def file_faults(engine: Engine, *, quick: bool = False) -> tuple[str, ...]:
    """Ask SQLite whether a record's file is sound; nothing for PostgreSQL.

    Parameters
    ----------
    engine : Engine
        Of the record; others may use it meanwhile.
    quick : bool
        Leave out whether indexes agree with their tables, which takes most of the time.
    """
    if engine.dialect.name != "sqlite":
        return ()
    checks = [f"PRAGMA {'quick_check' if quick else 'integrity_check'}(20)"]
    if sqlcipher.key_of(engine) is not None:
        checks.append("PRAGMA cipher_integrity_check")
    with explain_faults(engine):
        connection = engine.raw_connection()
        try:
            cursor = connection.cursor()
            rows = [str(row[0]) for check in checks for row in cursor.execute(check).fetchall()]
        finally:
            connection.close()
    return tuple(row for row in rows if row != "ok")


@contextmanager
def explain_faults(engine: Engine) -> Generator[None]:
    """Turn a database's faults into words that say what to do."""
    # rows go to and from the driver directly too, whose own faults SQLAlchemy does not wrap
    try:
        yield
    except (DBAPIError, PoolTimeout, engine.dialect.loaded_dbapi.Error, UnicodeEncodeError) as fault:
        raise explain(fault, engine.url) from fault


_LOST = "does not answer any more: the connection to its database server was lost. Try again in a minute."
_FAULTS: tuple[tuple[str, str], ...] = (
    ("database is locked", "is busy: another program is writing to it. Try again shortly."),
    ("queuepool limit", "is busy: every connection to it is in use. Try again shortly."),
    ("too many clients", "is busy: its database server takes no more connections. Try again shortly."),
    ("connection slots", "is busy: its database server takes no more connections. Try again shortly."),
    ("readonly database", "cannot be written: its file or folder is read-only. Give this user write permission."),
    ("unable to open", "cannot be opened. Does its folder exist, and may this user read and write there?"),
    ("disk is full", "cannot grow: the disk is full. Nothing was stored; free some space and run this again."),
    ("no space left", "cannot grow: the disk is full. Nothing was stored; free some space and run this again."),
    (
        "foreign key",
        "no longer holds something that this names: it was erased meanwhile. Nothing of yours was stored.",
    ),
    ("is never changed", "keeps what was written: {first}."),
    ("not a database", "is not an SQLite database. Is the file name right?"),
    ("malformed", "is damaged. Restore the latest backup."),
    (
        "disk i/o error",
        "cannot be read or written: the disk reported a fault. Check the disk, then restore a backup.",
    ),
    (
        "root certificate",
        "cannot be reached: sslmode asks for a certificate authority's file that is missing: sslrootcert=FILE.",
    ),
    (
        "does not exist",
        "is not there: the server has no such database or user. Ask its administrator to create it.",
    ),
    ("lock timeout", "is in use. Stop 'mbc serve' and whatever else works with it, then run this again."),
    ("authentication failed", "refused the user name or password."),
    ("no password supplied", f"asks for a password. {_PASSWORD_ELSEWHERE}"),
    ("connection refused", "does not answer. Is the database server running, and is the host right?"),
    ("could not translate host", "does not answer: there is no such host."),
    ("failed to resolve host", "does not answer: there is no such host."),
    ("is starting up", "does not answer yet: its database server is starting. Try again in a minute."),
    ("not currently accepting", "does not take connections just now. Try again in a minute."),
    ("is shutting down", "does not answer: its database server is stopping. Try again in a minute."),
    ("terminating connection", _LOST),
    ("server closed the connection", _LOST),
    ("connection is closed", _LOST),
    ("connection is lost", _LOST),
    (
        "must be owner",
        "does not let this user do that: only the role that made the record may.",
    ),
    ("permission denied", "does not let this user do that. Ask the database's administrator."),
    ("connection failed", "does not answer. Is the database server running, and is the host right?"),
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
        return Conflict(
            "Somebody else wrote the same at the same moment. Nothing of yours was stored; run it again."
        )
    path = file_of(url)
    if "not a database" in text.lower() and path is not None and sqlcipher.looks_encrypted(path):
        return StoreError(
            f"{path} is encrypted, or no database at all. Open it with its key: sqlcipher:///{path}. For a copy "
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


def of_file(path: Path, raw_key: str | None) -> URL:
    """Write the address of a record's file."""
    return URL.create("sqlite" if raw_key is None else sqlcipher.DRIVER, database=str(path))


def settle(engine: Engine) -> None:
    """Leave a record as one file that needs no log beside it, and close it."""
    with explain_faults(engine):
        connection = engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA journal_mode = DELETE")
        finally:
            connection.close()
    engine.dispose()


def touch_private(path: Path) -> None:
    """Make an empty file that only its owner can read; leave one that is there as it is."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return
    except FileNotFoundError:
        raise StoreError(f"There is no folder {path.parent}. Create it first.") from None
    except OSError as fault:
        raise not_made(path, fault) from None


def not_made(path: Path, fault: OSError) -> StoreError:
    """Say why a file could not be made, and what to do."""
    repair = _REPAIRS.get(fault.errno or 0, "Choose a folder you may write in.")
    return StoreError(f"{path} cannot be created: {fault.strerror}. {repair}")
