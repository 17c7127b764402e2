"""How a drawn clinic reads as a record: people, episodes of care and sessions.

Columns are those of the store's readers. Identifiers follow from the client's: ``C014.E1`` is an episode,
``C014.R1`` a relationship, ``C014.G2`` a goal, ``C014.V3`` an event.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np
import polars as pl

from mbc.simulate.drawn_clinic import Drawn
from mbc.simulate.people.attendance import ENDINGS, OPEN, Attendance
from mbc.simulate.people.people import clinician_names
from mbc.simulate.streams import Ints, Stream

NO_DAY: Final = -100_000  # stands for a day that is not known


def days(start: date, day: Ints) -> pl.Series:
    """Calendar days from days since ``start``; `NO_DAY` becomes null.

    Examples
    --------
    >>> days(date(2026, 2, 2), np.array([0, NO_DAY, 242])).to_list()
    [datetime.date(2026, 2, 2), None, datetime.date(2026, 10, 2)]
    """
    first = np.datetime64(start, "D")
    valid = np.where(day == NO_DAY, 0, day).astype("timedelta64[D]")
    return pl.Series(np.where(day == NO_DAY, np.datetime64("NaT", "D"), first + valid).astype("datetime64[D]"))


def ids(drawn: Drawn, client: Ints) -> pl.Series:
    """Client ids of client rows."""
    return pl.Series(drawn.people.client_id).gather(pl.Series(client))


def clinician_ids(clinicians: int) -> pl.Series:
    """K01, K02, ..."""
    return pl.Series([f"K{number:02d}" for number in range(1, clinicians + 1)], dtype=pl.String)


def clinicians(drawn: Drawn) -> pl.DataFrame:
    """Who sees clients."""
    names = clinician_names(drawn.clinicians)
    return pl.DataFrame({"clinician_id": clinician_ids(drawn.clinicians), "display_name": pl.Series(names)})


def _first_day(drawn: Drawn) -> Ints:
    rows = np.arange(len(drawn.people))
    return drawn.attendance.day[rows, drawn.people.started]


def _referred(drawn: Drawn) -> Ints:
    return _first_day(drawn) - Stream(drawn.seed, "referral").integers(6, 40, len(drawn.people))


def clients(drawn: Drawn) -> pl.DataFrame:
    """Who is in care: pseudonyms and aliases only."""
    people = drawn.people
    return pl.DataFrame(
        {
            "client_id": pl.Series(people.client_id),
            "alias": pl.Series(people.alias, dtype=pl.String),
            "clinician_id": clinician_ids(drawn.clinicians).gather(pl.Series(people.clinician)),
            "registered_on": days(drawn.start, _referred(drawn)),
            "status": pl.Series(np.where(drawn.attendance.ending == OPEN, "active", "closed")),
        }
    )


def episodes(drawn: Drawn) -> pl.DataFrame:
    """One episode per client; for earlier ones see `mbc.simulate.tables.earlier_episodes`."""
    people, attendance = drawn.people, drawn.attendance
    open_ = attendance.ending == OPEN
    return pl.DataFrame(
        {
            "client_id": pl.Series(people.client_id),
            "clinician_id": clinician_ids(drawn.clinicians).gather(pl.Series(people.clinician)),
            "referred_on": days(drawn.start, _referred(drawn)),
            "started_on": days(drawn.start, _first_day(drawn)),
            "ended_on": days(drawn.start, np.where(open_, NO_DAY, attendance.last_day)),
            "ending": pl.Series(ENDINGS).gather(pl.Series(attendance.ending)),
        }
    ).select(
        pl.format("{}.E1", "client_id").alias("episode_id"),
        pl.all().exclude("ending"),
        pl.when(pl.col("ending") != "open").then("ending").alias("ending"),
    )


def session_numbers(attendance: Attendance) -> Ints:
    """Count appointments within the episode, kept or missed, from 1; shape (clients, weeks)."""
    return np.cumsum(attendance.booked, axis=1, dtype=np.int64)


def sessions(drawn: Drawn) -> pl.DataFrame:
    """Appointments, kept and missed."""
    attendance = drawn.attendance
    client, week = np.nonzero(attendance.booked)
    other = Stream(drawn.seed, "modality").chance(0.1, *attendance.booked.shape)[client, week]
    return pl.DataFrame(
        {
            "client_id": ids(drawn, client),
            "episode_id": ids(drawn, client) + ".E1",
            "number": session_numbers(attendance)[client, week],
            "held_on": days(drawn.start, attendance.day[client, week]),
            "attended": attendance.attended[client, week],
            "modality": pl.Series(np.where(drawn.people.online[client] ^ other, "video", "in person")),
        }
    )
