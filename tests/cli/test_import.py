from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import pytest

from mbc.cli.program import main
from mbc.store import Client, Clinician, Store

pytestmark = pytest.mark.long

HEADER = "client_id,date," + ",".join(f"rses_{n}" for n in range(1, 11)) + "\n"
FINE = "C1,2026-01-05,3,2,1,0,3,2,1,0,3,2\nC1,2026-01-12,3,2,1,1,3,2,1,0,3,2\n"


@pytest.fixture
def url(tmp_path) -> str:
    address = f"sqlite:///{tmp_path}/clinic.db"
    with Store.create(address) as store, store.writing() as record:
        record.add(Clinician("K1", "Dr. One"))
        record.add(Client("C1", clinician_id="K1"))
    return address


@pytest.fixture
def run(monkeypatch, capfd, url, tmp_path):
    """Run the command as a user does: its status, what it prints and what it says on standard error."""

    def command(text: str | bytes | Path, *options: str, name: str = "answers.csv") -> tuple[int, str, str]:
        path = text
        if not isinstance(path, Path):
            path = tmp_path / name
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        monkeypatch.setattr(sys, "argv", ["mbc", "import", str(path), "--store", url, *options])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return int(ended.value.code or 0), out, err

    return command


def stored(url: str) -> int:
    with Store.open(url) as store:
        return store.administrations().height


def test_a_file_comes_in_once_however_often_it_is_run(run, url):
    status, out, err = run(HEADER + FINE)
    assert (status, err) == (0, "")
    assert "Administrations: 2 stored, 0 already on record." in out
    status, out, _ = run(HEADER + FINE)
    assert status == 0
    assert "Administrations: 0 stored, 2 already on record." in out
    status, out, _ = run(HEADER + FINE + FINE)
    assert "Administrations: 0 stored, 2 already on record, 2 twice in the file." in out
    assert stored(url) == 2


def test_a_dry_run_shows_each_row_and_stores_nothing(run, url):
    text = HEADER + FINE + "C1,2026-01-19,9,2,1,0,3,2,1,0,3,2\n"
    status, out, err = run(text, "--dry-run")
    assert (status, err) == (1, "")
    rows = [line.split(maxsplit=5) for line in out.splitlines() if line[:1].isdigit()]
    assert [row[:5] for row in rows] == [
        ["2", "C1", "rses", "2026-01-05", "stored"],
        ["3", "C1", "rses", "2026-01-12", "stored"],
        ["4", "C1", "rses", "2026-01-19", "refused"],
    ]
    assert "rses_1: 9 is out of range" in rows[2][5]
    assert "Nothing was stored: this was a dry run." in out
    assert stored(url) == 0
    assert run(HEADER + FINE, "--dry-run")[0] == 0


def test_refused_rows_end_with_status_one_and_their_reasons(run, url):
    status, out, err = run(HEADER + FINE + "C1,2026-01-19,9,2,1,0,3,2,1,0,3,2\n")
    assert status == 1
    assert "1 of 3 administrations refused; nothing was stored" in err
    assert "row 4: rses_1: 9 is out of range; accepted are 0 to 3 (coding 0-3)" in err
    assert "Traceback" not in err + out
    assert stored(url) == 0
    status, out, _ = run(HEADER + FINE + "C1,2026-01-19,9,2,1,0,3,2,1,0,3,2\n", "--skip-refused")
    assert status == 0
    assert "2 stored, 0 already on record, 1 refused" in out
    assert "Refused: row 4: rses_1: 9 is out of range; accepted are 0 to 3 (coding 0-3)" in out
    assert stored(url) == 2


def test_fifty_reasons_are_printed_and_the_rest_counted(run):
    rows = "".join(f"C1,20{n:02}-01-05,9{n},2,1,0,3,2,1,0,3,2\n" for n in range(1, 26))
    rows += "".join(f"C1,20{n:02}-02-05,0,9{n},1,0,3,2,1,0,3,2\n" for n in range(1, 26))
    rows += "".join(f"C1,19{n:02}-02-05,0,9{n},1,0,3,2,1,0,3,2\n" for n in range(70, 90))
    status, _, err = run(HEADER + rows)
    assert status == 1
    assert "all 70 administrations refused" in err
    assert sum(line.startswith("  row ") for line in err.splitlines()) == 50
    assert "... and 20 more rows" in err


def test_a_reason_that_many_rows_share_is_printed_once(run):
    rows = "".join(f"C1,20{n:02}-01-05,9,2,1,0,3,2,1,0,3,2\n" for n in range(1, 26))
    _, _, err = run(HEADER + rows)
    assert err.splitlines()[1:] == ["  rows 2-26: rses_1: 9 is out of range; accepted are 0 to 3 (coding 0-3)"]


def test_new_clients_are_registered_under_the_clinician_named(run, url):
    text = HEADER + FINE.replace("C1", "N1")
    status, out, _ = run(text, "--clinician", "K1")
    assert status == 0
    assert "New clients: 1." in out
    with Store.open(url) as store:
        assert store.clients(client_id="N1")["clinician_id"].to_list() == ["K1"]


def test_options_reach_the_reader(run, url):
    text = "Patient;Day;" + ";".join(f"Q{n}" for n in range(1, 11)) + "\nC1;03/04/2026;4;1;n/a;4;4;4;4;4;4;1\n"
    status, out, err = run(
        text, "--map", "client_id=Patient", "--map", "taken_on=Day", "--date-format", "%m/%d/%Y",
        "--instrument", "rses", "--items", "Q{n}", "--form", "b", "--coding", "rses=1-4", "--blank", "N/A",
        "--separator", "semicolon",
    )  # fmt: skip
    assert (status, err) == (0, ""), out
    with Store.open(url) as store:
        kept = store.administrations().select("form", "coding", pl.col("taken_on").cast(str))
        assert kept.rows() == [("b", "1-4", "2026-03-04")]
        assert store.answers()["value"].to_list()[:3] == [4.0, 1.0, None]


def test_a_correction_says_why(run, url):
    run(HEADER + FINE)
    corrected = HEADER + FINE.replace("3,2\n", "3,3\n", 1)
    status, _, err = run(corrected)
    assert status == 1
    assert "row 2: on record with other content. If this corrects it: --supersede" in err
    status, out, _ = run(corrected, "--supersede", "misread")
    assert status == 0
    assert "1 superseding an earlier version, 1 already on record" in out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--map", "client_id"), "write NAME=HEADER"),
        (("--map", "clent_id=x"), "Did you mean client_id"),
        (("--date-format", "%d"), "must name day, month and year"),
        (("--separator", ":"), "accepted are"),
        (("--items", "Q"), "name the columns with their number"),
        (("--supersede", " "), "needs a reason"),
        (("--display-name", "Dr. X"), "give both"),
        (("--form", "a", "--form", "b"), "once per questionnaire"),
        (("--layout", "square"), "square"),
    ],
)
def test_wrong_usage_ends_with_status_two(run, url, options, words):
    status, _, err = run(HEADER + FINE, *options)
    assert status == 2
    assert words in err
    assert stored(url) == 0


def test_a_missing_file_is_wrong_usage_and_a_missing_record_is_explained(run, tmp_path):
    assert run(tmp_path / "absent.csv")[0] == 2
    status, _, err = run(HEADER + FINE, "--store", f"sqlite:///{tmp_path}/other.db")
    assert status == 1
    assert "There is no record" in err


@pytest.mark.parametrize(
    "text", ["", b"PK\x03\x04", HEADER, "a,b\n1,2\n", HEADER + FINE.replace("C1", "\x1b[2JC1")]
)
def test_no_bad_file_ends_in_a_traceback_or_steers_the_terminal(run, url, text):
    status, out, err = run(text)
    assert status == 1
    assert err.startswith("'answers.csv'")
    assert "\x1b[2J" not in out + err
    assert "Unexpected error" not in err
    assert stored(url) == 0


def test_texts_of_a_file_are_never_markup(run):
    status, out, _ = run(HEADER.strip() + ",[red]note[/red]\n" + FINE.replace("3,2\n", "3,2,x\n"))
    assert status == 0
    assert "'[red]note[/red]'" in out


def test_a_report_holds_every_row_and_no_formula(run, tmp_path):
    text = HEADER.replace("rses_1,", '"=cmd()",') + FINE + "C1,2026-01-19,x,2,1,0,3,2,1,0,3,2\n"
    report = tmp_path / "report.csv"
    status, _, _ = run(text, "--map", "rses_1==cmd()", "--dry-run", "--out", str(report))
    assert status == 1
    rows = pl.read_csv(report)
    assert rows["outcome"].to_list() == ["stored", "stored", "refused"]
    assert rows["reason"][2].startswith("'=cmd(): 'x' is not a number")


def test_risk_answers_leave_no_trace_in_what_is_printed(run, url):
    header = "client,date," + ",".join(f"phq9_{n}" for n in range(1, 10)) + "\n"
    for options in (("--dry-run",), ()):
        _, out, err = run(header + "C1,2026-01-05,0,0,0,0,0,0,0,0,3\n", *options)
        assert not any(word in (out + err).casefold() for word in ("risk", "safety", "flag", "suicid"))
    with Store.open(url) as store:
        assert store.safety_flags()["kind"].to_list() == ["risk"]


def test_a_whole_record_comes_in_as_a_folder(run, url, tmp_path):
    folder = tmp_path / "record"
    folder.mkdir()
    (folder / "clients.csv").write_text("client_id,clinician_id\nN1,K1\nN2,K1\n")
    (folder / "events.csv").write_text("event_id,client_id,occurred_on,kind,label\nV1,N1,2026-01-05,move,Moved\n")
    status, out, _ = run(folder, "--dry-run")
    assert status == 0
    assert "clients: 2 stored" in out
    status, out, _ = run(folder)
    assert (status, out.splitlines()) == (0, ["clients: 2 stored", "events: 1 stored"])
    for words in (("--skip-refused",), ("--out", str(tmp_path / "report.csv"))):  # not done, so not taken
        status, _, err = run(folder, *words)
        assert status == 2
        assert "imported completely or not at all" in err


def test_a_mapping_file_says_what_the_columns_are_and_the_command_has_the_last_word(run, url, tmp_path):
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        'separator = "semicolon"\ninstruments = ["rses"]\n[columns]\nclient_id = "Patient"\ntaken_on = "Day"\n'
        '[items]\nrses = "F{n}"\n[form]\nrses = "b"\n[coding]\nrses = "1-4"\n'
    )
    text = "Patient;Day;" + ";".join(f"F{n}" for n in range(1, 11)) + "\nC1;2026-01-05;1;2;3;1;1;1;1;1;1;1\n"
    status, out, err = run(text, "--mapping", str(mapping), "--coding", "rses=0-3", "--dry-run")
    assert (status, err) == (0, ""), out
    status, out, err = run(text, "--mapping", str(mapping))
    assert (status, err) == (0, ""), out
    with Store.open(url) as store:
        assert store.administrations().select("form", "coding").rows() == [("b", "1-4")]


def test_a_wrong_or_absent_mapping_is_wrong_usage_and_nobody_is_asked_without_a_terminal(run, tmp_path):
    mapping = tmp_path / "mapping.toml"
    status, _, err = run(HEADER + FINE, "--mapping", str(mapping))
    assert status == 2
    assert "cannot be read" in err
    mapping.write_text("columns = 3")
    assert run(HEADER + FINE, "--mapping", str(mapping))[0] == 2
    status, _, err = run(HEADER + FINE, "--map-interactively")
    assert status == 2
    assert "needs a terminal" in err


def test_rows_of_safety_screens_are_shown_only_when_asked_for(run, url):
    text = "client,date,hits_1,hits_2,hits_3,hits_4\nC1,2026-01-05,1,2,5,5\n"
    _, out, err = run(text, "--dry-run")
    assert "hits" not in (out + err).casefold()
    assert "2026-01-05" not in out
    _, out, _ = run(text, "--dry-run", "--show-safety")
    assert "hits" in out
