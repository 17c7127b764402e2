"""A record that each test may change, and who signs in to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from mbc.store import Store
from tests.dashboards.conftest import sign_in
from tests.dashboards.pages.record.sheets import TODAY


@pytest.fixture
def record(own_record_url: str) -> Iterator[Store]:
    with Store.open(own_record_url) as store:
        yield store


@pytest.fixture
def come(own_record_url: str, make_app: Callable[..., Any], clock: Any) -> Callable[[str], FlaskClient]:
    server = make_app(own_record_url, clock=clock, today=TODAY).server

    def enter(username: str) -> FlaskClient:
        visitor = server.test_client()
        assert sign_in(visitor, username).status_code == 303
        return visitor

    return enter


@pytest.fixture
def ash(come: Callable[[str], FlaskClient]) -> FlaskClient:
    return come("ash")
