"""What the safety channel holds: separate from everything else, for those who may read it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from mbc.care.words import day_words
from mbc.errors import AccessDenied
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.instruments import instrument as load
from mbc.instruments.library import keys
from mbc.store import Store

REVIEW_WITHIN = dt.timedelta(days=91)  # where no day is set


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
    entries: tuple[str, ...] = ()  # plans, duties to report, contraindications, answers to signals, in words

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
    action: str | None = None  # what was done
    needs_second: bool = False  # the clinic has chosen that a second person looks at it
    confirmed: bool = False  # a second person has


@dataclass(frozen=True, slots=True)
class PlanReview:
    """A safety plan whose review is overdue, or was never set."""

    client_id: str
    client: str
    clinician: str | None
    made_on: dt.date
    due_on: dt.date | None  # None: no review is set
    overdue: int  # days; since the last review, or since it was made, where none is set


@dataclass(frozen=True, slots=True)
class SafetyList:
    """The flags of every client within reach. Never part of a caption, a chart, an export or a print."""

    open: tuple[ListedFlag, ...]
    """Not acknowledged: answers before blanks, and the longest waiting first."""
    acknowledged: tuple[ListedFlag, ...]
    """The latest acknowledgement first."""
    second: tuple[ListedFlag, ...] = ()
    """Acknowledged, and waiting for the second person that the clinic has chosen."""
    reviews: tuple[PlanReview, ...] = ()
    """Overdue reviews of safety plans, the longest overdue first."""


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
    flags = tuple(sorted(_flags(rows), key=lambda flag: flag.raised_on, reverse=True))
    return SafetyReview(client_id, flags, tuple(_entry_words(store, client_id)))


def _entry_words(store: Store, client_id: str) -> Iterator[str]:
    """Write what is on record beside the flags: that there is a plan and its reviews, never what it says."""
    for row in _rows(store.safety_plans(client_id=client_id)):
        days = [("last review", row["last_review_on"]), ("next review", row["next_review_on"])]
        days += [("ended", row["ended_on"])]
        parts = [f"Plan made {day_words(row['made_on'])}", *(f"{name} {day_words(on)}" for name, on in days if on)]
        yield ", ".join(parts)
    for row in _rows(store.duties_to_report(client_id=client_id)):
        yield f"Duty to report, {day_words(row['considered_on'])}: {row['outcome']}"
    for row in _rows(store.couples_contraindications(client_id=client_id)):
        until = f" until {day_words(row['ended_on'])}" if row["ended_on"] else ""
        yield f"Couples work contraindicated since {day_words(row['since'])}{until}: {row['reason']}"
    for row in _rows(store.safety_changes(client_id=client_id)):
        yield f"Signal answered with a change that concerns safety, {day_words(row['answered_on'])}"


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
    chosen = frozenset(store.second_person_items())
    actions = {(row["administration_id"], row["item"]): row["action"] for row in _rows(store.flag_responses())}
    confirmed = {(row["administration_id"], row["item"]) for row in _rows(store.second_reviews())}
    entries = [
        ListedFlag(
            flag=flag,
            client=_named(clients[flag.client_id]),
            clinician=clinicians.get(clients[flag.client_id]["clinician_id"]),
            waiting=max(0, (until - flag.raised_on).days),
            action=actions.get((flag.administration_id, flag.item)),
            needs_second=not chosen.isdisjoint({flag.instrument, f"{flag.instrument}.{flag.item}"}),
            confirmed=(flag.administration_id, flag.item) in confirmed,
        )
        for flag in _flags(rows)
        if flag.client_id in clients  # erased a moment ago
    ]
    waiting = [item for item in entries if item.flag.acknowledged_at is None]
    seen = [(item.flag.acknowledged_at, item) for item in entries if item.flag.acknowledged_at is not None]
    return SafetyList(
        open=tuple(sorted(waiting, key=lambda item: (item.flag.kind != "risk", -item.waiting))),
        acknowledged=tuple(item for _, item in sorted(seen, key=lambda pair: pair[0], reverse=True)),
        second=tuple(item for _, item in seen if item.needs_second and not item.confirmed),
        reviews=_reviews(store, clients, clinicians, until),
    )


def _rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return frame.rows(named=True)


def _reviews(
    store: Store, clients: Mapping[str, dict[str, Any]], clinicians: Mapping[str, str], today: dt.date
) -> tuple[PlanReview, ...]:
    """List the plans that hold and whose review is overdue; one without a day is, after a quarter of a year."""
    overdue: list[PlanReview] = []
    for row in _rows(store.safety_plans()):
        due = row["next_review_on"] or (row["last_review_on"] or row["made_on"]) + REVIEW_WITHIN
        if row["ended_on"] is not None or due >= today or row["client_id"] not in clients:
            continue
        person = clients[row["client_id"]]
        overdue.append(
            PlanReview(
                client_id=row["client_id"],
                client=_named(person),
                clinician=clinicians.get(person["clinician_id"]),
                made_on=row["made_on"],
                due_on=row["next_review_on"],
                overdue=(today - due).days,
            )
        )
    return tuple(sorted(overdue, key=lambda review: (-review.overdue, review.client_id)))


def _flags(rows: pl.DataFrame) -> list[SafetyFlag]:
    return [SafetyFlag(label=_label(row["instrument"], row["item"]), **row) for row in rows.iter_rows(named=True)]


def _named(client: dict[str, Any]) -> str:
    return f"{client['alias']} ({client['client_id']})" if client["alias"] else client["client_id"]


def _label(key: str, item: str) -> str:
    """Give our own label of a flag; the item's id where the questionnaire is not known here (any more)."""
    if key not in keys():
        return item
    return next((flag.label for flag in load(key).flags if flag.item == item), item)
