"""Colours of the client's page: drawn for a light page, exchanged for their counterparts on a dark one.

Every colour of these charts is one of a few named ones, and no two names share a colour on the light page: so the
browser can change the theme without asking the server (`dark_for_light`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from mbc.figures.theme import PALETTES, Theme


@dataclass(frozen=True, slots=True)
class PageColours:
    """The colours of one theme."""

    paper: str
    ink: str  # text
    quiet: str  # axis lines and secondary text
    grid: str
    score: str
    fan: str  # fill of the likely end
    noise: str  # fill of the measurement band
    severity: str  # fill of every second band of severity
    expected: str
    cutoff: str
    goal: str
    relationship: str  # fill of a relationship on the timeline
    hatch: str  # where a questionnaire is not asked
    lowest: str  # cell of the lowest answer of an item; its number stands on it in ink
    highest: str  # ... of the highest


PAGE_COLOURS: dict[Theme, PageColours] = {
    "light": PageColours(
        paper=PALETTES["light"].paper,
        ink=PALETTES["light"].ink,
        quiet="#57606a",
        grid=PALETTES["light"].grid,
        score=PALETTES["light"].score,
        fan="rgba(0,114,178,0.22)",
        noise=PALETTES["light"].noise,
        severity="rgba(107,114,128,0.07)",
        expected="#8a3b73",
        cutoff="#b34700",
        goal="#00664a",
        relationship="#cfe3f2",
        hatch=PALETTES["light"].quiet,
        lowest="#eef4f9",
        highest="#7db8da",
    ),
    "dark": PageColours(
        paper=PALETTES["dark"].paper,
        ink=PALETTES["dark"].ink,
        quiet=PALETTES["dark"].quiet,
        grid=PALETTES["dark"].grid,
        score=PALETTES["dark"].score,
        fan="rgba(86,180,233,0.28)",
        noise=PALETTES["dark"].noise,
        severity="rgba(173,181,189,0.09)",
        expected="#e0a3cb",
        cutoff="#ffb86b",
        goal="#4fd1a5",
        relationship="#2f4a60",
        hatch="#8b949e",
        lowest="#2c3238",
        highest="#23648f",
    ),
}
LIGHT = PAGE_COLOURS["light"]


def dark_for_light() -> dict[str, str]:
    """Give, for every colour of the light page, the one that stands for it on the dark page.

    Examples
    --------
    >>> dark_for_light()["#0072b2"]
    '#56b4e9'
    """
    dark = asdict(PAGE_COLOURS["dark"])
    return {colour: dark[name] for name, colour in asdict(LIGHT).items()}
