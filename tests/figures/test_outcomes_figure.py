"""Rates are drawn where they are published, and named where they are not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mbc.figures import outcomes_figure
from mbc.outcomes.publication import ReleasedReport
from mbc.outcomes.results import Figure

GROUP = "Self-esteem: RSES"
IMPROVED = Figure("rses_total_improved", "Improved", "clients", GROUP, 10, 40, 25, 14, 40, None, "percent")
NONE_WORSE = Figure("rses_total_deteriorated", "Deteriorated", "clients", GROUP, 0, 40, 0, 0, 9, None, "percent")
HIDDEN = Figure("rses_total_unchanged", "Unchanged", "clients", GROUP, None, None, None, None, None, None,
                "percent", hidden=True)  # fmt: skip
MEAN = Figure("rses_total_effect_size", "Mean improvement (d)", "clients", GROUP, None, 40, None, None, None,
              "0.50", "SD")  # fmt: skip
WAIT = Figure("first_treatment_6_weeks", "First contact within 42 days", "courses", "", 20, 20, 100, 84, 100, None,
              "percent")  # fmt: skip


def drawn(*figures, theme="light"):
    report = ReleasedReport(
        "Change", "Clients of a quarter", "the first score", "the last score", (), "No headline", figures,
        "jacobson-truax", "nhs5",
    )  # fmt: skip
    return report, outcomes_figure(report, theme=theme)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_rate_is_drawn_in_percent_with_its_limits(theme):
    _, figure = drawn(IMPROVED, NONE_WORSE, theme=theme)
    trace = next(each for each in figure.data if each.name == "Improved")
    assert list(trace.x) == [25.0]
    assert (trace.x[0] + trace.error_x.array[0], trace.x[0] - trace.error_x.arrayminus[0]) == (40, 14)
    assert trace.text == ("Self-esteem: RSES: Improved, 10 of 40: 25 % (14 to 40 %)",)


def test_a_zero_is_drawn_and_a_hidden_figure_is_named_not_drawn():
    _, figure = drawn(IMPROVED, HIDDEN, NONE_WORSE)
    by_name = {trace.name: list(trace.x) for trace in figure.data}
    assert by_name["Deteriorated"] == [0.0]
    assert by_name["Unchanged"] == []
    assert any(note.text == "Unchanged: not shown" for note in figure.layout.annotations)


def test_what_is_not_a_rate_has_no_line():
    _, figure = drawn(MEAN, replace(WAIT, completeness=True))
    assert sum(len(trace.x) for trace in figure.data) == 0
    assert not figure.layout.annotations


def test_other_rates_are_drawn_with_their_names():
    _, figure = drawn(WAIT)
    assert [list(trace.x) for trace in figure.data if trace.name == "Other rates"] == [[100]]
    assert [note.text for note in figure.layout.annotations] == ["First contact within 42 days"]


def test_kinds_differ_by_more_than_colour():
    _, figure = drawn(IMPROVED, HIDDEN, NONE_WORSE)
    symbols = [trace.marker.symbol for trace in figure.data]
    assert len(set(symbols)) == len(symbols) == 5


def test_the_caption_travels_with_the_figure():
    report, figure = drawn(IMPROVED)
    assert figure.layout.meta["caption"] == report.caption
