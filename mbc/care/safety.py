"""What the safety channel holds: separate from everything else, for those who may read it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import polars as pl

from mbc.errors import AccessDenied
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.instruments import instrument as load
from mbc.instruments.library import keys
from mbc.store import Store


@dataclass(frozen=True, slots=True)
class SafetyFlag:
    """One answer, or one blank, that asks for attention."""

    client_id: str
    administration_id: int
    instrument: str
    item: str
    label: str  # our own short label of the item's flag
    kind: str  # "risk" = answered so; "ask" = left blank
    raised_on: dt.date
    acknowledged_by: str | None
    acknowledged_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class SafetyReview:
    """The flags of one client, the newest first. Never part of a caption, a chart, an export or a print."""

    client_id: str
    flags: tuple[SafetyFlag, ...]

    @property
    def open(self) -> tuple[SafetyFlag, ...]:
        """Flags that nobody has acknowledged."""
        return tuple(flag for flag in self.flags if flag.acknowledged_at is None)


@dataclass(frozen=True, slots=True)
class ListedFlag:
    """A flag in the list of all clients' flags: whose it is, and how long it has waited."""

    flag: SafetyFlag
    client: str  # the clinic's label and the id; the id alone where there is no label
    clinician: str | None  # the display name of who sees the client
    waiting: int  # days from the day it was raised to today


@dataclass(frozen=True, slots=True)
class SafetyList:
    """The flags of every client within reach. Never part of a caption, a chart, an export or a print."""

    open: tuple[ListedFlag, ...]
    """Not acknowledged: answers before blanks, and the longest waiting first."""
    acknowledged: tuple[ListedFlag, ...]
    """The latest acknowledgement first."""


@with_definitions_of_record
def client_safety(store: Store, client_id: str) -> SafetyReview | None:
    """Read one client's safety channel.

    Returns
    -------
    SafetyReview or None
        None when this user may not read the safety channel: then nothing at all is to be shown, not even that
        there is something.

    Raises
    ------
    NotInRecord
        If there is no such client for this user.
    """
    try:
        rows = store.safety_flags(client_id=client_id)
    except AccessDenied:
        return None
    return SafetyReview(client_id, tuple(sorted(_flags(rows), key=lambda flag: flag.raised_on, reverse=True)))


@with_definitions_of_record
def safety_list(store: Store, *, today: dt.date | None = None) -> SafetyList | None:
    """Read the safety channel of every client within reach.

    Parameters
    ----------
    store : Store
        A user's view of the record: a safety lead reaches everybody, a clinician or supervisor with the permission
        their own clients.
    today : datetime.date, optional
        The day to which waiting is counted; the calendar day where the clinic is.

    Returns
    -------
    SafetyList or None
        None when this user may not read the safety channel: then nothing at all is to be shown.
    """
    try:
        rows = store.safety_flags()
    except AccessDenied:
        return None
    until = today or dt.date.today()  # noqa: DTZ011 - the calendar day where the clinic is
    clients = {row["client_id"]: row for row in store.clients().iter_rows(named=True)}
    clinicians = dict(store.clinicians().select("clinician_id", "display_name").iter_rows())
    entries = [
        ListedFlag(
            flag=flag,
            client=_named(clients[flag.client_id]),
            clinician=clinicians.get(clients[flag.client_id]["clinician_id"]),
            waiting=max(0, (until - flag.raised_on).days),
        )
        for flag in _flags(rows)
        if flag.client_id in clients  # erased a moment ago
    ]
    waiting = [item for item in entries if item.flag.acknowledged_at is None]
    seen = [(item.flag.acknowledged_at, item) for item in entries if item.flag.acknowledged_at is not None]
    return SafetyList(
        open=tuple(sorted(waiting, key=lambda item: (item.flag.kind != "risk", -item.waiting))),
        acknowledged=tuple(item for _, item in sorted(seen, key=lambda pair: pair[0], reverse=True)),
    )


def _flags(rows: pl.DataFrame) -> list[SafetyFlag]:
    return [SafetyFlag(label=_label(row["instrument"], row["item"]), **row) for row in rows.iter_rows(named=True)]


def _named(client: dict[str, Any]) -> str:
    return f"{client['alias']} ({client['client_id']})" if client["alias"] else client["client_id"]


def _label(key: str, item: str) -> str:
    """Give our own label of a flag; the item's id where the questionnaire is not known here (any more)."""
    if key not in keys():
        return item
    return next((flag.label for flag in load(key).flags if flag.item == item), item)
