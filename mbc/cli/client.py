"""``mbc client``: whose caseload a client is in."""

from __future__ import annotations

import dataclasses

import click

from mbc.cli.options import store_option
from mbc.errors import MbcError, NotInRecord, nearest


@click.group("client", short_help="Say whose caseload a client is in.")
def command() -> None:
    """Manage clients on record."""


@command.command("assign")
@click.argument("client_ids", metavar="CLIENT...", nargs=-1, required=True)
@click.option("--clinician", "clinician_id", metavar="ID", required=True, help="Who sees them from now on.")
@click.option("--reason", default="assigned at the command line", show_default=True, help="Kept with the change.")
@store_option
def assign(*, client_ids: tuple[str, ...], clinician_id: str, reason: str, store_url: str) -> None:
    """Put clients into a clinician's caseload: all of them, or none.

    The earlier assignment stays on record, with the reason.
    """
    from mbc.store import Client, Store  # noqa: PLC0415 - the command line stays quick until a record is opened

    with Store.open(store_url) as store:
        known = store.clinicians()["clinician_id"].to_list()
        if clinician_id not in known:
            near = nearest(clinician_id, known, most=1)
            hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(known) or 'none'}."
            raise NotInRecord(f"There is no clinician '{clinician_id}' on record. {hint}")
        rows = {row["client_id"]: row for row in store.clients().iter_rows(named=True)}
        unknown = [one for one in client_ids if one not in rows]
        if unknown:
            raise MbcError(f"Not on record: {', '.join(unknown)}. Nobody was assigned.")
        clients = [Client(**rows[one]) for one in dict.fromkeys(client_ids)]
        with store.writing() as record:
            record.add_all(
                [dataclasses.replace(one, clinician_id=clinician_id) for one in clients], supersede=reason
            )
    click.echo(f"{len(clients)} in the caseload of {clinician_id}.")
