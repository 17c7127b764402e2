"""A client's earlier scores in the box: read with the link alone, of one size always, gone at the end."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date, timedelta

import pytest

from mbc.box.box import IDLE_SECONDS, SENT_SECONDS, Box
from mbc.box.content import Asking, Choice, EarlierScores, Question, ScoreLine, Sheet
from mbc.box.seal import SCORES_BYTES, KeyPair, lock, lock_scores, unlock, unlock_scores
from mbc.box.token import digest, new_code, new_token, normal_code
from mbc.errors import MbcError
from tests.box.conftest import NOW

CHOICES = (Choice(value=0, text="no"), Choice(value=1, text="yes"))
ASKING = Asking(
    language="en", sheets=(Sheet(questions=(Question(text="A?", choices=CHOICES, lowest=0, highest=1),)),)
)
DAYS = (date(2026, 1, 12), date(2026, 1, 19), date(2026, 1, 26))
LINE = ScoreLine(
    sheet=0, lowest=0, highest=32, higher_is_better=True, scores=tuple(zip(DAYS, (17, 23, 11), strict=True))
)
SCORES = EarlierScores(lines=(LINE,))


def put(box: Box, asking_id: str = "A1", scores: EarlierScores | None = SCORES, code: str | None = None) -> str:
    token = new_token()
    box.add(
        asking_id, ASKING, public_key=KeyPair.new().public, expires_at=NOW + timedelta(days=4), token=token,
        code=code, scores=scores,
    )  # fmt: skip
    return token


def begin(box: Box, token: str) -> str:
    opened = box.find(token)
    assert opened is not None
    return box.begin(opened, token)


def sent(box: Box, token: str) -> str:
    secret = begin(box, token)
    box.answer(secret, 0, 1)
    box.send(secret)
    return secret


def blocks(box: Box, table: str) -> list[bytes]:
    return [row[0] for row in box._connection.execute(f"SELECT content FROM {table}").fetchall()]


def test_who_came_by_the_link_reads_them_once_everything_is_sent(box):
    secret = begin(box, put(box))
    assert box.earlier_scores(secret) is None
    box.answer(secret, 0, 1)
    assert box.earlier_scores(secret) is None
    box.send(secret)
    assert box.earlier_scores(secret) == SCORES


def test_with_and_without_scores_a_box_looks_the_same(box):
    with_scores, without = put(box), put(box, "A2", None)
    put(box, "A3", EarlierScores(lines=(LINE.model_copy(update={"scores": LINE.scores * 8}),)))
    box.add_token("A2", new_token())
    for token in (with_scores, without):
        begin(box, token)
    links, visits = blocks(box, "link_scores"), blocks(box, "visit_scores")
    assert (len(links), len(visits)) == (4, 2)
    assert len(set(map(len, [*links, *visits]))) == 1
    assert len(set(links + visits)) == 6  # each locked for itself
    rows = box._connection.execute("SELECT content FROM asking WHERE asking_id < 'A3'").fetchall()
    assert len(set(rows)) == 1  # what is asked does not say it either


def test_the_file_holds_no_score_and_what_the_box_knows_opens_nothing(box, tmp_path):
    token = put(box, code=(code := new_code()))
    secret = begin(box, token)
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for hidden in (*(day.isoformat() for day in DAYS), '"scores"', '"lines"', token, secret):
        assert hidden.encode() not in content
    kept = ["A1", "1", "", code, normal_code(code), digest(token).hex(), digest(secret).hex(), secret]
    assert [unlock_scores(each, blocks(box, "link_scores")[0]) for each in kept] == [""] * len(kept)
    kept[-1] = token
    assert [unlock_scores(each, blocks(box, "visit_scores")[0]) for each in kept] == [""] * len(kept)


def test_a_code_and_the_link_of_a_reminder_show_none(box):
    code = normal_code(new_code())
    put(box, code=code)
    assert box.earlier_scores(sent(box, code)) is None
    assert blocks(box, "visit_scores") == []
    put(box, "A2")
    reminder = new_token()
    box.add_token("A2", reminder)
    assert box.earlier_scores(sent(box, reminder)) is None


def test_a_link_opened_without_its_token_shows_none(box):
    token = put(box)
    secret = box.begin(box.find(token))
    box.answer(secret, 0, 1)
    box.send(secret)
    assert box.earlier_scores(secret) is None


def test_scores_of_one_link_moved_to_another_are_not_shown(box):
    first, second = put(box), put(box, "A2", None)
    move = "UPDATE link_scores SET content = (SELECT content FROM link_scores WHERE digest = ?) WHERE digest = ?"
    box._connection.execute(move, (digest(first), digest(second)))
    assert box.earlier_scores(sent(box, second)) is None


def test_they_are_gone_when_the_visit_is_left_and_after_ten_minutes(box, clock):
    left, idle = sent(box, put(box)), sent(box, put(box, "A2"))
    box.leave(left)
    assert box.earlier_scores(left) is None
    assert len(blocks(box, "visit_scores")) == 1
    clock.now += SENT_SECONDS + 1
    assert box.earlier_scores(idle) is None
    clock.now += max(IDLE_SECONDS.values())
    begin(box, put(box, "A3"))
    assert len(blocks(box, "visit_scores")) == 1  # of the new one


def test_the_device_that_did_not_send_shows_none(box):
    token = put(box)
    other, secret = begin(box, token), begin(box, token)
    box.answer(other, 0, 1)
    box.answer(secret, 0, 0)
    box.send(secret)
    assert box.earlier_scores(other) is None
    assert box.earlier_scores(secret) == SCORES
    assert len(blocks(box, "visit_scores")) == 1


@pytest.mark.parametrize("end", ["send", "withdraw", "stop", "discard"])
def test_a_link_that_has_ended_opens_nothing_any_more(box, end):
    token, other = put(box), put(box, "A2")
    opened, secret = box.find(token), begin(box, token)
    match end:
        case "send":
            box.answer(secret, 0, 1)
            box.send(secret)
        case "withdraw":
            box.withdraw("A1")
        case "stop":
            box.stop(opened.number)
        case _:
            box.discard("A1")
    (left,) = blocks(box, "link_scores")
    assert unlock_scores(token, left) == ""
    assert EarlierScores.from_json(unlock_scores(other, left)) == SCORES
    assert len(blocks(box, "visit_scores")) == (end == "send")


def test_a_box_made_before_there_were_scores_goes_on_working(box, tmp_path, clock):
    token = put(box)
    secret = begin(box, token)
    box.close()
    with closing(sqlite3.connect(tmp_path / "clinic.box")) as old:
        for table in ("link_scores", "visit_scores", "erasing"):
            old.execute(f"DROP TABLE {table}")
        assert old.execute("PRAGMA user_version").fetchone() == (1,)
        old.commit()
    with closing(Box(tmp_path / "clinic.box", clock=clock)) as opened:
        opened.answer(secret, 0, 1)  # a visit that was open meanwhile
        begun = begin(opened, token)
        opened.send(secret)
        assert opened.earlier_scores(secret) is None
        assert opened.visit(begun) is None
        assert opened.earlier_scores(sent(opened, put(opened, "A2"))) == SCORES


def test_a_secret_has_another_key_for_scores_than_for_answers():
    assert unlock("s", lock_scores("s", '{"0": 3}')) == {}
    assert unlock_scores("s", lock("s", {"0": 3})) == ""


def test_more_than_fits_is_refused():
    full = "ä" * (SCORES_BYTES // 2)
    assert unlock_scores("s", lock_scores("s", full)) == full
    with pytest.raises(MbcError, match=f"4097 bytes of earlier scores; the limit is {SCORES_BYTES}"):
        lock_scores("s", full + "x")
