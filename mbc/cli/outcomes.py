"""``mbc outcomes``: outcomes by a published definition, exact, with what may be published of each."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
import polars as pl
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mbc.care import clinic_report
from mbc.cli.options import as_option, cohort_models, instruments_option, store_option, view_of
from mbc.cli.program import end_cleanly_when_stopped
from mbc.errors import ImportRefused, InvalidResponse
from mbc.exchange.files.output import write_text
from mbc.outcomes import ClinicReports, OutcomeReport, report, report_by_clinic
from mbc.outcomes.definitions.definition_file import definition as read_definition
from mbc.outcomes.definitions.definition_file import definition_text, definitions, instruments_of
from mbc.outcomes.engines import Engine, naming_damaged_files
from mbc.outcomes.record_folders import read_folders
from mbc.outcomes.results import value_words
from mbc.privacy.small_numbers.presets import Preset
from mbc.store import Store

_DAY = click.DateTime(["%Y-%m-%d"])
_BY_MODEL = {"jacobson-truax", "milestones"}  # definitions that judge change by the clinic's own models


def _print_definition(ctx: click.Context, _: click.Parameter, name: str | None) -> None:
    if name is not None:
        click.echo(definition_text(name), nl=False)
        ctx.exit()


@click.command("outcomes")
@click.argument(
    "paths", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="[FOLDER]..."
)
@store_option
@instruments_option
@as_option
@click.option(
    "--definition",
    default="jacobson-truax",
    show_default=True,
    metavar="NAME|FILE.toml",
    help=f"A published definition ({', '.join(definitions())}), or a file of your own.",
)
@click.option(
    "--cohort",
    type=click.Choice(["finished", "in-care", "started"]),
    default="finished",
    show_default=True,
    help="Clients whose care ended, was ongoing or began in the period.",
)
@click.option("--from", "start", type=_DAY, help="First day of the period; by default a year before the last.")
@click.option("--to", "end", type=_DAY, help="Last day of the period; the last day on record by default.")
@click.option("--preset", type=click.Choice(["nhs5", "cms11"]), default="nhs5", show_default=True, help="Rule.")
@click.option("--k", "k", type=click.IntRange(min=3), help="Your own smallest count, instead of --preset.")
@click.option(
    "--csv", "csv", type=click.Path(dir_okay=False, path_type=Path), help="Also write the table to this file."
)
@click.option(
    "--about",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the provenance of the figures to this JSON file: definition, period, rules, version, digest of "
    "the table.",
)
@click.option(
    "--engine",
    type=click.Choice(["polars", "duckdb", "spark"]),
    help="Engine used for record folders; polars by default.",
)
@click.option("--master", metavar="URL", help="Address of a Spark cluster; with --engine spark.")
@click.option("--by-clinic", is_flag=True, help="For folders: figures of each clinic as well as of all clinics.")
@click.option(
    "--print-definition",
    is_eager=True,
    expose_value=False,
    callback=_print_definition,
    metavar="NAME",
    help="Print a definition file, to be copied and changed, and exit.",
)
def command(  # noqa: PLR0913 - one argument for each option
    *,
    paths: tuple[Path, ...],
    store_url: str,
    username: str | None,
    definition: str,
    cohort: str,
    start: dt.datetime | None,
    end: dt.datetime | None,
    preset: Preset,
    k: int | None,
    csv: Path | None,
    about: Path | None,
    engine: Engine | None,
    by_clinic: bool,
    master: str | None,
) -> None:
    """Report outcomes by a published definition: recovery, reliable change, waits, completeness.

    The figures are exact, for those who see the clients; each comes with its denominator, 95 % limits that count
    clients within clinicians, bounds for missing outcomes, and what the small-number rule lets be published. What
    others may see is published once: mbc release make.

    With FOLDERs (as mbc export writes them, CSV or Parquet) the report is made from their tables, by the engine
    that is asked for, and no record is opened.
    """
    if paths:
        if username is not None:
            raise click.UsageError("--as applies to a record; folders have no accounts.")
        if start is None or end is None:
            raise click.UsageError("With folders, give the period: --from and --to.")
        if engine == "duckdb":
            end_cleanly_when_stopped()
        _of_folders(
            paths,
            partial(
                read_folders,
                paths,
                engine or "polars",
                master=master,
                instruments=instruments_of(read_definition(definition)),
            ),
            partial(
                report_by_clinic if by_clinic else report,
                definition=definition,
                cohort=cohort,
                start=start.date(),
                end=end.date(),
                small_numbers=k or preset,
            ),
            csv,
            about,
        )
        return
    if master is not None:
        raise click.UsageError("--master is for folders, with --engine spark.")
    if by_clinic:
        raise click.UsageError("--by-clinic is for folders: a record has only one clinic.")
    if engine is not None:
        raise click.UsageError("--engine is for folders: mbc outcomes --engine duckdb FOLDER --from DAY --to DAY")
    with Store.open(store_url) as full_store:
        store = view_of(full_store, username)
        result = clinic_report(
            store,
            start=None if start is None else start.date(),
            end=None if end is None else end.date(),
            definition=definition,
            cohort=cohort,
            small_numbers=k or preset,
            models=cohort_models(store, fits="when asked for") if definition in _BY_MODEL else None,
        )
        if csv is not None:
            rows = len(result.metrics)
            store.audit.record("export", format=f"outcomes, {result.definition}, csv", file=csv.name, rows=rows)
    _finish(result, csv, about)


def _of_folders(
    paths: Sequence[Path],
    open_folders: Callable[[], dict[str, Any]],
    make: Callable[[dict[str, Any]], OutcomeReport | ClinicReports],
    csv: Path | None,
    about: Path | None,
) -> None:
    """Report record folders, all together or by clinic."""
    try:
        with naming_damaged_files(paths):
            result = make(open_folders())
    except InvalidResponse as fault:  # its advice is for Python
        refused = str(fault).partition("). ")[0]
        raise ImportRefused(
            f"{refused}). Correct these cells in the folder's file, or leave them blank: blank is not answered."
        ) from None
    if isinstance(result, OutcomeReport):
        _finish(result, csv, about)
        return
    console = Console(highlight=False)
    _print_report(console, result.together, by_clinic=True)
    _print_clinics(console, result)
    _write_files(result.to_frame(), result.together, csv, about)


def _print_clinics(console: Console, result: ClinicReports) -> None:
    """Print each figure of every clinic, a line for a clinic: exact, and nothing of it published."""
    console.print(Text("\nBy clinic", style="bold"))
    for metric in result.together.metrics:
        console.print(Text(f"{metric.group}: {metric.title}" if metric.group else metric.title))
        for clinic, each in result.clinics.items():
            own = next((other for other in each.metrics if other.metric == metric.metric), None)
            console.print(Text(f"    {clinic}: {'nobody' if own is None else value_words(own)}"))
    console.print(Text("All figures are exact: none of them is protected against the others, or for publication."))


def _finish(result: OutcomeReport, csv: Path | None, about: Path | None) -> None:
    _print_report(Console(highlight=False), result)
    _write_files(result.table(), result, csv, about)


def _write_files(table: pl.DataFrame, result: OutcomeReport, csv: Path | None, about: Path | None) -> None:
    """Write a table and how it was made, with the digest of that very table."""
    content = table.write_csv()
    if csv is not None:
        write_text(csv, content, force=True)
        click.echo(f"Written to {csv}.")
    if about is not None:
        how = result.about() | {"table_sha256": hashlib.sha256(content.encode()).hexdigest()}
        write_text(about, json.dumps(how, indent=2, ensure_ascii=False) + "\n", force=True)
        click.echo(f"Their provenance is in {about}.")


def _print_report(console: Console, result: OutcomeReport, *, by_clinic: bool = False) -> None:
    console.print(Text(result.title, style="bold"))
    console.print(Text(result.caption))
    console.print(Text(result.headline))
    if not result.metrics:
        console.print(Text("There are no scores on record, so there are no outcomes to show yet."))
    for group in dict.fromkeys(metric.group for metric in result.metrics):
        console.print(Text(f"\n{group}" if group else "", style="bold"))
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(max_width=46)
        table.add_column()
        table.add_column(justify="right")
        for metric in result.metrics:
            if metric.group == group:
                rounded = () if by_clinic else (f"published: {metric.published}",)
                table.add_row(metric.title, value_words(metric), *rounded)
        console.print(Padding(table, (0, 0, 0, 2)))
        for step in result.flow:
            if step.group == group:
                lost = f" ({step.lost} not: {step.why})" if step.lost and step.why else ""
                console.print(Text(f"    {step.title}: {step.count}{lost}"))
    console.print(Text(""))
    for rule in result.rules:
        console.print(Text(rule))
    small_numbers = "" if by_clinic else f"Published: small numbers by {result.small_numbers}. "
    console.print(Text(f"{small_numbers}{result.limits_and_bounds}"))
