"""``mbc collect``: bring clients' answers from the box on record."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from mbc.cli.askings import open_box, read_settings_of, settings_option
from mbc.cli.options import instruments_option, store_option, use_definitions


@click.command("collect")
@settings_option
@instruments_option
@store_option
def command(*, settings_file: Path | None, store_url: str) -> None:
    """Bring clients' answers from the box on record, and note how far each asking has come.

    Run it by a timer (cron, systemd). Run twice, it writes once. What cannot be written stays in the box, and the
    exit status is 1.
    """
    from mbc.care.askings.collect import collect  # noqa: PLC0415 - the command line stays quick
    from mbc.errors import MbcError  # noqa: PLC0415
    from mbc.store import Store  # noqa: PLC0415

    settings = read_settings_of(settings_file)
    with Store.open(store_url) as store, closing(open_box(settings, store_url)) as box:
        use_definitions(store)
        result = collect(store, box)
    already = f", {result.duplicates} on record already" if result.duplicates else ""
    click.echo(f"{result.answered} askings answered, {result.stored} questionnaires stored{already}.")
    for client_id in result.stopped:
        click.echo(f"{client_id} wants no more of these.")
    if result.faults:
        raise MbcError("\n".join(result.faults))
