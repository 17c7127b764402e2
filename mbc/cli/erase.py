"""``mbc erase``: erase one person, on a legal request."""

from __future__ import annotations

from pathlib import Path

import click

from mbc.cli.askings import clearing_of_box, settings_option, without_box_option
from mbc.cli.options import store_option


@click.command("erase")
@click.argument("client_id", metavar="CLIENT")
@click.option(
    "--reason", required=True, help="Reason; it is kept, so do not name the client: 'request of 2026-05-02'."
)
@click.option("--by", metavar="NAME", help="Who decided on it, if not the person running the command.")
@click.option("--as", "username", metavar="USER", help="Act as this user, an administrator.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
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

    It cannot be undone, and the identifier can never be reused. What remains is a tombstone with the date, who,
    why and the number of rows, and the audit log lines without the name. 'mbc verify' still passes afterwards.

    Requests to the client and answers not yet collected are also removed from the box.

    Earlier backups and exports still contain the client: delete or replace them yourself.
    """
    from rich.console import Console  # noqa: PLC0415 - loaded when it is needed

    from mbc.store import Store  # noqa: PLC0415 - the command line stays quick until a record is opened
    from mbc.store.maintenance.verification import WORDS  # noqa: PLC0415

    with Store.open(store_url) as full_store:
        store = full_store if username is None else full_store.as_user(username)
        if not yes:
            click.echo(f"This permanently erases {client_id} from {store.url}.")
            typed = click.prompt("Type the client's identifier to continue", default="", show_default=False)
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
        click.echo(f"Still named in {mention}: correct it there; entries about other clients were not changed.")
    if postgres:
        click.echo(
            "PostgreSQL keeps deleted rows in its files until they are vacuumed: run VACUUM FULL when possible."
        )
    elif not done.clean:
        click.echo(
            "Another program has the file open, so the deleted data are still in the file. Stop the server and "
            "run this again: the file is then rewritten."
        )
    click.echo(
        "Earlier backups and exports still contain this client, and so does a file that 'mbc restore --force' or "
        "'mbc encrypt' kept next to the record. Delete them, or make new ones."
    )
