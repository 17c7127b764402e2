"""Erasure on a legal request: the person is nowhere, the record still verifies, and nobody can use it to hide."""

from __future__ import annotations

import signal
from datetime import date
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import insert, select, text

from mbc.errors import AccessDenied, Erased, NotInRecord, StoreError
from mbc.store import Administration, Client, Goal, ImportSource, Store
from mbc.store.database import engine as engines
from mbc.store.maintenance import erasure, verification
from mbc.store.schema import tables
from tests.store.audit.test_log import tampered
from tests.store.conftest import GOOD_PASSWORD, fill, fill_clinic
from tests.store.migrations.test_migrations import lay_down
from tests.store.processes.kill_runner import killing

pytestmark = pytest.mark.long

DAY = date(2026, 4, 1)
REASON = "request of 2026-05-02"


@pytest.fixture
def busy(filled) -> Store:
    """A record with a history: corrections, a file, reads, a refusal, an export."""
    return filled(fill_busy)


def fill_busy(clinic: Store) -> None:
    fill_clinic(clinic)
    with clinic.writing(by="intake") as record:
        fill(record, "T3", "C10")
    with clinic.writing(by="desk", source=ImportSource("answers of C1.csv", "ab" * 32)) as record:
        record.add(Administration("C1", "rses", DAY, (1, 2, 3)))
    with clinic.writing(by="desk", source=ImportSource("everybody.csv", "cd" * 32)) as record:
        record.add_all([Administration(one, "gad7", DAY, (1, 2, 3)) for one in ("C1", "C2", "C10")])
    with clinic.writing(by="T1") as record:
        record.add(Administration("C1", "rses", DAY, (0, 0, 0)), supersede="misread for C1")
        record.add(Client("C1", "Nightingale", "T1", date(2026, 1, 2)), supersede="chosen by the client")
        record.retire_goal("C1-G1", on=DAY, reason="she left Bertram")
        record.acknowledge(1, "i9")
    clinic.accounts.add("ann", GOOD_PASSWORD, "clinician", "T2", permissions=["safety:read"])
    clinic.answers(client_id="C1")
    with pytest.raises(NotInRecord):
        clinic.as_user("ann").answers(client_id="C1")
    clinic.audit.record("export", subject="C1.csv", rows=3, why="asked for by Nightingale")


def everything(store) -> dict[str, list]:
    with store._engine.connect() as connection:
        return {
            name: [tuple(row) for row in connection.execute(select(table))]
            for name, table in tables.metadata.tables.items()
        }


def named(store, *words: str) -> list[tuple]:
    """Rows that hold a word as such: 'C1' in 'C1.csv', not in 'C10'."""
    names = erasure._Names(words[0], words)
    return [
        (table, row)
        for table, rows in everything(store).items()
        for row in rows
        if table != "clinician"  # the tests' clinicians are called after their clients
        and any(names.within(value) for value in row if isinstance(value, str))
    ]


READERS = (
    "clients", "episodes", "relationships", "statuses", "sessions", "administrations", "answers", "totals",
    "goals", "goal_ratings", "events", "safety_flags",
)  # fmt: skip


def test_nothing_anywhere_names_the_person_afterwards(busy):
    held = {table for table, _ in named(busy, "C1", "Nightingale", "Bertram")}
    assert held >= {"audit", "earlier", "entry", "goal", "administration", "safety_flag"}
    before = {reader: getattr(busy, reader)() for reader in READERS}
    done = busy.erase("C1", reason=REASON)
    assert named(busy, "C1", "Nightingale", "Bertram") == []
    for reader, frame in before.items():
        others = frame.filter(frame["client_id"] != "C1")
        assert getattr(busy, reader)().equals(others), reader
    assert done.counts["administration"] == 5
    assert done.counts["earlier"] == 2
    assert not {"safety_flag", "score"} & done.counts.keys()
    with pytest.raises(NotInRecord):
        busy.clients(client_id="C1")


def test_the_record_is_intact_afterwards_and_the_trail_keeps_its_lines(busy):
    lines = busy.audit.entries().height
    noted = busy.verify().chain.note
    done = busy.erase("C1", reason=REASON, by="data protection officer")
    report = busy.verify(noted=noted)
    assert report.intact, (report.faults, report.chain.faults)
    assert report.chain.since_noted == 1
    trail = busy.audit.entries()
    assert trail.height == lines + 1
    assert trail["action"].to_list()[-1] == "erase"
    about = trail.filter(subject=done.tombstone_id)["action"].to_list()
    assert about == ["write", "write", "read", "refused", "erase"]
    stone = everything(busy)["tombstone"]
    assert [(row[0], row[2], row[3]) for row in stone] == [(done.tombstone_id, "data protection officer", REASON)]
    assert {row[4] for row in everything(busy)["entry"]} == {None, "everybody.csv"}


def test_two_can_be_erased_and_what_is_written_afterwards_is_sealed_too(busy):
    busy.erase("C1", reason=REASON)
    with busy.writing(by="ann") as record:
        record.add(Goal("C2-G9", "C2", "rest", DAY))
        record.add(Administration("C2", "gad7", DAY, (3, 3, 3)), supersede="misread")
    busy.erase("C2", reason=REASON)
    assert busy.verify().intact
    assert busy.clients()["client_id"].to_list() == ["C10"]
    assert len(busy.verify().chain.erasures) == 2
    assert named(busy, "C2") == []


def test_a_record_of_revision_0001_can_be_erased_from_after_its_upgrade(empty_url):
    lay_down(empty_url)
    with Store.open(empty_url, upgrade=True) as store:
        store.erase("C1", reason=REASON)
        assert store.verify().intact
        assert named(store, "C1", "later alias of C1") == []
        trail = store.audit.entries().filter(action="write")["detail"].to_list()
        assert not any('"seal"' in detail for detail in trail[:3])  # its guessable digests are gone


AFTERWARDS = [
    ("DELETE FROM erased WHERE kind = 'administration'", "replaced the erased rows"),
    ("UPDATE erased SET leaf = 'xyz' WHERE kind = 'administration'", "replaced the erased rows"),
    ("DELETE FROM erased; DELETE FROM tombstone", "not what was written"),
    ("UPDATE tombstone SET reason = 'asked for'", "not what was written"),
    ("UPDATE answer SET value = 1 WHERE administration_id = 3 AND item = 2", "not what was written"),
    ("UPDATE goal SET label = 'x' WHERE client_id = 'C2'", "its goals"),
    ("UPDATE audit SET subject = 'C2' WHERE action = 'refused'", "left of earlier lines"),
    ("UPDATE audit SET detail = '{}' WHERE action = 'erase'", "does not account for it"),
    ("UPDATE audit SET detail = 'x' WHERE action = 'write'", "was changed"),
    ("UPDATE audit SET subject = 'erased-x', salt = NULL WHERE action = 'account added'", "no erasure accounts"),
]


def test_tampering_is_noticed_after_an_erasure_too(busy):
    busy.erase("C1", reason=REASON)
    for statement, says in AFTERWARDS:
        report = tampered(busy, *statement.split("; "))
        assert any(says in fault for fault in (*report.faults, *report.chain.faults)), (statement, report)
    assert busy.verify().intact


def test_a_deletion_cannot_be_passed_off_as_an_erasure(busy):
    """Somebody removes a questionnaire and leaves its leaf, as an erasure would: no line accounts for it."""
    with busy._engine.connect() as connection:
        keyed = verification.sealing.keys(connection, tables.metadata.tables)
        walked = verification.sealing.administrations(connection, tables.metadata.tables, keyed)
        leaf = {taken.head["administration_id"]: taken.leaf.hex() for taken in walked}[2]
    stone = "INSERT INTO tombstone VALUES ('erased-x', '2026-05-02', 'me', 'why', '{}', 'ab', 'cd')"
    row = f"INSERT INTO erased VALUES (99, 'erased-x', 'administration', 2, '{leaf}', 1)"
    remove = [f"DELETE FROM {table} WHERE administration_id = 2" for table in ("answer", "total", "safety_flag")]
    report = tampered(busy, *remove, "DELETE FROM administration WHERE administration_id = 2", stone, row)
    assert not any("Entry 1" in fault for fault in report.faults)  # the seal alone would be satisfied
    assert "the audit trail has no line of an erasure" in " ".join(report.faults)


def refused(store, *statements: str) -> None:
    def run() -> None:
        with engines.writing(store._engine) as connection:
            for statement in statements:
                connection.execute(text(statement))

    with pytest.raises(StoreError, match="does not allow stored entries"):
        run()


def test_the_triggers_let_nobody_else_through(busy):
    for statement in (
        "DELETE FROM answer",
        "DELETE FROM answer WHERE administration_id = 1",
        "DELETE FROM administration WHERE client_id = 'C1'",
        "DELETE FROM earlier",
        "UPDATE audit SET subject = NULL, salt = NULL",
        "UPDATE entry SET source_name = NULL, source_sha256 = NULL",
    ):
        refused(busy, statement)
    for statement in (  # what an erasure of C2 under way does not open either
        "DELETE FROM answer WHERE administration_id = 1",
        "DELETE FROM administration WHERE client_id = 'C1'",
        "DELETE FROM earlier WHERE client_id = 'C1'",
        "UPDATE audit SET who = 'x', salt = NULL",
        "UPDATE audit SET subject = 'x'",
        "UPDATE answer SET value = 1",
        "UPDATE administration SET reason = 'x' WHERE client_id = 'C2'",
        "UPDATE entry SET recorded_by = 'x'",
    ):
        refused(busy, "INSERT INTO erasing VALUES ('C2', 0)", statement)
    assert busy.verify().intact


def test_the_way_past_the_triggers_cannot_be_left_open(busy):
    with pytest.raises(StoreError), engines.writing(busy._engine) as connection:
        connection.execute(insert(tables.erasing), {"client_id": "C1", "until_commit": 0})
    assert everything(busy)["erasing"] == []


def test_on_sqlite_the_words_leave_the_files(tmp_path):
    """The bytes of the database and its logs are searched: no alias, no label, nothing of what was replaced."""
    url, words = f"sqlite:///{tmp_path}/clinic.db", (b"Nightingale", b"Bertram", b"alias of C1", b"an older alias")
    with Store.create(url) as store:
        with store.writing(by="x") as record:
            fill(record, "T1", "C1")
            fill(record, "T2", "C2")
        with store.writing(by="x") as record:
            record.add(Client("C1", "an older alias", "T1", date(2026, 1, 2)), supersede="she chose")
            record.add(Client("C1", "Nightingale", "T1", date(2026, 1, 2)), supersede="she chose again")
            record.retire_goal("C1-G1", on=DAY, reason="she left Bertram")
        assert all(word in bytes_of(tmp_path) for word in words)
        done = store.erase("C1", reason=REASON)
        assert done.clean
        left = bytes_of(tmp_path)
        assert [word for word in words if word in left] == []
        assert b"alias of C2" in left
        assert store.verify().intact


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


def test_on_sqlite_a_reader_in_the_way_is_told_of(tmp_path):
    url = f"sqlite:///{tmp_path}/clinic.db"
    with Store.create(url) as store, Store.open(url) as other:
        with store.writing(by="x") as record:
            fill(record, "T1", "C1")
        store._engine.dispose()
        engines.event.listen(store._engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout = 50"))
        with engines.reading(other._engine) as reading:
            reading.execute(select(tables.client)).all()
            assert not store.erase("C1", reason=REASON).clean
        with pytest.raises(Erased):  # again: the files are cleaned
            store.erase("C1", reason=REASON)
        assert b"alias of C1" not in bytes_of(tmp_path)


def test_an_erased_client_is_not_taken_in_again(busy):
    done = busy.erase("C1", reason=REASON)
    with pytest.raises(Erased, match=f"'C1' was erased on .* \\({done.tombstone_id}\\)"), busy.writing() as record:
        record.add(Client("C1"))
    with pytest.raises(Erased, match="already been erased"):
        busy.erase("C1", reason=REASON)
    preview = busy.preview([Administration("C1", "rses", DAY, (1,))], new_clients=["C1"])
    assert preview[0].outcome == "refused"
    with busy.writing() as record:
        assert record.add(Client("C11")) == "stored"
    assert busy.verify().intact


def test_whoever_asks_for_an_erased_client_does_not_bring_the_name_back(busy):
    done = busy.erase("C1", reason=REASON)
    with pytest.raises(NotInRecord):
        busy.as_user("ann").answers(client_id="C1")
    assert named(busy, "C1") == []
    assert busy.audit.entries(last=1)["subject"].item() == done.tombstone_id


def test_the_reason_must_not_name_the_client(busy):
    for reason in ("C1 asked", "asked for by nightingale"):
        with pytest.raises(StoreError, match="names the client"):
            busy.erase("C1", reason=reason)
    with pytest.raises(StoreError, match="reason is ''"):
        busy.erase("C1", reason="")
    assert busy.clients(client_id="C1").height == 1


def test_who_is_not_there_cannot_be_erased(busy):
    for client_id in ("C3", "", "C1' OR 1=1"):
        with pytest.raises(NotInRecord, match="Nothing was erased"):
            busy.erase(client_id, reason=REASON)


def test_only_the_operator_and_an_administrator_may_erase(busy):
    for role in ("supervisor", "analyst", "researcher", "safety_lead", "administrator"):
        busy.accounts.add(role, GOOD_PASSWORD, role)
    for username in ("ann", "supervisor", "analyst", "researcher", "safety_lead"):
        with pytest.raises(AccessDenied, match="clients:erase"):
            busy.as_user(username).erase("C2", reason=REASON)
    assert busy.clients(client_id="C2").height == 1
    done = busy.as_user("administrator").erase("C2", reason=REASON)
    assert busy.audit.entries(last=1)["who"].item() == "administrator"
    assert done.tombstone_id.startswith("erased-")
    assert busy.verify().intact


def test_an_erasure_waits_for_whoever_is_writing_about_the_client(busy):
    """The writer is done first, and what was written is erased too; nobody waits for the other for ever."""
    started, done = Event(), []

    def erase() -> None:
        started.set()
        done.append(busy.erase("C1", reason=REASON))

    thread = Thread(target=erase)
    with busy.writing(by="desk") as record:
        record.add(Administration("C1", "who5", DAY, (1, 2, 3, 4, 5)))
        thread.start()
        started.wait()
        thread.join(0.3)  # it cannot be done while this is open
        assert not done
    thread.join(30)
    assert done[0].counts["administration"] == 6
    assert named(busy, "C1", "Nightingale") == []
    assert busy.verify().intact


@pytest.mark.parametrize("database", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
def test_whoever_writes_about_a_client_who_was_erased_meanwhile_is_told(busy):
    """The client was there when the writing began. On SQLite a writing holds the record, and an erasure waits."""

    def write() -> None:
        with busy.writing(by="desk") as record, Store.open(busy.url) as other:
            record._known.load(record._connection, ["C1"])
            other.erase("C1", reason=REASON)
            record.add(Administration("C1", "who5", DAY, (1, 2, 3, 4, 5)))

    with pytest.raises(StoreError, match="erased in the meantime"):
        write()
    assert busy.verify().intact


def test_an_erasure_that_fails_leaves_everything(busy, monkeypatch):
    before = everything(busy)
    monkeypatch.setattr(erasure, "append", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        busy.erase("C1", reason=REASON)
    assert everything(busy) == before


def test_an_erasure_that_is_killed_leaves_everything_or_nothing(url):
    with Store.open(url) as store, store.writing(by="intake") as record:
        fill(record, "T1", "C1")
        fill(record, "T2", "C2")
    with killing(f"Store.open(url).erase('C1', reason={REASON!r})") as kill_after:
        for statements in (15, 35, 50, 10_000):
            status = kill_after(url, statements)
            assert status == (0 if statements == 10_000 else -signal.SIGKILL)
            with Store.open(url) as store:
                assert store.verify().intact
                there = "C1" in store.clients()["client_id"].to_list()
                assert there == (statements < 10_000)
                assert store.answers(client_id="C2").height == 9
                assert (store.administrations().height == 2) == there
