"""``mbc restore``: restore a record from a backup, into the same kind of database or another."""

from __future__ import annotations

from pathlib import Path

import click

from mbc.cli.progress import working
from mbc.cli.record_summary import amounts, print_verification, warn


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--to",
    "store_url",
    required=True,
    metavar="URL",
    help="Where to restore the record: sqlite:///FILE, sqlcipher:///FILE (encrypted) or "
    "postgresql://USER@HOST/DATABASE.",
)
@click.option("--force", is_flag=True, help="Replace an existing record; its file is kept under another name.")
@click.option("--decrypt", is_flag=True, help="Restore an encrypted backup into a record that is not encrypted.")
def command(*, file: Path, store_url: str, force: bool, decrypt: bool) -> int:
    """Restore a record from the backup FILE, as it was when the backup was taken.

    FILE is checked to the last bit before anything is touched. A record that is there already is left alone unless
    --force is given, and then it stays until the new one is complete. An older mbc's backup is brought up to date.

    The key of an encrypted backup is the one its record had; MBC_BACKUP_KEY may hold it.
    """
    from mbc.store.backup.restore import restore  # noqa: PLC0415 - loaded when it is needed

    with working() as progress:
        done = restore(file, store_url, force=force, decrypt=decrypt, progress=progress)
    taken = f"{done.manifest.made_at:%Y-%m-%d %H:%M} UTC"
    click.echo(f"Restored to {done.url}: {amounts(done.rows)}, as of {taken}.")
    status = print_verification(done.report, what="the record")
    if done.kept is not None:
        warn(f"The replaced record is kept as {done.kept}. Remove it when you are sure you do not need it.")
    if done.erased:
        warn(
            f"Erased after this backup was taken, but restored with it: {', '.join(done.erased)}. Erase them "
            "again: mbc erase CLIENT --reason TEXT"
        )
    for note in done.accounts:
        warn(f"Account differs from the replaced record; the stricter state was kept. {note}")
    if not done.compared:
        warn("The accounts of the replaced record could not be read. Review them: mbc user review")
    click.echo("All sign-ins have ended; everybody must sign in again.")
    if done.url.startswith("sqlite:") and done.manifest.encrypted:
        warn("This record is not encrypted, although its backup is.")
    return status
