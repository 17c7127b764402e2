"""The page for administrators says of each role what the table of roles says, which the tests walk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.access.test_roles_table import EXPECTED

PAGE = Path(__file__).resolve().parents[3] / "docs/access.md"
COLUMNS = {
    "clinician": ("clinician", "clin+safety"),
    "supervisor": ("supervisor", "sup+safety"),
    "safety lead": ("lead", "lead"),
    "analyst": ("analyst", "analyst"),
    "researcher": ("researcher", "researcher"),
    "administrator": ("admin", "admin"),
}
DOORS = {
    "clients": ("clients",),
    "episodes, sessions": ("episodes", "sessions", "totals", "goals", "events", "client_review"),
    "answers of": ("answers",),
    "write any": ("write:Client", "write:Episode", "write:Administration", "write:Goal", "write:Event"),
    "safety channel": ("safety_flags", "answers:safety", "acknowledge"),
    "emergency access": ("break_glass",),
    "see who used": ("break_glass_log",),
    "exact outcomes": ("clinic_report",),
    "releases": ("releases",),
    "de-identified": ("counting:cohort", "deidentified_cohort"),
    "accounts": ("accounts", "write:Clinician"),
    "caseloads": ("caseloads",),
    "erase a person": ("erase",),
    "audit trail": ("audit.entries", "verify"),
}
REACH = {"own": "1", "named": "12", "all": "123", "–": "-"}


def rows() -> list[tuple[str, dict[str, str]]]:
    page = PAGE.read_text(encoding="utf-8")
    lines = page[page.index("| | clinician") :].split("\n\n")[0].splitlines()
    head, _, *body = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert head[1:] == list(COLUMNS)
    return [(name, dict(zip(head[1:], cells, strict=True))) for name, *cells in body]


def test_the_page_has_every_row():
    named = [name for name, _ in rows()]
    assert len(named) == len(DOORS)
    assert all(any(name.startswith(start) for name in named) for start in DOORS)


@pytest.mark.parametrize(("name", "cells"), rows(), ids=lambda value: value[:12] if isinstance(value, str) else "")
def test_the_page_says_what_the_walk_finds(name: str, cells: dict[str, str]):
    doors = next(doors for start, doors in DOORS.items() if name.startswith(start))
    for role, said in cells.items():
        plain, granted = COLUMNS[role]
        reach, _, condition = said.partition(",")
        for door in doors:
            without, having = EXPECTED[door][plain], EXPECTED[door][granted]
            if "if granted" in condition:
                assert (without in "-0", having) == (True, REACH[reach]), (door, role)
            elif reach in REACH and without != "+" and "break" not in door:
                assert without == REACH[reach], (door, role)
            else:
                assert (without == "-") is (said == "–"), (door, role)
