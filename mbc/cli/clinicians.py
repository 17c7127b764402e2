"""``mbc clinicians``: outcomes of clinicians, compared with what is expected given their clients' case mix."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mbc.cli.options import as_option, force_option, instruments_option, store_option, view_of

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
@click.option(
    "--figure",
    "picture",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Draw it; the name ends in .svg, .pdf or .html. An existing file is replaced with --force only.",
)
@force_option
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
    picture: Path | None,
    force: bool,
    store_url: str,
    username: str | None,
) -> None:
    """Compare the improvement of finished clients with what is expected given their case mix, by clinician.

    Case mix is the first score on INSTRUMENT, whether the client was in a relationship then, and earlier care.
    A clinician sees their own line: --mine. The list of all needs the permission clinicians:compare, which is
    granted account by account, and includes clinicians with 20 or more measured clients. Nobody is ranked.
    """
    from mbc.care import compare_clinicians  # noqa: PLC0415 - quick help texts
    from mbc.care.clinic.clinician_outcomes import compare_own  # noqa: PLC0415
    from mbc.instruments import instrument  # noqa: PLC0415
    from mbc.store import Store  # noqa: PLC0415

    if mine and username is None:
        raise click.UsageError("--mine needs --as: the operator has no clients.")
    if mine and (start or end):  # two periods that share days would reveal single clients of others
        raise click.UsageError("--mine counts all care that has ended; it takes no period.")
    if picture is not None:
        _check_picture(picture, force=force)
    with Store.open(store_url) as full_store:
        store = view_of(full_store, username)
        name = instrument(key).key
        if mine:
            made = compare_own(full_store, store, name, scale)
        else:
            since, until = (None if each is None else each.date() for each in (start, end))
            made = compare_clinicians(store, name, scale, least=least, start=since, end=until)
        if csv is not None:
            _write(store, made, csv)
        if picture is not None:
            _draw(store, made, picture, force=force)
    _print(made, own=mine)
    for file in filter(None, (csv, picture)):
        click.echo(f"Written to {file}.")


def _write(store: Store, made: ClinicianOutcomes, csv: Path) -> None:
    from mbc.exchange.files.output import write_text  # noqa: PLC0415 - quick help texts

    store.audit.record("export", format="clinicians, csv", file=csv.name, rows=len(made.lines))
    write_text(csv, made.to_frame().write_csv(), force=True)


def _check_picture(picture: Path, *, force: bool) -> None:
    """Refuse a name before anything is read for it."""
    from mbc.errors import FigureError  # noqa: PLC0415 - quick help texts
    from mbc.exchange.files.output import check_target  # noqa: PLC0415
    from mbc.figures.figure import require_suffix  # noqa: PLC0415

    try:
        require_suffix(picture)
    except FigureError as fault:
        raise click.UsageError(f"--figure: {fault}") from None
    check_target(picture, folder=False, force=force)


def _draw(store: Store, made: ClinicianOutcomes, picture: Path, *, force: bool) -> None:
    from mbc import figures  # noqa: PLC0415 - quick help texts
    from mbc.exchange.files.output import new_file  # noqa: PLC0415

    figure = figures.clinician_difference(made) if made.own else figures.clinician_funnel(made)
    content = figure.content(picture.suffix)
    store.audit.record("export", format="clinicians, figure", file=picture.name, rows=len(made.lines))
    with new_file(picture, force=force) as temporary:
        temporary.write_bytes(content)


def _print(made: ClinicianOutcomes, *, own: bool) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from mbc.care.clinic import clinician_words as words  # noqa: PLC0415

    console = Console(highlight=False)
    console.print(Text(words.title_words(made), style="bold"))
    console.print(Text(words.counted(made, own=own)))
    console.print(Text(f"{words.POINTS}\n"))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in words.HEADINGS:
        table.add_column(heading, justify="left" if heading == "Clinician" else "right")
    for line in made.lines:
        table.add_row(line.clinician_id, *words.line_words(line))
    console.print(table)
    if not made.lines:
        console.print(Text(words.nobody_listed(made)))
    if own:
        console.print(Text(f"\n{words.not_measured(made.lines[0])}"))
    console.print(Text(""))
    lines = list(words.expectation_lines(made.expectation, rounded=own))
    for line in [*lines, "", *([] if own else words.comparison_notes(made)), *words.NOT_SAID]:
        console.print(Text(line))
