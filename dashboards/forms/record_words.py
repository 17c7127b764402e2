"""How a record is written in a line: after it was made, and where two versions differ."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.components.wording import day_words
from dashboards.forms.entry import Subject, as_seen
from mbc.care.signals.words import answer_words, signal_words
from mbc.care.words import count, number
from mbc.instruments.short_names import short_name
from mbc.store import (
    Client,
    Episode,
    Event,
    Goal,
    GoalRating,
    Homework,
    PatternTag,
    PlannedMeasure,
    Relationship,
    RelationshipStatus,
    Session,
    Signal,
    SignalAnswer,
    SupportNetwork,
)
from mbc.store.schema.kinds import KINDS

FIELD_WORDS: dict[str, str] = {
    "held_on": "day", "attended": "kept", "occurred_on": "day", "rated_on": "day", "set_on": "set on",
    "higher_is_better": "higher is better", "retired_on": "retired on", "retired_reason": "why retired",
    "started_on": "began on", "ended_on": "ended on", "referred_on": "referred on", "clinician_id": "clinician",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Taken:
    """A questionnaire that is on record, without its answers."""

    administration_id: int
    instrument: str
    taken_on: dt.date


def record_words(subject: Subject, record: Any) -> str:
    """Write a record in one line."""
    return _WORDS.get(type(record), _any)(subject, record)


def difference_words(seen: Mapping[str, str], record: Any) -> str:
    """Write what of a record is no longer as it was seen."""
    now = as_seen(record)
    parts = [
        f"{FIELD_WORDS.get(name, name.replace('_', ' '))} was {_value(seen.get(name))}, is {_value(value)}"
        for name, value in now.items()
        if seen.get(name) != value
    ]
    return "; ".join(parts)


def _value(text: str | None) -> str:
    return (
        "blank"
        if text in (None, "None", "")
        else f"\N{LEFT DOUBLE QUOTATION MARK}{text}\N{RIGHT DOUBLE QUOTATION MARK}"
    )


def quoted(text: str) -> str:
    """Write free text in quotation marks."""
    return f"\N{LEFT DOUBLE QUOTATION MARK}{text}\N{RIGHT DOUBLE QUOTATION MARK}"


def goal_label(subject: Subject, goal_id: str) -> str:
    """Give the words of a goal."""
    return next((goal.label for goal in subject.of(Goal) if goal.goal_id == goal_id), goal_id)


def relationship_label(subject: Subject, relationship_id: str | None) -> str:
    """Give the label of a relationship."""
    known = {each.relationship_id: each.label for each in subject.of(Relationship)}
    return known.get(relationship_id or "", relationship_id or "")


def _any(_: Subject, record: Any) -> str:
    """Write a kind that needs no words of its own: what it is, what was typed, its rating, its day."""
    kind = KINDS[type(record)]
    texts = [quoted(text) for name in kind.texts if (text := getattr(record, name))]
    rating = getattr(record, "rating", None)
    parts = [] if rating is None else [number(rating, 1)]
    if isinstance(record, Homework) and record.completion:
        parts.append(record.completion)
        parts += [] if record.helpful is None else [f"helpful {number(record.helpful, 1)}"]
    repaired = getattr(record, "repaired", "not asked")
    if repaired != "not asked":
        parts.append({True: "repaired", False: "not repaired", None: "repair not known"}.get(repaired, ""))
    if isinstance(record, PlannedMeasure):
        parts.append(short_name(record.instrument))
    day = day_words(getattr(record, kind.day)) if kind.day else ""
    return ", ".join(filter(None, (" ".join((kind.noun.capitalize(), *texts[:1])), *parts, day)))


def _session(_: Subject, record: Session) -> str:
    kept = "kept" if record.attended else "missed"
    where = f", {record.modality}" if record.modality else ""
    return f"Session {record.number}, {kept}, {day_words(record.held_on)}{where}"


def _goal(_: Subject, record: Goal) -> str:
    span = [
        f"{words} {number(value, 1)}"
        for words, value in (("start", record.baseline), ("target", record.target))
        if value is not None
    ]
    ended = (
        [] if record.retired_on is None else [f"retired {day_words(record.retired_on)}: {record.retired_reason}"]
    )
    return ", ".join([f"Goal {quoted(record.label)}", *span, *ended])


def _rating(subject: Subject, record: GoalRating) -> str:
    goal = quoted(goal_label(subject, record.goal_id))
    return f"Goal {goal} rated {number(record.rating, 1)}, {day_words(record.rated_on)}"


def _event(_: Subject, record: Event) -> str:
    return f"Event {quoted(record.label)}, {day_words(record.occurred_on)}"


def _relationship(_: Subject, record: Relationship) -> str:
    return f"Relationship {record.label}"


def _status(subject: Subject, record: RelationshipStatus) -> str:
    whose = f"{relationship_label(subject, record.relationship_id)}: " if record.relationship_id else ""
    return f"{whose}{record.status} since {day_words(record.since)}"


def _episode(_: Subject, record: Episode) -> str:
    if record.ended_on is not None:
        return f"Episode of care ended {day_words(record.ended_on)}: {record.ending or 'ending not recorded'}"
    began = record.started_on or record.referred_on
    return f"Episode of care from {day_words(began)}" if isinstance(began, dt.date) else "Episode of care"


def _taken(_: Subject, record: Taken) -> str:
    return f"{short_name(record.instrument)}, {day_words(record.taken_on)}"


def _client(_: Subject, record: Client) -> str:
    return f"Client {record.alias or record.client_id}"


def _signal(_: Subject, record: Signal) -> str:
    return f"{signal_words(record)}, {day_words(record.raised_on)}"


def _tag(subject: Subject, record: PatternTag) -> str:
    where = relationship_label(subject, record.relationship_id)
    return f"Pattern {quoted(record.pattern)} in {where}, {day_words(record.noted_on)}"


def _support(_: Subject, record: SupportNetwork) -> str:
    how = f"{count(record.people, 'person', 'people')}, quality {number(record.quality, 1)}"
    return f"Support network: {how}, {day_words(record.rated_on)}"


def _answer(subject: Subject, record: SignalAnswer) -> str:
    signal = next((each for each in subject.of(Signal) if each.signal_id == record.signal_id), None)
    about = f" ({_signal(subject, signal)})" if signal else ""
    return f"Signal{about} answered {answer_words(record)}"


_WORDS: dict[type, Callable[[Subject, Any], str]] = {
    Session: _session,
    Goal: _goal,
    GoalRating: _rating,
    Event: _event,
    Relationship: _relationship,
    RelationshipStatus: _status,
    Episode: _episode,
    Client: _client,
    Taken: _taken,
    Signal: _signal,
    SignalAnswer: _answer,
    PatternTag: _tag,
    SupportNetwork: _support,
}
