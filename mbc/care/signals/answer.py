"""How a signal is answered: seen, something was changed, or not now and why."""

from __future__ import annotations

import datetime as dt
from typing import get_args

from mbc.care.signals.ledger import LedgerEntry, read_ledger
from mbc.errors import NotInRecord, StoreError
from mbc.store import SafetyChange, SignalAnswer, Store
from mbc.store.schema.entries import Answer, ChangeMade
from mbc.store.writing.result import Outcome

SAFETY = "safety"  # a change that is kept in the safety channel: others read "seen"
CHANGES: tuple[str, ...] = ("alliance", "motivation", SAFETY, *get_args(ChangeMade)[2:])


def answer_records(
    signal_id: str,
    client_id: str,
    on: dt.date,
    answer: str,
    *,
    change: str | None = None,
    reason: str | None = None,
) -> tuple[SignalAnswer | SafetyChange, ...]:
    """Make the records of an answer; one that concerns safety is "seen" to everybody without the permission.

    Raises
    ------
    StoreError
        If it is no answer: a change without its name, "not now" without a reason.

    Examples
    --------
    >>> records = answer_records("S-1", "C001", dt.date(2026, 3, 2), "changed", change="safety")
    >>> [type(record).__name__ for record in records], records[0].answer
    (['SignalAnswer', 'SafetyChange'], 'seen')
    """
    if answer == "changed" and change == SAFETY:
        return (
            SignalAnswer(signal_id, client_id, on, "seen", reason=reason),
            SafetyChange(signal_id, client_id, on),
        )
    chosen: Answer = answer  # pyright: ignore[reportAssignmentType] - the record checks it
    made: ChangeMade | None = change  # pyright: ignore[reportAssignmentType]
    return (SignalAnswer(signal_id, client_id, on, chosen, made, reason),)


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
        Needed with "not now".
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
    entry = signal_named(store, client_id, signal_id)
    day = on or dt.date.today()  # noqa: DTZ011 - the calendar day where the clinic is
    if day < entry.signal.raised_on:
        raise StoreError(f"The signal is of {entry.signal.raised_on}; an answer on {day} lies before it.")
    records = answer_records(entry.signal.signal_id, client_id, day, answer, change=change, reason=reason)
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
        waiting = [entry for entry in entries if entry.latest is None]
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
