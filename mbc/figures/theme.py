"""Which colours, dashes and marker shapes a figure is drawn with, on a light and on a dark page.

Okabe & Ito's palette, which people with any colour vision can distinguish; on each page the members whose contrast
with the background is at least 3:1 are used for lines, and the ink (at least 4.5:1) for every text. Meaning is
never carried by colour alone: each role also has its own dash, marker or label.

References
----------
.. [1] Okabe & Ito (2008), Color Universal Design, https://jfly.uni-koeln.de/color/.
.. [2] W3C, WCAG 2.2, success criteria 1.4.3 and 1.4.11: contrast of text 4.5:1, of graphics 3:1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Theme = Literal["light", "dark"]
StaticTheme = Literal["print", "light", "dark"]

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one page; every one is an sRGB hex string."""

    paper: str
    ink: str  # text
    quiet: str  # axis lines, ticks, the edges of the noise band
    grid: str  # decoration only
    score: str
    noise: str  # fill of the noise band; its edges carry the contrast
    cutoff: str
    goal: str
    course: str
    growth: str
    hard: str
    neutral: str


PALETTES: dict[Theme, Palette] = {
    "light": Palette(
        paper="#ffffff",
        ink="#1f2328",
        quiet="#6b7280",
        grid="#e5e7eb",
        score="#0072b2",
        noise="rgba(107,114,128,0.14)",
        cutoff="#d55e00",
        goal="#009e73",
        course="#cc79a7",
        growth="#009e73",
        hard="#d55e00",
        neutral="#6b7280",
    ),
    "dark": Palette(
        paper="#242424",
        ink="#f1f3f5",
        quiet="#a6adb4",
        grid="#3a3d41",
        score="#56b4e9",
        noise="rgba(173,181,189,0.16)",
        cutoff="#e69f00",
        goal="#009e73",
        course="#cc79a7",
        growth="#009e73",
        hard="#e69f00",
        neutral="#a6adb4",
    ),
}

# Ink alone, for printers and journals: what shares a chart differs by dash, marker or label on every page.
PRINT = Palette(
    paper="#ffffff",
    ink="#000000",
    quiet="#595959",
    grid="#d9d9d9",
    score="#000000",
    noise="rgba(89,89,89,0.14)",
    cutoff="#333333",
    goal="#333333",
    course="#595959",
    growth="#333333",
    hard="#333333",
    neutral="#595959",
)


def static_palette(theme: StaticTheme) -> Palette:
    """Choose the palette of a static figure.

    Examples
    --------
    >>> static_palette("print").score
    '#000000'
    """
    return PRINT if theme == "print" else PALETTES[theme]


def contrast(colour: str, background: str) -> float:
    """Contrast ratio of two sRGB colours, 1 to 21 (WCAG 2.2, relative luminance).

    Examples
    --------
    >>> contrast("#000000", "#ffffff")
    21.0
    >>> contrast("#777777", "#ffffff") < 4.5
    True
    """
    lighter, darker = sorted((_luminance(colour), _luminance(background)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
