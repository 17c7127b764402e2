"""How a command writes an entry: in one transaction, with the line that undoes it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from mbc.cli.options import DEFAULT_STORE, Decorator, as_option, store_option, view_of
from mbc.errors import Conflict

if TYPE_CHECKING:
    from mbc.store import Record, Store
    from mbc.store.schema.kinds import Kind

NOTHING = "-"  # of a key's part that is empty: the client's own status belongs to no relationship
QUESTIONNAIRE = "questionnaire"

supersede_option: Decorator = click.option(
    "--supersede", metavar="REASON", help="Reason for correcting an entry; both versions stay on record."
)
"""``--supersede REASON``."""


def day_option(
    name: str,
    *words: str,
    help: str = "Day; default: today.",  # noqa: A002 - click's word
    later: bool = False,
) -> Decorator:
    """Make an option for a calendar day, handed over as ``datetime.date``; ``later`` than today where allowed."""
    return click.option(
        *words,
        name,
        type=click.DateTime(["%Y-%m-%d"]),
        metavar="YYYY-MM-DD",
        callback=_as_day if later else _as_past_day,
        help=help,
    )


def _as_day(_: click.Context, __: click.Parameter, value: Any) -> date | None:
    return None if value is None else value.date()


def _as_past_day(context: click.Context, parameter: click.Parameter, value: Any) -> date | None:
    day = _as_day(context, parameter, value)
    if day is not None and day > today():
        raise click.BadParameter(f"{day} is in the future; today is {today()}.", context, parameter)
    return day


def entry_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add what every entry has: a client, a reason to correct, whose account, which record."""
    for decorate in (store_option, as_option, supersede_option):
        function = decorate(function)
    return click.argument("client_id", metavar="CLIENT")(function)


def today() -> date:
    """Give the day that an entry is of when nothing else is details."""
    return date.today()  # noqa: DTZ011 - the calendar day where the command is run


class Made(NamedTuple):
    """What a command wants written, and why it may correct what is on record by itself."""

    records: Sequence[Record]
    reason: str | None = None


def write(
    store_url: str,
    username: str | None,
    supersede: str | None,
    make: Callable[[Store], Made],
) -> None:
    """Write what ``make`` gives, all or none, and print it; with a reason of its own, it may correct.

    Raises
    ------
    Conflict
        If it is on record with other content, and no reason to correct it is given.
    """
    from mbc.store import Store  # noqa: PLC0415 - the command line stays quick until a record is opened

    with Store.open(store_url) as full_store:
        store = view_of(full_store, username)
        made = make(store)
        reason = supersede or made.reason
        try:
            with store.writing() as record:
                outcomes = [record.add(each, supersede=reason) for each in made.records]
        except Conflict as fault:
            raise type(fault)(str(fault).replace("supersede='...'", "--supersede '...'")) from None
        for each, outcome in zip(made.records, outcomes, strict=True):
            if outcome == "duplicate":
                click.echo(f"Already on record, nothing was saved: {entry_words(each)}.")
                continue
            click.echo(f"{'Corrected' if outcome == 'superseding' else 'Recorded'}: {entry_words(each)}.")
            click.echo(f"Undo: {undo_line(store, each, store_url, username)}")


def entry_words(record: Any) -> str:
    """Write an entry in one line: what it is, of whom, and all that it says."""
    from mbc.store import Administration  # noqa: PLC0415

    if isinstance(record, Administration):
        answers = " ".join("-" if answer is None else f"{answer:g}" for answer in record.answers)
        about = "" if record.target == "self" else f" about {record.target}"
        return f"{record.instrument} of {record.client_id}{about}, {record.taken_on}: {answers}"
    kind = kind_of(record)
    named = [value_words(getattr(record, name)) for name in kind.key if name != "client_id"]
    details = [
        f"{field.name.replace('_', ' ')} {value_words(value)}"
        for field in fields(record)
        if field.name not in (*kind.key, "client_id") and (value := getattr(record, field.name)) is not None
    ]
    owner = getattr(record, "client_id", "")
    head = " ".join(
        part for part in (kind.noun, *named, f"of {owner}" if owner else "") if part not in ("", NOTHING)
    )
    return f"{head}: {', '.join(details)}" if details else head


def value_words(value: object) -> str:
    """Write a value of a field."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def kind_of(record: object) -> Kind:
    """Give the declaration of an entry's kind."""
    from mbc.store.schema.kinds import KINDS  # noqa: PLC0415

    return KINDS[type(record)]


def undo_line(store: Store, record: Any, store_url: str, username: str | None) -> str:
    """Write the command that takes an entry back, so that it can be run as it stands."""
    from mbc.cli.record.names import KIND_NAMES  # noqa: PLC0415
    from mbc.store import Administration, GoalRating  # noqa: PLC0415

    if isinstance(record, Administration):
        rows = store.administrations(record.instrument, client_id=record.client_id, channel=_channel(record))
        client_id, key = record.client_id, [str(rows["administration_id"].max())]
    else:
        client_id = store.goals().filter(goal_id=record.goal_id)["client_id"].item() if isinstance(
            record, GoalRating
        ) else record.client_id  # fmt: skip
        key = [value_words(getattr(record, name)) for name in kind_of(record).key if name != "client_id"]
    words = ["mbc", "record", "undo", client_id, KIND_NAMES[type(record)], *key]
    words += ["--as", username] if username is not None else []
    words += ["--store", store_url] if store_url not in (DEFAULT_STORE, os.environ.get("MBC_STORE")) else []
    return shlex.join(words)


def _channel(record: Any) -> Any:
    from mbc.instruments.library import instrument  # noqa: PLC0415

    return "safety" if instrument(record.instrument).safety_channel else "care"
