"""docs/postgresql.md, step by step on a server; and what a server refuses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import make_url

from mbc.errors import Conflict, SettingsError, StoreError
from mbc.store import Client, Store
from mbc.store.backup.restore import restore
from mbc.store.database.addresses import tls_caution
from tests.store import postgres_server

pytestmark = [pytest.mark.postgres, pytest.mark.long]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "postgresql.md"


def statements(block: str) -> list[str]:
    return [statement.strip() for statement in block.split(";") if statement.strip()]


@pytest.fixture(scope="module")
def server(postgres: Path) -> Path:
    roles, rights = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    postgres_server.run(postgres, "postgres", *statements(roles))
    postgres_server.run(postgres, "clinic", *statements(rights))
    Store.create(url(postgres, "mbc_owner")).close()
    return postgres


def url(socket: Path, role: str) -> str:
    return f"postgresql://{role}@/clinic?host={socket}"


def test_the_page_s_roles_do_what_it_says(server: Path, tmp_path: Path):
    with Store.open(url(server, "mbc_pages")) as store:
        with store.writing(by="intake") as record:
            record.add(Client("C1"))
        assert store.clients().height == 1
        assert store.verify().intact
    with Store.open(url(server, "mbc_backup")) as store:
        done = store.backup(tmp_path / "made")
        assert done.report.intact
        assert done.log_failure is not None
        with pytest.raises(StoreError, match="does not allow this user"), store.writing(by="x") as record:
            record.add(Client("C2"))
    with pytest.raises(StoreError, match="does not allow this user"):
        restore(tmp_path / "made", url(server, "mbc_pages"), force=True)
    restore(tmp_path / "made", url(server, "mbc_owner"), force=True)
    with Store.open(url(server, "mbc_pages")) as store:
        assert store.clients().height == 1


def test_a_record_that_is_served_is_not_replaced(server: Path, tmp_path: Path):
    with Store.open(url(server, "mbc_owner")) as store:
        store.backup(tmp_path / "made")
    with Store.open(url(server, "mbc_pages"), busy_seconds=2) as served:
        assert served.clients() is not None
        with pytest.raises(Conflict, match="is being served"):
            restore(tmp_path / "made", url(server, "mbc_owner"), force=True)
        names = postgres_names(server)
        assert "mbc serve" in names
    restore(tmp_path / "made", url(server, "mbc_owner"), force=True)


def postgres_names(socket: Path) -> set[str]:
    import psycopg  # noqa: PLC0415

    with psycopg.connect(postgres_server.url(socket, "postgres")) as connection:
        rows = connection.execute("SELECT application_name FROM pg_stat_activity WHERE datname = 'clinic'")
        return {row[0] for row in rows}


def test_other_encodings_are_refused(server: Path):
    postgres_server.run(
        server,
        "postgres",
        "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
    )
    with pytest.raises(SettingsError, match=r"LATIN1.*ENCODING 'UTF8'"):
        Store.create(postgres_server.url(server, "latin"))


@pytest.mark.parametrize(
    ("address", "warned"),
    [
        ("postgresql://ann@db.example/clinic", True),
        ("postgresql://ann@192.0.2.7/clinic?sslmode=prefer", True),
        ("postgresql://ann@db.example/clinic?sslmode=verify-full", False),
        ("postgresql://ann@127.0.0.1/clinic", False),
        ("postgresql://ann@/clinic?host=/run/postgresql", False),
    ],
)
def test_an_unencrypted_way_is_warned_of(address: str, warned: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PGSSLMODE", raising=False)
    assert (tls_caution(make_url(address)) is not None) == warned
