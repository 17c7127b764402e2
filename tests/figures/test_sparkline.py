"""A sparkline is a picture with words, and leaves gaps open."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mbc.figures import sparkline_svg

SVG = "{http://www.w3.org/2000/svg}"
points = st.lists(st.none() | st.floats(0, 30), max_size=30)


def read(drawing: str) -> ET.Element:
    return ET.fromstring(drawing)


def test_its_label_is_its_name_for_a_screen_reader():
    drawing = read(sparkline_svg([1, 2], label="2, 1 point better"))
    assert (drawing.get("role"), drawing.get("aria-label")) == ("img", "2, 1 point better")
    assert drawing.find(f"{SVG}title").text == "2, 1 point better"


def test_a_missing_score_leaves_the_line_open():
    drawing = read(sparkline_svg([1, 2, None, 3, 4], label="x"))
    assert len(drawing.findall(f"{SVG}polyline")) == 2


def test_a_lone_score_is_a_dot():
    drawing = read(sparkline_svg([1, None, 3, 4], label="x"))
    assert len(drawing.findall(f"{SVG}polyline")) == 1
    assert len(drawing.findall(f"{SVG}circle")) == 2  # the lone one, and the latest


@pytest.mark.parametrize(("up", "rises"), [(True, True), (False, False)])
def test_lower_is_better_can_be_turned(up, rises):
    line = read(sparkline_svg([0, 30], label="x", bounds=(0, 30), better_is_up=up)).find(f"{SVG}polyline")
    (_, first), (_, last) = (map(float, spot.split(",")) for spot in line.get("points").split())
    assert (last < first) == rises  # y counts downwards


def test_words_are_escaped():
    assert read(sparkline_svg([1], label='"><script>')).get("aria-label") == '"><script>'


@given(points, st.booleans())
def test_every_point_lies_inside_the_picture(scores, up):
    drawing = read(sparkline_svg(scores, label="x", bounds=(0, 30), better_is_up=up, width=100, height=20))
    for line in drawing.findall(f"{SVG}polyline"):
        for spot in line.get("points").split():
            x, y = map(float, spot.split(","))
            assert 0 <= x <= 100
            assert 0 <= y <= 20
