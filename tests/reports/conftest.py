"""Records that reports are made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from mbc.store import Store
from tests.dashboards.record import make_record


@pytest.fixture(scope="session")
def url(tmp_path_factory) -> str:
    address = f"sqlite:///{tmp_path_factory.mktemp('reports') / 'clinic.db'}"
    make_record(address)
    return address


@pytest.fixture(scope="session")
def store(url) -> Iterator[Store]:
    with Store.open(url) as opened:
        yield opened


@pytest.fixture(scope="session")
def store_of(store) -> Callable[[str], Store]:
    return store.as_user
