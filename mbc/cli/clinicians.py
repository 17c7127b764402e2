"""``mbc clinicians``: outcomes of clinicians, compared with what is expected given their clients' case mix."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mbc.cli.options import as_option, instruments_option, store_option, view_of

if TYPE_CHECKING:
    from mbc.care.clinic.clinician_outcomes import ClinicianOutcomes
    from mbc.store import Store

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command("clinicians")
@click.argument("key", metavar="INSTRUMENT")
@click.option("--scale", metavar="NAME", help="A scale of the questionnaire; its main scale by default.")
@click.option("--mine", is_flag=True, help="Your own clients only, for an account of a clinician (--as).")
@click.option(
    "--least",
    type=click.IntRange(min=20),
    default=20,
    show_default=True,
    help="Measured clients that a clinician needs to be listed.",
)
@click.option("--from", "start", type=_DAY, help="Care that ended on this day or later; all by default.")
@click.option("--to", "end", type=_DAY, help="Care that ended on this day or before; all by default.")
@click.option(
    "--csv", "csv", type=click.Path(dir_okay=False, path_type=Path), help="Write the table here as well."
)
@store_option
@instruments_option
@as_option
def command(  # noqa: PLR0913 - one argument for each option
    *,
    key: str,
    scale: str | None,
    mine: bool,
    least: int,
    start: dt.datetime | None,
    end: dt.datetime | None,
    csv: Path | None,
    store_url: str,
    username: str | None,
) -> None:
    """Compare the improvement of finished clients with what is expected given their case mix, by clinician.

    Case mix is the first score on INSTRUMENT, whether the client was in a relationship then, and earlier care.
    A clinician sees their own line: --mine. The list of all needs the permission clinicians:compare, which is
    granted account by account, and includes clinicians with 20 or more measured clients. Nobody is ranked.
    """
    from mbc.care import clinic_expectation, compare_clinicians, own_outcomes  # noqa: PLC0415 - quick help texts
    from mbc.instruments import instrument  # noqa: PLC0415
    from mbc.store import Store  # noqa: PLC0415

    if mine and username is None:
        raise click.UsageError("--mine needs --as: the operator has no clients.")
    if mine and (start or end):  # two periods that share days would reveal single clients of others
        raise click.UsageError("--mine counts all care that has ended; it takes no period.")
    with Store.open(store_url) as full_store:
        store = view_of(full_store, username)
        name = instrument(key).key
        if mine:
            made = own_outcomes(store, clinic_expectation(full_store, name, scale))
        else:
            days = {"start": None if start is None else start.date(), "end": None if end is None else end.date()}
            made = compare_clinicians(store, name, scale, least=least, **days)
        if csv is not None:
            _write(store, made, csv)
    _print(made, own=mine)
    if csv is not None:
        click.echo(f"Written to {csv}.")


def _write(store: Store, made: ClinicianOutcomes, csv: Path) -> None:
    from mbc.exchange.files.output import write_text  # noqa: PLC0415 - quick help texts

    store.audit.record("export", format="clinicians, csv", file=csv.name, rows=len(made.lines))
    write_text(csv, made.to_frame().write_csv(), force=True)


def _print(made: ClinicianOutcomes, *, own: bool) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from mbc.care.clinic import clinician_words as words  # noqa: PLC0415

    console = Console(highlight=False)
    console.print(Text(words.title(made), style="bold"))
    console.print(Text(words.counted(made, own=own)))
    console.print(Text("Improvement is in points; positive is better. Limits are 95 % limits.\n"))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("Clinician", "Measured", "Observed", "Expected", "Difference", "Shrunken"):
        table.add_column(heading, justify="left" if heading == "Clinician" else "right")
    for line in made.lines:
        table.add_row(line.clinician_id, *words.line_words(line))
    console.print(table)
    if not made.lines:
        console.print(Text(f"No clinician has {made.least} measured clients."))
    console.print(Text(""))
    lines = list(words.expectation_lines(made.expectation, rounded=own))
    for line in [*lines, "", *([] if own else words.comparison_notes(made)), *words.NOT_SAID]:
        console.print(Text(line))
