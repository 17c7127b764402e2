"""``mbc client``: assign clients to clinicians, show where their data came from, and take a questionnaire out."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mbc.cli.options import as_option, instrument_option, store_option, view_of

if TYPE_CHECKING:
    import polars as pl

    from mbc.care.values.plan import ClientPlan


@click.group("client")
def command() -> None:
    """Manage clients on record."""


@command.command("assign")
@click.argument("client_ids", metavar="CLIENT...", nargs=-1, required=True)
@click.option("--clinician", "clinician_id", metavar="ID", required=True, help="Their new clinician.")
@click.option(
    "--reason", default="assigned at the command line", show_default=True, help="Stored with the change."
)
@store_option
def assign(*, client_ids: tuple[str, ...], clinician_id: str, reason: str, store_url: str) -> None:
    """Assign clients to a clinician: all of them, or none.

    The earlier assignment stays on record, with the reason.
    """
    from mbc.store import Store  # noqa: PLC0415 - the command line stays quick until a record is opened

    with Store.open(store_url) as store:
        count = store.assign(client_ids, clinician_id, reason=reason)
    click.echo(f"{count} in the caseload of {clinician_id}.")


@command.command("withdraw")
@click.argument("client_id", metavar="CLIENT")
@click.argument("number", metavar="NUMBER", type=click.IntRange(min=0))
@click.option("--reason", metavar="TEXT", required=True, help="Stored with the withdrawal.")
@as_option
@store_option
def withdraw(*, client_id: str, number: int, reason: str, username: str | None, store_url: str) -> None:
    """Withdraw a questionnaire that should not be on record, such as one entered in error.

    NUMBER is the first column of 'mbc client history CLIENT'. Nothing is deleted: the history keeps what the
    questionnaire said, and why it was withdrawn; scores, charts and exports leave it out. Its safety flags stay
    open until they are acknowledged. Importing the same answers again does not bring it back; 'mbc import' with
    --supersede does.
    """
    from mbc.store import Store  # noqa: PLC0415 - the command line stays quick until a record is opened

    with Store.open(store_url) as full_store, view_of(full_store, username).writing() as record:
        record.withdraw(number, client_id=client_id, reason=reason)
    click.echo(
        f"Questionnaire {number} of {client_id} withdrawn. 'mbc client history {client_id}' still shows it."
    )


@command.command("plan")
@click.argument("client_id", metavar="CLIENT")
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Plan the clinic's battery from this day on; questionnaires planned already stay as they are.",
)
@click.option(
    "--battery",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="MBC_BATTERY",
    show_envvar=True,
    help="TOML file with the clinic's battery; default: the one shipped with mbc.",
)
@click.option("--weeks", type=click.IntRange(1, 52), default=12, show_default=True, help="How far to look ahead.")
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD", help="Reference date; default: today."
)
@as_option
@store_option
def plan(
    *,
    client_id: str,
    start: dt.datetime | None,
    battery: Path | None,
    weeks: int,
    as_of: dt.datetime | None,
    username: str | None,
    store_url: str,
) -> None:
    """Show a client's plan of measures: what is due, and a calendar of what comes.

    With --start, plan the clinic's battery. One questionnaire is planned, changed or ended with 'mbc record
    measure', a time without questionnaires with 'mbc record pause'.
    """
    from mbc.care.plan.battery import read_battery  # noqa: PLC0415 - quick until a record is opened
    from mbc.care.plan.client_plan import client_plan  # noqa: PLC0415
    from mbc.store import Store  # noqa: PLC0415

    today = dt.date.today() if as_of is None else as_of.date()  # noqa: DTZ011 - the calendar day where it is run
    with Store.open(store_url) as full_store:
        store = view_of(full_store, username)
        if start is not None:
            planned_before = set(store.planned_measures(client_id=client_id)["instrument"])
            defaults = read_battery(battery).planned(client_id, start.date())
            new = [each for each in defaults if each.instrument not in planned_before]
            with store.writing() as record:
                record.add_all(new)
            click.echo(f"Planned: {', '.join(each.instrument for each in new) or 'nothing new'}.")
        current = client_plan(store, client_id, as_of=today)
    if current is None:
        click.echo(f"{client_id} has no plan of measures. Plan the clinic's battery: --start YYYY-MM-DD")
        return
    _print_plan(current, today + dt.timedelta(weeks=weeks))


def _print_plan(plan: ClientPlan, until: dt.date) -> None:
    from mbc.instruments.short_names import short_name  # noqa: PLC0415

    click.echo(
        f"{plan.client_id}, {plan.as_of}: about {plan.minutes_a_week:.1f} minutes a week after the baseline."
    )
    for measure in plan.measures:
        click.echo(f"  {measure.name:<10} {measure.words}")
    click.echo("Calendar")
    days: dict[dt.date, list[str]] = {}
    for asking in plan.calendar:
        if asking.on <= until:
            session = "" if asking.before_session is None else f" (before session {asking.before_session})"
            days.setdefault(asking.on, []).append(f"{short_name(asking.instrument)}{session}")
    for on, names in days.items():
        click.echo(f"  {on:%Y-%m-%d}  {', '.join(names)}")
    if not days:
        click.echo("  nothing is planned in this period")


@command.command("history")
@click.argument("client_id", metavar="CLIENT")
@instrument_option("instrument", "Only this questionnaire.", multiple=False)
@click.option("--include-safety", is_flag=True, help="Also safety screens; needs the permission.")
@as_option
@store_option
def history(
    *, client_id: str, instrument: str | None, include_safety: bool, username: str | None, store_url: str
) -> None:
    """Show who recorded each questionnaire, when, from which file and line, and what was corrected and why.

    A file is named with the first 12 digits of its SHA-256; 'sha256sum FILE' shows whether it is the same one.
    """
    import polars as pl  # noqa: PLC0415 - the command line stays quick until a record is opened
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as full_store:
        store = view_of(full_store, username)
        provenance = store.provenance(instrument, client_id=client_id)
        if include_safety:
            provenance = pl.concat(
                [provenance, store.provenance(instrument, client_id=client_id, channel="safety")]
            )
    if provenance.is_empty():
        click.echo(_nothing(client_id, instrument))
        return
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("No.", "Day", "Questionnaire", "Recorded (UTC)", "By", "From", "Remark"):
        table.add_column(name, no_wrap=name not in {"From", "Remark"}, overflow="fold")
    for cells in _describe(provenance.sort("taken_on", "administration_id")):
        table.add_row(*map(Text, cells))
    console = Console(highlight=False)
    (console if console.is_terminal else Console(highlight=False, width=160)).print(table)


def _nothing(client_id: str, instrument: str | None) -> str:
    """Say that there is nothing; of a questionnaire that nobody knows, say so."""
    from mbc.instruments.library import instrument as load  # noqa: PLC0415 - the command line stays quick

    if instrument is not None:
        load(instrument)
    return f"No {instrument or 'questionnaire'} of {client_id} to show."


def _describe(provenance: pl.DataFrame) -> list[tuple[str, ...]]:
    """Write each administration's provenance in words."""
    from mbc.store.schema.records import WITHDRAWN  # noqa: PLC0415 - the command line stays quick

    later = {row["supersedes"]: row for row in provenance.iter_rows(named=True) if row["supersedes"] is not None}
    lines: list[tuple[str, ...]] = []
    for row in provenance.iter_rows(named=True):
        verb = "withdraws" if row["version"] == WITHDRAWN else "corrects"
        corrects = f"{verb} {row['supersedes']}: {row['reason']}" if row["supersedes"] is not None else ""
        after = later.get(row["administration_id"])
        corrected = ""
        if after:
            participle = "withdrawn" if after["version"] == WITHDRAWN else "corrected"
            corrected = f"{participle} by {after['administration_id']}"
        source = "" if row["source_name"] is None else f"{row['source_name']} ({row['source_sha256'][:12]})"
        where = f"{source}, line {row['source_line']}" if source and row["source_line"] is not None else source
        lines.append(
            (
                str(row["administration_id"]),
                str(row["taken_on"]),
                row["instrument"],
                f"{row['recorded_at']:%Y-%m-%d %H:%M}",
                row["recorded_by"],
                where,
                "; ".join(filter(None, (corrects, corrected))),
            )
        )
    return lines
