"""Make the pictures of the circle: a link, the client's answers, the chart, the sheet; one by one and as a strip.

Run by ``make pictures``. One client of the demo is really asked, and answers; docs/index.md has them one by one,
README.md the strip.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pypdfium2
from page_pictures import CHROMIUM, CLIENT, Theme, served, visit
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Browser, FloatRect, Locator, Page, ViewportSize, sync_playwright

from mbc.cli.demo import last_day

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images" / "circle"
STRIP = "strip.png"
STEPS = {  # file -> what stands above it in the strip
    "send": "1  A link or a QR code",
    "answer": "2  The client answers",
    "look-over": "3  They check and send",
    "chart": "4  You see the course",
    "sheet": "5  A page to take home",
}
USER = "marten"
THEMES: tuple[tuple[str, Theme], ...] = (("", "light"), ("-dark", "dark"))
EARLIER = (  # the client's check-ins of the weeks before, the latest last
    (1, 1, 1, 1, 1, 3, 1, 2), (2, 1, 1, 1, 1, 3, 1, 2), (1, 1, 0, 1, 1, 3, 1, 2), (2, 2, 1, 1, 2, 3, 2, 2),
    (2, 1, 1, 2, 2, 2, 2, 3), (1, 2, 1, 2, 2, 3, 2, 2), (2, 2, 2, 2, 2, 2, 2, 3), (3, 2, 2, 2, 2, 2, 3, 3),
)  # fmt: skip
TODAY = (3, 3, 2, 3, 2, 1, 3, 3)  # places of the answers that are pressed
SHOWN = 1  # the question of which there is a picture
WIDTH, HEIGHT, DENSITY = 390, 650, 2
WINDOW: ViewportSize = {"width": WIDTH, "height": 844}
GAP, HEAD = 24, 60


def mbc(*words: str) -> None:
    """Run a command on the record."""
    subprocess.run([sys.executable, "-m", "mbc", *words], check=True, stdout=subprocess.DEVNULL)


def answer_before(folder: Path, url: str) -> None:
    """Have the client answer in the weeks before, so that there is a course to see."""
    file, day = folder / "checkin.csv", last_day(url)
    with file.open("w", newline="") as opened:
        rows = csv.writer(opened)
        rows.writerow(["client_id", "date", *(f"checkin_{n}" for n in range(1, len(EARLIER[0]) + 1))])
        for weeks, answers in zip(range(len(EARLIER), 0, -1), EARLIER, strict=True):
            rows.writerow([CLIENT.rsplit("/", 1)[1], day - dt.timedelta(weeks=weeks), *answers])
    mbc("import", str(file), "--store", url)


def cut(page: Page, top: float, end: float | None = None) -> Image.Image:
    """Take the part of a page that begins at a height; below where it is to end stands the page's own colour."""
    clip: FloatRect = {"x": 0, "y": top, "width": WIDTH, "height": HEIGHT}
    image = Image.open(io.BytesIO(page.screenshot(full_page=end is not None, clip=clip))).convert("RGB")
    below = HEIGHT * DENSITY if end is None else round((end - top) * DENSITY)
    whole = Image.new(
        "RGB", (WIDTH * DENSITY, HEIGHT * DENSITY), image.getpixel((0, min(below, image.height) - 1))
    )
    whole.paste(image.crop((0, 0, image.width, min(below, image.height))))
    return whole


def top_of(element: Locator) -> float:
    """Measure where an element begins, on the whole page."""
    return float(element.evaluate("element => element.getBoundingClientRect().top + window.scrollY"))


def bottom_of(element: Locator) -> float:
    """Measure where an element ends, on the whole page."""
    return float(element.evaluate("element => element.getBoundingClientRect().bottom + window.scrollY"))


def send(page: Page) -> tuple[Image.Image, str]:
    """Make a link; gives the page and the link."""
    page.goto(f"{CLIENT}/send")
    page.get_by_label("Weekly check-in").check()
    page.get_by_role("button", name="Make the link").click()
    page.get_by_role("heading", name="Shown once").wait_for()
    top = top_of(page.locator(".record-page")) - 12
    made = cut(page, top, bottom_of(page.locator(".record-page > .quiet-words").last) + 12)
    return made, page.locator("dl.once code").first.inner_text()


def answer(browser: Browser, link: str, theme: Theme) -> tuple[Image.Image, Image.Image]:
    """Answer on a phone and send it; gives a question, and the look before sending."""
    context = browser.new_context(
        viewport=WINDOW, device_scale_factor=DENSITY, java_script_enabled=False, color_scheme=theme
    )
    page = context.new_page()
    page.goto(link)
    page.locator("main form button.main").click()
    questions: list[Image.Image] = []
    for place, value in enumerate(TODAY):
        page.wait_for_url(f"**/{place + 1}")
        if place == SHOWN:
            questions.append(cut(page, 0, bottom_of(page.locator("button[name=blank]")) + 8))
        page.locator("button[name=value]").nth(value).click()
    page.wait_for_url("**/review")
    button = page.locator("main form button.main")
    end = bottom_of(button) + 24
    rows = [top_of(row) for row in page.locator("main li").all()]
    look_over = cut(page, min(top for top in rows if top >= end - HEIGHT), end)  # no line is cut through
    button.click()
    page.wait_for_load_state("networkidle")
    context.close()
    return questions[0], look_over


def chart(page: Page) -> Image.Image:
    """Open the client's page, which collects the answers, and enlarge the course of the check-in."""
    for _ in range(60):
        page.goto(CLIENT)
        page.wait_for_load_state("networkidle")
        page.locator("#chart-checkin-total button").first.click()
        page.locator("dialog[open] .main-svg").first.wait_for()
        page.wait_for_timeout(1200)  # it is drawn
        if not page.locator("dialog[open]").get_by_text("No forecast yet").count():
            break
    return cut(page, 0)


def sheet(folder: Path, url: str) -> Image.Image:
    """Print the summary for the client."""
    file = folder / "summary.pdf"
    day = last_day(url).isoformat()
    mbc("report", "summary", CLIENT.rsplit("/", 1)[1], "-o", str(file), "--as-of", day, "--store", url)
    with pypdfium2.PdfDocument(file) as document:
        first = document[0]
        return first.render(scale=HEIGHT * DENSITY / first.get_height()).to_pil().convert("RGB")


def strip(panels: dict[str, Image.Image]) -> Image.Image:
    """Put the pictures side by side, each below its words."""
    sizes = {name: (image.width // DENSITY, image.height // DENSITY) for name, image in panels.items()}
    width = sum(size[0] for size in sizes.values()) + GAP * (len(sizes) + 1)
    whole = Image.new("RGB", (width, HEIGHT + HEAD + GAP), "#e6ebef")
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(30)
    left = GAP
    for name, image in panels.items():
        draw.text((left, HEAD // 2), STEPS[name], fill="#1f2328", font=font, anchor="lm")
        whole.paste(image.resize(sizes[name], Image.Resampling.LANCZOS), (left, HEAD))
        draw.rectangle((left - 1, HEAD - 1, left + sizes[name][0], HEAD + sizes[name][1]), outline="#8b949e")
        left += sizes[name][0] + GAP
    return whole


def save(image: Image.Image, name: str) -> None:
    """Write a picture in few colours."""
    image.quantize(96, dither=Image.Dither.NONE).save(FOLDER / name, optimize=True)


def main() -> None:
    """Make all pictures again."""
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        raise SystemExit("There is no Chromium here: sh scripts/chromium.sh")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        url = f"sqlite:///{folder}/demo/clinic.db"
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        with served(name, ("demo", "--keep", f"{name}/demo")) as address:
            answer_before(folder, url)
            for suffix, theme in THEMES:
                page = visit(browser, address, USER, WINDOW, theme, density=DENSITY)
                made, link = send(page)
                asked = answer(browser, link, theme)
                panels = dict(zip(STEPS, (made, *asked, chart(page)), strict=False))
                page.context.close()
                for step, image in panels.items():
                    save(image, f"{step}{suffix}.png")
                if not suffix:
                    panels["sheet"] = sheet(folder, url)  # paper is white
                    save(panels["sheet"], "sheet.png")
                    save(strip(panels), STRIP)
        browser.close()
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER}")


if __name__ == "__main__":
    main()
