"""axe-core finds no violation of WCAG 2.2 AA or its best practices, on any page, width or theme."""

from __future__ import annotations

from importlib.resources import files
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.reading import drawn

pytestmark = pytest.mark.browser

AXE = files("axe_playwright_python") / "axe.min.js"
RUN = """async () => {
  const standard = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const report = await axe.run(document, { runOnly: standard, resultTypes: ["violations"] });
  const places = (rule) => rule.nodes.map((node) => node.target.join(" ")).join(", ");
  return report.violations.map((rule) => `${rule.id}: ${places(rule)}`);
}"""
Looks = tuple[tuple[int, Literal["light", "dark"]], ...]
LOOKS: Looks = ((1440, "light"), (390, "dark"))
OTHER_LOOKS: Looks = ((1440, "dark"), (390, "light"))
LOOKED_AT = pytest.mark.parametrize("looks", [LOOKS, pytest.param(OTHER_LOOKS, marks=pytest.mark.slow)])


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))  # in the page's own world, past its content policy
    return page.evaluate(RUN)


def violations_by_look(page: Page, looks: Looks) -> list[str]:
    broken: list[str] = []
    for width, theme in looks:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)
        broken += [f"{width} px, {theme}: {violation}" for violation in violations(page)]
    return broken


@pytest.mark.parametrize(
    ("user", "path", "looks"),
    [
        ("ash", "/client/C002", LOOKS),
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


@LOOKED_AT
def test_no_state_of_a_clients_page_violates_a_rule(visit: Visit, looks: Looks):
    page = visit("/client/C001", "ash")
    drawn(page)
    page.locator("#record-button").click()
    expect(page.locator("#record")).to_contain_text("PHQ-9")
    for fold in page.locator(".below-screen summary").all():
        fold.click()
    assert violations_by_look(page, looks) == []
    page.locator("#chart-rses-total button").press("Enter")
    enlarged = page.get_by_role("dialog")
    expect(enlarged.locator(".scatterlayer").first).to_be_visible()
    for name in ("Full description", "Show table of scores", "Sources", "Every answer"):
        enlarged.get_by_text(name, exact=True).locator("visible=true").click()
    assert violations_by_look(page, looks) == []
