"""axe-core finds no violation of WCAG 2.2 AA or its best practices, on any page, width or theme."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.axe import LOOKS, OTHER_LOOKS, Looks, violations_by_look
from tests.browser.conftest import Look, Visit
from tests.browser.reading import drawn

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("user", "path", "looks"),
    [
        ("ash", "/client/C002", LOOKS[1:]),
        pytest.param("ash", "/client/C002", LOOKS[:1], marks=pytest.mark.slow),
        # these in LOOKS as well: in test_access, which opens them anyway
        *(
            pytest.param(user, path, OTHER_LOOKS, marks=pytest.mark.slow)
            for user, path in (
                ("ash", "/client/C001"),
                ("ash", "/client/C002"),
                ("ash", "/caseload"),
                ("ana", "/outcomes"),
                ("ash", "/to-review"),
            )
        ),
    ],
)
def test_no_page_violates_a_rule(visit: Visit, user: str, path: str, looks: Looks):
    page = visit(path, user)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    if path.endswith("C001"):
        drawn(page)
    assert violations_by_look(page, looks) == []


def test_no_state_of_a_clients_page_violates_a_rule(visit: Visit, look: Look):
    page = visit("/client/C001", "ash")
    drawn(page)
    page.locator("#record-button").click()
    expect(page.locator("#record")).to_contain_text("PHQ-9")
    for fold in page.locator(".below-screen summary").all():
        fold.click()
    assert look(page) == []
    page.locator("#chart-rses-total button").press("Enter")
    enlarged = page.get_by_role("dialog")
    expect(enlarged.locator(".scatterlayer").first).to_be_visible()
    for name in ("Full description", "Show table of scores", "Sources", "Every answer"):
        enlarged.get_by_text(name, exact=True).locator("visible=true").click()
    assert look(page) == []
