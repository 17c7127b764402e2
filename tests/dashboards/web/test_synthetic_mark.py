"""Where nobody on record exists every page says so, and where people do, none."""

from __future__ import annotations

import pytest

from tests.dashboards.conftest import sign_in

WORDS = "Synthetic clinic: nobody exists"


@pytest.mark.parametrize("synthetic", [True, False])
def test_every_page_of_a_synthetic_clinic_is_marked(record_url: str, make_app, synthetic: bool):
    browser = make_app(record_url, synthetic=synthetic).server.test_client()
    pages = [browser.get("/sign-in").text]
    assert sign_in(browser, "ash").status_code == 303
    pages += [browser.get(path).text for path in ("/caseload?plain=1", "/client/C001/record", "/_dash-layout")]
    assert [WORDS in page for page in pages] == [synthetic] * 4
