"""The built site: a search finds the page to act by first, a copy has no prompts, a phone cuts nothing off."""

from __future__ import annotations

import functools
import http.server
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome-stable"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: sh scripts/chromium.sh"),
]
FIRST = {
    "install": "start/install.html",
    "update": "start/install.html",
    "password": "start/every-day.html",
    "delete client": "start/every-day.html",
    "RCI": "methods/reliable-change.html",
    "template": "import-export.html",
    "Windows": "start/install.html",
    "uninstall": "start/install.html",
    "GDPR": "guides/privacy.html",
    "PHQ-9": "instruments/phq9.html",
}
CUT_OFF = """() => {
  const width = document.documentElement.clientWidth;
  const cut = [...document.querySelectorAll('.md-content pre > code')].filter(
      e => e.scrollWidth > e.clientWidth + 2);
  const wide = [...document.querySelectorAll('.md-content table')].filter(
      e => e.getBoundingClientRect().right > width + 2);
  return [...cut, ...wide].map(e => e.innerText.slice(0, 60));
}"""


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Write nothing."""


@pytest.fixture(scope="module")
def site(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    subprocess.run(words, cwd=repository, check=True, capture_output=True)
    handler = functools.partial(QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", folder
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


def test_a_search_finds_the_page_to_act_by_first(site, browser):
    page = browser.new_page()
    found = {}
    for words in FIRST:
        page.goto(f"{site[0]}/index.html")
        page.click("input.md-search__input")
        page.keyboard.type(words)
        page.wait_for_selector(".md-search-result__item > a")
        page.wait_for_timeout(700)  # the list is written anew while somebody types
        address = page.get_attribute(".md-search-result__item > a", "href").removeprefix(f"{site[0]}/")
        found[words] = address.partition("?")[0]
    assert found == FIRST


def test_copying_an_example_leaves_prompts_and_outputs_out(site, browser):
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"], base_url=site[0])
    page = context.new_page()
    page.goto("/start/first-chart.html")
    page.locator(".highlight").first.hover()
    page.locator(".highlight button").first.click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert ">>>" not in copied
    assert "[27.0, 10.0]" not in copied
    compile(copied, "copied", "exec")


def test_a_phone_cuts_neither_code_nor_tables_off(site, browser):
    page = browser.new_page(viewport={"width": 390, "height": 844})
    cut = {}
    for file in sorted(site[1].rglob("*.html")):
        name = file.relative_to(site[1]).as_posix()
        page.goto(f"{site[0]}/{name}")
        if lines := page.evaluate(CUT_OFF):
            cut[name] = lines
    assert cut == {}
