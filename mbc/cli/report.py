"""``mbc report``: what is printed, as PDF or as HTML."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mbc.cli.askings import read_settings_of, settings_option
from mbc.cli.options import (
    as_option,
    cohort_models,
    force_option,
    instrument_option,
    instruments_option,
    models_option,
    store_option,
    view_of,
)

if TYPE_CHECKING:
    from mbc.reports import Document
    from mbc.store import Store

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


@click.group("report")
def command() -> None:
    """Print reports: for the clinician, the client, a couples therapist, the clinic.

    Safety data are part of none of them. Who made which report is written in the audit trail.
    """


@dataclass(frozen=True, slots=True)
class _Output:
    """What the options of every report say: where it goes, its paper and day, and whose view of which record."""

    place: Path
    paper: str
    day: dt.date | None
    store_url: str
    username: str | None

    @contextmanager
    def opened(self) -> Generator[tuple[Store, Store]]:
        """Open the record: the view that the report is made in, and all of it, for the clinic's models."""
        from mbc.store import Store  # noqa: PLC0415 - the command line stays quick until a report is made

        with Store.open(self.store_url) as full_store:
            yield view_of(full_store, self.username), full_store

    def save(self, store: Store, document: Document, client_id: str, **detail: Any) -> None:
        """Write the report, and a line in the audit trail that it was made."""
        _save(store, document, self.place, self.paper, client_id, **detail)


def _output(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that every report has; the command is handed them as one ``output``."""
    options: tuple[Decorator, ...] = (
        click.option(
            "-o",
            "--output",
            "target",
            type=click.Path(path_type=Path),
            required=True,
            metavar="FILE",
            help="File to write; its name ends in .pdf or .html.",
        ),
        click.option(
            "--paper",
            type=click.Choice(("a4", "us-letter")),
            default="a4",
            show_default=True,
            help="Paper size of a PDF.",
        ),
        click.option(
            "--as-of",
            type=click.DateTime(["%Y-%m-%d"]),
            help="Reference date of the report. Default: today.",
        ),
        force_option,
        store_option,
        instruments_option,
        as_option,
    )

    @wraps(function)
    def command(
        *,
        target: Path,
        paper: str,
        as_of: dt.datetime | None,
        force: bool,
        store_url: str,
        username: str | None,
        **others: Any,
    ) -> None:
        day = None if as_of is None else as_of.date()
        function(output=_Output(_target(target, force=force), paper, day, store_url, username), **others)

    decorated: Callable[..., Any] = command
    for option in reversed(options):
        decorated = option(decorated)
    return decorated


@command.command("client")
@click.argument("client_id", metavar="CLIENT")
@click.option("--expected/--no-expected", default=True, show_default=True, help="Fit the clinic's growth models.")
@models_option
@_output
def client(
    *,
    client_id: str,
    expected: bool,
    models_folder: Path | None,
    output: _Output,
) -> None:
    """Print the clinician's review of CLIENT on at most two sheets."""
    from mbc.reports import client_report  # noqa: PLC0415

    with output.opened() as (store, full_store):
        cohort = cohort_models(full_store, models_folder, fits="when asked for") if expected else None
        document = client_report(store, client_id, cohort=cohort, as_of=output.day)
        output.save(store, document, client_id)


@command.command("summary")
@click.argument("client_id", metavar="CLIENT")
@click.option("--language", default="en", show_default=True, help="de, en, es, fr or nl.")
@instrument_option("measures", "Only this questionnaire; may be repeated. Default: all that are not private.")
@click.option(
    "--include",
    type=click.Choice(("relationship", "alliance", "events", "goals")),
    multiple=True,
    help="Include content that a partner must not read, in this print only; may be repeated.",
)
@models_option
@_output
def summary(
    *,
    client_id: str,
    language: str,
    measures: tuple[str, ...],
    include: tuple[str, ...],
    models_folder: Path | None,
    output: _Output,
) -> None:
    """Print one page in plain words for CLIENT to take home.

    Names of relationship scales, the alliance, relationship events and statuses, and goals about leaving or
    another person are left out unless --include ticks them. Read the page before you hand it over.
    """
    from mbc.care import client_review  # noqa: PLC0415 - quick until a report is made
    from mbc.reports.catalogue import catalogue  # noqa: PLC0415
    from mbc.reports.plain_summary import printed_goals, summary_document  # noqa: PLC0415

    words = catalogue(language)
    with output.opened() as (store, full_store):
        cohort = cohort_models(full_store, models_folder, fits="when asked for")
        review = client_review(store, client_id, cohort=cohort, as_of=output.day)
        document = summary_document(review, words, measures=measures, include=include)
        output.save(store, document, client_id, included=include)
    goals = printed_goals(review, include)
    _say_goals(len(review.goals) - len(goals), [goal.label for goal in goals])
    _warn_of(include)


@command.command("measures")
@click.argument("client_id", metavar="CLIENT")
@click.option("--language", default="en", show_default=True, help="de, en, es, fr or nl.")
@click.option(
    "--include",
    type=click.Choice(("relationship", "alliance")),
    multiple=True,
    help="Include questionnaires that a partner must not read about, in this print only; may be repeated.",
)
@models_option
@_output
def measures_sheet(
    *,
    client_id: str,
    language: str,
    include: tuple[str, ...],
    models_folder: Path | None,
    output: _Output,
) -> None:
    """Print for CLIENT how their progress is measured, from their own plan.

    What they are asked, how often, what a clear change is, and where the lines come from. Names of relationship
    scales and of the alliance are left out unless --include ticks them.
    """
    from mbc.reports import measures_report  # noqa: PLC0415
    from mbc.reports.catalogue import catalogue  # noqa: PLC0415

    catalogue(language)  # refused before anything is read
    with output.opened() as (store, full_store):
        cohort = cohort_models(full_store, models_folder, fits="when asked for")
        document = measures_report(
            store, client_id, language=language, include=include, cohort=cohort, as_of=output.day
        )
        output.save(store, document, client_id, included=include)
    _warn_of(include)


@command.command("couples")
@click.argument("client_id", metavar="CLIENT")
@click.option("--release", "release_id", metavar="ID", required=True, help="Release of information on record.")
@models_option
@_output
def couples(
    *,
    client_id: str,
    release_id: str,
    models_folder: Path | None,
    output: _Output,
) -> None:
    """Print the consented scores of CLIENT for a couples therapist.

    Only the scales and days of the release, with its purpose, recipient and expiry on every sheet. It needs the
    permission for the safety channel.
    """
    from mbc.errors import ReportError  # noqa: PLC0415
    from mbc.reports import couples_report  # noqa: PLC0415

    if output.day is not None and output.day < dt.date.today():  # noqa: DTZ011 - the calendar day where the clinic is
        raise ReportError("The validity of a release is checked today: leave out --as-of.")
    with output.opened() as (store, full_store):
        cohort = cohort_models(full_store, models_folder, fits="when asked for")
        document = couples_report(store, client_id, release_id, cohort=cohort, as_of=output.day)
        output.save(store, document, client_id, release=release_id)


@command.command("clinic")
@click.option("--release", "name", metavar="NAME", help="Release to report, such as 2026-Q3. Default: the latest.")
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File to write; its name ends in .pdf, .html or .xlsx.",
)
@click.option(
    "--recompute-pack",
    "folder",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Write a new folder with which anyone can recompute the figures.",
)
@click.option(
    "--benchmarks",
    "benchmarks",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    metavar="FILE.toml",
    help="Published rates of your choice, with their sources, to compare with those of the release.",
)
@click.option(
    "--paper",
    type=click.Choice(("a4", "us-letter")),
    default="a4",
    show_default=True,
    help="Paper size of a PDF.",
)
@force_option
@store_option
@as_option
def clinic(
    *,
    name: str | None,
    target: Path | None,
    folder: Path | None,
    benchmarks: Path | None,
    paper: str,
    force: bool,
    store_url: str,
    username: str | None,
) -> None:
    """Print the clinic's outcomes of a release: one page for a director, an appendix for a statistician.

    Everything is from a release ('mbc release make'), nothing from live data. With --benchmarks an appendix
    shows rates next to those that others published, with their sources.
    """
    from mbc.reports.benchmarks import read_benchmarks  # noqa: PLC0415 - quick until a report is made
    from mbc.reports.clinic_report import document_of, read_release  # noqa: PLC0415
    from mbc.reports.recompute.pack import write_pack  # noqa: PLC0415
    from mbc.store import Store  # noqa: PLC0415

    if target is None and folder is None:
        raise click.UsageError("Nothing to write. Name a file with -o, a folder with --recompute-pack, or both.")
    if benchmarks is not None and target is None:
        raise click.UsageError("--benchmarks apply to a report: name its file with -o. A recompute pack has none.")
    place = None if target is None else _target(target, force=force, also=(".xlsx",))
    with Store.open(store_url) as full_store:
        store = view_of(full_store, username)
        read = read_release(store, name, () if benchmarks is None else read_benchmarks(benchmarks))
        document = document_of(read)
        released = read.stored.name
        if place is not None and place.suffix.lower() == ".xlsx":
            from mbc.reports.clinic_workbook import workbook_of  # noqa: PLC0415

            _save_bytes(store, document, place, workbook_of(read), None, release=released)
        elif place is not None:
            _save(store, document, place, paper, None, release=released)
        if folder is not None:
            from mbc.reports.audit import record_report  # noqa: PLC0415

            write_pack(read.stored, folder)
            record_report(store, document, None, form="recompute pack", release=released)
            click.echo(f"Written to {folder}. To recompute the figures: python {folder / 'recompute.py'}")


def _warn_of(included: tuple[str, ...]) -> None:
    """Warn of what was ticked for a print that a client takes home."""
    from mbc.reports.private_matters import PRIVATE_WORDS, WARNING  # noqa: PLC0415 - the command line stays quick

    if included:
        names = ", ".join(PRIVATE_WORDS[name] for name in included)
        click.secho(f"Includes {names}. {WARNING}", fg="yellow", err=True)


@command.command("sheet")
@click.argument("client_id", metavar="CLIENT")
@click.argument("keys", metavar="[INSTRUMENT]...", nargs=-1)
@click.option("--battery", metavar="NAME", help="A battery of the settings: weekly, ...")
@click.option("--language", metavar="CODE", help="Language of the loaded wording; default: the clinic's.")
@click.option("--target", "relationship", metavar="ID", help="Relationship to be rated; default: the current one.")
@click.option("--about", metavar="NAME", help="What client and clinician call the relationship; default: nothing.")
@click.option("--alone", "answers_alone", is_flag=True, help="The client answers alone: for safety screens.")
@click.option(
    "--goal",
    "goals",
    metavar="GOAL[=WORDS]",
    multiple=True,
    help="A goal of the client's to rate, in its own words or in these; may be repeated.",
)
@settings_option
@_output
def sheet(  # noqa: PLR0913 - an option each
    *,
    client_id: str,
    keys: tuple[str, ...],
    battery: str | None,
    language: str | None,
    relationship: str | None,
    about: str | None,
    answers_alone: bool,
    goals: tuple[str, ...],
    settings_file: Path | None,
    output: _Output,
) -> None:
    """Print questionnaires for CLIENT to answer on paper or on the telephone.

    Loaded wording, a number at each answer, and a code for each questionnaire: typed into 'Questionnaire on
    paper' of the client's page, it opens the form for the answers. No name stands on the sheet. Goals stand
    together under one code, each on its own levels, from 0 to 10 or from -2 to 2.
    """
    from mbc.care.askings.ask import AskOptions  # noqa: PLC0415 - quick until a report is made
    from mbc.care.askings.ask import battery as battery_of  # noqa: PLC0415
    from mbc.care.askings.paper import paper_form  # noqa: PLC0415
    from mbc.reports import paper_document  # noqa: PLC0415

    settings = read_settings_of(settings_file)
    wanted = [*keys, *(battery_of(settings, battery) if battery else ())]
    named = tuple((goal_id, words) for goal_id, _, words in (goal.partition("=") for goal in goals))
    options = AskOptions(language, relationship, about, answers_alone, goals=named)
    with output.opened() as (store, _):
        form = paper_form(store, settings, client_id, wanted, options, today=output.day)
        document = paper_document(form, output.day or dt.date.today())  # noqa: DTZ011 - where the clinic is
        output.save(store, document, client_id)
    for each in form.sheets:
        click.echo(f"Code {each.code}")


def _say_goals(left_out: int, printed: list[str]) -> None:
    """List the goals on the sheet: no list of words knows every way of speaking about another person."""
    for label in printed:
        click.echo(f"Goal on the form: {label}")
    if left_out:
        click.echo(f"Goals left out: {left_out}.")


def _target(target: Path, *, force: bool, also: tuple[str, ...] = ()) -> Path:
    """Check where a report is to be written, before anything is read."""
    from mbc.errors import ReportError  # noqa: PLC0415 - the command line stays quick
    from mbc.reports.document import checked_path  # noqa: PLC0415

    place = checked_path(target, also=also)
    if place.exists() and not force:
        raise ReportError(f"{place} already exists. --force replaces it.")
    return place


def _save(store: Store, document: Document, place: Path, paper: str, client_id: str | None, **detail: Any) -> None:
    """Write a report, and a line in the audit trail that it was made; nothing of its content."""
    content = document.content(place.suffix, paper=paper)  # pyright: ignore[reportArgumentType]
    _save_bytes(store, document, place, content, client_id, **detail)


def _save_bytes(
    store: Store, document: Document, place: Path, content: bytes, client_id: str | None, **detail: Any
) -> None:
    from mbc.reports.audit import record_report  # noqa: PLC0415 - the command line stays quick
    from mbc.reports.document import write_report  # noqa: PLC0415

    record_report(store, document, client_id, form=place.suffix.lower().lstrip("."), **detail)
    write_report(place, content)
    click.echo(f"Written to {place}.")
