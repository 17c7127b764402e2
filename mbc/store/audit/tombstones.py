"""Who is not taken in again: what is left of clients who were erased on request."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from mbc.errors import Erased
from mbc.store.schema import tables as t


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is known of one erasure; not whom it was about."""

    tombstone_id: str
    erased_at: datetime


def new_tombstone_id() -> str:
    """Make a name that says nothing."""
    return f"erased-{secrets.token_hex(6)}"


def digest(salt: str, client_id: str) -> str:
    """Digest an identifier so that it can be recognised, and not read back."""
    return hashlib.blake2b(client_id.encode(), key=salt.encode(), digest_size=32).hexdigest()


def erased_among(connection: Connection, client_ids: Collection[str]) -> dict[str, Tombstone]:
    """Find those of some identifiers whose clients were erased."""
    if not client_ids:
        return {}
    c = t.tombstone.c
    rows = connection.execute(select(c.tombstone_id, c.erased_at, c.salt, c.client)).all()
    return {
        client_id: Tombstone(tombstone.tombstone_id, tombstone.erased_at)
        for tombstone in rows
        for client_id in client_ids
        if digest(tombstone.salt, client_id) == tombstone.client
    }


def refusal(client_id: str, tombstone: Tombstone) -> str:
    """Say why a client is not taken in."""
    return (
        f"The client '{client_id}' was erased on {tombstone.erased_at:%Y-%m-%d} ({tombstone.tombstone_id}) and "
        "the identifier cannot be used again. If this is another client, or the client has returned, use a new "
        "identifier."
    )


def require_not_erased(connection: Connection, client_ids: Collection[str]) -> None:
    """Raise Erased if one of some new clients was erased."""
    for client_id, tombstone in sorted(erased_among(connection, client_ids).items()):
        raise Erased(refusal(client_id, tombstone))
