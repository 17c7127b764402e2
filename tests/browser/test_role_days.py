"""Each role's day in a real browser: every page of its navigation, and what it is there for."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import Visit, Watch
from tests.browser.reading import ON_ITS_SIDE, OVERFLOW, UPRIGHT, drawn, fits_on_paper

pytestmark = pytest.mark.browser

NAVIGATION = {
    "ash": ["Caseload", "Outcomes", "To review", "Colleagues' records", "My account"],
    "oak": ["Caseload", "Outcomes", "Colleagues' records", "My account"],
    "lea": ["To review", "Colleagues' records", "My account"],
    "adam": ["Accounts", "Caseloads", "Audit log", "Erasure", "Settings", "My account"],
    "rhea": ["Cohort", "My account"],
    "ana": ["Outcomes", "My account"],
}
IN_MAKE_TEST = ("lea", "adam", "rhea")  # the pages of the others are opened in test_access
PRINTED = {"Caseload": UPRIGHT, "Outcomes": ON_ITS_SIDE}


@pytest.mark.parametrize(
    "user", [pytest.param(user, marks=() if user in IN_MAKE_TEST else pytest.mark.slow) for user in NAVIGATION]
)
def test_each_role_walks_through_its_day(visit: Visit, watch: Watch, user: str):
    page = visit("/", user)
    links = page.get_by_role("navigation", name="Pages").get_by_role("link")
    expect(links).to_have_text(NAVIGATION[user])
    for name in NAVIGATION[user]:
        page.get_by_role("navigation", name="Pages").get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator("nav [aria-current=page]")).to_have_text(name)
        assert violations(page) == [], name
        assert page.evaluate(OVERFLOW) <= 0, f"{name} runs out of its window"
        if name in PRINTED and user in ("ash", "ana"):
            fits_on_paper(page, PRINTED[name])
        if name in DUTIES.get(user, {}):
            DUTIES[user][name](page)
    assert watch.complaints == []


def read_a_client(page: Page) -> None:
    page.get_by_role("link", name="Willow").first.click()
    drawn(page)
    expect(page.get_by_role("heading", name="Willow", level=1)).to_be_visible()
    page.get_by_text("Setbacks and plateaus", exact=True).click()
    expect(page.get_by_role("table", name="Setbacks and plateaus of each measure")).to_be_visible()
    assert violations(page) == []


def find_a_client(page: Page) -> None:
    page.get_by_label("Find name, number, status or measure").fill("hazel")
    expect(page.get_by_role("link", name="Willow")).to_be_hidden()
    expect(page.get_by_role("link", name="Hazel")).to_be_visible()


def review_a_flag(page: Page) -> None:
    """By keyboard alone: shown, hidden, and marked with a note."""
    button, points = page.locator("#points-button"), page.locator("#points")
    button.press("Enter")
    expect(points).to_contain_text("PHQ-9")
    page.keyboard.press("Escape")
    expect(points).to_be_hidden()
    expect(points).to_be_empty()  # the answer to that has come: what comes next is not replaced
    button.press("Enter")
    expect(points).to_contain_text("PHQ-9")
    button.focus()
    note = page.get_by_label("What was done").first
    for _ in range(3):  # a wide list can be scrolled by keyboard, so it may come first
        page.keyboard.press("Tab")
        if note.evaluate("(field) => field === document.activeElement"):
            break
    expect(note).to_be_focused()
    page.keyboard.type("spoke with the clinician")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_be_visible()
    expect(points).to_be_empty()
    button.press("Enter")
    expect(points.locator("summary", has_text="Marked as seen:")).to_be_visible()
    page.keyboard.press("Escape")


DUTIES = {
    "ash": {"Caseload": read_a_client},
    "oak": {"Caseload": find_a_client},
    "lea": {"To review": review_a_flag},
}
