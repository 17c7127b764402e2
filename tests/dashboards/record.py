"""A small record with an account per role, for the tests of the pages."""

from __future__ import annotations

from datetime import date, timedelta

from mbc.store import (
    Administration,
    Client,
    Clinician,
    Episode,
    Event,
    Flag,
    Goal,
    GoalRating,
    Relationship,
    RelationshipStatus,
    Session,
    Store,
)

PASSWORD = "seven geese, one harbour lamp"
FIRST = date(2026, 1, 5)

# The answers of one form-a RSES sheet (coding 0-3; items 2, 5, 6, 8, 9 are reversed) that sum to a total: see
# `rses_answers`. Totals are what the tests expect to meet on the page.
RSES_TOTALS = (10, 11, 9, 12, 20, 22)
RSES_REVERSED = frozenset({2, 5, 6, 8, 9})


def rses_answers(total: int) -> tuple[float, ...]:
    """Answers whose keyed sum is the total: threes first, then the rest."""
    keyed = [max(0, min(3, total - 3 * place)) for place in range(10)]
    return tuple(3 - one if item in RSES_REVERSED else one for item, one in enumerate(keyed, start=1))


def day(week: int) -> date:
    return FIRST + timedelta(weeks=week)


def make_record(url: str) -> None:
    """Two clinicians; C001 (with a story) and C002 belong to the first, C003 to the second."""
    with Store.create(url) as store:
        with store.writing(by="tests") as record:
            record.add_all([Clinician("K1", "Dr Ash"), Clinician("K2", "Dr Birch")])
            record.add_all(
                [
                    Client("C001", "Willow", "K1", FIRST),
                    Client("C002", None, "K1", FIRST),
                    Client("C003", "Hazel", "K2", FIRST),
                ]
            )
            record.add_all(_story("C001"))
            record.add_all(_sheets("C003", (14, 15, 14)))
        accounts = store.accounts
        accounts.add("ash", PASSWORD, "clinician", "K1", permissions=["safety:read"])
        accounts.add("birch", PASSWORD, "clinician", "K2")
        accounts.add("oak", PASSWORD, "supervisor", supervises=["K1", "K2"])
        accounts.add("ana", PASSWORD, "analyst")
        accounts.add("adam", PASSWORD, "administrator")


def _story(client: str) -> list[object]:
    episode = Episode("E001", client, "K1", FIRST, FIRST)
    sessions = [Session(client, "E001", week + 1, day(week), attended=week != 3) for week in range(10)]
    lives = [
        Relationship("R-1", client, "R1"),
        RelationshipStatus(client, "partnered", date(2024, 6, 1), "R-1"),
        RelationshipStatus(client, "ended", day(6), "R-1"),
        RelationshipStatus(client, "single", day(6)),
        Event("EV1", client, day(6), "break-up", "Ended R1", "growth"),
    ]
    goal = [
        Goal("G-1", client, "Say what I need", FIRST, 2, 8),
        GoalRating("G-1", day(0), 2),
        GoalRating("G-1", day(8), 6),
    ]
    return [
        episode,
        *sessions,
        *lives,
        *goal,
        *_sheets(client, RSES_TOTALS),
        *_satisfaction(client),
        _raised(client),
    ]


def _sheets(client: str, totals: tuple[int, ...]) -> list[Administration]:
    return [
        Administration(
            client, "rses", day(2 * i), rses_answers(total), form="a", coding="0-3", session_number=2 * i + 1
        )
        for i, total in enumerate(totals)
    ]


def _satisfaction(client: str) -> list[Administration]:
    return [
        Administration(client, "csi4", day(week), (3, 2, 2, level), target="R-1")
        for week, level in ((0, 2), (2, 2), (4, 1))
    ]


def _raised(client: str) -> Administration:
    answers = (1, 1, 1, 1, 0, 0, 0, 0, 1)
    return Administration(client, "phq9", day(1), answers, flags=(Flag("i9"),))
