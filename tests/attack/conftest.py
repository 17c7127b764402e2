"""The records of the store's tests, on each database."""

from __future__ import annotations

from tests.store.conftest import (
    _quick_keys,
    clinic,
    database,
    empty_url,
    postgres,
    pytest_generate_tests,
    store,
    url,
)

__all__ = [
    "_quick_keys",
    "clinic",
    "database",
    "empty_url",
    "postgres",
    "pytest_generate_tests",
    "store",
    "url",
]
