"""``mbc upgrade``: bring a record of an older mbc up to date, after a copy of it was made."""

from __future__ import annotations

from pathlib import Path

import click

from mbc.cli.options import force_option, store_option
from mbc.cli.progress import working
from mbc.errors import SettingsError


@click.command("upgrade")
@store_option
@click.option(
    "--copy",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Backup to make first [in the folder of the record].",
)
@click.option(
    "--without-copy", is_flag=True, help="Make no backup: one already exists, made with pg_dump or 'mbc backup'."
)
@force_option
def command(*, store_url: str, copy: Path | None, without_copy: bool, force: bool) -> None:
    """Upgrade a record from an older mbc.

    A backup of the record as it is is made first. An older mbc refuses the record afterwards; to go back, restore
    the copy with that mbc. Stop 'mbc serve' before.
    """
    from mbc.store.backup import older_record  # noqa: PLC0415 - loaded when it is needed
    from mbc.store.database import addresses  # noqa: PLC0415

    if copy is not None and without_copy:
        raise click.UsageError("Either --copy or --without-copy.")
    before = older_record.revision(store_url)
    path = addresses.file_of(addresses.address(store_url))
    if not without_copy and copy is None:
        if path is None:
            raise SettingsError(
                "A record on a server is copied by its administrator: pg_dump. Then run this with --without-copy."
            )
        copy = path.with_name(f"{path.name}.before-upgrade-{before}.mbcbackup")
    with working() as progress:
        done = older_record.upgrade(store_url, None if without_copy else copy, force=force, progress=progress)
    if done is None:
        click.echo(f"The record is up to date (revision {before}). Nothing was changed.")
        return
    if done.copy is not None:
        click.echo(f"Copied to {done.copy.path}.")
    click.echo(f"Upgraded {done.url} from revision {done.before} to {done.after}:")
    for step in done.steps:
        click.echo(f"  {step}")
    if done.copy is not None:
        click.echo("To go back, install the previous version of mbc and restore the copy with it.")
