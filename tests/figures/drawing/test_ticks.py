"""Ticks stand at round values within the axis."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mbc.figures.drawing.elements import Axis, band, step_band
from mbc.figures.drawing.ticks import day_ticks, fixed_axis, number_axis, number_ticks, rows_axis, write_number

ends = st.tuples(st.floats(-1e6, 1e6), st.floats(0.01, 1e6)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(ends, st.integers(2, 10))
def test_number_ticks_rise_evenly_within_the_axis_and_are_no_more_than_asked_for(span, most):
    ticks = [at for at, _ in number_ticks(*span, most=most)]
    assert len(ticks) <= most + 1
    assert ticks == sorted(set(ticks))
    room = 1e-6 * (span[1] - span[0]) + 1e-9 * max(map(abs, span))
    assert all(span[0] - room <= at <= span[1] + room for at in ticks)


@given(st.floats(-100, 100), st.floats(0.1, 100), st.integers(3, 8))
def test_what_stands_at_a_tick_is_its_value(low, size, most):
    for at, label in number_ticks(low, low + size, most=most):
        assert float(label.replace("−", "-")) == pytest.approx(at, abs=1e-9)


@given(st.dates(dt.date(1990, 1, 1), dt.date(2060, 1, 1)), st.integers(1, 9000))
def test_day_ticks_lie_within_the_axis_and_the_first_has_its_year(first, days):
    low, high = first.toordinal(), first.toordinal() + days
    ticks = day_ticks(low, high)
    assert all(low <= at <= high for at, _ in ticks)
    assert len(ticks) <= 8
    if ticks:
        assert str(dt.date.fromordinal(int(ticks[0][0])).year) in ticks[0][1]


def test_a_single_value_has_an_axis_with_room():
    axis = number_axis([7.0])
    assert axis.start < 7 < axis.end


def test_the_first_row_is_at_the_top():
    axis = rows_axis(["a", "b"])
    assert axis.share(0) > axis.share(1)
    assert [label for _, label in axis.ticks] == ["a", "b"]


def test_a_fixed_axis_has_its_ends_as_ticks():
    axis = fixed_axis(0, 100, suffix=" %", pad=0.02)
    assert (axis.ticks[0][1], axis.ticks[-1][1]) == ("0 %", "100 %")


@pytest.mark.parametrize(("value", "written"), [(-2.5, "−2.5"), (0.04, "0.0"), (-0.04, "0.0"), (1234, "1234.0")])
def test_numbers_have_a_minus_sign_and_zero_has_none(value, written):
    assert write_number(value, 1) == written


def test_a_share_of_a_turned_axis_counts_from_its_foot():
    assert Axis(10, 0).share(10) == 0
    assert Axis(10, 0).share(2.5) == 0.75


def test_a_band_runs_along_the_top_and_back_along_the_foot():
    assert band([1, 2, 3], [0, 0, 1], [4, 5, 6]) == ((1, 2, 3, 3, 2, 1), (4, 5, 6, 1, 0, 0))
    _, edges = step_band([0, 1, 2], [0, 1, 2], [1, 2, 3])
    assert edges == (1, 1, 2, 2, 3, 2, 1, 1, 0, 0)
