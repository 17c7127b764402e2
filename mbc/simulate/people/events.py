"""What happens in the clients' lives beside the sessions.

Labels are plain and reveal nothing that could harm a client whose screen is read by somebody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from mbc.simulate.people.attendance import Attendance
from mbc.simulate.people.people import People
from mbc.simulate.people.relationships import DATING, MARRIED, NEVER, Relationships
from mbc.simulate.streams import Bools, Ints, Stream

# kind -> label, valence
CATALOGUE: Final = {
    "break-up chosen": ("break-up", "Relationship ended by own choice", "growth"),
    "break-up": ("break-up", "Relationship ended", "hard"),
    "separation chosen": ("separation", "Separation by own choice", "growth"),
    "separation": ("separation", "Separation", "hard"),
    "new relationship": ("new relationship", "New relationship", "growth"),
    "moved in": ("moved in", "Moved in together", "neutral"),
    "moved out": ("moved out", "Moved into a place of their own", "neutral"),
    "job": ("job change", "Started a new job", "neutral"),
    "job lost": ("job change", "Job ended", "hard"),
    "holiday": ("holiday gap", "Holiday gap", "neutral"),
    "loss": ("loss", "Loss in the family", "hard"),
    "rupture": ("rupture", "Misunderstanding in session", "hard"),
    "repair": ("repair", "Talked it through together", "growth"),
    "plan": ("plan reviewed", "Plan reviewed together", "neutral"),
    "friend": ("social", "Picked up an old friendship", "growth"),
}
KEYS: Final = tuple(CATALOGUE)
CHANGE_DAY: Final = -2  # a relationship changes on the Saturday before the week
_CHANGES: Final = [
    i for i, key in enumerate(KEYS) if key.startswith(("break-up", "separation", "new", "moved in"))
]
# Events that come to any client: chance within the treatment.
ANYONE: Final = {"job": 0.09, "job lost": 0.04, "loss": 0.05, "plan": 0.14, "friend": 0.08}


@dataclass(frozen=True, slots=True)
class Events:
    """One entry per event in every field."""

    client: Ints
    key: Ints  # position in KEYS
    day: Ints  # days since the first Monday


def draw_events(
    seed: int, people: People, relationships: Relationships, attendance: Attendance, holidays: Ints
) -> Events:
    """Events that follow from the relationships, and some that come to anyone.

    Only what happens between the first and the last appointment is on record.
    """
    stream = Stream(seed, "events")
    clients = len(people)
    within = stream.uniform(clients, len(KEYS))
    weekday = stream.integers(0, 7, clients, len(KEYS))
    weekday[:, _CHANGES] = CHANGE_DAY
    week = np.full((clients, len(KEYS)), NEVER)
    span = attendance.last_week - people.started
    for key, chance in ANYONE.items():
        at = people.started + 1 + np.floor(within[:, KEYS.index(key)] * span).astype(np.int64)
        week[:, KEYS.index(key)] = np.where(stream.chance(chance, clients), at, NEVER)
    for key, at in _following(stream, relationships).items():
        week[:, KEYS.index(key)] = at
    rupture = people.started + 3 + np.floor(within[:, KEYS.index("rupture")] * span).astype(np.int64)
    week[:, KEYS.index("rupture")] = np.where(stream.chance(0.10, clients), rupture, NEVER)
    repaired = stream.chance(0.75, clients)
    week[:, KEYS.index("repair")] = np.where(repaired, week[:, KEYS.index("rupture")] + 1, NEVER)
    week[:, KEYS.index("holiday")] = np.where(stream.chance(0.25, clients), holidays[people.clinician], NEVER)
    day = 7 * week + weekday
    on_record = (week >= people.started[:, None]) & (day <= attendance.last_day[:, None])
    client, key = np.nonzero(on_record)
    return Events(client, key, day[on_record])


def _following(stream: Stream, relationships: Relationships) -> dict[str, Ints]:
    ended, chosen = relationships.ended, relationships.chosen
    wed = relationships.situation == MARRIED
    lived_apart = relationships.situation <= DATING
    moves_out = ~lived_apart & stream.chance(0.6, ended.size)
    return {
        "break-up": _when(~wed & ~chosen, ended),
        "break-up chosen": _when(~wed & chosen, ended),
        "separation": _when(wed & ~chosen, ended),
        "separation chosen": _when(wed & chosen, ended),
        "moved out": _when(moves_out & (ended < NEVER), ended + 2),
        "new relationship": relationships.new_relationship,
        "moved in": relationships.moved_in,
    }


def _when(condition: Bools, week: Ints) -> Ints:
    return np.where(condition, week, NEVER)
