"""Questionnaires of the clinic's own whose definition is not the recorded one, or was not found."""

from __future__ import annotations

from mbc.errors import MbcError
from mbc.exchange.own_definitions import recorded_texts, with_definitions_of_record
from mbc.instruments.library import all_keys, own_text
from mbc.store import Store


@with_definitions_of_record
def changed_definitions(store: Store) -> tuple[str, ...]:
    """Say of which questionnaires the definition in use is not the one that answers were last recorded with."""
    known = set(all_keys())
    return tuple(
        f"The definition of '{key}' in use is not the one in force when its answers were last recorded. 'mbc "
        "rescore' shows what that changes."
        for key, text in recorded_texts(store).items()
        if key in known and _text(key) != text
    )


@with_definitions_of_record
def undefined_instruments(store: Store, client_id: str | None = None) -> dict[str, tuple[str, ...]]:
    """List the questionnaires on record whose definition was not found, by client."""
    asked = store.administrations(client_id=client_id).select("client_id", "instrument").unique()
    known = set(all_keys())
    undefined: dict[str, tuple[str, ...]] = {}
    for client, key in asked.sort("client_id", "instrument").iter_rows():
        if key not in known:
            undefined[client] = (*undefined.get(client, ()), key)
    return undefined


def _text(key: str) -> str | None:
    try:
        return own_text(key)
    except MbcError:
        return None
