"""A de-identified cohort held as a record, so that the app's own functions and figures work on it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from mbc.care.cohort.deidentified import SELF, Cohort
from mbc.instruments import instrument
from mbc.store import (
    Administration,
    Client,
    Episode,
    Event,
    Goal,
    GoalRating,
    Record,
    Relationship,
    RelationshipStatus,
    Session,
    Store,
)

DAY_ZERO = dt.date(2000, 1, 3)
"""The made-up Monday on which everybody's care begins when a cohort is opened as a record."""

Row = Mapping[str, Any]


def open_cohort(cohort: Cohort) -> Store:
    """Hold a cohort in memory as a record, so that the app's own functions and figures work on it.

    Study ids stand for client ids, and every person's day 0 is 3 January 2000. Where item answers were withheld,
    the scores are there as recorded totals. Close it when done, or open it in a ``with`` statement.
    """
    store = Store.create("sqlite://")
    try:
        with store.writing(by="cohort") as record:
            record.add_all(_records(cohort))
    except BaseException:
        store.close()
        raise
    return store


def _records(cohort: Cohort) -> Iterator[Record]:
    for person in cohort.people.iter_rows(named=True):
        yield Client(person["study_id"])
        yield Episode(f"E-{person['study_id']}", person["study_id"], started_on=DAY_ZERO)
    named = cohort.relationships.drop_nulls("target").unique(["study_id", "target"], maintain_order=True)
    for row in named.iter_rows(named=True):
        yield Relationship(_relationship(row["study_id"], row["target"]), row["study_id"], row["target"])
    for row in cohort.relationships.iter_rows(named=True):
        yield RelationshipStatus(row["study_id"], row["status"], _date(row["day"]), _target(row))
    for row in cohort.sessions.iter_rows(named=True):
        yield Session(
            row["study_id"],
            f"E-{row['study_id']}",
            row["number"],
            _date(row["day"]),
            row["attended"],
            row["modality"],
        )
    yield from _administrations(cohort)
    for row in cohort.goals.unique(["study_id", "goal"], maintain_order=True).iter_rows(named=True):
        yield Goal(
            _goal(row), row["study_id"], row["goal"], _date(row["day"]), row["baseline"], row["target_rating"],
            higher_is_better=row["higher_is_better"],
        )  # fmt: skip
    for row in cohort.goals.iter_rows(named=True):
        yield GoalRating(_goal(row), _date(row["day"]), row["rating"])
    for number, row in enumerate(cohort.events.iter_rows(named=True)):
        yield Event(f"V{number}", row["study_id"], _date(row["day"]), row["kind"], row["kind"], row["valence"])


def _administrations(cohort: Cohort) -> Iterator[Administration]:
    for key, frame in cohort.items.items():
        columns = instrument(key).item_columns()
        for row in frame.iter_rows(named=True):
            answers = tuple(row.get(name) for name in columns)
            yield Administration(**_occasion(row, key), answers=answers, form=row["form"], coding=row["coding"])
    only = cohort.scores.filter(~pl.col("instrument").is_in(list(cohort.items))).drop_nulls("score")
    occasion = ["study_id", "day", "session_number", "instrument", "target", "informant"]
    for where, rows in only.group_by(occasion, maintain_order=True):
        totals = dict(rows.select("scale", "score").iter_rows())
        row: Row = dict(zip(occasion, where, strict=True))
        yield Administration(**_occasion(row, str(row["instrument"])), totals=totals)


def _occasion(row: Row, key: str) -> dict[str, Any]:
    return {
        "client_id": row["study_id"],
        "instrument": key,
        "taken_on": _date(row["day"]),
        "session_number": row["session_number"],
        "target": _target(row) or SELF,
        "informant": row["informant"],
    }


def _date(day: object) -> dt.date:
    return DAY_ZERO + dt.timedelta(days=int(str(day)))


def _target(row: Row) -> str | None:
    target = row["target"]
    return target if target in (None, SELF) else _relationship(row["study_id"], target)


def _relationship(study_id: str, label: str) -> str:
    return f"{study_id}-{label}"


def _goal(row: Row) -> str:
    return f"{row['study_id']}-{row['goal']}"
