"""Models that were fitted to the clinic's scores, kept so that no page and no command waits for a fit.

The store knows no model: it keeps a text for each scale, with the day and the record's state it was fitted to.
A text holds what many clients have in common, and no row of anybody. Each row has a digest keyed with a secret
outside the record: a model that was edited does not count and is fitted again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from mbc.store.schema import tables as t

_KEPT = ("made_at", "made_on", "revision", "definition", "content")


@dataclass(frozen=True, slots=True)
class KeptModel:
    """A fitted model of one scale, as the record keeps it."""

    instrument: str
    scale: str
    made_at: datetime  # UTC
    made_on: date  # the day that the clinic's pages were read on
    revision: str  # state of the care channel that it was fitted to: `Store.care_revision`
    definition: str  # digest of the questionnaire's definition
    content: str  # the model as JSON
    digest: str = ""  # set when it is kept


def digest_of(model: KeptModel, key: bytes) -> str:
    """Digest everything that is kept of a model."""
    values = (model.instrument, model.scale, model.made_at.isoformat(), model.made_on.isoformat(), model.revision,
              model.definition, model.content)  # fmt: skip
    text = "\x1f".join(values)
    return hashlib.blake2b(text.encode(errors="replace"), key=key, digest_size=16).hexdigest()


def claim(connection: Connection, instrument: str, scale: str, *, now: datetime, lasts: timedelta) -> bool:
    """Take it on to fit the model of a scale, so that no other process does the same; False if another has."""
    c = t.clinic_model.c
    row = {"instrument": instrument, "scale": scale, "claimed_until": now}
    connection.execute(_insert(connection).values(row).on_conflict_do_nothing())
    change = update(t.clinic_model).where(c.instrument == instrument, c.scale == scale)
    free = change.where((c.claimed_until.is_(None)) | (c.claimed_until <= now))
    return connection.execute(free.values(claimed_until=now + lasts)).rowcount == 1


def release(connection: Connection, instrument: str, scale: str) -> None:
    """Give a claim back without a model."""
    c = t.clinic_model.c
    here = (c.instrument == instrument, c.scale == scale)
    connection.execute(delete(t.clinic_model).where(*here, c.content.is_(None)))
    connection.execute(update(t.clinic_model).where(*here).values(claimed_until=None))


def keep(connection: Connection, model: KeptModel, key: bytes) -> None:
    """Keep a model in place of the one that is there; the claim on it ends."""
    row: dict[str, Any] = {name: getattr(model, name) for name in ("instrument", "scale", *_KEPT)}
    row |= {"digest": digest_of(model, key), "claimed_until": None}
    insertion = _insert(connection)
    values = {name: insertion.excluded[name] for name in (*_KEPT, "digest", "claimed_until")}
    connection.execute(insertion.on_conflict_do_update(index_elements=["instrument", "scale"], set_=values), [row])


def read(connection: Connection, key: bytes | None, *, unless: Collection[str] = ()) -> list[KeptModel]:
    """Read the models that are as they were kept; none without the key.

    The content of those whose digest is among ``unless`` is not read again: it is empty.
    """
    if key is None:
        return []
    c = t.clinic_model.c
    heads = select(c.instrument, c.scale, c.digest).where(c.content.is_not(None)).order_by(c.instrument, c.scale)
    models: list[KeptModel] = []
    for instrument, scale, digest in connection.execute(heads).all():
        names = _KEPT[:-1] if digest in unless else _KEPT
        query = select(*(c[name] for name in names)).where(c.instrument == instrument, c.scale == scale)
        row = connection.execute(query).mappings().one()
        values: dict[str, Any] = {"content": "", **row}
        model = KeptModel(instrument, scale, **values, digest=digest)
        if digest in unless or digest == digest_of(model, key):
            models.append(model)
    return models


def forget(connection: Connection, instruments: Collection[str]) -> None:
    """Forget the models of some questionnaires: somebody whom they were learned from is erased."""
    connection.execute(delete(t.clinic_model).where(t.clinic_model.c.instrument.in_(sorted(instruments))))


def _insert(connection: Connection) -> Any:
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(t.clinic_model)


__all__ = ["KeptModel", "claim", "digest_of", "forget", "keep", "read", "release"]
