"""How clients rate the work with their therapist: a rising line with ruptures that are mostly repaired.

Every figure here is an assumption of the simulation, as those of the population are.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from mbc.simulate.people.attendance import Attendance
from mbc.simulate.streams import Bools, Floats, Stream

EVERY: Final = 3  # sessions, beginning with the second: nobody knows a therapist at the first
RISE: Final = 0.04  # SDs a session, for the first dozen
RUPTURE: Final = 0.035  # chance at a session
FALL: Final = 1.6  # SDs
LASTS: Final = 3  # sessions at most until it is repaired
UNREPAIRED: Final = 0.15  # share of ruptures that stay


def asked(attendance: Attendance) -> Bools:
    """Sessions at which the alliance is asked about; shape (clients, weeks).

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> attended = np.ones((1, 7), dtype=bool)
    >>> asked(SimpleNamespace(attended=attended, nth=np.arange(7)[None, :])).nonzero()[1].tolist()
    [1, 4]
    """
    return attendance.attended & (attendance.nth % EVERY == 1)


def draw_alliance(seed: int, attendance: Attendance) -> Floats:
    """Alliance in each week, in standard deviations over clients; shape (clients, weeks)."""
    clients, weeks = attendance.attended.shape
    stream = Stream(seed, "alliance")
    level = stream.normal(clients, 1) + RISE * np.minimum(attendance.nth, 12)
    strains = attendance.attended & stream.chance(RUPTURE, clients, weeks)
    lasts = stream.integers(1, LASTS + 1, clients, weeks)
    stays = stream.chance(UNREPAIRED, clients, weeks)
    fallen = np.zeros((clients, weeks), dtype=bool)
    for client, week in np.argwhere(strains).tolist():
        until = weeks if stays[client, week] else week + int(lasts[client, week])
        fallen[client, week:until] = True
    return level - FALL * fallen + 0.3 * stream.normal(clients, weeks)
