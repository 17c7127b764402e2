"""Everybody can use the pages: by keyboard, on a phone, enlarged, in the dark, by ear."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, Watch
from tests.browser.reading import FAINT, MOVING, NAMELESS_ROLES, OVERFLOW, drawn
from tests.browser.test_axe import violations

pytestmark = pytest.mark.browser

PAGES = (
    ("ash", "/caseload"),
    ("ash", "/client/C001"),
    ("ana", "/outcomes"),
    ("ash", "/to-review"),
    ("ash", "/other-records"),
    (None, "/sign-in"),
)


def opened(visit: Visit, user: str | None, path: str, **window: object) -> Page:
    page = visit(path, user, **window)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    if "client" in path:
        drawn(page)
    return page


@pytest.mark.parametrize(("user", "path"), PAGES)
def test_a_page_can_be_used_by_everybody(visit: Visit, user: str | None, path: str):
    """One visit for each theme: opening a page takes longer than all that is asked of it."""
    page = opened(visit, user, path)
    assert page.evaluate(FAINT) == [], "text hardly stands out from what is behind it, in light"
    assert nameless(page) == []
    assert page.evaluate(MOVING) == 0, "something moves for those who asked that nothing does"
    assert violations(page) == [], "in light, on a desk"
    if user is not None:
        landmarks_and_the_way_past_them(page)
    page = opened(visit, user, path, theme="dark", width=390, height=844)
    assert page.evaluate(FAINT) == [], "text hardly stands out from what is behind it, in the dark"
    assert violations(page) == [], "in the dark, on a phone"
    for width in (390, 320, 720):  # a phone; a small one; 1440 pixels enlarged to 200 %
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_timeout(250)  # charts are drawn again
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


def test_phone_and_desk_get_the_same_list(visit: Visit, watch: Watch):
    for size in ({"width": 390, "height": 844}, {}):
        page = visit("/caseload", "ash", **size)
        page.get_by_role("link", name="Willow").click()
        expect(page.get_by_role("heading", level=1, name="Willow")).to_be_visible()
    assert watch.complaints == []


def test_a_client_is_opened_by_keyboard_alone(visit: Visit, watch: Watch):
    page = visit("/caseload", "ash")
    link = page.get_by_role("link", name="Willow")
    expect(link).to_be_visible()
    for _ in range(40):
        page.keyboard.press("Tab")
        if link.evaluate("link => link === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Willow")).to_be_visible()
    expect(page.get_by_role("main")).to_be_focused()
    assert watch.complaints == []


def test_scores_are_a_second_view_that_sorts(visit: Visit, watch: Watch):
    page = visit("/caseload", "oak")
    page.get_by_role("button", name="Scores").click()
    heading = page.get_by_role("columnheader", name="Self-esteem")
    heading.click()
    expect(heading).to_have_attribute("aria-sort", "ascending")
    heading.click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    first = page.locator(".ag-pinned-left-cols-container .ag-row[row-index='0'], .ag-row[row-index='0']").first
    expect(first).to_contain_text("Willow")  # +12 of RSES: the largest gain
    expect(page.locator("#caseload-list")).to_be_hidden()
    assert watch.complaints == []


def test_the_list_finds_a_client_by_name_or_number_without_asking_the_server(visit: Visit):
    page = visit("/caseload", "oak")
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


@pytest.mark.parametrize(
    ("system", "other"), [("light", "dark"), pytest.param("dark", "light", marks=pytest.mark.slow)]
)
def test_the_theme_follows_the_system_until_it_is_chosen_and_then_is_kept(
    visit: Visit, watch: Watch, system: str, other: str
):
    page = visit("/client/C001", "ash", theme=system)
    scheme = "() => document.documentElement.dataset.mantineColorScheme"
    paper = "() => document.querySelector('#chart-rses-total .js-plotly-plot').layout.font.color"
    drawn(page)
    assert page.evaluate(scheme) == system
    before = page.evaluate(paper)
    page.get_by_label("Dark").set_checked(other == "dark")
    page.wait_for_function(f"() => ({paper})() !== '{before}'")
    assert page.evaluate(scheme) == other
    page.reload()
    drawn(page)
    assert page.evaluate(scheme) == other
    assert page.evaluate(paper) != before
    assert watch.complaints == []


def test_the_theme_can_be_changed_where_there_is_no_chart(visit: Visit, watch: Watch):
    page = visit("/caseload", "ash")
    page.get_by_label("Dark").check()
    page.wait_for_timeout(500)
    assert page.evaluate("() => document.documentElement.dataset.mantineColorScheme") == "dark"
    assert watch.complaints == []


def test_the_page_prints_without_its_controls_and_without_the_restricted_section(visit: Visit):
    page = opened(visit, "ash", "/client/C001")
    page.locator("#record-button").click()
    expect(page.locator("#record")).to_contain_text("PHQ-9")
    page.emulate_media(media="print")
    expect(page.locator("#record")).to_be_hidden()
    expect(page.get_by_role("banner")).to_be_hidden()
    expect(page.locator("#chart-rses-total")).to_be_visible()
