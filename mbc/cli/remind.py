"""``mbc remind``: remind clients who have not answered yet."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from mbc.cli.askings import open_box, read_settings_of, settings_option
from mbc.cli.options import instruments_option, store_option, use_definitions


@click.command("remind")
@click.option("--dry-run", is_flag=True, help="Print what would be sent, without sending it.")
@settings_option
@instruments_option
@store_option
def command(*, dry_run: bool, settings_file: Path | None, store_url: str) -> None:
    """Remind clients who have not answered yet, by the clinic's own mail server.

    Run it by a timer, once a day. Answers are collected first. Nobody gets the same reminder twice, and none after
    the link has expired. Settings: [mail] with server, sender and contacts (a CSV file: client_id, address).
    """
    from mbc.care.askings.collect import collect  # noqa: PLC0415 - the command line stays quick
    from mbc.care.askings.mail import mail_of, read_contacts  # noqa: PLC0415
    from mbc.care.askings.remind import due_reminders, remind, reminder_message  # noqa: PLC0415
    from mbc.errors import MbcError  # noqa: PLC0415
    from mbc.store import Store  # noqa: PLC0415

    settings = read_settings_of(settings_file)
    mail = mail_of(settings)
    contacts = read_contacts(mail)
    with Store.open(store_url) as store, closing(open_box(settings, store_url)) as box:
        use_definitions(store)
        faults = collect(store, box).faults
        due = due_reminders(store, settings, contacts)
        if dry_run:
            for reminder in due:
                written = reminder_message(mail, reminder, settings.link("..."))
                click.echo(f"To {reminder.address}, from {written['From']}: {written['Subject']}")
                click.echo("".join(f"  {line}\n" for line in written.get_content().splitlines()))
            click.echo(f"{len(due)} would be sent.")
        else:
            result = remind(store, box, settings, due)
            faults += result.faults
            click.echo(f"{len(result.sent)} sent.")
    if faults:
        raise MbcError("\n".join(faults))
