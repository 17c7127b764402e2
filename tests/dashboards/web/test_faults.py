"""What a visitor and the log are given when the record breaks under a page: plain words, and nobody's name."""

from __future__ import annotations

import io
import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
from dash import Dash
from flask.testing import FlaskClient
from sqlalchemy import event

from dashboards.app import PAGES
from dashboards.server.log import Line
from mbc.sqlite_library import SQLITE
from mbc.store import Store
from tests.dashboards.conftest import sign_in
from tests.dashboards.record import PASSWORD

pytestmark = pytest.mark.long

EXAMPLES = (
    "/client/C001", "/client/C001/record", "/client/C001/send", "/new-client", "/accounts/ash",
    "/outcomes/rses",
    *(page.path for page in PAGES.pages if page.path),
)  # fmt: skip
USERS = ("ash", "adam", "ana", "res", "lead")
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


@dataclass(frozen=True)
class Asked:
    """A page, and somebody who may open it."""

    page: str
    path: str
    visitor: FlaskClient


Break = Callable[[str], None]


@pytest.fixture
def served(own_record_url: str, make_app: Callable[..., Dash]) -> tuple[list[Asked], Dash, Break]:
    """Every page that is registered, with somebody signed in who may open it, and a way to break the record."""
    with Store.open(own_record_url) as store:
        store.accounts.add("res", PASSWORD, "researcher")
        store.accounts.add("lead", PASSWORD, "safety_lead")
        users = [store.as_user(name).user for name in USERS]
    app = make_app(own_record_url)
    visitors = {name: app.server.test_client() for name in USERS}
    for name, visitor in visitors.items():
        assert sign_in(visitor, name).status_code == 303
    pages = []
    for page in PAGES.pages:
        path = next(path for path in EXAMPLES if re.fullmatch(page.pattern, path))
        who = next(user.username for user in users if user is not None and page.may_open(user))
        pages.append(Asked(page.name, path, visitors[who]))

    def break_record(statement: str) -> None:
        with closing(SQLITE.connect(own_record_url.removeprefix("sqlite:///"))) as other:
            other.execute("PRAGMA foreign_keys = OFF")
            other.execute(statement)
            other.commit()

    return pages, app, break_record


def content(visitor: FlaskClient, path: str):
    """Ask for the content of a page, as the page's frame does."""
    body = {
        "output": "main.children",
        "outputs": {"id": "main", "property": "children"},
        "inputs": [{"id": "url", "property": "pathname", "value": path}],
        "changedPropIds": ["url.pathname"],
    }
    return visitor.post("/_dash-update-component", json=body, headers={"Origin": "http://localhost"})


def check_log(log: io.StringIO, answers: list, page: str) -> None:
    """One plain line for each answer that failed, and nothing of anybody in it."""
    text = log.getvalue()
    log.seek(0)
    log.truncate()
    faults = [line for line in map(json.loads, text.splitlines()) if line["event"] == "request failed"]
    failed = [answer for answer in answers if answer.status_code in (500, 503)]
    assert len(faults) == len(failed), page
    for secret in ("C001", "Willow", "salt", *(f'"{name}"' for name in USERS), "Traceback", "127.0.0.1", "INSERT"):
        assert secret not in text, page
    for fault in faults:
        assert fault["status"] in (500, 503)
        assert fault["place"].startswith(("mbc/", "dashboards/"))
        shown = any(fault["reference"] in answer.text for answer in failed)
        assert shown or fault["status"] == 503, page


def ask(asked: Asked) -> list:
    """Ask for a page in each of the ways in which browsers do."""
    visitor, path = asked.visitor, asked.path
    answers = [visitor.get(path), content(visitor, path), visitor.get(f"{path}?plain=1")]
    for answer in answers:
        for secret in ("Traceback", "sqlite", "INSERT", "SELECT", "mbc/"):
            assert answer.status_code == 200 or secret not in answer.text, asked.page
    return answers


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(statement, id=what, marks=pytest.mark.slow if what == "answers are gone" else ())
        for what, statement in BREAKS.items()
    ],
)
def test_a_broken_database_tells_nobody_anything_on_any_page(served, log: io.StringIO, statement: str):
    pages, _, break_record = served
    break_record(statement)
    failed = set()
    for asked in pages:
        answers = ask(asked)
        assert {answer.status_code for answer in answers} <= {200, 303, 401, 404, 500}
        failed |= {asked.page for answer in answers if answer.status_code == 500}
        check_log(log, answers, asked.page)
    every = {asked.page for asked in pages}
    assert failed >= (every if statement == BREAKS["a table is gone"] else {"caseload", "client"})


def test_a_record_out_of_reach_is_said_on_every_page(served, log: io.StringIO):
    pages, app, _ = served
    for asked in pages:  # each can be had
        assert asked.visitor.get(f"{asked.path}?plain=1").status_code == 200, asked.page
    log.truncate(0)
    engine, guarded = app.server.extensions["mbc_store"]._engine, False

    def fail(_connection, _cursor, statement: str, *_: object) -> None:
        if not (guarded and re.search(r"FROM (account|audit|setting|passkey)|INTO audit", statement)):
            raise SQLITE.OperationalError("disk I/O error while reading C001")

    event.listen(engine, "before_cursor_execute", fail)
    for guarded in (False, True):  # from the first question on; only once the visitor is known
        failed = set()
        for asked in pages:
            answers = ask(asked)
            assert {answer.status_code for answer in answers} <= ({200, 503} if guarded else {503}), asked.page
            assert all("cannot be reached just now" in each.text for each in answers if each.status_code == 503)
            failed |= {asked.page for answer in answers if answer.status_code == 503}
            check_log(log, answers, asked.page)
        assert failed >= {"caseload", "client", "accounts", "caseloads", "settings", "outcomes", "record"}, failed


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
