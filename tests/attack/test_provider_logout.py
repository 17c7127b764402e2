"""The clinic's directory says that a session there is over; somebody else says so in its name.

What a token must hold is OpenID Connect Back-Channel Logout 1.0, sections 2.4 and 2.6.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import RSAKey
from pyotp.totp import TOTP

from dashboards.app import open_app
from dashboards.settings import Settings
from dashboards.web.provider import ProviderRefused
from dashboards.web.provider_logout import read_logout
from dashboards.web.rate_limit import PROVIDER_LOGOUTS, RateLimits
from mbc.store import Store
from mbc.store.accounts.second_factor import new_secret
from tests.attack import test_provider as provider
from tests.attack.test_provider import CLIENT, KEY, OTHER_KEY, SECRET, Directory, begin, by_hand, come_back
from tests.dashboards.conftest import sign_in, token_of

pytestmark = pytest.mark.long

directory, record, stranger = provider.directory, provider.record, provider.stranger
EVENT = "http://schemas.openid.net/event/backchannel-logout"
REFUSED = "The logout token is not valid."
numbers = count()


def claims_of(directory: Directory, /, **changes: Any) -> dict[str, Any]:
    """What a good token says, but for the changes; a claim of None is left out."""
    now = int(time.time())
    claims = {
        "iss": directory.issuer, "aud": CLIENT, "iat": now, "exp": now + 120, "jti": f"n{next(numbers)}",
        "sub": "u-17", "events": {EVENT: {}}, **changes,
    }  # fmt: skip
    return {name: value for name, value in claims.items() if value is not None}


def signed(claims: dict[str, Any], key: RSAKey = KEY, /, **header: Any) -> str:
    return jwt.encode({"alg": "RS256", "kid": key.kid, "typ": "logout+jwt", **header}, claims, key)


def say_over(door: FlaskClient, *tokens: str) -> tuple[int, str]:
    """Send what the provider would; gives the status and the words."""
    answer = door.post(
        "/sign-in/provider/logout", data={"logout_token": list(tokens)}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    return answer.status_code, answer.text


@pytest.fixture
def enter(directory, record, stranger) -> Callable[..., FlaskClient]:
    """Sign in by the provider, as ash unless it says otherwise."""
    record.accounts.bind("ash", directory.issuer, "u-17")

    def come(visitor: FlaskClient | None = None, **claims: Any) -> FlaskClient:
        browser = stranger() if visitor is None else visitor
        assert come_back(browser, directory, begin(browser), **claims).status_code == 303
        return browser

    return come


def are_in(*visitors: FlaskClient) -> list[bool]:
    return [visitor.get("/caseload").status_code == 200 for visitor in visitors]


def test_a_subject_ends_every_sign_in_of_its_account_and_nobody_else_s(directory, record, stranger, enter):
    visitor, password, other, door = enter(sid="s1"), stranger(), stranger(), stranger()
    sign_in(password, "ash")
    sign_in(other, "birch")
    assert are_in(visitor, password, other) == [True] * 3
    assert say_over(door, signed(claims_of(directory))) == (200, "")
    assert are_in(visitor, password, other) == [False, False, True]
    line = record.audit.entries(action="signed out by provider").row(-1, named=True)
    assert (line["who"], line["subject"]) == ("not signed in", "ash")
    assert "u-17" not in line["detail"]
    assert record.accounts.sign_in_history("ash")["action"].to_list().count("signed out by provider") == 1
    assert are_in(enter(visitor, sid="s1")) == [True]  # comes again, in the same session even
    # the answer is the same whether or not anybody here is meant
    assert say_over(door, signed(claims_of(directory, sub="u-99", sid="s9"))) == (200, "")
    assert are_in(visitor) == [True]
    assert record.verify().faults == ()


def test_a_session_ends_its_own_sign_ins_and_those_of_no_known_session(directory, record, stranger, enter):
    first, second, unnamed, password = enter(sid="s1"), enter(sid="s2"), enter(), stranger()
    sign_in(password, "ash")
    door = stranger()
    assert say_over(door, signed(claims_of(directory, sid="s1")))[0] == 200
    assert are_in(first, second, unnamed, password) == [False, True, False, True]
    cookie = second.get_cookie("mbc")
    assert cookie is not None
    copied = stranger()  # another worker, which was not asked, with a copy of the cookie
    copied.set_cookie("mbc", cookie.value)
    assert are_in(copied) == [True]
    assert say_over(door, signed(claims_of(directory, sid="s2", sub=None)))[0] == 200
    assert are_in(second, copied, password) == [False, False, True]


def test_who_is_known_by_name_alone_is_signed_out_too(directory, record, stranger):
    visitor = stranger(match="preferred_username")
    come_back(visitor, directory, begin(visitor), sub="u-7", preferred_username="birch")
    assert are_in(visitor) == [True]
    assert say_over(stranger(), signed(claims_of(directory, sub="u-7")))[0] == 200
    assert are_in(visitor) == [False]


def test_a_sign_in_that_waits_for_its_code_is_over_too(directory, record, stranger, enter):
    totp = TOTP(new_secret())
    record.accounts.add_factor("ash", totp.secret, totp.at(time.time() - 30))
    visitor = stranger()
    answer = come_back(visitor, directory, begin(visitor), sid="s1")
    assert answer.headers["Location"] == "/sign-in/code"
    assert say_over(stranger(), signed(claims_of(directory, sid="s1")))[0] == 200
    token = token_of(visitor.get("/sign-in/code").text)
    visitor.post("/sign-in/code", data={"csrf": token, "code": totp.now()})
    assert are_in(visitor) == [False]


NOW = 1_800_000_000
GOOD: dict[str, Any] = {
    "iss": "https://id.example", "aud": CLIENT, "iat": NOW, "exp": NOW + 120, "jti": "n", "sub": "u",
    "events": {EVENT: {}},
}  # fmt: skip
FORGERIES: dict[str, tuple[dict[str, Any], str]] = {
    "another issuer": ({"iss": "https://id.elsewhere.example"}, "issuer"),
    "no issuer": ({"iss": None}, "issuer"),
    "another audience": ({"aud": "another-application"}, "audience"),
    "for two": ({"aud": [CLIENT, "another-application"]}, "audience"),
    "no audience": ({"aud": None}, "audience"),
    "expired": ({"iat": NOW - 300, "exp": NOW - 61}, "expires"),
    "ends before it begins": ({"exp": NOW}, "expires"),
    "no end": ({"exp": None}, "exp"),
    "an odd end": ({"exp": True}, "exp"),
    "no beginning": ({"iat": None}, "iat"),
    "from the future": ({"iat": NOW + 61, "exp": NOW + 200}, "issued"),
    "from long ago, for ever": ({"iat": NOW - 601, "exp": NOW + 10**9}, "issued"),
    "not a number": ({"iat": float("nan")}, "issued"),
    "no event": ({"events": None}, "event"),
    "another event": ({"events": {"http://schemas.openid.net/event/other": {}}}, "event"),
    "an odd event": ({"events": {EVENT: "{}"}}, "event"),
    "a list of events": ({"events": [EVENT]}, "event"),
    "a nonce": ({"nonce": "n"}, "nonce"),
    "an empty nonce": ({"nonce": ""}, "nonce"),
    "no number": ({"jti": None}, "number"),
    "an odd number": ({"jti": 7}, "jti"),
    "an endless number": ({"jti": "n" * 256}, "jti"),
    "nobody": ({"sub": None}, "subject"),
    "an odd subject": ({"sub": ["u"]}, "sub"),
    "an empty session": ({"sid": ""}, "sid"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_token_that_says_anything_else_is_refused(name):
    def read(header: dict[str, Any], claims: dict[str, Any]) -> object:
        return read_logout(header, claims, issuer="https://id.example", client_id=CLIENT, now=NOW)

    changes, check = FORGERIES[name]
    claims = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    with pytest.raises(ProviderRefused) as refusal:
        read({"typ": "logout+jwt"}, claims)
    assert str(refusal.value) == check
    for header in ({}, {"typ": "JWT"}, {"typ": "application/logout+jwt"}):
        read(header, {**GOOD, "aud": [CLIENT], "sid": "s"})
    for other in ("at+jwt", "secevent+jwt", 7, None):
        with pytest.raises(ProviderRefused, match="type"):
            read({"typ": other}, GOOD)


def test_what_the_provider_did_not_sign_ends_nothing_and_is_answered_alike(
    directory, record, stranger, enter, caplog
):
    visitor, door = enter(sid="s1"), stranger()
    claims = claims_of(directory)
    good = signed(claims)
    head, body, signature = good.split(".")
    changed = signed(claims_of(directory, sub="u-1")).split(".")[1]
    id_token = signed({**claims_of(directory, events=None, nonce="n"), "nonce": "n"}, typ="JWT")
    with caplog.at_level(logging.WARNING):
        for tokens in (
            (signed(claims, OTHER_KEY),),
            (by_hand(claims, "HS256", SECRET.encode()),),
            (by_hand(claims, "HS256", KEY.as_pem(private=False)),),
            (by_hand(claims, "none", None),),
            (f"{head}.{changed}.{signature}",), (f"{head}.{body}.",), (good[:-8],), (f"{good}.x.y",),
            (id_token,), (), ("",), ("x",), ("\N{BULLET}",), ("x" * 20_000,), (good, good),
        ):  # fmt: skip
            assert say_over(door, *tokens) == (400, REFUSED)
    assert are_in(visitor) == [True]
    assert record.audit.entries(action="signed out by provider").is_empty()
    assert not any(secret in caplog.text for secret in ("u-17", "ash", good[:40], SECRET))
    assert say_over(door, good) == (200, "")
    assert are_in(visitor) == [False]
    enter(visitor)
    for place in (door, stranger()):  # sent again, here and to another worker
        assert say_over(place, good) == (400, REFUSED)
    assert are_in(visitor) == [True]
    assert door.get(f"/sign-in/provider/logout?logout_token={signed(claims_of(directory))}").status_code >= 300
    assert are_in(visitor) == [True]


def test_newer_keys_are_fetched_and_unknown_ones_do_not_keep_the_provider_busy(directory, stranger, enter):
    visitor, door = enter(), stranger()
    newer, unknown = (RSAKey.generate_key(2048, {"kid": kid}) for kid in ("k2", "k3"))
    assert say_over(door, signed(claims_of(directory, sub="u-1")))[0] == 200
    directory.keys.append(newer)
    asked = directory.keys_asked
    assert say_over(door, signed(claims_of(directory), newer))[0] == 200
    assert are_in(visitor) == [False]
    assert [say_over(door, signed(claims_of(directory), unknown))[0] for _ in range(5)] == [400] * 5
    assert directory.keys_asked == asked + 1


def test_a_provider_that_is_away_is_asked_to_say_it_again(directory, stranger, make_app, own_record_url):
    door = stranger(issuer="http://127.0.0.1:9")
    assert say_over(door, signed(claims_of(directory)))[0] == 503
    without = make_app(own_record_url).server.test_client()
    assert without.post("/sign-in/provider/logout").status_code == 404


def test_a_flood_of_them_is_refused_and_keeps_nobody_out(directory, own_record_url):
    settled = Settings(secret_key="k" * 40, provider=provider.settings(directory))
    with open_app(own_record_url, settled, RateLimits(clock=lambda: 1.0)) as app:
        door = app.server.test_client()
        burst = int(PROVIDER_LOGOUTS.burst)
        answers = [door.post("/sign-in/provider/logout").status_code for _ in range(burst + 3)]
        assert answers == [400] * burst + [429] * 3
        assert sign_in(door, "birch").status_code == 303
        assert begin(door)["client_id"] == CLIENT
        with Store.open(own_record_url) as record:
            assert record.audit.entries(action="signed out by provider").is_empty()
