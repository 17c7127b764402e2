"""``mbc caseload``: every client's status, one line each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import click
import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mbc.care import CohortModels, caseload
from mbc.care.forecast.model_files import read_models
from mbc.care.values.course import Verdict
from mbc.care.values.review import CaseloadCell, CaseloadRow
from mbc.care.words import number
from mbc.cli.options import as_option, instruments_option, models_option, store_option, view_of
from mbc.errors import NotInRecord
from mbc.store import Store

_SORT: dict[str, Callable[[CaseloadRow], tuple[object, ...]]] = {
    "client": lambda row: (row.status != "active", row.client_id),
    "contact": lambda row: (row.last_contact or dt.date.min, row.client_id),
    "change": lambda row: (min((cell.sort_key for cell in row.cells), default=0.0), row.client_id),
}


@click.command("caseload")
@store_option
@instruments_option
@as_option
@click.option("--clinician", "clinician_id", metavar="ID", help="Only the clients of this clinician.")
@click.option(
    "--sort",
    type=click.Choice(list(_SORT)),
    default="client",
    show_default=True,
    help="By id, longest since last contact, or largest worsening.",
)
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Reference date for 'last contact'. Default: the last day on record.",
)
@models_option
def command(
    *,
    store_url: str,
    username: str | None,
    clinician_id: str | None,
    sort: str,
    as_of: dt.datetime | None,
    models_folder: Path | None,
) -> None:
    """List clients with their latest scores and the change since the first: clearly better, worse or neither.

    A change within measurement error is listed as no clear change. The safety channel is not part of it.
    """
    console = Console(highlight=False)
    with Store.open(store_url) as full_store:
        store = view_of(full_store, username)
        if clinician_id is not None:
            _require_clinician(store, clinician_id)
        models = read_models(models_folder)
        day = None if as_of is None else as_of.date()
        listed = caseload(store, clinician_id=clinician_id, as_of=day, cohort=CohortModels(full_store, models))
    if not listed.rows:
        console.print("No clients on record yet. 'mbc import FILE --store URL' brings some in.")
        return
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name, width in (
        ("Client", 10),
        ("Last contact", 10),
        ("Clearly better", None),
        ("Clearly worse", None),
        ("No clear change", None),
    ):
        table.add_column(name, min_width=width, overflow="fold", ratio=None if width else 1)
    for row in sorted(listed.rows, key=_SORT[sort]):
        table.add_row(*_cells(row))
    console.print(table)
    console.print()
    console.print(
        Text(
            f"{listed.caption} In brackets: change since the first score (?: how much of it is noise is not "
            "known)."
        )
    )


def _require_clinician(store: Store, clinician_id: str) -> None:
    if store.clinicians().filter(pl.col("clinician_id") == clinician_id).is_empty():
        known = ", ".join(store.clinicians()["clinician_id"])
        raise NotInRecord(f"There is no clinician '{clinician_id}' on record; there are: {known or 'none'}.")


def _cells(row: CaseloadRow) -> tuple[Text, ...]:
    who = Text(row.client_id)
    if row.alias:
        who.append(f"\n{row.alias}", style="dim")
    contact = Text("" if row.last_contact is None else f"{row.last_contact:%Y-%m-%d}")
    for flag in row.notes:
        contact.append(f"\n{flag}", style="italic")
    return (
        who,
        contact,
        _listed(row, "clearly better"),
        _listed(row, "clearly worse"),
        _listed(row, "no clear change", "not known"),
    )


def _listed(row: CaseloadRow, *verdicts: Verdict) -> Text:
    return Text(
        "\n".join(_brief(cell) for cell in row.cells if cell.verdict in verdicts and cell.latest is not None)
    )


def _brief(cell: CaseloadCell) -> str:
    name = cell.title.rsplit(": ", 1)[-1]
    name = f"{name} {cell.scale}" if cell.scale not in {"total", "mean", "index"} else name
    change = f" ({number(cell.change, 2, signed=True)})" if cell.change else ""
    if change and cell.verdict == "not known":
        change += "?"
    return f"{name} {number(cell.latest or 0.0, 2)}{change}"
