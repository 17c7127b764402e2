"""The outcomes page: exact for those who see the clients, releases for those who do not, never a name."""

from __future__ import annotations

from datetime import date
from itertools import cycle, islice

import pytest

from dashboards.components import ids
from dashboards.pages.outcomes.content import (
    FIGURES,
    definition_choices,
    figure_rows,
    is_by_measure,
    measure_headings,
    measure_rows,
    period_choices,
    whose,
)
from dashboards.pages.outcomes.layout import choose, choose_release, layout
from mbc.care import clinic_report, make_release
from mbc.errors import AccessDenied, NotInRecord
from mbc.store import Store
from tests.dashboards.reading import named, of_kind, text_of

pytestmark = pytest.mark.long

PERIOD = {"start": date(2026, 1, 1), "end": date(2026, 3, 31)}


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory):
    from tests.dashboards.record import make_record  # noqa: PLC0415

    url = f"sqlite:///{tmp_path_factory.mktemp('released') / 'clinic.db'}"
    make_record(url)
    with Store.open(url) as store:
        make_release(store, "2025-Q4")
        make_release(store, "2026-Q1")
        yield store


def test_an_analyst_reads_releases_and_nobody_is_named(released):
    words = text_of(layout(released.as_user("ana"), "light"))
    for name in ("Willow", "Hazel", "C001", "Dr Ash", "R1"):
        assert name not in words
    assert "All clients of the clinic." in words
    assert "Release 2026-Q1" in words
    assert "never published again" in words
    assert "Reliable and clinically significant change" in words
    options = named(layout(released.as_user("ana"), "light"), ids.RELEASE).data
    assert [option["value"] for option in options] == ["2026-Q1", "2025-Q4"]
    assert "Release 2025-Q4" in text_of(choose_release(released.as_user("ana"), "2025-Q4", "dark"))
    with pytest.raises(NotInRecord):
        choose_release(released.as_user("ana"), "2999-Q1", "light")


def test_without_a_release_an_analyst_learns_who_makes_one(store_of):
    words = text_of(layout(store_of("ana"), "light"))
    assert "No release has been published yet" in words
    assert "mbc release make" in words


def test_an_analyst_cannot_choose_a_period_of_their_own(store_of):
    answer = text_of(choose(store_of("ana"), "2026-Q1", "finished", "nhs", "light", None))
    assert "only see published figures" in answer


def test_a_clinician_sees_their_own_clients_exactly_and_who_is_missing(store_of):
    page = layout(store_of("ash"), "light")
    assert "Your own clients." in text_of(page)
    answer = text_of(choose(store_of("ash"), "2026-Q1", "in-care", "jacobson-truax", "light", None))
    assert "Self-esteem: RSES" in answer
    assert "1 of 1" in answer  # their one client with two scores: nothing of their own is hidden from them
    assert "Willow" not in answer


def test_every_row_has_a_cell_for_each_heading(store_of):
    by_measure = clinic_report(store_of("ash"), definition="jacobson-truax", cohort="in-care", **PERIOD)
    assert is_by_measure(by_measure)
    assert {len(row) for row in measure_rows(by_measure)} == {len(measure_headings(by_measure))}
    nhs = clinic_report(store_of("ash"), definition="nhs", cohort="in-care", **PERIOD)
    assert not is_by_measure(nhs)
    assert {len(row) for row in figure_rows(nhs)} <= {len(FIGURES), len(FIGURES) - 1}


def test_everybody_is_informed_whose_clients_are_counted(store_of):
    assert whose(store_of("ash").user) == "Your own clients."
    assert whose(store_of("oak").user) == "Clients of the clinicians you supervise."
    assert whose(store_of("ana").user) == "All clients of the clinic."


def test_somebody_without_the_permission_gets_nothing(store_of):
    with pytest.raises(AccessDenied):
        layout(store_of("adam"), "light")


def require_answer(store_of, cohort, definition):
    answer = text_of(choose(store_of("oak"), "2026-Q1", cohort, definition, "light", None))
    assert "31 Mar 2026" in answer


def test_every_choice_that_is_offered_has_an_answer(store_of):
    page = layout(store_of("oak"), "light")
    periods = [option["value"] for option in named(page, ids.PERIOD).data]
    assert periods == [choice.value for choice in period_choices(date(2026, 3, 31))]
    definitions = [choice.value for choice in definition_choices()]
    cohorts = [option["value"] for option in named(page, ids.COHORT).data]
    n_pairs = max(len(definitions), len(cohorts))
    pairs = list(islice(zip(cycle(definitions), cycle(cohorts), strict=False), n_pairs))
    assert {definition for definition, _ in pairs} == set(definitions)
    assert {cohort for _, cohort in pairs} == set(cohorts)
    assert len(definitions) + len(cohorts) > 8
    for definition, cohort in pairs:
        require_answer(store_of, cohort, definition)


@pytest.mark.slow
def test_every_pair_of_choices_that_are_offered_has_an_answer(store_of):
    page = layout(store_of("oak"), "light")
    for definition in (choice.value for choice in definition_choices()):
        for cohort in (option["value"] for option in named(page, ids.COHORT).data):
            require_answer(store_of, cohort, definition)


def test_a_browser_cannot_name_a_file(store_of):
    answer = choose(store_of("oak"), "2026-Q1", "in-care", "/etc/passwd.toml", "light", None)
    assert "Jacobson" in text_of(answer)


def test_another_theme_is_another_drawing(store_of):
    (dark,), (light,) = (
        of_kind(choose(store_of("oak"), "latest", "in-care", "jacobson-truax", theme, None), "Graph")
        for theme in ("dark", "light")
    )
    assert dark.figure.layout.paper_bgcolor != light.figure.layout.paper_bgcolor


def test_a_period_without_scores_says_so(store_of):
    answer = choose(store_of("oak"), "1999", "finished", "jacobson-truax", "light", None)
    assert of_kind(answer, "Graph") == []
    assert "No clients are counted" in text_of(answer)
