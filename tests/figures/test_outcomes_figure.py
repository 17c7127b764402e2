"""Rates are drawn where they are published, and named where they are not."""

from __future__ import annotations

import datetime as dt

import pytest

from mbc.care.clinic.outcomes import ClinicOutcomes, OutcomeRow, Rate
from mbc.figures import outcomes_figure


def row(rates, *, instrument="rses", paired=40):
    return OutcomeRow(
        instrument=instrument, scale="total", name="Scale", title="Self-esteem", construct="self_esteem",
        higher_is_better=True, in_care=50, measured=45, paired=paired, completeness=90, coverage=90, rates=rates,
        recovery=None, effect=0.5, effect_lower=0.2, effect_upper=0.8, cutoff=None, rule="over 5", verified=True,
    )  # fmt: skip


IMPROVED = Rate("improved", 10, 0.25, 0.14, 0.40, 40)
NONE_WORSE = Rate("deteriorated", 0, 0.0, 0.0, 0.09, 40)
HIDDEN = Rate("unchanged", None, None, None, None)


def drawn(*rows, theme="light"):
    outcomes = ClinicOutcomes(dt.date(2026, 1, 1), dt.date(2026, 3, 31), rows, 5)
    return outcomes, outcomes_figure(outcomes, theme=theme)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_rate_is_drawn_in_percent_with_its_interval(theme):
    _, figure = drawn(row((IMPROVED, NONE_WORSE)), theme=theme)
    trace = next(one for one in figure.data if one.name == "Improved")
    assert list(trace.x) == [25.0]
    assert (trace.x[0] + trace.error_x.array[0], trace.x[0] - trace.error_x.arrayminus[0]) == pytest.approx(
        (40, 14)
    )
    assert trace.text == ("Self-esteem: 10 of 40 improved, 25 % (14 to 40 %)",)


def test_a_zero_is_drawn_and_a_hidden_cell_is_named_not_drawn():
    _, figure = drawn(row((IMPROVED, HIDDEN, NONE_WORSE)))
    by_name = {trace.name: list(trace.x) for trace in figure.data}
    assert by_name["Deteriorated"] == [0.0]
    assert by_name["Unchanged"] == []
    assert any(note.text == "unchanged: not shown" for note in figure.layout.annotations)


def test_a_scale_that_cannot_be_judged_has_no_line():
    _, figure = drawn(row(()), row((IMPROVED,), instrument="phq9"))
    assert sum("<b>" in note.text for note in figure.layout.annotations) == 1


def test_categories_differ_by_more_than_colour():
    _, figure = drawn(row((IMPROVED, HIDDEN, NONE_WORSE)))
    symbols = [trace.marker.symbol for trace in figure.data]
    assert len(set(symbols)) == len(symbols) == 4


def test_the_caption_travels_with_the_figure():
    outcomes, figure = drawn(row((IMPROVED,)))
    assert figure.layout.meta["caption"] == outcomes.caption
