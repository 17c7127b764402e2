"""The caseload says who changed, in words, in an order the clinician chooses."""

from __future__ import annotations

import base64
from dataclasses import replace

from dashboards.components import ids
from dashboards.components.sparklines import spark_mask
from dashboards.pages.caseload.content import cards, grid_rows, measures
from dashboards.pages.caseload.layout import filter_grid, layout, list_cards
from mbc.care import caseload
from mbc.store import Clinician, Store
from tests.dashboards.reading import named, of_kind, text_of


def test_the_grid_holds_the_visitors_own_clients(store_of):
    grid = named(layout(store_of("ash")), ids.CASELOAD_GRID)
    rows = {row["id"]: row for row in grid.rowData}
    assert rows.keys() == {"C001", "C002"}
    assert rows["C001"]["name"] == "Willow"
    assert rows["C002"]["name"] == "C002"  # no alias: the pseudonym itself
    assert rows["C001"]["path"] == "/client/C001"


def test_a_cell_says_the_latest_score_and_the_change(store_of):
    (row,) = [row for row in grid_rows(caseload(store_of("ash"))) if row["id"] == "C001"]
    cell = row["cells"]["self_esteem"]
    assert cell["by"] == "RSES"
    assert cell["words"] == ["22, +12", "clearly better"]  # RSES_TOTALS: 10 first, 22 last
    assert cell["mood"] == "better"
    assert row["self_esteem"] > 1  # in units of what noise explains


def test_a_relationship_that_ended_is_not_applicable_and_never_a_fall(store_of):
    (row,) = [row for row in grid_rows(caseload(store_of("ash"))) if row["id"] == "C001"]
    cell = row["cells"]["relationship_satisfaction"]
    assert cell["words"] == ["not applicable", "single"]
    assert cell["mood"] == "unknown"
    assert row["relationship_satisfaction"] is None


def test_many_scales_that_are_not_on_track_are_counted_in_the_grid_and_named_on_the_card(store_of):
    found = caseload(store_of("ash"))
    few = replace(found, rows=(replace(found.rows[0], signals=("Self-esteem", "Well-being"), flags=()),))
    many = replace(found, rows=(replace(found.rows[0], signals=("A", "B", "C"), flags=("no contact",)),))
    assert grid_rows(few)[0]["notes"] == "not on track: Self-esteem, Well-being"
    assert grid_rows(many)[0]["notes"] == "not on track on 3 scales; no contact"
    assert cards(many)[0].notes == ("not on track: A, B, C", "no contact")


def test_every_measure_has_a_column_that_sorts(store_of):
    found = caseload(store_of("ash"))
    grid = named(layout(store_of("ash")), ids.CASELOAD_GRID)
    columns = {column["field"]: column for column in grid.columnDefs}
    assert {key for key, _ in measures(found)} <= columns.keys()
    assert grid.defaultColDef["sortable"]


def test_the_list_of_a_phone_says_what_changed(store_of):
    shown, is_all = list_cards(store_of("ash"), "contact", "", None)
    assert is_all
    assert "Willow" in text_of(shown)
    assert "Clearly better: Self-esteem" in text_of(shown)
    assert [link.href for link in of_kind(shown, "Link")] == ["/client/C001", "/client/C002"]


def test_the_list_can_be_ordered_and_searched(store_of):
    def names(order: object, find: object = "") -> list[str]:
        return [text_of(link) for link in of_kind(list_cards(store_of("oak"), order, find, None)[0], "Link")]

    assert names("name") == ["C002", "Hazel", "Willow"]
    assert names("best")[0] == "Willow"
    assert names("name", "  wil ") == ["Willow"]
    assert names("name", "c003") == ["Hazel"]
    assert names("name", "nobody") == []
    assert names("no such order") == names("contact")


def test_a_long_list_comes_in_parts(store_of, monkeypatch):
    monkeypatch.setattr("dashboards.pages.caseload.layout._CARDS_AT_ONCE", 1)
    parts = [list_cards(store_of("oak"), "name", "", more) for more in (None, 1, 2)]
    assert [(len(shown), is_all) for shown, is_all in parts] == [(1, False), (2, False), (3, True)]


def test_what_is_looked_for_goes_to_the_grid():
    assert filter_grid("wil").to_plotly_json()["operations"][0]["params"] == {"value": "wil"}
    assert filter_grid(None).to_plotly_json()["operations"][0]["params"] == {"value": ""}


def test_a_caseload_with_nobody_on_it_says_so(own_record_url):
    with Store.open(own_record_url) as store:
        with store.writing(by="tests") as record:
            record.add(Clinician("K9", "Dr New"))
        store.accounts.add("new", "seven geese, one harbour lamp", "clinician", "K9")
        assert "No client is on this caseload yet." in text_of(layout(store.as_user("new")))


def test_cards_name_what_is_worse_before_what_is_better(store_of):
    (willow,) = [card for card in cards(caseload(store_of("ash"))) if card.name == "Willow"]
    assert [kind for kind, _ in willow.summary][:1] == ["better"]
    assert all(kind in ("worse", "better", "same") for kind, _ in willow.summary)


def test_a_sparkline_is_a_shape_without_words():
    address = spark_mask([10, None, 14, 12], (0, 30))
    assert address
    drawing = base64.b64decode(address.partition(",")[2]).decode()
    assert drawing.startswith("<svg")
    assert "script" not in drawing
