"""``mbc backup``: back up a record into one file, while others go on working."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mbc.cli.options import store_option
from mbc.cli.progress import working
from mbc.cli.record_summary import REFUSED, amounts, print_verification, size, warn
from mbc.errors import BackupDamaged, MbcError, StoreError, StoreOlder

if TYPE_CHECKING:
    from mbc.store import Store
    from mbc.store.backup.archive import Manifest
    from mbc.store.backup.create import Backup

ENDING = ".mbcbackup"
_MOMENT = "%Y%m%dT%H%M%SZ"


@click.command("backup")
@click.argument("target", type=click.Path(path_type=Path))
@store_option
@click.option("--encrypt", is_flag=True, help="Encrypt the backup of an unencrypted record; asks for a key.")
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    metavar="N",
    help="In a folder: keep only the newest N backups of this record.",
)
@click.option("--force", is_flag=True, help="Replace an existing file.")
@click.option("--check", "checking", is_flag=True, help="Only verify TARGET; make no backup.")
@click.option(
    "--list", "listing", is_flag=True, help="Only list and verify the backups in folder TARGET; make no backup."
)
def command(
    *, target: Path, store_url: str, encrypt: bool, keep: int | None, force: bool, checking: bool, listing: bool
) -> int:
    """Back up the record into TARGET: a file, or a folder, where the file is named by date and time.

    Others may keep working in the meantime. The backup contains everything, including accounts and safety data;
    only you can read the file. The backup of an encrypted record is encrypted with the same key. 'mbc restore'
    restores it, to the same kind of database or another.
    """
    if checking and listing:
        raise click.UsageError("Either --check or --list.")
    if (checking or listing) and (encrypt or keep or force):
        raise click.UsageError("--check and --list make no backup: leave out --encrypt, --keep and --force.")
    if checking:
        return _check(target)
    if listing:
        return _list(target)
    _require_place(target)
    if keep is not None and not target.is_dir():
        raise click.UsageError(f"--keep needs a folder for TARGET; {target} is not a folder.")
    try:
        return _make(target, store_url, encrypt=encrypt, keep=keep, force=force)
    except StoreOlder as fault:
        if encrypt or keep:
            raise
        return _make_of_older(target, store_url, str(fault), force=force)


def _require_place(target: Path) -> None:
    """Refuse what would become a file on another disk than the one that was meant.

    Raises
    ------
    StoreError
        If there is no such folder and the name is not that of a backup.
    """
    if target.exists() or target.suffix == ENDING:
        return
    raise StoreError(
        f"There is no folder {target}. Is the USB stick or disk connected? If so, create the folder first. To "
        f"write a single file, end its name in {ENDING}: mbc backup {target}{ENDING}"
    )


def _same_disk(path: Path, store_url: str) -> bool:
    """Say whether a backup lies on the disk of the record."""
    from mbc.store.database.addresses import address, file_of  # noqa: PLC0415 - loaded when it is needed

    record = file_of(address(store_url))
    try:
        return record is not None and record.stat().st_dev == path.stat().st_dev
    except OSError:
        return False


def _make_of_older(target: Path, store_url: str, why: str, *, force: bool) -> int:
    from mbc.store.backup.older_record import back_up_older  # noqa: PLC0415 - loaded when it is needed

    name = Path(store_url.rpartition("/")[2]).stem or "record"
    path = target / f"{name}-{datetime.now(UTC).strftime(_MOMENT)}{ENDING}" if target.is_dir() else target
    with working() as progress:
        done = back_up_older(store_url, path, force=force, progress=progress)
    click.echo(f"Backup of the record at revision {done.manifest.revision}: {amounts(done.rows)}.")
    click.echo(f"Written to {path} ({size(path.stat().st_size)}).")
    warn(why)
    return print_verification(done.report, what="a copy of the record, brought up to date")


def _make(target: Path, store_url: str, *, encrypt: bool, keep: int | None, force: bool) -> int:
    from mbc.store import Store  # noqa: PLC0415 - loaded when it is needed
    from mbc.store.backup.emergency import cannot_be_written  # noqa: PLC0415
    from mbc.store.database import encryption_keys as keys  # noqa: PLC0415 - loaded when it is needed

    if cannot_be_written(store_url):
        return _make_in_emergency(target, store_url, encrypt=encrypt, force=force)
    with Store.open(store_url) as store:
        stem = _stem(store.url)
        path = target / f"{stem}-{datetime.now(UTC).strftime(_MOMENT)}{ENDING}" if target.is_dir() else target
        ask = encrypt and not store.url.startswith("sqlcipher:")
        key = keys.new(path, keys.for_backup(), what="backup").text if ask else None
        with working() as progress:
            done = store.backup(path, key=key, force=force, progress=progress)
        where = store.url
        older = [] if keep is None else _older(store, target, stem, keep)
    status = _report(done, where, store_url)
    for old in older if status == 0 else []:
        old.unlink()
        click.echo(f"Removed {old.name}.")
    return status


def _make_in_emergency(target: Path, store_url: str, *, encrypt: bool, force: bool) -> int:
    """Back up a record whose disk is full or read-only: by a copy of its files on the disk of the backup."""
    from mbc.store.backup.emergency import emergency_backup  # noqa: PLC0415 - loaded when it is needed
    from mbc.store.database.addresses import address, display_address  # noqa: PLC0415

    where = display_address(address(store_url))
    if encrypt and not where.startswith("sqlcipher:"):
        raise StoreError("The disk of this record is full or read-only: leave out --encrypt for this backup.")
    warn("The disk of the record is full or read-only; its files are copied next to the backup and read.")
    name = f"{_stem(where)}-{datetime.now(UTC).strftime(_MOMENT)}{ENDING}"
    path = target / name if target.is_dir() else target
    with working() as progress:
        done = emergency_backup(store_url, path, force=force, progress=progress)
    return _report(done, where, store_url)


def _report(done: Backup, where: str, store_url: str) -> int:
    click.echo(f"Backup of {where}: {amounts(done.rows)}.")
    held = ", encrypted" if done.manifest.encrypted else ""
    click.echo(f"Written to {done.path} ({size(done.path.stat().st_size)}{held}).")
    status = print_verification(done.report, what="the record")
    if done.log_failure is not None:
        warn(f"The audit log could not record this backup: {done.log_failure}")
    if _same_disk(done.path, store_url):
        warn("It is on the same disk as the record: if that disk fails, both are lost. Copy it to another disk.")
    if not done.manifest.encrypted:
        warn("It is not encrypted: anyone who gets the file can read everything. --encrypt asks for a key.")
    return status


def _stem(url: str) -> str:
    return Path(url.partition("?")[0].rpartition("/")[2]).stem or "record"


def _older(store: Store, folder: Path, stem: str, keep: int) -> list[Path]:
    """Find the backups beyond the newest few, leaving alone those of another record that has the same name."""
    named = re.compile(re.escape(stem) + r"-\d{8}T\d{6}Z" + re.escape(ENDING))
    made_here = sorted(path for path in folder.iterdir() if named.fullmatch(path.name))
    return [path for path in made_here if len(made_here) > keep and not store.belongs_to_other_record(path)][
        :-keep
    ]


def _check(path: Path) -> int:
    from mbc.store.backup.restore import examine  # noqa: PLC0415 - loaded when it is needed

    with working() as progress:
        examined = examine(path, progress=progress)
    click.echo(f"{path}: complete; taken {_moment(examined.manifest)} by mbc {examined.manifest.mbc}.")
    click.echo(f"It contains {amounts(examined.rows)}.")
    return print_verification(examined.report, what="the record in it")


def _list(folder: Path) -> int:
    from mbc.store.backup import archive  # noqa: PLC0415 - loaded when it is needed
    from mbc.store.backup.staging import left_behind  # noqa: PLC0415

    if not folder.is_dir():
        raise StoreError(f"{folder} is not a folder.")
    status, any_ = 0, False
    with working() as progress:
        for path in sorted(entry for entry in folder.iterdir() if entry.is_file()):
            try:
                description = _describe(archive.check(path, progress))
            except BackupDamaged as fault:
                if path.suffix != ENDING:
                    continue  # some other file
                description, status = str(fault), REFUSED
            except MbcError as fault:
                description, status = str(fault), REFUSED
            any_ = True
            click.echo(f"{path.name}  {size(path.stat().st_size)}  {description}")
    if not any_:
        click.echo(f"There is no backup in {folder}.")
    for left in left_behind(folder):
        warn(
            f"{left.name}: left by an interrupted backup, or being written now. It may contain a complete, "
            "readable record. The next backup of that record removes it; otherwise, delete the folder."
        )
        status = REFUSED
    return status


def _describe(manifest: Manifest) -> str:
    held = "encrypted" if manifest.rows is None else amounts(manifest.rows)
    return f"complete; taken {_moment(manifest)}; {held}"


def _moment(manifest: Manifest) -> str:
    return f"{manifest.made_at:%Y-%m-%d %H:%M} UTC"
