"""What a visitor and the log are given when the record breaks under a page: plain words, and nobody's name."""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from dash import Dash
from flask.testing import FlaskClient

from dashboards.app import PAGES
from dashboards.server.log import Line
from mbc.sqlite_library import SQLITE
from tests.dashboards.conftest import sign_in

pytestmark = pytest.mark.long

PATHS = (*(page.path for page in PAGES.pages if page.path), "/client/C001")
BREAKS = {
    "a table is gone": "DROP TABLE audit",
    "answers are gone": "DROP TABLE administration",
    "the trail cannot be written": (
        "CREATE TRIGGER no_lines BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'right of C001 withdrawn'); END"
    ),
}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the server writes to its log."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(Line("json"))
    root = logging.getLogger()
    root.addHandler(handler)
    yield written
    root.removeHandler(handler)


@pytest.fixture
def broken(own_record_url: str, make_app: Callable[..., Dash]) -> Callable[[str], FlaskClient]:
    """A browser in which somebody is signed in, on a record that then breaks."""

    def enter(statement: str, **settings: object) -> FlaskClient:
        visitor = make_app(own_record_url, **settings).server.test_client()
        assert sign_in(visitor, "ash").status_code == 303
        with closing(SQLITE.connect(own_record_url.removeprefix("sqlite:///"))) as other:
            other.execute("PRAGMA foreign_keys = OFF")
            other.execute(statement)
            other.commit()
        return visitor

    return enter


def content(visitor: FlaskClient, path: str):
    """Ask for the content of a page, as the page's frame does."""
    body = {
        "output": "main.children",
        "outputs": {"id": "main", "property": "children"},
        "inputs": [{"id": "url", "property": "pathname", "value": path}],
        "changedPropIds": ["url.pathname"],
    }
    return visitor.post("/_dash-update-component", json=body, headers={"Origin": "http://localhost"})


@pytest.mark.parametrize("statement", BREAKS.values(), ids=BREAKS.keys())
@pytest.mark.parametrize("path", PATHS)
def test_a_broken_database_tells_nobody_anything(broken, log: io.StringIO, path: str, statement: str):
    visitor = broken(statement)
    answers = [visitor.get(path), content(visitor, path)]
    for answer in answers:
        assert answer.status_code in (200, 303, 401, 404, 500)
        for secret in ("Traceback", "sqlite", "audit", "INSERT", "SELECT", "mbc/"):
            assert answer.status_code == 200 or secret not in answer.text
    if path in ("/caseload", "/client/C001"):
        assert any(answer.status_code == 500 for answer in answers)
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    faults = [line for line in lines if line["event"] == "request failed"]
    assert len(faults) == sum(answer.status_code == 500 for answer in answers)
    for secret in ("C001", "Willow", "salt", '"ash"', "Traceback", "127.0.0.1", "INSERT"):
        assert secret not in log.getvalue()
    for fault in faults:
        assert fault["status"] == 500
        assert fault["place"].startswith(("mbc/", "dashboards/"))
        assert any(fault["reference"] in answer.text for answer in answers)


def test_a_busy_record_is_said_within_five_seconds(own_record_url: str, make_app: Callable[..., Dash], log):
    visitor = make_app(own_record_url).server.test_client()
    assert sign_in(visitor, "ash").status_code == 303
    with closing(SQLITE.connect(own_record_url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        start = time.monotonic()
        answer = content(visitor, "/client/C001")
        assert time.monotonic() - start < 5
        other.execute("ROLLBACK")
    assert answer.status_code == 503
    assert "Another program is writing to the record" in answer.text
    assert int(answer.headers["Retry-After"]) > 0
    (line,) = [json.loads(line) for line in log.getvalue().splitlines()]
    assert (line["status"], line["kind"]) == (503, "StoreBusy")
    assert content(visitor, "/client/C001").status_code == 200


def test_a_line_of_the_log_is_one_line_of_text_or_json():
    record = logging.LogRecord("mbc.server", logging.ERROR, __file__, 1, "request\nfailed", None, None)
    record.status, record.page = 500, "client"
    assert json.loads(Line("json").format(record))["page"] == "client"
    assert Line("text").format(record).endswith("request failed status=500 page=client")
    other = logging.LogRecord("waitress", logging.ERROR, __file__, 1, "serving /client/C001", None, None)
    assert "C001" not in Line("text").format(other)
    assert "C001" in Line("text", debug=True).format(other)


def test_a_traceback_needs_the_debug_switch():
    try:
        int("C001")
    except ValueError as fault:
        record = logging.LogRecord(
            "mbc.server", logging.ERROR, __file__, 1, "failed", None, (ValueError, fault, fault.__traceback__)
        )
    assert "C001" not in Line("text").format(record)
    assert "C001" not in Line("json").format(record)
    assert "Traceback" in Line("text", debug=True).format(record)
