"""What a visitor has just recorded: kept in their session as names of records, never as words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import session

from dashboards.forms.entry import Subject, key_of
from dashboards.forms.record_words import Taken
from mbc.instruments.library import instrument as load
from mbc.store import Administration
from mbc.store.writing.versioned import KINDS

_ENTERED = "entered"  # in the session
_MOST = 6
_PARTS = 3  # client, kind, key
_KINDS = {kind.__name__: kind for kind in KINDS}
_PAPER = Administration.__name__


@dataclass(frozen=True, slots=True)
class Entered:
    """One record that was just written, as it stands on record now."""

    kind: str
    key: str
    record: Any
    can_undo: bool = False


def note_entered(subject_id: str, records: tuple[Any, ...]) -> None:
    """Remember what was just written of a client."""
    new = [[subject_id, type(record).__name__, key] for record in records if (key := _name(record))]
    before = [entry for entry in _entries() if entry not in new]
    session[_ENTERED] = [*reversed(new), *before][:_MOST]


def entered_for(subject: Subject) -> list[Entered]:
    """Give what was just written of a client, the latest first; what is on record no longer is left out."""
    listed: list[Entered] = []
    for client_id, kind, key in _entries():
        if client_id != subject.client_id:
            continue
        record = _on_record(subject, kind, key)
        if record is not None:
            listed.append(Entered(kind, key, record))
    return listed


def _on_record(subject: Subject, kind: str, key: str) -> Any:
    if kind == _PAPER:
        return _taken(subject, key)
    return subject.find(_KINDS[kind], key) if kind in _KINDS else None


def _name(record: Any) -> str:
    """Name a record; one of the safety channel is left out: a cookie must not say that there is one."""
    if isinstance(record, Administration):
        apart = load(record.instrument).safety_channel
        return "" if apart else "~".join((record.instrument, str(record.taken_on), record.target))
    return key_of(record) if type(record) in KINDS else ""


def _taken(subject: Subject, key: str) -> Taken | None:
    instrument, day, target = (*key.split("~"), "", "")[:3]
    rows = subject.store.administrations(instrument, client_id=subject.client_id)
    same = [row for row in rows.iter_rows(named=True) if (str(row["taken_on"]), row["target"]) == (day, target)]
    return Taken(same[-1]["administration_id"], instrument, same[-1]["taken_on"]) if same else None


def _entries() -> list[list[str]]:
    kept = session.get(_ENTERED)
    return [entry for entry in kept if len(entry) == _PARTS] if isinstance(kept, list) else []
