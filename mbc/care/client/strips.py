"""What was entered day by day, as marks on the time axis: homework, small wins, conflicts, ruptures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from mbc.care.client.repair_limits import Repair
from mbc.care.values.review import StripMark
from mbc.care.words import number
from mbc.store import Store

_REPAIR = {True: "repaired", False: "not repaired", None: "repair not known"}


def strip_marks(store: Store, client_id: str, *, since: dt.date | None, until: dt.date) -> tuple[StripMark, ...]:
    """Read one client's entries of the working day, in order of time; none where this view may not read them.

    Parameters
    ----------
    store : Store
    client_id : str
    since : date, optional
        Where the present care begins, if there was other care before it.
    until : date
        The day that is read on.
    """
    if not store.can_read("homework"):
        return ()
    marks = [*_homework(store, client_id), *_wins(store, client_id), *_strains(store, client_id)]
    present = (mark for mark in marks if (since is None or mark.on >= since) and mark.on <= until)
    return tuple(sorted(present, key=lambda mark: (mark.on, mark.kind, mark.words)))


def read_repairs(store: Store, client_id: str, *, since: dt.date | None, until: dt.date) -> list[Repair]:
    """Read how long conflicts took to repair, in order of time; none where this view may not read them."""
    if not store.can_read("conflicts"):
        return []
    rows = store.conflicts(client_id=client_id).drop_nulls("hours_to_repair").sort("occurred_on")
    return [
        (day, hours)
        for day, hours in rows.select("occurred_on", "hours_to_repair").iter_rows()
        if (since is None or day >= since) and day <= until
    ]


def _homework(store: Store, client_id: str) -> Iterator[StripMark]:
    for row in store.homework(client_id=client_id).iter_rows(named=True):
        helpful = "" if row["helpful"] is None else f", helpful {number(row['helpful'], 1)}"
        outcome = row["completion"] or "not asked yet"
        day = row["reviewed_on"] or row["set_on"]
        kind = "homework done" if row["completion"] == "done" else "homework open"
        if row["completion"] == "not done":
            kind = "homework not done"
        yield StripMark(day, kind, f"Homework: {row['task']}, {outcome}{helpful}", row["completion"] is None)


def _wins(store: Store, client_id: str) -> Iterator[StripMark]:
    for row in store.small_wins(client_id=client_id).iter_rows(named=True):
        yield StripMark(row["occurred_on"], "small win", f"Small win: {row['label']}")


def _strains(store: Store, client_id: str) -> Iterator[StripMark]:
    for row in store.conflicts(client_id=client_id).iter_rows(named=True):
        words = "Conflict" if row["count"] == 1 else f"{row['count']} conflicts"
        strength = "" if row["intensity"] is None else f", strength {number(row['intensity'], 1)} of 10"
        hours = row["hours_to_repair"]
        after = "" if hours is None else f" after {number(hours, 1)} h"
        kind = "conflict repaired" if row["repaired"] else "conflict"
        yield StripMark(row["occurred_on"], kind, f"{words}{strength}, {_REPAIR[row['repaired']]}{after}")
    for row in store.alliance_ruptures(client_id=client_id).iter_rows(named=True):
        kind = "rupture repaired" if row["repaired"] else "rupture"
        label = f": {row['label']}" if row["label"] else ""
        yield StripMark(row["occurred_on"], kind, f"Rupture{label}, {_REPAIR[row['repaired']]}")
