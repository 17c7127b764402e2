"""``mbc caseload``: the worklist, one client a row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mbc.care import caseload
from mbc.care.values.course import Verdict
from mbc.care.values.review import CaseloadCell, CaseloadRow
from mbc.care.words import day as long_day
from mbc.care.words import number
from mbc.cli.options import as_option, cohort_models, instruments_option, models_option, store_option, view_of
from mbc.errors import NotInRecord
from mbc.store import Store

_SORT: dict[str, Callable[[CaseloadRow], tuple[object, ...]]] = {
    "need": lambda _: (),  # the order of the worklist itself
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
    default="need",
    show_default=True,
    help="By need, id, longest since last contact, or largest worsening.",
)
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Reference date of the worklist. Default: today.",
)
@click.option("--scores", "show_scores", is_flag=True, help="Latest scores instead of the reasons.")
@models_option
def command(
    *,
    store_url: str,
    username: str | None,
    clinician_id: str | None,
    sort: str,
    as_of: dt.datetime | None,
    show_scores: bool,
    models_folder: Path | None,
) -> None:
    """List clients by need: their state, why they are listed there, and what is due.

    With --scores: the latest scores and the change since the first. The safety channel is not part of it.
    """
    console = Console(highlight=False)
    with Store.open(store_url) as full_store:
        store = view_of(full_store, username)
        if clinician_id is not None:
            _require_clinician(store, clinician_id)
        cohort = cohort_models(full_store, models_folder)
        day = None if as_of is None else as_of.date()
        listed = caseload(store, clinician_id=clinician_id, as_of=day, cohort=cohort)
    if not listed.rows:
        console.print("No clients on record yet. Add some with 'mbc import FILE --store URL'.")
        return
    console.print(Text(f"As of {long_day(listed.as_of)}: {listed.caption}"))
    console.print()
    rows = sorted(listed.rows, key=_SORT[sort])
    console.print(_scores(rows) if show_scores else _worklist(rows))
    if show_scores:
        console.print()
        console.print(Text("In brackets: change since the first score (?: measurement error is not known)."))


def _worklist(rows: Sequence[CaseloadRow]) -> Table:
    table = _table(("Client", 10), ("State", 12), ("Why", None), ("Last contact", 10), ("Due", 10))
    for row in rows:
        due = [f"{name} {due_on:%d %b}" for name, due_on in row.due]
        state = "closed" if row.closed else row.state.state
        table.add_row(_who(row), Text(state), Text("\n".join(row.reasons)), _contact(row), Text("\n".join(due)))
    return table


def _scores(rows: Sequence[CaseloadRow]) -> Table:
    table = _table(
        ("Client", 10), ("Last contact", 10), ("Better", None), ("Worse", None), ("No clear change", None)
    )
    for row in rows:
        table.add_row(
            _who(row),
            _contact(row),
            _listed(row, "clearly better", "better once"),
            _listed(row, "clearly worse", "worse once"),
            _listed(row, "no clear change", "not known"),
        )
    return table


def _table(*columns: tuple[str, int | None]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name, width in columns:
        table.add_column(name, min_width=width, overflow="fold", ratio=None if width else 1)
    return table


def _require_clinician(store: Store, clinician_id: str) -> None:
    if store.clinicians().filter(pl.col("clinician_id") == clinician_id).is_empty():
        known = ", ".join(store.clinicians()["clinician_id"])
        raise NotInRecord(f"There is no clinician '{clinician_id}' on record. On record: {known or 'none'}.")


def _who(row: CaseloadRow) -> Text:
    who = Text(row.client_id)
    if row.alias:
        who.append(f"\n{row.alias}", style="dim")
    return who


def _contact(row: CaseloadRow) -> Text:
    return Text("" if row.last_contact is None else f"{row.last_contact:%Y-%m-%d}")


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
    if cell.verdict in ("better once", "worse once"):
        change += ", once"
    return f"{name} {number(cell.latest or 0.0, 2)}{change}"
