"""Everybody can use the pages: by keyboard, on a phone, enlarged, in the dark, by ear."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import change_look, violations
from tests.browser.conftest import Visit, Watch
from tests.browser.reading import (
    FAINT,
    MOVING,
    NAMELESS_ROLES,
    ON_ITS_SIDE,
    OVERFLOW,
    UPRIGHT,
    drawn,
    fits_on_paper,
)

pytestmark = pytest.mark.browser

PAGES = (
    ("ash", "/caseload"),
    ("ash", "/client/C001"),
    ("ana", "/outcomes"),
    ("ash", "/to-review"),
    pytest.param("ash", "/other-records", marks=pytest.mark.slow),  # in make test: in test_role_days
    (None, "/sign-in"),
)
PRINTED = {"/caseload": UPRIGHT, "/outcomes": ON_ITS_SIDE}


def opened(visit: Visit, user: str | None, path: str, **window: object) -> Page:
    page = visit(path, user, **window)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    if "client" in path:
        drawn(page)
    return page


@pytest.mark.parametrize(("user", "path"), PAGES)
def test_a_page_can_be_used_by_everybody(visit: Visit, user: str | None, path: str):
    """One visit: opening a page takes longer than all that is asked of it."""
    page = opened(visit, user, path)
    assert page.evaluate(FAINT) == [], "text hardly stands out from what is behind it, in light"
    assert nameless(page) == []
    assert page.evaluate(MOVING) == 0, "something moves for those who asked that nothing does"
    assert violations(page) == [], "in light, on a desk"
    if user is not None:
        landmarks_and_the_way_past_them(page)
    if path in PRINTED:
        fits_on_paper(page, PRINTED[path])
    change_look(page, 390, "dark")
    if page.locator(".js-plotly-plot").count():
        page.wait_for_timeout(250)  # charts are drawn again
    assert page.evaluate(FAINT) == [], "text hardly stands out from what is behind it, in the dark"
    assert violations(page) == [], "in the dark, on a phone"
    for width in (390, 320, 720):  # a phone; a small one; 1440 pixels enlarged to 200 %
        page.set_viewport_size({"width": width, "height": 844})
        if page.locator(".js-plotly-plot").count():
            page.wait_for_timeout(250)
        assert page.evaluate(OVERFLOW) <= 0, f"something runs out of a window of {width} pixels"


def nameless(page: Page) -> list[str]:
    """Roles of controls without a name."""
    session = page.context.new_cdp_session(page)
    session.send("Accessibility.enable")
    tree = session.send("Accessibility.getFullAXTree")["nodes"]
    return [
        node["role"]["value"]
        for node in tree
        if not node["ignored"]
        and node["role"]["value"] in NAMELESS_ROLES
        and not node.get("name", {}).get("value", "").strip()
    ]


def landmarks_and_the_way_past_them(page: Page) -> None:
    for role in ("banner", "navigation", "main"):
        expect(page.get_by_role(role)).to_have_count(1)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    assert page.locator("html").get_attribute("lang") == "en"


def test_the_list_finds_sorts_and_opens_a_client(visit: Visit, watch: Watch):
    """One visit: opening a page takes longer than all that is asked of it."""
    page = visit("/caseload", "oak")
    a_client_is_found_by_name_or_number_without_asking_the_server(page)
    page.get_by_label("Dark").check()  # there is no chart
    scores_are_a_second_view_that_sorts(page)
    assert page.evaluate("() => document.documentElement.dataset.mantineColorScheme") == "dark"
    page.goto("/caseload")
    a_client_is_opened_by_keyboard_alone(page)
    assert watch.complaints == []


def a_client_is_found_by_name_or_number_without_asking_the_server(page: Page) -> None:
    expect(page.get_by_role("link", name="Willow")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for words in ("haz", "C003", "hazel c003"):
        page.get_by_label("Find name, number, status or measure").fill(words)
        expect(page.get_by_role("link", name="Willow")).to_be_hidden()
        expect(page.get_by_role("link", name="Hazel")).to_be_visible()
        page.get_by_label("Find name, number, status or measure").fill("nobody of that name")
        expect(page.get_by_text("No client of that name or number.")).to_be_visible()
    assert asked == []


def scores_are_a_second_view_that_sorts(page: Page) -> None:
    page.get_by_role("button", name="Scores").click()
    heading = page.get_by_role("columnheader", name="Self-esteem")
    heading.click()
    expect(heading).to_have_attribute("aria-sort", "ascending")
    heading.click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    first = page.locator(".ag-pinned-left-cols-container .ag-row[row-index='0'], .ag-row[row-index='0']").first
    expect(first).to_contain_text("Willow")  # +12 of RSES: the largest gain
    expect(page.locator("#caseload-list")).to_be_hidden()


def a_client_is_opened_by_keyboard_alone(page: Page) -> None:
    link = page.get_by_role("link", name="Willow")
    link.wait_for()
    for _ in range(40):
        page.keyboard.press("Tab")
        if link.evaluate("link => link === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Willow")).to_be_visible()
    expect(page.get_by_role("main")).to_be_focused()
