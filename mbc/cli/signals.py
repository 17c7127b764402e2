"""``mbc signals``: the signal ledger of the clinic."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mbc.cli.options import (
    as_option,
    cohort_models,
    instruments_option,
    models_option,
    store_option,
    use_definitions,
    view_of,
)

if TYPE_CHECKING:
    from rich.console import Console

    from mbc.care.signals.report import SignalReport

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group("signals")
def command() -> None:
    """Show what asked for attention, what was done about it, and what followed.

    A signal is given when a client's page or review shows that they are not on track, that a scale is clearly
    worse, or that the alliance fell; it is answered on that page or by 'mbc record answer'.
    """


@command.command("report")
@click.option("--as-of", type=_DAY, help="Reference date; default: today.")
@click.option(
    "--csv",
    "csv",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the proportions to this file.",
)
@models_option
@instruments_option
@as_option
@store_option
def report(
    *,
    as_of: dt.datetime | None,
    csv: Path | None,
    models_folder: Path | None,
    username: str | None,
    store_url: str,
) -> None:
    """Count the clinic's signals: answered, how soon, how often right, and what followed.

    The counts are exact, for those who see the clients; with each share comes what the small-number rule lets
    be published.
    """
    from rich.console import Console  # noqa: PLC0415 - the command line stays quick

    from mbc.care.signals.report import signal_report  # noqa: PLC0415
    from mbc.exchange.files.output import write_text  # noqa: PLC0415
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as full_store:
        store = view_of(full_store, username)
        use_definitions(store)
        made = signal_report(
            store, as_of=None if as_of is None else as_of.date(), cohort=cohort_models(full_store, models_folder)
        )
        if csv is not None:
            store.audit.record("export", format="signals, csv", file=csv.name, rows=len(made.shares))
    print_report(Console(highlight=False), made)
    if csv is not None:
        write_text(csv, made.to_frame().write_csv(), force=True)


def print_report(console: Console, made: SignalReport) -> None:
    """Print a report on signals: shares, alerts of each clinician, what followed, and what it does not prove."""
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from mbc.care.signals.report_words import alert_rows, followed_rows, notes, share_rows  # noqa: PLC0415

    published = dict(made.to_frame().select("metric", "published").iter_rows())
    parts = (
        (
            "Signals",
            ("", "share (95 % limits)", "publishable"),
            [(*row, _publishable(published[row[0]])) for row in share_rows(made)],
        ),
        ("Signals of the last 90 days", ("clinician", "signals", "clients in care"), alert_rows(made)),
        ("What followed", ("answer", "signal cleared", "further change"), followed_rows(made)),
    )
    for title, headings, rows in parts:
        table = Table(title=title, title_justify="left", title_style="bold", box=None, header_style="bold")
        for heading in headings:
            table.add_column(heading)
        for row in rows:
            table.add_row(*row)
        console.print(table)
    for note in notes(made):
        console.print(Text(note), soft_wrap=True)


def _publishable(published: str) -> str:
    return "not shown" if published == "NULL" else published


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Include answered ones.")
@as_option
@store_option
def list_(*, everything: bool, username: str | None, store_url: str) -> None:
    """List the signals that wait for an answer, the latest first."""
    from mbc.care.signals.ledger import read_ledger  # noqa: PLC0415
    from mbc.care.signals.words import entry_words  # noqa: PLC0415
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as full_store:
        entries = read_ledger(view_of(full_store, username))
    listed = [entry for entry in entries if everything or entry.latest is None]
    if not listed:
        click.echo("No signal is on record." if everything else "No signal is waiting for an answer.")
    for entry in listed:
        click.echo(f"{entry.signal.client_id:<16}{entry.signal.signal_id}  {entry_words(entry)}")
        click.echo(f"{'':<16}{entry.signal.inputs} ({entry.signal.model}, {entry.signal.version})")


@command.command("update")
@models_option
@instruments_option
@as_option
@store_option
def update(*, models_folder: Path | None, username: str | None, store_url: str) -> None:
    """Judge every client in care and write new signals down; made for a timer (cron, systemd).

    Without it a signal is written when somebody opens the client's page or review.
    """
    from mbc.care.signals.note import update_signals  # noqa: PLC0415
    from mbc.errors import AccessDenied  # noqa: PLC0415
    from mbc.store import Signal, Store  # noqa: PLC0415

    with Store.open(store_url) as full_store:
        store = view_of(full_store, username)
        if not store.can_write(Signal):
            raise AccessDenied(f"{username} may not write signals.")
        use_definitions(store)
        new = update_signals(store, cohort=cohort_models(full_store, models_folder))
    click.echo(f"{new or 'No'} new {'signal' if new == 1 else 'signals'}.")


@command.command("alliance")
@click.option("--outcome", default="rses", show_default=True, metavar="KEY[.SCALE]", help="Scale to compare with.")
@instruments_option
@as_option
@store_option
def alliance(*, outcome: str, username: str | None, store_url: str) -> None:
    """Explore whether a better alliance comes before a better score, or after one, within clients."""
    from mbc.care.signals.alliance_lag import alliance_lag  # noqa: PLC0415
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(store_url) as full_store:
        store = view_of(full_store, username)
        use_definitions(store)
        made = alliance_lag(store, outcome)
    for line in made.words:
        click.echo(line)


@command.command("set")
@click.option("--cooldown-days", type=click.IntRange(1, 365), help="Number of days an answered signal is paused.")
@click.option(
    "--follow-sessions",
    type=click.IntRange(1, 52),
    help="Number of sessions after which what followed is assessed.",
)
@store_option
def set_(*, cooldown_days: int | None, follow_sessions: int | None, store_url: str) -> None:
    """Show the clinic's rules for signals, or change them."""
    from dataclasses import replace  # noqa: PLC0415

    from mbc.store import Store  # noqa: PLC0415
    from mbc.store.accounts.clinic_settings import signal_words  # noqa: PLC0415

    given = {"cooldown_days": cooldown_days, "follow_sessions": follow_sessions}
    change = {name: value for name, value in given.items() if value is not None}
    with Store.open(store_url) as store:
        rules = store.signal_rules()
        if change:
            rules = replace(rules, **change)
            store.set_signal_rules(rules)
    click.echo(signal_words(rules.cooldown_days, rules.follow_sessions))
