"""``mbc verify``: check the record's integrity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mbc.cli.options import instruments_option, store_option, view_of

if TYPE_CHECKING:
    from mbc.store.maintenance.verification import VerifyReport


@click.command("verify")
@click.option("--head", "noted", metavar="HEAD", help="The head printed by an earlier 'mbc verify'.")
@click.option("--as", "username", metavar="USER", help="Act as this account, an administrator.")
@store_option
@instruments_option
def command(*, noted: str | None, username: str | None, store_url: str) -> None:
    """Check the file, the audit log line by line, and every row against the seal of the entry that wrote it.

    Ends with status 0 when the record is intact, with 1 and each fault when it is not.

    A chain cannot know that its newest lines were cut off. Note the head that is printed somewhere else, on paper
    or in another system, and hand it to the next check with --head.
    """
    from rich.console import Console  # noqa: PLC0415 - loaded when it is needed
    from rich.progress import Progress  # noqa: PLC0415

    from mbc.care.scoring.rescore import wrong_scores  # noqa: PLC0415
    from mbc.store import Store  # noqa: PLC0415 - the command line stays quick until a record is opened
    from mbc.store.database import sqlite_library  # noqa: PLC0415

    with Store.open(store_url) as full_store:
        store = view_of(full_store, username)
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("Checking", total=None)
            report = store.verify(
                noted=noted, progress=lambda done, of: bar.update(task, completed=done, total=of)
            )
            bar.update(task, description="Comparing stored scores with the answers", total=None)
            wrong = wrong_scores(store) if store.can_read("answers") else 0
        where, note = store.url, sqlite_library.caution()
    if note is not None and not where.startswith("postgresql"):
        click.secho(note, fg="yellow", err=True)
    faults = [*report.chain.faults, *report.faults]
    if wrong:
        faults.append(
            f"{_count(wrong, 'stored score')} different from what the answers give. Correct: mbc rescore --apply"
        )
    _summary(where, report, faults)
    if faults:
        raise click.exceptions.Exit(1)


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
        click.echo("Keep the file as it is, and compare it with a backup from before.")
    else:
        click.echo(f"Head to note elsewhere, for the next check with --head: {chain.note}")


def _count(count: int, noun: str, plural: str | None = None) -> str:
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
