"""Somebody guesses passwords and codes, keeps people out by guessing, fills the log, or reuses old secrets."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from mbc.errors import AccessDenied, NotInRecord, StoreError
from mbc.store import Clinician, Store
from mbc.store.accounts import passwords, sign_ins
from mbc.store.schema import tables as t
from tests.dashboards.conftest import sign_in, token_of
from tests.dashboards.record import PASSWORD
from tests.store.conftest import GOOD_PASSWORD

pytestmark = pytest.mark.long

WRONG = "wrong wrong wrong"


@pytest.fixture
def people(filled) -> Store:
    return filled(add_ann)


def add_ann(store: Store) -> None:
    with store.writing(by="intake") as record:
        record.add(Clinician("K1", "One"))
    store.accounts.add("ann", GOOD_PASSWORD, "clinician", "K1")


def refusals(store: Store) -> int:
    return store.audit.entries(action="sign-in refused").height


def add_factor(store: Store, username: str) -> tuple[pyotp.TOTP, tuple[str, ...]]:
    totp = pyotp.TOTP(pyotp.random_base32())
    return totp, store.accounts.add_factor(username, totp.secret, totp.now())


def test_guesses_made_elsewhere_keep_nobody_out(people):
    for _ in range(20):
        assert people.accounts.verify("ann", WRONG, address="203.0.113.66") is None
    assert people.accounts.verify("ann", GOOD_PASSWORD, address="203.0.113.66") is None
    assert people.accounts.verify("ann", GOOD_PASSWORD, address="198.51.100.7") is not None


def test_a_known_browser_gets_in_while_the_whole_account_is_being_guessed_at(people):
    for number in range(sign_ins.MOST_FOR_ACCOUNT):
        people.accounts.verify("ann", WRONG, address=f"203.0.113.{number}")
    assert people.accounts.verify("ann", GOOD_PASSWORD, address="198.51.100.7") is None
    assert people.accounts.verify("ann", GOOD_PASSWORD, address="198.51.100.7", browser="hers") is not None
    for _ in range(sign_ins.MOST_FAILURES):  # and it has limits of its own
        people.accounts.verify("ann", WRONG, browser="hers")
    assert people.accounts.verify("ann", GOOD_PASSWORD, browser="hers") is None


def test_one_address_guesses_at_many_accounts_only_so_often(people, monkeypatch):
    for number in range(sign_ins.MOST_AT_ADDRESS):
        people.accounts.verify(f"name{number}", WRONG, address="203.0.113.66")
    checked = []
    monkeypatch.setattr(passwords, "matches", lambda *_: bool(checked.append(1)))
    for name in ("ann", "nobody"):  # and takes no work from then on, whoever is asked for
        assert people.accounts.verify(name, GOOD_PASSWORD, address="203.0.113.66") is None
    assert checked == []


@pytest.mark.parametrize("address", ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9"])
def test_a_network_of_ipv6_is_one_address(people, address):
    for number in range(sign_ins.MOST_FAILURES):
        people.accounts.verify("ann", WRONG, address=f"2001:db8:1:2::{number}")
    assert people.accounts.verify("ann", GOOD_PASSWORD, address=address) is None


def test_a_thousand_attempts_leave_a_handful_of_lines(people):
    before = people.audit.entries().height
    for number in range(300):
        people.accounts.verify("ann" if number % 2 else f"nobody{number}", WRONG, address="203.0.113.66")
    assert people.audit.entries().height - before < 12
    last = people.audit.entries(action="sign-in refused").row(-1, named=True)
    assert '"attempts": ' in last["detail"]
    assert people.verify().faults == ()


def test_guesses_made_at_the_same_moment_are_all_counted(people):
    gate = threading.Barrier(12)

    def guess() -> None:
        gate.wait()
        people.accounts.verify("ann", WRONG, address="203.0.113.66")

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (row,) = people.accounts.paused_sign_ins().filter(address="203.0.113.66", username="ann").to_dicts()
    assert row["failures"] == 12
    assert people.accounts.verify("ann", GOOD_PASSWORD, address="203.0.113.66") is None


def test_hashing_is_capped_and_a_burst_is_answered(people, monkeypatch):
    monkeypatch.setattr(passwords, "_PATIENCE", 0.05)
    assert passwords._AT_ONCE.acquire()
    assert passwords._AT_ONCE.acquire()
    try:
        with pytest.raises(StoreError, match="Too many people"):
            people.accounts.verify("ann", GOOD_PASSWORD)
    finally:
        passwords._AT_ONCE.release()
        passwords._AT_ONCE.release()
    assert people.accounts.verify("ann", GOOD_PASSWORD) is not None


def test_a_code_is_taken_once_and_in_its_time(people):
    totp, _ = add_factor(people, "ann")
    now = datetime.now(UTC)
    people._shared.clock = lambda: now + timedelta(minutes=2)
    code = totp.at(now + timedelta(minutes=2))
    assert people.accounts.verify("ann", GOOD_PASSWORD) is not None
    assert not people.accounts.verify_code("ann", totp.at(now - timedelta(minutes=5)))
    assert people.accounts.verify_code("ann", code)
    assert not people.accounts.verify_code("ann", code)
    assert people.audit.entries(action="sign-in").height == 1
    assert people.verify().faults == ()


def test_a_factor_is_dated_by_the_clock_of_the_accounts(people):
    moment, totp = datetime(2026, 3, 1, 9, 30, tzinfo=UTC), pyotp.TOTP(pyotp.random_base32())
    people._shared.clock = lambda: moment
    people.accounts.add_factor("ann", totp.secret, totp.at(moment))
    with people._engine.connect() as connection:
        assert connection.execute(select(t.second_factor.c.added_at)).scalar() == moment


def test_a_recovery_code_is_used_up(people):
    _, codes = add_factor(people, "ann")
    assert len(set(codes)) == 10
    assert people.accounts.verify_code("ann", codes[0].upper())
    assert not people.accounts.verify_code("ann", codes[0])
    with people._engine.connect() as connection:
        stored = str(connection.exec_driver_sql("SELECT * FROM recovery_code").all())
    assert not any(code in stored or code.replace("-", "") in stored for code in codes)


def test_whoever_knows_the_password_cannot_guess_codes_for_ever(people):
    totp, _ = add_factor(people, "ann")
    later = datetime.now(UTC) + timedelta(minutes=2)
    people._shared.clock = lambda: later
    for _ in range(sign_ins.MOST_FAILURES):
        people.accounts.verify("ann", GOOD_PASSWORD, address="203.0.113.66")
        assert not people.accounts.verify_code("ann", "000000", address="203.0.113.66")
    assert not people.accounts.verify_code("ann", totp.at(later), address="203.0.113.66")


def test_a_factor_needs_a_code_and_replaces_none(people):
    with pytest.raises(AccessDenied, match="does not match"):
        people.accounts.add_factor("ann", pyotp.random_base32(), "123456")
    add_factor(people, "ann")
    with pytest.raises(AccessDenied, match="already"):
        add_factor(people, "ann")


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM second_factor",
        "UPDATE second_factor SET secret = 'JBSWY3DPEHPK3PXP'",
        "INSERT INTO setting VALUES ('another', '[]')",
        "UPDATE setting SET value = '[]'",
    ],
)
def test_factors_and_settings_are_sealed(people, statement):
    add_factor(people, "ann")
    people.accounts.require_factor(["clinician"])
    assert people.verify().faults == ()
    with people._engine.begin() as connection:
        connection.exec_driver_sql(statement)
    assert people.verify().faults


def test_a_link_works_once_and_is_void_when_it_should_be(people):
    accounts = people.accounts
    first, second = accounts.make_link("ann"), accounts.make_link("ann")
    assert accounts.link_account(str(first)) is None  # replaced
    assert accounts.link_account(str(second)) == "ann"
    assert accounts.use_link(str(second), "nine otters, a lantern") == "ann"
    with pytest.raises(NotInRecord):
        accounts.use_link(str(second), "seven otters, a lantern")
    third = str(accounts.make_link("ann"))
    accounts.set_active("ann", active=False)
    assert accounts.link_account(third) is None
    accounts.set_active("ann", active=True)
    assert accounts.link_account(third) is None
    fourth = str(accounts.make_link("ann"))
    people._shared.clock = lambda: datetime.now(UTC) + timedelta(days=3, seconds=1)
    assert people.accounts.link_account(fourth) is None


# over the pages


@pytest.fixture
def record(own_record_url) -> Iterator[Store]:
    with Store.open(own_record_url) as store:
        yield store


@pytest.fixture
def stranger(record, own_record_url, make_app) -> Callable[[], FlaskClient]:
    server = make_app(own_record_url).server
    return server.test_client


def post(visitor: FlaskClient, address: str, page: str, **fields: str):
    token = token_of(visitor.get(page).text)
    return visitor.post(address, data={"csrf": token, **fields})


def own_token(visitor: FlaskClient) -> str:
    with visitor.session_transaction() as session:
        return session.setdefault("csrf", "a token of this session")


def test_a_password_alone_signs_nobody_in_who_has_a_second_factor(record, stranger):
    totp, codes = add_factor(record, "ash")
    visitor = stranger()
    assert sign_in(visitor, "ash").headers["Location"] == "/sign-in/code"
    assert visitor.get("/caseload").headers["Location"] == "/sign-in"
    assert visitor.post("/_dash-update-component", json={}).status_code == 401
    assert visitor.get("/second-factor").headers["Location"] == "/account"  # nothing to set up anew
    assert post(visitor, "/sign-in/code", "/sign-in/code", code="000000").status_code == 401
    assert visitor.post("/sign-in/code", data={"code": codes[0]}).status_code == 400  # no token
    assert post(visitor, "/sign-in/code", "/sign-in/code", code=codes[0]).headers["Location"] == "/caseload"
    assert visitor.get("/caseload").status_code == 200
    assert stranger().get("/sign-in/code").headers["Location"] == "/sign-in"
    assert totp.secret not in visitor.get("/account").text


def test_a_password_that_was_changed_meanwhile_takes_no_code(record, stranger):
    _, codes = add_factor(record, "ash")
    visitor = stranger()
    sign_in(visitor, "ash")
    record.accounts.set_password("ash", "nine otters, a lantern")
    with visitor.session_transaction() as session:
        token = session["csrf"]
    answer = visitor.post("/sign-in/code", data={"csrf": token, "code": codes[0]})
    assert answer.headers["Location"] == "/sign-in"
    assert visitor.get("/caseload").status_code == 303


def test_a_required_factor_is_set_up_before_anything_is_seen(record, stranger):
    record.accounts.require_factor(["clinician"])
    visitor = stranger()
    assert sign_in(visitor, "birch").headers["Location"] == "/second-factor"
    assert visitor.get("/caseload").headers["Location"] == "/sign-in"
    page = visitor.get("/second-factor").text
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert secret
    assert "data:image/svg+xml" in page
    assert post(visitor, "/second-factor", "/second-factor", code="000000").status_code == 400
    code = pyotp.TOTP(secret[1].replace(" ", "")).now()
    done = post(visitor, "/second-factor", "/second-factor", code=code)
    assert done.status_code == 200
    assert len(re.findall(r"<code>[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}</code>", done.text)) == 10
    assert visitor.get("/caseload").status_code == 200
    again = stranger()
    assert sign_in(again, "birch").headers["Location"] == "/sign-in/code"
    refused = again.post("/remove-second-factor", data={"csrf": own_token(again), "current": PASSWORD})
    assert refused.status_code == 401
    mine = visitor.post("/remove-second-factor", data={"csrf": own_token(visitor), "current": PASSWORD})
    assert mine.headers["Location"] == "/account"
    assert record.accounts.has_factor("birch")  # the clinic requires it


def test_my_account_changes_the_password_and_ends_every_sign_in(record, stranger):
    here, there = stranger(), stranger()
    for visitor in (here, there):
        sign_in(visitor, "ash")
        assert visitor.get("/account").status_code == 200
    new = {"new": "nine otters, a lantern", "again": "nine otters, a lantern"}
    wrong = here.post("/change-password", data={"csrf": own_token(here), "current": WRONG, **new})
    assert wrong.headers["Location"] == "/account"
    assert here.post("/change-password", data={"current": PASSWORD, **new}).headers["Location"] == "/account"
    assert record.accounts.verify("ash", PASSWORD) is not None
    done = here.post("/change-password", data={"csrf": own_token(here), "current": PASSWORD, **new})
    assert done.headers["Location"] == "/sign-in"
    assert there.get("/account").headers["Location"] == "/sign-in"
    assert record.accounts.verify("ash", PASSWORD) is None
    assert sign_in(stranger(), "ash", new["new"]).status_code == 303
    assert record.verify().faults == ()


def test_sign_out_everywhere_ends_copied_cookies(record, stranger):
    here, there = stranger(), stranger()
    sign_in(here, "ash")
    sign_in(there, "ash")
    here.post("/sign-out-everywhere", data={"csrf": "guessed"})
    assert there.get("/caseload").status_code == 200
    here.post("/sign-out-everywhere", data={"csrf": own_token(here)})
    assert there.get("/caseload").status_code == 303
    assert here.get("/caseload").status_code == 303


def test_guesses_at_a_present_password_are_paused(record):
    own = record.as_user("ash").own_account
    for _ in range(sign_ins.MOST_FAILURES):
        with pytest.raises(AccessDenied):
            own.change_password(WRONG, "nine otters, a lantern")
    with pytest.raises(AccessDenied):
        own.change_password(PASSWORD, "nine otters, a lantern")


def test_nobody_changes_the_account_of_another(record):
    own = record.as_user("ash").own_account
    with pytest.raises(AccessDenied, match="not your account"):
        own._accounts.choose_password("birch", "nine otters, a lantern")
    with pytest.raises(AccessDenied):
        _ = record.own_account


def test_a_browser_that_is_known_is_known_for_its_own_users_only(record, stranger):
    visitor = stranger()
    sign_in(visitor, "ash")
    kept = visitor.get_cookie("mbc-browser")
    assert kept is not None
    attacker = stranger()
    for value in (kept.value[:-2] + "xx", "guessed"):
        attacker.set_cookie("mbc-browser", value)
        for _ in range(sign_ins.MOST_FAILURES):
            sign_in(attacker, "birch", WRONG)
    attacker.set_cookie("mbc-browser", kept.value)  # another's browser does not open birch's pause
    assert sign_in(attacker, "birch").status_code == 401
    visitor.get("/sign-out")
    assert sign_in(stranger(), "ash").status_code == 303
