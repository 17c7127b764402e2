"""``mbc record`` as a user calls it: one line writes, the line it prints undoes, and what is wrong is refused."""

from __future__ import annotations

import re
import shlex
import shutil
from datetime import date, timedelta

import pytest

from mbc.cli.record import COMMANDS
from mbc.cli.record.names import KIND_NAMES
from mbc.cli.record.write import today
from mbc.store import Administration, Client, Clinician, Store
from mbc.store.schema.kinds import KINDS
from tests.cli.in_process import mbc
from tests.store.conftest import GOOD_PASSWORD

TODAY = today()


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A record with a client, a relationship and a goal that were written by commands; each test has a copy."""
    file = tmp_path_factory.mktemp("record") / "clinic.db"
    where = f"sqlite:///{file}"
    with Store.create(where) as store, store.writing(by="test") as record:
        record.add_all([Clinician("K1", "Dr. One"), Client("C2", clinician_id="K1")])
    for line in (
        "client C1 --clinician K1 --on 2026-01-05",
        "relationship C1 R1 --status dating --since 2026-02-01",
        "goal C1 'say what I need' --baseline 2 --target 8 --on 2026-01-05",
    ):
        done = mbc("record", *shlex.split(line), "--store", where)
        assert done.returncode == 0, done.stderr
    return file


@pytest.fixture
def url(begun, tmp_path, monkeypatch):
    shutil.copy(begun, tmp_path / "clinic.db")
    where = f"sqlite:///{tmp_path / 'clinic.db'}"
    monkeypatch.setenv("MBC_STORE", where)
    return where


def run(line):
    return mbc("record", *shlex.split(line))


def rows(url, reader, **of):
    with Store.open(url) as store:
        return getattr(store, reader)(client_id="C1", **of).rows(named=True)


@pytest.mark.parametrize(
    ("line", "reader", "wrote"),
    [
        ("session C1 --on 2026-02-02 --modality video", "sessions", {"number": 1, "modality": "video"}),
        ("session C1 --missed", "sessions", {"number": 1, "attended": False, "held_on": TODAY}),
        pytest.param("rating C1 say 5 --on 2026-02-02", "goal_ratings", {"rating": 5.0}, marks=pytest.mark.slow),
        ("event C1 'moved in' --valence growth", "events", {"label": "moved in", "valence": "growth"}),
        pytest.param(
            "homework C1 'one request' --completion done --helpful 7", "homework", {"helpful": 7.0},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "win C1 'asked for a hug' --on 2026-02-02", "small_wins", {"label": "asked for a hug"},
            marks=pytest.mark.slow,
        ),
        ("conflict C1 --intensity 7 --repaired --hours-to-repair 20 --count 2", "conflicts", {"count": 2}),
        ("rupture C1 'felt judged' --kind withdrawal", "alliance_ruptures", {"repaired": None}),
        pytest.param(
            "readiness C1 4 --reasons 'partner hesitates'", "couples_readiness", {"rating": 4.0},
            marks=pytest.mark.slow,
        ),
        ("demographics C1 --age-band 25-34 --payer self", "demographics", {"age_band": "25-34", "gender": None}),
        ("clarity C1 3", "decision_clarity", {"rating": 3.0, "decision": None}),
        ("partner-view C1 R1 6 --aspect closeness", "imagined_partner_views", {"aspect": "closeness"}),
        (
            "release C1 'couples therapist' 'rses csi16.total' --purpose 'joint work' --expires-on 2027-01-01",
            "releases_of_information", {"scales": "rses csi16.total", "expires_on": date(2027, 1, 1)},
        ),
        ("measure C1 rses --every-days 14 --before-sessions '1 8'", "planned_measures", {"every_days": 14}),
        ("pause C1 --on 2027-07-01 --ends-on 2027-07-31", "measure_pauses", {"ends_on": date(2027, 7, 31)}),
        ("pattern C1 R1 'giving in'", "pattern_tags", {"pattern": "giving in", "noted_on": TODAY}),
        ("support C1 3 6.5", "support_networks", {"people": 3, "quality": 6.5}),
        ("safety-plan C1 --next-review-on 2027-01-01", "safety_plans", {"made_on": TODAY}),
        ("duty-to-report C1 'advice sought'", "duties_to_report", {"outcome": "advice sought"}),
        ("contraindication C1 'acute risk'", "couples_contraindications", {"ended_on": None}),
        ("questionnaire C1 rses 32210231-2 --on 2026-02-02", "administrations", {"form": "a", "coding": "0-3"}),
        ("questionnaire C1 csi4 5 4 3 2 --about R1", "administrations", {"instrument": "csi4"}),
    ],
)  # fmt: skip
def test_a_line_writes_an_entry_and_the_line_it_prints_takes_it_back(url, line, reader, wrote):
    done = run(line)
    assert done.returncode == 0, done.stderr
    (row,) = rows(url, reader)
    assert {name: row[name] for name in wrote} == wrote
    assert re.match(r"Recorded: .*C1|Recorded: goal rating", done.stdout)
    undo = done.stdout.splitlines()[-1].removeprefix("Undo: mbc ")
    back = mbc(*shlex.split(undo))
    assert (back.returncode, back.stdout.partition(":")[0]) == (0, "Withdrawn")
    assert rows(url, reader) == []
    with Store.open(url) as store:
        assert store.verify().intact


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("session C9", "no client 'C9' on record"),
        ("session C2", "no open episode of care. Open one: mbc record episode C2 --started DAY"),
        (f"session C1 --on {TODAY + timedelta(days=2)}", "is in the future"),
        ("session C1 --missed --modality video", "--modality applies to a session that was kept"),
        ("rating C1 say 12", "the goal 'say what I need' is rated 0 to 10"),
        ("rating C1 say -2", "the goal 'say what I need' is rated 0 to 10"),
        ("rating C1 nothing 5", "no goal 'nothing'. On record: G-"),
        ("goal C1", "A new goal needs its text"),
        ("goal C1 'rest' --target 90", "rated 0 to 10, or -2 to 2, unless it names a scale"),
        ("goal C1 'rest' --scale rsess", "no scale 'rsess'"),
        ("homework C1", "Missing: TASK"),
        ("homework C1 'talk' --completion mostly", "'mostly' is not one of"),
        ("homework C1 --id H-9 --completion done", "no homework 'H-9' on record"),
        ("conflict C1 --hours-to-repair 3", "hours_to_repair requires repaired"),
        ("release C1 physician rses", "Missing: --purpose, --expires-on"),
        ("release C1 physician hits --purpose x --expires-on 2027-01-01", "hits belongs to the safety channel"),
        ("measure C1 rses", "has no schedule: give every_days"),
        ("partner-view C1 R9 5", "no relationship 'R9'. On record: R1"),
        ("questionnaire C1 rses 322102312", "has 10 items, but 9 answers were typed"),
        ("questionnaire C1 rses 3221023192", "rses_9 has 9 (accepted: 0-3). Nothing was written"),
        ("questionnaire C1 rses x221023122", "Answer 1 is 'x'; it must be a number"),
        ("questionnaire C1 rses ----------", "No answer was given"),
        ("questionnaire C1 csi4 5432", "is about a relationship. Say which: --about R1"),
        ("questionnaire C1 rses 3221023122 --about R1", "is about the client, not about a relationship"),
        ("episode C1 --started 2026-03-01", "has an open episode of care. End it first"),
        ("episode C1 --ended 2026-03-01", "Give --ended and --ending together"),
        ("undo C1 win W-9", "no small win W-9 on record"),
        ("undo C1 rating G-1", "identified by GOAL_ID RATED_ON"),
        ("undo C1 readiness soon", "'soon' is not a date such as 2026-01-31"),
        ("wins C1", "Did you mean 'win'?"),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_is_written(url, line, says):
    with Store.open(url) as store:
        before = store.revision()
    done = run(line)
    assert done.returncode in (1, 2)
    assert says in " ".join(done.stderr.split())
    assert done.stdout == ""
    with Store.open(url) as store:
        assert store.revision() == before


def test_homework_is_set_and_later_brought_up_to_date(url):
    number = re.search(r"H-\w+", run("homework C1 'one request' --on 2026-02-02").stdout)[0]
    done = run(f"homework C1 --id {number} --completion partly --helpful 6 --reviewed-on 2026-02-09")
    assert done.stdout.startswith(f"Corrected: homework {number} of C1: set on 2026-02-02, task one request")
    (row,) = rows(url, "homework")
    assert (row["completion"], row["helpful"], row["set_on"]) == ("partly", 6.0, date(2026, 2, 2))
    assert run(f"undo C1 homework {number}").stdout.startswith("Restored to its previous state")
    assert rows(url, "homework")[0]["completion"] is None


def test_what_is_on_record_is_corrected_with_a_reason_only(url):
    run("readiness C1 4")
    refused = run("readiness C1 5")
    assert refused.returncode == 1
    assert "give a reason: --supersede '...'" in refused.stderr
    assert run("readiness C1 4").stdout.startswith("Already on record, nothing was saved")
    assert run("readiness C1 5 --supersede misread").stdout.startswith("Corrected")
    assert [row["rating"] for row in rows(url, "couples_readiness")] == [5.0]


def test_a_goal_is_revised_retired_and_rated_as_attainment(url):
    (goal,) = rows(url, "goals")
    run(f"goal C1 --id {goal['goal_id']} --target 9")
    run(f"goal C1 --id {goal['goal_id']} --retire reached --on 2026-03-01")
    (goal,) = rows(url, "goals")
    assert (goal["target"], goal["retired_reason"], goal["retired_on"]) == (9.0, "reached", date(2026, 3, 1))
    run("goal C1 'finish the thesis' --baseline -1 --target 1")
    assert run("rating C1 finish -2").returncode == 0
    assert "rated -2 to 2" in run("rating C1 finish 3").stderr
    assert [row["rating"] for row in rows(url, "goal_ratings")] == [-2.0]


def test_leaving_is_recorded_with_whether_it_was_a_step_forward(url):
    run("relationship C1 R1 --status ended --since 2026-04-01 --step-forward")
    run("relationship C1 --status single --since 2026-04-01")
    stood = [(row["status"], row["relationship_id"] is None, row["step_forward"]) for row in rows(url, "statuses")]
    assert stood == [("dating", False, None), ("single", True, None), ("ended", False, True)]


def test_an_entry_of_another_client_is_not_undone(url):
    number = re.search(r"W-\w+", run("win C1 'asked for a hug'").stdout)[0]
    done = run(f"undo C2 win {number}")
    assert (done.returncode, len(rows(url, "small_wins"))) == (1, 1)
    assert f"C2 has no win {number} on record" in done.stderr


def test_each_account_records_what_it_may(url):
    with Store.open(url) as store:
        store.accounts.add("ann", GOOD_PASSWORD, "clinician", "K1")
        store.accounts.add("res", GOOD_PASSWORD, "researcher")
    done = run("win C1 'asked for a hug' --as ann")
    assert shlex.split(done.stdout.splitlines()[-1])[-2:] == ["--as", "ann"]
    assert "needs the permission 'safety:read'" in run("safety-plan C1 --as ann").stderr
    assert run("win C1 'asked' --as res").returncode == 1


def test_every_kind_of_entry_has_a_name():
    assert {*KIND_NAMES} == {*KINDS, Administration} - {Clinician}
    assert set(KIND_NAMES.values()) - {"status", "signal", "safety-change"} <= set(COMMANDS)
