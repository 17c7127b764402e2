"""Which patterns come back from one relationship to the next, and which goals are to change them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from mbc.care.course.relationships import is_current
from mbc.care.values.review import StatusPeriod
from mbc.care.words import count, day_words, number
from mbc.store import Store
from mbc.store.schema.entries import Pattern


@dataclass(frozen=True, slots=True)
class PatternRow:
    """One pattern across the client's relationships."""

    pattern: str
    seen_in: tuple[str, ...]  # labels of relationships, oldest first
    of: int  # relationships on record
    present: bool | None  # whether the present relationship has it; None: there is none
    goals: tuple[str, ...]  # goals still kept that are to change it

    @property
    def words(self) -> str:
        """How often it came back, and how it is now."""
        times = f"in {len(self.seen_in)} of {count(self.of, 'relationship')}"
        now = {True: "including the current one", False: "not in the current one", None: "no current relationship"}
        return f"{times}, {now[self.present]}" if self.seen_in else "in no relationship yet"


@dataclass(frozen=True, slots=True)
class PatternTable:
    """The recurrence table of a client, and their support network in words."""

    labels: tuple[str, ...]  # of all relationships, oldest first
    rows: tuple[PatternRow, ...]  # the most frequent first
    support: str  # the latest rating of the support network, and the one before; "" where there is none


def pattern_table(store: Store, client_id: str, periods: tuple[StatusPeriod, ...]) -> PatternTable:
    """Set the patterns of a client against their relationships; empty where this view may not read them.

    Parameters
    ----------
    store : Store
    client_id : str
    periods : tuple of StatusPeriod
        Of the client's review: they give the order of relationships, and which one goes on.
    """
    if not store.can_read("pattern_tags"):
        return PatternTable((), (), "")
    labels = dict(store.relationships(client_id=client_id).select("relationship_id", "label").iter_rows())
    last = {period.relationship_id: period for period in periods if period.relationship_id is not None}
    present = {key for key, period in last.items() if is_current(period)}
    ordered = [key for key in last if key in labels]
    ordered += [key for key in labels if key not in last]
    tags: dict[str, set[str]] = {}
    for row in store.pattern_tags(client_id=client_id).iter_rows(named=True):
        tags.setdefault(row["pattern"], set()).add(row["relationship_id"])
    goals: dict[str, list[str]] = {}
    for row in store.goals(client_id=client_id).iter_rows(named=True):
        if row["pattern"] is not None and row["retired_on"] is None:
            goals.setdefault(row["pattern"], []).append(row["label"] or row["goal_id"])
    rows = [
        PatternRow(
            pattern=pattern,
            seen_in=tuple(labels[key] for key in ordered if key in tags.get(pattern, ())),
            of=len(labels),
            present=bool(present & tags.get(pattern, set())) if present else None,
            goals=tuple(goals.get(pattern, ())),
        )
        for pattern in get_args(Pattern)
        if pattern in tags or pattern in goals
    ]
    rows.sort(key=lambda row: -len(row.seen_in))
    return PatternTable(tuple(labels[key] for key in ordered), tuple(rows), _support(store, client_id))


def _support(store: Store, client_id: str) -> str:
    ratings = store.support_networks(client_id=client_id).sort("rated_on").tail(2).rows(named=True)
    if not ratings:
        return ""
    lines = [
        f"{count(row['people'], 'person', 'people')}, quality {number(row['quality'], 1)} of 10 "
        f"({day_words(row['rated_on'])})"
        for row in reversed(ratings)
    ]
    return f"Support network: {lines[0]}" + (f"; before: {lines[1]}" if len(lines) > 1 else "")
