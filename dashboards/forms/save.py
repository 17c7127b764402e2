"""How what a form asks for is written: once, never over a version that its writer has not seen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dashboards.forms.entry import Draft, Subject, as_seen, key_of
from dashboards.forms.record_words import difference_words, record_words
from mbc.errors import AccessDenied, Conflict, IdentifierTaken, NotInRecord
from mbc.instruments.library import instrument as load
from mbc.store import Administration

Seen = Mapping[str, Mapping[str, str]]  # what names a record -> its fields, as they stood in the form
Outcomes = tuple[str, ...]
_WITHDRAWN = "This questionnaire was recorded earlier and then withdrawn. Give a reason to record it again."


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing was written, and what is to be seen before it can be."""

    problem: str
    needs_reason: bool = False
    seen: Seen = field(default_factory=dict[str, Mapping[str, str]])


def save(subject: Subject, draft: Draft, *, reason: str, seen: Seen) -> Outcomes | Refusal:
    """Write the records of a draft, all or none.

    Parameters
    ----------
    subject : Subject
    draft : Draft
    reason : str
        Why what is on record is replaced; empty where nobody gave one.
    seen : mapping
        The versions that the writer has seen. Another version is never replaced: they see it first.

    Returns
    -------
    tuple of str, or Refusal
        The store's outcome of each record.
    """
    clashes = [
        (record, kept)
        for record in draft.records
        if (kept := subject.on_record(record)) is not None and kept != record
    ]
    unseen = [(record, kept) for record, kept in clashes if seen.get(reference(record)) != as_seen(kept)]
    why = draft.reason or reason
    if unseen or (clashes and not why):
        return _clash(subject, clashes, unseen, seen, has_reason=bool(draft.reason))
    replaced: dict[str, Any] = {reference(record): kept for record, kept in clashes}
    try:
        with subject.store.writing() as writing:
            outcomes = tuple(
                writing.add(
                    record,
                    supersede=why if reference(record) in replaced or _may_replace(record, why) else None,
                    replaces=replaced.get(reference(record)),
                )
                for record in draft.records
            )
        return outcomes if _is_on_record(subject, draft) else Refusal(_WITHDRAWN, needs_reason=True, seen=seen)
    except IdentifierTaken as fault:
        return Refusal(str(fault))
    except (NotInRecord, AccessDenied):
        raise
    except Conflict as fault:  # somebody else was quicker, or a questionnaire of that day is on record
        return _conflict(subject, draft, seen, fault)


def _is_on_record(subject: Subject, draft: Draft) -> bool:
    """Say whether the questionnaires of a draft are on record: what was withdrawn does not come back by itself."""
    for record in draft.records:
        if isinstance(record, Administration) and not load(record.instrument).safety_channel:
            rows = subject.store.administrations(record.instrument, client_id=subject.client_id)
            if rows.filter(taken_on=record.taken_on, target=record.target).is_empty():
                return False
    return True


def _may_replace(record: Any, why: str) -> bool:
    return isinstance(record, Administration) and bool(why)


def reference(record: object) -> str:
    """Name a record by its kind and key."""
    return f"{type(record).__name__} {'' if isinstance(record, Administration) else key_of(record)}"


def seen_of(text: str) -> Seen:
    """Read what a form sent along of the versions that were seen; a broken text is none.

    Examples
    --------
    >>> seen_of('{"Goal G-1": {"label": "a"}}'), seen_of("[1]"), seen_of("{")
    ({'Goal G-1': {'label': 'a'}}, {}, {})
    """
    try:
        sent = json.loads(text or "{}")
    except ValueError:
        return {}
    return sent if isinstance(sent, dict) and all(isinstance(value, dict) for value in sent.values()) else {}


def _clash(
    subject: Subject,
    clashes: list[tuple[Any, Any]],
    unseen: list[tuple[Any, Any]],
    seen: Seen,
    *,
    has_reason: bool,
) -> Refusal:
    changed = [
        f"{record_words(subject, kept)} ({difference_words(seen[reference(record)], kept)})"
        for record, kept in unseen
        if reference(record) in seen
    ]
    on_record = [record_words(subject, kept) for record, kept in clashes]
    shown = {reference(record): as_seen(kept) for record, kept in clashes}
    if changed:
        problem = (
            f"Somebody has changed this since you opened the form: {'; '.join(changed)}. Nothing was overwritten. "
            "Your entries are shown below; submit them again to replace what is now on record."
        )
    else:
        problem = f"Already on record: {'; '.join(on_record)}. Give a reason to replace it; nothing was saved."
    return Refusal(problem, needs_reason=not has_reason, seen={**seen, **shown})


def _conflict(subject: Subject, draft: Draft, seen: Seen, fault: Conflict) -> Refusal:
    again = Subject(subject.store, subject.user, subject.client_id, subject.today)
    clashes = [
        (record, kept) for record in draft.records if (kept := again.on_record(record)) not in (None, record)
    ]
    if clashes:
        return _clash(again, clashes, clashes, seen, has_reason=bool(draft.reason))
    if any(isinstance(record, Administration) for record in draft.records):
        return Refusal(
            "This questionnaire is already on record for that day with other answers. Give a reason to replace "
            "them, or choose another day.",
            needs_reason=True,
            seen=seen,
        )
    return Refusal(str(fault), seen=seen)
