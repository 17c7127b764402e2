"""What somebody outside may know of a person, and how many people of a cohort it fits.

Each kind of knowledge is turned into the text that the released tables would show of a person; people with the
same text cannot be distinguished by it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import polars as pl

from mbc.care.cohort.deidentified import Cohort
from mbc.privacy.risk import disclosure

_LONG_GAP = 14  # days without a session: a holiday of the client's or of the clinician's


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What one kind of person may know."""

    who: str
    what: str
    texts: Callable[[Cohort], Sequence[str]]  # one per person, in the order of the people's table


@dataclass(frozen=True, slots=True)
class Exposure:
    """How far knowledge narrows a cohort down."""

    who: str
    what: str
    k: int  # fewest people who fit what is known of one
    unique: int  # people whom it fits alone

    def to_dict(self) -> dict[str, object]:
        """Give plain values."""
        return {"what": self.what, "k": self.k, "unique": self.unique}


def exposures(cohort: Cohort) -> tuple[Exposure, ...]:
    """Measure each kind of knowledge against the tables of a cohort."""
    measured: list[Exposure] = []
    for knowledge in KNOWLEDGE:
        texts = pl.DataFrame({"known": list(knowledge.texts(cohort))}, schema={"known": pl.String})
        classes = disclosure(texts, ["known"])
        measured.append(Exposure(knowledge.who, knowledge.what, classes.k, classes.unique))
    return (*measured, _three_visits(cohort))


def _public(cohort: Cohort) -> list[str]:
    return [str(row) for row in cohort.people.drop("study_id").iter_rows()]


def _partner(cohort: Cohort) -> list[str]:
    """List kinds of relationship status and the days between them; the day of each in care is not known."""
    known: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for study_id, day, status in cohort.relationships.select("study_id", "day", "status").iter_rows():
        known[study_id].append((day, status))
    texts: list[str] = []
    for study_id in cohort.people["study_id"]:
        changes = sorted(known.get(study_id, []))
        gaps = [later[0] - earlier[0] for earlier, later in pairwise(changes)]
        texts.append(str(([status for _, status in changes], gaps)))
    return _with_people(cohort, texts, ("relationship",))


def _receptionist(cohort: Cohort) -> list[str]:
    """Give the number of visits, the time from the first to the last, how it ended and with whom."""
    return _with_people(cohort, [""] * cohort.people.height, ("sessions", "days", "weeks", "ending", "therapist"))


def _diary(cohort: Cohort) -> list[str]:
    """List the days of all visits, and of all questionnaires, since the first."""
    days = _visits(cohort)
    return [str(days.get(study_id, [])) for study_id in cohort.people["study_id"]]


def _holidays(cohort: Cohort) -> list[str]:
    """List when long gaps between visits began, and how long they were."""
    days = _visits(cohort)
    texts: list[str] = []
    for study_id in cohort.people["study_id"]:
        visits = days.get(study_id, [])
        texts.append(str([(last, back - last) for last, back in pairwise(visits) if back - last >= _LONG_GAP]))
    return texts


def _letter(cohort: Cohort) -> list[str]:
    """Give the first score on the scale that most people have, and the number of sessions."""
    first = cohort.scores.drop_nulls("score").sort("day").unique(["study_id", "instrument", "scale"], keep="first")
    if first.is_empty():
        return _with_people(cohort, [""] * cohort.people.height, ("sessions",))
    ((instrument, scale), _), *_ = Counter(first.select("instrument", "scale").iter_rows()).most_common(1)
    seen = dict(
        first.filter((pl.col("instrument") == instrument) & (pl.col("scale") == scale))
        .select("study_id", "score")
        .iter_rows()
    )
    return _with_people(cohort, [str(seen.get(study_id)) for study_id in cohort.people["study_id"]], ("sessions",))


def _questionnaires(cohort: Cohort) -> list[str]:
    """List which questionnaires a person has answered."""
    answered = cohort.scores.group_by("study_id").agg(
        pl.col("instrument").unique().sort().str.join(" ").alias("all")
    )
    seen = dict(answered.select("study_id", "all").iter_rows())
    return [str(seen.get(study_id)) for study_id in cohort.people["study_id"]]


def _with_people(cohort: Cohort, texts: Sequence[str], columns: Sequence[str]) -> list[str]:
    named = [name for name in columns if name in cohort.people.columns]
    rows = cohort.people.select(named).iter_rows() if named else ((),) * cohort.people.height
    return [f"{text} {row}" for text, row in zip(texts, rows, strict=True)]


def _visits(cohort: Cohort) -> Mapping[str, list[int]]:
    """Days of each person's visits, from the sessions; from the scores where there are no sessions."""
    frame = cohort.sessions.filter("attended")
    if frame.is_empty():
        frame = cohort.scores
    ordered = frame.select("study_id", "day").unique().sort("study_id", "day")
    days: dict[str, list[int]] = defaultdict(list)
    for study_id, day in ordered.iter_rows():
        days[study_id].append(day)
    return days


def _three_visits(cohort: Cohort) -> Exposure:
    """Measure what three visits in a row tell, such as hours away from work: the two gaps between them."""
    days = _visits(cohort)
    who: dict[tuple[int, int], set[str]] = defaultdict(set)
    for study_id, visits in days.items():
        for first, second, third in zip(visits, visits[1:], visits[2:], strict=False):
            who[second - first, third - second].add(study_id)
    alone = {next(iter(people)) for people in who.values() if len(people) == 1}
    fewest = min((len(people) for people in who.values()), default=cohort.people.height)
    what = "the days between three visits in a row"
    return Exposure("employer", what, fewest, len(alone))


KNOWLEDGE: Final = (
    Knowledge("public table", "every column of people.csv", _public),
    Knowledge("partner", "relationship statuses and the time between them", _partner),
    Knowledge("receptionist", "number of visits, time from first to last, ending, therapist", _receptionist),
    Knowledge("diary", "the days of all visits since the first", _diary),
    Knowledge("clinician's holidays", "when visits paused for two weeks or more", _holidays),
    Knowledge("colleague", "which questionnaires were answered", _questionnaires),
    Knowledge("letter", "one first score, and the number of sessions", _letter),
)
NOT_PROTECTED: Final = frozenset({"colleague", "letter"})
"""Kinds of knowledge that no profile protects against: they are of the scores, which a cohort is for."""
