"""How a backup becomes a record again: checked to the last bit first, then installed as a unit."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, func, inspect, select, text
from sqlalchemy.exc import DatabaseError

from mbc.errors import Conflict, SettingsError, StoreError, WrongKey
from mbc.store import integrity, migrations
from mbc.store.audit.log import append, operators_line
from mbc.store.audit.tombstones import erased_among
from mbc.store.backup import archive
from mbc.store.backup import file_swap as replacing
from mbc.store.backup import row_copy as copying
from mbc.store.backup.account_merge import AccountsBefore, accounts_before, keep_stricter, roll_cookie_key
from mbc.store.backup.archive import Manifest, Progress
from mbc.store.backup.create import require_sound
from mbc.store.backup.staging import install_file, workplace
from mbc.store.database import addresses, sqlcipher
from mbc.store.database import encryption_keys as keys
from mbc.store.database import engine as engines
from mbc.store.database.encryption_keys import Passphrase
from mbc.store.database.faults import explain
from mbc.store.maintenance import verification
from mbc.store.maintenance.verification import VerifyReport
from mbc.store.schema.tables import client, tombstone

_LOCK_WAIT = "30s"
_KEPT_AS = "before-restore"
_ASIDE = Path(tempfile.gettempdir())


@dataclass(frozen=True, slots=True)
class Restored:
    """A record that came back."""

    url: str
    manifest: Manifest
    rows: dict[str, int]  # by table
    report: VerifyReport  # of the record, after it was brought up to date
    kept: Path | None  # the record that was there before
    erased: tuple[str, ...] = ()  # clients who are back, though the record before had erased them
    accounts: tuple[str, ...] = ()  # what differed from the record before, a sentence each; the stricter was kept
    compared: bool = True  # False: the accounts of the record before could not be read


@dataclass(frozen=True, slots=True)
class _Keys:
    """The keys that are involved, as far as they were handed in."""

    record: Passphrase | None
    backup: Passphrase | None


def restore(
    source: str | Path,
    url: str,
    *,
    force: bool = False,
    decrypt: bool = False,
    key: str | None = None,
    backup_key: str | None = None,
    progress: Progress = archive.no_progress,
) -> Restored:
    """Make a record from a backup, on any of the databases.

    Parameters
    ----------
    source : str or Path
        The backup.
    url : str
        Where the record is to be.
    force : bool
        Replace a record that is there. A file is kept beside the new one.
    decrypt : bool
        Restore an encrypted backup into a record that is not encrypted.
    key, backup_key : str, optional
        Of the record that is made, and of the backup; looked for, and asked for, when they are not handed in.
    progress : callable
        Told what is being done.

    Raises
    ------
    BackupDamaged
        If the backup is not what was written.
    StoreNewer
        If a newer mbc wrote it.
    Conflict
        If there is a record already, or it is in use.
    WrongKey, SettingsError, StoreError
        If no key opens it, it may not be restored there, or the place cannot be written.
    """
    place, source = addresses.address(url), Path(source)
    manifest = archive.check(source, progress)
    if manifest.encrypted and not addresses.is_encrypted(place) and not decrypt:
        raise SettingsError(
            "The backup is encrypted, but the record would not be. Restore it to sqlcipher:///FILE, or add "
            "--decrypt if that is what you want."
        )
    given = _Keys(keys.given(key), keys.given(backup_key))
    target = addresses.file_of(place)
    if target is not None:
        return _to_file(source, manifest, place, target, given, force=force, progress=progress)
    if place.drivername in {"sqlite", sqlcipher.DRIVER}:
        raise SettingsError("A backup cannot be restored into memory. Name a file: sqlite:///clinic.db")
    return _to_server(source, manifest, place, given, force=force, progress=progress)


@dataclass(frozen=True, slots=True)
class Examined:
    """What a backup holds, as it was found by opening it."""

    manifest: Manifest
    rows: dict[str, int]  # by table
    report: VerifyReport


def examine(
    source: str | Path, *, backup_key: str | None = None, progress: Progress = archive.no_progress
) -> Examined:
    """Rehearse a restore: check a backup to the last bit, open the record in it and verify that. Nothing is kept.

    Raises
    ------
    BackupDamaged, StoreNewer, WrongKey, SettingsError, StoreError
        If it could not be restored.
    """
    source = Path(source)
    manifest = archive.check(source, progress)
    with workplace(_ASIDE / "mbc-check") as folder:
        record = folder / archive.RECORD
        archive.unpack(source, manifest, record, progress)
        raw = (
            _backup_key(record, record, _Keys(None, keys.given(backup_key)), source.name)
            if manifest.encrypted
            else None
        )
        progress("Verifying", None)
        with _opened(record, raw) as engine, engines.reading(engine) as connection:
            return Examined(manifest, copying.rows(connection), integrity.verify(connection))


def _to_file(
    source: Path,
    manifest: Manifest,
    place: URL,
    target: Path,
    given: _Keys,
    *,
    force: bool,
    progress: Progress,
) -> Restored:
    if target.is_dir():
        raise StoreError(f"{target} is a folder. Name the file in it: {place.drivername}:///{target}/clinic.db")
    if target.resolve() == source.resolve():
        raise SettingsError(f"{source} is the backup itself. Choose another place for the record.")
    there = target.exists() and target.stat().st_size > 0
    if there and not force:
        raise Conflict(
            f"There is already a record at {addresses.display_address(place)}. Restore to another address, or "
            "replace it: --force"
        )
    if not there:
        replacing.require_no_log(target)
    with workplace(target) as folder:
        record = folder / archive.RECORD
        archive.unpack(source, manifest, record, progress)
        raw = _backup_key(record, target, given, source.name) if manifest.encrypted else None
        record, raw = _under_its_key(record, raw, place, target, given)
        before, compared = _accounts_before(target, given) if there else (None, True)
        rows, report, clients, notes = _finish(record, raw, source.name, before, progress)
        if there:
            kept, erased = _replace(record, target, given, clients)
        else:
            kept, erased = _install(record, target), ()
        roll_cookie_key(target)
    return Restored(addresses.display_address(place), manifest, rows, report, kept, erased, notes, compared)


def _to_server(
    source: Path, manifest: Manifest, place: URL, given: _Keys, *, force: bool, progress: Progress
) -> Restored:
    server = engines.make_engine(place)
    try:
        with workplace(_ASIDE / "mbc-restore") as folder:
            record = folder / archive.RECORD
            archive.unpack(source, manifest, record, progress)
            raw = _backup_key(record, record, given, source.name) if manifest.encrypted else None
            with (
                _opened(record, raw) as engine,
                engines.reading(engine) as ours,
                engines.writing(server) as target_connection,
            ):
                erased, before = _make_room(target_connection, _clients(ours), force=force)
                digests = copying.copy_rows(ours, target_connection, progress)
                copying.require_equal(digests, target_connection, progress)
                progress("Verifying", None)
                rows, report = copying.rows(target_connection), verification.verify(target_connection)
                append(target_connection, [operators_line("restore", source.name)])
                notes = keep_stricter(target_connection, before)
    finally:
        server.dispose()
    return Restored(addresses.display_address(place), manifest, rows, report, None, erased, notes)


def _make_room(
    connection: Connection, clients: Collection[str], *, force: bool
) -> tuple[tuple[str, ...], AccountsBefore | None]:
    """Make an empty record inside the transaction; what was there is gone only when all of it is kept.

    Returns those of the clients to come who had been erased, and the accounts that were there.
    """
    connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_WAIT}'"))
    present = migrations.revision_of(connection)
    if present is not None and not force:
        where = addresses.display_address(connection.engine.url)
        raise Conflict(f"There is already a record at {where}. Restore to another address, or replace it: --force")
    if not connection.execute(select(func.pg_try_advisory_xact_lock(engines.SERVED_LOCK))).scalar():
        raise Conflict(
            f"The record at {addresses.display_address(connection.engine.url)} is being served. Stop 'mbc serve', "
            "then run this again."
        )
    erased = () if present is None else _erased(connection, clients)
    before = None if present is None else accounts_before(connection)
    if present is not None:
        _drop(connection)
    migrations.upgrade(connection)
    return erased, before


def _drop(connection: Connection) -> None:
    named = [*(table.name for table in copying.tables()), migrations.VERSION_TABLE]
    functions = connection.execute(
        text(
            "SELECT DISTINCT p.oid::regprocedure::text FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
            "JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND c.relname = ANY(:named) "
            "AND c.relnamespace = current_schema()::regnamespace"
        ),
        {"named": named},
    )
    ours = [row[0] for row in functions]
    connection.execute(text(f"DROP TABLE IF EXISTS {', '.join(named)} CASCADE"))
    for function in ours:
        connection.execute(text(f"DROP FUNCTION {function}"))


def _backup_key(record: Path, target: Path, given: _Keys, name: str) -> str:
    """Find the raw key of an encrypted backup: its own, else the key of the record, else what is typed."""
    tried: list[Passphrase] = []
    for passphrase in (given.backup, keys.for_backup(), given.record, keys.find(target)):
        if passphrase is not None:
            tried.append(passphrase)
            raw = sqlcipher.raw_of(record, passphrase)
            if sqlcipher.opens(record, raw):
                return raw
    try:
        return sqlcipher.unlock_by_asking(record, f"backup {name}")
    except SettingsError:
        if not tried:
            raise
        where = " or ".join(dict.fromkeys(passphrase.origin for passphrase in tried))
        raise WrongKey(
            f"The key {where} does not open the backup: it has the key that the record had when the backup was "
            f"taken. Give that one in {keys.BACKUP_VARIABLE}."
        ) from None


def _under_its_key(
    record: Path, raw: str | None, place: URL, target: Path, given: _Keys
) -> tuple[Path, str | None]:
    """Give the record the key that it is to have from now on."""
    wanted = _wanted_key(record, raw, target, given) if addresses.is_encrypted(place) else None
    if wanted == raw:
        return record, raw
    other = record.with_name("other.db")
    engines.touch_private(other)
    connection = sqlcipher.connect(record, raw)
    try:
        sqlcipher.export(connection, other, wanted)
    except sqlcipher.driver().Error as fault:
        raise explain(fault, place) from fault
    finally:
        connection.close()
    return other, wanted


def _wanted_key(record: Path, raw: str | None, target: Path, given: _Keys) -> str:
    key = given.record or keys.find(target)
    if raw is None:
        chosen = keys.new(target, key)
        keys.keep(target, chosen)
        return sqlcipher.new_raw_key(chosen)
    if key is None or sqlcipher.raw_of(record, key) == raw:
        return raw
    return sqlcipher.new_raw_key(keys.new(target, key))


@contextmanager
def _opened(record: Path, raw: str | None) -> Generator[Engine]:
    """Open an unpacked record and bring it up to date."""
    engine = migrations.prepare(addresses.of_file(record, raw), create=False, must_be_new=False, raw_key=raw)
    try:
        require_sound(engine, record)
        yield engine
    finally:
        engine.dispose()


def _finish(
    record: Path, raw: str | None, name: str, before: AccountsBefore | None, progress: Progress
) -> tuple[dict[str, int], VerifyReport, list[str], tuple[str, ...]]:
    progress("Verifying", None)
    with _opened(record, raw) as engine:
        with engines.writing(engine) as connection:
            rows, report, clients = copying.rows(connection), integrity.verify(connection), _clients(connection)
            append(connection, [operators_line("restore", name)])
            notes = keep_stricter(connection, before)
        engines.settle(engine)
    return rows, report, clients, notes


def _install(record: Path, target: Path) -> None:
    if target.exists():
        target.unlink()  # it is empty
    install_file(record, target, force=False)


def _accounts_before(target: Path, given: _Keys) -> tuple[AccountsBefore | None, bool]:
    """Read the accounts of the record that is replaced; the second value says whether they could be read."""
    try:
        with (
            replacing.exclusive_access(target, _old_key(target, given)) as connection,
            replacing.engine_on(connection).connect() as old,
        ):
            return accounts_before(old), True
    except (WrongKey, DatabaseError, *replacing.database_errors()):
        return None, False


def _replace(record: Path, target: Path, given: _Keys, clients: Collection[str]) -> tuple[Path, tuple[str, ...]]:
    try:
        with replacing.exclusive_access(target, _old_key(target, given)) as connection:
            with replacing.engine_on(connection).connect() as old:
                erased = _erased(old, clients)
            return replacing.replace(record, target, kept_as=_KEPT_AS), erased
    except (WrongKey, DatabaseError, *replacing.database_errors()):
        return replacing.replace_damaged(record, target, kept_as=_KEPT_AS), ()


def _clients(connection: Connection) -> list[str]:
    return list(connection.execute(select(client.c.client_id)).scalars())


def _erased(before: Connection, clients: Collection[str]) -> tuple[str, ...]:
    """Find clients whom the record before had erased: with an older backup they come back."""
    if not inspect(before).has_table(tombstone.name):
        return ()
    return tuple(sorted(erased_among(before, clients)))


def _old_key(target: Path, given: _Keys) -> str | None:
    """Find the key of the record that is replaced; without it, the file is moved as it is."""
    if sqlcipher.is_plain(target):
        return None
    key = given.record or keys.find(target)
    raw = None if key is None else sqlcipher.raw_of(target, key)
    if raw is None or not sqlcipher.opens(target, raw):
        raise WrongKey(f"No available key opens {target}.")
    return raw
