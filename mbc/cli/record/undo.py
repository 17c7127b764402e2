"""``mbc record undo``: the last change of an entry is taken back, as a correction with a reason."""

from __future__ import annotations

import datetime as dt
from typing import Any

import click

from mbc.cli.options import as_option, store_option, view_of
from mbc.cli.record.names import KIND_NAMES
from mbc.cli.record.write import NOTHING
from mbc.errors import NotInRecord
from mbc.store import Administration, Store
from mbc.store.schema.field_types import field_types
from mbc.store.schema.kinds import KINDS

_NAMES = {name: kind for kind, name in KIND_NAMES.items()}
_WORDS = {"withdrawn": "Withdrawn", "restored": "Restored to its previous state"}


@click.command("undo")
@click.argument("client_id", metavar="CLIENT")
@click.argument("name", metavar="ENTRY", type=click.Choice(sorted(_NAMES)))
@click.argument("key", metavar="[KEY]...", nargs=-1)
@click.option("--reason", default="undone", show_default=True, help="Stored with the change.")
@as_option
@store_option
def undo(
    *, client_id: str, name: str, key: tuple[str, ...], reason: str, username: str | None, store_url: str
) -> None:
    """Undo the last change of an entry.

    Every command of 'mbc record' prints the line that undoes it. A new entry is withdrawn, a correction gives way
    to what was before, and what was withdrawn comes back. Nothing is erased: the history keeps all of it.
    """
    record_kind = _NAMES[name]
    with Store.open(store_url) as full_store:
        store = view_of(full_store, username)
        with store.writing() as record:
            done = record.undo(record_kind, *_key(record_kind, client_id, key), reason=reason)
            if record.only_named not in (None, client_id):  # nothing is kept of this transaction
                raise NotInRecord(f"{client_id} has no {name} {' '.join(key)} on record.")
    click.echo(f"{_WORDS[done]}: {' '.join((name, *key))} of {client_id}.")


def _key(kind: type, client_id: str, key: tuple[str, ...]) -> list[Any]:
    if kind is Administration:
        return [int(part) if part.isdecimal() else part for part in key]
    names = list(KINDS[kind].key)
    wanted = [name for name in names if name != "client_id"]
    if len(key) != len(wanted):
        listed = " ".join(name.upper() for name in wanted) or "nothing more"
        raise click.UsageError(f"An entry of this kind is identified by {listed}.")
    given = dict(zip(wanted, key, strict=True))
    types = {each.name: each.kind for each in field_types(kind)}
    return [client_id if name == "client_id" else _part(types[name], given[name]) for name in names]


def _part(kind: type, text: str) -> Any:
    if text == NOTHING:
        return None
    try:
        return dt.date.fromisoformat(text) if kind is dt.date else kind(text)
    except ValueError:
        raise click.UsageError(
            f"'{text}' is not a {'date such as 2026-01-31' if kind is dt.date else 'number'}."
        ) from None


COMMANDS = {"undo": undo}
