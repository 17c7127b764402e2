"""``mbc import``: import answers and scores from a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mbc.cli.options import force_option, instrument_option, instruments_option, store_option, use_definitions
from mbc.errors import MbcError, SettingsError

if TYPE_CHECKING:
    from rich.console import Console

    from mbc.exchange import ImportOptions, ImportPlan
    from mbc.exchange.plan.import_plan import Progress
    from mbc.store import Store

_MOST_SHOWN = 500  # rows of a dry run's table; --out writes them all
_MOST_REFUSED = 50  # lines, as of an import that is refused as a whole
_SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
_STYLES = {"stored": "green", "superseding": "cyan", "duplicate": "dim", "refused": "bold red"}


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@store_option
@click.option("--dry-run", is_flag=True, help="Show the outcome of each row; store nothing.")
@click.option("--skip-refused", is_flag=True, help="Store the accepted rows even if others are refused.")
@click.option("--supersede", metavar="REASON", help="Replace entries on record that differ; the reason is kept.")
@click.option("--layout", type=click.Choice(["wide", "long", "totals"]), help="Default: detected from the header.")
@instrument_option("instruments", "Read only this questionnaire; may be repeated.")
@click.option("--items", metavar="PATTERN", help="How item columns are named, such as 'Q{n}'.")
@click.option("--form", multiple=True, metavar="[KEY=]FORM", help="Item order, if several are in use.")
@click.option("--coding", multiple=True, metavar="[KEY=]CODING", help="Answer coding, such as 1-4.")
@click.option(
    "--map", "columns", multiple=True, metavar="NAME=HEADER", help="Column that is client_id, rses_1 ..."
)
@click.option(
    "--mapping",
    "mapping_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Read the meaning of the columns from this TOML file.",
)
@click.option(
    "--map-interactively",
    is_flag=True,
    help="Ask for the meaning of the columns, and save the answers in a mapping file.",
)
@click.option("--ignore", multiple=True, metavar="HEADER", help="Column to ignore.")
@click.option("--sheet", metavar="NAME", help="Sheet of a workbook. Default: the only sheet with data.")
@click.option(
    "--dictionary",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="REDCap data dictionary (CSV) of the exported data.",
)
@click.option(
    "--questionnaire",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="FHIR Questionnaire with the scores of coded answers.",
)
@click.option(
    "--date-format", metavar="FORMAT", help="Format of dates, such as %d/%m/%Y, where day and month are ambiguous."
)
@click.option(
    "--encoding", metavar="NAME", help="Encoding of a text or SPSS file, such as windows-1252; default: detected."
)
@click.option(
    "--start-date",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Date of day 0, week 0 or wave 1, where a column numbers days, weeks or waves.",
)
@click.option("--days-per-wave", type=click.IntRange(min=1), help="Days between two waves, with --start-date.")
@click.option("--separator", metavar="SIGN", help="comma, semicolon, tab or bar; default: detected from the file.")
@click.option(
    "--blank", multiple=True, metavar="TEXT", help="Text that means 'not answered', such as NA; may be repeated."
)
@click.option("--clinician", metavar="ID", help="Clinician of new clients.")
@click.option("--display-name", metavar="TEXT", help="Register that clinician under this name.")
@click.option("--new-relationships", is_flag=True, help="Register relationships that are not on record.")
@click.option("--show-safety", is_flag=True, help="Also show rows of safety screens.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write every row's outcome to this CSV file."
)
@click.option(
    "--template",
    "template_of",
    metavar="KEY",
    help="Write an empty table for one questionnaire to FILE [KEY.csv].",
)
@force_option
@instruments_option
def command(
    file: Path | None,
    *,
    template_of: str | None,
    store_url: str,
    dry_run: bool,
    skip_refused: bool,
    show_safety: bool,
    out: Path | None,
    force: bool,
    **arguments: Any,
) -> None:
    """Import FILE into the record: completely, or not at all.

    FILE is CSV, Excel, SPSS or Parquet: one row per questionnaire with a column for each item (wide), one row per
    answer (client, date, instrument, item, value), or per kept score (client, date, instrument, scale, score). A
    REDCap export and FHIR R4 JSON are recognised, and so are separator, encoding and decimal sign. A blank cell is
    "not answered", never zero.

    FILE may also be a complete record, as 'mbc export' writes it in any format, or laid out like data/sample; or
    one table of it by itself, such as goal_ratings.csv or sessions.csv.

    Importing the same file again stores nothing twice. Rows whose occasion is on record with other answers are
    refused unless --supersede gives the reason for the correction.

    With --template nothing is imported: FILE, CSV or .xlsx, becomes an empty table to fill in, and its columns are
    explained.
    """
    if template_of is not None:
        _write_template(template_of, file or Path(f"{template_of}.csv"), force=force)
        return
    if file is None:
        raise click.UsageError("Name the FILE to import. For an empty table: mbc import --template rses")
    if not file.exists():
        raise click.UsageError(f"There is no file or folder '{file}'.")
    from mbc.exchange import read_plan  # noqa: PLC0415 - the table engine is loaded when it is needed
    from mbc.exchange.whole_record.record_files import is_record  # noqa: PLC0415
    from mbc.store import Store  # noqa: PLC0415

    console = _console()
    with Store.open(store_url) as store:
        use_definitions(store)
        options = _options(file, arguments)
        if is_record(file):
            if skip_refused or out is not None:
                raise click.UsageError(
                    "A record is imported completely or not at all: --skip-refused and --out apply only to files "
                    "of questionnaires."
                )
            _folder(console, file, store, options, dry_run=dry_run)
            return
        plan = read_plan(file, store, options)
        for note in plan.notes:
            _note(console, note)
        if dry_run:
            plan = plan.compare_with(store)
            _show(console, plan, safety=show_safety)
        else:
            plan = _apply(console, plan, store, skip_refused=skip_refused)
            _print_refused(console, plan.refusals)
            _keep_scores(console, store)
    if out is not None:
        _write_table(plan, out, safety=show_safety, force=force)
    _summary(console, plan, dry_run=dry_run)
    if dry_run and plan.counts["refused"] and not skip_refused:
        raise SystemExit(1)


def _write_template(key: str, path: Path, *, force: bool) -> None:
    from mbc.cli.instruments import find  # noqa: PLC0415 - quick help texts
    from mbc.exchange.export.template import template, write_template  # noqa: PLC0415

    made = template(find(key))
    write_template(made, path, force=force)
    for line in made.lines:
        click.echo(line)
    click.echo(f"\nWritten to {path}. Fill it in, save it, then check it: mbc import {path} --dry-run")


def _options(file: Path, arguments: dict[str, Any]) -> ImportOptions:
    """Put together what the mapping file says and what the command says; the command has the last word."""
    from mbc.exchange import ImportOptions  # noqa: PLC0415
    from mbc.exchange.header.mapping_file import read_mapping  # noqa: PLC0415
    from mbc.exchange.header.mapping_options import column_mapping, per_instrument  # noqa: PLC0415

    mapping, asking = arguments.pop("mapping_file"), arguments.pop("map_interactively")
    try:
        arguments["separator"] = _SEPARATORS.get(arguments["separator"], arguments["separator"])
        if arguments["start_date"] is not None:
            arguments["start_date"] = arguments["start_date"].date()
        arguments["columns"] = column_mapping(arguments["columns"])
        for name in ("form", "coding"):
            arguments[name] = per_instrument(arguments[name], name)
        kept = read_mapping(mapping) if mapping is not None and not (asking and not mapping.exists()) else {}
        if kept.get("separator") in _SEPARATORS:
            kept["separator"] = _SEPARATORS[kept["separator"]]
        options = ImportOptions(**_merge(kept, arguments))
    except SettingsError as fault:
        raise click.UsageError(str(fault)) from None
    if not asking:
        return options
    from mbc.cli.ask_columns import ask_mapping  # noqa: PLC0415

    return ask_mapping(file, options, mapping)


def _merge(kept: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    both = dict(kept)
    for name, value in given.items():
        if isinstance(value, dict):
            both[name] = {**kept.get(name, {}), **value}
        elif value or name not in kept:
            both[name] = value
    return both


def _apply(console: Console, plan: ImportPlan, store: Store, *, skip_refused: bool) -> ImportPlan:
    with _progress(console, len(plan.administrations)) as progress:
        return plan.apply(store, skip_refused=skip_refused, progress=progress)


@contextmanager
def _progress(console: Console, total: int) -> Iterator[Progress]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("Storing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Storing", total=total)
        yield lambda count: bar.advance(task, count)


def _console() -> Console:
    from rich.console import Console  # noqa: PLC0415

    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=160)


def _note(console: Console, text: str) -> None:
    from rich.text import Text  # noqa: PLC0415

    console.print(Text("Note: ", style="yellow").append(text, style="default"), soft_wrap=True)


def _show(console: Console, plan: ImportPlan, *, safety: bool) -> None:
    """Print the plan as a table; texts of the file are never read as markup."""
    import polars as pl  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    frame = plan.to_frame(safety=safety)
    visible = frame
    if len(frame) > _MOST_SHOWN:
        visible = frame.sort(pl.col("outcome") != "refused", maintain_order=True).head(_MOST_SHOWN)
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("Row", "Client", "Questionnaire", "Day", "Would be", "Reason"):
        table.add_column(name, no_wrap=name not in {"Reason", "Client"}, overflow="fold")
    for rows, client, instrument, day, outcome, reason in visible.iter_rows():
        style = _STYLES[outcome]
        cells = (rows, client or "", instrument or "", "" if day is None else str(day))
        table.add_row(*(Text(cell) for cell in cells), Text(outcome, style=style), Text(reason or ""))
    console.print(table)
    if len(visible) < len(frame):
        rest = len(frame) - len(visible)
        _note(console, f"Not shown: {rest} more {'row' if rest == 1 else 'rows'}; --out FILE.csv writes them all.")


def _print_refused(console: Console, lines: Sequence[str]) -> None:
    """Name the rows that were left out, each with its reason."""
    for line in lines[:_MOST_REFUSED]:
        console.print(f"Refused: {line}", markup=False, soft_wrap=True)
    if len(lines) > _MOST_REFUSED:
        rest = len(lines) - _MOST_REFUSED
        _note(console, f"Refused: {rest} more {'row' if rest == 1 else 'rows'}; --out FILE.csv writes them all.")


def _write_table(plan: ImportPlan, path: Path, *, safety: bool, force: bool) -> None:
    from mbc.exchange.files.formula_escape import escape_formulas  # noqa: PLC0415 - loaded when needed
    from mbc.exchange.files.output import write_text  # noqa: PLC0415

    write_text(path, escape_formulas(plan.to_frame(safety=safety)).write_csv(), force=force)


def _summary(console: Console, plan: ImportPlan, *, dry_run: bool) -> None:
    counts = plan.counts
    would = "would be " if dry_run else ""
    twice = plan.duplicates_in_file
    parts = [f"{counts['stored']} {would}stored", f"{counts['duplicate'] - twice} already on record"]
    if twice:
        parts.append(f"{twice} twice in the file")
    if counts["superseding"]:
        parts.insert(1, f"{counts['superseding']} {would}superseding an earlier version")
    if counts["refused"]:
        parts.append(f"{counts['refused']} refused")
    new = plan.new_clients
    clients = f" New clients: {new}." if new else ""
    if plan.unassigned:
        clients += (
            f" {plan.unassigned} of them without a clinician: 'mbc client assign CLIENT --clinician ID',"
            " or import with --clinician ID."
        )
    relationships = f" New relationships: {plan.new_relationships}." if plan.new_relationships else ""
    nothing = " Nothing was stored: this was a dry run." if dry_run else ""
    console.print(
        f"Administrations: {', '.join(parts)}.{clients}{relationships}{nothing}", markup=False, soft_wrap=True
    )


def _folder(console: Console, folder: Path, store: Store, options: ImportOptions, *, dry_run: bool) -> None:
    from mbc.exchange import import_record  # noqa: PLC0415

    with _progress(console, 0) as progress:
        done = import_record(
            folder,
            store,
            supersede=options.supersede,
            dry_run=dry_run,
            progress=progress,
            clinician=options.clinician,
            display_name=options.display_name,
        )
    for note in done.notes:
        _note(console, note)
    for table, counts in done.counts.items():
        summary = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
        console.print(f"{table}: {summary}", markup=False)
    if dry_run:
        console.print("Nothing was stored: this was a dry run.")
    else:
        _keep_scores(console, store)


def _keep_scores(console: Console, store: Store) -> None:
    from mbc.care.scoring.rescore import keep_scores  # noqa: PLC0415

    try:
        with console.status("Computing scores"):
            keep_scores(store)
    except MbcError as fault:  # the answers are stored, and scores can be worked out whenever they are shown
        _note(console, f"Scores were not stored ({fault}). 'mbc rescore --apply' stores them.")
