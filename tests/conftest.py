"""What every test shares: passwords hashed quickly, new records made quickly, few examples in a quick run."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # tables are small and tests run side by side

import pytest
from argon2 import PasswordHasher
from hypothesis import settings
from sqlalchemy import Connection, Dialect, Engine, text
from sqlalchemy.util import LRUCache

from mbc.distribution import install_hint
from mbc.store import Store, migrations
from mbc.store.accounts import passwords

settings.register_profile("quick", max_examples=10, deadline=None)  # make test-quick
# no test is timed: a busy machine is not a fault
settings.register_profile("usual", max_examples=12, deadline=None)
settings.register_profile("thorough", max_examples=200, deadline=None)  # make test-all
settings.load_profile("usual")
# jsonschema builds grammars for the formats of internationalized addresses when it is imported, for six seconds in
# each process; no schema here has such a format, and jsonschema does without the grammars when they are missing
sys.modules.setdefault("rfc3987_syntax", None)  # pyright: ignore[reportArgumentType]
gc.disable()  # until everything is collected: nearly all that collecting makes is kept
_run_migrations = migrations.upgrade


@pytest.fixture(scope="session", autouse=True)
def _quick_hashes() -> Iterator[None]:
    """Hashing is slow on purpose; tests need not wait for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        passwords._nobody.cache_clear()
        yield
    passwords._nobody.cache_clear()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put tests in a browser first, then those on PostgreSQL, then those that need the models of the sample.

    So one process starts the browser and the servers, and waits for them while the others compute; and the models
    are learned once.
    """

    def place(item: pytest.Item) -> list[bool]:
        first = [item.get_closest_marker(name) is not None for name in ("browser", "postgres")]
        return [not each for each in (*first, "sample_models" in getattr(item, "fixturenames", ()))]

    items.sort(key=place)


def pytest_collection_finish() -> None:
    gc.freeze()  # the tests themselves are not looked through again, nor when pytest collects at its end
    gc.set_threshold(5000, 20, 20)  # what tests share lives long, and each look through all of it takes 0.3 s
    gc.enable()
    atexit.register(gc.unfreeze)  # else extensions report what is not freed at the end as leaked


class _Statements:
    """Compiled statements, shared by all engines whose dialects write the same SQL."""

    _compiled: LRUCache[Any, Any] = LRUCache(3000)

    def __init__(self, dialect: Dialect) -> None:
        self._kind = (type(dialect), dialect.paramstyle)

    def get(self, key: tuple[Any, ...]) -> Any:
        return self._compiled.get((self._kind, *key[1:]))  # the first is the dialect of one engine

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        self._compiled[(self._kind, *key[1:])] = compiled

    def clear(self) -> None:
        """Keep what other engines use."""


@pytest.fixture(scope="session", autouse=True)
def _quick_statements() -> Iterator[None]:
    """Compile each statement once: else every record that is opened compiles all of its own again."""

    def share(engine: Engine, cache: object) -> None:
        vars(engine)["_compiled_cache"] = _Statements(engine.dialect) if isinstance(cache, LRUCache) else cache

    with pytest.MonkeyPatch.context() as patch:
        of_engine = property(lambda engine: vars(engine)["_compiled_cache"], share)
        patch.setattr(Engine, "_compiled_cache", of_engine, raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_tables() -> Iterator[Callable[..., None]]:
    """Run the migrations of a new SQLite record once; later ones get the same tables by the same statements.

    Alembic takes 60 ms, the statements 2 ms. Records that are upgraded, and all of PostgreSQL, run the migrations.
    """
    made: list[str] = []

    def upgrade(connection: Connection, revision: str = "head") -> None:
        new = migrations.revision_of(connection) is None
        if connection.dialect.name != "sqlite" or revision != "head" or not new:
            _run_migrations(connection, revision)
        elif made:
            for statement in made:
                connection.exec_driver_sql(statement)
        else:
            _run_migrations(connection, revision)
            made.extend(_statements(connection))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "upgrade", upgrade)
        yield upgrade


@pytest.fixture(scope="session")
def postgres() -> Iterator[Path]:
    """The socket of a running server, with one record that each test finds empty."""
    pytest.importorskip("psycopg", reason=f"psycopg is not installed ({install_hint('postgres')})")
    from tests.store import postgres_server  # noqa: PLC0415 - for Unix only

    folder = postgres_server.programs()
    if folder is None:
        pytest.skip("no PostgreSQL server on this machine (apt-get install postgresql)")
    with postgres_server.running(folder) as socket:
        postgres_server.run(socket, "postgres", "CREATE DATABASE record")
        Store.create(postgres_server.url(socket, "record")).close()
        yield socket


@pytest.fixture
def real_migrations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the migrations for each new record."""
    monkeypatch.setattr(migrations, "upgrade", _run_migrations)


def _statements(connection: Connection) -> list[str]:
    query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
    statements = []
    for name, sql in connection.execute(text(query)).all():
        statements.append(sql)
        if sql.startswith("CREATE TABLE"):
            rows = connection.execute(text(f"SELECT * FROM {name}")).all()
            if name == migrations.VERSION_TABLE:
                ((revision,),) = rows
                statements.append(f"INSERT INTO {name} VALUES ('{revision}')")
            else:
                assert not rows, f"a new record has rows in {name}: quick_tables does not write them"
    return statements
