"""Signals and their answers in words, for the page, the command line and the history."""

from __future__ import annotations

from mbc.care.signals.ledger import LedgerEntry
from mbc.care.signals.present_states import ALLIANCE_FELL, NOT_ON_TRACK
from mbc.care.words import day_words, sentence
from mbc.errors import DefinitionError, UnknownInstrument
from mbc.instruments import instrument
from mbc.store import Signal, SignalAnswer


def signal_words(signal: Signal) -> str:
    """Name what asked for attention.

    Examples
    --------
    >>> import datetime as dt
    >>> signal_words(Signal("S-1", "C001", dt.date(2026, 3, 2), "clearly worse", "rses 18 to 9", "rses", "total"))
    'Self-esteem clearly worse'
    """
    if signal.state == NOT_ON_TRACK:
        return "Not on track"
    if signal.state == ALLIANCE_FELL:
        return "Alliance fell since last time"
    return f"{_measure(signal)} {signal.state}".strip().capitalize() if signal.instrument else signal.state


def _measure(signal: Signal) -> str:
    try:
        return instrument(str(signal.instrument)).scale(signal.scale).title
    except (UnknownInstrument, DefinitionError):
        return str(signal.instrument)


def answer_words(answer: SignalAnswer) -> str:
    """Write an answer in a few words.

    Examples
    --------
    >>> import datetime as dt
    >>> answer_words(SignalAnswer("S-1", "C001", dt.date(2026, 3, 2), "changed", "alliance"))
    'changed: alliance'
    >>> answer_words(SignalAnswer("S-1", "C001", dt.date(2026, 3, 2), "not now", reason="exam week"))
    'not now: exam week'
    """
    parts = [answer.answer] if answer.change is None else [f"changed: {answer.change}"]
    if answer.reason:
        parts.append(answer.reason)
    return (": " if answer.answer == "not now" else ", ").join(parts)


def entry_words(entry: LedgerEntry) -> str:
    """Write a signal and its answers as a sentence.

    Examples
    --------
    >>> import datetime as dt
    >>> entry_words(LedgerEntry(Signal("S-1", "C001", dt.date(2026, 3, 2), "not on track", "rses 18 to 9")))
    '2 Mar 2026, not on track: not answered.'
    """
    answers = [f"{answer_words(answer)} ({day_words(answer.answered_on)})" for answer in entry.answers]
    words = signal_words(entry.signal)
    first = words[:1].lower() + words[1:]
    return sentence(f"{day_words(entry.signal.raised_on)}, {first}: {'; '.join(answers) or 'not answered'}")
