"""Every test of the store runs on SQLite and on PostgreSQL; those of what reaches the disk on SQLCipher too."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from datetime import date
from itertools import chain, count
from pathlib import Path

import pytest
from sqlalchemy import Connection

from mbc.distribution import install_hint
from mbc.store import (
    Administration,
    AllianceRupture,
    Client,
    Clinician,
    CouplesContraindication,
    CouplesReadiness,
    DecisionClarity,
    Demographics,
    DutyToReport,
    Episode,
    Event,
    Flag,
    Goal,
    GoalRating,
    Homework,
    ImaginedPartnerView,
    MeasurePause,
    PatternTag,
    PlannedMeasure,
    Relationship,
    RelationshipConflict,
    RelationshipStatus,
    ReleaseOfInformation,
    SafetyChange,
    SafetyPlan,
    Session,
    Signal,
    SignalAnswer,
    SmallWin,
    Store,
    SupportNetwork,
    migrations,
)
from mbc.store.database import sqlcipher
from mbc.store.migrations import schema_check
from mbc.store.schema import tables
from tests.store import postgres_server

GOOD_PASSWORD = "harbour lamp, seven geese"
STORE_KEY = "quiet lantern, two otters"
_numbers = count(1)
_try_migrations = schema_check._on_postgres


@pytest.fixture(autouse=True)
def _quick_keys(monkeypatch, request):
    """Making a key from a passphrase is slow on purpose, and asked for in every test of an encrypted record."""
    if "real_keys" not in request.fixturenames:
        monkeypatch.setattr(sqlcipher, "_ROUNDS", 1)
    monkeypatch.setenv("MBC_STORE_KEY", STORE_KEY)


@pytest.fixture
def real_keys() -> None:
    """Make keys as slowly as outside of tests: for files that other programs open."""


@pytest.fixture(scope="session", autouse=True)
def quick_schema() -> Iterator[None]:
    """Ask what the migrations make on PostgreSQL once, as is done on SQLite: all tests ask the same server."""
    expected: list[schema_check.Schema] = []

    def ask_once(reading: Connection) -> schema_check.Schema:
        if not expected:
            expected.append(_try_migrations(reading))
        return expected[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema_check, "_on_postgres", ask_once)
        yield


@pytest.fixture
def real_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask what the migrations make each time."""
    monkeypatch.setattr(schema_check, "_on_postgres", _try_migrations)


DATABASES = ("sqlite", pytest.param("postgres", marks=pytest.mark.postgres))
POSTGRES_LATER = pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])
SQLCIPHER_LATER = pytest.param("sqlcipher", marks=pytest.mark.slow)
# On PostgreSQL in make test-all only: long, and what they ask of the server is asked in other tests as well.
LATER = {
    "test_access", "test_accounts", "test_accounts_record", "test_break_glass", "test_concurrent_processes",
    "test_corrections", "test_demographics", "test_erasure", "test_kept_scores", "test_pause_notice",
    "test_replaced_version", "test_retention", "test_roles_table", "test_score_cache", "test_sign_in",
    "test_snapshot_reads", "test_withdrawal",
    "test_a_head_noted_before_the_upgrade_is_still_known",
    "test_an_upgrade_that_is_killed_leaves_the_old_record_or_the_new_one",
    "test_an_upgraded_record_reads_as_before",
    "test_another_occasion_is_no_conflict", "test_other_content_on_the_same_occasion_is_a_conflict",
    "test_only_the_operator_takes_a_backup", "test_places_that_cannot_be_written_are_named",
    "test_the_frozen_record_has_a_row_in_every_table_of_its_revision",
}  # fmt: skip
ENCRYPTED_TOO = {  # the others ask questions whose answers do not depend on what the disk holds
    "test_log", "test_backup_and_restore", "test_administration_batch", "test_opening", "test_readers",
    "test_records", "test_transaction",
}  # fmt: skip
ENCRYPTED_IN_MAKE_TEST = {"test_opening"}  # the other modules ask an encrypted record in make test-all only


@pytest.fixture
def database(request) -> str:
    """The kind of database that a test runs on."""
    return request.param


def pytest_generate_tests(metafunc):
    marked = any("database" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if "database" in metafunc.fixturenames and not marked:
        module = metafunc.module.__name__.rpartition(".")[2]
        encrypted = "sqlcipher" if module in ENCRYPTED_IN_MAKE_TEST else SQLCIPHER_LATER
        also = (encrypted,) if module in ENCRYPTED_TOO else ()
        later = module in LATER or metafunc.function.__name__ in LATER
        kinds = ("sqlite", POSTGRES_LATER) if later else DATABASES
        metafunc.parametrize("database", (*kinds, *also), indirect=True)


def file_url(database: str, folder: Path) -> str:
    """Write the address of a record that is a file."""
    if database == "sqlcipher":
        pytest.importorskip("sqlcipher3", reason=f"sqlcipher3 is not installed ({install_hint('encrypted')})")
    return f"{database}:///{folder}/clinic.db"


@pytest.fixture
def empty_url(database, request, tmp_path) -> str:
    """An address where nothing is yet."""
    if database != "postgres":
        return file_url(database, tmp_path)
    socket, name = request.getfixturevalue("postgres"), f"empty_{next(_numbers)}"
    postgres_server.run(socket, "postgres", f"CREATE DATABASE {name}")
    return postgres_server.url(socket, name)


@pytest.fixture(scope="session")
def copied_record(tmp_path_factory) -> Callable[[str, Path, Callable[[Store], object]], str]:
    """Copy a record in a file that a function has filled: it is made once, for all tests."""
    made: dict[tuple[str, Callable[[Store], object]], Path] = {}

    def copy(database: str, folder: Path, fill: Callable[[Store], object]) -> str:
        if (database, fill) not in made:
            place = tmp_path_factory.mktemp("made")
            with Store.create(file_url(database, place)) as new:
                fill(new)
            made[database, fill] = place
        shutil.copytree(made[database, fill], folder, dirs_exist_ok=True)
        return file_url(database, folder)

    return copy


@pytest.fixture
def url(database, request, tmp_path, copied_record) -> str:
    """The address of an empty record."""
    if database != "postgres":
        return copied_record(database, tmp_path, _leave_empty)
    socket = request.getfixturevalue("postgres")
    postgres_server.run(
        socket,
        "record",
        "SET session_replication_role = replica",  # the triggers that keep what was written look away
        EMPTY,
        f"UPDATE {migrations.VERSION_TABLE} SET version_num = '{migrations.HEAD}'",
    )
    return postgres_server.url(socket, "record")


@pytest.fixture
def store(url) -> Iterator[Store]:
    """An empty record."""
    with Store.open(url) as opened:
        yield opened


# TRUNCATE, which makes the files of all tables again, takes three times as long
EMPTY = f"""
DO $$ DECLARE place text; BEGIN
    FOREACH place IN ARRAY ARRAY{list(tables.metadata.tables)} LOOP
        EXECUTE format('DELETE FROM %I', place);
    END LOOP;
    FOR place IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', place);
    END LOOP;
END $$
"""


def _leave_empty(store: Store) -> None:
    """Write nothing."""


@pytest.fixture
def filled(database, url, tmp_path, copied_record) -> Iterator[Callable[[Callable[[Store], object]], Store]]:
    """Open a record that a function has filled; in a file it does so once for all tests."""
    with ExitStack() as records:

        def open_filled(fill: Callable[[Store], object]) -> Store:
            if database != "postgres":
                copied_record(database, tmp_path, fill)
            opened = records.enter_context(Store.open(url))
            if database == "postgres":
                fill(opened)
            return opened

        yield open_filled


@pytest.fixture
def clinic(filled) -> Store:
    """Two clinicians with one client each, and one of everything for each client."""
    return filled(fill_clinic)


def fill_clinic(store: Store) -> None:
    with store.writing(by="intake") as record:
        fill_numbers(record, (1, 2))


def entries_of(client_id: str, day: date, name: str = "1") -> list:
    """One entry of each kind about a client; the safety channel's last."""
    return [
        Homework(f"{client_id}-H{name}", client_id, day, "ask for one thing", "partly", 6, day),
        SmallWin(f"{client_id}-W{name}", client_id, day, "asked for a hug"),
        RelationshipConflict(f"{client_id}-K{name}", client_id, day, 7, True, 20, 2, f"{client_id}-R1"),
        AllianceRupture(f"{client_id}-A{name}", client_id, day, "withdrawal", True, day, "felt judged"),
        CouplesReadiness(client_id, day, 4, "partner hesitates"),
        DecisionClarity(client_id, day, 3, "stay or leave"),
        ImaginedPartnerView(client_id, f"{client_id}-R1", day, 5, "closeness"),
        ReleaseOfInformation(
            f"{client_id}-L{name}", client_id, "couples therapist", "work as a couple", "rses csi16.total", day,
            date(2027, 1, 1), date(2026, 1, 1), date(2026, 12, 31),
        ),
        PlannedMeasure(client_id, "who5" if name == "1" else "rses", day, 14, before_sessions="1 8"),
        MeasurePause(client_id, day, date(2026, 6, 1), "on holiday"),
        PatternTag(client_id, f"{client_id}-R1", "giving in" if name == "1" else "jealousy", day),
        SupportNetwork(client_id, day, 3, 6),
        Demographics(client_id, day, age_band="25-34", gender="w", payer=f"P{name}"),
        Signal(f"{client_id}-S{name}", client_id, day, "not on track", "rses 12, expected 15 to 20", "rses"),
        SignalAnswer(f"{client_id}-S1", client_id, day, "changed", "alliance"),
        SafetyPlan(client_id, day, day, date(2026, 8, 2), "scheduled"),
        DutyToReport(client_id, day, "advice sought"),
        CouplesContraindication(client_id, day, "violence or fear"),
        SafetyChange(f"{client_id}-S1", client_id, day),
    ]  # fmt: skip


def fill(record, clinician_id: str, client_id: str) -> None:
    """Write one of everything about a client, safety channel included."""
    record.add_all(everything_about(clinician_id, client_id))


def fill_numbers(record, numbers: Iterable[int]) -> None:
    """Write one of everything about clients C1, C2, ... of T1, T2, ...: each kind as one batch, which is quick."""
    each_client = (everything_about(f"T{number}", f"C{number}") for number in numbers)
    record.add_all(chain.from_iterable(zip(*each_client, strict=True)))


def everything_about(clinician_id: str, client_id: str) -> list:
    """One of everything about a client, in an order in which it can be written."""
    return [
        Clinician(clinician_id, f"Clinician of {client_id}"),
        Client(client_id, f"alias of {client_id}", clinician_id, date(2026, 1, 2)),
        Episode(f"{client_id}-E1", client_id, clinician_id, date(2026, 1, 2), date(2026, 1, 9)),
        Relationship(f"{client_id}-R1", client_id, "R1"),
        RelationshipStatus(client_id, "partnered", date(2026, 1, 2), f"{client_id}-R1"),
        RelationshipStatus(client_id, "single", date(2025, 1, 1)),
        Session(client_id, f"{client_id}-E1", 1, date(2026, 1, 9), modality="video"),
        Administration(
            client_id,
            "phq9",
            date(2026, 1, 9),
            (1, 2, 0, None, 1, 0, 2, 1, 1),
            {"total": 8},
            session_number=1,
            episode_id=f"{client_id}-E1",
            flags=(Flag("i9"),),
        ),
        Administration(client_id, "hits", date(2026, 1, 9), (1, 2, 1, 1), {"total": 5}, channel="safety"),
        Goal(f"{client_id}-G1", client_id, "say what I need", date(2026, 1, 9), 2, 8),
        GoalRating(f"{client_id}-G1", date(2026, 2, 9), 4),
        *entries_of(client_id, date(2026, 2, 2)),
        Event(f"{client_id}-V1", client_id, date(2026, 2, 1), "move", "moved out", "growth"),
    ]
