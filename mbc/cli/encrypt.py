"""``mbc encrypt``: encrypt a record file."""

from __future__ import annotations

import sys

import click

from mbc.cli.options import store_option
from mbc.cli.progress import working
from mbc.cli.record_summary import amounts, print_verification, warn


@click.command("encrypt")
@store_option
@click.option(
    "--keep-plain/--remove-plain",
    default=True,
    help="Keep the plain file under another name (the default), or overwrite and remove it.",
)
@click.option("--key-stdin", is_flag=True, help="Read the new key from the first line of the input.")
def command(*, store_url: str, keep_plain: bool, key_stdin: bool) -> int:
    """Encrypt a record that is an SQLite file. It stays where it is, and is sqlcipher:///FILE from then on.

    The key, a passphrase of at least 12 characters, is asked for twice, or taken from MBC_STORE_KEY. Nobody can
    open the record without it, mbc's authors included: keep it in a password manager, and on paper in a safe.

    Nobody may work with the record in the meantime. Every row is compared before the plain file is replaced.
    """
    from mbc.store.backup.encrypt_file import encrypt  # noqa: PLC0415
    from mbc.store.database import encryption_keys as keys  # noqa: PLC0415 - loaded when it is needed

    key = sys.stdin.readline().rstrip("\r\n") if key_stdin else None
    with working() as progress:
        done = encrypt(store_url, key=key, keep_plain=keep_plain, progress=progress)
    click.echo(f"Encrypted: {amounts(done.rows)}, every row compared. The record is now {done.url}.")
    if not key_stdin and done.key.origin != keys.TYPED:
        click.echo(f"Its key is the one {done.key.origin}.")
    status = print_verification(done.report, what="the record")
    if done.kept is not None:
        warn(
            f"The plain file is kept as {done.kept}, readable by anyone who gets it. Remove it when you are sure."
        )
    else:
        warn("The plain file was overwritten and removed. Disks may keep traces of it, and so do old backups.")
    click.echo(f"Next: mbc serve --store {done.url}     asks for the key; 'mbc key remember' saves typing it")
    return status
