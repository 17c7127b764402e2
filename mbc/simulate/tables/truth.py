"""What is true of each client, that the questionnaires only measure."""

from __future__ import annotations

import numpy as np
import polars as pl

from mbc.simulate.drawn_clinic import Drawn
from mbc.simulate.people.attendance import ENDINGS
from mbc.simulate.people.population import BETTER, NAMES, position
from mbc.simulate.streams import Ints
from mbc.simulate.tables.record_tables import ids


def truth(drawn: Drawn) -> pl.DataFrame:
    """Tell each client's true state at the first and at the last session, by construct.

    Returns
    -------
    polars.DataFrame
        ``client_id``, ``construct``, ``course`` (kind of course), ``ending`` ("open" for those still in care),
        ``start`` and ``finish`` (intake SDs, in the construct's own direction: more anxiety is higher) and
        ``improvement`` (intake SDs, + is better). Satisfaction is that with the first relationship of the
        record, for as long as it lasted; clients without one have no such row.
    """
    first = np.repeat(drawn.people.started[:, None], len(NAMES), axis=1)
    last = np.repeat(drawn.attendance.last_week[:, None], len(NAMES), axis=1)
    column = position("satisfaction")
    first[:, column], last[:, column] = _first_relationship(drawn)
    exists = last >= first
    row, construct = np.nonzero(exists)
    start = drawn.path[row, construct, first[exists]]
    finish = drawn.path[row, construct, last[exists]]
    return pl.DataFrame(
        {
            "client_id": ids(drawn, row),
            "construct": pl.Series(NAMES).gather(pl.Series(construct)),
            "course": pl.Series(drawn.course_names).gather(pl.Series(row)),
            "ending": pl.Series(ENDINGS).gather(pl.Series(drawn.attendance.ending[row])),
            "start": (start * BETTER[construct]).round(3),
            "finish": (finish * BETTER[construct]).round(3),
            "improvement": (finish - start).round(3),
        }
    ).with_columns(pl.col(pl.Float64) + 0.0)  # no negative zeros


def _first_relationship(drawn: Drawn) -> tuple[Ints, Ints]:
    """First and last week in care of the first current relationship; last before first when there is none."""
    week = np.arange(drawn.weeks)
    in_care = (week >= drawn.people.started[:, None]) & (week <= drawn.attendance.last_week[:, None])
    current = np.where(in_care, drawn.current, 0)
    number = np.where((current == 1).any(axis=1), 1, 2)
    there = current == number[:, None]
    first = np.where(there.any(axis=1), there.argmax(axis=1), 1)
    last = np.where(there.any(axis=1), drawn.weeks - 1 - there[:, ::-1].argmax(axis=1), 0)
    return first, last
