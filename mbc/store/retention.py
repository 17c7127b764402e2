"""How long a clinic keeps records: years after the last contact, and who is due to be erased."""

from __future__ import annotations

from datetime import date

import polars as pl
from sqlalchemy import func, select

from mbc.errors import SettingsError
from mbc.store.accounts.clinic_settings import read_setting, write_setting
from mbc.store.database import engine as engines
from mbc.store.reading.queries import CURRENT
from mbc.store.schema import tables as t
from mbc.store.view import RecordView

SETTING = "retention years"
_MOST_YEARS = 100
_DUE = {"client_id": pl.String, "last_contact": pl.Date, "due_on": pl.Date}


class Retention(RecordView):
    """The part of a store that says whose record has been kept long enough."""

    def retention_years(self) -> int | None:
        """Give for how many years after the last contact a record is kept; None where the clinic has not said."""
        with self._audited("retention", None, logged=False):
            self._scope.require("clients:erase")
            with self._reading() as connection:
                value = read_setting(connection, SETTING)
        return None if value is None else int(value)

    def set_retention_years(self, years: int) -> None:
        """Say for how many years after the last contact a record is kept.

        Raises
        ------
        AccessDenied
            Without the permission ``clients:erase``.
        SettingsError
            If it is not a number of years from 1 to 100.
        """
        with self._audited("retention rule", None, logged=False):
            self._scope.require("clients:erase")
        if not 1 <= years <= _MOST_YEARS:
            raise SettingsError(f"Records are kept for 1 to {_MOST_YEARS} years; got {years}.")
        with engines.writing(self._engine) as connection:
            write_setting(connection, self.audit, SETTING, years)

    def retention_due(self, as_of: date, *, years: int | None = None) -> pl.DataFrame:
        """List whose record has been kept long enough: client_id, last_contact, due_on; the longest due first.

        The last contact is the latest of an episode's end, a session and a questionnaire of the care channel.
        Whoever has an episode that has not ended, or none at all, is not listed: whether they are still in care is
        for the clinic to say.

        Parameters
        ----------
        as_of : date
            Who is due by this day.
        years : int, optional
            Instead of the clinic's rule.

        Raises
        ------
        AccessDenied
            Without the permission ``clients:erase``.
        SettingsError
            If the clinic has no rule and ``years`` is not given.
        """
        kept = self.retention_years() if years is None else years
        if kept is None:
            raise SettingsError("The clinic has no rule yet. Set one: mbc retention set YEARS")
        e, s, a = t.episode.c, t.therapy_session.c, t.administration.c
        ended = select(e.client_id, func.max(e.ended_on), func.count(), func.count(e.ended_on)).group_by(
            e.client_id
        )
        with self._audited("retention", None):
            self._scope.require("clients:erase")
            with self._reading() as connection:
                last = {
                    row[0]: row[1] for row in connection.execute(ended) if row[2] == row[3] and row[1] is not None
                }
                for query in (
                    select(s.client_id, func.max(s.held_on)).group_by(s.client_id),
                    select(a.client_id, func.max(a.taken_on))
                    .where(a.channel == "care", CURRENT)
                    .group_by(a.client_id),
                ):
                    for client_id, day in connection.execute(query):
                        if client_id in last and day is not None:
                            last[client_id] = max(last[client_id], day)
        rows = [(client_id, day, _years_after(day, kept)) for client_id, day in last.items()]
        frame = pl.DataFrame(rows, schema=_DUE, orient="row")
        return frame.filter(pl.col("due_on") <= as_of).sort("due_on", "client_id")


def _years_after(day: date, years: int) -> date:
    """Give the same day some years later; 28 February for a 29th that is not there.

    Examples
    --------
    >>> _years_after(date(2016, 2, 29), 10)
    datetime.date(2026, 2, 28)
    """
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
