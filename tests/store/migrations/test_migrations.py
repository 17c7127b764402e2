"""Records of every released revision, brought up to date with data inside."""

from __future__ import annotations

import json
import signal
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from mbc.errors import StoreError
from mbc.store import Administration, Store, migrations
from mbc.store.database import addresses
from mbc.store.database import engine as engines
from mbc.store.maintenance import verification
from mbc.store.migrations import upgrade
from tests.store.processes.kill_runner import killing

# rows that the code of revision 0001 wrote, table by table; its tables come from its own migration
RELEASED = json.loads(Path(__file__).with_name("record_0001.json").read_text(encoding="utf-8"))
DIGESTS = {("audit", "previous"), ("audit", "digest")}  # the upgrade chains the trail anew


pytestmark = [pytest.mark.usefixtures("real_migrations"), pytest.mark.long]


def lay_down(url: str, *changes: str) -> None:
    """Make a record as revision 0001 left it, by plain SQL."""
    engine = engines.make_engine(addresses.address(url))
    with engines.writing(engine) as connection:
        upgrade(connection, "0001")
        sqlite = connection.dialect.name == "sqlite"
        for table, held in RELEASED.items():
            marks = ", ".join(f":{name}" for name in held["columns"])
            insert = text(f"INSERT INTO {table} ({', '.join(held['columns'])}) VALUES ({marks})")
            for row in held["rows"]:
                connection.execute(insert, _typed(dict(zip(held["columns"], row, strict=True)), sqlite=sqlite))
        _number_on(connection)
        for change in changes:
            connection.execute(text(change))
    engine.dispose()


def _typed(row: dict, *, sqlite: bool) -> dict:
    booleans = {"attended", "higher_is_better", "active"}
    if sqlite:
        return row
    return {name: bool(value) if name in booleans else value for name, value in row.items()}


def _number_on(connection) -> None:
    if connection.dialect.name == "sqlite":
        return
    for table, key in (
        ("entry", "entry_id"),
        ("administration", "administration_id"),
        ("relationship_status", "status_id"),
        ("earlier", "earlier_id"),
    ):
        query = f"SELECT setval(pg_get_serial_sequence('{table}', '{key}'), (SELECT max({key}) FROM {table}))"
        connection.execute(text(query))


def held(url: str) -> dict[str, list]:
    """Everything in the columns that revision 0001 had, the audit trail's digests apart."""
    engine = create_engine(addresses.address(url))
    found = {}
    with engine.connect() as connection:
        for table, released in RELEASED.items():
            names = [name for name in released["columns"] if (table, name) not in DIGESTS]
            query = text(f"SELECT {', '.join(names)} FROM {table} ORDER BY {', '.join(names[:3])}")
            found[table] = [tuple(row) for row in connection.execute(query)]
    engine.dispose()
    return found


def revision(url: str) -> str | None:
    engine = create_engine(addresses.address(url))
    with engine.connect() as connection:
        found = migrations.revision_of(connection)
    engine.dispose()
    return found


def test_records_of_other_tests_have_the_tables_that_the_migrations_make(tmp_path, quick_tables):
    def schema(run, name: str) -> list[tuple]:
        engine = engines.make_engine(addresses.address(f"sqlite:///{tmp_path}/{name}.db"))
        with engines.writing(engine) as connection:
            run(connection)
            rows = connection.execute(text("SELECT type, name, sql FROM sqlite_master ORDER BY name")).all()
            revision = migrations.revision_of(connection)
        engine.dispose()
        return [*map(tuple, rows), (revision,)]

    schema(quick_tables, "first")  # by the migrations, if no test before made a record
    assert schema(quick_tables, "second") == schema(upgrade, "migrated")


def test_the_frozen_record_has_a_row_in_every_table_of_its_revision(empty_url):
    lay_down(empty_url)
    engine = create_engine(addresses.address(empty_url))
    with engine.connect() as connection:
        names = set(engine.dialect.get_table_names(connection)) - {migrations.VERSION_TABLE}
    engine.dispose()
    assert names == RELEASED.keys()
    assert all(each["rows"] for each in RELEASED.values())


def test_every_row_of_revision_0001_is_there_after_the_upgrade(empty_url):
    lay_down(empty_url)
    before = held(empty_url)
    with Store.open(empty_url, upgrade=True) as store:
        assert revision(empty_url) == migrations.HEAD
        after = held(empty_url)
        more = {table: [row for row in rows if row not in before[table]] for table, rows in after.items()}
        lost = {table: [row for row in rows if row not in after[table]] for table, rows in before.items()}
        assert not any(lost.values())
        # one entry for acknowledgements, which had none; two lines that say what the upgrades did
        assert {table: len(rows) for table, rows in more.items() if rows} == {"entry": 1, "audit": 2}
        report = store.verify()
        assert report.intact, (report.faults, report.chain.faults)
        assert store.audit.entries()["action"].to_list()[-1] == "upgrade"


def test_an_upgraded_record_reads_as_before(empty_url):
    lay_down(empty_url)
    with Store.open(empty_url, upgrade=True) as store:
        assert store.clients()["alias"].to_list() == ["later alias of C1", "alias of C10", "alias of C2"]
        assert store.administrations(history=True).height == 9
        assert store.administrations(channel="safety").height == 3
        assert store.answers("rses", client_id="C1")["value"].to_list() == [3, 2, 2, 1, 0, 2, 3, 1, 2, 0]
        assert store.goals(client_id="C1")["label"].item() == "goal of C1: größer"
        seen = store.safety_flags().drop_nulls("acknowledged_by")
        assert seen.select("client_id", "acknowledged_by").rows() == [("C1", "K1"), ("C2", "K2")]
        assert store.as_user("ann").clients()["client_id"].to_list() == ["C1", "C10"]


def test_an_upgraded_record_goes_on_and_its_history_stays_sealed(empty_url):
    lay_down(empty_url)
    with Store.open(empty_url, upgrade=True) as store:
        with store.writing(by="K1") as record:
            record.add(Administration("C1", "gad7", date(2026, 4, 1), (1,) * 7))
            record.retire_goal("C2-G1", on=date(2026, 4, 1), reason="reached")
            record.acknowledge(7, "i9")
        assert store.verify().intact
        for statement in (
            "UPDATE goal SET label = 'another' WHERE goal_id = 'C2-G1'",
            "UPDATE goal SET label = 'another' WHERE goal_id = 'C10-G1'",
            "UPDATE event SET valence = 'hard' WHERE event_id = 'C10-V1'",
            "UPDATE client SET clinician_id = 'K2' WHERE client_id = 'C10'",
            "UPDATE safety_flag SET acknowledged_by = 'K1' WHERE administration_id = 4 AND item = 'i9'",
            "DELETE FROM goal_rating WHERE goal_id = 'C10-G1'",
        ):
            with store._engine.connect() as connection:
                connection.execute(text(statement))
                assert not verification.verify(connection).intact, statement
                connection.rollback()


def test_a_head_noted_before_the_upgrade_is_still_known(empty_url):
    lay_down(empty_url)
    noted = RELEASED["audit"]["rows"][-1][-1]
    with Store.open(empty_url, upgrade=True) as store:
        report = store.verify(noted=f"10:{noted}")
        assert report.intact
        assert report.chain.since_noted == 2  # the upgrades' own lines
        assert not store.verify(noted="f" * 64).intact


CHANGES = (
    ("UPDATE answer SET value = 3 WHERE administration_id = 1 AND item = 1", "Administration 1"),
    ("UPDATE administration SET version = '9' WHERE administration_id = 1", "Entry 1"),
    ("UPDATE audit SET who = 'somebody' WHERE sequence = 2", "Line 2"),
    ("DELETE FROM audit WHERE sequence = 5", "Line 6"),
    ("UPDATE account SET role = 'administrator' WHERE username = 'ann'", "Account 'ann'"),
)


@pytest.mark.parametrize(
    ("database", "change", "says"),
    [
        *(("sqlite", *change) for change in CHANGES),
        pytest.param("postgres", *CHANGES[0], marks=pytest.mark.postgres),
        *(
            pytest.param("postgres", *change, marks=[pytest.mark.postgres, pytest.mark.slow])
            for change in CHANGES[1:]
        ),
    ],
    indirect=["database"],
)
def test_an_upgrade_launders_nothing(empty_url, change, says):
    """What was tampered with under 0001 is named by every verification afterwards."""
    table = change.split()[1 if change.startswith("UPDATE") else 2]
    if empty_url.startswith("sqlite"):
        untie = [f"DROP TRIGGER {table}_kept_from_update", f"DROP TRIGGER {table}_kept_from_delete"]
        tie = [
            f"CREATE TRIGGER {table}_kept_from_{act} BEFORE {act} ON {table} BEGIN SELECT 1; END"
            for act in ("update", "delete")
        ]
    else:
        untie = [f"ALTER TABLE {table} DISABLE TRIGGER {table}_kept"]
        tie = [f"ALTER TABLE {table} ENABLE TRIGGER {table}_kept"]
    kept = () if table == "account" else untie
    lay_down(empty_url, *kept, change, *(tie if kept else ()))
    with Store.open(empty_url, upgrade=True) as store:
        faults = store.verify().faults
        assert any(fault.startswith("Before the upgrade to 000") and says in fault for fault in faults), faults


def test_an_upgrade_that_is_killed_leaves_the_old_record_or_the_new_one(empty_url):
    lay_down(empty_url)
    before = held(empty_url)
    with killing("Store.open(url, upgrade=True).close()") as kill_after:
        for statements in (20, 60, 90, 10_000):
            status = kill_after(empty_url, statements)
            assert status == (0 if statements == 10_000 else -signal.SIGKILL), statements
            assert revision(empty_url) == (migrations.HEAD if statements == 10_000 else "0001")
            if statements < 10_000:
                assert held(empty_url) == before, statements
    with Store.open(empty_url, upgrade=True) as store:
        assert store.verify().intact


def test_an_older_mbc_refuses_a_newer_record_and_says_what_to_do(url, monkeypatch):
    newest = migrations.HEAD
    monkeypatch.setattr(migrations, "REVISIONS", ("0001",))
    monkeypatch.setattr(migrations, "HEAD", "0001")
    with pytest.raises(
        StoreError, match=rf"revision {newest}; this is mbc .* knows up to 0001.*pip install --upgrade mbc-toolkit"
    ):
        Store.open(url, upgrade=True)
