"""A served PostgreSQL record: what visitors and the log are given while the server stops, and afterwards."""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from dashboards.app import open_app
from dashboards.server.log import Line
from dashboards.settings import Settings
from tests.dashboards.conftest import sign_in
from tests.dashboards.record import make_record
from tests.dashboards.web.test_faults import content
from tests.store import postgres_server

pytestmark = [pytest.mark.postgres, pytest.mark.long]


@pytest.fixture(scope="module")
def socket() -> Iterator[Path]:
    pytest.importorskip("psycopg")
    folder = postgres_server.programs()
    if folder is None:
        pytest.skip("no PostgreSQL server on this machine (apt-get install postgresql)")
    with postgres_server.running(folder) as home:
        postgres_server.run(home, "postgres", "CREATE DATABASE served")
        make_record(postgres_server.url(home, "served"))
        yield home


@contextmanager
def visitor_of(socket: Path) -> Iterator[FlaskClient]:
    with open_app(postgres_server.url(socket, "served"), Settings(secret_key="k" * 40)) as app:
        visitor = app.server.test_client()
        assert sign_in(visitor, "ash").status_code == 303
        yield visitor


def cut_connections(socket: Path) -> None:
    postgres_server.run(
        socket,
        "postgres",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'served'",
    )


def test_a_page_whose_connection_is_cut_is_read_once_more(socket: Path, monkeypatch: pytest.MonkeyPatch):
    from mbc.store import Store  # noqa: PLC0415

    with visitor_of(socket) as visitor:
        before, cut = Store.goals, []

        def goals(self: Store, *args: object, **options: object):
            if not cut:
                cut.append(True)
                cut_connections(socket)
            return before(self, *args, **options)

        monkeypatch.setattr(Store, "goals", goals)
        answer = content(visitor, "/client/C001")
        assert cut, "the page does not read goals any more: cut its connection elsewhere"
        assert answer.status_code == 200
        assert "Willow" in answer.text


def test_a_server_that_stops_is_said_and_found_again(socket: Path, log: Callable[[], str]):
    with visitor_of(socket) as visitor:
        postgres_server.run(socket, "postgres", "ALTER DATABASE served WITH ALLOW_CONNECTIONS false")
        cut_connections(socket)
        start = time.monotonic()
        statuses = [content(visitor, "/client/C001").status_code, visitor.get("/caseload").status_code]
        ready = visitor.get("/readyz")
        assert time.monotonic() - start < 10
        assert statuses == [503, 503]
        assert (ready.status_code, ready.json["record"]) == (503, "out of reach")
        assert visitor.get("/healthz").status_code == 200
        page = visitor.get("/caseload").text
        assert "Try again in a minute" in page
        assert "Traceback" not in log()
        assert "C001" not in log()
        assert "Willow" not in log()
        postgres_server.run(socket, "postgres", "ALTER DATABASE served WITH ALLOW_CONNECTIONS true")
        assert content(visitor, "/client/C001").status_code == 200
        assert visitor.get("/readyz").status_code == 200


@pytest.fixture
def log() -> Iterator[Callable[[], str]]:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(Line("text"))
    logging.getLogger().addHandler(handler)
    yield written.getvalue
    logging.getLogger().removeHandler(handler)
