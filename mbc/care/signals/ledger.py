"""The ledger of one client: which signals were given and answered, which one asks now, and which are new."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from mbc.care.values.review import ClientReview
from mbc.store import Signal, SignalAnswer, Store
from mbc.store.clinic_settings import SignalRules


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A signal, and its answers in order of time."""

    signal: Signal
    answers: tuple[SignalAnswer, ...] = ()

    @property
    def latest(self) -> SignalAnswer | None:
        """The last answer, if there is any."""
        return self.answers[-1] if self.answers else None

    @property
    def days_to_answer(self) -> int | None:
        """Days from the signal to its first answer."""
        return (self.answers[0].answered_on - self.signal.raised_on).days if self.answers else None

    @property
    def changed(self) -> bool:
        """Whether an answer says that something was changed."""
        return any(answer.answer == "changed" for answer in self.answers)


@dataclass(frozen=True, slots=True)
class ClientSignals:
    """What the ledger asks of whoever opens a client's page."""

    ask: Signal | None  # one question a visit, the most important one
    new: tuple[Signal, ...]  # to be written down
    answered_today: tuple[LedgerEntry, ...]
    entries: tuple[LedgerEntry, ...]  # all that is on record, the latest first


def read_ledger(store: Store, client_id: str | None = None) -> tuple[LedgerEntry, ...]:
    """Read the ledger of a client, or of everybody whom this view shows; the latest signal first.

    Raises
    ------
    NotInRecord
        If there is no such client for this user.
    """
    answers: dict[str, list[SignalAnswer]] = {}
    for row in store.signal_answers(client_id=client_id).sort("answered_on").iter_rows(named=True):
        answers.setdefault(row["signal_id"], []).append(SignalAnswer(**row))
    signals = [Signal(**row) for row in store.signals(client_id=client_id).iter_rows(named=True)]
    signals.sort(key=lambda signal: (signal.raised_on, signal.signal_id), reverse=True)
    return tuple(LedgerEntry(signal, tuple(answers.get(signal.signal_id, ()))) for signal in signals)


def unanswered(entries: Sequence[LedgerEntry]) -> list[LedgerEntry]:
    """Give the entries without an answer, in their order."""
    return [entry for entry in entries if entry.latest is None]


def client_signals(
    entries: Sequence[LedgerEntry], standing: Sequence[Signal], review: ClientReview, rules: SignalRules
) -> ClientSignals:
    """Say which signal asks now, and which ones are new.

    Parameters
    ----------
    entries : sequence of LedgerEntry
        The client's own, from `read_ledger`.
    standing : sequence of Signal
        From `standing_signals`.
    review : ClientReview
    rules : SignalRules
        The clinic's.

    Notes
    -----
    A state that stands asks once and then rests for the clinic's days. Postponed ("not now"), the same signal asks
    again after them. Seen or acted upon, it is a new signal after them, and only if there are newer scores.
    """
    today = review.as_of
    since = _present_care_since(review)
    entries = tuple(entry for entry in entries if entry.signal.raised_on >= since)
    asking: list[Signal] = []
    new: list[Signal] = []
    for state in standing:
        before = next((entry for entry in entries if _same(entry.signal, state)), None)
        answer = None if before is None else before.latest
        if before is None:
            new.append(state)
            asking.append(state)
        elif answer is None:
            asking.append(before.signal)
        elif (today - answer.answered_on).days >= rules.cooldown_days:
            if answer.answer == "not now":
                asking.append(before.signal)
            elif _scored_after(review, answer.answered_on):
                new.append(state)
                asking.append(state)
    answered = tuple(e for e in entries if any(answer.answered_on == today for answer in e.answers))
    ask = asking[0] if asking and not answered else None
    return ClientSignals(ask, tuple(new), answered, tuple(entries))


def _present_care_since(review: ClientReview) -> dt.date:
    """Give the first day of the present care: a signal of earlier care asks nothing now."""
    windows = [course.window[0] for course in review.trajectories if course.window is not None]
    return min(windows, default=dt.date.min)


def _same(signal: Signal, other: Signal) -> bool:
    return (signal.state, signal.instrument, signal.scale) == (other.state, other.instrument, other.scale)


def _scored_after(review: ClientReview, day: dt.date) -> bool:
    return any(
        occasion.taken_on > day and occasion.score is not None
        for course in review.trajectories
        for occasion in course.occasions
    )
