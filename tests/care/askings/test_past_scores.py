"""The client's own earlier scores after sending: which, for whom, and what who takes over the process learns."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from dashboards.questionnaire.app import create_app
from mbc.box.content import EarlierScores
from mbc.box.seal import unlock, unlock_scores
from mbc.box.token import normal_code
from mbc.care.askings.clear_box import clearing
from mbc.care.askings.collect import collect
from mbc.care.askings.past_scores import FEWEST_SCORES, MOST_SCORES, earlier_scores
from mbc.care.scoring.scores import scores
from mbc.errors import MbcError, NotInRecord
from mbc.store import Administration, Episode, Event, Flag, RelationshipStatus, SafetyPlan, Store
from mbc.store.askings import AskedSheet
from tests.care.askings.conftest import FIRST, Clinic

VALUES = ((3, 2, 4, 1, 2, 1, 3, 4), (1, 0, 2, 2, 1, 4, 0, 1), (4, 4, 4, 3, 4, 0, 4, 4))
TOTALS = (22, 7, 31)  # worry, the sixth, counts reversed


def day(n: int) -> date:
    return FIRST + timedelta(days=7 * n)


def record(clinic: Clinic, *administrations: Administration) -> None:
    with clinic.store.writing() as writing:
        writing.add_all(administrations)


def weekly(clinic: Clinic, count: int = 3, client_id: str = "C001") -> None:
    record(clinic, *(Administration(client_id, "checkin", day(n), VALUES[n % 3]) for n in range(count)))


def ratings(clinic: Clinic, first: int, count: int, target: str = "R1") -> None:
    taken = (Administration("C001", "csi4", day(first + n), (n, n, n, n), target=target) for n in range(count))
    record(clinic, *taken)


def sheet(key: str, target: str = "self", channel: str = "care") -> AskedSheet:
    return AskedSheet(key, "1", "standard", "printed", channel, "{}", target=target)


def line(clinic: Clinic, asked: AskedSheet, store: Store | None = None) -> tuple[tuple[date, float], ...]:
    """Give the scores of one sheet; none where there is no line."""
    weekly_sheet = sheet("checkin")  # so that there always is one line
    found = earlier_scores(store or clinic.store, "C001", [weekly_sheet, asked])
    return next((each.scores for each in found.lines if each.sheet == 1), ())


def seen(clinic: Clinic, made, *values: float) -> EarlierScores | None:
    """Answer by the link, and give what is shown afterwards."""
    token = made.link.rpartition("/")[2]
    visit = clinic.box.begin(clinic.box.find(token), token)
    for place, value in enumerate(values or (1,)):
        clinic.box.answer(visit, place, value)
    clinic.box.send(visit)
    return clinic.box.earlier_scores(visit)


def test_the_line_has_the_scores_on_record_by_day_and_says_nothing_else(clinic):
    weekly(clinic)
    made = clinic.ask("checkin", as_user="ash", answers_alone=True, show_scores=True)
    assert made.scores_shown == (("checkin", 3),)
    (shown,) = seen(clinic, made).lines
    assert shown.scores == tuple(zip(map(day, range(3)), TOTALS, strict=True))
    on_record = scores(clinic.store, client_id="C001", instrument="checkin")["score"].to_list()
    assert [score for _, score in shown.scores] == on_record
    assert (shown.lowest, shown.highest, shown.higher_is_better, shown.only_last) == (0, 32, True, False)
    assert set(shown.model_dump()) == {
        "sheet", "lowest", "highest", "decimals", "higher_is_better", "scores", "only_last"
    }  # fmt: skip


def test_they_are_shown_only_to_a_client_who_answers_alone_and_only_when_chosen(clinic):
    weekly(clinic)
    with pytest.raises(MbcError, match=r"only to a client who answers alone: confirm .* \(--alone\)"):
        clinic.ask("checkin", show_scores=True)
    assert clinic.box.progress() == []
    assert seen(clinic, clinic.ask("checkin", answers_alone=True)) is None
    assert clinic.ask("checkin").scores_shown == ()


def test_with_too_few_scores_the_clinician_is_told_instead_of_nothing_being_shown(clinic):
    weekly(clinic, FEWEST_SCORES - 1)
    with pytest.raises(MbcError, match="C001 has fewer than 3 earlier scores on what is asked"):
        clinic.ask("checkin", answers_alone=True, show_scores=True)
    assert clinic.store.askings("C001").is_empty()
    assert clinic.box.progress() == []


def test_the_oldest_are_left_out_and_that_is_said(clinic):
    weekly(clinic, MOST_SCORES + 2)
    made = clinic.ask("checkin", answers_alone=True, show_scores=True)
    assert made.scores_shown == (("checkin", MOST_SCORES),)
    (shown,) = seen(clinic, made).lines
    assert shown.only_last
    assert [each for each, _ in shown.scores] == [day(n) for n in range(2, MOST_SCORES + 2)]


def test_many_questionnaires_share_the_room_and_too_many_are_refused(clinic):
    weekly(clinic, MOST_SCORES)
    asked = [sheet("checkin")]
    counts = [len(earlier_scores(clinic.store, "C001", asked * n).lines[-1].scores) for n in (1, 8, 20)]
    assert counts[0] == MOST_SCORES > counts[1] > counts[2] >= FEWEST_SCORES
    with pytest.raises(MbcError, match="of 60 questionnaires are too many"):
        earlier_scores(clinic.store, "C001", asked * 60)


def test_only_the_relationship_that_is_asked_about_and_none_that_is_over(clinic):
    weekly(clinic)
    ratings(clinic, 0, 4)
    assert [score for _, score in line(clinic, sheet("csi4", "R1"))] == [0, 4, 8, 12]
    with clinic.store.writing() as writing:
        writing.add(RelationshipStatus("C001", "ended", day(10), "R1"))
    assert line(clinic, sheet("csi4", "R1")) == ()
    record(clinic, *(Administration("C001", "ecr_rs", day(n), (2,) * 9, target="R1") for n in range(3)))
    assert line(clinic, sheet("ecr_rs", "R1")) == ()  # may still be asked, and has no line


def test_only_the_clients_own_answers_of_the_present_care(clinic):
    with clinic.store.writing() as writing:
        writing.add(Episode("E1", "C001", started_on=day(0), ended_on=day(4)))
        writing.add(Episode("E2", "C001", started_on=day(5)))
    weekly(clinic, 9)  # from the sixth on in the present care
    others = (Administration("C001", "checkin", day(n), (0,) * 8, informant="partner") for n in range(5, 9))
    record(clinic, *others)
    (shown,) = earlier_scores(clinic.store, "C001", [sheet("checkin")]).lines
    assert [each for each, _ in shown.scores] == [day(n) for n in range(5, 9)]
    assert {score for _, score in shown.scores} <= set(TOTALS)


def test_whose_client_it_is_not_learns_nothing(clinic):
    weekly(clinic, client_id="C002")
    with pytest.raises(NotInRecord):
        clinic.ask("checkin", client_id="C002", as_user="ash", answers_alone=True, show_scores=True)


@pytest.mark.long
def test_a_record_that_differs_in_safety_data_alone_shows_the_same_to_everybody(clinic):
    """Screens, their flags, a safety plan, an event of the safety channel: to the byte the same line."""
    weekly(clinic)
    record(clinic, *(Administration("C001", "phq9", day(n), (1,) * 9) for n in range(3)))
    asked = [sheet("checkin"), sheet("phq9"), sheet("hits", channel="safety"), sheet("hits")]

    def text() -> list[str]:
        return [earlier_scores(store, "C001", asked).to_json() for store in views]

    views = [clinic.store, clinic.store.as_user("ash"), clinic.store.as_user("fir")]
    before = text()
    assert len(set(before)) == 1
    record(
        clinic,
        *(Administration("C001", "hits", day(n), (4, 4, 4, 4), flags=(Flag("i1"),)) for n in range(4)),
        Event("V-9", "C001", day(2), "safety plan", "plan made"),
        SafetyPlan("C001", day(2), next_review_on=day(3)),
    )
    assert text() == before
    made = [clinic.ask(*keys, as_user="fir", answers_alone=True, show_scores=True)
            for keys in (("checkin", "phq9"), ("checkin", "phq9", "hits"))]  # fmt: skip
    assert made[0].scores_shown == made[1].scores_shown == (("checkin", 3), ("phq9", 3))
    with pytest.raises(MbcError, match="fewer than 3"):  # four scores of a screen are none
        earlier_scores(clinic.store.as_user("fir"), "C001", asked[2:])


def test_an_erased_client_and_a_withdrawn_request_leave_nothing(clinic):
    weekly(clinic)
    made = clinic.ask("checkin", answers_alone=True, show_scores=True)
    withdrawn = clinic.ask("checkin", answers_alone=True, show_scores=True)
    other = clinic.ask("checkin", client_id="C002")
    token = made.link.rpartition("/")[2]
    clinic.box.begin(clinic.box.find(token), token)
    clinic.box.withdraw(withdrawn.asking_id)
    assert _count(clinic, "link_scores") == 2
    with clearing(clinic.store, clinic.box, "C001"):
        clinic.store.erase("C001", reason="on request")
    assert (_count(clinic, "link_scores"), _count(clinic, "visit_scores")) == (1, 0)
    assert [each.asking_id for each in clinic.box.progress()] == [other.asking_id]


def test_collecting_removes_them_and_the_answers_are_the_next_lines_last_score(clinic):
    weekly(clinic)
    made = clinic.ask("checkin", answers_alone=True, show_scores=True)
    assert len(seen(clinic, made, *VALUES[0]).lines[0].scores) == 3  # what was just sent is not among them
    assert collect(clinic.store, clinic.box).stored == 1
    assert (_count(clinic, "link_scores"), _count(clinic, "visit_scores")) == (0, 0)
    assert line(clinic, sheet("checkin"))[-1][1] == TOTALS[0]


def test_whoever_takes_over_the_questionnaire_learns_no_earlier_score(clinic):
    """All that the process has while nobody comes by the link: its files, and what its database would dump.

    The same request is made twice, for a record with earlier scores and for one with others, and a third time
    without any: nothing but noise of one length differs.
    """
    weekly(clinic)
    made = [clinic.ask("checkin", answers_alone=True, show_scores=True)]
    weekly(clinic, 9)
    made += [
        clinic.ask("checkin", answers_alone=True, show_scores=True),
        clinic.ask("checkin", answers_alone=True),
    ]
    visits = [_answered_in_part(clinic, each) for each in made]
    files = b"".join(file.read_bytes() for file in (clinic.folder / "boxes").iterdir())
    taken = shutil.copytree(clinic.folder / "boxes", clinic.folder / "taken") / "clinic.box"
    with closing(sqlite3.connect(taken)) as database:
        dump = "\n".join(database.iterdump())
        blocks = [row[0] for table in ("link_scores", "visit_scores")
                   for row in database.execute(f"SELECT content FROM {table}")]  # fmt: skip
        digests = [
            row[0] for table in ("token", "visit") for row in database.execute(f"SELECT digest FROM {table}")
        ]
        keys = [row[0] for row in database.execute("SELECT public_key FROM asking")]
        rows = database.execute("SELECT content, opened_at IS NULL, begun_at IS NULL FROM asking").fetchall()
    assert (len(blocks), len(set(map(len, blocks))), len(set(blocks))) == (6, 1, 6)
    assert len(set(rows)) == 1  # neither the questions nor their states say that there are scores
    readable = re.sub("X'[0-9A-F]*'", "", dump).encode()
    hidden = [day(n).isoformat() for n in range(9)] + [
        "only_last",
        "C001",
        made[0].link.rpartition("/")[2],
        *visits,
    ]
    assert [each for each in hidden if each.encode() in files + readable] == []
    guesses = [
        "",
        *(each.asking_id for each in made),
        *(form for each in made for form in (each.code, normal_code(each.code) or "")),
    ]
    guesses += [value.hex() for value in (*digests, *keys)] + [
        value.decode("latin-1") for value in (*digests, *keys)
    ]
    assert {unlock_scores(guess, block) for guess in guesses for block in blocks} == {""}
    assert [unlock(guess, block) for guess in guesses for block in blocks if unlock(guess, block)] == []
    link_alone = unlock_scores(made[0].link.rpartition("/")[2], blocks[0])
    assert link_alone.startswith('{"lines":')


SERVED = """
import sys
from pathlib import Path
from dashboards.questionnaire.app import create_app
from mbc.box.box import Box
box = Box(Path(sys.argv[1]))
browser = create_app(box).test_client()
for path in ("/", "/f/AAAAAAAAAAAAAAAAAAAAAA"):
    print(browser.get(path).status_code, flush=True)
print(len(box.progress()), flush=True)
sys.stdin.readline()
"""


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="reads the memory of a process, as Linux can")
def test_memory_and_environment_of_the_process_hold_no_score_and_no_key_before_the_link_is_opened(clinic):
    weekly(clinic)
    made = clinic.ask("checkin", answers_alone=True, show_scores=True)
    running = subprocess.Popen(
        [sys.executable, "-c", SERVED, str(clinic.folder / "boxes" / "clinic.box")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    with running:
        assert [running.stdout.readline() for _ in range(3)] == ["200\n", "404\n", "1\n"]
        memory, environment = _memory(running.pid), Path(f"/proc/{running.pid}/environ").read_bytes()
        running.stdin.close()
    assert b"AAAAAAAAAAAAAAAAAAAAAA" in memory  # it is that memory: a link that was tried is there
    for hidden in (made.link.rpartition("/")[2].encode(), day(0).isoformat().encode(), b'{"lines":'):
        assert hidden not in memory
        assert hidden not in environment


def _memory(process: int) -> bytes:
    parts: list[bytes] = []
    with Path(f"/proc/{process}/mem").open("rb", buffering=0) as memory:
        for mapped in Path(f"/proc/{process}/maps").read_text().splitlines():
            place, mode = mapped.split()[:2]
            if not mode.startswith("rw"):
                continue
            first, end = (int(each, 16) for each in place.split("-"))
            try:
                memory.seek(first)
                parts.append(memory.read(end - first))
            except OSError:
                continue  # pages of the kernel
    return b"\0".join(parts)


def _answered_in_part(clinic: Clinic, made) -> str:
    """Begin by the link, as the pages do, and answer one question; gives the secret of the visit."""
    browser = create_app(clinic.box).test_client()
    place = browser.post(f"/f/{made.link.rpartition('/')[2]}").location
    browser.post(place, data={"value": "2"})
    return place.split("/")[2]


def _count(clinic: Clinic, table: str) -> int:
    return clinic.box._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
