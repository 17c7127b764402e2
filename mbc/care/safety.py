"""What the safety channel holds about one client: apart from everything else, for those who may read it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from mbc.errors import AccessDenied
from mbc.instruments import instrument as load
from mbc.store import Store


@dataclass(frozen=True, slots=True)
class SafetyFlag:
    """One answer, or one blank, that asks for attention."""

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
    flags = [
        SafetyFlag(
            instrument=row["instrument"],
            item=row["item"],
            label=_label(row["instrument"], row["item"]),
            kind=row["kind"],
            raised_on=row["raised_on"],
            acknowledged_by=row["acknowledged_by"],
            acknowledged_at=row["acknowledged_at"],
        )
        for row in rows.iter_rows(named=True)
    ]
    return SafetyReview(client_id, tuple(sorted(flags, key=lambda flag: flag.raised_on, reverse=True)))


def _label(key: str, item: str) -> str:
    return next((flag.label for flag in load(key).flags if flag.item == item), item)
