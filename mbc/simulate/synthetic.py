"""What a whole synthetic clinic is, as values and as files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from mbc.errors import MbcError
from mbc.simulate.drawn_clinic import draw
from mbc.simulate.people.stories import STORIES
from mbc.simulate.tables import earlier_episodes as earlier
from mbc.simulate.tables import life_tables, truth
from mbc.simulate.tables import record_tables as tables
from mbc.simulate.tables import write_files as writing
from mbc.simulate.tables.questionnaire_tables import administrations

SEED: Final = 1
START: Final = date(2026, 2, 2)  # a Monday
WEEKS: Final = 35  # the last Friday is 2 October 2026
CLIENTS: Final = 150
CLINICIANS: Final = 6


@dataclass(frozen=True, slots=True)
class Clinic:
    """A synthetic clinic: one frame per table of the record, in the columns of the store's readers."""

    seed: int
    start: date
    weeks: int
    clinicians: pl.DataFrame
    clients: pl.DataFrame
    episodes: pl.DataFrame
    relationships: pl.DataFrame
    statuses: pl.DataFrame
    sessions: pl.DataFrame
    administrations: Mapping[str, pl.DataFrame]  # by instrument; wide, one row per administration
    totals: pl.DataFrame
    goals: pl.DataFrame
    goal_ratings: pl.DataFrame
    events: pl.DataFrame
    truth: pl.DataFrame  # never part of the record: what the questionnaires measure

    def write(self, folder: str | Path) -> Path:
        """Write the record as CSV files, with a README, the truth and checksums.

        Parameters
        ----------
        folder : str or Path
            Made when absent; files of the same names are replaced.

        Returns
        -------
        Path
            The folder.
        """
        return writing.write(self, Path(folder))


def clinic(
    *,
    seed: int = SEED,
    clients: int = CLIENTS,
    clinicians: int = CLINICIANS,
    start: date = START,
    weeks: int = WEEKS,
    stories: bool = True,
    alliance: bool = False,
) -> Clinic:
    """Make a synthetic clinic. The same arguments make the same clinic, to the byte.

    Parameters
    ----------
    seed : int
        Any whole number >= 0; 1 is that of the shipped sample.
    clients, clinicians : int
        How many of each; the storied clients are the first of them and see the first clinician.
    start : date
        First day of the record; a Monday.
    weeks : int
        Length of the record; at least 12, and at least 35 with stories.
    stories : bool
        Whether the storied clients of the demo are among the clients.
    alliance : bool
        Whether clients rate the alliance (WAI-SR) at every third session. The shipped sample has none.

    Raises
    ------
    MbcError
        If the clinic asked for cannot be made.

    Examples
    --------
    >>> small = clinic(clients=12, clinicians=2)
    >>> small.clients["alias"][0], small.clients.height
    ('Anxious to secure', 12)
    """
    least = (len(STORIES), WEEKS) if stories else (1, 12)
    for name, value, smallest in zip(
        ("seed", "clinicians", "clients", "weeks"), (seed, clinicians, clients, weeks), (0, 1, *least), strict=True
    ):
        if value < smallest:
            why = " with the storied clients" if stories and name in ("clients", "weeks") else ""
            raise MbcError(f"{name} must be at least {smallest}{why}, got {value}.")
    if start.weekday() != 0:
        raise MbcError(f"start must be a Monday, got {start} ({start:%A}): weeks of the record begin then.")
    drawn = draw(seed, clients, clinicians, start, weeks, STORIES if stories else ())
    return Clinic(
        seed=seed,
        start=start,
        weeks=weeks,
        clinicians=tables.clinicians(drawn),
        clients=tables.clients(drawn),
        episodes=pl.concat([earlier.earlier_episodes(drawn), tables.episodes(drawn)]).sort("episode_id"),
        relationships=life_tables.relationships(drawn),
        statuses=life_tables.statuses(drawn),
        sessions=tables.sessions(drawn),
        administrations=administrations(drawn, alliance=alliance),
        totals=earlier.totals(drawn),
        goals=life_tables.goals(drawn),
        goal_ratings=life_tables.goal_ratings(drawn),
        events=life_tables.events(drawn),
        truth=truth.truth(drawn),
    )
