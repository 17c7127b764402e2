"""The outcomes page: rates with what they rest on, small numbers hidden, never a name."""

from __future__ import annotations

import pytest

from dashboards.components import ids
from dashboards.pages.outcomes.content import HEADINGS, choices, table_rows, whose
from dashboards.pages.outcomes.layout import choose, layout
from mbc.care import clinic_outcomes
from mbc.errors import AccessDenied
from tests.dashboards.reading import named, of_kind, text_of


def test_the_page_counts_and_names_nobody(store_of):
    words = text_of(layout(store_of("ana"), "light"))
    for name in ("Willow", "Hazel", "C001", "Dr Ash", "R1"):
        assert name not in words
    assert "All clients of the clinic." in words


def test_small_numbers_are_said_to_be_hidden_and_never_zero(store_of):
    for row in table_rows(clinic_outcomes(store_of("ana"))):
        assert len(row) == len(HEADINGS)
        assert row[1] == "not shown"  # three clients in all
        assert not any(cell.startswith("0") for cell in row[2:])


def test_everybody_is_told_whose_clients_are_counted(store_of):
    assert whose(store_of("ash").user) == "Your own clients."
    assert whose(store_of("oak").user) == "Clients of the clinicians you supervise."
    assert whose(store_of("ana").user) == "All clients of the clinic."


def test_somebody_without_the_permission_gets_nothing(store_of):
    with pytest.raises(AccessDenied):
        layout(store_of("adam"), "light")


def test_periods_are_full_years_and_quarters(store_of):
    for user, whole in (("ana", True), ("oak", False)):
        found = clinic_outcomes(store_of(user))
        options = named(layout(store_of(user), "light"), ids.PERIOD).data
        assert [one["value"] for one in options] == [one.value for one in choices(found.end, full_only=whole)]
        assert options[0]["value"] == "latest"


def test_every_period_that_an_analyst_is_offered_is_one_they_may_have(store_of):
    options = named(layout(store_of("ana"), "light"), ids.PERIOD).data
    assert all(choose(store_of("ana"), one["value"], "light") for one in options)
    with pytest.raises(AccessDenied):
        choose(store_of("ana"), "2999-Q1", "light")


def test_another_period_and_another_theme_are_another_table_and_drawing(store_of):
    everything, quarter = (choose(store_of("ana"), period, "dark") for period in ("latest", "2026-Q1"))
    assert "31 March 2026" in text_of(quarter)
    (dark,), (light,) = (of_kind(choose(store_of("ana"), "latest", theme), "Graph") for theme in ("dark", "light"))
    assert dark.figure.layout.paper_bgcolor != light.figure.layout.paper_bgcolor
    assert text_of(choose(store_of("ana"), "2026-01-01..2026-01-02", "light")) == text_of(everything)


def test_a_period_without_scores_says_so(store_of):
    assert of_kind(choose(store_of("ana"), "1999", "light"), "Graph") == []
