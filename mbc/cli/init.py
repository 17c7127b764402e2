"""``mbc init``: create an empty record."""

from __future__ import annotations

import click

from mbc.cli.options import DEFAULT_STORE, new_store_option


@click.command("init")
@new_store_option
def command(store_url: str) -> None:
    """Create an empty record: a file for one clinician, or the tables in a clinic's PostgreSQL database."""
    from mbc.store import Store  # noqa: PLC0415 - the command line stays quick until a record is opened
    from mbc.store.database.addresses import address, file_of  # noqa: PLC0415

    with Store.create(store_url) as store:
        where = store.url
    option = "" if store_url == DEFAULT_STORE else f" --store {where}"
    path = file_of(address(store_url))
    place = "" if path is None or path.is_absolute() else f": the file {path.absolute()}"
    click.echo(f"Created an empty record at {where}{place}")
    click.echo("Next:")
    click.echo(f"  mbc import FILE.csv{option}     import answers or totals")
    click.echo(f"  mbc user add NAME --role clinician --clinician ID{option}     allow someone to sign in")
    click.echo(f"  mbc serve{option}     start the web app")
