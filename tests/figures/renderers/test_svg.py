"""What is printed: well-formed, the same every time, in ink, with words that a screen reader reads."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from mbc.errors import FigureError
from mbc.figures import Figure
from mbc.figures.drawing.elements import Area, Arrow, Axis, Bars, Drawing, Panel, Rule, Series, Text
from mbc.figures.renderers.key import key_entries
from mbc.figures.renderers.svg import svg_of
from mbc.figures.renderers.text_size import width_of
from mbc.figures.theme import PALETTES, PRINT, contrast, static_palette

pytestmark = pytest.mark.long

SVG = "{http://www.w3.org/2000/svg}"
NAMES = (
    "growth", "residuals", "fitted_values", "therapist_effects", "method_agreement", "true_change",
    "dropout_sensitivity", "cumulative_incidence", "lagged_paths", "forest", "funnel", "item_rest_correlations",
    "trajectory", "goals", "outcomes", "clinician_funnel", "clinician_difference",
)  # fmt: skip
every = pytest.mark.parametrize("name", NAMES)


def read(figure: Figure, **options) -> ET.Element:
    return ET.fromstring(figure.svg(**options))


def words(tree: ET.Element) -> list[str]:
    return ["".join(text.itertext()) for text in tree.iter(f"{SVG}text")]


def test_every_picture_is_looked_at_here(drawn):
    assert set(drawn) == set(NAMES)


@every
def test_it_has_a_title_and_a_description_for_a_screen_reader(drawn, name):
    tree = read(drawn[name])
    title, description = tree.find(f"{SVG}title"), tree.find(f"{SVG}desc")
    assert tree.get("role") == "img"
    assert tree.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert title.text == drawn[name].title != ""
    assert description.text == drawn[name].caption != ""


@every
def test_nothing_comes_from_outside_and_nothing_runs(drawn, name):
    text = drawn[name].svg()
    assert re.findall(r"https?://[^\"' ]+", text) == ["http://www.w3.org/2000/svg"]
    tags = {element.tag.removeprefix(SVG) for element in ET.fromstring(text).iter()}
    assert tags <= {
        "svg", "title", "desc", "g", "rect", "clipPath", "path", "line", "circle", "polygon", "text", "tspan",
    }  # fmt: skip
    assert not re.search(r"\bon\w+=|href|@import|url\((?!#)", text)


@every
def test_the_same_figure_has_the_same_bytes(drawn, name):
    assert drawn[name].svg() == Figure(drawn[name].drawing).svg()


@pytest.mark.long
def test_the_bytes_do_not_depend_on_the_run():
    code = (
        "from mbc import figures, models\n"
        "rates = {'A': models.wilson_interval(8, 10), 'B': models.wilson_interval(20, 40)}\n"
        "made = figures.forest(rates).svg() + figures.funnel(rates).svg()"
    )
    here: dict[str, str] = {}
    exec(code, here)
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"  # another than here
    there = subprocess.run(
        [sys.executable, "-c", f"{code}\nprint(made)"],
        env={"PYTHONHASHSEED": seed, "PATH": ""},
        capture_output=True,
        check=True,
    )
    assert there.stdout.decode().removesuffix("\n") == here["made"]


@every
def test_on_paper_there_is_ink_alone(drawn, name):
    colours = set(re.findall(r'(?:fill|stroke)="(#\w+)"', drawn[name].svg()))
    assert colours
    assert all(colour[1:3] == colour[3:5] == colour[5:7] for colour in colours)


@every
def test_what_shares_a_key_differs_without_colour(drawn, name):
    looks: dict[object, str] = {}
    for entry in key_entries(drawn[name].drawing):
        mark = entry.mark
        if entry.group == "below":  # each has a letter, and the letter stands at the mark
            continue
        if isinstance(mark, Area):
            look: object = ("area", round(mark.opacity, 1), mark.edge, mark.hatch)
        elif isinstance(mark, Series):
            # Lines of one dash must differ by more than twice in width to be distinguished.
            look = ("series", mark.dash, mark.symbols[:1], mark.dash and round(mark.width / 1.6))
        else:
            look = ("rule", mark.dash, round(mark.width))
        assert look not in looks, f"{entry.name!r} looks like {looks.get(look)!r}"
        looks[look] = entry.name


def test_ink_reaches_the_contrast_of_text_and_of_graphics():
    assert contrast(PRINT.ink, PRINT.paper) == 21.0
    for role in ("score", "cutoff", "goal", "course", "quiet", "growth", "hard", "neutral"):
        assert contrast(getattr(PRINT, role), PRINT.paper) >= 4.5


@every
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_themes_of_the_pages_use_their_palettes(drawn, name, theme):
    colours = set(re.findall(r'(?:fill|stroke)="(#\w+)"', drawn[name].svg(theme=theme)))
    known = {getattr(PALETTES[theme], role) for role in PALETTES[theme].__slots__}
    assert colours <= known
    assert PALETTES[theme].paper in colours


@every
def test_all_of_it_lies_on_the_paper(drawn, name):
    tree = read(drawn[name])
    width, height = float(tree.get("width")), float(tree.get("height"))
    for circle in tree.iter(f"{SVG}circle"):
        assert 0 <= float(circle.get("cx")) <= width
        assert 0 <= float(circle.get("cy")) <= height
    for text in tree.iter(f"{SVG}text"):
        assert 0 <= float(text.get("x")) <= width
        assert 0 <= float(text.get("y")) <= height


@every
def test_every_tick_every_key_and_every_word_is_text(drawn, name):
    drawing, written = drawn[name].drawing, words(read(drawn[name]))
    shown = [entry.name for entry in key_entries(drawing)]
    for panel in drawing.panels:
        for axis in (panel.x, panel.y):
            shown += [label for _, label in axis.ticks] + [axis.title] if axis.visible else []
        shown += [mark.text for mark in panel.marks if isinstance(mark, Text)]
    plain = [re.sub(r"<br>|</?b>", "", text).replace("&amp;", "&") for text in shown if text]
    assert [text for text in plain if text not in written] == []


X, Y = Axis(0, 10, ticks=((0, "0"), (10, "10"))), Axis(0, 20, ticks=((0, "a"), (20, "b")))


def simple(*marks) -> str:
    return svg_of(Drawing("Title", "Caption", (Panel(X, Y, marks),)), static_palette("print"))


def tick_places(tree: ET.Element, vertical: bool) -> list[float]:
    ends = ("y1", "y2") if vertical else ("x1", "x2")
    other = ("x1", "x2") if vertical else ("y1", "y2")
    return sorted(
        float(line.get(ends[0]))
        for line in tree.iter(f"{SVG}line")
        if line.get(ends[0]) == line.get(ends[1])
        and abs(float(line.get(other[0])) - float(line.get(other[1]))) == 4
    )


def test_a_value_lies_where_the_ticks_say():
    tree = ET.fromstring(simple(Series((2.5,), (15.0,), "Score", dash=None, symbols=("circle",), key=False)))
    (circle,) = tree.iter(f"{SVG}circle")
    left, right = tick_places(tree, vertical=False)
    top, foot = tick_places(tree, vertical=True)
    assert float(circle.get("cx")) == pytest.approx(left + 0.25 * (right - left), abs=0.02)
    assert float(circle.get("cy")) == pytest.approx(foot - 0.75 * (foot - top), abs=0.02)


def test_a_gap_leaves_the_line_open():
    drawing = simple(Series((0, 1, None, 3, 4), (1, 2, None, 3, 4), "Score", key=False))
    (path,) = re.findall(r'd="(M[^"]+)" fill="none"', drawing)
    assert path.count("M") == 2


def test_steps_go_across_before_they_go_up():
    drawing = simple(Series((0, 5, 10), (0, 10, 20), "Score", key=False, interpolation="hv"))
    (path,) = re.findall(r'd="(M[^"]+)" fill="none"', drawing)
    assert re.fullmatch(r"M[\d. ]+(H[\d.]+L[\d. ]+){2}", path)


def test_a_point_outside_the_axes_is_not_drawn_over_the_margin():
    assert "<circle" not in simple(Series((11.0,), (5.0,), "Score", dash=None, symbols=("circle",), key=False))


def test_error_bars_reach_from_the_lower_to_the_upper_limit_and_stop_at_the_axis():
    series = Series(
        (5.0,), (10.0,), "x", dash=None, symbols=("square",), bars=Bars((2.5,), (99.0,), "x"), key=False
    )
    tree = ET.fromstring(simple(series))
    left, right = tick_places(tree, vertical=False)
    path = next(p.get("d") for p in tree.iter(f"{SVG}path") if "v6" in p.get("d"))
    start, end = map(float, re.match(r"M([\d.]+) [\d.]+H([\d.]+)", path).groups())
    assert (start, end) == (pytest.approx(left + (right - left) / 4, abs=0.02), pytest.approx(right, abs=0.02))


def test_words_are_shown_and_not_obeyed():
    drawing = svg_of(
        Drawing("&lt;script&gt;", "a &amp; b", (Panel(Axis(0, 1), Axis(0, 1), (Text(0, 0, "&lt;b&gt;x"),)),)),
        static_palette("print"),
    )
    tree = ET.fromstring(drawing)
    assert tree.find(f"{SVG}title").text == "<script>"
    assert tree.find(f"{SVG}desc").text == "a & b"
    assert "<b>x" in words(tree)


def test_two_figures_on_a_page_share_no_identifier(drawn):
    ids = [re.findall(r'id="(\w+)"', figure.svg()) for figure in drawn.values()]
    flat = [one for own in ids for one in own]
    assert len(flat) == len(set(flat))


def test_every_mark_is_in_the_picture():
    corners = ((0, 5, 5, 0), (0, 0, 5, 5))
    drawing = simple(
        Area(*corners, "Band", edge="dot"),
        Area(*corners, "Hatch", hatch=True),
        Rule(5, "y", "Line", label="at five"),
        Arrow((0, 5), (0, 10), "Path"),
        Series((1.0, 2.0), (1.0, 2.0), "Star", dash=None, symbols=("star",)),
    )
    written = words(ET.fromstring(drawing))
    assert {"Band", "Hatch", "Line", "at five", "Path", "Star"} <= set(written)
    assert drawing.count("<polygon") == 2 + 1 + 1  # two stars, the head of the arrow, the star of the key


@pytest.mark.parametrize(
    "symbol", ["circle", "square", "diamond", "triangle-up", "triangle-down", "star", "cross"]
)
def test_each_symbol_is_a_shape_of_about_its_size(symbol):
    tree = ET.fromstring(simple(Series((5.0,), (10.0,), "x", dash=None, symbols=(symbol,), size=10, key=False)))
    for polygon in tree.iter(f"{SVG}polygon"):
        places = [tuple(map(float, pair.split(","))) for pair in polygon.get("points").split()]
        assert 9 <= max(x for x, _ in places) - min(x for x, _ in places) <= 15
        assert 9 <= max(y for _, y in places) - min(y for _, y in places) <= 15


def test_a_figure_is_drawn_for_the_width_of_a_column(drawn):
    tree = read(drawn["growth"], width=85, height=70)
    assert float(read(drawn["growth"], width=85).get("height")) > drawn["growth"].drawing.height  # a longer key
    assert float(tree.get("width")) == pytest.approx(85 / 25.4 * 96, abs=0.01)
    assert float(tree.get("height")) == pytest.approx(70 / 25.4 * 96, abs=0.01)
    assert 'font-size="12"' in drawn["growth"].svg(width=85)


@pytest.mark.parametrize("width", [0, -3, 10, float("nan"), float("inf")])
def test_a_size_that_nobody_can_read_is_refused(drawn, width):
    with pytest.raises(FigureError, match="width must be"):
        drawn["growth"].svg(width=width)


@pytest.mark.parametrize(
    "name", ["growth", "dropout_sensitivity", "cumulative_incidence", "funnel", "true_change"]
)
def test_titles_are_broken_where_a_column_is_narrow(drawn, name):
    figure = drawn[name]
    tree = read(figure, width=85)
    for text in tree.iter(f"{SVG}text"):
        if text.get("text-anchor") == "middle" and text.get("font-size") == "13":
            lines = [text.text or "", *("".join(part.itertext()) for part in text.iter(f"{SVG}tspan"))]
            assert max(width_of(line.replace("<", "&lt;"), 13) for line in lines if line) < 330
    shown = " ".join(words(tree))
    assert all(word in shown for panel in figure.drawing.panels for word in panel.x.title.split())
