"""A record, an application and a signed-in visitor for the tests of the pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from dash import Dash
from dash._hooks import HooksManager
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

from dashboards.app import open_app
from dashboards.settings import Settings
from mbc.sqlite_library import SQLITE
from mbc.store import Store
from tests.dashboards.record import PASSWORD, make_record

KEY = "a key that only the tests of these pages use"


class _Templates(BytecodeCache):
    """Compiled templates, shared by the applications of all tests."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


def _compiled_once(compile_rule: Callable[..., Any]) -> Callable[..., Any]:
    compiled: dict[Any, Any] = {}

    def look_up(rule: Any, append_unknown: bool = True) -> Any:
        key = (rule.rule, tuple(rule._trace), repr(rule.defaults), append_unknown)
        if key not in compiled:
            compiled[key] = compile_rule(rule, append_unknown)
        return compiled[key]  # a function that is handed the rule

    return look_up


@pytest.fixture(scope="session", autouse=True)
def quick_apps() -> Iterator[None]:
    """Do once what is the same for every application: compile templates and addresses, look for plug-ins."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(Flask.jinja_options, "bytecode_cache", _Templates())
        patch.setattr(Rule, "_compile_builder", _compiled_once(Rule._compile_builder))
        HooksManager.register_setuptools()
        patch.setattr(HooksManager, "_registered", True)  # Dash means to, and never does
        yield


@pytest.fixture(scope="session")
def record_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The record, made once; tests that write to it say so by using ``own_record_url``."""
    url = f"sqlite:///{tmp_path_factory.mktemp('record') / 'clinic.db'}"
    make_record(url)
    return url


@pytest.fixture
def own_record_url(record_url: str, tmp_path: Path) -> str:
    """A copy of the record that a test may change."""
    copy = tmp_path / "clinic.db"
    with (
        closing(SQLITE.connect(record_url.removeprefix("sqlite:///"))) as made,
        closing(SQLITE.connect(copy)) as own,
    ):
        made.backup(own)
        own.execute("DELETE FROM sign_in_attempt")  # what other tests guessed
        own.commit()
    return f"sqlite:///{copy}"


class Clock:
    """A clock that a test turns."""

    now = 1_750_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_app() -> Iterator[Callable[..., Dash]]:
    """Make applications, whose records are closed when the test ends."""
    with ExitStack() as opened:

        def make(url: str, **settings: object) -> Dash:
            return opened.enter_context(open_app(url, Settings(**{"secret_key": KEY, **settings})))

        yield make


@pytest.fixture
def app(record_url: str, clock: Clock, make_app: Callable[..., Dash]) -> Dash:
    return make_app(record_url, clock=clock)


@pytest.fixture
def browser(app: Dash) -> FlaskClient:
    return app.server.test_client()


def token_of(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found
    return found[1]


def sign_in(browser: FlaskClient, username: str, password: str = PASSWORD):
    token = token_of(browser.get("/sign-in").text)
    return browser.post("/sign-in", data={"csrf": token, "username": username, "password": password})


@pytest.fixture
def signed_in(app: Dash) -> Callable[[str], FlaskClient]:
    """A browser in which somebody is signed in."""

    def enter(username: str) -> FlaskClient:
        visitor = app.server.test_client()
        assert sign_in(visitor, username).status_code == 303
        return visitor

    return enter


@pytest.fixture
def store_of(record_url: str) -> Iterator[Callable[[str], Store]]:
    """The record narrowed to a user."""
    with Store.open(record_url) as store:
        yield store.as_user
