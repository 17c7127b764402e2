"""A record that each test may change, and who signs in to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from mbc.store import Store
from tests.dashboards.conftest import sign_in
from tests.dashboards.pages.record.sheets import TODAY

ACCOUNTS = frozenset({"ash", "birch", "oak", "ana", "adam"})


@pytest.fixture
def record(own_record_url: str) -> Iterator[Store]:
    with Store.open(own_record_url) as store:
        yield store


@pytest.fixture(scope="session")
def cookies() -> dict[str, str]:
    """The sign-in of each user: good in every copy of the record, and slow to make."""
    return {}


@pytest.fixture
def come(
    own_record_url: str, make_app: Callable[..., Any], clock: Any, cookies: dict[str, str]
) -> Callable[[str], FlaskClient]:
    server = make_app(own_record_url, clock=clock, today=TODAY).server
    name = server.config["SESSION_COOKIE_NAME"]

    def enter(username: str) -> FlaskClient:
        visitor = server.test_client()
        if username in cookies:
            visitor.set_cookie(name, cookies[username])
            return visitor
        assert sign_in(visitor, username).status_code == 303
        if username in ACCOUNTS:
            cookies[username] = visitor.get_cookie(name).value
        return visitor

    return enter


@pytest.fixture
def ash(come: Callable[[str], FlaskClient]) -> FlaskClient:
    return come("ash")
