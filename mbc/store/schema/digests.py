"""What makes two administrations the same occasion, and the same content."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from mbc.store.schema.records import Administration

_write = json.JSONEncoder(separators=(",", ":")).encode  # made once: json.dumps would make one for every call


def occasion(record: Administration) -> str:
    """Digest the natural key: client, instrument, informant, target, day, and the moment where it is known."""
    return occasion_of(
        record.client_id,
        record.instrument,
        record.informant,
        record.target,
        record.taken_on,
        record.taken_at,
    )


def occasion_of(
    client_id: str, instrument: str, informant: str, target: str, taken_on: date, taken_at: datetime | None
) -> str:
    """Digest a natural key by its parts. A moment is written in UTC."""
    moment = taken_at.isoformat() if taken_at else ""
    key = (client_id, instrument, informant, target, taken_on.isoformat(), moment)
    return hashlib.blake2b("\x1f".join(key).encode(), digest_size=16).hexdigest()


def content(record: Administration, occasion_digest: str) -> str:
    """Digest everything that was handed in; what mbc adds (definition version, channel, flags) stays outside.

    So a file met again after an update of mbc is a duplicate still.
    """
    return content_of(
        occasion_digest,
        record.form,
        record.coding,
        record.session_number,
        record.answers,
        record.totals.items(),
    )


def content_of(
    occasion_digest: str,
    form: str | None,
    coding: str | None,
    session_number: int | None,
    answers: Iterable[float | None],
    totals: Iterable[tuple[str, float]],
) -> str:
    """Digest content by its parts, so that rows on record can be checked against their digest."""
    parts = [occasion_digest, form, coding, session_number, list(answers), sorted(map(tuple, totals))]
    return hashlib.sha256(_write(parts).encode()).hexdigest()


def administration_leaf(  # noqa: PLR0913 - what an administration holds beside its content
    secret: bytes,
    *,
    administration_id: int,
    content: str,
    version: str,
    channel: str,
    episode_id: str | None,
    revision: int,
    supersedes: int | None,
    reason: str | None,
    source_line: int | None,
    flags: Iterable[tuple[str, str, str, str, date]],
) -> bytes:
    """Digest one administration for its entry's seal: what the content's digest leaves out is here.

    ``flags`` are item, kind, client, instrument and day of each. The client's secret keys it: without the secret
    it tells nobody anything, not even whether a guess is right.
    """
    raised = sorted([*flag[:-1], flag[-1].isoformat()] for flag in flags)
    line = [
        administration_id,
        content,
        version,
        channel,
        episode_id,
        revision,
        supersedes,
        reason,
        source_line,
        raised,
    ]
    return hashlib.blake2b(_write(line).encode(), key=secret, digest_size=32).digest()


def row_leaf(secret: bytes, kind: str, row: Mapping[str, Any]) -> bytes:
    """Digest any other row for its entry's seal.

    What is empty is left out, so that a column which comes later changes nothing.

    Examples
    --------
    >>> row_leaf(b"k", "goal", {"goal_id": "G1", "scale": None}) == row_leaf(b"k", "goal", {"goal_id": "G1"})
    True
    """
    content = {name: value for name, value in row.items() if value is not None}
    text = json.dumps([kind, content], default=str, sort_keys=True)
    return hashlib.blake2b(text.encode(), key=secret, digest_size=32).digest()


def entry_digest(entry_id: int, recorded_at: datetime, recorded_by: str) -> str:
    """Digest who wrote an entry, and when."""
    moment = utc(recorded_at).isoformat(timespec="microseconds")
    return hashlib.sha256(_write([entry_id, moment, recorded_by]).encode()).hexdigest()


def new_secret() -> str:
    """Make what keys one client's digests."""
    return secrets.token_hex(32)


def key_of(secret: str | None) -> bytes:
    """Turn a secret into a key; what belongs to no client has none."""
    return (secret or "").encode()[:64]


def utc(moment: datetime) -> datetime:
    """Name the zone of a moment that SQLite gave back without one."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
