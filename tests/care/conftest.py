"""A small real record: five clients written down by hand, so that every expected value can be counted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from mbc.care import CohortModels
from mbc.exchange import import_record
from mbc.simulate import clinic
from mbc.store import (
    Administration,
    Client,
    Clinician,
    Episode,
    Event,
    Goal,
    GoalRating,
    Relationship,
    RelationshipStatus,
    Session,
    Store,
)

START = dt.date(2025, 1, 6)


def week(n: float) -> dt.date:
    return START + dt.timedelta(days=round(7 * n))


def rses(total: int, blanks: int = 0) -> tuple[float | None, ...]:
    """Ten answers of form a, coding 0-3, whose keyed sum is ``total``; the last ones blank."""
    keyed = [total // 10 + (1 if i < total % 10 else 0) for i in range(10)]
    reverse = {2, 5, 6, 8, 9}
    answers = [float(3 - value if i in reverse else value) for i, value in enumerate(keyed, start=1)]
    return (*answers[: 10 - blanks], *[None] * blanks)


def csi16(total: int) -> tuple[float, ...]:
    """Sixteen answers, the first 0-6 and the others 0-5, that sum to ``total``."""
    found: list[float] = []
    for most in (6, *[5] * 15):
        found.append(float(min(most, total)))
        total -= int(found[-1])
    return tuple(found)


# Self-esteem: down before up, one blank sheet, one recorded total, a long silence.
ESTEEM = ((0, 12), (2, 11), (4, 8), (6, 14), (8, 21), (10, 22), (20, 24))


@pytest.fixture(scope="session")
def store(tmp_path_factory) -> Iterator[Store]:
    with Store.create(f"sqlite:///{tmp_path_factory.mktemp('care') / 'clinic.db'}") as made:
        with made.writing(by="test") as record:
            record.add(Clinician("K1", "Dr. Ilse Marten"))
            record.add(Clinician("K2", "Tomas Lindqvist"))
            record.add(Clinician("K3", "Camille Okafor"))
            for records in (_ada(), _bo(), _cy(), _di(), _ed()):
                record.add_all(records)
        yield made


def _ada() -> list:
    """C1: self-esteem only; a goal in points, a rated goal, an event."""
    return [
        Client("C1", "Amber alder", "K1", START),
        Episode("E1", "C1", "K1", started_on=START),
        *(Session("C1", "E1", n + 1, week(2 * n), attended=n != 3) for n in range(11)),
        *(Administration("C1", "rses", week(w), rses(s), session_number=w // 2 + 1) for w, s in ESTEEM),
        Administration("C1", "rses", week(5), rses(9, blanks=3)),
        Administration("C1", "rses", week(21), totals={"total": 23}),
        Goal("G1", "C1", "feel at home in my own skin", week(1), target=25, scale="rses"),
        Goal("G2", "C1", "Say no without explaining", week(1), baseline=2, target=8),
        GoalRating("G2", week(3), 3),
        GoalRating("G2", week(9), 8),
        Event("V1", "C1", week(7), "social", "Joined a choir", "growth"),
        Event("V2", "C1", week(8), "safety plan", "Plan reviewed", "neutral"),
    ]


def _bo() -> list:
    """C2: satisfaction with R1, who is left (growth), then single, then R2."""
    return [
        Client("C2", "Misty heron", "K1", START),
        Episode("E2", "C2", "K1", started_on=START),
        Relationship("C2-R1", "C2", "R1"),
        Relationship("C2-R2", "C2", "R2"),
        RelationshipStatus("C2", "partnered", week(-100), "C2-R1"),
        RelationshipStatus("C2", "ended", week(10), "C2-R1"),
        RelationshipStatus("C2", "single", week(10)),
        RelationshipStatus("C2", "dating", week(20), "C2-R2"),
        *(Session("C2", "E2", n + 1, week(n)) for n in range(28)),
        *(
            Administration("C2", "csi16", week(w), csi16(s), target="C2-R1")
            for w, s in ((0, 40), (4, 36), (8, 20))
        ),
        Administration("C2", "csi16", week(12), csi16(0), target="C2-R1"),
        Administration("C2", "csi16", week(21), csi16(60), target="C2-R2"),
        Administration("C2", "csi16", week(25), csi16(64)),
        *(
            Administration("C2", "phq9", week(w), (1.0,) * n + (0.0,) * (9 - n))
            for w, n in ((0, 9), (10, 9), (26, 2))
        ),
        Event("V3", "C2", week(10), "break-up", "Ended R1", "growth"),
    ]


def _cy() -> list:
    """C3: single throughout, of another clinician; nothing answered yet."""
    return [
        Client("C3", None, "K2", START),
        RelationshipStatus("C3", "single", week(-50)),
        Episode("E3", "C3", "K2", started_on=START),
        Session("C3", "E3", 1, START),
    ]


def _di() -> list:
    """C4: one score, and satisfaction answered while single."""
    return [
        Client("C4", None, "K2", START, status="closed"),
        Episode("E4", "C4", "K2", started_on=START, ended_on=week(3), ending="moved away"),
        RelationshipStatus("C4", "single", week(-50)),
        Administration("C4", "rses", START, rses(15)),
        Administration("C4", "csi16", START, csi16(0)),
    ]


def _ed() -> list:
    """C5: came back after earlier care, of which only totals were kept."""
    return [
        Client("C5", None, "K3", week(-60)),
        Episode("E5a", "C5", "K3", referred_on=week(-62), started_on=week(-60), ended_on=week(-40)),
        Episode("E5b", "C5", "K3", started_on=START),
        Session("C5", "E5a", 1, week(-60)),
        *(Session("C5", "E5b", n + 1, week(n)) for n in range(3)),
        *(Administration("C5", "rses", week(w), totals={"total": s}) for w, s in ((-60, 5), (-41, 9))),
        *(Administration("C5", "rses", week(w), rses(s), session_number=w + 1) for w, s in ((0, 14), (2, 16))),
        Administration("C5", "who5", week(-60), totals={"total": 20}),
    ]


@pytest.fixture(scope="session")
def sample(tmp_path_factory) -> Iterator[Store]:
    """The synthetic clinic of 150 clients, through the door that users take."""
    home = tmp_path_factory.mktemp("sample")
    with Store.create(f"sqlite:///{home / 'clinic.db'}") as made:
        import_record(clinic().write(home / "record"), made, by="test")
        yield made


@pytest.fixture(scope="session")
def sample_models(sample) -> CohortModels:
    """The growth models of that clinic, each fitted once."""
    return CohortModels(sample)
