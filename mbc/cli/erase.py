"""``mbc erase``: erase one person, on a legal request."""

from __future__ import annotations

from pathlib import Path

import click

from mbc.cli.askings import clearing_of_box, settings_option, without_box_option
from mbc.cli.options import store_option


@click.command("erase")
@click.argument("client_id", metavar="CLIENT")
@click.option(
    "--reason", required=True, help="Why; it is kept, so do not name the person: 'request of 2026-05-02'."
)
@click.option("--by", metavar="NAME", help="Who decides it, if not whoever runs the command.")
@click.option("--as", "username", metavar="USER", help="As this user: an administrator.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@without_box_option
@settings_option
@store_option
def command(
    *,
    client_id: str,
    reason: str,
    by: str | None,
    username: str | None,
    yes: bool,
    without_box: bool,
    settings_file: Path | None,
    store_url: str,
) -> None:
    """Erase CLIENT: everything about one person, in every table, corrections and safety data too.

    It cannot be undone, and the identifier is never taken again. What stays: a tombstone with the day, who, why
    and how many rows, and the audit log lines without the name. 'mbc verify' still holds afterwards.

    What the client was asked on their own device, and answers that were not collected yet, leave the box, too.

    Earlier backups and exports still hold the person: delete or replace them yourself.
    """
    from rich.console import Console  # noqa: PLC0415 - loaded when it is needed

    from mbc.store import Store  # noqa: PLC0415 - the command line stays quick until a record is opened
    from mbc.store.maintenance.verification import WORDS  # noqa: PLC0415

    with Store.open(store_url) as full_store:
        store = full_store if username is None else full_store.as_user(username)
        if not yes:
            click.echo(f"This permanently erases {client_id} from {store.url}.")
            typed = click.prompt("Type the client's identifier to go on", default="", show_default=False)
            if typed != client_id:
                click.echo("The identifiers differ. Nothing was erased.")
                raise click.exceptions.Exit(1)
        with (
            clearing_of_box(full_store, client_id, settings_file, without_box=without_box),
            Console(stderr=True).status("Erasing, and rewriting the file"),
        ):
            done = store.erase(client_id, reason=reason, by=by)
        postgres = store.url.startswith("postgresql")
    rows = ", ".join(f"{WORDS.get(name, name)} {count}" for name, count in done.counts.items())
    click.echo(f"Erased. Tombstone {done.tombstone_id}: {rows}; {done.lines} audit log lines without the name.")
    for mention in done.mentions:
        click.echo(f"Named in {mention}: correct it there, since what is about others was not changed.")
    if postgres:
        click.echo(
            "PostgreSQL keeps deleted rows in its files until they are vacuumed: run VACUUM FULL when you can."
        )
    elif not done.clean:
        click.echo(
            "Another program holds the file open, so what was deleted is still in its bytes. Stop the server and "
            "run this again: the file is then rewritten."
        )
    click.echo(
        "Backups and exports made before still hold this person, and so does a file that 'mbc restore --force' or "
        "'mbc encrypt' kept next to the record. Delete them, or make new ones."
    )
