"""Every test of the store runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import count
from pathlib import Path

import pytest
from argon2 import PasswordHasher

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
    accounts,
)
from tests.store import postgres_server

GOOD_PASSWORD = "harbour lamp, seven geese"
_numbers = count(1)


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch):
    """Hashing is slow on purpose; the tests of accounts need not wait for it."""
    monkeypatch.setattr(accounts, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    accounts._nobody.cache_clear()
    yield
    accounts._nobody.cache_clear()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Path]:
    """The socket of a running server, with a template that holds an empty record."""
    pytest.importorskip("psycopg", reason="psycopg is not installed (pip install 'mbc[postgres]')")
    folder = postgres_server.programs()
    if folder is None:
        pytest.skip("no PostgreSQL server on this machine (apt-get install postgresql)")
    with postgres_server.running(folder) as socket:
        _sql(socket, "CREATE DATABASE empty_record")
        Store.create(postgres_server.url(socket, "empty_record")).close()
        yield socket


def _sql(socket: Path, statement: str) -> None:
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(postgres_server.url(socket, "postgres"), autocommit=True) as connection:
        connection.execute(statement)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request) -> str:
    return request.param


@pytest.fixture
def empty_url(database, request, tmp_path) -> str:
    """An address where nothing is yet."""
    if database == "sqlite":
        return f"sqlite:///{tmp_path}/clinic.db"
    socket, name = request.getfixturevalue("postgres"), f"empty_{next(_numbers)}"
    _sql(socket, f"CREATE DATABASE {name}")
    return postgres_server.url(socket, name)


@pytest.fixture
def url(database, request, tmp_path) -> str:
    """The address of an empty record."""
    if database == "sqlite":
        address = f"sqlite:///{tmp_path}/clinic.db"
        Store.create(address).close()
        return address
    socket, name = request.getfixturevalue("postgres"), f"record_{next(_numbers)}"
    _sql(socket, f"CREATE DATABASE {name} TEMPLATE empty_record")
    return postgres_server.url(socket, name)


@pytest.fixture
def store(url) -> Iterator[Store]:
    """An empty record."""
    with Store.open(url) as opened:
        yield opened


@pytest.fixture
def clinic(store) -> Store:
    """Two clinicians with one client each, and one of everything for each client."""
    with store.writing(by="intake") as record:
        for number in (1, 2):
            fill(record, f"T{number}", f"C{number}")
    return store


def fill(record, clinician_id: str, client_id: str) -> None:
    """Write one of everything about a client, safety channel included."""
    record.add(Clinician(clinician_id, f"Clinician of {client_id}"))
    record.add(Client(client_id, f"alias of {client_id}", clinician_id, date(2026, 1, 2)))
    record.add(Episode(f"{client_id}-E1", client_id, clinician_id, date(2026, 1, 2), date(2026, 1, 9)))
    record.add(Relationship(f"{client_id}-R1", client_id, "R1"))
    record.add(RelationshipStatus(client_id, "partnered", date(2026, 1, 2), f"{client_id}-R1"))
    record.add(RelationshipStatus(client_id, "single", date(2025, 1, 1)))
    record.add(Session(client_id, f"{client_id}-E1", 1, date(2026, 1, 9), modality="video"))
    record.add(
        Administration(
            client_id,
            "phq9",
            date(2026, 1, 9),
            (1, 2, 0, None, 1, 0, 2, 1, 1),
            {"total": 8},
            session_number=1,
            episode_id=f"{client_id}-E1",
            flags=(Flag("i9"),),
        )
    )
    record.add(Administration(client_id, "hits", date(2026, 1, 9), (1, 2, 1, 1), {"total": 5}, channel="safety"))
    record.add(Goal(f"{client_id}-G1", client_id, "say what I need", date(2026, 1, 9), 2, 8))
    record.add(GoalRating(f"{client_id}-G1", date(2026, 2, 9), 4))
    record.add(Event(f"{client_id}-V1", client_id, date(2026, 2, 1), "move", "moved out", "growth"))
