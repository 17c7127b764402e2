"""How a signal is answered: seen, something was changed, or not now and why."""

from __future__ import annotations

import datetime as dt
from typing import get_args

from mbc.care.signals.ledger import LedgerEntry, read_ledger, unanswered
from mbc.errors import NotInRecord, StoreError
from mbc.store import SafetyChange, Signal, SignalAnswer, Store
from mbc.store.schema.entries import Answer, ChangeMade
from mbc.store.writing.result import Outcome

SAFETY = "safety"  # a change that is kept in the safety channel: others read "seen"
CHANGES: tuple[str, ...] = ("alliance", "motivation", SAFETY, *get_args(ChangeMade)[2:])


def answer_records(
    signal: Signal, on: dt.date, answer: str, *, change: str | None = None, reason: str | None = None
) -> tuple[SignalAnswer | SafetyChange, ...]:
    """Make the records of an answer; one that concerns safety is "seen" to everybody without the permission.

    Parameters
    ----------
    signal : Signal
    on : date
        The day of the answer.
    answer : {"seen", "changed", "not now"}
    change : str, optional
        What was changed, with "changed": one of `CHANGES`.
    reason : str, optional
        Needed with "not now". None with "safety": everybody who may read the answer would read it.

    Raises
    ------
    StoreError
        If it is no answer. The message begins with the name of the field, and a colon.

    Examples
    --------
    >>> signal = Signal("S-1", "C001", dt.date(2026, 3, 2), "not on track", "rses.total 22 to 10")
    >>> records = answer_records(signal, dt.date(2026, 3, 2), "changed", change="safety")
    >>> [type(record).__name__ for record in records], records[0].answer
    (['SignalAnswer', 'SafetyChange'], 'seen')
    """
    if answer == "changed" and change is None:
        raise StoreError("change: Choose what was changed.")
    if answer != "changed" and change is not None:
        raise StoreError("answer: Something is named as changed; that goes with the answer 'changed' alone.")
    if change is not None and change not in CHANGES:
        raise StoreError(f"change: '{change}' is none of {', '.join(CHANGES)}.")
    if answer == "not now" and not reason:
        raise StoreError("reason: Say in a few words why not now.")
    if change == SAFETY and reason:
        raise StoreError(
            "reason: Everybody who may read the answer would read these words. Leave them out; what concerns "
            "safety belongs in the safety plan."
        )
    if on < signal.raised_on:
        raise StoreError(f"answered_on: The signal is of {signal.raised_on}; the answer cannot be earlier.")
    named = (signal.signal_id, signal.client_id)
    if change == SAFETY:
        return SignalAnswer(*named, on, "seen"), SafetyChange(*named, on)
    chosen: Answer = answer  # pyright: ignore[reportAssignmentType] - the record checks it
    made: ChangeMade | None = change  # pyright: ignore[reportAssignmentType]
    return (SignalAnswer(*named, on, chosen, made, reason),)


def answer_signal(
    store: Store,
    client_id: str,
    answer: str,
    *,
    change: str | None = None,
    reason: str | None = None,
    signal_id: str | None = None,
    on: dt.date | None = None,
    supersede: str | None = None,
) -> Outcome:
    """Answer a signal of a client.

    Parameters
    ----------
    store : Store
    client_id : str
    answer : {"seen", "changed", "not now"}
    change : str, optional
        What was changed, with "changed": one of `CHANGES`. "safety" needs the permission ``safety:read``.
    reason : str, optional
        Needed with "not now", and refused with "safety".
    signal_id : str, optional
        Which signal; the latest that has no answer when not given.
    on : date, optional
        The day; today when not given.
    supersede : str, optional
        Why it corrects the answer of that day.

    Raises
    ------
    NotInRecord
        If there is no such signal for this user.
    StoreError
        If it is no answer.
    """
    signal = signal_named(store, client_id, signal_id).signal
    day = on or dt.date.today()  # noqa: DTZ011 - the calendar day where the clinic is
    records = answer_records(signal, day, answer, change=change, reason=reason)
    with store.writing() as record:
        outcomes: list[Outcome] = [record.add(each, supersede=supersede) for each in records]
    return outcomes[0]


def signal_named(store: Store, client_id: str, signal_id: str | None = None) -> LedgerEntry:
    """Give a signal of a client by its number; the latest that has no answer where none is named.

    Raises
    ------
    NotInRecord
        If there is none.
    """
    entries = read_ledger(store, client_id)
    if signal_id is None:
        waiting = unanswered(entries)
        if not waiting:
            raise NotInRecord(
                f"No signal of {client_id} waits for an answer. 'mbc signals list' shows all of them."
            )
        return waiting[0]
    match = next((entry for entry in entries if entry.signal.signal_id == signal_id), None)
    if match is None:
        listed = ", ".join(entry.signal.signal_id for entry in entries) or "none"
        raise NotInRecord(f"{client_id} has no signal '{signal_id}'. On record: {listed}.")
    return match
