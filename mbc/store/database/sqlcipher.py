"""Records that are encrypted on disk: SQLCipher files, opened with a key made from a passphrase.

The files are ordinary SQLCipher 4: AES-256 in CBC mode with an HMAC-SHA512 for each page, and the key from the
passphrase by PBKDF2-HMAC-SHA512 with 256,000 rounds and a random salt, which is the file's first 16 bytes. [1]_
Any program that reads SQLCipher 4 opens them with the same passphrase.

.. [1] Zetetic, SQLCipher design: https://www.zetetic.net/sqlcipher/design/; raw keys: /sqlcipher-api/#key.
"""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from mbc.distribution import install_hint
from mbc.errors import SettingsError, StoreError, StoreNotFound, WrongKey
from mbc.store.database import encryption_keys as keys
from mbc.store.database.encryption_keys import Passphrase

DRIVER = "sqlcipher"
PLAIN_MARK = b"SQLite format 3\x00"
_ROUNDS = 256_000  # SQLCipher 4's own
_SALT = 16  # bytes
_PAGE = 4096  # bytes
_TRIES = 3  # at the terminal
_MANY_VALUES = 200  # of 256 different bytes in a page: text and other programs' files stay below


class Dialect(SQLiteDialect_pysqlite):
    """SQLite to everybody who asks, with another driver."""

    driver = DRIVER
    supports_statement_cache = True
    raw_key: str | None = None  # set for each engine

    @classmethod
    def import_dbapi(cls) -> Any:
        """Load the driver."""
        return driver()


registry.register(DRIVER, __name__, "Dialect")


def driver() -> ModuleType:
    """Load the driver.

    Raises
    ------
    SettingsError
        If it is not installed.
    """
    try:
        from sqlcipher3 import dbapi2  # noqa: PLC0415 - an extra of the package
    except ModuleNotFoundError:
        raise SettingsError(
            f"An encrypted record needs the 'sqlcipher3' driver. Install it: {install_hint('encrypted')}."
        ) from None
    return dbapi2


def raw_key(passphrase: str, salt: bytes) -> str:
    """Make the key of one file: 32 bytes of key and 16 of salt, in hexadecimal digits.

    Made once for a file, so that each connection need not spend a quarter of a second on it.

    Examples
    --------
    >>> len(raw_key("harbour lamp, seven geese", bytes(16)))
    96
    """
    return (hashlib.pbkdf2_hmac("sha512", passphrase.encode(), salt, _ROUNDS, 32) + salt).hex()


def key_of(engine: Engine) -> str | None:
    """Give the raw key that an engine opens its file with; None for a record that is not encrypted."""
    return getattr(engine.dialect, "raw_key", None)


def connect(path: Path, key: str | None, **options: Any) -> Any:
    """Open one connection; with no key, to a plain SQLite file."""
    connection = driver().connect(str(path), isolation_level=None, **options)
    connection.execute("PRAGMA cipher_log_level = NONE")  # it would write to the terminal what we say better
    if key is not None:
        connection.execute(f"PRAGMA key = {literal(key)}")
    return connection


def literal(key: str | None) -> str:
    """Write a raw key, or the absence of one, the way PRAGMA key and ATTACH take it."""
    return f"\"x'{key}'\"" if key else "''"


def make_engine(url: URL, path: Path, passphrase: Passphrase | None, *, raw: str | None, timeout: float) -> Engine:
    """Prepare connections to an encrypted file.

    Parameters
    ----------
    url, path : URL, Path
        Where it is.
    passphrase : Passphrase, optional
        Its key; looked for, and asked for, when it is not handed in.
    raw : str, optional
        Its raw key, where that is known already.
    timeout : float
        Seconds to wait for another writer.

    Raises
    ------
    WrongKey, SettingsError, StoreError
        If no key opens it, none is to be had, or it is not encrypted.
    """
    key = raw or unlock(path, passphrase)

    def connect_one() -> Any:
        return connect(path, key, timeout=timeout, check_same_thread=False)

    engine = create_engine(url, creator=connect_one, hide_parameters=True)
    engine.dialect.raw_key = key  # pyright: ignore[reportAttributeAccessIssue]
    return engine


def unlock(path: Path, passphrase: Passphrase | None = None) -> str:
    """Find the raw key that opens a file: from what is handed in, found, or typed in three tries.

    Raises
    ------
    WrongKey
        If the key that was found does not open it.
    SettingsError
        If there is none to be had.
    StoreError
        If the file is not encrypted.
    """
    _require_encrypted(path)
    key = passphrase or keys.find(path)
    if key is not None:
        return _opening(path, key, f"record {path}")
    return unlock_by_asking(path, f"record {path.name}")


def passphrase_of(path: Path) -> Passphrase:
    """Find the key that opens a record, as people keep it.

    Raises
    ------
    WrongKey, SettingsError, StoreError
        As `unlock` does.
    """
    unlock(path)
    key = keys.find(path)
    if key is None:
        raise SettingsError(f"The key of {path} is no longer available.")
    return key


def unlock_by_asking(path: Path, called: str) -> str:
    """Ask for the key of a file, three times at most, and keep it until the program ends.

    Parameters
    ----------
    path : Path
        The file.
    called : str
        What it is, for the question: "record clinic.db".

    Raises
    ------
    WrongKey
        If none of the three opens it.
    SettingsError
        If there is no terminal.
    """
    tries_left = _TRIES
    while True:
        typed = keys.ask(called, again=tries_left < _TRIES)
        tries_left -= 1
        try:
            key = _opening(path, typed, called)
        except WrongKey:
            if not tries_left:
                raise
        else:
            keys.keep(path, typed)
            return key


def raw_of(path: Path, passphrase: Passphrase) -> str:
    """Make the raw key that a passphrase is for one file, whether it opens it or not."""
    return raw_key(passphrase.text, _beginning(path))


def opens(path: Path, key: str) -> bool:
    """Say whether a raw key opens a file."""
    connection = connect(path, key)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master")
    except driver().DatabaseError as fault:
        if "not a database" not in str(fault):
            raise
        return False
    finally:
        connection.close()
    return True


def make_file(path: Path, passphrase: Passphrase) -> str:
    """Make an empty encrypted file that only its owner can read; returns its raw key.

    Its first page, with the salt, is there from the first moment: two programs that make the same file at once
    cannot each choose a salt.

    Raises
    ------
    FileExistsError
        If somebody else was first.
    OSError
        If it cannot be made there.
    """
    key = new_raw_key(passphrase)
    with tempfile.TemporaryDirectory(prefix=".mbc-new-", dir=path.parent) as folder:
        first = Path(folder) / "first.db"
        connection = connect(first, key)
        try:
            connection.execute("PRAGMA user_version = 1")
            connection.execute("PRAGMA user_version = 0")
        except driver().Error as fault:
            kind = errno.ENOSPC if "full" in str(fault) else errno.EIO
            raise OSError(kind, os.strerror(kind)) from fault
        finally:
            connection.close()
        page = first.read_bytes()
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(page)
        file.flush()
        os.fsync(file.fileno())
    return key


def is_plain(path: Path) -> bool:
    """Say whether a file begins like an SQLite database that anybody can read; not for a file that is open."""
    with path.open("rb") as file:
        return file.read(len(PLAIN_MARK)) == PLAIN_MARK


def looks_encrypted(path: Path) -> bool:
    """Say whether a file could be an SQLCipher database: whole pages of what looks like chance.

    Not for a file that is open.
    """
    with path.open("rb") as file:
        page = file.read(_PAGE)
    full_pages = len(page) == _PAGE and path.stat().st_size % 512 == 0
    return full_pages and len(set(page)) >= _MANY_VALUES


def export(connection: Any, target: Path, target_key: str | None) -> None:
    """Write a database anew under another key, or none: every table, index, trigger and row.

    The source is read at one moment, whoever writes to it meanwhile.

    Parameters
    ----------
    connection : sqlcipher3 connection
        As `connect` opens it.
    target, target_key : Path, str or None
        The new file, which is not there yet or empty, and its raw key.
    """
    connection.execute(f"ATTACH DATABASE ? AS other KEY {literal(target_key)}", (str(target),))
    connection.execute("BEGIN")
    connection.execute("SELECT sqlcipher_export('other')")
    connection.execute("COMMIT")
    connection.execute("DETACH DATABASE other")


def new_raw_key(passphrase: Passphrase) -> str:
    """Make the raw key of a new file, with a salt of its own."""
    return raw_key(passphrase.text, os.urandom(_SALT))


def _opening(path: Path, passphrase: Passphrase, called: str) -> str:
    key = raw_of(path, passphrase)
    if not opens(path, key):
        raise WrongKey(
            f"The key {passphrase.origin} does not open the {called}. Is it the key of this file? If "
            "you are sure of it, the file is damaged: restore the latest backup."
        )
    return key


def _require_encrypted(path: Path) -> None:
    try:
        if path.stat().st_size == 0:
            raise StoreNotFound(f"{path} is empty: there is no record in it yet.")
    except OSError as fault:
        raise StoreError(f"{path} cannot be read: {fault.strerror}.") from None
    if _beginning(path) == PLAIN_MARK:
        raise StoreError(
            f"{path} is not encrypted. Open it as sqlite:///{path}, or encrypt it: "
            f"mbc encrypt --store sqlite:///{path}"
        )


def _beginning(path: Path) -> bytes:
    """Read the salt by SQLite's own hands, for closing a file that it has open would undo its locks.

    See https://www.sqlite.org/howtocorrupt.html, 2.2.
    """
    connection = connect(path, "0" * 64)
    try:
        return bytes.fromhex(connection.execute("PRAGMA cipher_salt").fetchone()[0])
    except driver().Error as fault:
        raise StoreError(f"{path} cannot be opened ({fault}). May this user read it?") from None
    finally:
        connection.close()
