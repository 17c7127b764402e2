"""Comparisons on the outcomes page: one's own line, all lines with the permission, nothing for anybody else."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator

import pytest
from plotly.utils import PlotlyJSONEncoder

from dashboards.app import PAGES
from dashboards.components import ids
from dashboards.pages.dispatch import page_for
from dashboards.pages.outcomes.layout import choose_measure
from dashboards.routes import PageRequest
from mbc.care import compare_clinicians
from mbc.care.clinic import clinician_words as words
from mbc.care.clinic.clinician_comparisons import ClinicianComparisons
from mbc.errors import NotInRecord
from mbc.figures.results.clinician_plots import CLINICIANS
from mbc.store import Administration, Client, Clinician, Episode, Store
from tests.care.clinic.finished_clients import DAY, fill, people
from tests.dashboards.conftest import sign_in
from tests.dashboards.reading import ids_of, named, of_kind, text_of
from tests.dashboards.record import PASSWORD

pytestmark = pytest.mark.long

COMPARED = "compared with what is expected"
OTHERS = ("K2", "K10", "K3", "K4")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    address = f"sqlite:///{tmp_path_factory.mktemp('compared') / 'clinic.db'}"
    with Store.create(address) as store:
        fill(store, people())
        begin = DAY + dt.timedelta(days=400)
        with store.writing(by="test") as record:  # a clinician with fewer clients than a mean takes
            record.add_all([Clinician("K4", "K4"), Clinician("K5", "K5")])
            for name in ("P1", "P2", "P3"):
                record.add(Client(name, clinician_id="K4"))
                record.add(Episode(f"{name}E", name, "K4", begin, begin, begin + dt.timedelta(days=90)))
                for day, score in ((begin, 15), (begin + dt.timedelta(days=80), 9)):
                    record.add(Administration(name, "phq9", day, totals={"total": score}))
        add = store.accounts.add
        add("kim", PASSWORD, "clinician", "K1")
        add("few", PASSWORD, "clinician", "K4")
        add("new", PASSWORD, "clinician", "K5")
        add("lead", PASSWORD, "supervisor", supervises=["K2"], permissions=["clinicians:compare"])
        add("both", PASSWORD, "clinician", "K3", permissions=["clinicians:compare"])
        add("sue", PASSWORD, "supervisor", supervises=["K1", "K2"])
        add("ana", PASSWORD, "analyst")
        add("adam", PASSWORD, "administrator")
    return address


@pytest.fixture(scope="module")
def clinic(url: str) -> Iterator[Store]:
    with Store.open(url) as store:
        yield store


@pytest.fixture(scope="module")
def comparisons(clinic: Store) -> ClinicianComparisons:
    return ClinicianComparisons(clinic)


def page(clinic: Store, comparisons: ClinicianComparisons, who: str, path: str = "/outcomes"):
    store = clinic.as_user(who)
    assert store.user is not None
    return page_for(PAGES, path, PageRequest(store=store, user=store.user, path=path, comparisons=comparisons))


def test_a_clinician_sees_their_own_line_and_nothing_of_others(clinic, comparisons):
    laid_out = page(clinic, comparisons, "kim")
    made = comparisons.own(clinic.as_user("kim"), "phq9")
    text = text_of(laid_out)
    assert "Your clients compared with what is expected" in text
    assert words.own_words(made.lines[0]) in text
    assert "Not measured: 2 of 24" in text
    assert "Clinicians compared" not in text
    part = named(laid_out, ids.COMPARED)
    sent = json.dumps(part, cls=PlotlyJSONEncoder)
    assert not any(f'"{name}' in sent or f" {name}" in sent for name in OTHERS)
    (graph,) = of_kind(part, "Graph")
    values = [
        value for trace in graph.figure.data if trace.x is not None for value in trace.x if value is not None
    ]
    assert all(value == round(value, 1) for value in values)


def test_whoever_may_compare_sees_the_list_and_the_funnel_with_the_words_of_the_command(clinic, comparisons):
    laid_out = page(clinic, comparisons, "lead")
    made = compare_clinicians(clinic, "phq9")
    text = text_of(laid_out)
    assert "Your clients compared" not in text
    for sentence in (*words.comparison_notes(made), *words.NOT_SAID, words.POINTS):
        assert sentence in text
    part = named(laid_out, ids.COMPARED)
    (graph,) = of_kind(part, "Graph")
    (trace,) = [trace for trace in graph.figure.data if trace.name == CLINICIANS]
    assert list(trace.y) == [line.difference.difference for line in made.lines]
    rows = [[text_of(cell) for cell in row.children] for row in of_kind(of_kind(part, "Tbody"), "Tr")]
    assert rows == [[line.clinician_id, *words.line_words(line)] for line in made.lines]
    assert "K3" not in text  # fewer than 20 measured clients


def test_a_clinician_who_may_compare_sees_both(clinic, comparisons):
    text = text_of(page(clinic, comparisons, "both"))
    assert "Your clients compared with what is expected" in text
    assert "Clinicians compared with what is expected" in text


@pytest.mark.parametrize("who", ["sue", "ana"])
def test_nobody_else_sees_that_there_is_such_a_part(clinic, comparisons, who):
    laid_out = page(clinic, comparisons, who)
    assert COMPARED not in text_of(laid_out)
    assert not {ids.COMPARED, ids.COMPARED_MEASURE, ids.CLINICIANS_GRAPH} & ids_of(laid_out)
    measure, missing = (page(clinic, comparisons, who, path) for path in ("/outcomes/phq9", "/no-such-page"))
    assert text_of(measure) == text_of(missing)
    assert choose_measure(clinic.as_user(who), comparisons, "phq9", "light") == []


def test_with_few_clients_the_line_is_withheld_in_a_sentence(clinic, comparisons):
    few = text_of(named(page(clinic, comparisons, "few"), ids.COMPARED))
    assert (
        "3 of your clients whose care has ended have a first and a last score on PHQ-9; with fewer than 5" in few
    )
    assert not of_kind(named(page(clinic, comparisons, "few"), ids.COMPARED), "Graph")
    assert "there is nothing to compare" in text_of(named(page(clinic, comparisons, "new"), ids.COMPARED))


def test_a_measure_has_its_own_address_for_those_who_may_choose_it(clinic, comparisons):
    assert "Your clients compared" in text_of(page(clinic, comparisons, "kim", "/outcomes/phq9"))
    missing = text_of(page(clinic, comparisons, "kim", "/no-such-page"))
    for measure in ("csi16", "hits", "nothing"):
        assert text_of(page(clinic, comparisons, "kim", f"/outcomes/{measure}")) == missing


def test_a_browser_cannot_name_a_measure_that_was_not_offered(clinic, comparisons):
    for asked in ("hits", "../x", 3):
        with pytest.raises(NotInRecord):
            choose_measure(clinic.as_user("kim"), comparisons, asked, "dark")
    assert "PHQ-9" in text_of(choose_measure(clinic.as_user("kim"), comparisons, None, "dark"))
    light, dark = (
        of_kind(choose_measure(clinic.as_user("kim"), comparisons, "phq9", theme), "Graph")[0].figure
        for theme in ("light", "dark")
    )
    assert light.layout.paper_bgcolor != dark.layout.paper_bgcolor


def test_each_look_leaves_the_line_that_the_command_leaves(clinic, comparisons):
    def lines(who: str, purpose: str) -> int:
        entries = clinic.audit.entries(action="aggregate", who=who)
        return sum(purpose in detail for detail in entries["detail"])

    before = lines("lead", "comparison of clinicians")
    choose_measure(clinic.as_user("lead"), comparisons, "phq9", "light")
    choose_measure(clinic.as_user("lead"), comparisons, "phq9", "light")
    assert lines("lead", "comparison of clinicians") == before + 2
    own = lines("kim", "clinic outcomes")
    choose_measure(clinic.as_user("kim"), comparisons, "phq9", "light")
    assert lines("kim", "clinic outcomes") == own + 1


def test_without_scripts_the_words_and_the_table_are_there(url, make_app):
    visitor = make_app(url).server.test_client()
    assert sign_in(visitor, "lead").status_code == 303
    text = visitor.get("/outcomes?plain=1").text
    assert "Clinicians compared with what is expected" in text
    assert "They are not ranked." in text
    assert visitor.get("/outcomes/phq9?plain=1").status_code == 200
    other = make_app(url).server.test_client()
    assert sign_in(other, "ana").status_code == 303
    assert COMPARED not in other.get("/outcomes?plain=1").text
    assert other.get("/outcomes/phq9").status_code == other.get("/no-such-page").status_code == 404
