"""What the tests ask a page, in the page's own language."""

from __future__ import annotations

from playwright.sync_api import Page


def drawn(page: Page) -> None:
    """Wait until the first chart of a client is drawn."""
    page.locator("#chart-rses-total .scatterlayer").first.wait_for()  # at once; expect looks ever more seldom


# The scores of one chart, as the drawing holds them.
SCORES = """(anchor) => {
  const drawing = document.querySelector(`#${anchor} .js-plotly-plot`);
  const trace = drawing.data.find((trace) => trace.meta.role === "score");
  return { x: [...trace.x], y: [...trace.y] };
}"""

# Whether a chart's score axis runs downwards.
TURNED = """(anchor) => {
  const [low, high] = document.querySelector(`#${anchor} .js-plotly-plot`).layout.yaxis.range;
  return low > high;
}"""

# Pixels by which the page is wider than its window.
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"

UPRIGHT, ON_ITS_SIDE = 703, 1032  # pixels between the margins of A4


def fits_on_paper(page: Page, width: int) -> None:
    page.emulate_media(media="print")
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate(OVERFLOW) <= 0
    wide = "() => [...document.querySelectorAll('main table')].filter((t) => t.scrollWidth > innerWidth).length"
    assert page.evaluate(wide) == 0
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 1440, "height": 900})


# The words that are seen of a page without scrolling: texts with a letter, drawings left out.
WORDS = """() => {
  const words = [];
  const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (element.closest("svg, script, noscript, .unseen, dialog:not([open])")) continue;
    if (!element.checkVisibility()) continue;
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    const box = range.getBoundingClientRect();
    if (box.width === 0 || box.bottom <= 0 || box.top >= window.innerHeight) continue;
    if (getComputedStyle(element).clipPath !== "none") continue;
    words.push(...walker.currentNode.textContent.split(/\\s+/).filter((word) => /[a-z]/i.test(word)));
  }
  return words;
}"""

KEPT = "() => [Object.keys(localStorage), Object.keys(sessionStorage)]"

# Every visible text whose contrast with what is behind it is below WCAG 2.2 AA (1.4.3). Drawings are left out:
# their inks are tested where they are defined.
FAINT = """() => {
  const parse = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (top, under) => ({
    r: top.r * top.a + under.r * (1 - top.a), g: top.g * top.a + under.g * (1 - top.a),
    b: top.b * top.a + under.b * (1 - top.a), a: 1,
  });
  const behind = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour.a > 0) layers.push(colour);
      if (colour.a === 1) break;
    }
    return layers.reverse().reduce((under, top) => over(top, under), { r: 255, g: 255, b: 255, a: 1 });
  };
  const light = ({ r, g, b }) => {
    const part = (c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!text || element.closest("svg, script, noscript, .unseen, .skip") || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const back = behind(element);
    const [one, other] = [light(over(parse(style.color), back)), light(back)].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) faint.push(`${ratio.toFixed(2)} ${style.color} "${text.slice(0, 40)}"`);
  }
  return [...new Set(faint)];
}"""

MOVING = """() => document.getAnimations()
  .filter((one) => one.playState === "running" && one.effect.getTiming().duration > 1).length"""

# Controls that a screen reader would call by no name.
NAMELESS_ROLES = frozenset(
    {"button", "link", "textbox", "switch", "radio", "combobox", "checkbox", "img", "region", "table"}
)
