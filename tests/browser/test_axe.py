"""axe-core finds no violation of WCAG 2.2 AA or its best practices, on any page, width or theme.

axe-core (MPL-2.0) is not part of mbc: ``npm install --no-save axe-core@4``, or name the file in ``MBC_AXE``.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.reading import drawn

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
AXE = Path(os.environ.get("MBC_AXE", ROOT / "node_modules" / "axe-core" / "axe.min.js"))
RUN = """async () => {
  const standard = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const report = await axe.run(document, { runOnly: standard, resultTypes: ["violations"] });
  const places = (rule) => rule.nodes.map((node) => node.target.join(" ")).join(", ");
  return report.violations.map((rule) => `${rule.id}: ${places(rule)}`);
}"""
LOOKS = ((1440, "light"), (1440, "dark"), (390, "light"), (390, "dark"))


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))  # in the page's own world, past its content policy
    return page.evaluate(RUN)


@pytest.fixture(autouse=True)
def axe() -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not here: npm install --no-save axe-core@4")


@pytest.mark.parametrize(("width", "theme"), LOOKS)
@pytest.mark.parametrize(
    ("user", "path"),
    [
        ("ash", "/client/C001"),
        ("ash", "/client/C002"),
        ("ash", "/caseload"),
        ("ana", "/outcomes"),
        ("ash", "/to-review"),
    ],
)
def test_no_page_violates_a_rule(visit: Visit, user: str, path: str, width: int, theme: str):
    page = visit(path, user, width=width, theme=theme)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    if path.endswith("C001"):
        drawn(page)
    assert violations(page) == []


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_no_state_of_a_clients_page_violates_a_rule(visit: Visit, width: int, theme: str):
    page = visit("/client/C001", "ash", width=width, theme=theme)
    drawn(page)
    page.locator("#record-button").click()
    expect(page.locator("#record")).to_contain_text("PHQ-9")
    for fold in page.locator(".below-screen summary").all():
        fold.click()
    assert violations(page) == []
    page.locator("#chart-rses-total button").press("Enter")
    enlarged = page.get_by_role("dialog")
    expect(enlarged.locator(".scatterlayer").first).to_be_visible()
    for name in ("Full description", "Show table of scores", "Sources", "Every answer"):
        enlarged.get_by_text(name, exact=True).locator("visible=true").click()
    assert violations(page) == []
