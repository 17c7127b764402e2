"""Asked, answered, collected: what reaches the record, what does not, and who may know of it."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from mbc.box.content import Asking
from mbc.box.seal import KeyPair, seal
from mbc.care.askings.ask import battery
from mbc.care.askings.clear_box import clearing
from mbc.care.askings.collect import asking_states, collect
from mbc.care.askings.settings import AskingSettings
from mbc.care.scoring.scores import scores
from mbc.errors import AccessDenied, Conflict, MbcError, NotInRecord, SettingsError, WordingError
from mbc.instruments import instrument
from mbc.store import Goal, GoalRating
from tests.care.askings.conftest import FIRST, Clinic

NO_HELP = AskingSettings()


def states(clinic: Clinic, client_id: str = "C001") -> list[str]:
    return [row["state"] for row in asking_states(clinic.store, client_id)]


def test_a_weekly_check_in_comes_on_record_once(clinic):
    made = clinic.ask(*battery(NO_HELP, "weekly"), settings=NO_HELP)
    assert states(clinic) == ["made"]
    clinic.answer(made, 3, 2, 4, 1, 2, 1, 3, 4)
    result = collect(clinic.store, clinic.box)
    assert (result.answered, result.stored, result.faults) == (1, 1, [])
    assert clinic.box.progress() == []
    assert states(clinic) == ["answered"]
    answers = clinic.store.answers("checkin", client_id="C001").sort("item")
    assert answers["value"].to_list() == [3, 2, 4, 1, 2, 1, 3, 4]
    (score,) = scores(clinic.store, client_id="C001").filter(instrument="checkin")["score"].to_list()
    assert score == 3 + 2 + 4 + 1 + 2 + (4 - 1) + 3 + 4  # worry counts reversed
    assert collect(clinic.store, clinic.box).answered == 0


def test_collecting_again_after_an_interruption_writes_once(clinic, monkeypatch):
    clinic.answer(clinic.ask("checkin"), 1, 1, 1, 1, 1, 1, 1, 1)
    with monkeypatch.context() as patch:
        patch.setattr(type(clinic.box), "discard", lambda *_: (_ for _ in ()).throw(MbcError("killed")))
        assert collect(clinic.store, clinic.box).faults == [f"Request {_only(clinic)}: killed"]
    result = collect(clinic.store, clinic.box)
    assert (result.answered, result.stored, result.duplicates) == (1, 0, 1)
    assert clinic.store.administrations("checkin", client_id="C001").height == 1


def test_answers_of_several_questionnaires_go_to_their_own_form_target_and_channel(clinic):
    made = clinic.ask("csi4", "hits", "phq9", answers_alone=True)
    clinic.answer(made, *(5, 4, 3, 2), *(1, 1, 5, 5), *(0, 0, 0, 0, 0, 0, 0, 0, 2))
    assert collect(clinic.store, clinic.box).stored == 3
    care = clinic.store.administrations(client_id="C001").sort("instrument")
    assert care.select("instrument", "target", "coding").rows() == [
        ("csi4", "R1", "printed"), ("phq9", "self", instrument("phq9").coding().key)]  # fmt: skip
    flags = clinic.store.safety_flags().sort("instrument", "item")
    assert {(row["instrument"], row["item"], row["kind"]) for row in flags.iter_rows(named=True)} == {
        ("hits", "i3", "risk"), ("hits", "total", "risk"), ("phq9", "i9", "risk")}  # fmt: skip
    assert clinic.store.verify().faults == ()


def test_a_blank_stays_a_blank_and_a_sheet_left_empty_is_not_written(clinic):
    clinic.answer(clinic.ask("checkin", "csi4"), 3, None, 4)
    assert collect(clinic.store, clinic.box).stored == 1
    answers = clinic.store.answers("checkin", client_id="C001").sort("item")
    assert answers["value"].to_list() == [3, None, 4, None, None, None, None, None]
    assert clinic.store.administrations("csi4").is_empty()


def test_what_was_not_sent_is_not_collected(clinic):
    made = clinic.ask("checkin")
    clinic.answer(made, 3, 3, send=False)
    result = collect(clinic.store, clinic.box)
    assert result.answered == 0
    assert states(clinic) == ["begun"]
    later = datetime.now(UTC) + timedelta(days=4, minutes=1)
    collect(clinic.store, clinic.box, now=later)
    assert len(clinic.box.progress()) == 1  # by a slower clock it can still be answered
    later += timedelta(hours=1)
    collect(clinic.store, clinic.box, now=later)
    assert clinic.box.progress() == []
    assert [row["state"] for row in asking_states(clinic.store, now=later)] == ["expired"]
    assert clinic.store.administrations("checkin").is_empty()


def test_only_loaded_wording_is_asked(clinic):
    with pytest.raises(WordingError, match="No wording is loaded for rses"):
        clinic.ask("rses")
    with pytest.raises(WordingError, match="'de'"):
        clinic.ask("csi4", language="de")
    assert asking_states(clinic.store) == []


def test_nothing_that_may_ask_for_help_is_asked_without_the_clinics_own_words(clinic):
    with pytest.raises(SettingsError, match="phq9 may show that the client needs help"):
        clinic.ask("phq9", settings=NO_HELP)
    asked = clinic.box.find(clinic.ask("phq9").link.rpartition("/")[2]).asking
    assert asked.help_text == "Call 112."
    assert asked.shows_help


def test_safety_screens_are_asked_only_where_the_client_answers_alone(clinic):
    with pytest.raises(MbcError, match="confirm that the client answers alone"):
        clinic.ask("checkin", "hits")
    assert clinic.ask("checkin", "hits", answers_alone=True).questions == 12


def test_a_questionnaire_about_a_relationship_needs_one(clinic):
    with pytest.raises(MbcError, match="csi4 is about a current relationship"):
        clinic.ask("csi4", client_id="C002")
    with pytest.raises(NotInRecord, match="no relationship 'R2'"):
        clinic.ask("csi4", target="R2")


def test_the_relationship_is_called_what_was_agreed_or_nothing(clinic):
    named, unnamed = clinic.ask("checkin", "csi4", about="Robin"), clinic.ask("csi4")
    about = [sheet.about for made in (named, unnamed) for sheet in _asking(clinic, made).sheets]
    assert about == [None, "Robin", None]


def test_who_wants_no_more_is_not_asked_until_they_agree_again(clinic):
    first, second = clinic.ask("checkin"), clinic.ask("checkin")
    clinic.box.stop(clinic.box.find(first.link.rpartition("/")[2]).number)
    result = collect(clinic.store, clinic.box)
    assert result.stopped == ["C001"]
    assert states(clinic) == ["stopped", "withdrawn"]
    assert clinic.box.find(second.link.rpartition("/")[2]) is None
    with pytest.raises(Conflict, match="opted out"):
        clinic.ask("checkin")
    clinic.ask("checkin", again=True)
    clinic.ask("checkin")
    assert states(clinic) == ["stopped", "withdrawn", "made", "made"]


def test_a_clinician_asks_their_own_clients_and_does_not_collect(clinic):
    clinic.ask("checkin", as_user="ash")
    with pytest.raises(NotInRecord):
        clinic.ask("checkin", client_id="C002", as_user="ash")
    ash = clinic.store.as_user("ash")
    for attempt in (
        lambda: collect(ash, clinic.box),
        ash.asking_keys,
        lambda: ash.note_reminder("x", sent_before=0),
    ):
        with pytest.raises(AccessDenied):
            attempt()


def test_that_a_safety_screen_was_asked_is_known_to_those_with_the_permission_only(clinic):
    with pytest.raises(MbcError, match="hits on its own would reveal"):
        clinic.ask("hits", as_user="fir", answers_alone=True)
    with pytest.raises(AccessDenied):
        clinic.ask("checkin", "hits", as_user="ash", answers_alone=True)
    made = clinic.ask("checkin", "hits", as_user="fir", answers_alone=True)
    clinic.box.stop(clinic.box.find(made.link.rpartition("/")[2]).number)
    collect(clinic.store, clinic.box)
    ash, fir = (clinic.store.as_user(name).askings("C001")["instruments"].to_list() for name in ("ash", "fir"))
    assert (ash, fir) == ([["checkin"]], [["checkin", "hits"]])
    assert [row["state"] for row in asking_states(clinic.store.as_user("ash"), "C001")] == ["stopped"]
    lines = clinic.store.audit.entries(action="asking made")["detail"].to_list()
    assert len(lines) == 1
    assert "hits" not in "".join(lines)


def test_a_stop_is_kept_to_whatever_the_clocks_say(clinic, monkeypatch):
    made = clinic.ask("checkin")
    monkeypatch.setattr(clinic.box, "_clock", lambda: datetime.now(UTC).timestamp() - 3600)  # an hour slow
    clinic.box.stop(clinic.box.find(made.link.rpartition("/")[2]).number)
    clinic.ask("checkin")  # by somebody who does not know yet
    assert collect(clinic.store, clinic.box).stopped == ["C001"]
    assert states(clinic) == ["stopped", "withdrawn"]
    with pytest.raises(Conflict, match="opted out"):
        clinic.ask("checkin")


def test_goals_are_rated_in_the_clients_words_and_a_later_rating_of_the_day_counts(clinic):
    today = datetime.now().astimezone().date()
    with clinic.store.writing() as record:
        record.add_all([Goal("G1", "C001", "Sleep", FIRST), Goal("G2", "C001", "Say no", FIRST)])
        record.add_all([Goal("G3", "C001", "Esteem", FIRST, scale="rses"), Goal("G4", "C002", "Hers", FIRST)])
        record.add(GoalRating("G1", today, 2))
    for goal_id in ("G3", "G4", "G5"):
        with pytest.raises(NotInRecord, match="G1, G2"):
            clinic.ask(goals=((goal_id, ""),))
    made = clinic.ask("checkin", goals=(("G1", ""), ("G2", "Nein  sagen")), as_user="ash")
    texts = [question.text for _, question in clinic.box.find(made.link.rpartition("/")[2]).asking.questions]
    assert texts[8:] == ["Sleep", "Nein sagen"]
    clinic.answer(made, 1, 1, 1, 1, 1, 1, 1, 1, 6, 10)
    assert collect(clinic.store, clinic.box).stored == 3
    rows = clinic.store.goal_ratings(client_id="C001").sort("goal_id").select("goal_id", "rating").rows()
    assert rows == [("G1", 6.0), ("G2", 10.0)]
    assert clinic.store.verify().faults == ()
    assert states(clinic) == ["answered"]


def test_an_erased_client_leaves_the_box_with_what_was_not_collected(clinic):
    mine, answered, other = clinic.ask("checkin"), clinic.ask("checkin"), clinic.ask("checkin", client_id="C002")
    clinic.answer(mine, 1, 2, send=False)
    clinic.answer(answered, 1, 2)
    with pytest.raises(MbcError, match="names the client"), clearing(clinic.store, clinic.box, "C001"):
        clinic.store.erase("C001", reason="C001 asked for it")
    assert len(clinic.box.sealed(answered.asking_id)) == 3  # nothing was erased, nothing is lost
    with clearing(clinic.store, clinic.box, "C001"):
        clinic.store.erase("C001", reason="on request")
    assert [each.asking_id for each in clinic.box.progress()] == [other.asking_id]
    assert clinic.box.erasing() == set()


def test_an_erasure_that_was_stopped_half_way_is_completed_by_collecting(clinic, monkeypatch):
    made = clinic.ask("checkin")
    clinic.answer(made, 1, 2)
    with monkeypatch.context() as patch:
        patch.setattr(type(clinic.box), "discard", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt), clearing(clinic.store, clinic.box, "C001"):
            clinic.store.erase("C001", reason="on request")
    assert collect(clinic.store, clinic.box).faults == []
    assert clinic.box.progress() == []


def test_two_that_collect_at_once_write_once_and_complain_of_nothing(clinic):
    for _ in range(4):
        clinic.answer(clinic.ask("checkin"), 1, 1, 1, 1, 1, 1, 1, 1)
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda _: collect(clinic.store, clinic.box), range(3)))
    assert [fault for result in results for fault in result.faults] == []
    assert clinic.store.administrations("checkin").height == 4
    assert clinic.box.progress() == []


def test_an_asking_is_rendered_and_scored_from_the_record_alone(clinic, tmp_path, monkeypatch):
    made = clinic.ask("csi4")
    shown = _asking(clinic, made).sheets
    monkeypatch.setenv("MBC_WORDING", str(tmp_path / "empty"))
    _, sheets = clinic.store.asked_sheets(made.asking_id)
    assert [type(shown[0]).from_json(sheet.wording) for sheet in sheets] == list(shown)
    assert (sheets[0].form, sheets[0].coding, sheets[0].version) == (
        "standard",
        "printed",
        instrument("csi4").version,
    )


def test_an_answer_that_somebody_moved_to_another_client_is_not_written(clinic):
    mine, other = clinic.ask("checkin"), clinic.ask("checkin", client_id="C002")
    clinic.answer(mine, *[0] * 8)
    clinic.answer(other, *[4] * 8)
    connection = clinic.box._connection
    connection.execute("UPDATE OR REPLACE sealed SET number = 1 WHERE number = 2 AND place = 0")
    result = collect(clinic.store, clinic.box)
    assert len(result.faults) == 1
    assert "belongs to another request" in result.faults[0]
    assert clinic.store.administrations("checkin", client_id="C001").is_empty()


def test_an_answer_that_cannot_be_opened_stays_in_the_box_and_stops_nobody_else(clinic):
    broken, sound = clinic.ask("checkin"), clinic.ask("checkin", client_id="C002")
    clinic.answer(broken, *[0] * 8)
    clinic.answer(sound, *[4] * 8)
    forged = seal(KeyPair.new().public, {"asking": broken.asking_id, "place": 0, "value": 4})
    clinic.box._connection.execute("UPDATE sealed SET content = ? WHERE number = 1 AND place = 0", (forged,))
    result = collect(clinic.store, clinic.box)
    assert (result.answered, len(result.faults)) == (1, 1)
    assert [each.asking_id for each in clinic.box.progress()] == [broken.asking_id]


def test_whoever_takes_over_the_questionnaire_learns_no_answer_and_no_pseudonym(clinic):
    """All that the process has: its files, and what its database would dump; it has no key and no record."""
    made = clinic.ask("checkin", "csi4", about="Robin", settings=AskingSettings(help={"en": "Call 112."}))
    clinic.answer(made, *(3, 2, 4, 1, 2, 1, 3, 4), *(5, 4, 3, 2), send=False)
    files = b"".join(file.read_bytes() for file in (clinic.folder / "boxes").iterdir())
    taken = shutil.copytree(clinic.folder / "boxes", clinic.folder / "taken") / "clinic.box"
    with closing(sqlite3.connect(taken)) as database:
        dump = re.sub("X'[0-9A-F]*'", "", "\n".join(database.iterdump())).encode()
    assert b"INSERT INTO" in dump
    token = made.link.rpartition("/")[2]
    for hidden in ("C001", "Willow", "Dr Ash", "checkin", "csi4", token, made.code):
        assert hidden.encode() not in files + dump
    (keys,) = clinic.store.asking_keys()
    for form in (keys.private.encode(), bytes.fromhex(keys.private), keys.private.upper().encode()):
        assert form not in files + dump
    sealed = clinic.box.sealed(made.asking_id)
    assert len(sealed) == 12
    assert len(set(map(len, sealed))) == 1
    other = clinic.ask("checkin", "csi4")  # the same questions, answered otherwise: nothing but noise differs
    clinic.answer(other, *[0] * 8, *[0] * 4, send=False)
    assert set(map(len, clinic.box.sealed(other.asking_id))) == set(map(len, sealed))


KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import Engine, event
from mbc.box.box import Box
from mbc.care.askings.collect import collect
from mbc.store import Store
left = int(sys.argv[3])

@event.listens_for(Engine, "after_cursor_execute")
def count(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

with Store.open(sys.argv[1]) as store:
    collect(store, Box(Path(sys.argv[2])))
"""


@pytest.mark.long
@pytest.mark.parametrize("step", [20, pytest.param(32, marks=pytest.mark.slow)])
def test_collecting_that_was_killed_loses_nothing_and_writes_once(clinic, step):
    _killed_at(clinic, step)


@pytest.mark.slow
@pytest.mark.parametrize("step", range(1, 45))
def test_collecting_that_was_killed_at_any_step(clinic, step):
    _killed_at(clinic, step)


def _killed_at(clinic: Clinic, step: int) -> None:
    for client_id, value in (("C001", 1), ("C002", 3)):
        clinic.answer(clinic.ask("checkin", client_id=client_id), *[value] * 8)
    command = [
        sys.executable,
        "-c",
        KILLED,
        clinic.store.url,
        str(clinic.folder / "boxes" / "clinic.box"),
        str(step),
    ]
    subprocess.run(command, env={**os.environ, "PYTHONWARNINGS": "ignore"}, check=False, capture_output=True)
    assert collect(clinic.store, clinic.box).faults == []
    answers = clinic.store.answers("checkin").sort("client_id", "item")
    assert answers.select("client_id", "value").rows() == [("C001", 1.0)] * 8 + [("C002", 3.0)] * 8
    assert clinic.store.verify().faults == ()


def _only(clinic: Clinic) -> str:
    return asking_states(clinic.store)[0]["asking_id"]


def _asking(clinic: Clinic, made) -> Asking:
    return clinic.box.find(made.link.rpartition("/")[2]).asking
