"""What axe-core says of a page against WCAG 2.2 AA and its best practices, at a desk and on a phone."""

from __future__ import annotations

from importlib.resources import files
from typing import Literal

from playwright.sync_api import Page

AXE = files("axe_playwright_python") / "axe.min.js"
RUN = """async () => {
  const standard = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const report = await axe.run(document, { runOnly: standard, resultTypes: ["violations"] });
  const places = (rule) => rule.nodes.map((node) => node.target.join(" ")).join(", ");
  return report.violations.map((rule) => `${rule.id}: ${places(rule)}`);
}"""
# Our pages take the system's theme when they are loaded; later only a choice changes it.
CHOOSE = """(theme) => {
  window.mbcTheme?.choose(theme);
  return getComputedStyle(document.documentElement).colorScheme;
}"""
Theme = Literal["light", "dark"]
Looks = tuple[tuple[int, Theme], ...]
LOOKS: Looks = ((1440, "light"), (390, "dark"))
OTHER_LOOKS: Looks = ((1440, "dark"), (390, "light"))


def violations(page: Page) -> list[str]:
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))  # in the page's own world, past its content policy
    return page.evaluate(RUN)


def change_look(page: Page, width: int, theme: Theme) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)
    assert theme in page.evaluate(CHOOSE, theme)


def violations_by_look(page: Page, looks: Looks) -> list[str]:
    broken: list[str] = []
    for width, theme in looks:
        change_look(page, width, theme)
        broken += [f"{width} px, {theme}: {violation}" for violation in violations(page)]
    return broken
