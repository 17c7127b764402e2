"""What makes two administrations the same occasion, and the same content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import date, datetime

from mbc.store.records import Administration

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


def seal_line(
    administration_id: int,
    content_digest: str,
    version: str,
    channel: str,
    episode_id: str | None,
    supersedes: int | None,
    reason: str | None,
) -> bytes:
    """Write one administration as a line of its entry's seal: what the content's digest leaves out is here."""
    line = [administration_id, content_digest, version, channel, episode_id, supersedes, reason]
    return _write(line).encode() + b"\n"
