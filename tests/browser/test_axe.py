"""axe-core finds no violation of WCAG 2.2 AA or its best practices, on any page, width or theme."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.axe import LOOKS, OTHER_LOOKS, Looks, violations_by_look
from tests.browser.conftest import Look, Visit
from tests.browser.reading import drawn

pytestmark = pytest.mark.browser


@pytest.mark.slow  # in LOOKS, in make test: test_access, which opens these pages anyway
@pytest.mark.parametrize(
    ("user", "path", "looks"),
    [
        ("ash", "/client/C001", OTHER_LOOKS),
        ("ash", "/client/C002", (*LOOKS, *OTHER_LOOKS)),
        ("ash", "/caseload", OTHER_LOOKS),
        ("ana", "/outcomes", OTHER_LOOKS),
        ("ash", "/to-review", OTHER_LOOKS),
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
