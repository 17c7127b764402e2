"""How a record in a file comes under a key, or under another: rewritten, compared, and installed as a unit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mbc.errors import SettingsError, StoreError
from mbc.store import integrity, migrations
from mbc.store.audit.log import append, operators_line
from mbc.store.backup import archive
from mbc.store.backup import file_swap as replacing
from mbc.store.backup import row_copy as copying
from mbc.store.backup.archive import Progress
from mbc.store.backup.create import require_sound
from mbc.store.backup.staging import workplace
from mbc.store.database import addresses, sqlcipher
from mbc.store.database import encryption_keys as keys
from mbc.store.database import engine as engines
from mbc.store.database.encryption_keys import Passphrase
from mbc.store.database.faults import explain
from mbc.store.maintenance.verification import VerifyReport

_TO_GO = "to-be-removed"


@dataclass(frozen=True, slots=True)
class Encrypted:
    """A record that has a new key."""

    url: str
    rows: dict[str, int]  # by table, equal in both
    report: VerifyReport
    kept: Path | None  # the file that was there before
    key: Passphrase


def encrypt(
    url: str,
    *,
    key: str | None = None,
    keep_plain: bool = True,
    progress: Progress = archive.no_progress,
) -> Encrypted:
    """Encrypt a record that is a plain file. It stays at its place, and its address becomes ``sqlcipher:///``.

    Parameters
    ----------
    url : str
        ``sqlite:///FILE``.
    key : str, optional
        The new key; looked for, and asked for twice, when it is not handed in.
    keep_plain : bool
        Keep the plain file beside the encrypted one; else it is overwritten and removed.
    progress : callable
        Told what is being done.

    Raises
    ------
    SettingsError
        If it is no file, is encrypted already, or the key is too weak.
    Conflict
        If another program has it open.
    StoreError
        If it is damaged, or the copy cannot be written.
    """
    place = addresses.address(url)
    path = addresses.file_of(place)
    if path is None or addresses.is_encrypted(place):
        raise SettingsError(
            f"{addresses.display_address(place)} is already encrypted. To change its key: mbc key change"
            if addresses.is_encrypted(place)
            else "Only a record in a file can be encrypted by mbc: sqlite:///FILE. A PostgreSQL server's disk is "
            "encrypted by its operating system."
        )
    try:
        migrations.prepare(place, create=False, must_be_new=False, older="refuse").dispose()  # a record of mbc
    except StoreError:
        _finish_removing(path)
        raise
    chosen = keys.new(path, keys.given(key) or keys.find(path))
    kept_as = "plain" if keep_plain else _TO_GO
    done = _rewrite(path, None, chosen, action="encrypt", kept_as=kept_as, keep=keep_plain, progress=progress)
    keys.keep(path, chosen)
    return done


def change_key(
    url: str,
    *,
    key: str | None = None,
    new_key: str | None = None,
    progress: Progress = archive.no_progress,
) -> Encrypted:
    """Give an encrypted record another key; the file under the old key is overwritten and removed.

    Raises
    ------
    SettingsError
        If it is not encrypted, or the new key is too weak.
    WrongKey
        If the old key does not open it.
    Conflict
        If another program has it open.
    """
    place = addresses.address(url)
    path = addresses.encrypted_file(place)
    old = sqlcipher.unlock(path, keys.given(key))
    chosen = keys.new(path, keys.given(new_key))
    if sqlcipher.raw_of(path, chosen) == old:
        raise SettingsError("The new key is the old one. Nothing was changed.")
    migrations.prepare(place, create=False, must_be_new=False, raw_key=old, older="refuse").dispose()
    replacing.remove_left_behind(path, _TO_GO)
    done = _rewrite(path, old, chosen, action="change key", kept_as=_TO_GO, keep=False, progress=progress)
    keys.keep(path, chosen)
    return done


def _finish_removing(path: Path) -> None:
    """Finish an encryption that was stopped when the record was in its place, and the plain file not yet gone."""
    if path.exists() and sqlcipher.looks_encrypted(path) and replacing.remove_left_behind(path, _TO_GO):
        raise SettingsError(
            f"{path} was already encrypted by a command that was interrupted. The plain file that it left behind "
            f"has now been overwritten and removed. Open the record as sqlcipher:///{path}"
        )


def _rewrite(
    path: Path,
    old: str | None,
    chosen: Passphrase,
    *,
    action: str,
    kept_as: str,
    keep: bool,
    progress: Progress,
) -> Encrypted:
    with workplace(path) as folder:
        made = folder / archive.RECORD
        raw = sqlcipher.make_file(made, chosen)
        try:
            with replacing.exclusive_access(path, old) as connection:
                rows, report = _copied(connection, made, raw, action, progress)
                kept = replacing.replace(made, path, kept_as=kept_as)
        except replacing.database_errors() as fault:
            raise explain(fault, addresses.of_file(path, old)) from fault
    if not keep:
        progress("Removing the old file", None)
        replacing.remove_for_good(kept)
    url = addresses.display_address(addresses.of_file(path, raw))
    return Encrypted(url, rows, report, kept if keep else None, chosen)


def _copied(
    connection: Any, made: Path, raw: str, action: str, progress: Progress
) -> tuple[dict[str, int], VerifyReport]:
    before = replacing.engine_on(connection)
    after = migrations.prepare(addresses.of_file(made, raw), create=True, must_be_new=False, raw_key=raw)
    try:
        with before.connect() as theirs, engines.writing(after) as ours:
            digests = copying.copy_rows(theirs, ours, progress)
            copying.require_equal(digests, ours, progress)
            progress("Verifying", None)
            rows, report = copying.rows(ours), integrity.verify(ours)
            append(ours, [operators_line(action)])
        require_sound(after, made)
    finally:
        engines.settle(after)
    return rows, report
