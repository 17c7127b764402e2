"""Make the pictures of docs/pages.md: every page of the web app, light and dark, and on a phone, from the demo.

Run by ``make pictures``. The demo is started, each role signs in, and Chromium takes the pictures.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images" / "pages"
START_FOLDER = FOLDER.parent / "start"
PASSWORD = "harbour-saffron-meadow-ember"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable")
CLIENT = "/client/D-DOWN-THEN-UP"
DESK: ViewportSize = {"width": 1280, "height": 860}
PHONE: ViewportSize = {"width": 390, "height": 844}
Theme = Literal["light", "dark"]
VERSIONS: tuple[tuple[str, ViewportSize, Theme], ...] = (
    ("", DESK, "light"), ("-dark", DESK, "dark"), ("-phone", PHONE, "light"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as one of its users sees it."""

    name: str  # of the file
    user: str | None  # of the demo; None: nobody is signed in
    path: str
    phone: bool = False  # is there a picture of a phone too
    press: str = ""  # what is pressed before the picture is taken
    part: str = ""  # what the picture is of, where it is not the first screen


PICTURES = (
    Picture("sign-in", None, "/sign-in", phone=True),
    Picture("caseload", "marten", "/caseload", phone=True),
    Picture("client", "marten", CLIENT, phone=True),
    Picture("client-enlarged", "marten", CLIENT, press="#chart-rses-total button"),
    Picture("record", "marten", f"{CLIENT}/record", phone=True),
    Picture("signal", "marten", "/client/D-NOT-ON-TRACK", phone=True, press="section.signal a.button"),
    Picture("send", "marten", f"{CLIENT}/send", phone=True),
    Picture("new-client", "marten", "/new-client"),
    Picture("outcomes", "marten", "/outcomes"),
    Picture("other-records", "marten", "/other-records"),
    Picture("my-account", "marten", "/account"),
    Picture("compared", "adeyemi", "/outcomes/rses", phone=True, part="#compared"),
    Picture("clinicians", "supervisor", "/outcomes/rses", part="#compared"),
    Picture("to-review", "lead", "/to-review"),
    Picture("outcomes-analyst", "analyst", "/outcomes"),
    Picture("cohort", "researcher", "/cohort"),
    Picture("accounts", "admin", "/accounts"),
    Picture("account", "admin", "/accounts/marten"),
    Picture("caseloads", "admin", "/caseloads"),
    Picture("audit-log", "admin", "/audit-log"),
    Picture("erasure", "admin", "/erasure"),
    Picture("settings", "admin", "/settings", phone=True),
)


FIRST_STEPS = Picture("first-steps", "ann", "/caseload", phone=True)  # of a record that has just been made
DEMO, OWN = ("demo",), ("start", "--name", "ann", "--plain", "--no-browser")


@contextmanager
def served(folder: str, words: tuple[str, ...]) -> Iterator[str]:
    """Run the demo or a record of one's own; gives its address."""
    running = subprocess.Popen(
        [sys.executable, "-m", "mbc", *words, "--port", "0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "MBC_PASSWORD": PASSWORD, "TMPDIR": folder, "MBC_FOLDER": f"{folder}/own"},
    )
    try:
        for line in running.stdout or ():
            if address := re.search(r"http://[\d.:]+\d", line):
                yield address[0]
                return
        raise SystemExit("The pages did not start.")
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(timeout=60)


def visit(
    browser: Browser, address: str, user: str | None, window: ViewportSize, theme: Theme, density: float = 1
) -> Page:
    """Open a window, and sign in."""
    context = browser.new_context(
        base_url=address, viewport=window, color_scheme=theme, reduced_motion="reduce", device_scale_factor=density
    )
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto("/sign-in")
    if user is not None:
        page.get_by_label("User name").fill(user)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", level=1).wait_for()
    return page


def take(
    page: Page, picture: Picture, file: Path, *, whole: bool, before: Callable[[Page], None] | None = None
) -> None:
    """Open a page, do what is to be done ``before``, and write its picture, in few colours."""
    answer = page.goto(picture.path)
    if answer is None or not answer.ok:
        raise SystemExit(f"{picture.path} answered {answer.status if answer else 'nothing'} to {picture.user}.")
    page.get_by_role("heading", level=1).wait_for()
    page.wait_for_load_state("networkidle")
    if picture.press:
        page.locator(picture.press).first.press("Enter")
    page.wait_for_timeout(1200)  # charts are drawn
    if before is not None:
        before(page)
    picture_bytes = page.locator(picture.part).screenshot() if picture.part else page.screenshot(full_page=whole)
    image = Image.open(io.BytesIO(picture_bytes)).convert("RGB")
    if image.height > 1700:  # the first screens of a phone say enough
        image = image.crop((0, 0, image.width, 1700))
    image.quantize(96, dither=Image.Dither.NONE).save(file, optimize=True)


def main() -> None:
    """Make all pictures again."""
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        raise SystemExit("There is no Chromium here: sh scripts/chromium.sh")
    FOLDER.mkdir(parents=True, exist_ok=True)
    START_FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        with served(folder, OWN) as address:
            take_all(browser, address, (FIRST_STEPS,), START_FOLDER)
        if "--first-steps" not in sys.argv[1:]:
            for old in FOLDER.glob("*.png"):
                old.unlink()
            with served(folder, DEMO) as address:
                take_all(browser, address, PICTURES, FOLDER)
        browser.close()
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER}")


def take_all(browser: Browser, address: str, pictures: tuple[Picture, ...], folder: Path) -> None:
    """Take pictures of one server's pages, light, dark and on a phone."""
    for user, of_user in groupby(pictures, key=lambda picture: picture.user):
        chosen = list(of_user)
        for suffix, window, theme in VERSIONS:
            wanted = [picture for picture in chosen if suffix != "-phone" or picture.phone]
            if not wanted:
                continue
            page = visit(browser, address, user, window, theme)
            for picture in wanted:
                take(page, picture, folder / f"{picture.name}{suffix}.png", whole=suffix == "-phone")
            page.context.close()


if __name__ == "__main__":
    main()
