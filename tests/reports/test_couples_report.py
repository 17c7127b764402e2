"""The summary for a couples therapist: consented scales and days, by those who may know, never against safety."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mbc import reports
from mbc.errors import AccessDenied, NotInRecord, ReportError
from mbc.reports.document import all_words
from mbc.store import Administration, Store
from mbc.store.schema.entries import CouplesReadiness, ReleaseOfInformation
from mbc.store.schema.safety_entries import CouplesContraindication
from tests.dashboards.record import PASSWORD, day, make_record
from tests.reports.documents import read_html, read_pdf, squeezed

DAY = day(11)
EXPIRES = day(30)


def release(name: str, scales: str = "rses csi4.total", **more) -> ReleaseOfInformation:
    about = {"purpose": "planning work as a couple", "signed_on": day(5), "expires_on": EXPIRES} | more
    return ReleaseOfInformation(name, "C001", "Dr Rowan", scales=scales, **about)


@pytest.fixture(scope="module")
def record(tmp_path_factory) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path_factory.mktemp('couples') / 'clinic.db'}"
    make_record(url)
    with Store.open(url) as store:
        store.accounts.add("noa", PASSWORD, "clinician", "K1")
        with store.writing() as writing:
            sessions = [Administration("C001", "srs", day(week), (9, 9, 8, 9)) for week in (2, 4)]
            writing.add_all([*sessions, CouplesReadiness("C001", day(9), 6, "both wish it")])
            writing.add_all(
                [
                    release("R-1"),
                    release("R-2", "rses couples_readiness", covers_from=day(1), covers_to=day(7)),
                    release("R-3", "couples_readiness srs"),
                    release("R-4", expires_on=day(10)),
                    release("R-5", withdrawn_on=day(9), withdrawn_reason="changed their mind"),
                    release("R-6", signed_on=day(12)),
                ]
            )
        yield store


def words_of(store: Store, name: str, **options) -> str:
    return " ".join(all_words(reports.couples_report(store, "C001", name, as_of=DAY, **options).blocks))


def test_only_the_consented_scales_of_all_days(record):
    document = reports.couples_report(record.as_user("ash"), "C001", "R-1", as_of=DAY)
    printed = read_pdf(document.pdf())
    text = squeezed(printed.text)
    assert squeezed("From 10 on 5 January 2026 to 22 on 16 March 2026: clearly better (6 scores") in text
    assert "CSI4" in text
    for other in (
        "PHQ",
        "Depressive",
        "Session rating",
        "alliance",
        "Readiness",
        "Ended",
        "R-2",
        "Willow",
        "single",
    ):
        assert squeezed(other) not in text.replace(squeezed("Released"), ""), other
    assert (printed.part, printed.language) == ("1", "en")
    assert all(printed.alternatives)
    assert squeezed("clearly better (6 scores") in squeezed(read_html(document.html()).text)


def test_purpose_recipient_and_expiry_stand_on_every_sheet(record):
    printed = read_pdf(reports.couples_report(record, "C001", "R-1", as_of=DAY).pdf())
    for number, page in enumerate(printed.pages, start=1):
        text = squeezed(page)
        for words in (
            "C001, for Dr Rowan only",
            "purpose: planning work as a couple",
            "until 3 Aug 2026",
            "23 Mar 2026",
        ):
            assert squeezed(words) in text
        assert f"page{number}of" in text


def test_only_the_consented_days_and_verdicts_of_those_alone(record):
    text = words_of(record, "R-2")
    # of 10, 11, 9, 12, 20 and 22 those of weeks 2, 4 and 6
    assert "From 11 on 19 January 2026 to 12 on 16 February 2026: no clear change (3 scores" in text
    for other in ("5 January", "16 March", "CSI-4", "both wish it"):
        assert other not in text


def test_readiness_and_alliance_only_where_they_were_consented_to(record):
    text = words_of(record, "R-3")
    assert "both wish it" in text
    assert "6 of 10" in text
    assert "Session rating" in text
    assert "RSES" not in text


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("R-4", "expired on 16 March 2026"),
        ("R-5", "withdrawn on 9 March 2026"),
        ("R-6", "is valid from 30 March 2026"),
        ("R-7", "no release of information 'R-7'"),
    ],
)
def test_a_release_that_does_not_hold_is_refused(record, name, message):
    with pytest.raises(ReportError, match=message):
        reports.couples_report(record.as_user("ash"), "C001", name, as_of=DAY)


@pytest.mark.parametrize(("user", "fault"), [("noa", AccessDenied), ("oak", AccessDenied), ("birch", NotInRecord)])
def test_others_are_refused_whatever_is_on_record(record, tmp_path, user, fault):
    """The refusal is the same with a contraindication, without one, and without any release."""
    messages = []
    for contraindicated in (False, True):
        url = f"sqlite:///{tmp_path / str(contraindicated)}.db"
        make_record(url)
        with Store.open(url) as store:
            store.accounts.add("noa", PASSWORD, "clinician", "K1")
            with store.writing() as writing:
                writing.add(release("R-1"))
                if contraindicated:
                    writing.add(CouplesContraindication("C001", day(4), "violence or fear"))
            for name in ("R-1", "R-9"):
                with pytest.raises(fault) as refused:
                    reports.couples_report(store.as_user(user), "C001", name, as_of=DAY)
                messages.append(str(refused.value))
    assert len(set(messages)) == 1


def test_it_is_refused_while_couples_work_is_contraindicated(tmp_path):
    url = f"sqlite:///{tmp_path / 'clinic.db'}"
    make_record(url)
    with Store.open(url) as store:
        with store.writing() as writing:
            writing.add_all([release("R-1"), CouplesContraindication("C001", day(4), "violence or fear")])
        with pytest.raises(ReportError, match="contraindicated") as refused:
            reports.couples_report(store.as_user("ash"), "C001", "R-1", as_of=DAY)
        assert "violence" not in str(refused.value)
        ended = CouplesContraindication("C001", day(4), "violence or fear", ended_on=day(10))
        with store.writing() as writing:
            writing.add(ended, supersede="it ended")
        assert reports.couples_report(store.as_user("ash"), "C001", "R-1", as_of=DAY).kind == "couples"
        with pytest.raises(ReportError, match="contraindicated"):
            reports.couples_report(store.as_user("ash"), "C001", "R-1", as_of=day(9))
