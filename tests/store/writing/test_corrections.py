"""What was entered in error is withdrawn with a reason, undone, and never erased; readers leave it out."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text

from mbc.errors import AccessDenied, Conflict, NotInRecord, StoreError
from mbc.store import (
    Administration,
    Client,
    CouplesReadiness,
    Episode,
    Event,
    Goal,
    GoalRating,
    Homework,
    ImportSource,
    PlannedMeasure,
    RelationshipStatus,
    ReleaseOfInformation,
    SafetyPlan,
    Session,
    Store,
)
from mbc.store.schema.kinds import ENTRIES, KINDS
from tests.store.conftest import GOOD_PASSWORD, entries_of

DAY = date(2026, 2, 2)
WHY = "of another client"


def withdraw(store: Store, kind: type, *key: object, reason: str = WHY) -> None:
    with store.writing(by="ann") as record:
        if kind is Administration:
            record.withdraw(*key, client_id="C1", reason=reason)
        else:
            record.withdraw_entry(kind, *key, reason=reason)


def undo(store: Store, kind: type, *key: object) -> str:
    with store.writing(by="ann") as record:
        return record.undo(kind, *key)


def add(store: Store, entry, **options) -> str:
    with store.writing(by="ann", **options) as record:
        return record.add(entry)


def test_every_kind_of_entry_is_withdrawn_undone_and_sealed_throughout(clinic):
    keys = {}
    for entry in entries_of("C1", DAY):
        kind = KINDS[type(entry)]
        keys[kind] = [getattr(entry, name) for name in kind.key]
    read = lambda: {kind.noun: getattr(clinic, kind.reader)(client_id="C1").rows() for kind in keys}  # noqa: E731
    before = read()
    assert {len(rows) for rows in before.values()} == {1}
    for kind, key in reversed(keys.items()):  # answers before the signal that they answer
        withdraw(clinic, kind.record, *key)
    assert {len(rows) for rows in read().values()} == {0}
    for kind, key in keys.items():
        assert undo(clinic, kind.record, *key) == "restored"
    assert read() == before
    assert clinic.verify().intact
    assert all(getattr(clinic, kind.reader)(client_id="C2").height == 1 for kind in ENTRIES[:-2])


def test_what_was_withdrawn_stays_on_record_with_its_reason(clinic):
    withdraw(clinic, Homework, "C1-H1")
    with clinic._engine.connect() as connection:
        row = connection.execute(text("SELECT content, reason, withdrawn FROM earlier")).one()
    assert "ask for one thing" in row.content
    assert (row.reason, bool(row.withdrawn)) == (WHY, True)
    actions = clinic.audit.entries(last=1).row(0, named=True)
    assert "homework withdrawn" in actions["detail"]


def test_an_altered_mark_is_noticed(clinic):
    withdraw(clinic, Homework, "C1-H1")
    with clinic._engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER earlier_kept_from_update"))
        else:
            connection.execute(text("DROP TRIGGER earlier_kept ON earlier"))
        connection.execute(text("UPDATE earlier SET withdrawn = NULL"))
    try:
        assert any("earlier versions" in fault for fault in clinic.verify().faults)
    finally:
        if clinic._engine.dialect.name == "postgresql":
            with clinic._engine.begin() as connection:
                connection.execute(
                    text(
                        "CREATE TRIGGER earlier_kept BEFORE UPDATE OR DELETE ON earlier "
                        "FOR EACH ROW EXECUTE FUNCTION earlier_kept()"
                    )
                )


def test_undoing_a_correction_brings_back_what_was_before(clinic):
    key = ("C1-G1", date(2026, 2, 9))
    with clinic.writing() as record:
        record.add(GoalRating(*key, 9), supersede="misread")
    assert undo(clinic, GoalRating, *key) == "restored"
    assert clinic.goal_ratings(client_id="C1")["rating"].to_list() == [4.0]
    assert clinic.verify().intact


def test_what_others_name_is_not_withdrawn(clinic):
    with pytest.raises(Conflict, match="cannot be withdrawn while it has goal ratings on record"):
        withdraw(clinic, Goal, "C1-G1")
    with pytest.raises(Conflict, match="sessions, questionnaires on record"):
        withdraw(clinic, Episode, "C1-E1")
    withdraw(clinic, GoalRating, "C1-G1", date(2026, 2, 9))
    withdraw(clinic, Goal, "C1-G1")
    assert clinic.goals(client_id="C1").is_empty()
    assert clinic.verify().intact


def test_a_status_without_a_relationship_is_named_with_none(clinic):
    withdraw(clinic, RelationshipStatus, "C1", None, date(2025, 1, 1))
    assert clinic.statuses(client_id="C1")["status"].to_list() == ["partnered"]


def test_a_new_client_is_withdrawn_and_comes_back(clinic):
    with pytest.raises(Conflict, match="cannot be withdrawn while it has episodes"):
        withdraw(clinic, Client, "C1")
    add(clinic, Client("C9", clinician_id="T1"))
    withdraw(clinic, Client, "C9")
    assert clinic.clients()["client_id"].to_list() == ["C1", "C2"]
    assert "C9" not in clinic.caseloads()["client_id"].to_list()
    with pytest.raises(NotInRecord, match="no client 'C9'"):
        add(clinic, Episode("E9", "C9"))
    assert add(clinic, Client("C9", clinician_id="T1")) == "superseding"
    assert add(clinic, Episode("E9", "C9")) == "stored"
    assert clinic.verify().intact


def test_a_questionnaire_is_withdrawn_and_entered_again(clinic):
    (number,) = clinic.administrations("phq9", client_id="C1")["administration_id"]
    withdraw(clinic, Administration, number)
    assert clinic.administrations("phq9", client_id="C1").is_empty()
    assert clinic.answers("phq9", client_id="C1").is_empty()
    assert clinic.safety_flags(client_id="C1").height == 1, "nobody has seen it yet"
    history = clinic.administrations("phq9", client_id="C1", history=True)
    assert history["reason"].to_list() == [None, WHY]
    with pytest.raises(NotInRecord, match="a later version"):
        undo(clinic, Administration, number)
    again = Administration("C1", "phq9", date(2026, 1, 9), (1, 1, 0, 0, 1, 0, 2, 1, 0), session_number=1)
    assert add(clinic, again) == "superseding", "after a withdrawal other content needs no reason"
    assert clinic.administrations("phq9", client_id="C1").height == 1
    assert clinic.verify().intact


def test_undoing_a_questionnaire_goes_back_and_forth(clinic):
    key = ("phq9",)
    (first,) = clinic.administrations(*key, client_id="C1")["administration_id"]
    answers = clinic.answers(*key, client_id="C1")["value"].to_list()
    assert undo(clinic, Administration, first) == "withdrawn"
    history = clinic.administrations(*key, client_id="C1", history=True)
    assert undo(clinic, Administration, history["administration_id"].max()) == "restored"
    assert clinic.answers(*key, client_id="C1")["value"].to_list() == answers
    (now,) = clinic.administrations(*key, client_id="C1")["administration_id"]
    assert undo(clinic, Administration, now) == "withdrawn"
    assert clinic.administrations(*key, client_id="C1").is_empty()
    assert clinic.verify().intact


def test_importing_the_same_file_again_brings_nothing_back(clinic):
    source = ImportSource("sessions.csv")
    session = Session("C1", "C1-E1", 1, date(2026, 1, 9), modality="video")
    withdraw(clinic, Session, "C1-E1", 1)
    assert add(clinic, session, source=source) == "duplicate"
    assert clinic.sessions(client_id="C1").is_empty()
    assert add(clinic, session) == "stored", "entered by hand it is meant"
    who5 = Administration("C1", "who5", DAY, (1, 2, 3, 4, 5))
    add(clinic, who5, source=source)
    withdraw(clinic, Administration, *clinic.administrations("who5")["administration_id"])
    assert add(clinic, who5, source=source) == "duplicate"
    assert clinic.administrations("who5").is_empty()
    assert clinic.verify().intact


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (("H 1",), "no such homework"),
        (("C1-H9",), "no homework C1-H9"),
        ((DAY,), "no such homework"),
    ],
)
def test_what_is_not_there_is_named(clinic, key, says):
    with pytest.raises(NotInRecord, match=says):
        withdraw(clinic, Homework, *key)
    with pytest.raises(NotInRecord):
        undo(clinic, Homework, *key)


def test_a_key_of_another_length_says_what_names_an_entry(clinic):
    with pytest.raises(StoreError, match=r"named by client_id, rated_on; got C1\."):
        withdraw(clinic, CouplesReadiness, "C1")


def test_whoever_lacks_the_permission_meets_no_safety_entry(clinic):
    clinic.accounts.add("ann", GOOD_PASSWORD, "clinician", "T1")
    clinic.accounts.add("lea", GOOD_PASSWORD, "clinician", "T1", permissions=["safety:read"])
    add(clinic, Event("V9", "C1", DAY, "safety plan", "made"))
    ann, lea = clinic.as_user("ann"), clinic.as_user("lea")
    for do in ("withdraw_entry", "undo"):
        with pytest.raises(AccessDenied, match="safety:read"), ann.writing() as record:
            getattr(record, do)(SafetyPlan, "C1", DAY, reason=WHY)
        with pytest.raises(NotInRecord, match="no event V9 on record"), ann.writing() as record:
            getattr(record, do)(Event, "V9", reason=WHY)
    with lea.writing() as record:
        record.withdraw_entry(Event, "V9", reason=WHY)
    with pytest.raises(NotInRecord, match="no event V9 on record"), ann.writing() as record:
        record.undo(Event, "V9")
    with lea.writing() as record:
        assert record.undo(Event, "V9") == "restored"
    assert clinic.verify().intact


def test_what_everybody_reads_names_no_questionnaire_of_the_safety_channel(clinic):
    release = ReleaseOfInformation("L9", "C1", "physician", "letter", "rses hits.total", DAY, date(2027, 1, 1))
    for entry in (release, PlannedMeasure("C1", "hits", DAY, 30)):
        with pytest.raises(StoreError, match="hits belongs to the safety channel"):
            add(clinic, entry)
    with pytest.raises(StoreError, match="has no questionnaire 'rsess'"):
        add(clinic, PlannedMeasure("C1", "rsess", DAY, 30))


def test_an_erasure_takes_withdrawn_entries_too(clinic):
    withdraw(clinic, Homework, "C1-H1")
    undo(clinic, Administration, *clinic.administrations("phq9", client_id="C1")["administration_id"])
    done = clinic.erase("C1", reason="request of March")
    assert "safety_plan" not in done.counts
    assert done.counts["conflict"] == 1
    with clinic._engine.connect() as connection:
        left = [connection.execute(text(f"SELECT count(*) FROM {kind.table.name}")).scalar() for kind in ENTRIES]
        assert left == [1] * (len(ENTRIES) - 2) + [0, 0]
        assert connection.execute(text("SELECT count(*) FROM earlier")).scalar() == 0
    assert clinic.verify().intact
