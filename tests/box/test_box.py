"""The box: who has the link can answer, nobody but the clinic can read, and nothing is lost or counted twice."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from mbc.box.box import IDLE_SECONDS, Box
from mbc.box.content import Asking, Choice, Question, Sheet
from mbc.box.seal import KeyPair, seal, unseal
from mbc.box.token import digest, is_secret, new_code, new_token, normal_code
from mbc.errors import MbcError
from tests.box.conftest import NOW

KEYS = KeyPair.new()
CHOICES = tuple(Choice(value=value, text=text) for value, text in enumerate(("never", "seldom", "often")))
ASKING = Asking(
    language="en",
    sheets=(
        Sheet(title="One", questions=(Question(text="A?", choices=CHOICES, lowest=0, highest=2),) * 3),
        Sheet(title="Two", questions=(Question(text="How much?", lowest=0, highest=10, whole_numbers=False),)),
    ),
)


def put(box: Box, asking_id: str = "A1", *, days: float = 4, code: str | None = None) -> str:
    token = new_token()
    until = NOW + timedelta(days=days)
    box.add(asking_id, ASKING, public_key=KEYS.public, expires_at=until, token=token, code=code)
    return token


def begin(box: Box, token: str) -> str:
    opened = box.find(token)
    assert opened is not None
    return box.begin(opened)


def answers(box: Box, asking_id: str = "A1") -> dict[int, float | None]:
    contents = [unseal(KEYS, sealed) for sealed in box.sealed(asking_id)]
    return {content["place"]: content["value"] for content in contents if "place" in content}


def test_what_was_answered_is_read_by_the_clinic_alone(box):
    secret = begin(box, put(box))
    for place, value in enumerate((0, 2, None, 7.5)):
        assert box.answer(secret, place, value) is not None
    assert box.send(secret) is not None
    assert answers(box) == {0: 0, 1: 2, 2: None, 3: 7.5}
    with pytest.raises(MbcError, match="cannot be opened"):
        unseal(KeyPair.new(), box.sealed("A1")[0])
    assert [each.state(NOW) for each in box.progress()] == ["answered"]


def test_the_file_holds_no_answer_no_token_and_is_its_owners(box, tmp_path):
    token, code = put(box), new_code()
    box.add("A2", ASKING, public_key=KEYS.public, expires_at=NOW + timedelta(days=1), token=new_token(), code=code)
    secret = begin(box, token)
    lengths: set[int] = set()
    for value in (0, 1, None):
        box.answer(secret, 0, value)
        lengths |= set(map(len, box.sealed("A1")))
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for hidden in (token, secret, code, code.replace("-", ""), '"place"', '"at"'):
        assert hidden.encode() not in content
    assert len(lengths) == 1  # an answer and a blank look alike
    assert stat.S_IMODE((tmp_path / "clinic.box").stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_a_box_is_shared_by_a_group_only_in_a_folder_that_says_so(tmp_path):
    for mode, expected in ((0o2770, 0o660), (0o770, 0o600), (0o2750, 0o600)):
        folder = tmp_path / f"{mode:o}"
        folder.mkdir()
        folder.chmod(mode)
        before = os.umask(0o077)
        try:
            box = Box(folder / "clinic.box")
            begin(box, put(box, days=9000))
        finally:
            os.umask(before)
        assert stat.S_IMODE((folder / "clinic.box").stat().st_mode) == expected
        assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {expected}  # the journal, too
        box.close()


def test_a_link_works_until_it_expires_and_once(box, clock):
    token = put(box, days=4)
    clock.now += timedelta(days=3, hours=23).total_seconds()
    secret = begin(box, token)
    box.answer(secret, 0, 1)
    assert box.send(secret) is not None
    assert box.find(token) is None  # used
    second = put(box, "A2", days=4)
    clock.now += timedelta(hours=1).total_seconds()
    assert box.find(second) is None  # over
    assert [each.state(datetime.fromtimestamp(clock.now, UTC)) for each in box.progress()] == [
        "answered",
        "expired",
    ]


def test_a_link_that_was_withdrawn_or_stopped_leads_nowhere(box):
    withdrawn, stopped = put(box, "A1"), put(box, "A2")
    secret = begin(box, withdrawn)
    box.withdraw("A1")
    assert box.find(withdrawn) is None
    assert box.answer(secret, 0, 1) is None
    opened = box.find(stopped)
    visit = box.begin(opened)
    box.answer(visit, 0, 1)
    box.stop(opened.number)
    assert box.find(stopped) is None
    assert box.visit(visit) is None
    assert box.sealed("A2") == []
    assert [each.state(NOW) for each in box.progress()] == ["withdrawn", "stopped"]


def test_another_link_and_a_code_lead_to_the_same_asking_and_all_end_together(box):
    code = new_code()
    token, other = put(box, code=code), new_token()
    box.add_token("A1", other)
    numbers = {box.find(secret).number for secret in (token, other, normal_code(code.lower()))}
    assert len(numbers) == 1
    secret = begin(box, other)
    box.answer(secret, 0, 1)
    box.send(secret)
    assert [box.find(each) for each in (token, other, normal_code(code))] == [None, None, None]


def test_two_devices_the_last_answer_counts_and_only_one_sends(box):
    token = put(box)
    first, second = begin(box, token), begin(box, token)
    box.answer(first, 0, 0)
    box.answer(second, 0, 2)
    box.answer(first, 1, 1)
    assert box.visit(second).draft == {0: 2}  # what the other device answered is not shown here
    assert box.visit(second).opened.answered == {0, 1}
    assert box.send(second) is not None
    assert box.answer(first, 0, 1) is None
    assert box.send(first) is None
    assert answers(box) == {0: 2, 1: 1}


def test_sending_twice_is_sending_once(box):
    secret = begin(box, put(box))
    box.answer(secret, 0, 1)
    assert box.send(secret).sent is False
    sealed = box.sealed("A1")
    assert box.send(secret).sent is True
    assert box.sealed("A1") == sealed


@pytest.mark.parametrize("kind", ["link", "code"])
def test_a_device_that_was_left_shows_nothing_and_keeps_what_was_answered(box, clock, kind):
    code = new_code()
    token = put(box, code=code)
    way = token if kind == "link" else normal_code(code)
    secret = begin(box, way)
    box.answer(secret, 0, 2)
    clock.now += IDLE_SECONDS[kind] + 1
    assert box.visit(secret) is None
    again = begin(box, way)
    assert box.visit(again).draft == {}
    assert box.visit(again).opened.answered == {0}
    box.leave(again)
    assert box.visit(again) is None
    assert answers(box) == {0: 2}


def test_many_taps_at_once_lose_nothing(box):
    secrets = [begin(box, put(box, f"A{n}")) for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        for place in range(4):
            list(pool.map(lambda secret, at=place: box.answer(secret, at, at % 3), secrets * 2))
    assert all(answers(box, f"A{n}") == {0: 0, 1: 1, 2: 2, 3: 0} for n in range(6))


def test_putting_the_same_asking_in_again_changes_nothing(box):
    put(box)
    put(box)
    assert len(box.progress()) == 1


def test_an_asking_goes_with_everything(box, tmp_path):
    secret = begin(box, put(box))
    box.answer(secret, 0, 1)
    box.discard("A1")
    with sqlite3.connect(tmp_path / "clinic.box") as connection:
        counts = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                  for table in ("asking", "token", "visit", "sealed")]  # fmt: skip
    connection.close()
    assert counts == [0, 0, 0, 0]


@pytest.mark.parametrize("text", ["", "short", "../../etc/passwd", "x" * 23, "K7QM-3XV0"])
def test_what_cannot_be_a_secret_is_not_looked_for(text):
    assert not is_secret(text)


def test_tokens_are_random_and_only_their_digests_are_kept():
    tokens = {new_token() for _ in range(2000)}
    codes = {new_code() for _ in range(2000)}
    assert len(tokens) == len(codes) == 2000
    assert all(is_secret(token) for token in tokens)
    assert len({digest(token) for token in tokens}) == 2000


def test_a_file_that_is_something_else_is_refused(tmp_path):
    (tmp_path / "x.box").write_text("something else entirely, " * 50)
    with pytest.raises(MbcError, match="not an answer box"):
        Box(tmp_path / "x.box")
    with pytest.raises(MbcError, match="cannot be opened"):
        Box(tmp_path / "absent" / "x.box")


def test_an_asking_is_read_as_it_was_written():
    assert Asking.from_json(ASKING.to_json()) == ASKING
    with pytest.raises(MbcError, match="cannot be read"):
        Asking.from_json('{"language": "en"}')


def test_sealing_the_same_twice_gives_two_different_things():
    assert seal(KEYS.public, {"value": 1}) != seal(KEYS.public, {"value": 1})
