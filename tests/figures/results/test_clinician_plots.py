"""The clinicians' funnel: its marks are the numbers of the result, alike for everybody; one's own are rounded."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from scipy.stats import norm

from mbc import figures
from mbc.errors import FigureError
from mbc.figures.drawing.elements import Series
from mbc.figures.results.clinician_plots import CLINICIANS
from scripts.figure_pictures import clinician_comparison, own_comparison


@pytest.fixture(scope="module")
def compared():
    return clinician_comparison()


def test_the_marks_are_the_numbers_of_the_result_in_the_order_of_identifiers(compared):
    figure = figures.clinician_funnel(compared)
    (series,) = figure.drawing.series(CLINICIANS)
    table = compared.to_frame()
    assert table["clinician_id"].to_list() == sorted(table["clinician_id"])
    assert list(series.x) == table["measured"].to_list()
    assert list(series.y) == table["difference"].to_list()
    (trace,) = [trace for trace in figure.plotly().data if trace.name == CLINICIANS]
    assert list(trace.y) == table["difference"].to_list()


def test_the_limits_are_those_of_the_table_at_each_number_of_clients(compared):
    within, beyond = compared.expectation.model.within, compared.beyond_chance
    assert beyond > 0
    for line in compared.lines:
        expected = [norm.ppf(0.5 + level / 2) * math.sqrt(within / line.difference.clients + beyond)
                    for level in (0.95, 0.998)]  # fmt: skip
        assert compared.limits_at(line.difference.clients) == pytest.approx(expected)
        assert line.limits == pytest.approx(expected)
    drawing = figures.clinician_funnel(compared).drawing
    for level, name in enumerate(("95 % limits", "99.8 % limits")):
        upper, lower = drawing.series(name)
        assert upper.y == pytest.approx([compared.limits_at(size)[level] for size in upper.x])
        assert lower.y == pytest.approx([-value for value in upper.y])
        assert upper.dash != "solid"
    assert drawing.series("95 % limits")[0].dash != drawing.series("99.8 % limits")[0].dash


def test_every_clinician_has_the_same_mark_and_a_rounded_hover_text(compared):
    (series,) = figures.clinician_funnel(compared).drawing.series(CLINICIANS)
    assert (len(series.symbols), series.colours, series.colour) == (1, (), "ink")
    line = compared.lines[0]
    assert series.hover[0] == (
        f"{line.clinician_id}: {line.difference.clients} measured clients, difference "
        f"{line.difference.difference:+.1f}"
    )
    assert set(series.labels) <= {"", *(line.clinician_id for line in compared.lines)}


def test_the_caption_says_what_the_limits_are_and_ranks_nobody(compared):
    caption = figures.clinician_funnel(compared).caption
    assert "allow for over-dispersion" in caption
    assert "They are not ranked." in caption
    assert "over-dispersion is judged from 10" in figures.clinician_funnel(clinician_comparison(6)).caption
    assert all(line.clinician_id in caption for line in compared.lines)


def test_labels_do_not_cover_each_other(compared):
    lines = tuple(replace(compared.lines[0], clinician_id=f"K{i}") for i in range(3))
    (series,) = figures.clinician_funnel(replace(compared, lines=lines)).drawing.series(CLINICIANS)
    assert [label for label in series.labels if label] in ([], ["K0"])


def test_ones_own_values_are_rounded_as_they_are_shown():
    own = own_comparison()
    figure = figures.clinician_difference(own)
    each = own.lines[0].difference
    for place, (name, value, lower, upper) in enumerate((
        ("Difference", each.difference, each.lower, each.upper),
        ("Shrunken", each.shrunken, each.shrunken_lower, each.shrunken_upper),
    )):  # fmt: skip
        (series,) = figure.drawing.series(name)
        assert (series.x, series.y) == ((round(value, 1),), (place,))
        assert (series.bars.lower, series.bars.upper) == ((round(lower, 1),), (round(upper, 1),))
    numbers = [value for panel in figure.drawing.panels for mark in panel.marks if isinstance(mark, Series)
               for value in mark.x]  # fmt: skip
    assert all(value == round(value, 1) for value in numbers)
    assert f"{each.clients} of {own.lines[0].finished} finished clients were measured" in figure.caption


def test_without_a_spread_between_clinicians_the_shrunken_difference_has_no_bar():
    own = own_comparison()
    alone = replace(own.lines[0].difference, shrunken=0.0, shrunken_lower=None, shrunken_upper=None)
    figure = figures.clinician_difference(replace(own, lines=(replace(own.lines[0], difference=alone),)))
    assert figure.drawing.series("Shrunken")[0].bars is None
    assert "do not differ by more than chance" in figure.caption
    assert figure.svg().startswith("<svg")


def test_ones_own_line_has_no_funnel_and_a_list_is_not_ones_own(compared):
    with pytest.raises(FigureError, match="clinician_difference"):
        figures.clinician_funnel(own_comparison())
    with pytest.raises(FigureError, match="clinician_funnel"):
        figures.clinician_difference(compared)
    with pytest.raises(FigureError, match="No clinician has 20 measured clients"):
        figures.clinician_funnel(replace(compared, lines=()))
