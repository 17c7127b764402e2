"""A questionnaire that should not be on record is withdrawn: kept, shown no more, and sealed."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from mbc.errors import AccessDenied, Conflict, NotInRecord, StoreError
from mbc.store import Administration, Client, Clinician, Store
from tests.store.conftest import GOOD_PASSWORD

DAY = date(2026, 1, 5)
PHQ9 = Administration("C1", "phq9", DAY, (1,) * 9, form="standard", coding="0-3", session_number=3)
SCREEN = Administration("C1", "hits", DAY, (1,) * 4, form="standard", coding="1-5")


@pytest.fixture
def recorded(filled) -> Store:
    return filled(fill_recorded)


def fill_recorded(store: Store) -> None:
    with store.writing(by="intake") as record:
        record.add_all([Clinician("K1", "Dr. One"), Client("C1", clinician_id="K1"), Client("C2")])
        record.add_all([PHQ9, SCREEN])


def number(store: Store, channel="care") -> int:
    return store.administrations(client_id="C1", channel=channel)["administration_id"].item()


def withdraw(store: Store, administration_id: int, client_id: str = "C1", *, by: str | None = None) -> None:
    with store.writing(by=by) as record:
        record.withdraw(administration_id, client_id=client_id, reason="entered in error")


def test_readers_leave_it_out_and_history_keeps_it_with_who_and_why(recorded):
    first = number(recorded)
    withdraw(recorded, first, by="ann")
    assert recorded.administrations("phq9").is_empty()
    assert recorded.answers("phq9").is_empty()
    assert recorded.administrations_to_score([]).answers.is_empty()
    history = recorded.provenance("phq9").select("recorded_by", "supersedes", "reason", "version").rows()
    assert history == [("intake", None, None, "1"), ("ann", first, "entered in error", "withdrawn")]
    (line,) = [row for row in recorded.audit.entries().iter_rows(named=True) if "withdrawn" in row["detail"]]
    assert line["subject"] == "C1"
    assert "ann" in line["detail"]
    assert recorded.verify().intact


def test_its_flag_stays_until_somebody_has_seen_it(recorded):
    first = number(recorded)
    withdraw(recorded, first)
    assert recorded.safety_flags(client_id="C1")["administration_id"].to_list() == [first]
    with recorded.writing() as record:
        record.acknowledge(first, recorded.safety_flags()["item"].item())
    assert recorded.safety_flags().is_empty()


def test_the_same_answers_do_not_come_back_unless_a_reason_is_given(recorded):
    withdraw(recorded, number(recorded))
    with recorded.writing() as record:
        assert record.add(PHQ9) == "duplicate"
    assert recorded.administrations("phq9").is_empty()
    with recorded.writing() as record:
        assert record.add(PHQ9, supersede="it was right after all") == "superseding"
    assert recorded.answers("phq9")["value"].to_list() == [1.0] * 9
    assert recorded.verify().intact


def test_only_the_newest_version_of_the_clients_own_is_withdrawn(recorded):
    first = number(recorded)
    for wrong in (first + 50, 2**63, -1):
        with pytest.raises(NotInRecord, match="no questionnaire with the number"):
            withdraw(recorded, wrong)
    with pytest.raises(NotInRecord, match="C2 has no questionnaire with the number"):
        withdraw(recorded, first, "C2")
    with recorded.writing() as record:
        record.add(Administration("C1", "phq9", DAY, (0,) * 9, form="standard", coding="0-3"), supersede="misread")
    second = number(recorded)
    with pytest.raises(Conflict, match=f"was corrected by {second}"):
        withdraw(recorded, first)
    withdraw(recorded, second)
    with pytest.raises(Conflict, match="already withdrawn"):
        withdraw(recorded, second)
    third = recorded.provenance("phq9")["administration_id"].to_list()[-1]
    with pytest.raises(Conflict, match="itself a withdrawal"):
        withdraw(recorded, third)


def test_a_safety_screen_does_not_exist_for_those_without_the_permission(recorded):
    recorded.accounts.add("one", GOOD_PASSWORD, "clinician", clinician_id="K1")
    recorded.accounts.add("two", GOOD_PASSWORD, "clinician", clinician_id="K1", permissions=["safety:read"])
    recorded.accounts.add("cohort", GOOD_PASSWORD, "researcher")
    screen = number(recorded, "safety")
    messages: list[str] = []
    for wrong in (screen, screen + 1):
        with pytest.raises(NotInRecord) as refused:
            withdraw(recorded.as_user("one"), wrong)
        messages.append(str(refused.value).replace(str(wrong), "N"))
    assert messages[0] == messages[1]
    with pytest.raises(AccessDenied):
        withdraw(recorded.as_user("cohort"), number(recorded))
    withdraw(recorded.as_user("two"), screen)
    assert recorded.administrations(channel="safety").is_empty()
    assert recorded.verify().intact


def test_a_moment_and_an_erasure_go_with_it(recorded):
    at = datetime(2026, 2, 1, 9, tzinfo=UTC)
    with recorded.writing() as record:
        record.add(Administration("C1", "gad7", at.date(), (1,) * 7, form="standard", coding="0-3", taken_at=at))
    withdraw(recorded, recorded.administrations("gad7")["administration_id"].item())
    assert recorded.verify().intact
    recorded.erase("C1", reason="request of 2026-03-02")
    assert recorded.verify().intact


def test_no_questionnaire_is_recorded_as_withdrawn():
    with pytest.raises(StoreError, match="version is 'withdrawn'"):
        Administration("C1", "phq9", DAY, (1,) * 9, version="withdrawn")
