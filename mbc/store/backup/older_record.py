"""What a newer mbc does with an older record: back it up and verify it unchanged, upgrade it when asked."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Engine

from mbc.errors import SettingsError, StoreError
from mbc.store import integrity, migrations
from mbc.store.backup import archive, create
from mbc.store.backup import file_swap as replacing
from mbc.store.backup.archive import Progress
from mbc.store.backup.create import Backup, back_up
from mbc.store.backup.staging import workplace
from mbc.store.database import addresses, sqlcipher
from mbc.store.database import engine as engines
from mbc.store.database.faults import explain_faults
from mbc.store.maintenance.verification import VerifyReport

_ASIDE = Path(tempfile.gettempdir())


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What an upgrade did."""

    url: str
    before: str  # revisions
    after: str
    steps: tuple[str, ...]  # what each revision brought, oldest first
    copy: Backup | None  # of the record as it was


def back_up_older(
    url: str, target: Path, *, force: bool = False, progress: Progress = archive.no_progress
) -> Backup:
    """Copy an older record into one file, as it is; it is verified in a copy that is brought up to date.

    The record is not changed, so its audit trail does not mention the backup.

    Raises
    ------
    SettingsError
        If it is on a server: its own tools make a copy there.
    Conflict, StoreError
        As for any backup.
    """
    with _opened(url) as engine:
        _require_file(engine.url)

        def refuse() -> None:
            raise StoreError("it has an older revision, which a backup does not change.")

        return back_up(engine, target, force=force, log=refuse, progress=progress)


def verify_older(url: str) -> VerifyReport:
    """Check an older record, in a copy that is brought up to date; the record is not changed.

    Raises
    ------
    SettingsError
        If it is on a server.
    """
    with _opened(url) as engine, workplace(_ASIDE / "mbc-verify") as folder:
        _require_file(engine.url)
        record = folder / archive.RECORD
        raw = create.copy_file(engine, record)
        with create.brought_up_to_date(record, raw) as copy, engines.reading(copy) as connection:
            return integrity.verify(connection)


def upgrade(
    url: str, copy: Path | None, *, force: bool = False, progress: Progress = archive.no_progress
) -> Upgraded | None:
    """Bring an older record up to date, after a copy of it was made; None where it is up to date already.

    Parameters
    ----------
    url : str
        Where the record is.
    copy : Path, optional
        The backup to make first; without it, none is made.
    force : bool
        Replace a file that is there.
    progress : callable
        Told what is being done.

    Raises
    ------
    Conflict
        If another program has the record open, or the file of the copy is there.
    SettingsError
        If a copy is asked for of a record on a server.
    """
    before = revision(url)
    if before == migrations.HEAD:
        return None
    place = addresses.address(url)
    path = addresses.file_of(place)
    if path is not None:
        with replacing.exclusive_access(path, sqlcipher.unlock(path) if addresses.is_encrypted(place) else None):
            pass  # nobody is using it
    made = None if copy is None else back_up_older(url, copy, force=force, progress=progress)
    progress("Upgrading", None)
    migrations.prepare(place, create=False, must_be_new=False, older="upgrade").dispose()
    steps = migrations.REVISIONS[migrations.REVISIONS.index(before) + 1 :]
    described = tuple(f"{step}: {migrations.description(step)}" for step in steps)
    return Upgraded(addresses.display_address(place), before, migrations.HEAD, described, made)


def revision(url: str) -> str:
    """Read which revision a record is of.

    Raises
    ------
    StoreNotFound, StoreNewer, StoreError
        If there is none, or a newer mbc wrote it.
    """
    with _opened(url) as engine, explain_faults(engine), engine.connect() as connection:
        return str(migrations.revision_of(connection))


@contextmanager
def _opened(url: str) -> Generator[Engine]:
    engine = migrations.prepare(addresses.address(url), create=False, must_be_new=False, older="keep")
    try:
        yield engine
    finally:
        engine.dispose()


def _require_file(place: URL) -> None:
    if addresses.file_of(place) is None:
        raise SettingsError(
            f"The record at {addresses.display_address(place)} has an older revision and is on a server. Copy "
            "it with pg_dump, then upgrade it: mbc upgrade --without-copy"
        )
