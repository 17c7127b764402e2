"""``mbc verify``: check the record's integrity."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mbc.cli.options import force_option, instruments_option, store_option, view_of
from mbc.cli.record_summary import warn
from mbc.cli.verify_install import try_installation
from mbc.errors import SettingsError, StoreOlder

if TYPE_CHECKING:
    from mbc.store import Store
    from mbc.store.maintenance.verification import VerifyReport


@click.command("verify")
@click.option("--head", "noted", metavar="HEAD", help="The head printed by an earlier 'mbc verify'.")
@click.option("--as", "username", metavar="USER", help="Act as this account, an administrator.")
@click.option(
    "--head-to",
    "anchor",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Add the head to this file, kept elsewhere, after checking that the head of its last line is in the log.",
)
@click.option(
    "--install",
    is_flag=True,
    help="Test this installation instead of a record: numbered requirements, each with its result.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="With --install: save the validation pack as .html or .pdf, to be reviewed and signed.",
)
@force_option
@store_option
@instruments_option
def command(
    *,
    noted: str | None,
    username: str | None,
    anchor: Path | None,
    store_url: str,
    install: bool,
    out: Path | None,
    force: bool,
) -> None:
    """Check the file, the audit log line by line, and every row against the seal of the entry that wrote it.

    Ends with status 0 when the record is intact, with 1 and each fault when it is not.

    A chain cannot know that its newest lines were cut off. Note the head that is printed somewhere else, on paper
    or in another system, and hand it to the next check with --head.

    With --install no record is opened: each requirement is tried with records of people who do not exist, which
    are gone afterwards. Ends with status 1 when one is not met.
    """
    if install or out is not None or force:
        _try_installation(out, install=install, force=force, of_records=(noted, username, anchor))
        return
    from rich.console import Console  # noqa: PLC0415 - loaded when it is needed
    from rich.progress import Progress  # noqa: PLC0415

    from mbc import sqlite_library  # noqa: PLC0415
    from mbc.care.scoring.rescore import wrong_scores  # noqa: PLC0415

    if anchor is not None and noted is not None:
        raise click.UsageError("Either --head or --head-to.")
    known = noted if anchor is None else last_head(anchor)
    with ExitStack() as opened:
        try:
            full_store = opened.enter_context(open_to_read(store_url))
        except StoreOlder as fault:
            if username is not None or known is not None:
                raise
            _verify_older(store_url, fault)
            return
        store = view_of(full_store, username)
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("Checking", total=None)
            report = store.verify(
                noted=known, progress=lambda done, of: bar.update(task, completed=done, total=of)
            )
            bar.update(task, description="Comparing stored scores with the answers", total=None)
            wrong = wrong_scores(store) if store.can_read("answers") else 0
        where, note = store.url, sqlite_library.caution()
    if note is not None and not where.startswith("postgresql"):
        click.secho(note, fg="yellow", err=True)
    faults = [*report.chain.faults, *report.faults]
    if wrong:
        faults.append(
            f"{_count(wrong, 'stored score')} different from the score of the answers. To correct: mbc rescore "
            "--apply"
        )
    _summary(where, report, faults)
    if anchor is not None and not faults:
        add_head(anchor, report.chain.note)
        click.echo(f"Added to {anchor}.")
    if faults:
        raise click.exceptions.Exit(1)


def _try_installation(out: Path | None, *, install: bool, force: bool, of_records: tuple[object, ...]) -> None:
    if not install:
        raise click.UsageError("--out and --force require --install.")
    if any(option is not None for option in of_records):
        raise click.UsageError("--install checks the program, not a record: leave out the other options.")
    if not try_installation(out, force=force):
        raise click.exceptions.Exit(1)


def _verify_older(store_url: str, why: StoreOlder) -> None:
    """Check a record of an older mbc, in a copy that is brought up to date."""
    from mbc.store.backup.older_record import verify_older  # noqa: PLC0415 - loaded when it is needed

    warn(f"{why} The following refers to an upgraded copy.")
    report = verify_older(store_url)
    _summary(store_url, report, [*report.chain.faults, *report.faults])
    if not report.intact:
        raise click.exceptions.Exit(1)


@contextmanager
def open_to_read(store_url: str) -> Iterator[Store]:
    """Open a record; one on a full or read-only disk by a copy of its files in the folder for temporary files."""
    from mbc.store import Store  # noqa: PLC0415 - the command line stays quick until a record is opened
    from mbc.store.backup.emergency import cannot_be_written, readable_copy  # noqa: PLC0415

    if not cannot_be_written(store_url):
        with Store.open(store_url) as store:
            yield store
        return
    warn("The disk of the record is full or read-only; a copy of its files is checked.")
    next_to = Path(tempfile.gettempdir()) / "mbc-verify"
    with readable_copy(store_url, next_to) as place, Store.open(place.render_as_string()) as store:
        yield store


def last_head(anchor: Path) -> str | None:
    """Read the head that was noted last; None where nothing was noted yet."""
    if not anchor.exists():
        return None
    try:
        lines = anchor.read_text(encoding="ascii").split("\n")
    except (OSError, UnicodeDecodeError) as fault:
        raise SettingsError(f"{anchor} cannot be read as a list of heads: {fault}") from None
    noted = [line.split()[-1] for line in lines if line.strip()]
    return noted[-1] if noted else None


def add_head(anchor: Path, head: str) -> None:
    """Add a line: the moment, and the head. Nothing that stands in the file is changed."""
    try:
        with anchor.open("a", encoding="ascii") as file:
            file.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {head}\n")
    except OSError as fault:
        raise SettingsError(f"{anchor} cannot be written: {fault.strerror}.") from None


def _summary(where: str, report: VerifyReport, faults: list[str]) -> None:
    chain = report.chain
    click.echo(f"{where}: {'intact' if not faults else 'NOT INTACT'}")
    unbroken = ", each following from the one before" if chain.intact else ""
    if chain.lines is None or report.entries is None or report.administrations is None:
        click.echo(f"  the audit log{unbroken}; counts need the permission safety:read")
    else:
        entries, questionnaires = _count(report.entries, "entry", "entries"), report.administrations
        click.echo(f"  {_count(chain.lines, 'line')} of the audit log{unbroken}")
        click.echo(f"  {entries} with {_count(questionnaires, 'questionnaire')}")
    for erasure in chain.erasures:
        click.echo(f"  {erasure['tombstone']}: one person erased by {erasure['by']} ({erasure['reason']})")
    if chain.since_noted is not None:
        after = "" if chain.lines is None else f"; {_count(chain.since_noted, 'line')} came after it"
        click.echo(f"  the head given by --head is part of the log{after}")
    for fault in faults:
        click.echo(f"  FAULT {fault}")
    if faults:
        click.echo("Keep the file as it is, and compare it with an earlier backup.")
    else:
        click.echo(f"Head to note elsewhere, for the next check with --head: {chain.note}")


def _count(count: int, noun: str, plural: str | None = None) -> str:
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
