"""Which questionnaires are due at which session.

Each session asks for three minutes at most; every fourth session, the first, and a planned last one ask for
all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from mbc.simulate.people.attendance import DROPPED, PLANNED, Attendance
from mbc.simulate.people.people import ATTACHMENT_FORMS, FOCUSES, SATISFACTION_FORMS, People
from mbc.simulate.streams import Bools, Ints, Stream

SECONDS_PER_ITEM: Final = 6.5  # assumed; three minutes hold 27 items
REVIEW: Final = 4  # sessions from one full review to the next
# For each focus: questionnaire -> every how many sessions, beginning with which (0 is the first).
WEEKLY: Final[dict[str, dict[str, tuple[int, int]]]] = {
    "esteem": {"rses": (1, 0), "who5": (2, 0), "satisfaction": (2, 1)},
    "attachment": {"attachment": (2, 0), "who5": (2, 0), "rses": (2, 1), "satisfaction": (2, 1)},
    "relationship": {"satisfaction": (1, 0), "who5": (2, 0), "rses": (2, 1)},
    "symptoms": {"phq9": (1, 0), "gad7": (1, 0), "rses": (2, 1)},
}
ROLES: Final = ("rses", "satisfaction", "ras", "attachment", "phq9", "gad7", "who5")
LONG: Final = ("csi32", "ecr_r")  # asked at reviews only
ABOUT_RELATIONSHIP: Final = ("satisfaction", "ras")


@dataclass(frozen=True, slots=True)
class Due:
    """Questionnaires submitted: for each role, a mask of shape (clients, weeks)."""

    by_role: dict[str, Bools]

    def instrument(self, key: str, people: People) -> Bools:
        """Who takes one instrument, and when; shape (clients, weeks)."""
        if key in SATISFACTION_FORMS:
            return (
                self.by_role["satisfaction"] & (people.satisfaction_form == SATISFACTION_FORMS.index(key))[:, None]
            )
        if key in ATTACHMENT_FORMS:
            return self.by_role["attachment"] & (people.attachment_form == ATTACHMENT_FORMS.index(key))[:, None]
        return self.by_role[key]


def draw_due(seed: int, people: People, attendance: Attendance, relationship: Ints) -> Due:
    """Lay the battery over the attended sessions, and lose some of it.

    Parameters
    ----------
    seed : int
        The clinic's seed.
    people, attendance
        Who comes, and when.
    relationship : ndarray, shape (clients, weeks)
        Number of the current relationship, 0 for none: satisfaction is not asked then.
    """
    stream = Stream(seed, "battery")
    clients, weeks = attendance.attended.shape
    week = np.arange(weeks)
    fading = (attendance.ending == DROPPED)[:, None] & (week > attendance.last_week[:, None] - 4)
    handed_in = attendance.attended & stream.chance(np.where(fading, 0.72, 0.95), clients, weeks)
    by_role: dict[str, Bools] = {}
    for role in ROLES:
        answered = planned_sessions(role, people, attendance) & handed_in & stream.chance(0.975, clients, weeks)
        by_role[role] = answered & (relationship > 0) if role in ABOUT_RELATIONSHIP else answered
    return Due(by_role)


def planned_sessions(role: str, people: People, attendance: Attendance) -> Bools:
    """Sessions at which a questionnaire belongs to the battery, handed in or not."""
    nth = attendance.nth
    due = reviews(attendance)
    for focus, name in enumerate(FOCUSES):
        if role in WEEKLY[name]:
            every, begin = WEEKLY[name][role]
            due = due | ((people.focus == focus)[:, None] & (nth % every == begin))
    if role == "satisfaction":
        due = np.where(
            (people.satisfaction_form == SATISFACTION_FORMS.index("csi32"))[:, None], reviews(attendance), due
        )
    if role == "attachment":
        due = np.where(
            (people.attachment_form == ATTACHMENT_FORMS.index("ecr_r"))[:, None], reviews(attendance), due
        )
    if role == "ras":
        due = due & people.takes_ras[:, None]
    return due & attendance.attended


def reviews(attendance: Attendance) -> Bools:
    """Sessions with the full battery: the first, every fourth after it, and a planned last one."""
    nth = attendance.nth
    closing = (attendance.ending == PLANNED)[:, None] & (nth == nth[:, -1:])
    return attendance.attended & ((nth % REVIEW == 0) | closing)
