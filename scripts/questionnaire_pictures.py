"""Make the pictures of docs/asking.md: what a client sees on a phone, in three languages.

Run by ``make pictures``. A box with one asking for each language is served; Chromium, without scripts, answers.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, ViewportSize, sync_playwright

from mbc.box.box import Box
from mbc.box.content import Asking
from mbc.box.seal import KeyPair
from mbc.box.token import new_token
from mbc.care.askings.sheets import sheet_of
from mbc.instruments import instrument, wording

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images" / "asking"
LANGUAGES = ("en", "de", "es")
PHONE: ViewportSize = {"width": 390, "height": 780}
ANSWERS = (3, 4, 2, 3, 4, 1, 3)  # the last question is left blank
CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable")
GAP = 16
_UNTIL = datetime(2999, 3, 4, 14, tzinfo=UTC)  # the pages name no year: the same picture every time


def put(box: Box, language: str) -> str:
    """Put an asking into the box; gives its path."""
    token, until = new_token(), _UNTIL
    sheet = sheet_of(wording.require("checkin", language), instrument("checkin"), None)
    asking = Asking(language=language, sheets=(sheet,))
    box.add(f"A-{language}", asking, public_key=KeyPair.new().public, expires_at=until, token=token)
    return f"/f/{token}"


@contextmanager
def questionnaire(file: Path) -> Iterator[str]:
    """Serve the box; gives the address."""
    command = [sys.executable, "-m", "mbc", "questionnaire", "--box", str(file), "--port", "0"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        address = re.search(r"http://[\d.:]+\d", running.stdout.readline() if running.stdout else "")
        if address is None:
            raise SystemExit("The questionnaire did not start.")
        yield address[0]
    finally:
        running.terminate()
        running.wait(timeout=60)


def screens(browser: Browser, link: str) -> list[Image.Image]:
    """Take the greeting, a question that was answered, and the look at everything before it is sent."""
    context = browser.new_context(viewport=PHONE, java_script_enabled=False, color_scheme="light")
    page = context.new_page()
    taken: list[Image.Image] = []

    def take() -> None:
        taken.append(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))

    page.goto(link)
    take()
    page.locator("main form button.main").click()
    for place, value in enumerate(ANSWERS):
        page.wait_for_url(f"**/{place + 1}")
        page.locator("button[name=value]").nth(value).click()
    page.locator("button[name=blank]").click()
    page.wait_for_url("**/review")
    review = page.url
    page.goto(review.replace("review", "2"))
    take()
    page.goto(review)
    take()
    context.close()
    return taken


def side_by_side(images: list[Image.Image]) -> Image.Image:
    """Put screens next to each other, in few colours."""
    width = sum(image.width for image in images) + GAP * (len(images) - 1)
    strip = Image.new("RGB", (width, images[0].height), "#8b949e")
    left = 0
    for image in images:
        strip.paste(image, (left, 0))
        left += image.width + GAP
    return strip.quantize(48, dither=Image.Dither.NONE)


def main() -> None:
    """Make all pictures again."""
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        raise SystemExit("There is no Chromium here: sh scripts/chromium.sh")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "clinic.box"
        with closing(Box(file)) as box:
            links = {language: put(box, language) for language in LANGUAGES}
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        with questionnaire(file) as address:
            for language, path in links.items():
                strip = side_by_side(screens(browser, address + path))
                strip.save(FOLDER / f"phone-{language}.png", optimize=True)
        browser.close()
    print(f"{len(LANGUAGES)} pictures in {FOLDER}")


if __name__ == "__main__":
    main()
