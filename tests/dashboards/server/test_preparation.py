"""The process that serves: what it has loaded is left out of the search for cycles, until the server has ended."""

from __future__ import annotations

import gc

from dashboards.server.preparation import open_prepared
from dashboards.settings import Settings
from dashboards.web.rate_limit import RateLimits


def test_what_is_loaded_at_the_start_is_not_searched_for_cycles_while_the_server_runs(own_record_url):
    gc.unfreeze()  # what the tests themselves left out
    try:
        with open_prepared(own_record_url, Settings(secret_key="k" * 40), RateLimits(), None) as app:
            assert gc.get_freeze_count() > 50_000
            assert app.server.test_client().get("/sign-in").status_code == 200
        assert gc.get_freeze_count() == 0
    finally:
        gc.freeze()
