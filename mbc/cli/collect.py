"""``mbc collect``: bring clients' answers from the box on record."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mbc.cli.askings import end_with_parent, open_box, read_settings_of, settings_option, with_parent_option
from mbc.cli.options import cohort_models, instruments_option, store_option, use_definitions
from mbc.cli.serve import end_cleanly

if TYPE_CHECKING:
    from mbc.care.askings.collect import Collected
    from mbc.store import Store


@click.command("collect")
@click.option(
    "--every",
    metavar="SECONDS",
    type=click.IntRange(1, 86_400),
    help="Keep collecting at this interval until stopped.",
)
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), hidden=True)
@settings_option
@instruments_option
@with_parent_option
@store_option
def command(
    *, every: int | None, day: datetime | None, settings_file: Path | None, with_parent: bool, store_url: str
) -> None:
    """Import clients' answers from the box into the record, and note the progress of each request.

    Run it by a timer (cron, systemd), or with --every. It never stores an answer twice. What cannot be stored
    stays in the box, and the exit status is 1.
    """
    from mbc.care.askings.collect import collect  # noqa: PLC0415 - the command line stays quick
    from mbc.errors import MbcError  # noqa: PLC0415
    from mbc.store import Store  # noqa: PLC0415

    settings = read_settings_of(settings_file)
    if with_parent:
        end_cleanly()
        end_with_parent()
    with Store.open(store_url) as store, closing(open_box(settings, store_url)) as box:
        use_definitions(store)
        on = None if day is None else day.date()
        if every is None:
            result = collect(store, box, day=on)
            _note(store, result, on)
            _report(result)
            if result.faults:
                raise MbcError("\n".join(result.faults))
            return
        click.echo(f"Collecting every {every} seconds  (Ctrl-C stops)")
        with suppress(KeyboardInterrupt):
            _go_on(lambda: _note(store, collect(store, box, day=on), on), every)


def _note(store: Store, result: Collected, day: date | None) -> Collected:
    """Write down what newly asks for attention in the answers that were collected."""
    from mbc.care.signals.note import update_signals  # noqa: PLC0415 - the command line stays quick

    if result.clients:
        update_signals(store, result.clients, cohort=cohort_models(store), as_of=day)
    return result


def _go_on(collect_once: Callable[[], Collected], every: int) -> None:
    """Collect until stopped; a fault is reported once as long as it lasts."""
    from mbc.errors import StoreBusy, StoreUnreachable  # noqa: PLC0415 - the command line stays quick

    reported: list[str] = []
    while True:
        try:
            result = collect_once()
        except (StoreBusy, StoreUnreachable) as fault:  # the next round may get through
            faults = [str(fault)]
        else:
            faults = result.faults
            if result.answered or result.stopped:
                _report(result)
        for fault in faults:
            if fault not in reported:
                click.echo(fault, err=True)
        reported = faults
        time.sleep(every)


def _report(result: Collected) -> None:
    already = f", {result.duplicates} already on record" if result.duplicates else ""
    askings = "1 request" if result.answered == 1 else f"{result.answered} requests"
    click.echo(f"{askings} answered, {result.stored} questionnaires stored{already}.")
    for client_id in result.stopped:
        click.echo(f"{client_id} has opted out of these questions.")
