"""The report counts what is on record: each number is counted again by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mbc.care.signals.answer import answer_signal
from mbc.care.signals.note import update_signals
from mbc.care.signals.report import signal_report
from mbc.care.signals.report_words import alert_rows, followed_rows, notes, share_rows
from mbc.errors import AccessDenied
from mbc.store import Administration, Client, Clinician, Episode, Session, Store
from mbc.store.clinic_settings import SignalRules
from tests.dashboards.record import PASSWORD, day, rses_answers

FALLS = (22, 21, 14, 11, 10)
COURSES = {  # RSES at weeks 0, 2, 4, 6, 8, then at 12 and 16
    "C1": (*FALLS, 22, 26),  # answered "changed"; back above the start at the end
    "C2": (*FALLS, 10, 9),  # answered "seen"; stays low
    "C3": (*FALLS, 9, 9),  # not answered
    "C4": (10, 12, 16, 20, 22, 24, 25),  # no signal, improved
    "C5": (20, 20, 21, 20, 20, 20, 20),  # no signal, did not improve, began too well for one
}
WEEKS = (0, 2, 4, 6, 8, 12, 16)


@pytest.fixture(scope="module")
def clinic() -> Iterator[Store]:
    with Store.create("sqlite://") as store:
        store.set_signal_rules(SignalRules(follow_sessions=4))
        with store.writing() as record:
            record.add_all([Clinician("K1", "Dr Ash"), Clinician("K2", "Dr Birch")])
            for client, totals in COURSES.items():
                record.add(Client(client, None, "K2" if client == "C3" else "K1", day(0)))
                record.add(Episode(f"E-{client}", client, "K1", day(0), day(0)))
                record.add_all([Session(client, f"E-{client}", week + 1, day(week)) for week in range(9)])
                for week, total in zip(WEEKS[:5], totals, strict=False):
                    answers = rses_answers(total)
                    record.add(Administration(client, "rses", day(week), answers, form="a", coding="0-3"))
        assert update_signals(store, as_of=day(8)) == 3
        answer_signal(store, "C1", "changed", change="alliance", on=day(9))
        answer_signal(store, "C2", "seen", on=day(11))
        store.accounts.add("ash", PASSWORD, "clinician", "K1")
        store.accounts.add("ana", PASSWORD, "analyst")
        yield store


@pytest.fixture(scope="module")
def ended(clinic: Store) -> Store:
    """Four more sessions and two more scores each; then care ends."""
    with clinic.writing() as record:
        for client, totals in COURSES.items():
            record.add_all([Session(client, f"E-{client}", week + 1, day(week)) for week in range(9, 17)])
            for week, total in zip(WEEKS[5:], totals[5:], strict=True):
                answers = rses_answers(total)
                record.add(Administration(client, "rses", day(week), answers, form="a", coding="0-3"))
            record.end_episode(f"E-{client}", on=day(17), ending="planned")
    return clinic


def test_shares_alerts_and_what_followed(ended):
    report = signal_report(ended, as_of=day(18))
    assert [words.partition(" (")[0] for _, words in share_rows(report)] == ["2 of 3", "2 of 3", "1 of 2"]
    assert report.days_to_answer == 14.0  # 7 and 21 days
    assert alert_rows(report) == [("Dr Ash", "2", "0"), ("Dr Birch", "1", "0")]
    followed = {row[0]: (row[1].partition(" (")[0], row[2]) for row in followed_rows(report)}
    # the fourth session after week 8 is in week 12: C1 had 22 then, as at the start
    assert {answer: share for answer, (share, _) in followed.items()} == {
        "something was changed": "1 of 1", "seen": "0 of 1", "not now": "none yet", "no answer": "0 of 1",
    }  # fmt: skip
    assert followed["something was changed"][1].startswith("+")
    assert report.waiting == 0
    assert "no proof of a cause" in notes(report)[-1]
    table = report.to_frame()
    assert table["numerator"].to_list()[:3] == [2, 2, 1]
    assert set(table["published"].to_list()[:3]) == {"NULL"}  # too few to be published


def test_a_clinician_counts_their_own_clients_and_an_analyst_none(ended):
    ash = ended.as_user("ash")
    assert alert_rows(signal_report(ash, as_of=day(18))) == [("Dr Ash", "2", "0")]
    with pytest.raises(AccessDenied, match="exact counts"):
        signal_report(ended.as_user("ana"), as_of=day(18))


def test_a_younger_look_back_counts_less(ended):
    early = signal_report(ended, as_of=day(7))
    assert (early.since, early.answered.words) == (None, "none yet")
    assert "No signal is on record yet" in notes(early)[0]
