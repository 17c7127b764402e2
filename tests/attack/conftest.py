"""The records of the store's tests, on each database, and the visitors of the tests of the pages."""

from __future__ import annotations

from tests.dashboards.conftest import (
    app,
    browser,
    clock,
    make_app,
    own_record_url,
    quick_apps,
    record_url,
    signed_in,
    store_of,
)
from tests.store.conftest import (
    _quick_keys,
    clinic,
    copied_record,
    database,
    empty_url,
    filled,
    pytest_generate_tests,
    quick_schema,
    real_schema,
    store,
    url,
)

__all__ = [
    "_quick_keys",
    "app",
    "browser",
    "clinic",
    "clock",
    "copied_record",
    "database",
    "empty_url",
    "filled",
    "make_app",
    "own_record_url",
    "pytest_generate_tests",
    "quick_apps",
    "quick_schema",
    "real_schema",
    "record_url",
    "signed_in",
    "store",
    "store_of",
    "url",
]
