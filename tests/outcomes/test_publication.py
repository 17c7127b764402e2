"""What is published follows from the published counts, which are related as their protection takes them to be."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from mbc import outcomes
from mbc.errors import SettingsError
from mbc.outcomes.definitions.definition_file import definition, require_publishable
from mbc.outcomes.publication import TOO_FEW, publish_reports
from mbc.outcomes.results import Metric
from mbc.outcomes.shared_counts import relations_between
from mbc.privacy.small_numbers.attacker import Relation, Shown, feasible_range
from mbc.privacy.small_numbers.protect import Table, protect
from mbc.privacy.small_numbers.rounded_counts import small_number_rule
from tests.outcomes.made_people import END, START, Tables, days, make_people
from tests.outcomes.test_nhs import frames_of

PERIOD = {"start": START, "end": END}
DEFINITIONS = ("nhs", "jacobson-truax", "hedis", "cms159", "saes", "milestones", "course-of-care")


@pytest.fixture(scope="module")
def people() -> Tables:
    return make_people(seed=17, size=250)


@pytest.fixture(scope="module")
def nhs_report(people) -> outcomes.OutcomeReport:
    return outcomes.report(frames_of(people), "nhs", **PERIOD)


def other_exact_figures(metric: Metric, shift: int) -> Metric:
    """What stands beside the counts, as it could be of other people with the same published counts."""
    return replace(
        metric,
        numerator=None if metric.numerator is None else metric.numerator + shift,
        denominator=max(0, metric.denominator + shift),
        value=metric.value if metric.unit != "percent" else None,
        lower=None,
        upper=None,
        worst=0.0,
        best=100.0,
        unknown=metric.unknown + 7,
        published="NULL",
        share=None,
    )


@pytest.mark.parametrize("name", ["nhs", "hedis", "jacobson-truax"])
def test_everything_published_but_means_follows_from_the_published_counts(people, name):
    report = outcomes.report(frames_of(people), name, "in-care", **PERIOD)
    before = publish_reports([report])[0][0]
    assert any(figure.percent is not None for figure in before.figures)
    for shift in (-40, 40):
        metrics = tuple(other_exact_figures(metric, shift) for metric in report.metrics)
        flow = tuple(replace(step, count=step.count + shift) for step in report.flow)
        other = replace(report, metrics=metrics, flow=flow, headline="No headline: told by the exact figures.")
        assert publish_reports([other])[0][0] == before


@pytest.mark.parametrize(
    ("people_at_caseness", "missing", "eligibility", "headline"),
    [
        (18, 0, "plain", "Recovered reliably: 50 % of those."),  # published as 20; exactly under 20
        (17, 0, "plain", TOO_FEW),  # published as 15
        (22, 3, "plain", "Recovered reliably: 50 % of those."),  # 3 is hidden; 4 of 20 are the most it could be
        (23, 6, "plain", "Recovered reliably: 40 % of those."),  # 5 of 25 published
        (23, 9, "plain", TOO_FEW),  # 10 of 25: bounds 40 points apart
        (98, 0, "acorn", "Recovered reliably: 10 % of those."),  # published as 100
        (97, 0, "acorn", TOO_FEW),
    ],
)
def test_a_headline_is_decided_by_what_is_shown(nhs_report, people_at_caseness, missing, eligibility, headline):
    rate = Metric("reliable_recovery", "Recovered reliably", "those", 10, people_at_caseness, 50.0, None, None, "",
                  of="cases", unknown_name="missing" if missing else "", unknown=missing)  # fmt: skip
    counts = {"cases": people_at_caseness, "reliable_recovery": 10} | ({"missing": missing} if missing else {})
    report = replace(nhs_report, tables=(Table(counts),), metrics=(rate,), flow=(), eligibility=eligibility)
    assert publish_reports([report])[0][0].headline == headline


@pytest.mark.parametrize(("n", "shown"), [(17, False), (18, True), (20, True)])
def test_a_mean_is_shown_where_the_published_number_of_people_is_large_enough(n, shown):
    """Published as 20, it could be 18 to 22: that the mean is missing would say that it is 18 or 19."""
    tables = Tables()
    for number in range(n):
        who, begin = f"P{number}", START + days(number)
        tables.episodes.append({"episode_id": who, "client_id": who, "clinician_id": "K", "referred_on": begin,
                                "started_on": begin, "ended_on": END})  # fmt: skip
        for day, score in ((begin, 18 - number % 3), (END, 6 + number % 5)):
            tables.scores.append({"client_id": who, "instrument": "phq9", "scale": "total", "taken_on": day,
                                  "score": score})  # fmt: skip
    report = outcomes.report(frames_of(tables), "jacobson-truax", **PERIOD)
    ((published,), _) = publish_reports([report])
    mean = next(figure for figure in published.figures if figure.unit == "SD")
    assert mean.hidden is not shown
    assert mean.of == (20 if shown else None)
    assert (report["phq9_total_effect_size"].published == "NULL") is not shown


def test_the_number_behind_a_mean_is_a_published_count(people):
    """It is rounded, hidden and protected with the others: no n stands with a mean that the counts do not have."""
    saes = definition("saes").model_copy(update={"least_reference": 5})
    for chosen in (saes, "course-of-care", "jacobson-truax"):
        report = outcomes.report(frames_of(people), chosen, "in-care", **PERIOD)
        published = publish_reports([report])[0][0]
        means = [figure for figure in published.figures if figure.unit != "percent"]
        assert means
        for figure in means:
            cell = published.counts[str(published.cells[figure.metric]["group_count"])]
            assert figure.of == (None if figure.hidden else cell.rounded)
            assert figure.hidden or cell.rounded is not None


def violated(table: Table) -> list[object]:
    """Relations that the true counts contradict; a latent count may be whatever is left."""
    wrong: list[object] = []
    for each in table.relations:
        known = [table.counts[part] for part in each.parts if part in table.counts]
        if each.total not in table.counts or each.total.startswith("@"):
            continue
        latent = len(known) < len(each.parts)
        total = table.counts[each.total]
        if total < sum(known) or (each.exact and not latent and total != sum(known)):
            wrong.append(each)
    return wrong


@pytest.mark.parametrize(
    ("name", "cohort"),
    [
        *((name, "finished") for name in DEFINITIONS),
        ("nhs", "in-care"),
        ("course-of-care", "in-care"),
        *(
            pytest.param(name, cohort, marks=pytest.mark.slow)
            for name in DEFINITIONS
            for cohort in ("in-care", "started")
            if (name, cohort) not in {("nhs", "in-care"), ("course-of-care", "in-care")}
        ),
    ],
)
def test_true_counts_are_related_as_the_definition_says(people, name, cohort):
    report = outcomes.report(frames_of(people), name, cohort, **PERIOD)
    assert [violated(table) for table in report.tables] == [[]] * len(report.tables)


@pytest.mark.parametrize("least", [1, 2, 3])
def test_endings_are_related_rightly_whatever_number_of_contacts_makes_a_course(people, least):
    """With one contact, who came once has had a course: counted among them, not beside them."""
    settings = definition("nhs").model_copy(update={"least_contacts": least})
    report = outcomes.report(frames_of(people), settings, **PERIOD)
    (table,) = report.tables
    assert violated(table) == []
    assert table.counts["ended_treated_once"] > 5
    others = table.counts["finished_course"] + table.counts["ended_before_treatment"]
    assert (table.counts["ended_in_period"] == others) is (least == 1)
    publish_reports([report])


def test_who_recovered_without_improving_narrows_no_hidden_count(nhs_report):
    """They did not improve, so they are among the others: 18 - 7 of them, of at most 7 and the hidden ones."""
    (table,) = nhs_report.tables
    counts = dict.fromkeys(table.counts, 0) | {
        "finished_course": 43, "reliable_improvement": 32, "reliable_deterioration": 4, "no_reliable_change": 7,
        "at_caseness": 33, "not_at_caseness": 10, "recovery": 18, "reliable_recovery": 7, "ended_in_period": 60,
        "ended_before_treatment": 9, "ended_treated_once": 8, "paired_both_measures": 43,
    }  # fmt: skip
    rule = small_number_rule("nhs5")
    shown = protect(replace(table, counts=counts), rule)
    assert shown["reliable_deterioration"].rounded is None
    known = (
        Relation("finished_course", ("reliable_improvement", "reliable_deterioration", "no_reliable_change")),
        Relation("recovery", ("reliable_recovery", "left")),
        Relation("finished_course", ("reliable_improvement", "left"), exact=False),
    )
    low, high = feasible_range({"reliable_deterioration": 1}, shown | {"left": Shown(None)}, known, rule)
    assert low <= 4 <= high
    assert high - low >= 3


def test_definitions_with_the_same_rules_are_not_published_together():
    nhs = definition("nhs")
    stricter = nhs.model_copy(update={"title": "Ours", "least_contacts": 3})
    with pytest.raises(SettingsError, match="'NHS Talking Therapies' and 'Ours' have the same rules"):
        require_publishable([nhs, definition("jacobson-truax"), stricter])
    require_publishable([nhs, definition("jacobson-truax"), definition("hedis")])


def test_a_reference_of_the_clinics_own_people_is_not_published():
    own = definition("saes")
    with pytest.raises(SettingsError, match="takes its reference from this clinic's own clients"):
        require_publishable([own])
    require_publishable([own.model_copy(update={"from_catalogue": False})])


def test_counts_that_two_definitions_share_are_protected_together(people):
    reference = {"instrument": "phq9", "scale": "total", "n": 900, "mean_improvement": 6.0, "sd": 5.0,
                 "intercept": 0.0, "slope": 0.4, "source": "a published sample"}  # fmt: skip
    saes = type(definition("saes")).model_validate(
        definition("saes").model_dump() | {"from_catalogue": False, "references": (reference,)}
    )
    chosen = [definition("jacobson-truax"), saes]
    reports = [outcomes.report(frames_of(people), each, **PERIOD) for each in chosen]
    keys = list(dict.fromkeys(metric.key for metric in reports[0].metrics))
    counts = {f"0:{key}_{name}": count for key, table in zip(keys, reports[0].tables, strict=True)
              for name, count in table.counts.items()}  # fmt: skip
    counts |= {f"1:phq9_total_{name}": count for name, count in reports[1].tables[0].counts.items()}
    shared = list(relations_between(reports, chosen))
    assert {each.total for each in shared} == {"0:phq9_total_began", "0:phq9_total_began_not_paired"}
    for each in shared:
        assert counts[each.total] == sum(counts[part] for part in each.parts)


def test_a_figure_that_is_only_a_count_is_so_whoever_is_counted():
    """That a count has no group any more would say that a hidden group is empty."""
    for tables in (Tables(), make_people(seed=3, size=40)):
        report = outcomes.report(frames_of(tables), "nhs", start=dt.date(2026, 4, 1), end=dt.date(2026, 6, 30))
        cells = publish_reports([report])[0][0].cells
        assert [name for name, cell in cells.items() if cell["only_count"]] == [
            "finished_course",
            "not_at_caseness",
        ]
