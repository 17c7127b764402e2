"""``mbc retention``: how long records are kept, and who is due to be erased."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from mbc.cli.askings import clearing_of_box, settings_option, without_box_option
from mbc.cli.options import as_option, store_option, view_of


@click.group("retention")
def command() -> None:
    """Keep records for as long as the clinic's rule says, and erase them then."""


@command.command("set")
@click.argument("years", type=click.IntRange(1, 100))
@store_option
def set_(years: int, store_url: str) -> None:
    """Keep records for YEARS after the last contact of the last episode."""
    from mbc.store import Store  # noqa: PLC0415 - the command line stays quick until a record is opened

    with Store.open(store_url) as store:
        store.set_retention_years(years)
    _print_rule(years)


@command.command("show")
@as_option
@store_option
def show(*, username: str | None, store_url: str) -> None:
    """Show for how long records are kept."""
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as store:
        years = view_of(store, username).retention_years()
    _print_rule(years)


@command.command("list")
@as_option
@store_option
def list_(*, username: str | None, store_url: str) -> None:
    """List the clients whose record has been kept long enough, the longest due first."""
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as store:
        due = view_of(store, username).retention_due(_today())
    if due.is_empty():
        click.echo("Nobody is due.")
    for row in due.iter_rows(named=True):
        click.echo(f"{row['client_id']:<24}last contact {row['last_contact']}  due since {row['due_on']}")


@command.command("erase")
@click.option("--reason", default="retention period of the clinic has passed", show_default=True, help="Kept.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@without_box_option
@settings_option
@as_option
@store_option
def erase(
    *,
    reason: str,
    yes: bool,
    without_box: bool,
    settings_file: Path | None,
    username: str | None,
    store_url: str,
) -> None:
    """Erase everybody who is due, one after the other. It cannot be undone."""
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as full_store:
        store = view_of(full_store, username)
        due = store.retention_due(_today())["client_id"].to_list()
        if not due:
            click.echo("Nobody is due.")
            return
        if not yes:
            click.echo(f"This permanently erases {len(due)} from {store.url}: {', '.join(due)}.")
            typed = click.prompt("Type the number of clients to continue", default="", show_default=False)
            if typed.strip() != str(len(due)):
                click.echo("The numbers differ. Nothing was erased.")
                raise click.exceptions.Exit(1)
        for client_id in due:
            with clearing_of_box(full_store, client_id, settings_file, without_box=without_box):
                done = store.erase(client_id, reason=reason)
            click.echo(f"Erased one, tombstone {done.tombstone_id}.")
            for mention in done.mentions:
                click.echo(f"  Named in {mention}: correct it there.")
    click.echo("Earlier backups and exports still contain them: delete those, or make new ones.")


def _print_rule(years: int | None) -> None:
    from mbc.store.accounts.clinic_settings import retention_words  # noqa: PLC0415

    click.echo(retention_words(years))


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()
