"""How we measure your progress: from the client's own plan, without what a partner must not read."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

import pytest

from mbc import reports
from mbc.care.client.line_sources import noise_source
from mbc.care.course.noise import noise_of
from mbc.care.plan.battery import read_battery
from mbc.care.plan.client_plan import client_plan
from mbc.errors import NotInRecord, ReportError
from mbc.instruments import instrument
from mbc.reports.catalogue import catalogue
from mbc.reports.document import Table
from mbc.reports.measures_sheet import how_often
from mbc.store import Client, MeasurePause, PlannedMeasure, Store
from tests.dashboards.record import day, make_record
from tests.reports.documents import read_html, read_pdf, squeezed

DAY = day(11)
LANGUAGES = ("de", "en", "es", "fr", "nl")


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path_factory.mktemp('measures') / 'clinic.db'}"
    make_record(url)
    with Store.open(url) as made:
        with made.writing() as record:
            record.add_all(read_battery().planned("C001", day(0)))
            record.add(PlannedMeasure("C001", "gad7", day(0), every_days=7, ends_on=day(5)))
        yield made


def rows_of(document) -> list[tuple[str, ...]]:
    return [row for block in document.blocks if isinstance(block, Table) for row in block.rows]


def test_what_how_often_and_what_a_clear_change_is_come_from_the_plan_and_the_norms(store):
    document = reports.measures_report(store, "C001", as_of=DAY)
    rows = {row[0]: row[1:] for row in rows_of(document)}
    # the clinic's battery: WHO-5 each week, PHQ-9 every other, RSES every fourth; the others are private here
    assert {name: row[:2] for name, row in rows.items()} == {
        "How you see yourself": ("10", "about every 4 weeks"),
        "Low mood": ("9", "about every 2 weeks"),
        "Well-being": ("5", "about every week"),
    }
    rses = instrument("rses")
    noise = noise_of(rses, rses.main_scale)
    assert noise is not None
    assert rows["How you see yourself"][2] == (
        f"more than {noise.threshold:.1f} points, on a scale from 0 to 30; higher is better"
    )
    text = squeezed(read_pdf(document.pdf()).text)
    assert squeezed(f"How you see yourself: {noise_source(rses, rses.main_scale, noise.source)}") in text


def test_names_of_private_questionnaires_are_ticked_one_by_one(store):
    everything = reports.measures_report(store, "C001", include=["relationship", "alliance"], as_of=DAY)
    names = [row[0] for row in rows_of(everything)]
    assert "How we work together" in names
    assert "Worry about being left and how hard closeness is" in names
    often = {row[0]: row[2] for row in rows_of(everything)}
    assert often["How we work together"] == "before sessions 3, 8, 16 and 24"
    plain = reports.measures_report(store, "C001", as_of=DAY)
    printed = read_pdf(plain.pdf())
    words = "\n".join([printed.text, printed.metadata, *map(str, printed.alternatives)])
    assert not re.findall(r"(?i)csi|relationship|ecr|closeness|alliance|wai|work together|hits|safety", words)


def test_a_questionnaire_that_does_not_apply_or_has_ended_is_not_asked(store):
    plan = client_plan(store, "C001", as_of=DAY)
    assert plan.of("csi4").state == "not applicable"
    assert plan.of("gad7").state == "ended"
    named = " ".join(row[0] for row in rows_of(reports.measures_report(
        store, "C001", include=["relationship", "alliance"], as_of=DAY)))  # fmt: skip
    assert "our relationship" not in named
    assert "Anxiety" not in named


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_tagged_sheet_in_each_language(store, language):
    words = catalogue(language)
    document = reports.measures_report(
        store, "C001", language=language, include=["relationship", "alliance"], as_of=DAY
    )
    for paper in ("a4", "us-letter"):
        content = document.pdf(paper=paper)
        printed = read_pdf(content)
        assert len(printed.pages) == 1
        assert (printed.language, printed.title, printed.part) == (language, words.text("measures.title"), "1")
        assert "Table" in printed.tags
        assert content == document.pdf(paper=paper)
    page = read_html(document.html())
    assert ("lang", language) in page.attributes
    assert squeezed(words.text("measures.yours_1")) in squeezed(page.text)
    assert squeezed(words.day(DAY)) in squeezed(printed.text)


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ({"every_days": 1}, "every day"),
        ({"every_days": 10}, "about every 10 days"),
        ({"every_sessions": 1}, "at each session"),
        ({"every_sessions": 4}, "every 4 sessions"),
        ({"before_sessions": "20"}, "before session 20"),
        ({"every_days": 28, "ends_on": dt.date(2026, 12, 1)}, "about every 4 weeks; until 1 December 2026"),
        ({"every_days": 7, "baseline_askings": 3}, "3 times in the first two weeks; about every week"),
        ({"baseline_askings": 1}, "once"),
    ],
)
def test_how_often_in_words(tmp_path, plan, expected):
    with Store.create(f"sqlite:///{tmp_path / 'c.db'}") as store:
        with store.writing() as record:
            record.add(Client("C1"))
            record.add(PlannedMeasure("C1", "rses", day(0), **plan))
        planned = PlannedMeasure(**store.planned_measures().row(0, named=True))
        schedule = client_plan(store, "C1", as_of=day(0)).of("rses")
        assert how_often(planned, schedule, catalogue("en"), day(0)) == expected


def test_a_pause_is_said(tmp_path):
    with Store.create(f"sqlite:///{tmp_path / 'c.db'}") as store:
        with store.writing() as record:
            record.add(Client("C1"))
            record.add(PlannedMeasure("C1", "rses", day(0), every_days=7))
            record.add(MeasurePause("C1", day(1)))
        (row,) = rows_of(reports.measures_report(store, "C1", as_of=day(2)))
        assert row[2] == "not for now"


def test_without_a_plan_it_is_refused_with_the_repair(store):
    with pytest.raises(ReportError, match="mbc client plan C002 --start"):
        reports.measures_report(store, "C002", as_of=DAY)


def test_what_is_not_theirs_or_not_known_is_refused(store):
    with pytest.raises(NotInRecord):
        reports.measures_report(store.as_user("birch"), "C001", as_of=DAY)
    with pytest.raises(ReportError, match="'es', 'fr' or 'nl'"):
        reports.measures_report(store, "C001", language="it")
    with pytest.raises(ReportError, match="cannot be included"):
        reports.measures_report(store, "C001", include=["safety"])
