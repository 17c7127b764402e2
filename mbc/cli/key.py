"""``mbc key``: change the key of an encrypted record, or keep it in the system's keyring."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mbc.cli.options import store_option
from mbc.cli.progress import working
from mbc.cli.record_summary import amounts, print_verification


@click.group("key")
def command() -> None:
    """Change the key of an encrypted record (sqlcipher:///FILE), or keep it in the system's keyring.

    The key is taken from MBC_STORE_KEY, from the file that MBC_STORE_KEY_FILE names, from the keyring, or asked
    for: whichever is found first. It is never an argument, and never part of an address.
    """


@command.command("change")
@click.option("--key-stdin", is_flag=True, help="Read the new key from the first line of the input.")
@store_option
def change(*, store_url: str, key_stdin: bool) -> int:
    """Give an encrypted record another key. Earlier backups keep the old one."""
    from mbc.store.backup.encrypt_file import change_key  # noqa: PLC0415
    from mbc.store.database import encryption_keys as keys  # noqa: PLC0415 - loaded when it is needed

    path = _file(store_url)
    new_key = sys.stdin.readline().rstrip("\r\n") if key_stdin else None
    with working() as progress:
        done = change_key(store_url, new_key=new_key, progress=progress)
    click.echo(f"{done.url} has a new key: {amounts(done.rows)}, every row compared.")
    if keys.is_remembered(path):
        keys.remember(path, done.key)
        click.echo("The new key is in the system's keyring.")
    click.echo("Backups taken before today still need the old key: keep it as long as you keep them.")
    return print_verification(done.report, what="the record")


@command.command("remember")
@store_option
def remember(*, store_url: str) -> None:
    """Keep the key in this user's system keyring, so that it need not be typed."""
    from mbc.store.database import encryption_keys as keys  # noqa: PLC0415 - loaded when it is needed
    from mbc.store.database import sqlcipher  # noqa: PLC0415 - loaded when it is needed

    path = _file(store_url)
    keys.remember(path, sqlcipher.passphrase_of(path))
    click.echo(f"The key of {path} is in the system's keyring. Anyone who can sign in as you can open the record.")


@command.command("forget")
@store_option
def forget(*, store_url: str) -> None:
    """Take the key out of the system's keyring."""
    from mbc.store.database import encryption_keys as keys  # noqa: PLC0415 - loaded when it is needed

    path = _file(store_url)
    was_there = keys.forget_for_good(path)
    click.echo(
        f"The system's keyring {'no longer contains' if was_there else 'did not contain'} the key of {path}."
    )


def _file(store_url: str) -> Path:
    from mbc.store.database import addresses  # noqa: PLC0415 - loaded when it is needed

    return addresses.encrypted_file(addresses.address(store_url))
