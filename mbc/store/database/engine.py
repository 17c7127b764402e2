"""How to reach the record: connections and transactions of its database."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import StaticPool

from mbc import sqlite_library
from mbc.distribution import install_hint
from mbc.errors import SettingsError, StoreError
from mbc.store.database import sqlcipher
from mbc.store.database.addresses import FILES, file_of, is_encrypted
from mbc.store.database.encryption_keys import Passphrase
from mbc.store.database.faults import explain_faults, not_made

BUSY_SECONDS = 30.0  # how long a command waits while another program writes


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
    if url.drivername not in FILES:
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
