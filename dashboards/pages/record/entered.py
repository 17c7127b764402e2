"""What a visitor has just recorded: kept in their session as names of records, never as words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from flask import current_app, session

from dashboards.forms.entry import Subject, as_seen, key_of
from dashboards.forms.record_words import Taken
from mbc.instruments.library import instrument as load
from mbc.store import Administration, SafetyChange, SignalAnswer
from mbc.store.schema.kinds import KINDS, channel_of

_ENTERED = "entered"  # in the session: [client, [[kind, key, digest], ...]], latest first
_MOST = 5
_KINDS = {kind.__name__: kind for kind in KINDS}
_PAPER = Administration.__name__


@dataclass(frozen=True, slots=True)
class Entered:
    """What one form has written, as it is on record now."""

    number: str  # names it in the session
    records: tuple[Any, ...]  # in the order in which they were written


def note_entered(subject: Subject, records: Sequence[Any]) -> None:
    """Remember what was just written of a client."""
    names = [[type(record).__name__, key] for record in records if (key := _name(record))]
    written = [[kind, key, _digest(_on_record(subject, kind, key))] for kind, key in names]
    if written:
        session[_ENTERED] = [[subject.client_id, written], *_entries()][:_MOST]


def entered_for(subject: Subject) -> list[Entered]:
    """Give what was just written of a client, latest first; what was changed or undone since is left out."""
    listed: list[Entered] = []
    for client_id, written in _entries():
        if client_id == subject.client_id:
            records = [
                record for kind, key, digest in written if (record := _as_written(subject, kind, key, digest))
            ]
            if len(records) == len(written):
                listed.append(Entered(_number(written), tuple(records)))
    return listed


def undo_entered(subject: Subject, number: str) -> bool:
    """Take back what one form has written: all of it, or nothing. It stays in the history, with the reason.

    Returns
    -------
    bool
        Whether there was such an entry of the visitor's; one that was changed or undone since is none.

    Raises
    ------
    Conflict
        If somebody changes it at this moment, or something else on record names it.
    """
    entry = next((entry for entry in entered_for(subject) if entry.number == number), None)
    if entry is None:
        return False
    with subject.store.writing() as writing:
        for record in reversed(entry.records):  # what names another goes before what it names
            if isinstance(record, Taken):
                writing.undo(Administration, record.administration_id)
                continue
            change = _safety_change(subject, record)
            if change is not None and writing.written_together(record, change):  # not one of an earlier answer
                writing.undo(type(change), change.signal_id, change.answered_on)
            writing.add(record, supersede="undone", replaces=record)  # locks it, and refuses another version
            writing.undo(type(record), *(getattr(record, name) for name in KINDS[type(record)].key))
    return True


def _safety_change(subject: Subject, record: Any) -> SafetyChange | None:
    """Give the safety part of an answer to a signal, for those who may see it."""
    if not isinstance(record, SignalAnswer) or not subject.store.has_permission("safety:read"):
        return None
    return subject.find(SafetyChange, key_of(record))


def _name(record: Any) -> str:
    """Name a record; one of the safety channel is left out: a cookie must not say that there is one."""
    if isinstance(record, Administration):
        apart = load(record.instrument).safety_channel
        return "" if apart else "~".join((record.instrument, str(record.taken_on), record.target))
    return key_of(record) if type(record) in KINDS and channel_of(record) == "care" else ""


def _as_written(subject: Subject, kind: str, key: str, digest: str) -> Any:
    record = _on_record(subject, kind, key)
    return record if record is not None and _digest(record) == digest else None


def _on_record(subject: Subject, kind: str, key: str) -> Any:
    if kind == _PAPER:
        return _taken(subject, key)
    return subject.find(_KINDS[kind], key) if kind in _KINDS else None


def _taken(subject: Subject, key: str) -> Taken | None:
    instrument, day, target = (*key.split("~"), "", "")[:3]
    rows = subject.store.administrations(instrument, client_id=subject.client_id)
    same = [row for row in rows.iter_rows(named=True) if (str(row["taken_on"]), row["target"]) == (day, target)]
    return Taken(same[-1]["administration_id"], instrument, same[-1]["taken_on"]) if same else None


def _digest(record: Any) -> str:
    """Give a keyed digest of a version: the cookie can be read by whoever holds the browser."""
    secret = current_app.secret_key
    key = secret.encode() if isinstance(secret, str) else bytes(secret or b"")
    content = json.dumps(as_seen(record), sort_keys=True) if record is not None else ""
    return blake2b(content.encode(), key=key[:64], digest_size=9, person=b"entered").hexdigest()


def _number(written: Sequence[Sequence[str]]) -> str:
    return blake2b(json.dumps(written).encode(), digest_size=6).hexdigest()


def _entries() -> Iterator[list[Any]]:
    kept = session.get(_ENTERED)
    return iter(kept if isinstance(kept, list) else [])
