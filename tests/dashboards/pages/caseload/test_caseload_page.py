"""The worklist says who needs the clinician, why, and what is due; scores stand in a second view."""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import replace

import pytest

from dashboards.components import ids
from dashboards.components.sparklines import spark_mask
from dashboards.forms.catalogue import FORMS
from dashboards.pages.caseload.content import grid_rows, line_of, matching, measures
from dashboards.pages.caseload.first_steps import first_steps, steps_panel
from dashboards.pages.caseload.layout import groups, layout, score_grid
from dashboards.web import kept_caseload
from dashboards.web.kept_caseload import KeptCaseloads
from mbc.care import caseload
from mbc.care.values.review import CaseloadRow
from mbc.store import Administration, Client, Clinician, Episode, Event, Goal, SafetyPlan, Session, Store
from tests.dashboards.reading import named, of_kind, text_of
from tests.dashboards.record import PASSWORD, rses_answers

DAY = dt.date(2026, 3, 1)


@pytest.fixture
def clients(store_of):
    return caseload(store_of("ash"), as_of=DAY)


def test_the_worklist_holds_the_visitors_own_clients(clients):
    links = {link.children: link.href for link in of_kind(layout(clients), "Link")}
    assert links == {"Willow": "/client/C001", "C002": "/client/C002"}  # no alias: the pseudonym itself


def test_each_client_has_a_state_by_word_and_reasons(clients):
    (willow,) = [row for row in clients.rows if row.alias == "Willow"]
    line = line_of(willow, DAY)
    assert line.state == willow.state.state
    assert line.state.capitalize() in text_of(layout(clients))
    assert line.reasons
    assert line.reasons in text_of(layout(clients))


def test_the_day_it_is_read_on_is_printed(clients):
    assert "as of Sun 1 Mar 2026" in text_of(layout(clients))


@pytest.mark.parametrize("find", ["willow", "C001", "c001 willow", "ash", "rses", "self-esteem"])
def test_a_client_is_found_by_anything_a_person_would_type(clients, find):
    row = next(row for row in clients.rows if row.client_id == "C001")
    known = replace(row, clinician_id="ash")
    assert matching([known], find) == [known]
    assert matching([known], f"{find} nobody") == []


def test_where_nobody_is_found_the_page_says_so(clients):
    assert "No client of that name or number." in text_of(groups(clients, "nobody"))


def test_closed_cases_are_folded_and_counted_and_unfold_when_looked_for(clients):
    closed = replace(clients.rows[0], closed=(DAY, "planned"), group="closed", reasons=("Care ended.",))
    both = replace(clients, rows=(*clients.rows[1:], closed))
    (details,) = of_kind(groups(both), "Details")
    assert details.children[0].children == "Closed · 1"
    assert not details.open
    name = closed.alias or closed.client_id
    (found,) = of_kind(groups(both, name), "Details")
    assert found.open


def test_groups_come_in_order_of_need(clients):
    rows = (
        replace(clients.rows[0], group="as expected"),
        replace(clients.rows[0], group="needs you"),
        replace(clients.rows[0], group="soon"),
    )
    headings = [text_of(part) for part in of_kind(groups(replace(clients, rows=rows)), "H2")]
    assert headings == ["Needs you · 1", "Watch, or due this week · 1", "As expected · 1"]


def test_a_long_list_comes_in_parts(clients):
    many = replace(clients, rows=clients.rows[:1] * 130)
    parts = groups(many)
    assert len(of_kind(parts, "Li")) == 60
    assert named(parts, ids.CASELOAD_MORE).children == "Show 70 more"
    assert f"· {130}" in text_of(parts)  # the heading counts all of the group
    assert named(groups(many, shown=180), ids.CASELOAD_MORE).hidden


def test_a_cell_says_the_latest_score_and_the_change(clients):
    (row,) = [row for row in grid_rows(clients) if row["id"] == "C001"]
    cell = row["cells"]["self_esteem"]
    assert cell["by"] == "RSES"
    assert cell["words"][0] == "22, +12"  # RSES_TOTALS: 10 first, 22 last
    assert row["self_esteem"] > 1  # in units of what noise explains


def test_a_relationship_that_ended_is_not_asked_about_and_never_a_fall(clients):
    (row,) = [row for row in grid_rows(clients) if row["id"] == "C001"]
    cell = row["cells"]["relationship_satisfaction"]
    assert cell["words"] == ["not asked while single"]
    assert cell["mood"] == "unknown"
    assert row["relationship_satisfaction"] is None


def test_every_measure_has_a_column_that_sorts(clients):
    grid = named(score_grid(clients), ids.CASELOAD_GRID)
    columns = {column["field"]: column for column in grid.columnDefs}
    assert {key for key, _ in measures(clients)} <= columns.keys()
    assert grid.defaultColDef["sortable"]


def test_a_caseload_with_nobody_on_it_says_so(own_record_url):
    with Store.open(own_record_url) as store:
        with store.writing(by="tests") as record:
            record.add(Clinician("K9", "Dr New"))
        store.accounts.add("new", "seven geese, one harbour lamp", "clinician", "K9")
        assert "No client is on this caseload yet." in text_of(layout(caseload(store.as_user("new"))))


@pytest.mark.long
def test_a_line_is_worked_out_again_only_when_something_was_written_that_it_shows(own_record_url):
    shelf = KeptCaseloads()

    def lines(day: dt.date = DAY) -> dict[str, CaseloadRow]:
        given = shelf.give(view, None, day)
        assert given == caseload(view, as_of=day)  # whenever each line was worked out
        return {row.client_id: row for row in given.rows}

    def same(before: dict[str, CaseloadRow], after: dict[str, CaseloadRow]) -> list[str]:
        return sorted(client for client in before if after[client] is before[client])

    with Store.open(own_record_url) as store:
        view = store.as_user("ash")
        first = lines()
        assert same(first, lines()) == ["C001", "C002"]
        with store.writing(by="tests") as record:
            record.add(SafetyPlan("C001", DAY))
        assert same(first, lines()) == ["C001", "C002"]  # no delay shows that there is a plan
        with store.writing(by="tests") as record:
            record.add(Client("C900", clinician_id="K1"))
            record.add(Event("EV9", "C002", DAY, "move", "A new flat"))
        assert same(first, lines()) == ["C001"]
        assert same(first, lines(DAY + dt.timedelta(days=1))) == []


def test_one_visitor_never_gets_the_caseload_of_another(own_record_url):
    shelf = KeptCaseloads()
    with Store.open(own_record_url) as store:
        everybody = shelf.give(store.as_user("oak"), None, DAY)
        mine = shelf.give(store.as_user("birch"), None, DAY)
        theirs = shelf.give(store.as_user("ash"), None, DAY)  # who may read the safety channel
    assert [row.client_id for row in mine.rows] == ["C003"]
    assert sorted(row.client_id for row in everybody.rows) == ["C001", "C002", "C003"]
    shared = {id(row) for row in everybody.rows}
    assert [id(row) in shared for row in (*mine.rows, *theirs.rows)] == [True, False, False]


def test_a_kept_caseload_is_a_reading_all_the_same(own_record_url):
    shelf = KeptCaseloads()
    with Store.open(own_record_url) as store:
        shelf.give(store.as_user("ash"), None, DAY)
        lines = len(store.audit.entries())
    with Store.open(own_record_url) as later:  # a new process, or a quarter of an hour later
        shelf.give(later.as_user("ash"), None, DAY)
        assert len(later.audit.entries()) > lines


def test_a_long_caseload_is_prepared_in_nobodys_name(own_record_url, make_app, monkeypatch):
    monkeypatch.setattr(kept_caseload, "_LONG", 1)
    monkeypatch.setattr(kept_caseload, "_AT_ONCE", 2)
    app = make_app(own_record_url, today=DAY)
    store, turns = app.server.extensions["mbc_store"], []
    before = store.audit.entries(who="oak").height
    with app.server.app_context():
        kept_caseload.prepare_caseloads(lambda: turns.append(1))
    assert len(turns) == 2  # of the supervisor's three clients
    assert store.audit.entries(who="oak").height == before
    monkeypatch.setattr(kept_caseload, "caseload", lambda *_, **__: pytest.fail("it was prepared"))
    with app.server.app_context():
        given = kept_caseload.kept_caseload(store.as_user("oak"), app.server.extensions["mbc_models"], DAY)
    assert len(given.rows) == 3
    assert store.audit.entries(who="oak").height == before + 1


def test_a_sparkline_is_a_shape_without_words():
    address = spark_mask([10, None, 14, 12], (0, 30))
    assert address
    drawing = base64.b64decode(address.partition(",")[2]).decode()
    assert drawing.startswith("<svg")
    assert "script" not in drawing


def panels(store: Store, *, personal: bool = False, asks: bool = False) -> list:
    clients = caseload(store, as_of=DAY)
    steps = first_steps(store, clients, asks=asks)
    return [steps_panel(steps, clients, personal=personal)] if steps else []


def test_somebody_new_is_led_from_the_first_client_to_the_first_session(own_record_url):
    with Store.open(own_record_url) as store:
        with store.writing() as record:
            record.add(Clinician("K9", "New"))
        store.accounts.add("new", PASSWORD, "clinician", "K9")
        user = store.as_user("new")
        (panel,) = panels(user)
        assert [(link.children, link.href) for link in of_kind([panel], "A")] == [("New client", "/new-client")]
        assert "mbc demo" not in text_of([panel])
        assert "mbc demo --open" in text_of(panels(user, personal=True))
        with user.writing() as record:
            record.add(Client("C009", "Fern", "K9", DAY))
        (panel,) = panels(user)
        assert "First steps with Fern" in text_of([panel])
        links = [link.href.removeprefix("/client/C009/record/") for link in of_kind([panel], "A")]
        assert links == ["paper", "goal", "session"]
        assert all(links[place] in FORMS for place in range(3))
        sends = [link.href for link in of_kind(panels(user, asks=True), "A") if link.href.endswith("/send")]
        assert sends == ["/client/C009/send"]
        assert text_of([panel]).count("(done)") == 1
        with user.writing() as record:
            record.add(Administration("C009", "rses", DAY, rses_answers(14)))
            record.add(Goal("G-9", "C009", "Say what I need", DAY, 2, 8))
        assert [link.children for link in of_kind(panels(user), "A")] == ["Session"]
        with user.writing() as record:
            record.add(Episode("E009", "C009", "K9", DAY, DAY))
            record.add(Session("C009", "E009", 1, DAY))
        assert panels(user) == []


def test_the_first_steps_are_for_nobody_with_a_caseload_or_without_the_right_to_write(store_of):
    assert panels(store_of("ash")) == []  # two clients
    assert panels(store_of("oak")) == []


def test_the_first_steps_do_not_depend_on_the_safety_channel(own_record_url):
    with Store.open(own_record_url) as store:
        with store.writing() as record:
            record.add_all([Clinician("K9", "New"), Client("C009", "Fern", "K9", DAY)])
        store.accounts.add("new", PASSWORD, "clinician", "K9", permissions=["safety:read"])
        before = text_of(panels(store.as_user("new")))
        with store.writing() as record:
            record.add(Administration("C009", "hits", DAY, (1, 1, 2, 1), channel="safety"))
        assert text_of(panels(store.as_user("new"))) == before
