"""Colours reach the contrast that WCAG 2.2 asks for, on both pages."""

from __future__ import annotations

import pytest

from mbc.figures.theme import PALETTES, contrast

OKABE_ITO = {"#000000", "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7"}
LINES = ("score", "cutoff", "goal", "course", "growth", "hard", "neutral", "quiet")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("role", LINES)
def test_lines_and_markers_reach_three_to_one(theme, role):
    palette = PALETTES[theme]
    assert contrast(getattr(palette, role), palette.paper) >= 3  # success criterion 1.4.11


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_reaches_four_and_a_half_to_one(theme):
    assert contrast(PALETTES[theme].ink, PALETTES[theme].paper) >= 4.5  # success criterion 1.4.3


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("role", ["score", "cutoff", "goal", "course"])
def test_lines_are_of_the_okabe_ito_palette(theme, role):
    assert getattr(PALETTES[theme], role) in OKABE_ITO


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#ffffff", "#000000", 21.0),
        ("#767676", "#ffffff", 4.54),
        ("#777777", "#ffffff", 4.48),
    ],
)
def test_contrast_is_that_of_the_w3c(one, other, ratio):
    # #767676 is the lightest grey that passes on white, #777777 the first that does not
    assert contrast(one, other) == pytest.approx(ratio, abs=0.005)
    assert contrast(one, other) == contrast(other, one)
