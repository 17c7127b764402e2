"""The form that answers a signal: seen, something was changed, or not now and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dashboards.forms.entry import Details, Draft, EntryForm, Subject
from dashboards.forms.fields import Choice, Field, Reading
from mbc.care.signals.answer import CHANGES, SAFETY, answer_records
from mbc.care.signals.considerations import considerations_of
from mbc.care.signals.ledger import read_ledger, unanswered
from mbc.care.signals.words import signal_words
from mbc.care.words import day_words
from mbc.store import Signal, SignalAnswer

KEY = "signal"
ANSWERS = (("seen", "Seen"), ("changed", "We changed something"), ("not now", "Not now"))


def changes_for(subject: Subject) -> tuple[str, ...]:
    """Name what can have been changed; safety for those with its permission alone, whoever the client is."""
    allowed = subject.store.has_permission("safety:read")
    return tuple(change for change in CHANGES if allowed or change != SAFETY)


def _fields(subject: Subject, _: Signal, __: Mapping[str, str]) -> tuple[Field, ...]:
    answers = tuple(Choice(value, words, key=str(n)) for n, (value, words) in enumerate(ANSWERS, start=1))
    changes = tuple(
        Choice(change, change.capitalize(), key=str(n)) for n, change in enumerate(changes_for(subject), start=1)
    )
    return (
        Field("answer", "What was done about it?", "choice", "", answers),
        Field("change", "What was changed", "choice", "", changes, required=False, hint="if something was"),
        Field("reason", "Details", required=False, longest=160, hint="needed for 'not now': why"),
        Field("answered_on", "Day", "day", subject.today.isoformat(), most=subject.today),
    )


def _draft(_: Subject, signal: Signal, typed: Reading, __: str) -> Draft:
    answer, change, day = typed.text("answer"), typed.text("change") or None, typed.day("answered_on")
    return Draft(answer_records(signal, day, answer, change=change, reason=typed.text("reason") or None))


def waiting_signals(subject: Subject) -> list[tuple[str, Signal]]:
    """Give the signals without an answer, latest first, each with the words of a link to it."""
    return [
        (f"Answer: {_lower(signal_words(entry.signal))}, {day_words(entry.signal.raised_on)}", entry.signal)
        for entry in unanswered(read_ledger(subject.store, subject.client_id))
    ]


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]


def _details(subject: Subject) -> Sequence[Details]:
    lists = (considerations_of(change) for change in changes_for(subject))
    return [
        Details(f"{each.change.capitalize()}: what to consider", each.points, "; ".join(each.sources))
        for each in lists
    ]


SIGNAL = EntryForm(
    KEY,
    "Answer a signal",
    "This session",
    (Signal, SignalAnswer),
    _fields,
    _draft,
    changes=True,
    only_changes=True,
    links=waiting_signals,
    details=_details,
)
