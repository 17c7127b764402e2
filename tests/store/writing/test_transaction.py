"""Writing: nothing lost, nothing overwritten, nothing twice, all or nothing."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from datetime import date, timedelta
from itertools import count

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from mbc.errors import Conflict, NotInRecord, StoreError
from mbc.store import (
    Administration,
    Client,
    Clinician,
    Episode,
    Event,
    Flag,
    Goal,
    GoalRating,
    ImportSource,
    Relationship,
    RelationshipStatus,
    Session,
)
from mbc.store.schema import digests, tables
from mbc.store.writing import administrations
from tests.own_questionnaires import unreadable

pytestmark = pytest.mark.long

DAY = date(2026, 1, 5)
TAKEN = Administration("C1", "rses", DAY, (3, 2, None, 1), {"total": 6}, form="a", coding="0-3")


@pytest.fixture
def client(store):
    with store.writing(by="intake") as record:
        record.add(Client("C1"))
        record.keep_definition(unreadable("any"))
    return store


def add(store, *records, supersede=None):
    with store.writing(by="ann") as record:
        return record.add_all(records, supersede=supersede)


def test_the_same_content_again_is_a_duplicate(client):
    assert add(client, TAKEN) == ["stored"]
    assert add(client, TAKEN, TAKEN) == ["duplicate", "duplicate"]
    assert client.administrations().height == 1
    assert client.answers().height == 4


def test_a_later_definition_of_the_instrument_does_not_make_it_other_content(client):
    add(client, TAKEN)
    assert add(client, replace(TAKEN, version="2", flags=(Flag("i3", "ask"),))) == ["duplicate"]


@pytest.mark.parametrize(
    "other",
    [
        replace(TAKEN, answers=(3, 2, 0, 1)),  # zero is not blank
        replace(TAKEN, answers=(3, 2, None, 1, None)),
        replace(TAKEN, totals={"total": 7}),
        replace(TAKEN, totals={}),
        replace(TAKEN, form="b"),
        replace(TAKEN, coding="1-4"),
        replace(TAKEN, session_number=3),
    ],
)
def test_other_content_on_the_same_occasion_is_a_conflict(client, other):
    add(client, TAKEN)
    with pytest.raises(Conflict, match="C1 already has rses of 2026-01-05 on record with other content"):
        add(client, other)
    assert client.administrations().height == 1


@pytest.mark.parametrize(
    "other",
    [
        replace(TAKEN, instrument="who5"),
        replace(TAKEN, informant="partner"),
        replace(TAKEN, taken_on=DAY + timedelta(days=1)),
        replace(TAKEN, target="C1-R1"),
    ],
)
def test_another_occasion_is_no_conflict(client, other):
    add(client, TAKEN, Relationship("C1-R1", "C1", "R1"))
    assert add(client, other) == ["stored"]
    assert client.administrations().height == 2


def test_a_correction_supersedes_and_the_earlier_version_stays_readable(client):
    add(client, TAKEN)
    assert add(client, replace(TAKEN, answers=(3, 2, 2, 1)), supersede="item 3 was misread") == ["superseding"]
    assert add(client, replace(TAKEN, answers=(3, 2, 1, 1)), supersede="misread again") == ["superseding"]
    current = client.administrations()
    assert current.height == 1
    assert client.answers()["value"].to_list() == [3, 2, 1, 1]
    history = client.administrations(history=True).sort("administration_id")
    first, second, third = history["administration_id"]
    assert history["supersedes"].to_list() == [None, first, second]
    assert history["reason"].to_list() == [None, "item 3 was misread", "misread again"]
    assert history["recorded_by"].to_list() == ["ann"] * 3
    assert current["administration_id"].item() == third


def test_an_old_file_met_again_after_a_correction_is_a_duplicate(client):
    add(client, TAKEN)
    add(client, replace(TAKEN, answers=(3, 2, 2, 1)), supersede="misread")
    assert add(client, TAKEN) == ["duplicate"]
    assert client.answers()["value"].to_list() == [3, 2, 2, 1]
    assert add(client, TAKEN, supersede="the first reading was right") == ["superseding"]
    assert client.answers()["value"].to_list() == [3, 2, None, 1]


def test_a_correction_needs_a_reason(client):
    add(client, TAKEN)
    with pytest.raises(StoreError, match="supersede is ''"):
        add(client, replace(TAKEN, answers=(0, 0, 0, 0)), supersede="")


def test_a_correction_does_not_put_an_open_flag_away(client):
    add(client, replace(TAKEN, flags=(Flag("i9"),)))
    (first,) = client.safety_flags()["administration_id"]
    add(client, replace(TAKEN, answers=(3, 2, 0, 1)), supersede="misread")
    assert client.safety_flags().select("administration_id", "item").rows() == [(first, "i9")]
    with client.writing(by="lead") as record:
        record.acknowledge(first, "i9")
    assert client.safety_flags().is_empty()  # seen, and the version that holds now does not raise it


def test_a_flag_that_a_correction_raises_again_is_told_once(client):
    add(client, replace(TAKEN, flags=(Flag("i9"),)))
    add(client, replace(TAKEN, answers=(3, 2, 0, 1), flags=(Flag("i9"),)), supersede="misread")
    add(client, replace(TAKEN, answers=(3, 2, 0, 2), flags=(Flag("i9"),)), supersede="misread again")
    assert client.safety_flags().height == 1
    assert (
        client.safety_flags()["administration_id"].to_list()
        == client.administrations()["administration_id"].to_list()
    )


def test_totals_alone_are_kept_as_they_are(client):
    add(client, Administration("C1", "rses", DAY, totals={"total": 17.5}))
    assert client.answers().is_empty()
    assert client.totals().select("scale", "score").rows() == [("total", 17.5)]


def test_nothing_is_kept_when_one_row_is_refused(client):
    with pytest.raises(NotInRecord):
        add(client, TAKEN, Event("V1", "C1", DAY, "move", "moved"), replace(TAKEN, client_id="C9"))
    assert client.administrations().is_empty()
    assert client.verify().intact


def test_nothing_is_kept_when_the_block_fails(client):
    with pytest.raises(ZeroDivisionError), client.writing(by="ann") as record:
        _ = record.add(TAKEN), 1 / 0
    assert client.administrations().is_empty()


NAMING_WHAT_IS_NOT_THERE = [
    (replace(TAKEN, client_id="C9"), "no client 'C9'"),
    (replace(TAKEN, target="R9"), "C1 has no relationship 'R9' on record; on record: C1-R1"),
    (replace(TAKEN, target="C2-R1"), "C1 has no relationship 'C2-R1'"),  # somebody else's
    (replace(TAKEN, episode_id="C2-E1"), "C1 has no episode 'C2-E1'"),
    (Client("C8", clinician_id="T9"), "no clinician 'T9'"),
    (Episode("E9", "C9"), "no client 'C9'"),
    (Relationship("R9", "C9", "R1"), "no client 'C9'"),
    (RelationshipStatus("C1", "dating", DAY, "C2-R1"), "C1 has no relationship 'C2-R1'"),
    (Session("C1", "C2-E1", 1, DAY), "C1 has no episode 'C2-E1'"),
    (Goal("G9", "C9", "speak up", DAY), "no client 'C9'"),
    (GoalRating("G9", DAY, 3), "no goal 'G9'"),
    (Event("V9", "C9", DAY, "move", "moved"), "no client 'C9'"),
]


def test_what_a_record_names_must_be_there(clinic):
    for record, says in NAMING_WHAT_IS_NOT_THERE:
        with pytest.raises(NotInRecord, match=says):
            add(clinic, record)


def test_an_identifier_of_another_client_cannot_be_taken_over(clinic):
    for taken in (
        Goal("C2-G1", "C1", "speak up", DAY),
        Episode("C2-E1", "C1"),
        Relationship("C2-R1", "C1", "R9"),
        Event("C2-V1", "C1", DAY, "move", "moved"),
    ):
        with pytest.raises(Conflict, match="is already in use"):
            add(clinic, taken, supersede="mine now")


def test_things_that_change_keep_what_they_said_before(clinic):
    again = Client("C1", "another alias", "T1", date(2026, 1, 2))
    with pytest.raises(Conflict, match=r"alias alias of C1 -> another alias"):
        add(clinic, again)
    assert add(clinic, again, supersede="chosen by the client") == ["superseding"]
    assert clinic.clients(client_id="C1")["alias"].item() == "another alias"
    with clinic._engine.connect() as connection:
        before = connection.execute(select(tables.earlier)).mappings().one()
        who = connection.execute(
            select(tables.entry.c.recorded_by).where(tables.entry.c.entry_id == before["entry_id"])
        ).scalar_one()
    assert (before["kind"], json.loads(before["key"]), before["reason"]) == (
        "client",
        ["C1"],
        "chosen by the client",
    )
    assert json.loads(before["content"])["alias"] == "alias of C1"
    assert who == "ann"


def test_two_relationships_of_one_client_have_two_labels(clinic):
    with pytest.raises(Conflict, match=r"C1 already has a relationship 'R1' \(C1-R1\)"):
        add(clinic, Relationship("C1-R2", "C1", "R1"))
    with pytest.raises(Conflict, match="already has a relationship 'R2'"):
        add(clinic, Relationship("C1-R2", "C1", "R2"), Relationship("C1-R3", "C1", "R2"))
    assert add(clinic, Relationship("C1-R2", "C1", "R2"), Relationship("C2-R2", "C2", "R2")) == ["stored"] * 2


def test_a_name_too_long_is_refused_on_both_databases(client):
    with pytest.raises(StoreError, match="at most 64"), client.writing(by="x" * 65):
        pass


@pytest.mark.long
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answers=st.lists(st.none() | st.floats(allow_nan=True, allow_infinity=False), min_size=1, max_size=30))
def test_every_number_comes_back_as_it_was(client, answers):
    day = DAY + timedelta(days=client.administrations().height)
    add(client, Administration("C1", "any", day, answers))
    kept = client.answers().filter(pl.col("taken_on") == day)["value"].to_list()
    assert kept == [None if value is None or math.isnan(value) else value for value in answers]
    assert client.verify().intact


def test_everything_again_is_a_duplicate(clinic):
    same = [
        Clinician("T1", "Clinician of C1"),
        Client("C1", "alias of C1", "T1", date(2026, 1, 2)),
        Episode("C1-E1", "C1", "T1", date(2026, 1, 2), date(2026, 1, 9)),
        Relationship("C1-R1", "C1", "R1"),
        RelationshipStatus("C1", "partnered", date(2026, 1, 2), "C1-R1"),
        RelationshipStatus("C1", "single", date(2025, 1, 1)),
        Session("C1", "C1-E1", 1, date(2026, 1, 9), modality="video"),
        Goal("C1-G1", "C1", "say what I need", date(2026, 1, 9), 2, 8),
        GoalRating("C1-G1", date(2026, 2, 9), 4),
        Event("C1-V1", "C1", date(2026, 2, 1), "move", "moved out", "growth"),
    ]
    assert add(clinic, *same) == ["duplicate"] * len(same)


def test_one_status_a_day_for_the_person_and_one_for_each_relationship(clinic):
    day = date(2025, 1, 1)
    assert add(clinic, RelationshipStatus("C1", "dating", day, "C1-R1")) == ["stored"]
    with pytest.raises(Conflict):
        add(clinic, RelationshipStatus("C1", "widowed", day))
    assert add(clinic, RelationshipStatus("C1", "widowed", day), supersede="said so later") == ["superseding"]
    assert clinic.statuses(client_id="C1").height == 3


def test_a_goal_is_retired_with_a_reason(clinic):
    with clinic.writing(by="ann") as record:
        assert record.retire_goal("C1-G1", on=date(2026, 4, 1), reason="reached") == "superseding"
    goal = clinic.goals(client_id="C1").row(0, named=True)
    assert (goal["retired_on"], goal["retired_reason"]) == (date(2026, 4, 1), "reached")
    with pytest.raises(NotInRecord, match="no goal 'G9'"), clinic.writing(by="ann") as record:
        record.retire_goal("G9", on=date(2026, 4, 1), reason="reached")


def test_an_episode_ends(clinic):
    with clinic.writing(by="ann") as record:
        record.end_episode("C1-E1", on=date(2026, 6, 1), ending="agreed")
    episode = clinic.episodes(client_id="C1").row(0, named=True)
    assert (episode["ended_on"], episode["ending"]) == (date(2026, 6, 1), "agreed")


def test_a_flag_is_acknowledged_once(clinic):
    number = clinic.safety_flags(client_id="C1")["administration_id"].item()
    with clinic.writing(by="lead") as record:
        record.acknowledge(number, "i9")
    with pytest.raises(NotInRecord, match="no open flag on item"), clinic.writing(by="other") as record:
        record.acknowledge(number, "i9")
    for unlike, item in (
        (number, "i9\x00"),
        (number, "\ud800"),
        (10**30, "i9"),
        (-1, "i9"),
    ):  # what a form may send
        with pytest.raises(NotInRecord, match="no such open flag"), clinic.writing(by="other") as record:
            record.acknowledge(unlike, item)
    seen = clinic.safety_flags(client_id="C1").row(0, named=True)
    assert seen["acknowledged_by"] == "lead"
    assert seen["acknowledged_at"] is not None


def test_where_rows_came_from_is_kept(client):
    source = ImportSource("march.csv", "ab" * 32)
    with client.writing(by="ann", source=source) as record:
        record.add(replace(TAKEN, source_line=17))
    with client._engine.connect() as connection:
        row = connection.execute(
            select(tables.entry.c.source_name, tables.entry.c.source_sha256, tables.administration.c.source_line)
            .select_from(tables.administration.join(tables.entry))
        ).one()  # fmt: skip
    assert tuple(row) == ("march.csv", "ab" * 32, 17)


def test_a_preview_says_what_would_happen_and_writes_nothing(client):
    add(client, TAKEN)
    rows = [
        TAKEN,
        replace(TAKEN, taken_on=DAY + timedelta(days=7)),
        replace(TAKEN, taken_on=DAY + timedelta(days=7)),
        replace(TAKEN, answers=(0, 0, 0, 0)),
        replace(TAKEN, client_id="C9"),
    ]
    found = client.preview(rows)
    outcomes = ["duplicate", "stored", "duplicate", "refused", "refused"]
    assert [each.outcome for each in found] == outcomes
    assert "already has rses" in (found[3].reason or "")
    assert "no client 'C9'" in (found[4].reason or "")
    assert client.preview(rows[3:4], supersede=True)[0].outcome == "superseding"
    assert client.preview(rows[4:], new_clients=["C9"])[0].outcome == "stored"
    assert client.administrations().height == 1


def test_many_at_once_over_several_batches(client, monkeypatch):
    many = [replace(TAKEN, taken_on=DAY + timedelta(days=day)) for day in range(4500)]
    assert set(add(client, *many)) == {"stored"}
    assert client.administrations()["taken_on"].n_unique() == 4500
    assert client.answers().height == 4 * 4500
    assert client.administrations()["administration_id"].n_unique() == 4500
    assert set(add(client, *many)) == {"duplicate"}
    assert client.verify().intact


def test_two_writings_cannot_be_nested(client):
    with (
        pytest.raises(Conflict, match="already open"),
        client.writing(by="ann"),
        client.writing(by="ann") as inner,
    ):
        inner.add(TAKEN)


def test_reading_inside_a_writing_does_not_wait_for_itself(client):
    with client.writing(by="ann") as record:
        record.add(TAKEN)
        assert client.administrations().is_empty()  # not kept yet
        assert client.clients(client_id="C1").height == 1
    assert client.audit.entries()["action"].to_list()[-4:] == ["write", "read", "read", "write"]


def test_the_database_itself_refuses_to_change_what_was_written(clinic):
    add(clinic, Client("C1", "other", "T1"), supersede="so that 'earlier' holds a row")
    for table in ("entry", "administration", "answer", "total", "earlier", "audit"):
        column = tables.metadata.tables[table].columns.keys()[0]
        for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
            with (
                pytest.raises(Exception, match=f"what is on record in {table} is never changed"),
                clinic._engine.begin() as connection,
            ):
                connection.execute(text(statement))


def test_a_writer_who_comes_second_looks_again(client, monkeypatch):
    """On PostgreSQL two transactions may both find an occasion free; the database lets one of them through."""
    add(client, TAKEN)
    look, blind = administrations.Occasions.load, count(1)

    def looks_too_early(self, connection, wanted):
        if next(blind) > 2:
            return look(self, connection, wanted)
        return self.versions.update({digest: [] for digest in wanted})

    monkeypatch.setattr(administrations.Occasions, "load", looks_too_early)
    later = replace(TAKEN, taken_on=DAY + timedelta(days=1))
    assert add(client, TAKEN, later) == ["duplicate", "stored"]
    blind = count(-100)
    with pytest.raises(Conflict, match="run it again"):
        add(client, TAKEN)
    monkeypatch.undo()
    assert client.administrations().height == 2
    assert client.verify().intact


def test_digests_are_the_same_in_every_release():
    """Written out by hand: a file met again years later must be known as a duplicate."""
    occasion = hashlib.blake2b(b"C1\x1frses\x1fclient\x1fself\x1f2026-01-05\x1f", digest_size=16).hexdigest()
    assert digests.occasion(TAKEN) == occasion
    written = f'["{occasion}","a","0-3",null,[3.0,2.0,null,1.0],[["total",6.0]]]'
    assert digests.content(TAKEN, occasion) == hashlib.sha256(written.encode()).hexdigest()
    leaf = digests.administration_leaf(
        b"key",
        administration_id=7,
        content="ab",
        version="1",
        channel="care",
        episode_id=None,
        revision=1,
        supersedes=3,
        reason="misread",
        source_line=None,
        flags=[("i9", "risk", "C1", "phq9", DAY)],
    )
    written = b'[7,"ab","1","care",null,1,3,"misread",null,[["i9","risk","C1","phq9","2026-01-05"]]]'
    assert leaf == hashlib.blake2b(written, key=b"key", digest_size=32).digest()
    row = digests.row_leaf(b"key", "goal", {"goal_id": "G1", "set_on": DAY, "scale": None})
    written = b'["goal", {"goal_id": "G1", "set_on": "2026-01-05"}]'
    assert row == hashlib.blake2b(written, key=b"key", digest_size=32).digest()


def test_frames_hold_only_current_versions_of_many(client):
    """Half of them corrected: each reader shows each occasion once."""
    many = [replace(TAKEN, taken_on=DAY + timedelta(days=day)) for day in range(20)]
    add(client, *many)
    add(client, *[replace(each, answers=(0, 0, 0, 0)) for each in many[::2]], supersede="wrong person's sheet")
    shown = client.answers().group_by("taken_on").agg(pl.col("value").sum()).sort("taken_on")
    assert shown["value"].to_list() == [0, 6] * 10
    assert client.administrations(history=True).height == 30
