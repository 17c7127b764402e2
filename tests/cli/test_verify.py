"""``mbc verify`` as a user calls it, on a file that somebody really tampered with."""

from __future__ import annotations

import shutil
from datetime import date

import pytest
from click.testing import CliRunner

from mbc.cli.verify import command
from mbc.errors import SettingsError
from mbc.sqlite_library import SQLITE
from mbc.store import Administration, Client, Goal, Store

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("verify") / "clinic.db"
    with Store.create(f"sqlite:///{path}") as store:
        for number in range(1, 4):
            with store.writing(by="ann") as record:
                record.add(Client(f"C{number}"))
                record.add(Administration(f"C{number}", "rses", date(2026, 1, number), (1, 2, 3), {"total": 6}))
                record.add(Goal(f"G{number}", f"C{number}", "rest", date(2026, 1, 1)))
        with store.writing(by="ann") as record:
            record.add(Administration("C1", "rses", date(2026, 1, 1), (1, 2, 2)), supersede="misread")
        store.audit.record("export", subject="a.csv")
        store.audit.record("export", subject="b.csv")
    return path


@pytest.fixture
def path(made, tmp_path):
    return shutil.copy(made, tmp_path / "clinic.db")


def verify(path, *words):
    return CliRunner().invoke(command, ["--store", f"sqlite:///{path}", *words], catch_exceptions=False)


def tamper(path, *statements):
    """Open the file with another program, take the triggers away, change it, and put the triggers back."""
    with SQLITE.connect(path) as other:
        triggers = other.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            other.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            other.execute(statement)
        for _, made_by in triggers:
            other.execute(made_by)
    other.close()


def test_an_intact_record_ends_with_its_head_to_note(path):
    done = verify(path)
    assert done.exit_code == 0
    assert ": intact" in done.output
    assert "6 lines of the audit log" in done.output
    assert "4 entries with 4 questionnaires" in done.output
    head = done.output.rsplit(": ", 1)[1].strip()
    assert head.startswith("6:")
    again = verify(path, "--head", head)
    assert again.exit_code == 0
    assert "0 lines came after it" in again.output


BEHIND = {
    "a changed line": ("UPDATE audit SET who = 'x' WHERE sequence = 2", "Line 2 was changed"),
    "a line with another subject": ("UPDATE audit SET subject = 'C2' WHERE sequence = 1", "Line 1 was changed"),
    "a removed line": ("DELETE FROM audit WHERE sequence = 2", "Lines 2 to 2 are missing"),
    "lines in another order": (
        (
            "UPDATE audit SET sequence = -1 WHERE sequence = 2; UPDATE audit SET sequence = 2 WHERE sequence = 3; "
            "UPDATE audit SET sequence = 3 WHERE sequence = -1"
        ),
        "does not follow",
    ),
    "the line of an entry cut off": (
        "DELETE FROM audit WHERE sequence >= 4",
        "Entry 4: the audit trail has no line",
    ),
    "a changed answer": (
        "UPDATE answer SET value = 3 WHERE administration_id = 2 AND item = 1",
        "Administration 2",
    ),
    "a changed total": ("UPDATE total SET score = 7 WHERE administration_id = 2", "Administration 2"),
    "a removed administration": (
        (
            "DELETE FROM answer WHERE administration_id = 2; DELETE FROM total WHERE administration_id = 2; "
            "DELETE FROM administration WHERE administration_id = 2"
        ),
        "Entry 2: its questionnaires",
    ),
    "the last administration removed with its counter's entry": (
        (
            "DELETE FROM answer WHERE administration_id = 4; "
            "DELETE FROM administration WHERE administration_id = 4; "
            "DELETE FROM entry WHERE entry_id = 4; DELETE FROM audit WHERE sequence >= 4"
        ),
        "number 4 had been assigned",
    ),
    "an added administration": (
        (
            "INSERT INTO administration SELECT 9, client_id, episode_id, relationship_id, 'phq9', version, form, "
            "coding, informant, taken_on, taken_at, session_number, channel, 'o', revision, content, supersedes, "
            "reason, source_line, entry_id FROM administration WHERE administration_id = 2"
        ),
        "Entry 2: its questionnaires",
    ),
    "another version": (
        "UPDATE administration SET version = '2' WHERE administration_id = 1",
        "Entry 1: its quest",
    ),
    "another channel": (
        "UPDATE administration SET channel = 'safety' WHERE administration_id = 1",
        "Entry 1: its q",
    ),
    "another reason": ("UPDATE administration SET reason = 'x' WHERE administration_id = 4", "Entry 4: its quest"),
    "an added flag": (
        (
            "INSERT INTO safety_flag (administration_id, item, client_id, instrument, kind, raised_on, entry_id) "
            "VALUES (1, 'i9', 'C1', 'rses', 'risk', '2026-01-01', 1)"
        ),
        "Entry 1: its questionnaires",
    ),
    "a client of somebody else's": ("UPDATE client SET status = 'closed' WHERE client_id = 'C1'", "its clients"),
    "another goal": ("UPDATE goal SET label = 'work' WHERE goal_id = 'G1'", "Entry 1: its goals"),
    "another writer": ("UPDATE entry SET recorded_by = 'bob' WHERE entry_id = 1", "Entry 1: who wrote it"),
    "a day that is none": ("UPDATE goal SET set_on = 'soon' WHERE goal_id = 'G1'", "cannot be read"),
    "a moment that is none": ("UPDATE audit SET at = 'now' WHERE sequence = 3", "A line after line"),
    "an answer that is a word": ("UPDATE answer SET value = 'x' WHERE administration_id = 2", "Administration 2"),
    "a flag that is none": ("UPDATE audit SET detail = 'x' WHERE sequence = 2", "Line 2 was changed"),
    "another file": ("UPDATE entry SET source_name = 'b.csv' WHERE entry_id = 1", "Entry 1: its source file"),
}


@pytest.mark.parametrize("what", BEHIND)
def test_whatever_is_done_to_the_file_is_named(path, what):
    statement, says = BEHIND[what]
    tamper(path, *statement.split("; "))
    done = verify(path)
    assert done.exit_code == 1
    assert "NOT INTACT" in done.output
    assert any(says in line for line in done.output.splitlines() if line.startswith("  FAULT")), done.output


def test_newest_lines_cut_off_are_noticed_against_a_head_that_was_noted(path):
    head = verify(path).output.rsplit(": ", 1)[1].strip()
    tamper(path, "DELETE FROM audit WHERE sequence >= 5")  # an export that nobody is to know of
    assert verify(path).exit_code == 0  # the chain alone cannot know
    done = verify(path, "--head", head)
    assert done.exit_code == 1
    assert "FAULT The noted head is not part of the chain" in done.output


def test_what_cannot_be_a_head_is_refused(path):
    with pytest.raises(SettingsError, match="'12' is not the head of a chain"):
        verify(path, "--head", "12")
