"""How new signals are written down: once each, by whoever may write, and never by reading alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from mbc.care.client.review import client_review
from mbc.care.client.trajectory import Cohort
from mbc.care.signals.ledger import ClientSignals, client_signals, read_ledger
from mbc.care.signals.present_states import standing_signals
from mbc.care.values.review import ClientReview
from mbc.errors import Conflict
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.store import Signal, Store

_NONE = ClientSignals(None, (), (), ())


def signals_of(store: Store, review: ClientReview, cohort: Cohort | None = None) -> ClientSignals:
    """Read what the ledger asks about a client whose review is at hand; writes nothing.

    A view that may not read the ledger is asked nothing.
    """
    if not store.can_read("signals"):
        return _NONE
    entries = read_ledger(store, review.client_id)
    return client_signals(entries, standing_signals(review, cohort), review, store.signal_rules())


def note_signals(store: Store, signals: Iterable[Signal]) -> int:
    """Write new signals down, each once; gives how many there were. A view that may not write leaves them.

    Examples
    --------
    >>> with Store.create("sqlite://") as store:
    ...     note_signals(store, ())
    0
    """
    new = tuple(signals)
    if not new or not store.can_write(Signal):
        return 0
    try:
        with store.writing() as record:
            outcomes = record.add_all(new)
    except Conflict:  # somebody noted it at the same moment, from other scores
        return 0
    return sum(outcome == "stored" for outcome in outcomes)


@with_definitions_of_record
def update_signals(
    store: Store,
    client_ids: Iterable[str] | None = None,
    *,
    cohort: Cohort | None = None,
    as_of: dt.date | None = None,
) -> int:
    """Judge clients and write their new signals down: after answers were collected, or for everybody, by a timer.

    Parameters
    ----------
    store : Store
    client_ids : iterable of str, optional
        Everybody whom this view shows when not given.
    cohort : CohortModel or CohortModels, optional
        See :func:`mbc.care.client_trajectory`.
    as_of : date, optional
        The day; today when not given.

    Returns
    -------
    int
        How many signals are new.
    """
    chosen = store.clients()["client_id"].to_list() if client_ids is None else sorted(set(client_ids))
    written = 0
    for client_id in chosen:
        review = client_review(store, client_id, cohort=cohort, as_of=as_of)
        written += note_signals(store, signals_of(store, review, cohort).new)
    return written
