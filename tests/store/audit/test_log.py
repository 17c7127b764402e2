"""The audit trail and the seals: whatever is changed, removed, added or moved is noticed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import text

from mbc.store import Administration, Flag, Goal, GoalRating, Session
from mbc.store.audit.hash_chain import Line
from mbc.store.audit.log import append
from mbc.store.audit.recent_events import Recent
from mbc.store.database import engine as engines
from mbc.store.maintenance import verification
from mbc.store.schema.administration_numbers import FIRST_OF_SAFETY

pytestmark = pytest.mark.long


def tampered(store, *statements):
    """Change the database behind mbc's back, as its owner could; verify; and put everything back."""
    with store._engine.connect() as connection:
        for table in ("audit", "answer", "administration", "total", "earlier", "entry", "tombstone", "erased"):
            if connection.dialect.name == "sqlite":
                connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_kept_from_update"))
                connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_kept_from_delete"))
            else:
                connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_kept ON {table}"))
        for statement in statements:
            connection.execute(text(statement))
        report = verification.verify(connection)
        connection.rollback()
    return report


def test_an_untouched_record_is_intact(clinic):
    clinic.audit.record("export", subject="cohort.csv", rows=12)
    with clinic.writing(by="ann") as record:
        days = [date(2026, 3, 1) + timedelta(days=day) for day in range(30)]
        record.add_all([Administration("C1", "rses", day, (0.1, None, 3), {"total": 1.1}) for day in days])
        record.add(Administration("C1", "rses", days[0], (0, 0, 0)), supersede="misread")
    report = clinic.verify()
    assert report.intact
    assert report.administrations == 35
    assert report.chain.lines == clinic.audit.entries(include_safety=True).height
    assert clinic.audit.verify().head == report.chain.head


def test_what_is_written_in_other_words_than_the_database_s_is_intact(clinic):
    """Truth as a number, numbers as whole ones, texts in any script: the seal is that of what comes back."""
    with clinic.writing(by="Zoë") as record:
        record.add(Session("C1", "C1-E1", 7, date(2026, 3, 1), attended=np.bool_(False), modality="vidéo 漢"))
        record.add(Session("C1", "C1-E1", 8, date(2026, 3, 2), attended=1))
        record.add(
            Goal("G-7", "C1", "größer ‘werden’", date(2026, 3, 1), -0.0, np.float64(0.1), higher_is_better=0)
        )
        record.add(GoalRating("G-7", date(2026, 3, 2), np.int64(3)))
        taken = Administration(
            "C1", "who5", date(2026, 3, 1), np.array([1, 2, np.nan, 0.1, -0.0]), flags=(Flag("i1"),)
        )
        record.add(taken)
    report = clinic.verify()
    assert report.intact, report.faults


def test_each_line_says_who_what_when_and_from_where(clinic):
    clinic.audit.record("export", subject="cohort.csv", rows=12)
    line = clinic.audit.entries(last=1).row(0, named=True)
    assert line["who"].startswith("operator")
    assert (line["action"], line["subject"], line["detail"]) == ("export", "cohort.csv", '{"rows": 12}')
    assert line["origin"] == "command line"
    assert line["at"].tzinfo is not None


def test_a_changed_or_removed_line_is_named(clinic):
    for number in range(5):
        clinic.audit.record("export", subject=f"file {number}")
    for statement, says in (
        ("UPDATE audit SET who = 'somebody' WHERE sequence = 3", "Line 3 was changed"),
        ("UPDATE audit SET subject = 'C1' WHERE sequence = 1", "Line 1 was changed"),
        ("DELETE FROM audit WHERE sequence = 3", "Lines 3 to 3 are missing"),
        ("DELETE FROM audit WHERE sequence = 1", "Lines 1 to 1 are missing"),
    ):
        report = tampered(clinic, statement)
        assert not report.intact, statement
        assert any(says in fault for fault in report.chain.faults), statement
    assert clinic.verify().intact


def test_two_lines_that_changed_places_are_noticed(clinic):
    for number in range(5):
        clinic.audit.record("export", subject=f"file {number}")
    report = tampered(
        clinic,
        "UPDATE audit SET sequence = 99 WHERE sequence = 3",
        "UPDATE audit SET sequence = 3 WHERE sequence = 4",
        "UPDATE audit SET sequence = 4 WHERE sequence = 99",
    )
    assert any("does not follow" in fault for fault in report.chain.faults)


def test_an_administration_that_was_touched_is_noticed(clinic):
    for statement in (
        "UPDATE answer SET value = 3 WHERE item = 1 AND administration_id = 1",
        "UPDATE answer SET value = NULL WHERE item = 3 AND administration_id = 1",
        "UPDATE answer SET value = 0 WHERE item = 4 AND administration_id = 1",  # a blank became zero
        "DELETE FROM answer WHERE item = 9 AND administration_id = 1",
        "UPDATE total SET score = 1 WHERE administration_id = 1",
        "INSERT INTO total VALUES (1, 'other', 3)",
        "UPDATE administration SET coding = '1-4' WHERE administration_id = 1",
        "UPDATE administration SET taken_on = '2026-01-08' WHERE administration_id = 1",
        "UPDATE administration SET version = '2' WHERE administration_id = 1",
        f"UPDATE administration SET channel = 'care' WHERE administration_id = {FIRST_OF_SAFETY}",
        f"UPDATE administration SET client_id = 'C1' WHERE administration_id = {FIRST_OF_SAFETY + 1}",
    ):
        report = tampered(clinic, statement)
        assert report.chain.intact, statement
        assert report.faults, statement
    assert clinic.verify().intact


def test_an_administration_that_was_removed_is_noticed(clinic):
    report = tampered(
        clinic,
        f"DELETE FROM answer WHERE administration_id = {FIRST_OF_SAFETY}",
        f"DELETE FROM total WHERE administration_id = {FIRST_OF_SAFETY}",
        f"DELETE FROM safety_flag WHERE administration_id = {FIRST_OF_SAFETY}",
        f"DELETE FROM administration WHERE administration_id = {FIRST_OF_SAFETY}",
    )
    assert "Entry 1" in report.faults[0]


def test_an_entry_whose_audit_line_was_cut_off_is_noticed(clinic):
    report = tampered(clinic, "DELETE FROM audit WHERE sequence = (SELECT max(sequence) FROM audit)")
    assert report.chain.intact  # a chain cannot know that its end is missing
    assert "Entry 1" in report.faults[0]


def test_a_line_from_a_wrong_clock_hides_nothing_that_came_before_it(clinic):
    """A sign-in that was handed back stays so, though one later line is stamped three days ago."""
    clinic.accounts.end_sign_in("ann", "token-1")
    late = datetime.now(UTC) - timedelta(days=3)
    with engines.writing(clinic._engine) as connection:
        append(connection, [Line(late, "ann", "read", None, "{}", "10.0.0.7")])
    assert Recent(clinic._engine).has_ended("token-1")
