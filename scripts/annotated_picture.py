"""Make the numbered pictures of docs/clinician.md: a client's page, each part with the number of its explanation.

Run by ``make pictures``. The numbers are drawn in the page, at the elements themselves, and move with them.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from page_pictures import CHROMIUM, CLIENT, DEMO, Picture, Theme, served, take, visit
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images" / "guide"
SCREEN = Picture("client-numbered", "marten", CLIENT)
WINDOW: ViewportSize = {"width": 1440, "height": 900}
THEMES: tuple[tuple[str, Theme], ...] = (("", "light"), ("-dark", "dark"))


@dataclass(frozen=True, slots=True)
class Mark:
    """A part of the page that has a number."""

    name: str  # as the explanation begins
    selector: str  # of the first element that is meant
    place: str = "after"  # its text; or at its "corner" or "start", "before" or "inside" it


MARKS = (
    Mark("Who, and as of when", ".client-head .facts"),
    Mark("State and clear changes", ".client-head .headline"),
    Mark("Goals and what is due", ".client-head .agenda"),
    Mark("What you can do", ".client-head .actions", "before"),
    Mark("What to ask", "ol.ask li", "corner"),
    Mark("Verdict", "#chart-rses-total .verdict"),
    Mark("Chart", "#chart-rses-total .drawing", "inside"),
    Mark("Not asked", "#chart-csi16-total .verdict"),
    Mark("No clear change", "#chart-ecr_s-anxiety .verdict", "start"),
    Mark("Change and latest score", "#chart-ecr_s-avoidance .value", "before"),
    Mark("Goals", "#chart-goals h3"),
    Mark("Legend and display", ".legend-fold summary"),
    Mark("Along the way", ".bottom-row section:nth-child(1) h2"),
    Mark("Largest changes", ".bottom-row section:nth-child(2) h2"),
    Mark("Further down", ".below-screen summary"),
)
_SIZE = 28  # of a number's circle; the site shows the picture at half its size
_DRAWN = "[...document.querySelectorAll('.drawing')].every(drawing => drawing.querySelector('.main-svg'))"
_DRAW = """([marks, size]) => {
  const missing = [];
  const drawn = marks.map(({selector, place}, index) => {
    const element = document.querySelector(selector);
    const box = element?.getBoundingClientRect();
    if (!box?.width) { missing.push(selector); return null; }
    let [x, y] = [box.left, box.top];
    if (place === 'after') {
      const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
      const seen = [];
      while (texts.nextNode()) {
        const words = document.createRange();
        words.selectNodeContents(texts.currentNode);
        if (!texts.currentNode.parentElement.closest('.unseen')) seen.push(...words.getClientRects());
      }
      x = Math.max(...seen.map(r => r.right)) + size * 0.8;
      y = (Math.min(...seen.map(r => r.top)) + Math.max(...seen.map(r => r.bottom))) / 2;
    } else if (place === 'before') {
      [x, y] = [box.left - size * 0.8, box.top + box.height / 2];
    } else if (place === 'start') {
      [x, y] = [box.left + size * 1.2, box.top + box.height / 2];
    } else if (place === 'inside') {
      [x, y] = [box.right - size * 1.2, box.bottom - size * 1.5];
    }
    const circle = document.createElement('b');
    circle.textContent = String(index + 1);
    circle.style.cssText = `position:absolute; left:${x - size / 2}px; top:${y - size / 2}px; width:${size}px;
      height:${size}px; box-sizing:border-box; border:2px solid #1f2328; border-radius:50%; background:#ffd33d;
      color:#1f2328; font:bold ${size * 0.56}px/${size - 4}px sans-serif; text-align:center; z-index:9999;`;
    return circle;
  });
  document.body.append(...drawn.filter(Boolean));
  return missing;
}"""


def number(page: Page) -> None:
    """Draw the number of each part beside it; refuses a page that lacks one."""
    page.wait_for_function(_DRAWN)
    page.wait_for_timeout(500)  # nothing moves any more
    marks = [{"selector": mark.selector, "place": mark.place} for mark in MARKS]
    if missing := page.evaluate(_DRAW, [marks, _SIZE]):
        raise SystemExit(f"The client's page has no {', no '.join(missing)}.")


def take_numbered(browser: Browser, address: str) -> None:
    """Take the picture, light and dark."""
    for suffix, theme in THEMES:
        page = visit(browser, address, SCREEN.user, WINDOW, theme)
        take(page, SCREEN, FOLDER / f"{SCREEN.name}{suffix}.png", whole=False, before=number)
        page.context.close()


def main() -> None:
    """Make both pictures again."""
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        raise SystemExit("There is no Chromium here: sh scripts/chromium.sh")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        with served(folder, DEMO) as address:
            take_numbered(browser, address)
        browser.close()
    print(f"{len(THEMES)} pictures in {FOLDER}")


if __name__ == "__main__":
    main()
