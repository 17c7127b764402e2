"""Every role against every page and form that manages something: what is not theirs does not exist or is refused.

Each form is sent by every role with a valid token of their own, with a wrong one, and from elsewhere; and an
administrator tries to reach by forms what only two people may give.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import date

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from dashboards.app import PAGES
from mbc.care import make_release
from mbc.cli.program import program
from mbc.errors import AccessDenied
from mbc.store import Client, Episode, Store
from tests.dashboards.conftest import sign_in, token_of
from tests.dashboards.record import PASSWORD

pytestmark = pytest.mark.long

ROLES = {
    "ash": "clinician", "oak": "supervisor", "lead": "safety_lead", "ana": "analyst", "res": "researcher",
    "adam": "administrator",
}  # fmt: skip
ADMIN_PAGES = ("/accounts", "/accounts/ash", "/caseloads", "/audit-log", "/erasure", "/settings")
FORMS: dict[str, tuple[str, dict[str, str]]] = {  # address -> who may, and what is sent
    "/add-account": ("adam", {"username": "eve", "role": "analyst"}),
    "/change-account": ("adam", {"username": "ana", "change": "disable"}),
    "/decide-request": ("adam", {"number": "00000000", "decision": "confirm"}),
    "/assign-clients": ("adam", {"client_id": "C001", "clinician_id": "K2", "reason": "K1 has left"}),
    "/add-clinician": ("adam", {"clinician_id": "K9", "display_name": "Dr Nine"}),
    "/erase-client": ("adam", {"client_id": "C002", "again": "C002", "reason": "request of today"}),
    "/require-factor": ("adam", {"role": "clinician", "required": "yes"}),
    "/set-retention": ("adam", {"years": "1"}),
    "/set-notice": ("adam", {"address": "mallory@example.net"}),
    "/set-signal-rules": ("adam", {"cooldown_days": "365", "follow_sessions": "52"}),
    "/require-second-person": ("adam", {"item": "phq9.i9"}),
    "/download-cohort": ("res", {"k": "5", "profile": "days"}),
    "/download-outcomes": ("ash oak ana", {"period": "latest"}),
}


@pytest.fixture
def record(own_record_url) -> Iterator[Store]:
    with Store.open(own_record_url) as store:
        store.accounts.add("res", PASSWORD, "researcher")
        store.accounts.add("lead", PASSWORD, "safety_lead")
        store.accounts.add("eva", PASSWORD, "administrator")
        yield store


@pytest.fixture
def come(record, own_record_url, make_app) -> Callable[[str], FlaskClient]:
    server = make_app(own_record_url).server

    def enter(username: str, password: str = PASSWORD) -> FlaskClient:
        visitor = server.test_client()
        assert sign_in(visitor, username, password).status_code == 303
        return visitor

    return enter


def token(visitor: FlaskClient) -> str:
    with visitor.session_transaction() as session:
        session.setdefault("csrf", "a token of this session")
        return session["csrf"]


def send(visitor: FlaskClient, address: str, /, **values: object):
    return visitor.post(address, data={"csrf": token(visitor), **values})


def note(visitor: FlaskClient) -> str:
    with visitor.session_transaction() as session:
        return str(session.pop("flash", ["", ""])[1])


def state(record: Store) -> object:
    """What the forms could change."""
    return (
        record.accounts.table().select("username", "role", "active", "permissions", "supervises").rows(),
        record.clients().rows(),
        record.clinicians().rows(),
        (record.accounts.factor_roles(), record.retention_years(), record.accounts.notice_address()),
    )


@pytest.mark.parametrize("who", ROLES)
def test_pages_of_others_do_not_exist(come, who):
    visitor = come(who)
    unknown = visitor.get("/no-such-page")
    for path in (*ADMIN_PAGES, "/cohort"):
        mine = who == "adam" if path != "/cohort" else who == "res"
        answer = visitor.get(path)
        assert answer.status_code == (200 if mine else 404), path
        if not mine:
            assert answer.text == unknown.text


@pytest.mark.parametrize("who", ROLES)
def test_every_role_has_a_page_to_begin_with(come, who):
    answer = come(who).get("/", follow_redirects=True)
    assert answer.status_code == 200
    assert "No pages" not in answer.text


@pytest.mark.parametrize("who", ROLES)
def test_forms_of_others_change_nothing(come, record, who):
    visitor, before = come(who), state(record)
    for address, (allowed, values) in FORMS.items():
        if who in allowed.split():
            continue
        refusals = record.audit.entries(action="refused", who=who).height
        answer = send(visitor, address, **values)
        assert answer.status_code in (303, 404), address
        assert not answer.headers.get("Content-Disposition")
        assert state(record) == before, address
        assert record.audit.entries(action="refused", who=who).height > refusals, address


def test_forms_need_the_token_of_their_session_and_come_from_our_pages(come, record):
    before, visitors = state(record), {}
    for address, (allowed, values) in FORMS.items():
        who = allowed.split()[0]
        visitor = visitors[who] = visitors.get(who) or come(who)
        for sent in ({}, {"csrf": ""}, {"csrf": "guessed"}):
            answer = visitor.post(address, data={**values, **sent})
            assert answer.status_code == 303, address
            assert not answer.headers.get("Content-Disposition")
        assert visitor.get(address).status_code in (404, 405)
        assert state(record) == before, address
    assert record.audit.entries(action="export").is_empty()


def test_every_form_is_in_the_table_above():
    known = {
        "/open-record", "/close-record",  # in tests of their own pages
        "/mark-seen", "/correct-note", "/confirm-mark",  # likewise
        "/record-entry", "/undo-entry", "/print",  # likewise
        "/ask-client", "/print-sheet", "/withdraw-asking",  # likewise
        "/change-password", "/sign-out-everywhere", "/remove-second-factor",  # in test_sign_in.py
        "/ask-passkey", "/add-passkey", "/remove-passkey",  # in test_passkeys.py
    }  # fmt: skip
    assert PAGES.forms.keys() - known <= FORMS.keys()


def test_an_administrator_adds_an_account_that_chooses_its_own_password(come, record):
    visitor = come("adam")
    send(visitor, "/add-account", username="new", role="clinician", clinician_id="K1")
    link = re.search(r"/new-password/\S+", note(visitor))
    assert link
    other = come("ana")
    page = other.get(link[0])
    assert page.status_code == 200
    assert "new" in page.text
    assert other.get("/new-password/guessed").status_code == 404
    chosen = {"csrf": token_of(page.text), "password": "nine otters, a lantern", "again": "nine otters, a lantern"}
    assert other.post(link[0], data={**chosen, "csrf": "guessed"}).status_code == 400
    assert other.post(link[0], data={**chosen, "again": "another"}).status_code == 400
    assert other.post(link[0], data={**chosen, "password": "short", "again": "short"}).status_code == 400
    assert other.post(link[0], data=chosen).status_code == 303
    assert other.get(link[0]).status_code == 404  # once
    come("new", "nine otters, a lantern")
    assert record.verify().faults == ()


ESCALATIONS: dict[str, tuple[str, dict[str, object]]] = {
    "safety:read for a colleague": (
        "/change-account",
        {"username": "birch", "change": "grant", "permission": "safety:read"},
    ),
    "clinicians:compare for a colleague": (
        "/change-account",
        {"username": "birch", "change": "grant", "permission": "clinicians:compare"},
    ),
    "demographics:read for a colleague": (
        "/change-account",
        {"username": "birch", "change": "grant", "permission": "demographics:read"},
    ),
    "a clinician with safety:read": (
        "/add-account",
        {"username": "mine", "role": "clinician", "clinician_id": "K1", "safety": "yes"},
    ),
    "a safety lead": ("/add-account", {"username": "mine", "role": "safety_lead"}),
    "a second administrator": ("/add-account", {"username": "mine", "role": "administrator"}),
    "a link for the safety lead": ("/change-account", {"username": "lead", "change": "link"}),
    "a link for who has safety:read": ("/change-account", {"username": "ash", "change": "link"}),
    "a link for another administrator": ("/change-account", {"username": "eva", "change": "link"}),
}


@pytest.mark.parametrize("attempt", ESCALATIONS)
def test_what_reaches_the_safety_channel_needs_a_second_person(come, record, attempt):
    address, values = ESCALATIONS[attempt]
    visitor = come("adam")
    send(visitor, address, **values)
    words = note(visitor)
    assert "second administrator" in words
    if "link" in attempt:
        assert "/new-password/" not in words
    (request,) = record.accounts.requests()
    name = request.username
    granted = dict(record.accounts.table().select("username", "permissions").iter_rows())[name]
    assert granted == (["safety:read"] if name == "ash" else [])
    if name == "mine" and "lead" in attempt:
        with pytest.raises(AccessDenied):
            record.as_user("mine")
    send(visitor, "/decide-request", number=request.number, decision="confirm")  # nor by themselves
    assert "Somebody else" in note(visitor)
    assert len(record.accounts.requests()) == 1
    if request.username == "eva":
        confirmed = record.accounts.confirm(request.number)  # about her own account: the operator
        assert confirmed.link is not None
    else:
        second = come("eva")
        send(second, "/decide-request", number=request.number, decision="confirm")
        assert "confirmed" in note(second)
    assert record.accounts.requests() == ()
    assert record.verify().faults == ()


def test_comparing_clinicians_is_requested_confirmed_reviewed_and_withdrawn_on_the_pages(come, record):
    def granted(name: str) -> list[str]:
        return dict(record.accounts.table().select("username", "permissions").iter_rows())[name]

    asker, second = come("adam"), come("eva")
    assert "Request clinicians:compare" in asker.get("/accounts/birch?plain=1").text
    assert "Request clinicians:compare" not in asker.get("/accounts/ana?plain=1").text
    send(asker, "/change-account", username="ana", change="grant", permission="clinicians:compare")
    assert "granted to clinicians and supervisors" in note(asker)
    send(asker, "/change-account", username="birch", change="grant", permission="clinicians:compare")
    (request,) = record.accounts.requests()
    assert "the permission clinicians:compare" in second.get("/accounts?plain=1").text
    assert granted("birch") == []
    send(second, "/decide-request", number=request.number, decision="confirm")
    assert granted("birch") == ["clinicians:compare"]
    listed = asker.get("/accounts?plain=1").text
    assert "clinicians:compare" in listed
    page = asker.get("/accounts/birch?plain=1").text
    assert "Withdraw clinicians:compare" in page
    assert "Request clinicians:compare" not in page
    send(asker, "/change-account", username="birch", change="withdraw", permission="clinicians:compare")
    assert granted("birch") == []
    assert record.verify().faults == ()


def test_nobody_confirms_what_is_about_their_own_account(come, record):
    asker, subject = come("adam"), come("eva")
    send(asker, "/change-account", username="eva", change="link")
    (request,) = record.accounts.requests()
    send(subject, "/decide-request", number=request.number, decision="confirm")
    assert "Somebody else" in note(subject)


def test_an_account_that_was_disabled_is_not_opened_again_by_one_person(come, record):
    visitor = come("adam")
    send(visitor, "/change-account", username="lead", change="disable")
    assert "Done" in note(visitor)
    send(visitor, "/change-account", username="lead", change="enable")
    assert "second administrator" in note(visitor)
    with pytest.raises(AccessDenied):
        record.as_user("lead")
    send(visitor, "/change-account", username="adam", change="disable")
    assert "your own account" in note(visitor)


def test_an_administrator_cannot_choose_the_password_of_another(record):
    with pytest.raises(AccessDenied, match="Give them a link"):
        record.as_user("adam").accounts.set_password("birch", "nine otters, a lantern")


def test_settings_are_the_same_on_the_page_and_in_the_commands(come, record, own_record_url):
    def command(*words: str) -> str:
        return CliRunner().invoke(program, [*words, "--store", own_record_url]).output.strip()

    visitor = come("adam")
    send(visitor, "/require-factor", role="safety_lead", required="yes")
    assert "Done" in note(visitor)
    send(visitor, "/set-retention", years="1")
    send(visitor, "/set-notice", address=" office@clinic.example ")
    send(visitor, "/set-signal-rules", cooldown_days="14", follow_sessions="1")
    send(visitor, "/require-second-person", item="phq9.i9")
    send(visitor, "/require-second-person", item="hits")
    with record.writing(by="tests") as writing:
        writing.add(Client("C009", None, "K1"))
        writing.add(Episode("E009", "C009", "K1", None, date(2010, 1, 4), date(2012, 3, 5), "agreed"))
    page = visitor.get("/settings?plain=1").text
    for sentence in (
        command("retention", "show"), command("user", "second-factor"), command("user", "notice"),
        command("signals", "set"), command("user", "second-person"),
    ):  # fmt: skip
        assert sentence in page
    for words in (
        "required for: safety lead", "kept for 1 year after", "office@clinic.example is written to",
        "is paused for 14 days; what followed is assessed after 1 session.", "reviews: hits, phq9.i9.",
    ):  # fmt: skip
        assert words in page
    assert "C009" in command("retention", "list")
    assert "5 Mar 2012" in page
    assert 'href="/erasure?plain=1"' in page
    lines = record.audit.entries(action="setting changed", who="adam")
    assert lines.height == 6
    assert record.verify().faults == ()
    with pytest.raises(AccessDenied, match=r"phq9\.i9 would no longer need a second person: only the operator"):
        record.as_user("adam").set_second_person_items(["hits"])


SENSELESS = (
    ("/require-factor", {"role": "owner", "required": "yes"}, "no role"),
    ("/set-retention", {"years": "0"}, "1 to 100"),
    ("/set-retention", {"years": "ten"}, "1 to 100"),
    ("/set-retention", {"years": ""}, "1 to 100"),
    ("/set-notice", {"address": "office@clinic.example, mallory@example.net"}, "One mail address"),
    ("/set-notice", {"address": "office@clinic.example\r\nBcc: mallory@example.net"}, "One mail address"),
    ("/set-notice", {"address": "office"}, "One mail address"),
    ("/set-signal-rules", {"cooldown_days": "0", "follow_sessions": "4"}, "1 to 365"),
    ("/set-signal-rules", {"cooldown_days": "28", "follow_sessions": "often"}, "1 to 52"),
    ("/require-second-person", {"item": "phq9.i1"}, "raises no flag"),
    ("/require-second-person", {"item": "nothing"}, "nothing"),
)


def test_settings_that_make_no_sense_are_refused(come, record):
    visitor, before = come("adam"), state(record)
    for address, values, words in SENSELESS:
        send(visitor, address, **values)
        assert words in note(visitor), values
        assert state(record) == before


def test_a_factor_is_required_by_one_and_given_up_by_two(come, record):
    record.accounts.require_factor(["safety_lead", "analyst"])
    visitor = come("adam")
    send(visitor, "/require-factor", role="safety_lead", required="")
    assert "second administrator" in note(visitor)
    assert record.accounts.factor_roles() == ("analyst", "safety_lead")
    (request,) = record.accounts.requests()
    assert request.about == "all accounts"
    send(visitor, "/decide-request", number=request.number, decision="confirm")
    assert "Somebody else" in note(visitor)
    assert "all accounts" in come("eva").get("/accounts?plain=1").text
    second = come("eva")
    send(second, "/decide-request", number=request.number, decision="confirm")
    assert "confirmed for all accounts" in note(second)
    assert record.accounts.factor_roles() == ("analyst",)
    assert record.verify().faults == ()


def test_caseloads_change_and_the_clinician_before_no_longer_reads(come, record):
    assert come("ash").get("/client/C001").status_code == 200
    visitor = come("adam")
    send(visitor, "/assign-clients", client_id=["C001", "C002"], clinician_id="K2", reason="K1 has left")
    assert "2 clients in the caseload of K2" in note(visitor)
    assert come("ash").get("/client/C001").status_code == 404
    assert come("birch").get("/client/C001").status_code == 200
    send(visitor, "/assign-clients", client_id="C404", clinician_id="K2", reason="K1 has left")
    assert "Not on record: C404" in note(visitor)
    lines = record.audit.entries(action="write", who="adam")
    assert lines.height == 1
    assert record.verify().faults == ()


def test_an_erasure_needs_the_identifier_twice(come, record):
    visitor = come("adam")
    send(visitor, "/erase-client", client_id="C002", again="C003", reason="request of today")
    assert "differ" in note(visitor)
    send(visitor, "/erase-client", client_id="C002", again="C002", reason="request about C002")
    assert "names the client" in note(visitor)
    assert "C002" in record.clients()["client_id"]
    send(visitor, "/erase-client", client_id="C002", again="C002", reason="request of today")
    assert "tombstone erased-" in note(visitor)
    assert "C002" not in record.clients()["client_id"]
    assert record.verify().faults == ()


def test_a_researcher_downloads_a_cohort_that_names_nobody(come, record):
    answer = send(come("res"), "/download-cohort", k="5", profile="days")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        names = archive.namelist()
        content = b"".join(archive.read(name) for name in names).decode()
    assert "cohort/people.csv" in names
    for identifying in ("C001", "C003", "Willow", "Hazel", "K1", "Dr Ash", "2026-0"):
        assert identifying not in content
    (line,) = record.audit.entries(action="export", who="res").iter_rows(named=True)
    assert '"key": false' in line["detail"]
    for k in ("1", "4", "x", "", "99"):
        visitor = come("res")
        assert send(visitor, "/download-cohort", k=k).status_code == 303
        assert "from 5 to 50" in note(visitor)
    visitor = come("res")
    send(visitor, "/download-cohort", k="5", profile="coarse")
    assert "people are too few for k = 5" in note(visitor)
    send(visitor, "/download-cohort", k="5", profile="fine")
    assert "Choose one of these" in note(visitor)


def test_an_analyst_downloads_what_was_released_and_nothing_else(come, record):
    assert send(come("ana"), "/download-outcomes", period="2026-Q1").status_code == 303
    make_release(record, "2026-Q1")
    answer = send(come("ana"), "/download-outcomes", release="2026-Q1")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/csv")
    for identifying in ("C001", "C003", "Willow", "K1"):
        assert identifying not in answer.text
    assert record.audit.entries(action="export", who="ana").height == 1
    for kind, begins in (("pdf", b"%PDF"), ("xlsx", b"PK"), ("zip", b"PK")):
        made = send(come("ana"), "/download-outcomes", release="2026-Q1", kind=kind)
        assert made.data.startswith(begins)
        assert f"filename=release-2026-Q1.{kind}" in made.headers["Content-Disposition"]
    assert record.audit.entries(action="report", who="ana").height == 3
    assert send(come("ana"), "/download-outcomes", release="2026-Q1", kind="exe").status_code == 303
    odd = send(come("ana"), "/download-outcomes", release="../../x\r\nSet-Cookie: a=b")
    assert odd.status_code in (200, 303)
    assert "Set-Cookie: a" not in str(odd.headers)


def test_the_audit_page_filters_and_tells_nothing_of_the_safety_channel(come, record):
    record.as_user("lead").safety_flags()
    visitor = come("adam")
    fields = ("log-who", "log-action", "log-about", "log-from", "log-to")

    def ask(**typed: str) -> str:
        asked = {
            "output": "log-lines.children",
            "outputs": {"id": "log-lines", "property": "children"},
            "inputs": [{"id": "log-find", "property": "n_clicks", "value": 1}],
            "state": [{"id": name, "property": "value", "value": typed.get(name[4:])} for name in fields],
            "changedPropIds": ["log-find.n_clicks"],
        }
        return visitor.post("/_dash-update-component", json=asked).text

    assert "account added" in ask(action="account added")
    assert "sign-in" not in ask(action="account added")
    assert "No line matches" in ask(action="read safety")
    assert "safety flags" not in ask(who="lead")
    assert "No line matches" in ask(to="2020-01-01")
    for who in ("ash", "ana", "res", "lead"):
        other = come(who)
        visitor = other
        assert "account added" not in ask(action="account added")
