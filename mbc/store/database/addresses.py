"""Where the record is: addresses of files and databases, without secrets in them."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from mbc.errors import SettingsError, StoreNotFound
from mbc.store.database import sqlcipher

_ACCEPTED = "'sqlite:///clinic.db', 'sqlcipher:///clinic.db' (encrypted) or 'postgresql://user@host/database'"
MEMORY = frozenset({None, "", ":memory:"})
FILES = frozenset({"sqlite", sqlcipher.DRIVER})
_SECRET_FILE = "MBC_STORE_PASSWORD_FILE"  # noqa: S105 - the name of a variable of the environment
PASSWORD_ELSEWHERE = (
    "It is better to leave the password out, since others on this machine can see it: it is read from ~/.pgpass, "
    f"from the file that {_SECRET_FILE} names, or from PGPASSWORD."
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
    if parsed.drivername in FILES:
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
            "The address contains a key, which others on this machine can see. Leave it out and change that key: "
            "the key is asked for, or read from MBC_STORE_KEY or the system's keyring."
        )


def _refuse_unencoded(url: str) -> None:
    """Refuse a password that would be cut in two, and half of it printed, for the characters that it has."""
    scheme, _, rest = url.partition("://")
    if scheme.partition("+")[0] not in {"postgresql", "postgres"}:
        return
    before, at, _ = rest.rpartition("@")
    if at and (set(before) & set("@/?# ") or _LONE_PERCENT.search(before)):
        raise SettingsError(
            "The user name or password in the address contains characters with a special meaning there: @ / ? # "
            f"% or a space. {PASSWORD_ELSEWHERE} Or write them percent-encoded: %40 for @, %2F for /, %25 for %."
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
    if url.host or url.username or url.query or url.database in MEMORY or url.drivername != sqlcipher.DRIVER:
        raise SettingsError("The address of an encrypted record is just sqlcipher:///FILE.")
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
    if url.drivername not in FILES or url.database in MEMORY:
        return None
    return Path(str(url.database))


def is_encrypted(url: URL) -> bool:
    """Say whether an address is of an encrypted record."""
    return url.drivername == sqlcipher.DRIVER


def encrypted_file(url: URL) -> Path:
    """Name the file of an encrypted record, which must be there.

    Raises
    ------
    SettingsError
        If the address is not of an encrypted record.
    StoreNotFound
        If there is no record.
    """
    path = file_of(url)
    if path is None or not is_encrypted(url):
        raise SettingsError(f"{display_address(url)} is not an encrypted record: sqlcipher:///FILE is needed.")
    if not path.exists():
        raise StoreNotFound(f"There is no record at {display_address(url)}.")
    return path


def tls_caution(url: URL) -> str | None:
    """Say that a PostgreSQL record may travel unencrypted to another machine; None where it cannot."""
    host = str(url.query.get("host", url.host or ""))
    mode = url.query.get("sslmode", os.environ.get("PGSSLMODE", "prefer"))
    if url.drivername in FILES or _is_here(host) or mode in {"require", "verify-ca", "verify-full"}:
        return None
    return (
        f"The record may travel unencrypted to {host}. Add ?sslmode=verify-full&sslrootcert=FILE to its address: "
        "the server is then identified by its certificate, and nobody can intercept the data."
    )


def _is_here(host: str) -> bool:
    if not host or host.startswith("/") or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def of_file(path: Path, raw_key: str | None) -> URL:
    """Write the address of a record's file."""
    return URL.create("sqlite" if raw_key is None else sqlcipher.DRIVER, database=str(path))
