"""How we measure your progress, on the client's phone: the words of the sheet, and nothing that was answered."""

from __future__ import annotations

import pytest

from mbc import reports
from mbc.care.plan.battery import read_battery
from mbc.errors import NotInRecord, ReportError
from mbc.reports.document import Table
from mbc.store import Administration, Client, Store
from tests.dashboards.record import day, rses_answers

DAY = day(11)
ASKED = ("phq9", "rses", "who5", "csi16", "wai_sr", "hits", "checkin")


@pytest.fixture
def store():
    with Store.create("sqlite://") as made:
        with made.writing() as record:
            record.add_all([Client("C001", registered_on=day(0)), Client("C002", registered_on=day(0))])
            record.add_all(read_battery().planned("C001", day(0)))
        yield made


@pytest.mark.parametrize("language", ["de", "en", "es", "fr", "nl"])
def test_it_says_what_the_sheet_says_and_names_nothing_that_a_partner_must_not_read(store, language):
    sheet = reports.measures_report(store, "C001", language=language, as_of=DAY)
    printed = [row for block in sheet.blocks if isinstance(block, Table) for row in block.rows]
    shown = reports.measures_explanation(store, "C001", ASKED, language=language, as_of=DAY)
    assert {(each.name, *(text for _, text in each.facts)) for each in shown.measures} == set(printed)
    assert len(printed) == 3  # of seven: two relationship scales, the alliance and a safety screen are not named
    assert shown.title == sheet.title


def test_nothing_in_it_depends_on_what_was_answered(store):
    before = reports.measures_explanation(store, "C001", ASKED, as_of=DAY)
    with store.writing() as record:
        record.add(Administration("C001", "rses", DAY, rses_answers(11), form="a", coding="0-3"))
    assert reports.measures_explanation(store, "C001", ASKED, as_of=DAY) == before


def test_without_a_plan_it_leaves_out_how_often_and_what_it_cannot_say_is_refused(store):
    (who5,) = reports.measures_explanation(store, "C002", ["who5", "csi16"], language="de-AT", as_of=DAY).measures
    assert [label for label, _ in who5.facts] == ["Fragen", "Klare Änderung"]
    only_private = reports.measures_explanation(store, "C002", ["csi16"], as_of=DAY)
    assert (only_private.measures, only_private.heading, only_private.note) == ((), "", "")
    with pytest.raises(ReportError, match=r"not in 'tr'\. Send the questions without"):
        reports.measures_explanation(store, "C002", ["who5"], language="tr")
    with pytest.raises(NotInRecord):
        reports.measures_explanation(store, "C009", ["who5"])
