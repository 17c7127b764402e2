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
_OPTIONS = {"answer": "ANSWER", "change": "--change", "reason": "--because", "answered_on": "--on"}


@click.command("answer")
@entry_options
@click.argument("answer", type=click.Choice(list(_ANSWERS)))
@click.option("--change", type=click.Choice(CHANGES), help="What was changed, with 'changed'.")
@click.option("--because", metavar="WORDS", help="Reason for not now, or details.")
@click.option("--signal", "signal_id", metavar="ID", help="Signal id; default: the latest unanswered one.")
@day_option("answered_on", "--on")
def answer(
    *, client_id: str, store_url: str, username: str | None, supersede: str | None, answer: str, **given: Any
) -> None:
    """Answer a signal of CLIENT: seen, changed (--change), or not-now (--because).

    A change that concerns safety needs the permission; everybody else sees the signal as 'seen'. 'mbc signals
    list' shows the signals. After a change, points to consider are printed.
    """
    change = given["change"]

    def make(store: Store) -> Made:
        if change == SAFETY and not store.has_permission("safety:read"):
            raise StoreError("The change 'safety' needs the permission 'safety:read'.")
        signal = signal_named(store, client_id, given["signal_id"]).signal
        day = given["answered_on"] or today()
        try:
            records = answer_records(signal, day, _ANSWERS[answer], change=change, reason=given["because"])
        except StoreError as fault:
            raise StoreError(_with_options(str(fault))) from None
        click.echo(f"{signal_words(signal)}, {signal.raised_on} ({signal.signal_id})")
        return Made(list(records))

    write(store_url, username, supersede, make)
    if change is not None:
        listed = considerations_of(change)
        click.echo("To consider:")
        for point in listed.points:
            click.echo(f"- {point}")
        click.echo(f"Sources: {'; '.join(listed.sources)}")


def _with_options(fault: str) -> str:
    """Name the option where a message names the field."""
    field, _, words = fault.partition(": ")
    return f"{_OPTIONS[field]}: {words}" if field in _OPTIONS else fault


COMMANDS = {"answer": answer}
