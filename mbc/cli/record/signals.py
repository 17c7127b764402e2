"""The command that answers a signal."""

from __future__ import annotations

from typing import Any

import click

from mbc.care.signals.answer import CHANGES, SAFETY, answer_records, signal_named
from mbc.care.signals.considerations import considerations_of
from mbc.care.signals.words import signal_words
from mbc.cli.record.write import Made, day_option, entry_options, today, write
from mbc.errors import StoreError
from mbc.store import Store

_ANSWERS = {"seen": "seen", "changed": "changed", "not-now": "not now"}


@click.command("answer")
@entry_options
@click.argument("answer", type=click.Choice(list(_ANSWERS)))
@click.option("--change", type=click.Choice(CHANGES), help="What was changed, with 'changed'.")
@click.option("--because", metavar="WORDS", help="Why not now, or what exactly.")
@click.option("--signal", "signal_id", metavar="ID", help="Which signal; default: the latest without an answer.")
@day_option("answered_on", "--on")
def answer(
    *, client_id: str, store_url: str, username: str | None, supersede: str | None, answer: str, **given: Any
) -> None:
    """Answer a signal of CLIENT: seen, changed (--change), or not-now (--because).

    A change that concerns safety needs the permission; for everybody else the signal was seen. 'mbc signals list'
    shows the signals. After a change, what may be considered is printed.
    """
    change = given["change"]
    if (answer == "changed") != (change is not None):
        raise click.UsageError("--change goes with 'changed', and only with it.")
    if answer == "not-now" and given["because"] is None:
        raise click.UsageError("'not-now' needs a reason: --because WORDS.")

    def make(store: Store) -> Made:
        if change == SAFETY and not store.has_permission("safety:read"):
            raise StoreError("The change 'safety' needs the permission 'safety:read'.")
        signal = signal_named(store, client_id, given["signal_id"]).signal
        day = given["answered_on"] or today()
        if day < signal.raised_on:
            raise StoreError(f"The signal is of {signal.raised_on}; an answer on {day} lies before it.")
        click.echo(f"{signal_words(signal)}, {signal.raised_on} ({signal.signal_id})")
        records = answer_records(
            signal.signal_id, client_id, day, _ANSWERS[answer], change=change, reason=given["because"]
        )
        return Made(list(records))

    write(store_url, username, supersede, make)
    if change is not None:
        listed = considerations_of(change)
        click.echo("To consider:")
        for point in listed.points:
            click.echo(f"- {point}")
        click.echo(f"Sources: {'; '.join(listed.sources)}")


COMMANDS = {"answer": answer}
