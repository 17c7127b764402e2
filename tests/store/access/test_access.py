"""Who may see and write what: one table, walked for every role and every reader and writer."""

from __future__ import annotations

from datetime import date
from functools import partial
from itertools import product

import polars as pl
import pytest

from mbc.errors import AccessDenied, Conflict, MbcError, NotInRecord, StoreError
from mbc.store import (
    Administration,
    Client,
    Event,
    Goal,
    ImportSource,
    Relationship,
    User,
)
from mbc.store._aggregate_view import counting_view
from tests.store.conftest import GOOD_PASSWORD, fill_numbers

pytestmark = pytest.mark.long

DAY = date(2026, 5, 1)
# who does what is walked in test_roles_table.py; here is how it is refused, and what a refusal gives away
ACCOUNTS = (
    "clinician", "clinician_safety", "supervisor", "analyst", "researcher", "safety_lead", "administrator",
)  # fmt: skip
PERSONS = (
    "clients", "episodes", "relationships", "statuses", "sessions", "administrations", "answers", "totals",
    "goals", "goal_ratings", "events",
)  # fmt: skip


@pytest.fixture
def three(filled):
    return filled(fill_three)


def fill_three(store):
    with store.writing(by="intake") as record:
        fill_numbers(record, (1, 2, 3))
    accounts = store.accounts
    accounts.add("clinician", GOOD_PASSWORD, "clinician", "T1")
    accounts.add("clinician_safety", GOOD_PASSWORD, "clinician", "T1", permissions=["safety:read"])
    accounts.add("supervisor", GOOD_PASSWORD, "supervisor", "T1", supervises=["T2"])
    for role in ("analyst", "researcher", "safety_lead", "administrator"):
        accounts.add(role, GOOD_PASSWORD, role)


def view(store, account):
    return store if account == "operator" else store.as_user(account)


OUTSIDE = {
    "operator": ("X1",), "clinician": ("C2", "C3"), "clinician_safety": ("C2", "C3"), "supervisor": ("C3",),
}  # fmt: skip


def test_a_client_outside_looks_exactly_like_one_that_does_not_exist(three):
    for account, outside in OUTSIDE.items():
        mine = view(three, account)
        for reader in (*PERSONS, *(("safety_flags",) if mine.has_permission("safety:read") else ())):
            for client_id in outside:
                with pytest.raises(NotInRecord) as other:
                    getattr(mine, reader)(client_id=client_id)
                with pytest.raises(NotInRecord) as nobody:
                    getattr(mine, reader)(client_id="X9")
                message, _, nearest = str(other.value).partition(" Nearest: ")
                assert message.replace(client_id, "X9") == str(nobody.value).partition(" Nearest: ")[0]
                assert client_id not in nearest, (account, reader)


@pytest.mark.parametrize(
    ("account", "purpose"), [("analyst", "clinic outcomes"), ("researcher", "de-identified cohort")]
)
def test_what_is_counted_holds_no_texts_and_opens_nothing_else(three, account, purpose):
    counted = counting_view(view(three, account), purpose)
    for frame, column in (
        (counted.clients(), "alias"),
        (counted.clinicians(), "display_name"),
        (counted.relationships(), "label"),
        (counted.goals(), "label"),
        (counted.events(), "label"),
    ):
        assert frame[column].is_null().all(), column
    for refused in (
        counted.safety_flags,
        partial(counted.answers, channel="safety"),
        partial(getattr, counted, "accounts"),
        counted.audit.entries,
        counted.verify,
    ):
        with pytest.raises(AccessDenied):
            refused()
    with pytest.raises(AccessDenied), counted.writing() as record:
        record.add(Client("C9", clinician_id="T1"))
    last = three.audit.entries().filter(action="aggregate").row(-1, named=True)
    assert (last["who"], purpose in last["detail"]) == (account, True)


def test_a_clinician_registers_a_client_of_their_own_and_of_nobody_else(three):
    mine = three.as_user("clinician")

    def write(record, **options):
        with mine.writing() as writing:
            return writing.add(record, **options)

    assert write(Client("C7", clinician_id="T1")) == "stored"
    with pytest.raises(NotInRecord, match="no clinician 'T2'"):
        write(Client("C8", clinician_id="T2"))
    with pytest.raises(NotInRecord, match="needs a clinician_id"):
        write(Client("C8"))
    with pytest.raises(Conflict, match="'C3' is already in use") as taken:
        write(Client("C3", clinician_id="T1"), supersede="mine now")
    assert "alias" not in str(taken.value)
    with pytest.raises(NotInRecord, match="no clinician 'T2'"):
        write(Client("C1", clinician_id="T2"), supersede="handed over")


def test_nobody_writes_in_the_name_of_another(three):
    with pytest.raises(AccessDenied, match="in the name of"), three.as_user("clinician").writing(by="boss"):
        pass
    with three.as_user("clinician").writing(by="clinician") as record:
        record.add(Goal("G7", "C1", "rest", DAY))


def test_a_preview_stays_in_scope(three):
    rows = [Administration(client_id, "rses", DAY, (1, 2)) for client_id in ("C1", "C3")]
    assert [each.outcome for each in three.as_user("clinician").preview(rows)] == ["stored", "refused"]
    claimed = three.as_user("clinician").preview(rows, new_clients=["C3", "C99"])
    assert [each.outcome for each in claimed] == ["stored", "refused"]
    with pytest.raises(AccessDenied):
        three.as_user("analyst").preview(rows)


CLAIMS = (
    "", "\x00", "\ud800", "' OR 1=1 --", "C1\n", "C1 ", "c1", "\uff23\uff11", "x" * 100_000, "%", "C_", 7, ["C1"],
)  # fmt: skip


def test_whatever_a_browser_claims_is_a_client_that_does_not_exist(three):
    for mine, claim in product((three, three.as_user("clinician_safety")), CLAIMS):
        for reader in (*PERSONS, "safety_flags"):
            with pytest.raises(NotInRecord) as refused:
                getattr(mine, reader)(client_id=claim)
            assert len(str(refused.value)) < 200
            assert "\n" not in str(refused.value)
    assert three.verify().intact


@pytest.mark.parametrize("account", ["operator", "supervisor"])
def test_a_narrowed_view_holds_the_clients_named_and_no_others(three, account):
    narrowed = view(three, account).narrowed_to(["C2"])
    assert narrowed.clients()["client_id"].to_list() == ["C2"]
    assert set(narrowed.sessions()["client_id"]) == {"C2"}
    with pytest.raises(NotInRecord):
        narrowed.answers(client_id="C1")


def test_a_narrowed_view_cannot_be_widened_again(three):
    for account in ACCOUNTS:
        with pytest.raises(AccessDenied, match="another user"):
            three.as_user(account).as_user("administrator")
    with pytest.raises(AccessDenied, match="another user"):
        counting_view(three, "clinic outcomes").as_user("safety_lead")
    with pytest.raises(AccessDenied):
        counting_view(counting_view(three.as_user("analyst"), "clinic outcomes"), "clinic outcomes")


def test_flags_are_acknowledged_by_those_who_may_read_them(three):
    flags = three.safety_flags()
    number = dict(zip(flags["client_id"], flags["administration_id"], strict=True))

    def acknowledge(account, client_id):
        with view(three, account).writing() as record:
            record.acknowledge(number[client_id], "i9")

    with pytest.raises(AccessDenied):
        acknowledge("clinician", "C1")
    with pytest.raises(NotInRecord):
        acknowledge("clinician_safety", "C3")
    acknowledge("clinician_safety", "C1")
    acknowledge("safety_lead", "C3")
    assert three.safety_flags()["acknowledged_by"].to_list() == ["clinician_safety", None, "safety_lead"]


def test_a_caseload_follows_the_client(three):
    mine = three.as_user("clinician")
    with three.writing(by="intake") as record:
        record.add(Client("C1", "alias of C1", "T2", date(2026, 1, 2)), supersede="handed over")
    assert mine.clients().is_empty()
    with pytest.raises(NotInRecord):
        mine.answers(client_id="C1")


def test_a_disabled_account_has_no_view(three):
    three.accounts.set_active("clinician", active=False)
    with pytest.raises(AccessDenied, match="no active account 'clinician'"):
        three.as_user("clinician")


def test_refusals_and_reads_are_in_the_audit_trail(three):
    mine = three.as_user("clinician", origin="10.0.0.7")
    mine.goals(client_id="C1")
    mine.events(client_id="C1")  # the same minute: one line is enough
    for refused in (lambda: mine.goals(client_id="C3"), mine.safety_flags, lambda: mine.accounts):
        with pytest.raises(MbcError):
            refused()
    trail = three.audit.entries().filter(who="clinician").select("action", "subject", "origin").rows()
    assert trail == [
        ("read", "C1", "10.0.0.7"),
        ("refused", "C3", "10.0.0.7"),
        ("refused", None, "10.0.0.7"),
        ("refused", None, "10.0.0.7"),
    ]
    lead = three.as_user("safety_lead")
    lead.safety_flags(client_id="C2")
    lead.safety_flags()
    seen = three.audit.entries(include_safety=True).filter(who="safety_lead")
    assert seen.select("action", "subject").rows() == [("read safety", "C2"), ("read safety", None)]
    assert three.audit.entries(who="safety_lead").is_empty()


def test_a_client_is_named_in_the_trail_though_everybody_was_read_before(three):
    mine = three.as_user("clinician")
    mine.clients()
    mine.answers(client_id="C1")
    read = three.audit.entries(who="clinician", action="read")
    assert read["subject"].to_list() == [None, "C1"]


def test_a_user_is_taken_by_name_and_read_anew(three):
    stale = three.as_user("clinician").user
    three.accounts.set_active("clinician", active=False)
    with pytest.raises(AccessDenied, match="no active account"):
        three.as_user(stale)
    three.accounts.set_active("clinician", active=True)
    forged = User("clinician", "safety_lead", permissions=frozenset({"safety:read", "audit:read"}))
    assert three.as_user(forged).user.role == "clinician"
    assert not three.as_user(forged).has_permission("audit:read")


PROBES = (
    Administration(
        "C1", "hits", date(2026, 1, 9), (1, 2, 1, 1), {"total": 5}, channel="safety"
    ),  # the very answers
    Administration("C1", "hits", date(2026, 1, 9), (5, 5, 5, 5), channel="safety"),
    Administration("C1", "hits", date(2026, 1, 9), (1, 2, 1, 1), {"total": 5}),
    Administration("C1", "hits", DAY, (1, 1, 1, 1)),
)


def test_what_is_kept_apart_cannot_be_guessed_by_handing_it_in(three):
    mine, said = three.as_user("clinician"), set()
    for probe in PROBES:
        (seen,) = mine.preview([probe])
        assert seen.outcome == "refused"
        with pytest.raises(AccessDenied) as refused, mine.writing() as record:
            record.add(probe, supersede="a guess")
        said |= {seen.reason, str(refused.value)}
    assert len(said) == 1  # hit or miss: the answer is the same
    assert [each.outcome for each in three.as_user("clinician_safety").preview(PROBES[:2])] == [
        "duplicate", "refused",
    ]  # fmt: skip


def test_a_label_of_somebody_elses_client_is_not_told(three):
    def said(client_id):
        with pytest.raises(NotInRecord) as refused, three.as_user("clinician").writing() as record:
            record.add(Relationship("mine", client_id, "R1"))
        return str(refused.value).replace(client_id, "X9")

    assert said("C3") == said("X9")


def test_who_may_not_write_is_not_told_what_there_is(three):
    for account in ("supervisor", "analyst", "researcher", "safety_lead", "administrator"):
        mine = view(three, account)
        for there, not_there in (("C3-G1", "none"), ("C1-G1", "none")):
            said = set()
            for goal_id in (there, not_there):
                with pytest.raises(AccessDenied) as refused, mine.writing() as record:
                    record.retire_goal(goal_id, on=DAY, reason="reached")
                said.add(str(refused.value))
                with pytest.raises(AccessDenied), mine.writing() as record:
                    record.end_episode(goal_id.replace("G", "E"), on=DAY, ending="agreed")
            assert len(said) == 1, account


def test_trying_what_is_somebody_elses_stands_in_the_trail(three):
    mine = three.as_user("clinician", origin="10.0.0.7")
    mine.preview([Administration("C3", "rses", DAY, (1, 2))])
    with pytest.raises(NotInRecord), mine.writing() as record:
        record.add(Event("V9", "C3", DAY, "work", "new work"))
    with pytest.raises(Conflict), mine.writing() as record:
        record.add(Client("C3", clinician_id="T1"))
    with pytest.raises(AccessDenied), mine.writing(by="boss"):
        pass
    for forbidden in (mine.audit.entries, mine.audit.verify, mine.verify, lambda: mine.accounts):
        with pytest.raises(AccessDenied):
            forbidden()
    trail = three.audit.entries(who="clinician")
    assert set(trail["action"]) == {"refused"}
    assert trail["subject"].to_list() == ["C3", "C3", "C3", *[None] * 5]
    assert set(trail["origin"]) == {"10.0.0.7"}


def test_nobody_forges_a_line_that_the_record_writes_itself(three):
    for action in ("write", "sign-in", "sign-out", "read", "break glass"):
        with pytest.raises(StoreError, match="by the record itself"):
            three.as_user("analyst").audit.record(action, entry=1, seal="0" * 64)
    assert three.verify().intact


def test_nobody_writes_a_line_in_the_name_of_another_or_from_elsewhere(three):
    mine = three.as_user("clinician", origin="10.0.0.7")
    mine.audit.record("export", who="safety_lead", at="2020-01-01", origin="10.9.9.9", file="out.csv")
    line = three.audit.entries(last=1).row(0, named=True)
    assert (line["who"], line["origin"], line["at"].year > 2020) == ("clinician", "10.0.0.7", True)
    with pytest.raises(AccessDenied, match="cannot set their origin"):
        mine.from_origin("10.9.9.9")


def test_the_trail_is_told_of_those_who_read_it_and_keeps_the_safety_channel_apart(three):
    with three.as_user("clinician_safety").writing(source=ImportSource("hits of C1.csv")) as record:
        record.add(Administration("C1", "hits", DAY, (4, 4, 4, 4), channel="safety"))
        record.acknowledge(1, "i9")
    with three.as_user("safety_lead").writing() as record:
        record.acknowledge(3, "i9")
    three.as_user("safety_lead").answers(client_id="C2", channel="safety")
    with pytest.raises(AccessDenied):
        three.as_user("clinician").answers(client_id="C1", channel="safety")
    admin = three.as_user("administrator")
    shown = admin.audit.entries()
    text = " ".join(str(cell) for row in shown.drop("detail").rows() for cell in row)
    text += " ".join(detail for action, detail in shown["action", "detail"].rows() if "account" not in action)
    for word in ('"safety":', "hits", "acknowledge", "i9", "read safety"):
        assert word not in text, word
    assert three.audit.entries(last=1).row(0, named=True)["action"] == "audit read"
    with pytest.raises(AccessDenied):
        admin.audit.entries(include_safety=True)
    every = three.audit.entries(include_safety=True)
    assert shown["sequence"].is_null().all()  # a number that is missing would tell of a line that is left out
    assert not set(shown["action"]) & {"write safety", "read safety"}
    apart = every.filter(pl.col("action").is_in(["write safety", "read safety"]))
    assert apart["who"].to_list()[-3:] == ["clinician_safety", "safety_lead", "safety_lead"]
    assert '"acknowledged": 1' in " ".join(every["detail"])
