"""Where the key comes from that signs the session cookies of one store."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from mbc.errors import SettingsError
from mbc.store.database.addresses import address, file_of


def secret_key(store_url: str, *, given: str | None = None) -> str:
    """Give the key of a store: the one handed in, or the one kept beside an SQLite file.

    Parameters
    ----------
    store_url : str
        Address of the store.
    given : str, optional
        A key the operator keeps elsewhere; used as it is. See `key_of_environment`.

    Returns
    -------
    str
        The key. Beside an SQLite file it is made at the first start and readable by its owner alone.

    Raises
    ------
    SettingsError
        If the store is no file and no key was given, or if others may read the key file.

    Examples
    --------
    >>> secret_key("postgresql://clinic", given="kept in a vault, at least 32 characters")
    'kept in a vault, at least 32 characters'
    """
    if given:
        return given
    path = file_of(address(store_url))
    if path is None:
        raise SettingsError(
            "A store that is not a file needs a secret key: a file that MBC_SECRET_KEY_FILE names, or "
            "MBC_SECRET_KEY in the environment. "
            "Make one: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    return _kept(path.with_name(path.name + ".secret"))


def key_of_environment() -> str | None:
    """Take the key from the file that MBC_SECRET_KEY_FILE names, or from MBC_SECRET_KEY.

    Raises
    ------
    SettingsError
        If the file cannot be read, is empty, or others may read it.
    """
    name = os.environ.get("MBC_SECRET_KEY_FILE")
    if not name:
        return os.environ.get("MBC_SECRET_KEY")
    try:
        key = _read(Path(name))
    except (OSError, UnicodeDecodeError) as fault:
        raise SettingsError(f"The key file that MBC_SECRET_KEY_FILE names cannot be read: {fault}.") from None
    if not key:
        raise SettingsError("The key file that MBC_SECRET_KEY_FILE names is empty.")
    return key


def _kept(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return _read(path)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        key = secrets.token_urlsafe(48)
        file.write(key + "\n")
    return key


def _read(path: Path) -> str:
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise SettingsError(f"{path} can be read by others, so it is not secret. Repair: chmod 600 '{path}'")
    return path.read_text(encoding="ascii").strip()
